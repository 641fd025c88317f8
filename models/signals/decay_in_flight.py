"""Signals of particles that decay in flight: folding of a flux with decay probabilities.

The number of events is no power of the coupling: it enters the production and the lifetime. Rates
are therefore given on a grid of couplings, in between which ln(events) is interpolated in
ln(coupling).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.decays.in_flight import decay_length_cm
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import InputError
from na64.models.kinds import kind_row
from na64.models.materials import Material
from na64.models.mediators.protocol import Mediator
from na64.models.production.boson_flux import BosonFlux, emission_flux, primakoff_flux
from na64.models.production.process import Emission
from na64.models.production.tree_level import DEFAULT_GRID, TreeLevelGrid
from na64.models.signals.rates import TableStore, check_masses, checked_couplings, stored
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target

__all__ = [
    "coupling_grid",
    "fold",
    "mediator_flux",
    "total_width",
]

# Couplings per decade: where a decay length is far below the distance, ln(events) bends by
# 4 L/l (d ln g)^2/8, which shifts a limit in the coupling by less than 2e-3 at this density.
_PER_DECADE: Final = 40
# (mass, node, coupling) triples that one numpy expression holds at a time
_CHUNK: Final = 400_000


def coupling_grid(low: float, high: float, couplings: ArrayLike | None = None) -> FloatArray:
    """Return couplings, increasing, shape (C,): those given, or a logarithmic grid.

    Parameters
    ----------
    low, high
        Ends of the grid.
    couplings
        Replaces the grid; positive, increasing, at least two.

    Raises
    ------
    InputError
        For couplings that are not allowed.
    """
    if couplings is None:
        return np.geomspace(low, high, round(_PER_DECADE * np.log10(high / low)) + 1)
    return checked_couplings(couplings)


def total_width(mediator: Mediator, masses_gev: FloatArray) -> FloatArray:
    """Return the width to Standard Model states in GeV at unit coupling, shape (M,).

    Raises
    ------
    InputError
        Where the mediator is stable: below the pair threshold.
    """
    total = sum_of_widths(mediator.partial_widths(masses_gev), masses_gev.shape)
    if np.any(total <= 0.0):
        stable = masses_gev[total <= 0.0]
        raise InputError(
            f"model '{mediator.name}' does not decay at {stable[0]:g} GeV: the mass must be above "
            "the threshold of a pair (1.022 MeV for electrons)"
        )
    return total


def mediator_flux(
    beam: Beam,
    target: Target,
    mediator: Mediator,
    masses_gev: FloatArray,
    min_energy_gev: float,
    *,
    settings: SignalSettings,
    tables: TableStore | None,
    grid: TreeLevelGrid = DEFAULT_GRID,
) -> BosonFlux:
    """Return the mediators per particle on target, at unit coupling, above an energy.

    Primakoff production for mediators that couple to photons, emission by electrons and
    positrons for all others.

    Parameters
    ----------
    beam, target, mediator
        What hits what, and what comes out.
    masses_gev
        Masses, shape (M,).
    min_energy_gev
        Smallest energy of the mediator.
    settings
        Of these the approximation of the emission, and whether inelastic scattering is added.
    tables
        A store for the flux; computed if None.
    grid
        Nodes of the emission at exact tree level.

    Raises
    ------
    InputError
        For masses out of range, or a mediator that this beam does not make.
    """
    if beam.lepton != "e":
        raise InputError(
            f"this signal of decays in flight is for an e- or e+ beam, not for {beam.particle}"
        )
    check_masses(masses_gev, beam.energy_gev)
    scale: FloatArray | float = 1.0
    process: Emission | None = None
    row = kind_row(mediator.kind, "the production")
    if row.primakoff is not None and not row.from_photons:
        raise InputError(
            f"the flux of '{mediator.name}', which leptons and photons both make, is not computed: "
            f"a {mediator.kind} boson is for searches for missing energy"
        )
    if not row.from_photons:
        process = settings.emission(mediator.kind)
        couplings = [float(mediator.coupling("e", mass**2)) for mass in masses_gev]
        scale = (np.array(couplings)[:, None] / ELEMENTARY_CHARGE) ** 2
        if not np.any(scale):
            raise InputError(f"model '{mediator.name}' does not couple to the beam's electrons")

    def compute() -> dict[str, FloatArray]:
        masses, inelastic = tuple(masses_gev.tolist()), settings.inelastic
        arguments = (target.material, beam.particle, beam.energy_gev, masses, min_energy_gev)
        flux = _flux(*arguments, process, inelastic, grid)
        return {"energies_gev": flux.energies_gev, "weights": flux.weights}

    material = target.material
    key = {
        "table": "flux of bosons per particle on target",
        "elements": [
            [element.symbol, element.z, element.a, density]
            for element, density in material.number_densities_cm3
        ],
        "substances": [[asdict(substance), volume] for substance, volume in material.parts],
        "particle": beam.particle,
        "energy_gev": beam.energy_gev,
        "masses_gev": masses_gev.tolist(),
        "min_energy_gev": min_energy_gev,
        "kind": str(mediator.kind),
        "approximation": settings.production,
        "inelastic": settings.inelastic,
        "nodes": asdict(grid),
    }
    found = stored(tables, key, compute)
    return BosonFlux(found["energies_gev"], found["weights"] * scale)


@lru_cache(maxsize=8)
def _flux(
    material: Material,
    particle: str,
    energy_gev: float,
    masses_gev: tuple[float, ...],
    min_energy_gev: float,
    process: Emission | None,
    inelastic: bool,
    grid: TreeLevelGrid,
) -> BosonFlux:
    """The flux at unit coupling; remembered, because setups that differ in lengths share it."""
    arguments = (material, particle, energy_gev, masses_gev, min_energy_gev)
    if process is None:
        return primakoff_flux(*arguments, inelastic=inelastic)
    return emission_flux(*arguments, process, grid)


def fold(
    flux: BosonFlux,
    masses_gev: FloatArray,
    widths_gev: FloatArray,
    couplings: FloatArray,
    probability: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Return the bosons with a decay that counts, at each coupling.

    Parameters
    ----------
    flux
        Bosons at unit coupling; they go with the coupling squared.
    masses_gev, widths_gev
        Masses, and total widths at unit coupling, shape (M,).
    couplings
        Shape (C,).
    probability
        Probability that a decay counts, as a function of the mean decay lengths in cm.

    Returns
    -------
    ndarray
        Bosons per particle on target, shape (M, C).
    """
    counts = np.zeros((len(masses_gev), len(couplings)))
    c2 = couplings**2
    rows = max(1, _CHUNK // (flux.weights.shape[1] * len(couplings)))
    for start in range(0, len(masses_gev), rows):
        part = slice(start, start + rows)
        unit = decay_length_cm(
            flux.energies_gev[part], masses_gev[part, None], widths_gev[part, None]
        )
        weighted = flux.weights[part, :, None] * probability(unit[..., None] / c2)
        counts[part] = c2 * weighted.sum(axis=1)
    return counts
