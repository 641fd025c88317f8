"""Missing-energy signal of an electron or positron beam absorbed in an active target.

Events per particle on target, at unit coupling and before any efficiency:

* emission, l Z -> l Z X, by all electrons and positrons of the cascade, when X takes more than
  the window's missing energy: sum over nuclei n X0 int (T_e- + T_e+)(E) sigma(E; E_X > E_miss) dE;
* annihilation, e+ e- -> X -> invisible, by the cascade's positrons above the missing energy:
  n_e X0 int T_e+(E) sigma(E) dE;
* for a mediator that couples to photons too, the Primakoff process of the cascade's photons, see
  `na64.models.signals.photoproduction`.

References
----------
Gninenko, Kirpichnikov, Kirsanov and Krasnikov, arXiv:1712.05706 (emission in NA64);
Andreev et al. (NA64), arXiv:2108.04195 (resonant annihilation of secondary positrons).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from na64.models.arrays import FloatArray
from na64.models.constants import GEV2_TO_CM2
from na64.models.decays.invisible import invisible_branching
from na64.models.declaration import table_of
from na64.models.kinds import kind_row
from na64.models.mediators.charges import ChargedMediator
from na64.models.mediators.protocol import Mediator
from na64.models.production.annihilation import (
    Resonance,
    narrow_width_yield,
    radiated_spectrum,
    resonant_yield,
)
from na64.models.production.bound_electrons import electron_motion, moving_spectrum
from na64.models.production.emission import accepted_cross_section
from na64.models.response.acceptance import MissingEnergyAcceptance
from na64.models.response.preshower import is_simulated
from na64.models.response.windows import MissingEnergyWindow, refuse
from na64.models.showers.cascade import Cascade, cascade
from na64.models.showers.momentum_spread import TAIL_SIGMAS, with_momentum_spread
from na64.models.signals.photoproduction import PROCESS as PRIMAKOFF
from na64.models.signals.photoproduction import made_by_photons
from na64.models.signals.rates import (
    SignalRates,
    TableStore,
    check_masses,
    emission_strengths,
    stored,
)
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = [
    "PROCESSES",
    "REGIONS",
    "USES",
    "missing_energy_rates",
]

#: order of the region axis
REGIONS: Final = ("missing-energy",)
#: settings that this signal depends on
USES: Final = frozenset(
    {
        "dark_sector",
        "production",
        "inelastic",
        "annihilation",
        "initial_state_radiation",
        "bound_electrons",
        "primary_positrons",
    }
)
#: order of the process axis; a mediator that couples to photons has one more, the last
PROCESSES: Final[tuple[str, ...]] = ("emission", "annihilation")
# step of the cascade's grid in ln E, and energies at which cross-sections are computed; doubling
# either moves no yield by more than 1.5e-3
_CASCADE_STEP: Final = 0.01
_ENERGIES: Final = 10
# with a trigger: energies where it turns on, up to how many thresholds
_ENERGIES_TURN_ON: Final = 5
_TURN_ON: Final = 20.0
# where the tail of initial-state radiation is cut, as 1 - E'/E_miss, and its nodes
_SOFTEST_COLLISION: Final = 0.98
_TAIL_NODES: Final = 60
# nodes across a smeared cut and across the tail of the beam's momentum
_CUT_NODES: Final = 33


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Energies of a table between two of its features, which crowd towards one end."""

    low: float
    high: float
    phase: FloatArray
    crowd_high: bool = False

    @property
    def energies(self) -> FloatArray:
        span = self.high - self.low
        if self.crowd_high:
            return np.asarray(self.high - span * (1.0 - self.phase) ** 2)
        return np.asarray(self.low + span * self.phase**3)

    def phase_of(self, energy: FloatArray) -> FloatArray:
        span = self.high - self.low
        if self.crowd_high:
            return np.asarray(1.0 - np.sqrt((self.high - energy) / span))
        return np.asarray(np.cbrt((energy - self.low) / span))


def _table_energies(acceptance: MissingEnergyAcceptance) -> list[_Stretch]:
    """Energies of electrons at which the probability of emission is computed.

    It rises like ln(1 - E_miss/E) from a sharp cut, and falls likewise above a sharp end: the
    energies crowd towards the lower end. A soft trigger turns on over the energies of a few GeV
    that an electron close to the beam energy leaves: they crowd towards the upper end there.
    """
    top, threshold = acceptance.beam.energy_gev, acceptance.cut_edges_gev[0]
    phase = np.linspace(0.0, 1.0, _ENERGIES + 1)
    if acceptance.largest_gev < top:
        ends = (threshold, acceptance.largest_gev, top)
        return [_Stretch(low, high, phase) for low, high in itertools.pairwise(ends)]
    if acceptance.preshower_energy_gev == 0.0:
        return [_Stretch(threshold, top, phase)]
    turn_on = min(_TURN_ON * acceptance.preshower_energy_gev, 0.5 * (top - threshold))
    few = np.linspace(0.0, 1.0, _ENERGIES_TURN_ON + 1)
    return [
        _Stretch(threshold, top - turn_on, phase),
        _Stretch(top - turn_on, top, few, crowd_high=True),
    ]


def _emission(
    shower: Cascade,
    acceptance: MissingEnergyAcceptance,
    kind: str,
    masses: FloatArray,
    settings: SignalSettings,
    tables: TableStore | None,
) -> FloatArray:
    """Mediators emitted and selected per particle on target for a coupling of e, shape (M,)."""
    material = acceptance.target.material
    edges = sorted({*acceptance.cut_edges_gev, acceptance.largest_gev})
    parts = _table_energies(acceptance)
    energies = np.concatenate([part.energies[1:] for part in parts])
    process = settings.emission(kind)

    def compute() -> dict[str, FloatArray]:
        return {
            "probability": accepted_cross_section(
                energies, masses, material, process, acceptance, edges
            )
        }

    key = {
        "table": "emission probability per radiation length, selected",
        "elements": [
            [element.symbol, element.z, element.a, density * material.radiation_length_cm]
            for element, density in material.number_densities_cm3
        ],
        "simulated": is_simulated(material),
        "energies_gev": energies.tolist(),
        "masses_gev": masses.tolist(),
        "kind": str(process.kind),
        "edges_gev": edges,
        "beam": table_of(acceptance.beam),
        "missing_energy_gev": acceptance.missing_energy_gev,
        "resolution": [acceptance.stochastic, acceptance.constant],
        "preshower_energy_gev": acceptance.preshower_energy_gev,
        "approximation": settings.production,
        "inelastic": settings.inelastic,
    }
    probability = stored(tables, key, compute)["probability"]
    # at the threshold itself nothing can be emitted
    table = np.concatenate([np.zeros((1, len(masses))), probability])
    at_nodes = np.zeros((len(shower.energies_gev), len(masses)))
    row = 0
    for part in parts:
        inside = (shower.energies_gev >= part.low) & (shower.energies_gev <= part.high)
        last = row + len(part.phase) - 1
        curve = PchipInterpolator(part.phase, table[row : last + 1], axis=0)
        at_nodes[inside] = curve(part.phase_of(shower.energies_gev[inside]))
        row = last
    charged = shower.weights[0] + shower.weights[1]
    # one sum per mass along contiguous memory: a product of matrices adds in an order that depends
    # on how many masses there are
    return np.asarray(np.ascontiguousarray((charged[:, None] * at_nodes).T).sum(axis=1))


def _positrons(
    shower: Cascade, acceptance: MissingEnergyAcceptance, radiation: bool
) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
    """The spectrum of positrons that count, X0 per GeV, and cells in which it is smooth."""
    nominal, spread = acceptance.beam.energy_gev, acceptance.beam.momentum_spread
    threshold, sure = acceptance.cut_edges_gev
    # the smeared cut is a feature of its own, whatever its width, and so is the beam's spread
    cut = np.linspace(threshold, sure, _CUT_NODES) if sure > threshold else np.array([threshold])
    ascending = shower.energies_gev[::-1]
    edges = np.unique(
        np.concatenate([cut, ascending[ascending > cut[-1]], [acceptance.largest_gev]])
    )
    above = np.linspace(nominal, nominal * (1.0 + TAIL_SIGMAS * spread), _CUT_NODES)

    def track(energy: FloatArray) -> FloatArray:
        return np.asarray(shower.spectrum(energy)[1])

    if not radiation:
        moved = with_momentum_spread(
            lambda energy: track(energy) * acceptance.trigger(energy), edges, spread
        )
        return np.union1d(edges, above), lambda energy: moved(energy) * acceptance.cut(energy)

    # photons soften the step at the threshold and add a tail of softer collisions below it
    below = threshold * (1.0 - np.geomspace(_SOFTEST_COLLISION, 1e-5, _TAIL_NODES))
    edges = np.concatenate([below, edges])
    table = PchipInterpolator(
        np.log(edges),
        radiated_spectrum(track, (threshold, nominal), edges, acceptance.before_spread()),
    )
    moved = with_momentum_spread(lambda energy: table(np.log(energy)), edges, spread)

    def radiated(energy: FloatArray) -> FloatArray:
        inside = (energy >= edges[0]) & (energy <= above[-1])
        return np.asarray(np.where(inside, moved(energy), 0.0))

    return np.union1d(edges, above), radiated


def _annihilation(
    shower: Cascade,
    acceptance: MissingEnergyAcceptance,
    mediator: Mediator,
    masses: FloatArray,
    settings: SignalSettings,
) -> FloatArray:
    """Mediators from annihilation per particle on target at unit coupling, shape (M,)."""
    material = acceptance.target.material
    dark_sector = settings.dark_sector
    edges, spectrum = _positrons(shower, acceptance, settings.initial_state_radiation)
    if settings.bound_electrons:
        edges, spectrum = moving_spectrum(edges, spectrum, electron_motion(material))
    spins = kind_row(mediator.kind, "the number of spin states").spin_states

    def entrance(root_s: FloatArray) -> FloatArray:
        if isinstance(mediator, ChargedMediator):
            return mediator.lepton_width("e", root_s)
        return np.asarray(mediator.partial_widths(root_s).get("e e", 0.0 * root_s), float)

    def one(mass: float, branching: float) -> float:
        if dark_sector is None:  # every width falls with the coupling: narrow without limit
            resonance = Resonance(mass, spins, entrance, entrance, entrance)
            return narrow_width_yield(resonance, spectrum, branching)

        def dark(root_s: FloatArray) -> FloatArray:
            return dark_sector.width_gev(root_s, mass, mediator.kind)

        return resonant_yield(Resonance(mass, spins, entrance, dark, dark), spectrum, edges)

    branching = invisible_branching(mediator, masses, dark_sector)
    electrons = material.electron_density_cm3 * material.radiation_length_cm * GEV2_TO_CM2
    return electrons * np.array([one(m, b) for m, b in zip(masses, branching, strict=True)])


def missing_energy_rates(
    beam: Beam,
    target: Target,
    window: MissingEnergyWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the missing-energy events per particle on target at unit coupling.

    Parameters
    ----------
    beam, target
        An e- or e+ beam, and the active target; it must absorb the whole cascade, then its length
        does not enter.
    window
        Smallest missing energy, its resolution, and the trigger on energy in the preshower.
    mediator
        It must couple to electrons and have an invisible decay.
    masses_gev
        Shape (M,), from 1 keV to below the beam energy.
    settings
        Without annihilation its row is zero.
    tables
        As for every signal; see `na64.models.signals`.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    check_masses(masses, beam.energy_gev)
    strengths = emission_strengths(mediator, "e", masses)
    branching = invisible_branching(mediator, masses, settings.dark_sector)
    acceptance = window.acceptance(beam, target)

    def shower(particle: str) -> Cascade:
        lowest = acceptance.cut_edges_gev[0]
        material, energy = target.material, beam.energy_gev
        return cascade(material, particle, energy, floor_gev=lowest, step=_CASCADE_STEP)

    probability = _emission(
        shower(beam.particle), acceptance, mediator.kind, masses, settings, tables
    )
    emitted = branching * strengths * probability
    annihilated = np.zeros_like(masses)
    if settings.annihilation:
        # showers of electrons and positrons are alike but for the particle that began them
        source = beam.particle if settings.primary_positrons else "e-"
        annihilated = _annihilation(shower(source), acceptance, mediator, masses, settings)
    processes, parts = PROCESSES, [emitted, annihilated]
    if kind_row(mediator.kind, "the production").primakoff is not None:
        processes = (*PROCESSES, PRIMAKOFF)
        photons = shower(beam.particle)
        parts.append(branching * made_by_photons(photons, acceptance, mediator, masses, settings))
    events = np.stack(parts, axis=-1)[:, None, :, None]
    return SignalRates.of(mediator, masses, processes, REGIONS, events)
