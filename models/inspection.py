"""Physics inspection for the command line: decays and cross-sections of a mediator by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELEMENTARY_CHARGE, HBAR_GEV_S
from na64.models.decays.invisible import invisible_branching
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import InputError
from na64.models.kinds import kind_row
from na64.models.materials import Element, material
from na64.models.mediators.coupling import check_coupling
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.production.annihilation import Resonance, annihilation_cross_section
from na64.models.production.emission import emission_cross_section
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam

__all__ = [
    "DARK",
    "DecayTable",
    "decay_table",
    "production_by_annihilation",
    "production_by_emission",
    "production_by_primakoff",
]

#: name of the final state of dark matter
DARK = "dark"


@dataclass(frozen=True, slots=True)
class DecayTable:
    """Widths of a mediator over masses.

    Attributes
    ----------
    model, parameter
        Name of the mediator and of its free coupling.
    widths_gev
        Partial width per final state, and their sum as ``total``; each of shape (M,).
    branching
        Branching ratio per final state.
    lifetime_s
        hbar over the total width; infinite for a stable mediator. Shape (M,).
    """

    model: str
    parameter: str
    widths_gev: Mapping[str, FloatArray]
    branching: Mapping[str, FloatArray]
    lifetime_s: FloatArray


def _chosen(model: str | Mediator) -> Mediator:
    return mediator(model) if isinstance(model, str) else model


def decay_table(
    model: str | Mediator,
    masses_gev: ArrayLike,
    *,
    coupling: float = 1e-4,
    dark_sector: DarkSector | None = None,
) -> DecayTable:
    """Return partial widths, branching ratios and the lifetime.

    Parameters
    ----------
    model
        The mediator or its name.
    masses_gev
        Its masses, shape (M,).
    coupling
        Its free coupling, positive.
    dark_sector
        Dark matter to which it decays; None for a visible mediator.

    Raises
    ------
    InputError
        For an unknown model, a coupling that is not positive, a mass out of range.
    """
    check_coupling(coupling)
    chosen = _chosen(model)
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    widths = {
        name: np.asarray(coupling**2 * width)
        for name, width in chosen.partial_widths(masses).items()
    }
    if dark_sector is not None:
        widths[DARK] = dark_sector.width_gev(masses, masses, chosen.kind)
    total = sum_of_widths(widths, masses.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        branching = {
            name: np.where(total > 0.0, width / total, 0.0) for name, width in widths.items()
        }
        lifetime = HBAR_GEV_S / total
    return DecayTable(
        chosen.name, chosen.parameter, {**widths, "total": total}, branching, lifetime
    )


def production_by_emission(
    model: str | Mediator,
    masses_gev: ArrayLike,
    *,
    beam: Beam,
    target: str = "lead",
    x_min: float = 0.0,
    settings: SignalSettings = DEFAULT_SETTINGS,
    coupling: float = 1.0,
) -> FloatArray:
    """Return the cross-section per nucleus of l Z -> l Z X.

    Parameters
    ----------
    model
        The mediator or its name.
    masses_gev
        Its masses, shape (M,), below the beam energy.
    beam
        A beam of charged leptons.
    target
        A material of one element.
    x_min
        Smallest fraction of the beam energy that the mediator carries, 0 to 1.
    settings
        Of these the approximation, and whether there is inelastic scattering.
    coupling
        Free coupling of the mediator.

    Returns
    -------
    numpy.ndarray
        GeV^-2, shape (M,); zero where the process is closed.
    """
    chosen = _chosen(model)
    lepton, energy_gev = beam.lepton, beam.energy_gev
    if not lepton:
        raise InputError(f"emission needs a lepton beam, not {beam.particle}")
    nucleus = _nucleus(target)
    if not 0.0 <= x_min < 1.0:
        raise InputError(f"x_min must be at least 0 and below 1, is {x_min:g}")
    masses = _below(masses_gev, energy_gev)
    strength = coupling * chosen.coupling(lepton, masses**2) / ELEMENTARY_CHARGE
    at_unit = emission_cross_section(
        energy_gev,
        masses,
        nucleus,
        settings.emission(chosen.kind, lepton),
        min_energy_gev=x_min * energy_gev,
    )[0]
    return np.asarray(strength**2 * at_unit)


def _nucleus(target: str) -> Element:
    """Return the one element of a target."""
    elements = [element for element, _ in material(target).number_densities_cm3]
    if len(elements) > 1:
        raise InputError(
            f"a cross-section is per nucleus and {target} is a mixture of "
            f"{', '.join(element.symbol for element in elements)}; choose one, such as lead"
        )
    return elements[0]


def production_by_primakoff(
    model: str | Mediator,
    masses_gev: ArrayLike,
    *,
    energy_gev: float,
    target: str = "lead",
    elastic_only: bool = False,
    coupling: float = 1.0,
) -> FloatArray:
    """Return the cross-section per nucleus of gamma Z -> a Z.

    Parameters
    ----------
    model, masses_gev, target, coupling
        As in `production_by_emission`; the mediator couples to photons, with a coupling in 1/GeV.
    energy_gev
        Energy of the photon, above the masses.
    elastic_only
        Whether inelastic scattering is left out.

    Returns
    -------
    numpy.ndarray
        GeV^-2, shape (M,).

    Raises
    ------
    InputError
        For a mediator that does not couple to photons, or a value out of range.
    """
    chosen = _chosen(model)
    factor = kind_row(chosen.kind, "the production").primakoff
    if factor is None or "photons" not in chosen.partial_widths(1.0):
        raise InputError(f"model '{chosen.name}' does not couple to photons; try alp")
    at_unit = primakoff_cross_section(
        energy_gev, _below(masses_gev, energy_gev), _nucleus(target), inelastic=not elastic_only
    )[0]
    return np.asarray(coupling**2 * factor * at_unit)


def production_by_annihilation(
    model: str | Mediator,
    masses_gev: ArrayLike,
    *,
    energy_gev: float,
    coupling: float = 1e-4,
    dark_sector: DarkSector | None,
) -> FloatArray:
    """Return the cross-section per electron at rest of e+ e- -> X -> invisible.

    Parameters
    ----------
    model, masses_gev
        As in `production_by_emission`.
    energy_gev
        Energy of the positron.
    coupling
        Free coupling of the mediator; it also widens the resonance.
    dark_sector
        Dark matter to which the mediator decays; None if its neutrinos are all.

    Returns
    -------
    numpy.ndarray
        GeV^-2, shape (M,).

    Raises
    ------
    InputError
        For a mediator without a coupling to electrons or without an invisible decay.
    """
    chosen = _chosen(model)
    Beam("e+", energy_gev)
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    if "e e" not in chosen.partial_widths(1.0):
        raise InputError(f"model '{chosen.name}' does not couple to electrons")
    invisible_branching(chosen, masses, dark_sector)
    spins = kind_row(chosen.kind, "the number of spin states").spin_states

    def of_mass(mass: float) -> Resonance:
        def width(root: FloatArray, *states: str) -> FloatArray:
            """Width to some final states, to all of the Standard Model if none is named."""
            own = chosen.partial_widths(root)
            return coupling**2 * sum_of_widths(
                {state: own[state] for state in states or own if state in own}, np.shape(root)
            )

        def dark(root: FloatArray) -> FloatArray:
            if dark_sector is None:
                return np.zeros(np.shape(root))
            return dark_sector.width_gev(root, mass, chosen.kind)

        return Resonance(
            mass,
            spins,
            lambda root: width(root, "e e"),
            lambda root: width(root, "neutrinos") + dark(root),
            lambda root: width(root) + dark(root),
        )

    return np.array([annihilation_cross_section(energy_gev, of_mass(m)) for m in masses.tolist()])


def _below(masses_gev: ArrayLike, energy_gev: float) -> FloatArray:
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    heavy = masses[masses >= energy_gev]
    if heavy.size:
        raise InputError(
            f"a mass of {heavy[0]:g} GeV is not below the beam energy of {energy_gev:g} GeV"
        )
    return masses
