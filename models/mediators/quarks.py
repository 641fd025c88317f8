"""Decays to quarks of mediators without measured spectral functions: free quark pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import CHARGED_KAON_MASS_GEV, CHARGED_PION_MASS_GEV

__all__ = ["QUARK_THRESHOLD_MASSES_GEV", "free_quark_widths"]

_COLOURS: Final = 3.0
#: mass that stands for a quark in phase space: that of its lightest meson
QUARK_THRESHOLD_MASSES_GEV: Final[Mapping[str, float]] = {
    "u": CHARGED_PION_MASS_GEV,
    "d": CHARGED_PION_MASS_GEV,
    "s": CHARGED_KAON_MASS_GEV,
    "c": 1.86484,
    "b": 5.27966,
}


def free_quark_widths(
    width: Callable[[FloatArray, float], FloatArray],
    mass_gev: FloatArray,
    charges: Mapping[str, float],
) -> FloatArray:
    """Return 3 sum over quarks of charge^2 width(M, m_q).

    Axial-vector, scalar and pseudoscalar currents have no counterpart of the measured R(s). This
    is leading-order QCD with the right thresholds for the lightest mesons: an estimate of the
    order of magnitude below 2 GeV, where resonances and chiral dynamics rule.

    Parameters
    ----------
    width
        Two-body width at unit coupling as a function of the mediator's and the quark's mass.
    mass_gev
        Mediator masses.
    charges
        Charge by fermion.
    """
    total = np.zeros_like(mass_gev)
    for quark, quark_mass in QUARK_THRESHOLD_MASSES_GEV.items():
        if charge := charges.get(quark, 0.0):
            total = total + _COLOURS * charge**2 * width(mass_gev, quark_mass)
    return np.asarray(total)
