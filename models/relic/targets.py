"""Relic abundance and thermal targets: the functions that the rest of the project calls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray, blocks_of
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import ComputationError, InputError, unknown_name
from na64.models.mediators.charges import ELECTRIC_CHARGES
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.vectors import VectorMediator
from na64.models.relic.analytic import analytic_log_omega, analytic_target, velocity_coefficient
from na64.models.relic.boltzmann import FreezeOut
from na64.models.relic.kinetic import kinetic_decoupling
from na64.models.relic.thermal_average import ThermalAverage

__all__ = [
    "EARLY_DECOUPLING_RATIO",
    "MASS_RANGE_GEV",
    "METHODS",
    "OMEGA_H2",
    "ThermalTarget",
    "mass_range_gev",
    "relic_abundance",
    "thermal_target",
    "validity_notes",
]

#: cold dark matter today, Planck 2018 (arXiv:1807.06209): 0.120 +- 0.001
OMEGA_H2: Final = 0.120
#: below, electrons are gone before freeze-out; above, the Z takes part
MASS_RANGE_GEV: Final = (1e-4, 10.0)
METHODS: Final = ("numeric", "analytic")
#: mass ratio below which dark matter may cool before it freezes out, so that the resonance is
#: populated less than assumed (Binder, Bringmann, Gustafsson and Hryczuk, arXiv:1706.07433)
EARLY_DECOUPLING_RATIO: Final = 2.3
#: up to this ratio that is looked at, and said if the abundance moves by so much
_DECOUPLING_LOOKED_AT: Final = 2.7
_DECOUPLING_SAID: Final = 0.10
_DECOUPLING_MASSES: Final = 3
#: kinetic mixing reaches the Z too: the width to fermions changes by 2 % at 20 GeV, 5 % at 30,
#: 17 % at 45 and 56 % at 60 GeV (g_f = epsilon e [Q + (T_3 - Q s^2) q^2/(c^2 (M_Z^2 - q^2))])
_Z_MIXING_GEV: Final = (30.0, 60.0)
# m_chi/T at freeze-out, within a factor of two for all masses here
_FREEZE_OUT: Final = 20.0
_CONVERGENCE: Final = 1e-6  # of ln Omega
_MAX_ITERATIONS: Final = 60
#: masses that are solved together: thermal averages take some 0.1 MB a mass
_MASSES_TOGETHER: Final = 512
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
    omega_h2, mediator, sector, method
        Abundance asked for, portal, dark sector, ``numeric`` or ``analytic``.
    """

    masses_gev: FloatArray
    coupling: FloatArray
    y: FloatArray
    omega_h2: float
    mediator: Mediator
    sector: DarkSector
    method: str

    @property
    def parameter(self) -> str:
        """Name of the free coupling."""
        return self.mediator.parameter

    @property
    def notes(self) -> tuple[str, ...]:
        """Caveats for this choice of parameters, sentences for people."""
        return validity_notes(self.sector, self.mediator, self.masses_gev)

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
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    notes = _decoupling_note(sector, mediator, masses)
    if mediator is not None:
        notes += _neutrino_note(mediator, masses)
        notes += _z_note(mediator, sector, masses)
    return tuple(notes)


def mass_range_gev(mediator: Mediator, sector: DarkSector) -> tuple[float, float]:
    """Return the lowest and highest m_chi for which a portal's relic abundance is computed.

    That is `MASS_RANGE_GEV`, ended by a mediator of 60 GeV if it mixes with the photon: it mixes
    with the Z as well.
    """
    low, high = MASS_RANGE_GEV
    return low, min(high, _Z_MIXING_GEV[1] / sector.ratio) if _mixes(mediator) else high


def _mixes(mediator: Mediator) -> bool:
    """Whether a mediator couples to the electric charge."""
    return isinstance(mediator, VectorMediator) and mediator.charges == ELECTRIC_CHARGES


def _z_note(mediator: Mediator, sector: DarkSector, masses: FloatArray) -> list[str]:
    if not _mixes(mediator) or not np.any(sector.ratio * masses > _Z_MIXING_GEV[0]):
        return []
    return [
        f"above a mediator mass of {_Z_MIXING_GEV[0]:g} GeV {mediator.name} mixes with the Z as "
        "well, which is left out: its width changes by 5 % at 30 GeV, 17 % at 45 GeV and 56 % at "
        "60 GeV"
    ]


def _decoupling_note(
    sector: DarkSector, mediator: Mediator | None, masses: FloatArray
) -> list[str]:
    """What early kinetic decoupling does, by an estimate at a few of the masses."""
    near = sector.ratio < EARLY_DECOUPLING_RATIO
    sizes = np.array([])
    if mediator is not None and sector.ratio < _DECOUPLING_LOOKED_AT:
        some = _sample(mediator, sector, masses)
        if some.size:
            coupling = _thermal_coupling(mediator, sector, some, OMEGA_H2)
            solved = coupling <= 1.0
            if np.any(solved):
                found = kinetic_decoupling(mediator, sector, some[solved], coupling[solved])
                sizes = found.abundance_ratio
    if not near and not np.any(np.abs(sizes - 1.0) > _DECOUPLING_SAID):
        return []
    words = f"m_mediator/m_chi = {sector.ratio:g} is close to 2"
    if near:
        words = f"m_mediator/m_chi = {sector.ratio:g} is below {EARLY_DECOUPLING_RATIO}"
    words += ": dark matter may decouple kinetically before freeze-out, "
    if not sizes.size:
        return [words + "and the abundance is uncertain, by up to a factor of several"]
    low, high = float(np.min(sizes)), float(np.max(sizes))
    between = f"{high:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return [
        f"{words}and the abundance of {sector.species} matter at a given coupling, and with it y, "
        f"is about {between} times what is told here for alpha_D = {sector.alpha_d:g} (an estimate "
        "without the heat of annihilation itself; arXiv:1706.07433 finds up to a factor of ten for "
        "other narrow resonances)"
    ]


def _sample(mediator: Mediator, sector: DarkSector, masses: FloatArray) -> FloatArray:
    """Return the ends and the middle of the masses for which there is an abundance."""
    if mediator.kind != MediatorKind.VECTOR or _has_heavy_neutrinos(mediator):
        return np.array([])
    low, high = mass_range_gev(mediator, sector)
    inside = np.sort(masses[(masses >= low) & (masses <= high)])
    places = np.linspace(0, inside.size - 1, min(_DECOUPLING_MASSES, inside.size))
    return np.asarray(inside[np.round(places).astype(np.intp)])


def _has_heavy_neutrinos(mediator: Mediator) -> bool:
    return isinstance(mediator, VectorMediator) and mediator.heavy_neutrinos is not None


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


def _checked(
    mediator: Mediator, sector: DarkSector, masses_gev: ArrayLike, method: str
) -> FloatArray:
    """Return the masses; what is not allowed is refused."""
    if method not in METHODS:
        raise unknown_name("relic method", method, METHODS)
    if mediator.kind != MediatorKind.VECTOR:
        raise InputError(
            f"the relic abundance needs a vector mediator, and {mediator.name} is {mediator.kind}"
        )
    if _has_heavy_neutrinos(mediator):
        # their masses follow the mediator's, so that widths off the mass shell are not known
        raise InputError(
            f"no relic abundance for {mediator.name}: it decays to heavy neutrinos, whose "
            "own decays and masses off the mass shell are not modelled"
        )
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    low, high = mass_range_gev(mediator, sector)
    if masses.ndim != 1 or masses.size == 0:
        raise InputError("dark-matter masses must be a number or a list of numbers")
    rounding = 1e-9  # a mass may be a mediator's mass divided by the ratio
    bad = ~((masses >= low * (1.0 - rounding)) & (masses <= high * (1.0 + rounding)))
    if np.any(bad):
        why = (
            "" if high == MASS_RANGE_GEV[1] else " (up to a mediator of 60 GeV: the Z is not in it)"
        )
        raise InputError(
            f"dark-matter mass must be in {low:g}-{high:g} GeV for a relic abundance{why}, is "
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
        m_chi (lighter state), shape (M,), within `mass_range_gev`.
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
    masses = _checked(mediator, sector, masses_gev, method)
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
    found = np.empty(masses.shape)
    for block in blocks_of(len(masses), _MASSES_TOGETHER):
        freeze_out = FreezeOut(ThermalAverage(mediator, sector, masses[block]), sector)
        found[block] = np.exp(freeze_out.log_omega(couplings[block]))
    return found


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
    those are worth 1-5 % (R(s), QCD transition), more in the charm region. Elastic scattering is
    assumed to keep dark matter at the temperature of the plasma until freeze-out; where it does
    not, a note says by how much (`na64.models.relic.kinetic`).
    """
    masses = _checked(mediator, sector, masses_gev, method)
    if not (math.isfinite(omega_h2) and omega_h2 > 0.0):
        raise InputError(f"relic abundance must be positive and finite, is {omega_h2}")
    if method == "numeric":
        blocks = [masses[block] for block in blocks_of(len(masses), _MASSES_TOGETHER)]
        coupling = np.concatenate(
            [_thermal_coupling(mediator, sector, some, omega_h2) for some in blocks]
        )
    else:
        coupling = analytic_target(mediator, sector, masses, omega_h2)
    coupling = np.where(coupling <= 1.0, coupling, np.inf)
    return ThermalTarget(
        masses_gev=masses,
        coupling=coupling,
        y=np.asarray(coupling**2 * sector.alpha_d / sector.ratio**4),
        omega_h2=omega_h2,
        mediator=mediator,
        sector=sector,
        method=method,
    )


def _thermal_coupling(
    mediator: Mediator, sector: DarkSector, masses: FloatArray, omega_h2: float
) -> FloatArray:
    start = analytic_target(mediator, sector, masses, omega_h2)
    freeze_out = FreezeOut(ThermalAverage(mediator, sector, masses), sector)
    return _solve(freeze_out, np.where(np.isfinite(start), start, 1e-4), omega_h2)


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
