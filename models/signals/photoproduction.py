"""Bosons that the photons of an absorbed cascade make in the field of the nuclei.

Per particle on target, at unit coupling: sum over nuclei n X0 int T_gamma(E) sigma(E) dE, the
boson taking all of the photon's energy. For a boson that electrons emit too, such as one of spin 2,
whose every photon of the shower is one more source.
"""

from __future__ import annotations

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.kinds import kind_row
from na64.models.materials import Material
from na64.models.mediators.protocol import Mediator
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.showers.cascade import Cascade
from na64.models.signals.settings import SignalSettings

__all__ = ["PROCESS", "made_by_photons"]

#: name of the process
PROCESS = "primakoff"


def _share_above(energies: FloatArray, threshold: float) -> FloatArray:
    """Part of each node's cell in ln E above an energy; nodes descend, cells end half-way."""
    log = np.log(energies)
    half_way = 0.5 * (log[1:] + log[:-1])
    # the first cell begins at the beam energy; the floor cuts the last one in half
    upper = np.concatenate([log[:1], half_way])
    lower = np.concatenate([half_way, 2.0 * log[-1:] - half_way[-1:]])
    return np.asarray(np.clip((upper - np.log(threshold)) / (upper - lower), 0.0, 1.0))


def made_by_photons(
    shower: Cascade,
    material: Material,
    limits: tuple[float, float],
    mediator: Mediator,
    masses: FloatArray,
    settings: SignalSettings,
) -> FloatArray:
    """Return the mediators made with an energy between limits, per particle on target.

    Parameters
    ----------
    shower
        The cascade, followed down to the lower limit.
    material
        The target.
    limits
        Smallest and largest energy in GeV.
    mediator
        One that photons make.
    masses
        Its masses in GeV, shape (M,).
    settings
        Of these whether inelastic scattering is included.

    Returns
    -------
    ndarray
        At unit coupling, shape (M,).
    """
    low, high = limits
    share = _share_above(shower.energies_gev, low)
    if high < shower.energy_gev:
        share = share - _share_above(shower.energies_gev, high)
    track = share * np.maximum(shower.weights[2], 0.0)
    probability = primakoff_cross_section(
        shower.energies_gev, masses, material, inelastic=settings.inelastic
    )
    factor = kind_row(mediator.kind, "the production").primakoff or 0.0
    # one sum per mass along contiguous memory, in an order that the other masses do not change
    return np.asarray(factor * np.ascontiguousarray(track * probability.T).sum(axis=1))
