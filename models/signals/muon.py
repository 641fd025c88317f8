"""Missing-energy signal of a muon beam that crosses an active target.

Events per muon on target, at unit coupling and before any efficiency: the muon radiates the
mediator in the field of a nucleus, mu Z -> mu Z X, and leaves the target with less energy than the
window allows a beam muon,

    sum over nuclei n int_0^L dz sigma(E(z); E_X > E(z) - E_recoil(z)),

with E(z) the beam energy less the mean loss up to the depth z, and E_recoil(z) the window's recoil
energy plus the mean loss from there to the end. Nothing else is visible.

References
----------
Gninenko, Krasnikov and Matveev, arXiv:1412.1400 (the search); Sieber et al., arXiv:2110.15111 and
Kirpichnikov et al., arXiv:2107.13297 (cross-sections); NA64, arXiv:2401.01708, arXiv:2409.10128.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.production.emission import emission_cross_section
from na64.models.production.process import Approximation, Emission
from na64.models.response.windows import MuonWindow, refuse
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm
from na64.models.signals.missing_energy import invisible_branching
from na64.models.signals.rates import SignalRates, TableStore, check_masses
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "muon_rates"]

#: order of the region axis
REGIONS: Final = ("missing-energy",)
#: settings that this signal depends on
USES: Final = frozenset({"dark_sector", "production", "inelastic"})
#: order of the process axis
PROCESSES: Final = ("emission",)
# the rate varies by a percent along the target
_DEPTHS: Final = 3


def _probability(
    beam: Beam,
    target: Target,
    window: MuonWindow,
    process: Emission,
    masses: FloatArray,
) -> FloatArray:
    """Mediators per muon on target for a coupling of e, shape (M,)."""
    points, weights = leggauss(_DEPTHS)
    length = target.length_cm
    thickness = length / target.material.radiation_length_cm
    loss = float(muon_energy_loss_gev_cm(beam.energy_gev, target.material))
    recoil_loss = float(muon_energy_loss_gev_cm(window.recoil_energy_max_gev, target.material))
    total = np.zeros_like(masses)
    for depth, weight in zip(0.5 * (points + 1.0), 0.5 * weights, strict=True):
        energy = beam.energy_gev - loss * length * depth
        to_the_end = recoil_loss * length * (1.0 - depth)
        least = window.recoil_energy_min_gev
        hardest = energy - least - to_the_end if least > 0.0 else None
        emitted = emission_cross_section(
            energy,
            masses,
            target.material,
            process,
            min_energy_gev=energy - window.recoil_energy_max_gev - to_the_end,
            max_energy_gev=hardest,
        )
        total += weight * thickness * emitted[0]
    return total


def muon_rates(
    beam: Beam,
    target: Target,
    window: MuonWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the missing-energy events per muon on target at unit coupling.

    Parameters
    ----------
    beam, target
        A mu- or mu+ beam, and the active target, of finite length.
    window
        Largest energy of the recoil muon behind the target, and the smallest if there is one.
    mediator
        It must couple to muons and have an invisible decay.
    masses_gev
        Shape (M,), from 1 keV to below the beam energy.
    settings
        The improved approximation ``iww`` is wrong by a factor 1.7 to 2.4 off muons and refused.
    tables
        Not used: a table of cross-sections takes 0.1 s.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    check_masses(masses, beam.energy_gev)
    if settings.production == Approximation.IWW:
        raise InputError(
            "iww overestimates emission by muons by a factor of 1.7 to 2.4: choose etl or ww"
        )
    couplings = mediator.coupling("mu", masses**2)
    if not np.any(couplings):
        raise InputError(f"model '{mediator.name}' does not couple to the muons of this beam")
    branching = invisible_branching(mediator, masses, settings.dark_sector)
    emitted = _probability(beam, target, window, settings.emission(mediator.kind, "mu"), masses)
    events = branching * emitted * (couplings / ELEMENTARY_CHARGE) ** 2
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events[:, None, None, None])
