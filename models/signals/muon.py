"""Missing-energy signal of a muon beam that crosses an active target.

Events per muon on target, at unit coupling and before any efficiency: the muon radiates the
mediator in the field of a nucleus, mu Z -> mu Z X, and leaves the target with an energy that the
window accepts,

    sum over nuclei n int_0^L dz < int dE_f dsigma(E; E_f)/dE_f P(E_f, z) >,

with E the beam energy less what the muon has lost up to the depth z, E_f what the emission leaves,
and P the probability that the losses on the rest of the way bring the muon into the window; < >
is the average over the losses before. See `na64.models.signals.recoil`. The mediator is invisible.

References
----------
Gninenko, Krasnikov and Matveev, arXiv:1412.1400 (the search); Sieber et al., arXiv:2110.15111 and
Kirpichnikov et al., arXiv:2107.13297 (cross-sections); NA64, arXiv:2401.01708, arXiv:2409.10128.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.decays.invisible import invisible_branching
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.production.accepted_lepton import lepton_accepted_cross_section
from na64.models.production.process import Approximation, Emission
from na64.models.response.windows import MuonWindow, refuse
from na64.models.signals.rates import (
    SignalRates,
    TableStore,
    check_masses,
    emission_strengths,
)
from na64.models.signals.recoil import recoil_acceptance
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "muon_rates"]

#: order of the region axis
REGIONS: Final = ("missing-energy",)
#: settings that this signal depends on
USES: Final = frozenset({"dark_sector", "production", "inelastic"})
#: order of the process axis
PROCESSES: Final = ("emission",)


def _probability(
    beam: Beam,
    target: Target,
    window: MuonWindow,
    process: Emission,
    masses: FloatArray,
) -> FloatArray:
    """Mediators per muon on target for a coupling of e, shape (M,)."""
    recoil = recoil_acceptance(beam, target, window)
    total = np.zeros_like(masses)
    for energy, accepted in zip(recoil.energies_gev, recoil.accepted, strict=True):
        total += lepton_accepted_cross_section(
            float(energy), masses, target.material, process, recoil.left_gev, accepted
        )
    return total * (target.length_cm / target.material.radiation_length_cm)


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
        Band of energies of the recoil muon behind the target, and what it may leave in the target.
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
    strengths = emission_strengths(mediator, "mu", masses)
    branching = invisible_branching(mediator, masses, settings.dark_sector)
    emitted = _probability(beam, target, window, settings.emission(mediator.kind, "mu"), masses)
    events = branching * emitted * strengths
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events[:, None, None, None])
