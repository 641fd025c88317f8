"""Relic abundance and thermal targets: the functions that the rest of the project calls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import ComputationError, InputError, unknown_name
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.vectors import VectorMediator
from na64.models.relic.analytic import analytic_log_omega, analytic_target, velocity_coefficient
from na64.models.relic.boltzmann import FreezeOut
from na64.models.relic.thermal_average import ThermalAverage

__all__ = [
    "EARLY_DECOUPLING_RATIO",
    "MASS_RANGE_GEV",
    "METHODS",
    "OMEGA_H2",
    "ThermalTarget",
    "relic_abundance",
    "thermal_target",
    "validity_notes",
]

#: cold dark matter today, Planck 2018 (arXiv:1807.06209): 0.120 +- 0.001
OMEGA_H2: Final = 0.120
#: below, electrons are gone before freeze-out; above, annihilation reaches the charmonium
#: resonances, which R(s) leaves out
MASS_RANGE_GEV: Final = (1e-4, 1.2)
METHODS: Final = ("numeric", "analytic")
#: mass ratio below which dark matter cools before it freezes out, so that the resonance is
#: populated less than assumed (Binder, Bringmann, Gustafsson and Hryczuk, arXiv:1706.07433)
EARLY_DECOUPLING_RATIO: Final = 2.3
# m_chi/T at freeze-out, within a factor of two for all masses here
_FREEZE_OUT: Final = 20.0
_CONVERGENCE: Final = 1e-6  # of ln Omega
_MAX_ITERATIONS: Final = 60
# an abundance smaller than wanted at this coupling, or larger at coupling 1, is no solution
_SMALLEST_COUPLING: Final = 1e-14


@dataclass(frozen=True, slots=True)
class ThermalTarget:
    """Couplings at which a portal gives the observed abundance.

    Attributes
    ----------
    masses_gev
        m_chi, shape (M,).
    coupling
        The portal's free coupling (``parameter``); infinite where none below 1 suffices.
    y
        coupling^2 alpha_D/ratio^4, the variable y = epsilon^2 alpha_D (m_chi/m_A')^4 for the
        dark photon; infinite with the coupling.
    omega_h2, parameter, sector, method
        Abundance asked for, name of the free coupling, dark sector, ``numeric`` or ``analytic``.
    notes
        Caveats for this choice of parameters, sentences for people.
    """

    masses_gev: FloatArray
    coupling: FloatArray
    y: FloatArray
    omega_h2: float
    parameter: str
    sector: DarkSector
    method: str
    notes: tuple[str, ...]

    @property
    def status(self) -> tuple[str, ...]:
        """Per mass ``ok``, or ``no-solution`` where no coupling below 1 suffices."""
        return tuple("ok" if math.isfinite(c) else "no-solution" for c in self.coupling)

    @property
    def mediator_masses_gev(self) -> FloatArray:
        """Masses of the mediator, ratio m_chi."""
        return np.asarray(self.sector.ratio * self.masses_gev)


def validity_notes(
    sector: DarkSector, mediator: Mediator | None = None, masses_gev: ArrayLike = ()
) -> tuple[str, ...]:
    """Return what a reader of a relic abundance must know about these parameters.

    Parameters
    ----------
    sector
        The dark sector.
    mediator, masses_gev
        The portal and m_chi, shape (M,), for what depends on them.

    References
    ----------
    Escudero, arXiv:1812.05605 (dark matter of a few MeV that annihilates to neutrinos, and their
    temperature). From which mass on it matters is our estimate.
    """
    notes = []
    if sector.ratio < EARLY_DECOUPLING_RATIO:
        notes.append(
            f"m_mediator/m_chi = {sector.ratio:g} is below {EARLY_DECOUPLING_RATIO}: dark matter "
            "may decouple kinetically before freeze-out, and the abundance is uncertain by a "
            "factor of order one"
        )
    if mediator is not None:
        notes += _neutrino_note(mediator, np.atleast_1d(np.asarray(masses_gev, float)))
    return tuple(notes)


def _neutrino_note(mediator: Mediator, masses: FloatArray) -> list[str]:
    """Neutrinos are colder than photons once electrons annihilate, at T of the electron mass."""
    widths = mediator.partial_widths(2.0 * masses)  # annihilation at rest
    total = sum_of_widths(widths, masses.shape)
    mostly = np.asarray(widths.get("neutrinos", 0.0), float) > 0.5 * total
    edge = _FREEZE_OUT * ELECTRON_MASS_GEV
    if not np.any(mostly & (masses < edge)):
        return []
    return [
        f"below m_chi of about {1e3 * edge:.0f} MeV dark matter freezes out after neutrinos have "
        f"decoupled and while electrons heat the photons alone: it annihilates mostly to neutrinos "
        f"through {mediator.name}, and follows their temperature, not that of the photons which is "
        "used here (our estimate of where; see arXiv:1812.05605)"
    ]


def _checked(mediator: Mediator, masses_gev: ArrayLike, method: str) -> FloatArray:
    """Return the masses; what is not allowed is refused."""
    if method not in METHODS:
        raise unknown_name("relic method", method, METHODS)
    if mediator.kind != MediatorKind.VECTOR:
        raise InputError(
            f"the relic abundance needs a vector mediator, and {mediator.name} is {mediator.kind}"
        )
    if isinstance(mediator, VectorMediator) and mediator.heavy_neutrinos is not None:
        # their masses follow the mediator's, so that widths off the mass shell are not known
        raise InputError(
            f"no relic abundance for {mediator.name}: it decays to heavy neutrinos, whose "
            "own decays and masses off the mass shell are not modelled"
        )
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    low, high = MASS_RANGE_GEV
    if masses.ndim != 1 or masses.size == 0:
        raise InputError("dark-matter masses must be a number or a list of numbers")
    rounding = 1e-9  # a mass may be a mediator's mass divided by the ratio
    bad = ~((masses >= low * (1.0 - rounding)) & (masses <= high * (1.0 + rounding)))
    if np.any(bad):
        raise InputError(
            f"dark-matter mass must be in {low:g}-{high:g} GeV for a relic abundance, is "
            f"{masses[bad][0]:g} GeV"
        )
    return masses


def relic_abundance(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: ArrayLike,
    coupling: ArrayLike,
    *,
    method: str = "numeric",
) -> FloatArray:
    """Return Omega h^2 of dark matter that freezes out through a vector portal.

    Parameters
    ----------
    mediator
        The portal, a vector: its widths to Standard Model states at unit coupling.
    sector
        Species, alpha_D, mass ratio, splitting.
    masses_gev
        m_chi (lighter state), shape (M,), within `MASS_RANGE_GEV`.
    coupling
        Free coupling of the portal, a number or shape (M,), between 0 and 1.
    method
        ``numeric`` (full thermal average and Boltzmann equation) or ``analytic``.

    Returns
    -------
    ndarray
        Omega h^2, shape (M,).

    Raises
    ------
    InputError
        For a mass, coupling, kind of mediator or method that is not allowed.
    """
    masses = _checked(mediator, masses_gev, method)
    try:
        couplings = np.broadcast_to(np.asarray(coupling, float), masses.shape)
    except ValueError:
        raise InputError("couplings must be one number, or one per mass") from None
    if not np.all((couplings > 0.0) & (couplings <= 1.0)):
        raise InputError("coupling must be above 0 and at most 1")
    if method == "analytic":
        sigma_0 = couplings**2 * velocity_coefficient(mediator, sector, masses)
        if not np.all(sigma_0 > 0.0):
            raise InputError("annihilation at rest is closed: use method 'numeric'")
        return np.exp(analytic_log_omega(sigma_0, sector, masses))
    freeze_out = FreezeOut(ThermalAverage(mediator, sector, masses), sector)
    return np.asarray(np.exp(freeze_out.log_omega(couplings)))


def thermal_target(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: ArrayLike,
    *,
    omega_h2: float = OMEGA_H2,
    method: str = "numeric",
) -> ThermalTarget:
    """Return the couplings at which dark matter has the observed abundance.

    Parameters
    ----------
    mediator, sector, masses_gev, method
        As in `relic_abundance`.
    omega_h2
        Wanted abundance.

    Raises
    ------
    InputError
        For a mass, abundance, kind of mediator or method that is not allowed.
    ComputationError
        If the search for the coupling does not converge.

    Notes
    -----
    The relative error of the coupling is below 1e-4 for given widths and degrees of freedom;
    those are worth 1-5 % (R(s), QCD transition). Elastic scattering is assumed to keep dark
    matter at the temperature of the plasma until freeze-out.
    """
    masses = _checked(mediator, masses_gev, method)
    if not (math.isfinite(omega_h2) and omega_h2 > 0.0):
        raise InputError(f"relic abundance must be positive and finite, is {omega_h2}")
    start = analytic_target(mediator, sector, masses, omega_h2)
    coupling = start
    if method == "numeric":
        freeze_out = FreezeOut(ThermalAverage(mediator, sector, masses), sector)
        coupling = _solve(freeze_out, np.where(np.isfinite(start), start, 1e-4), omega_h2)
    coupling = np.where(coupling <= 1.0, coupling, np.inf)
    return ThermalTarget(
        masses_gev=masses,
        coupling=coupling,
        y=np.asarray(coupling**2 * sector.alpha_d / sector.ratio**4),
        omega_h2=omega_h2,
        parameter=mediator.parameter,
        sector=sector,
        method=method,
        notes=validity_notes(sector, mediator, masses),
    )


def _solve(freeze_out: FreezeOut, start: FloatArray, omega_h2: float) -> FloatArray:
    """Solve ln Omega(ln g) = ln omega_h2 by a secant kept inside a bracket.

    Omega falls with the coupling; infinite where it is still too large at coupling 1.
    """
    wanted = math.log(omega_h2)
    low = np.full_like(start, math.log(_SMALLEST_COUPLING))
    high = np.zeros_like(start)
    enough = freeze_out.log_omega(np.ones_like(start), precise=False) <= wanted
    z = np.clip(np.log(start), low, high)
    slope = np.full_like(start, -2.0)
    previous_z, previous_f = z, np.zeros_like(z)
    for iteration in range(_MAX_ITERATIONS):
        f = freeze_out.log_omega(np.exp(z)) - wanted
        low, high = np.where(f > 0.0, z, low), np.where(f > 0.0, high, z)
        if iteration:
            moved = z != previous_z
            secant = (f - previous_f) / np.where(moved, z - previous_z, 1.0)
            slope = np.where(moved & (secant < -0.05), secant, slope)
        previous_z, previous_f = z, f
        step = np.where(np.abs(f) < _CONVERGENCE, 0.0, -f / slope)
        proposal = z + step
        outside = (proposal <= low) | (proposal >= high)
        z = np.where(outside & (step != 0.0), 0.5 * (low + high), proposal)
        if np.all((np.abs(f) < _CONVERGENCE) | ~enough | (high - low < _CONVERGENCE)):
            return np.asarray(np.where(enough, np.exp(previous_z), np.inf))
    raise ComputationError("the search for the thermal coupling did not converge")
