r"""Kinetic decoupling: does dark matter have the temperature of the plasma when it freezes out?

Elastic scattering chi f -> chi f through the mediator relaxes the temperature of dark matter,

    dT_chi/dt = -2 H T_chi + gamma (T - T_chi),
    gamma = sum_f N/(48 pi^3 m^3 T) Int dE f (1 - f) (1/8) Int_0^{4 k^2} du u A,
    A = (2 m g_D g_f)^2 L/(M^2 + u)^2

(Bringmann and Hofmann, hep-ph/0612238; Binder, Bringmann, Gustafsson and Hryczuk,
arXiv:1706.07433), with f the Fermi distribution, u = -t, N of fermions and antifermions, and L the
trace of the fermion: 4 (2 E^2 - u/2) for a charge at rest, 4 (2 k^2 + u/2) for the spin of
Majorana dark matter. Close to M = 2 m_chi the resonance makes annihilation efficient, so that a
small coupling suffices; scattering has no resonance, and falls behind the expansion early.

What that does to the abundance is estimated: the yield is integrated with the average of the
cross-section at T_chi for annihilation and at T for the inverse process. That annihilation itself
changes the temperature, because it takes particles of the resonant momenta, is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV, PLANCK_MASS_GEV
from na64.models.mediators.charges import NEUTRINOS
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.relic.boltzmann import equilibrium_yield
from na64.models.relic.dof import energy_dof, sqrt_g_star
from na64.models.relic.thermal_average import X_MAX, X_MIN, ThermalAverage

__all__ = ["KineticDecoupling", "hubble_rate", "kinetic_decoupling", "momentum_exchange_rate"]

#: current quark masses above the QCD transition, GeV (Particle Data Group)
_QUARK_MASSES_GEV: Final = {"u": 0.0022, "d": 0.0047, "s": 0.094, "c": 1.27, "b": 4.18}
_QCD_TRANSITION_GEV: Final = 0.155
_ENERGY_NODES: Final = 32
_HIGHEST_ENERGY: Final = 40.0  # in units of T, from the mass on
_MOMENTUM_NODES: Final = 8
_RATE_NODES: Final = 24
_AVERAGE_NODES: Final = 200
_STEPS: Final = 1500
_X_END: Final = 1e5
#: dark matter counts as frozen out where it is this much above equilibrium
_FROZEN_OUT: Final = 2.5


@dataclass(frozen=True, slots=True)
class KineticDecoupling:
    """When dark matter loses contact with the plasma, and what follows for the abundance.

    Attributes
    ----------
    x_kinetic
        m_chi/T at which gamma falls below H, shape (M,); `X_MIN` if it is below there already,
        `X_MAX` if it is not within the range.
    x_chemical
        m_chi/T at freeze-out, where the yield is 2.5 times that of equilibrium, shape (M,).
    abundance_ratio
        Estimate of Omega h^2 over that with the temperature of the plasma throughout, at the same
        coupling, shape (M,). The thermal y moves by about that factor.
    """

    x_kinetic: FloatArray
    x_chemical: FloatArray
    abundance_ratio: FloatArray


def hubble_rate(temperature_gev: FloatArray) -> FloatArray:
    """Return the expansion rate H = sqrt(4 pi^3 g/45) T^2/M_Pl in GeV; radiation only."""
    g = energy_dof(temperature_gev)
    return np.asarray(np.sqrt(4.0 * np.pi**3 * g / 45.0) * temperature_gev**2 / PLANCK_MASS_GEV)


def momentum_exchange_rate(
    mediator: Mediator, sector: DarkSector, mass_gev: float, temperatures_gev: ArrayLike
) -> FloatArray:
    """Return gamma(T) at unit coupling in GeV, for dark matter that moves slowly.

    Quarks scatter above the QCD transition (155 MeV); below it hadrons are left out.

    Parameters
    ----------
    mediator
        The portal, a vector.
    sector
        Species, alpha_D, mass ratio, splitting. Scattering of pseudo-Dirac states changes one
        into the other; exp(-splitting m/T) stands for its price.
    mass_gev
        m_chi.
    temperatures_gev
        T, shape (N,).

    Returns
    -------
    ndarray
        Shape (N,).
    """
    temperature = np.atleast_1d(np.asarray(temperatures_gev, float))
    leptons = ((name, lepton_mass, 2.0) for name, lepton_mass in LEPTON_MASSES_GEV.items())
    neutrinos = ((name, 0.0, 1.0) for name in NEUTRINOS)  # one helicity: half of the trace
    total = np.zeros_like(temperature)
    for fermion, fermion_mass, number in (*leptons, *neutrinos):
        total += number * _exchange(mediator, sector, mass_gev, temperature, fermion, fermion_mass)
    free = temperature > _QCD_TRANSITION_GEV
    if free.any():
        for quark, quark_mass in _QUARK_MASSES_GEV.items():
            total[free] += 6.0 * _exchange(
                mediator, sector, mass_gev, temperature[free], quark, quark_mass
            )
    dark = 4.0 * np.pi * sector.alpha_d * (2.0 * mass_gev) ** 2
    price = np.exp(-sector.splitting * mass_gev / temperature)
    return np.asarray(dark * price * total / (48.0 * np.pi**3 * mass_gev**3 * temperature))


def _exchange(
    mediator: Mediator,
    sector: DarkSector,
    mass_gev: float,
    temperature: FloatArray,
    fermion: str,
    fermion_mass: float,
) -> FloatArray:
    """Integral over energies and u of one Dirac fermion, shape (N,): axes are T, E and u."""
    points, weights = np.polynomial.legendre.leggauss(_ENERGY_NODES)
    fraction = 0.5 * (points + 1.0)  # squared: denser where the momentum is small
    t = temperature[:, None]
    energy = fermion_mass + _HIGHEST_ENERGY * t * fraction**2
    step = _HIGHEST_ENERGY * t * fraction * weights
    k2 = (energy**2 - fermion_mass**2)[:, :, None]
    points, weights = np.polynomial.legendre.leggauss(_MOMENTUM_NODES)
    u = 2.0 * k2 * (points + 1.0)
    if sector.species is DarkMatter.MAJORANA:
        trace = 4.0 * (2.0 * k2 + u / 2.0)
    else:
        trace = 4.0 * (2.0 * energy[:, :, None] ** 2 - u / 2.0)
    coupling2 = np.asarray(mediator.coupling(fermion, -u), float) ** 2
    pole2 = (sector.ratio * mass_gev) ** 2
    transfer = np.sum(2.0 * k2 * weights * u * coupling2 * trace / (pole2 + u) ** 2, axis=2)
    boltzmann = np.exp(-energy / t)
    blocked = boltzmann / (1.0 + boltzmann) ** 2  # f (1 - f)
    return np.asarray(np.sum(step * blocked * transfer / 8.0, axis=1))


def _rate_over_expansion(
    mediator: Mediator, sector: DarkSector, masses: FloatArray, x: FloatArray
) -> FloatArray:
    """gamma/H at unit coupling, shape (X, M), interpolated in ln x between a few points."""
    nodes = np.geomspace(x[0], X_MAX, _RATE_NODES)
    found = np.empty((x.size, masses.size))
    for column, mass in enumerate(masses.tolist()):
        rates = momentum_exchange_rate(mediator, sector, mass, mass / nodes)
        logarithm = np.log(np.maximum(rates / hubble_rate(mass / nodes), 1e-300))
        found[:, column] = np.exp(np.interp(np.log(x), np.log(nodes), logarithm))
    found[x > X_MAX] = 0.0  # long decoupled
    return found


def kinetic_decoupling(
    mediator: Mediator, sector: DarkSector, masses_gev: FloatArray, coupling: FloatArray
) -> KineticDecoupling:
    """Return when kinetic equilibrium ends, and an estimate of what that does to the abundance.

    Parameters
    ----------
    mediator, sector
        Portal, a vector, and dark matter.
    masses_gev, coupling
        m_chi and the portal's coupling, both of shape (M,).
    """
    log_x = np.linspace(np.log(X_MIN), np.log(_X_END), _STEPS)
    x, h = np.exp(log_x), float(log_x[1] - log_x[0])
    ratio = coupling**2 * _rate_over_expansion(mediator, sector, masses_gev, x)
    below = ratio < 1.0
    x_kinetic = x[np.argmax(below, axis=0)]
    # T_chi/T, implicit in the stiff relaxation
    relative = np.empty_like(ratio)
    now = np.ones(masses_gev.size)
    for i, strength in enumerate(ratio):
        now = (now + h * strength) / (1.0 + h * (1.0 + strength))
        relative[i] = now
    average = _interpolated(ThermalAverage(mediator, sector, masses_gev), coupling)
    expansion = np.sqrt(np.pi / 45.0) * PLANCK_MASS_GEV * masses_gev / x[:, None]
    expansion = expansion * sqrt_g_star(masses_gev / x[:, None])
    equilibrium = equilibrium_yield(x, masses_gev, sector)
    hot = average(np.repeat(x[:, None], masses_gev.size, axis=1))
    cold = average(x[:, None] / relative)
    gain = h * expansion * hot * equilibrium**2
    standard = _march(equilibrium[0], gain, h * expansion * hot)
    cooled = _march(equilibrium[0], gain, h * expansion * cold)
    frozen = standard > _FROZEN_OUT * equilibrium
    return KineticDecoupling(
        x_kinetic=np.asarray(x_kinetic),
        x_chemical=np.asarray(x[np.argmax(frozen, axis=0)]),
        abundance_ratio=np.asarray(cooled[-1] / standard[-1]),
    )


def _interpolated(
    average: ThermalAverage, coupling: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """<sigma v> at x of shape (X, M), one column per mass; a power of x beyond `X_MAX`."""
    nodes = np.geomspace(X_MIN, X_MAX, _AVERAGE_NODES)
    table = np.log(np.maximum(average(nodes, coupling), 1e-300))
    log_nodes = np.log(nodes)
    slope = (table[-1] - table[-2]) / (log_nodes[-1] - log_nodes[-2])

    def at(x: FloatArray) -> FloatArray:
        beyond = np.maximum(np.log(x) - log_nodes[-1], 0.0)
        columns = [np.interp(np.log(x[:, i]), log_nodes, table[:, i]) for i in range(x.shape[1])]
        return np.asarray(np.exp(np.stack(columns, axis=1) + slope * beyond))

    return at


def _march(start: FloatArray, gain: FloatArray, loss: FloatArray) -> FloatArray:
    """Yield at every step of Y' = gain - loss Y^2, by implicit steps; shape (X, M)."""
    found = np.empty_like(gain)
    y = start
    for i in range(gain.shape[0]):
        known = y + gain[i]
        y = 2.0 * known / (1.0 + np.sqrt(1.0 + 4.0 * loss[i] * known))
        found[i] = y
    return found
