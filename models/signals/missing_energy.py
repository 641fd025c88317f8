"""Missing-energy signal of an electron or positron beam absorbed in an active target.

Events per particle on target, at unit coupling and before any efficiency:

* emission, l Z -> l Z X, by all electrons and positrons of the cascade, when X takes more than
  the window's missing energy: sum over nuclei n X0 int (T_e- + T_e+)(E) sigma(E; E_X > E_miss) dE;
* annihilation, e+ e- -> X -> invisible, by the cascade's positrons above the missing energy:
  n_e X0 int T_e+(E) sigma(E) dE.

References
----------
Gninenko, Kirpichnikov, Kirsanov and Krasnikov, arXiv:1712.05706 (emission in NA64);
Andreev et al. (NA64), arXiv:2108.04195 (resonant annihilation of secondary positrons).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE, GEV2_TO_CM2
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import InputError
from na64.models.kinds import kind_row
from na64.models.materials import Material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.production.annihilation import (
    Resonance,
    narrow_width_yield,
    radiated_spectrum,
    resonant_yield,
)
from na64.models.production.bound_electrons import electron_motion, moving_spectrum
from na64.models.production.emission import emission_cross_section
from na64.models.response.windows import MissingEnergyWindow, refuse
from na64.models.showers.cascade import Cascade, cascade
from na64.models.signals.rates import SignalRates, TableStore, check_masses, stored
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = [
    "PROCESSES",
    "REGIONS",
    "USES",
    "invisible_branching",
    "invisible_branching_at",
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
#: order of the process axis
PROCESSES: Final = ("emission", "annihilation")
# step of the cascade's grid in ln E, and energies at which cross-sections are computed; doubling
# either moves no yield by more than 2e-3
_CASCADE_STEP: Final = 0.01
_ENERGIES: Final = 20
# where the tail of initial-state radiation is cut, as 1 - E'/E_miss, and its nodes
_SOFTEST_COLLISION: Final = 0.98
_TAIL_NODES: Final = 60
# a finite resolution: how far below the cut energies are followed, points of the average over
# cuts, and nodes across the cut
_TAIL_SIGMAS: Final = 4.0
_SMEARING_POINTS: Final = 5
_CUT_NODES: Final = 33


def invisible_branching(
    mediator: Mediator, masses_gev: ArrayLike, dark_sector: DarkSector | None
) -> FloatArray:
    """Return the invisible branching ratio in the limit of a small coupling.

    Parameters
    ----------
    mediator
        The mediator.
    masses_gev
        Its masses, shape (M,).
    dark_sector
        What it decays to besides. Its width does not fall with the coupling: the ratio is then
        1, up to visible decays that are worth about epsilon^2 alpha/alpha_D. That is nothing for
        alpha_D = 0.1, but not for alpha_D below 1e-4 or so, nor for a large coupling as that of
        L_mu - L_tau to an electron beam: see `invisible_branching_at`. With None the mediator's
        own neutrinos count.

    Raises
    ------
    InputError
        Where the mediator has no invisible decay.
    """
    masses = np.asarray(masses_gev, float)
    if dark_sector is not None:
        return np.ones_like(masses)
    widths = mediator.partial_widths(masses)
    invisible = np.asarray(widths.get("neutrinos", np.zeros_like(masses)), float)
    total = sum_of_widths(widths, masses.shape)
    if np.any(invisible <= 0.0):
        raise InputError(
            f"model '{mediator.name}' has no invisible decay at {masses[invisible <= 0][0]:g} GeV: "
            "a search for missing energy does not see it without dark matter"
        )
    return np.asarray(invisible / total)


def invisible_branching_at(
    mediator: Mediator,
    masses_gev: ArrayLike,
    dark_sector: DarkSector,
    coupling: ArrayLike,
) -> FloatArray:
    """Return the branching ratio to dark matter and neutrinos at a coupling.

    Parameters
    ----------
    mediator, masses_gev, dark_sector
        As in `invisible_branching`.
    coupling
        The free coupling, shape (..., M) or a number.
    """
    masses = np.asarray(masses_gev, float)
    square = np.asarray(coupling, float) ** 2
    widths = mediator.partial_widths(masses)
    total = sum_of_widths(widths, masses.shape)
    dark = dark_sector.width_gev(masses, masses, mediator.kind)
    invisible = dark + square * np.asarray(widths.get("neutrinos", 0.0), float)
    return np.asarray(invisible / (dark + square * total))


def _emission(
    shower: Cascade,
    material: Material,
    limits: tuple[float, float],
    mediator: Mediator,
    masses: FloatArray,
    settings: SignalSettings,
    tables: TableStore | None,
) -> FloatArray:
    """Mediators emitted with an energy between limits per particle on target, shape (M,)."""
    top = shower.energy_gev
    threshold, ceiling = limits
    # the cross-section rises like ln(1 - E_miss/E), and falls likewise above the largest energy
    # that the window allows: the energies crowd towards the lower end of each range
    phase = np.linspace(0.0, 1.0, _ENERGIES + 1)
    ends = [threshold, top] if ceiling == top else [threshold, ceiling, top]
    ranges = [low + (high - low) * phase**3 for low, high in itertools.pairwise(ends)]
    energies = np.concatenate([part[1:] for part in ranges])
    limit = None if ceiling == top else ceiling
    process = settings.emission(mediator.kind)

    def compute() -> dict[str, FloatArray]:
        return {
            "probability": emission_cross_section(
                energies,
                masses,
                material,
                process,
                min_energy_gev=threshold,
                max_energy_gev=limit,
            )
        }

    key = {
        "table": "emission probability per radiation length",
        "elements": [
            [element.symbol, element.z, element.a, density * material.radiation_length_cm]
            for element, density in material.number_densities_cm3
        ],
        "energies_gev": energies.tolist(),
        "masses_gev": masses.tolist(),
        "kind": str(process.kind),
        "min_energy_gev": threshold,
        "max_energy_gev": limit,
        "approximation": settings.production,
        "inelastic": settings.inelastic,
    }
    probability = stored(tables, key, compute)["probability"]
    # at the threshold itself nothing can be emitted
    table = np.concatenate([np.zeros((1, len(masses))), probability])
    at_nodes = np.zeros((len(shower.energies_gev), len(masses)))
    for k, part in enumerate(ranges):
        inside = (shower.energies_gev >= part[0]) & (shower.energies_gev <= part[-1])
        fraction = (shower.energies_gev[inside] - part[0]) / (part[-1] - part[0])
        rows = table[k * _ENERGIES : (k + 1) * _ENERGIES + 1]
        at_nodes[inside] = PchipInterpolator(phase, rows, axis=0)(np.cbrt(fraction))
    charged = shower.weights[0] + shower.weights[1]
    couplings = np.array(
        [float(mediator.coupling("e", mass**2)) / ELEMENTARY_CHARGE for mass in masses]
    )
    # one sum per mass along contiguous memory: a product of matrices adds in an order that depends
    # on how many masses there are
    emitted = np.ascontiguousarray((charged[:, None] * at_nodes).T).sum(axis=1)
    return np.asarray(emitted * couplings**2)


def _lowest_missing_energy(beam: Beam, window: MissingEnergyWindow) -> float:
    """The missing energy below which none is mistaken for one in the window, in GeV."""
    spread = float(window.resolution_gev(beam.energy_gev - window.missing_energy_gev))
    return max(window.missing_energy_gev - _TAIL_SIGMAS * spread, 0.1 * window.missing_energy_gev)


def _acceptance(beam: Beam, window: MissingEnergyWindow) -> Callable[[FloatArray], FloatArray]:
    """Probability that a missing energy is measured above the window's."""

    def accept(missing: FloatArray) -> FloatArray:
        spread = window.resolution_gev(beam.energy_gev - missing)
        excess = missing - window.missing_energy_gev
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(spread > 0.0, ndtr(excess / spread), excess >= 0.0), float)

    return accept


def _positrons(
    shower: Cascade, beam: Beam, window: MissingEnergyWindow, radiation: bool
) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
    """The spectrum of positrons that count, X0 per GeV, and cells in which it is smooth."""
    threshold = _lowest_missing_energy(beam, window)
    accept = _acceptance(beam, window)
    # the smeared cut is a feature of its own, whatever its width
    cut = np.linspace(threshold, 2.0 * window.missing_energy_gev - threshold, _CUT_NODES)
    inside = cut[cut < beam.energy_gev] if cut[-1] > threshold else cut[:1]
    ascending = shower.energies_gev[::-1]
    edges = np.concatenate([inside, ascending[ascending > inside[-1]]])
    if not radiation:

        def spectrum(energy: FloatArray) -> FloatArray:
            density = shower.spectrum(np.maximum(energy, threshold))[1]
            return np.asarray(density * accept(energy))

        return edges, spectrum

    # photons soften the step at the threshold and add a tail of softer collisions below it
    below = threshold * (1.0 - np.geomspace(_SOFTEST_COLLISION, 1e-5, _TAIL_NODES))
    edges = np.concatenate([below, edges])
    table = PchipInterpolator(np.log(edges), radiated_spectrum(shower, threshold, edges, accept))

    def radiated(energy: FloatArray) -> FloatArray:
        return np.asarray(
            np.where(energy >= edges[0], table(np.log(np.maximum(energy, edges[0]))), 0.0)
        )

    return edges, radiated


def _annihilation(
    shower: Cascade,
    material: Material,
    beam: Beam,
    window: MissingEnergyWindow,
    mediator: Mediator,
    masses: FloatArray,
    settings: SignalSettings,
) -> FloatArray:
    """Mediators from annihilation per particle on target at unit coupling, shape (M,)."""
    dark_sector = settings.dark_sector
    edges, spectrum = _positrons(shower, beam, window, settings.initial_state_radiation)
    if settings.bound_electrons:
        edges, spectrum = moving_spectrum(edges, spectrum, electron_motion(material))
    spins = kind_row(mediator.kind, "the number of spin states").spin_states

    def entrance(root_s: FloatArray) -> FloatArray:
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
        Smallest missing energy, and the energy that must stay in the target if there is such
        a cut.
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
    if not np.any(mediator.coupling("e", masses**2)):
        raise InputError(f"model '{mediator.name}' does not couple to the electrons of this beam")
    branching = invisible_branching(mediator, masses, settings.dark_sector)
    lowest = _lowest_missing_energy(beam, window)
    shower = cascade(
        target.material, beam.particle, beam.energy_gev, floor_gev=lowest, step=_CASCADE_STEP
    )
    # a smeared cut is an average over sharp ones: Gauss-Hermite around the nominal cut
    spread = float(window.resolution_gev(beam.energy_gev - window.missing_energy_gev))
    shifts, weights = hermegauss(_SMEARING_POINTS if spread > 0.0 else 1)
    emitted, annihilated = np.zeros_like(masses), np.zeros_like(masses)
    most = beam.energy_gev - window.preshower_energy_gev
    for shift, weight in zip(shifts, weights / weights.sum(), strict=True):
        least = max(window.missing_energy_gev + shift * spread, lowest)
        emitted += (weight * branching) * _emission(
            shower, target.material, (least, most), mediator, masses, settings, tables
        )
    if settings.annihilation:
        positrons = shower
        if not settings.primary_positrons and beam.particle == "e+":
            # showers of electrons and positrons are alike but for the particle that began them
            positrons = cascade(
                target.material, "e-", beam.energy_gev, floor_gev=lowest, step=_CASCADE_STEP
            )
        annihilated = _annihilation(
            positrons, target.material, beam, window, mediator, masses, settings
        )
    events = np.stack([emitted, annihilated], axis=-1)[:, None, :, None]
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events)
