"""Semi-visible dark photon: A' -> chi_1 chi_2, then chi_2 -> chi_1 and a pair in flight.

A' decays at once; chi_2 flies. Where it decays tells what is seen: between the veto and the
detector's end, a deposit of the pair's energy (region ``decay``); beyond the end, nothing, and the
A' energy is missing (region ``missing-energy``). Decays before the end of the veto are taken as
lost, as in the search for axion-like particles whose selection this recasts.

References
----------
Cazzaniga et al. (NA64), arXiv:2107.02021.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV, GEV2_TO_CM2
from na64.models.decays.three_body import ThreeBodyDecay, three_body_decay
from na64.models.errors import InputError
from na64.models.kinds import kind_row
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.production.annihilation import Resonance, resonance_nodes
from na64.models.production.boson_flux import BosonFlux
from na64.models.production.bound_electrons import ElectronMotion, electron_motion, moving_nodes
from na64.models.response.windows import DisplacedWindow, refuse
from na64.models.showers.cascade import cascade
from na64.models.signals.decay_in_flight import (
    coupling_grid,
    fold,
    mediator_flux,
)
from na64.models.signals.rates import SignalRates, TableStore
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "excited_state_decay", "semi_visible_rates"]

#: order of the region axis
REGIONS: Final = ("decay", "missing-energy")
#: settings that this signal depends on
USES: Final = frozenset(
    {"dark_sector", "production", "inelastic", "annihilation", "bound_electrons"}
)
#: order of the process axis
PROCESSES: Final = ("emission", "annihilation")
_COUPLINGS: Final = (1e-6, 1.0)
# Nodes in the angle of chi_2 in the rest frame of A', and the cascade's step in ln E.
_ANGLES: Final = 4
_CASCADE_STEP: Final = 0.01


def excited_state_decay(
    mediator: Mediator, masses_gev: ArrayLike, dark_sector: DarkSector
) -> ThreeBodyDecay:
    """Return the decay of chi_2 at unit coupling, for mediator masses of shape (M,).

    Raises
    ------
    InputError
        For dark matter that is not pseudo-Dirac, or a splitting below 2 m_e.
    """
    if dark_sector.species is not DarkMatter.PSEUDO_DIRAC or dark_sector.splitting <= 0.0:
        raise InputError(
            "semi-visible decays need pseudo-dirac dark matter with a mass splitting, not "
            f"{dark_sector.species} with {dark_sector.splitting:g}"
        )
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    light = masses / dark_sector.ratio
    heavy = light * (1.0 + dark_sector.splitting)
    return three_body_decay(heavy, light, masses, dark_sector.alpha_d, mediator)


def semi_visible_rates(
    beam: Beam,
    target: Target,
    window: DisplacedWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    couplings: ArrayLike | None = None,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the events of a dark photon that decays to chi_1 chi_2.

    Parameters
    ----------
    beam, target
        An e- or e+ beam, and the active target, which absorbs the whole cascade.
    window
        Its cut on a decay is on the energy of the visible pair.
    mediator
        A vector that couples to electrons.
    masses_gev
        Shape (M,).
    settings
        The dark sector is required: pseudo-Dirac, with a splitting above 2 m_e at every mass.
        Without annihilation its row is zero.
    couplings
        By default 1e-6 to 1.
    tables
        As for every signal; see `na64.models.signals`.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    sector = settings.dark_sector
    if sector is None:
        raise InputError("semi-visible decays need pseudo-dirac dark matter, and there is none")
    decay = excited_state_decay(mediator, masses, sector)
    grid = coupling_grid(*_COUPLINGS, couplings)
    events = np.zeros((len(masses), len(grid), len(PROCESSES), len(REGIONS)))
    motion = electron_motion(target.material) if settings.bound_electrons else None
    selections = window.selections(beam, target)
    for region, ((least, passes), counts) in enumerate(
        zip(selections, (window.seen, window.missing), strict=True)
    ):
        fluxes = [
            mediator_flux(beam, target, mediator, masses, least, settings=settings, tables=tables)
        ]
        if settings.annihilation:
            fluxes.append(_resonant_flux(beam, target, mediator, masses, least, sector, motion))
        for process, flux in enumerate(fluxes):
            selected = flux.weights * passes(flux.energies_gev)
            excited = _excited_states(BosonFlux(flux.energies_gev, selected), masses, decay)
            if region == 0:
                visible = decay.visible_fraction(least / excited.energies_gev)
                excited = BosonFlux(excited.energies_gev, excited.weights * visible)
            events[:, :, process, region] = fold(
                excited, decay.heavy_gev, decay.total_gev, grid, counts
            )
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events, couplings=grid)


def _excited_states(flux: BosonFlux, masses: FloatArray, decay: ThreeBodyDecay) -> BosonFlux:
    """Share each A' out over the energies of its chi_2, with every direction alike."""
    heavy, light = decay.heavy_gev, decay.light_gev
    energy = (masses**2 + heavy**2 - light**2) / (2.0 * masses)
    momentum = np.sqrt((energy - heavy) * (energy + heavy))
    gamma = flux.energies_gev / masses[:, None]
    boost = np.sqrt(np.maximum(gamma**2 - 1.0, 0.0))
    cosines, weights = leggauss(_ANGLES)
    energies = (
        gamma[..., None] * energy[:, None, None]
        + boost[..., None] * momentum[:, None, None] * cosines
    )
    shared = flux.weights[..., None] * (0.5 * weights)
    shape = (len(masses), -1)
    # rounding must not leave a particle at rest below its mass
    return BosonFlux(np.maximum(energies.reshape(shape), heavy[:, None]), shared.reshape(shape))


def _resonant_flux(
    beam: Beam,
    target: Target,
    mediator: Mediator,
    masses: FloatArray,
    threshold: float,
    dark_sector: DarkSector,
    motion: ElectronMotion | None,
) -> BosonFlux:
    """A' from the annihilation of positrons at unit coupling, one energy per cell of the cascade.

    The sum over the points of a cell keeps number and mean energy; over a cell, 1 % of the energy,
    nothing else varies.
    """
    shower = cascade(
        target.material,
        beam.particle,
        beam.energy_gev,
        floor_gev=threshold,
        step=_CASCADE_STEP,
    )
    electrons = (
        target.material.electron_density_cm3 * target.material.radiation_length_cm * GEV2_TO_CM2
    )
    edges = np.append(threshold, shower.energies_gev[shower.energies_gev > threshold][::-1])

    def entrance(root_s: FloatArray) -> FloatArray:
        return np.asarray(mediator.partial_widths(root_s)["e e"], float)

    spins = kind_row(mediator.kind, "the number of spin states").spin_states
    middle = 0.5 * (edges[1:] + edges[:-1])
    energies, weights = [], []
    for mass in masses:

        def dark(root_s: FloatArray, mass: float = float(mass)) -> FloatArray:
            return dark_sector.width_gev(root_s, mass, mediator.kind)

        resonance = Resonance(float(mass), spins, entrance, dark, dark)
        if motion is None:
            energy, weight = resonance_nodes(resonance, edges)
        else:
            energy, weight = moving_nodes(resonance, edges, motion)
        weight = electrons * weight * shower.spectrum(energy)[1]
        total = weight.sum(axis=1)
        moment = (weight * energy).sum(axis=1)
        mean = np.divide(moment, total, out=middle.copy(), where=total > 0.0)
        energies.append(np.maximum(mean + ELECTRON_MASS_GEV, mass))
        weights.append(total)
    return BosonFlux(np.array(energies), np.array(weights))
