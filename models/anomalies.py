"""Anomalous magnetic moments of the leptons from one loop with a new boson.

With rho = M/m_l and D(z) = (1-z)^2 + rho^2 z the contribution to a = (g-2)/2 is g^2/(8 pi^2) times
the integral over z from 0 to 1 of

    scalar         (1-z)^2 (1+z) / D
    pseudoscalar  -(1-z)^3 / D
    vector         2 z (1-z)^2 / D
    axial         -[2 z (1-z) (z+3) + 4 (1-z)^3/rho^2] / D

for vertices g, i g gamma_5, g gamma_mu and g gamma_mu gamma_5.

References
----------
Leveille, Nucl. Phys. B137, 63 (1978); Jegerlehner and Nyffeler, arXiv:0902.3360, section 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.errors import InputError, unknown_name
from na64.models.kinds import kind_row

__all__ = [
    "MEASUREMENTS",
    "CouplingBand",
    "MomentMeasurement",
    "anomalous_moment",
    "coupling_band",
]

# The trapezoidal rule in ln[z/(1-z)]: the integrand is a rational function of its exponential, so
# the error falls as exp(-pi^2/step); both ends are below e^-60.
_STEP: Final = 0.125
_LOGITS: Final = np.arange(-72.0, 72.0 + _STEP, _STEP)


@dataclass(frozen=True, slots=True)
class MomentMeasurement:
    """A measured anomalous moment less its prediction in the Standard Model.

    Attributes
    ----------
    name
        Key of `MEASUREMENTS`.
    lepton
        ``"e"`` or ``"mu"``.
    difference, uncertainty
        Delta a and its standard deviation.
    source
        Where measurement and prediction come from.
    """

    name: str
    lepton: str
    difference: float
    uncertainty: float
    source: str


#: the two inputs for each lepton that figures of dark-sector searches use
MEASUREMENTS: Final[Mapping[str, MomentMeasurement]] = {
    entry.name: entry
    for entry in (
        MomentMeasurement(
            "mu-2021",
            "mu",
            251e-11,
            59e-11,
            "Muon g-2, arXiv:2104.03281, against the White Paper of 2020, arXiv:2006.04822",
        ),
        MomentMeasurement(
            "mu-2025",
            "mu",
            38e-11,
            63e-11,
            "world average of 2025 against the White Paper of 2025, arXiv:2505.21476",
        ),
        MomentMeasurement(
            "e-lkb-2020",
            "e",
            4.8e-13,
            3.0e-13,
            "alpha from rubidium, Morel et al., Nature 588, 61 (2020)",
        ),
        MomentMeasurement(
            "e-berkeley-2018",
            "e",
            -8.8e-13,
            3.6e-13,
            "alpha from caesium, Parker et al., arXiv:1812.04130",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class CouplingBand:
    """Couplings at which a boson brings a moment within some standard deviations of data.

    Attributes
    ----------
    masses_gev
        Masses, shape (M,).
    lower, upper
        Ends of the band, shape (M,). The lower end is 0 where no boson at all is within the
        band; the upper end then is a limit. Both are infinite where the boson has the wrong sign
        to explain the measurement.
    measurement
        The data.
    sigmas
        Half width of the band in standard deviations.
    """

    masses_gev: FloatArray
    lower: FloatArray
    upper: FloatArray
    measurement: MomentMeasurement
    sigmas: float


def anomalous_moment(
    kind: str, mass_gev: ArrayLike, lepton: str, coupling: ArrayLike = 1.0
) -> FloatArray:
    """Return the contribution of a boson to the anomalous moment of a lepton.

    Parameters
    ----------
    kind
        Vector, axial, scalar or pseudoscalar.
    mass_gev
        Mass of the boson, positive, any shape.
    lepton
        ``"e"``, ``"mu"`` or ``"tau"``.
    coupling
        Coupling g to that lepton (epsilon e for a dark photon); broadcasts with the mass.

    Returns
    -------
    ndarray
        Delta a, dimensionless.

    Raises
    ------
    InputError
        For an unknown lepton, a mass that is not positive, or a kind of boson without a moment.
    """
    if lepton not in LEPTON_MASSES_GEV:
        raise unknown_name("lepton", lepton, LEPTON_MASSES_GEV)
    weight = kind_row(kind, "the anomalous moment").moment
    if weight is None:
        raise InputError(
            f"no one-loop moment for a {kind} boson: its loop diverges or is not computed"
        )
    mass = np.asarray(mass_gev, float)
    if not (np.all(np.isfinite(mass)) and np.all(mass > 0.0)):
        raise InputError("mass must be positive and finite")
    rho2 = (mass / LEPTON_MASSES_GEV[lepton])[..., None] ** 2
    z = 1.0 / (1.0 + np.exp(-_LOGITS))
    w = 1.0 / (1.0 + np.exp(_LOGITS))
    integrand = weight(rho2, z, w) / (w * w + rho2 * z) * (z * w)
    loop = _STEP * np.sum(integrand, axis=-1)
    return np.asarray(np.asarray(coupling, float) ** 2 / (8.0 * np.pi**2) * loop)


def coupling_band(
    measurement: MomentMeasurement,
    kind: str,
    mass_gev: ArrayLike,
    *,
    relative_coupling: ArrayLike = 1.0,
    sigmas: float = 2.0,
) -> CouplingBand:
    """Return the couplings that bring a moment within ``sigmas`` of its measurement.

    Parameters
    ----------
    measurement
        One of `MEASUREMENTS`, or one's own.
    kind
        Kind of the boson.
    mass_gev
        Masses, scalar or shape (M,).
    relative_coupling
        Coupling to this lepton per unit of the coupling that the band is wanted for, for
        example e for epsilon of a dark photon.
    sigmas
        Half width of the band, positive.

    Raises
    ------
    InputError
        As `anomalous_moment`, and for a width or coupling that is not positive.
    """
    if not (np.isfinite(sigmas) and sigmas > 0.0):
        raise InputError(f"width of the band must be positive, is {sigmas}")
    per_unit = np.abs(np.asarray(relative_coupling, float))
    if not (np.all(np.isfinite(per_unit)) and np.all(per_unit > 0.0)):
        raise InputError(f"the boson must couple to the lepton '{measurement.lepton}'")
    masses = np.atleast_1d(np.asarray(mass_gev, float))
    at_unit = anomalous_moment(kind, masses, measurement.lepton, per_unit)
    edges = np.array(
        [
            measurement.difference - sigmas * measurement.uncertainty,
            measurement.difference + sigmas * measurement.uncertainty,
        ]
    )
    squares = np.sort(edges[:, None] / at_unit, axis=0)
    possible = squares[1] >= 0.0
    lower, upper = np.sqrt(np.maximum(squares, 0.0))
    return CouplingBand(
        masses,
        np.where(possible, lower, np.inf),
        np.where(possible, upper, np.inf),
        measurement,
        sigmas,
    )
