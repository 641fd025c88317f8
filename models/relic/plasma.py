"""The Standard Model plasma in equilibrium: pressure, energy and entropy density against T.

The sum of photons, leptons, neutrinos and strong interactions from 1 keV to 2 GeV:

* photons, e, mu, tau: ideal gases, exact in the mass;
* neutrinos: at the photon temperature above a few MeV, below it cooled by the entropy that
  e+ e- annihilation gives to the photons, (h_gamma,e/5.5)^(1/3), with the part of the heat that
  they still catch added in proportion, so that N_eff ends at 3.044 (Froustey, Pitrou and
  Volpe, arXiv:2008.01074; Bennett et al., arXiv:2012.02726);
* strong interactions below 115 MeV: an ideal gas of the hadrons of the Particle Data Group
  below 1.8 GeV (``hadrons.csv``); above 145 MeV: the fit to 2+1 flavour lattice QCD of the
  HotQCD collaboration (arXiv:1407.6387, eq. (16) and table II); the pressures are joined smoothly
  in between;
* charm and bottom: on top of the lattice pressure by their share in an ideal gas, as Borsanyi et
  al. do (arXiv:1606.07494, eq. (S18)).

At 1 GeV that agrees with the table of Borsanyi et al. (S2 there) to 0.2 %; HotQCD's fit, made below
0.4 GeV, tends to free quarks too soon, and is 3 % higher than theirs at 10 GeV. Order-alpha
corrections of the plasma (below 0.5 %) are left out. The relic density reads the table
that ``scripts/make_dof_table`` writes from this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import kve

from na64.models.arrays import FloatArray
from na64.models.constants import LEPTON_MASSES_GEV

__all__ = ["N_EFF", "PlasmaState", "plasma"]

#: effective number of neutrino species long after e+ e- annihilation
N_EFF: Final = 3.044
_TERMS: Final = 60  # of the Bessel series; the last one is below 1e-6 of the sum for any mass

_HEAVY_QUARKS: Final = ((1.29, 12), (4.18, 12))
_JOIN_GEV: Final = (0.115, 0.145)

# HotQCD, arXiv:1407.6387, table II: p/T^4 = (1 + tanh(c_t (t - t_0)))/2 N(1/t)/D(1/t), t = T/T_c
_CRITICAL_GEV: Final = 0.154
_IDEAL_QCD: Final = 95.0 * np.pi**2 / 180.0
_TANH: Final = (3.8706, 0.9761)
_NUMERATOR: Final = np.polynomial.Polynomial([_IDEAL_QCD, -8.7704, 3.9200, 0.0, 0.3419])
_DENOMINATOR: Final = np.polynomial.Polynomial([1.0, -1.2600, 0.8425, 0.0, -0.0475])


@dataclass(frozen=True, slots=True)
class PlasmaState:
    """Equilibrium state of the plasma at temperatures T.

    Attributes
    ----------
    energy
        g(T) = 30 rho/(pi^2 T^4), relativistic degrees of freedom in the energy.
    entropy
        h(T) = 45 s/(2 pi^2 T^3), relativistic degrees of freedom in the entropy.
    """

    energy: FloatArray
    entropy: FloatArray


@dataclass(frozen=True, slots=True)
class _Gas:
    """p/T^4 and (rho - 3 p)/T^4 of a part of the plasma; they add."""

    pressure: FloatArray
    anomaly: FloatArray

    def __add__(self, other: _Gas) -> _Gas:
        return _Gas(self.pressure + other.pressure, self.anomaly + other.anomaly)

    @property
    def g(self) -> FloatArray:
        return np.asarray(30.0 / np.pi**2 * (self.anomaly + 3.0 * self.pressure))

    @property
    def h(self) -> FloatArray:
        return np.asarray(45.0 / (2.0 * np.pi**2) * (self.anomaly + 4.0 * self.pressure))


def _ideal(temperature_gev: FloatArray, mass_gev: float, states: int, fermions: bool) -> _Gas:
    """Ideal gas by the series sum_k (+-1)^(k+1) K_n(k m/T), exact in the mass."""
    k = np.arange(1, _TERMS + 1)
    sign = np.where(k % 2 == 1, 1.0, -1.0) if fermions else np.ones(_TERMS)
    x = np.maximum(mass_gev / temperature_gev, 1e-6)[..., None]
    boltzmann = sign * np.exp(-k * x)
    norm = states / (2.0 * np.pi**2)
    pressure = norm * np.sum(boltzmann * (x / k) ** 2 * kve(2, k * x), axis=-1)
    anomaly = norm * np.sum(boltzmann * x**3 / k * kve(1, k * x), axis=-1)
    return _Gas(np.asarray(pressure), np.asarray(anomaly))


def _lattice(temperature_gev: FloatArray) -> _Gas:
    """HotQCD's fit with the heavy quarks; (rho - 3 p)/T^4 = T d(p/T^4)/dT."""
    t = temperature_gev / _CRITICAL_GEV
    slope, centre = _TANH
    switch = 0.5 * (1.0 + np.tanh(slope * (t - centre)))
    switch_slope = 0.5 * slope / np.cosh(slope * (t - centre)) ** 2
    upper, lower = _NUMERATOR(1.0 / t), _DENOMINATOR(1.0 / t)
    pressure = switch * upper / lower
    upper_slope = -_NUMERATOR.deriv()(1.0 / t) / t**2
    lower_slope = -_DENOMINATOR.deriv()(1.0 / t) / t**2
    anomaly = t * (
        switch_slope * upper / lower
        + switch * (upper_slope / lower - upper * lower_slope / lower**2)
    )
    light = _Gas(np.asarray(pressure), np.asarray(anomaly))
    for mass, states in _HEAVY_QUARKS:
        ideal = _ideal(temperature_gev, mass, states, fermions=True)
        share, share_slope = ideal.pressure / _IDEAL_QCD, ideal.anomaly / _IDEAL_QCD
        light += _Gas(pressure * share, anomaly * share + pressure * share_slope)
    return light


def _hadrons(temperature_gev: FloatArray) -> _Gas:
    """Ideal gas of hadrons."""
    gas = _Gas(np.zeros_like(temperature_gev), np.zeros_like(temperature_gev))
    with (resources.files("na64.models.relic") / "hadrons.csv").open(encoding="utf-8") as stream:
        rows = np.loadtxt((line for line in stream if line[0].isdigit()), delimiter=",")
    for mass, states, fermions in rows:
        gas += _ideal(temperature_gev, mass, int(states), bool(fermions))
    return gas


def _scatter(values: FloatArray, where: NDArray[np.bool_]) -> FloatArray:
    """Put values where the mask is set into an array of zeros."""
    full = np.zeros(where.shape)
    full[where] = values
    return full


def _strong(temperature_gev: FloatArray) -> _Gas:
    """Hadron gas below, lattice QCD above, joined in the pressure by a quintic smoothstep."""
    low, high = _JOIN_GEV
    cold, hot = temperature_gev < high, temperature_gev > low
    gas = _hadrons(temperature_gev[cold])
    hadrons = _Gas(_scatter(gas.pressure, cold), _scatter(gas.anomaly, cold))
    gas = _lattice(temperature_gev[hot])
    quarks = _Gas(_scatter(gas.pressure, hot), _scatter(gas.anomaly, hot))
    u = np.clip((temperature_gev - low) / (high - low), 0.0, 1.0)
    weight = u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    weight_slope = 30.0 * (u * (1.0 - u)) ** 2 * temperature_gev / (high - low)
    difference = quarks.pressure - hadrons.pressure
    return _Gas(
        hadrons.pressure + weight * difference,
        hadrons.anomaly + weight * (quarks.anomaly - hadrons.anomaly) + weight_slope * difference,
    )


def plasma(temperature_gev: ArrayLike) -> PlasmaState:
    """Return the degrees of freedom of the Standard Model plasma.

    Parameters
    ----------
    temperature_gev
        Photon temperature, shape (N,), between 1e-7 and 2 GeV.

    Returns
    -------
    PlasmaState
        g and h, shape (N,).
    """
    t = np.atleast_1d(np.asarray(temperature_gev, float))
    photons = _Gas(np.full_like(t, np.pi**2 / 45.0), np.zeros_like(t))
    gas = photons + _ideal(t, LEPTON_MASSES_GEV["e"], 4, fermions=True)
    electron_h = gas.h
    for lepton in ("mu", "tau"):
        gas += _ideal(t, LEPTON_MASSES_GEV[lepton], 4, fermions=True)
    gas += _strong(t)
    annihilated = np.clip((5.5 - electron_h) / 3.5, 0.0, 1.0)
    heated = 1.0 + ((N_EFF / 3.0) ** 0.25 - 1.0) * annihilated
    ratio = np.cbrt(electron_h / 5.5) * heated
    return PlasmaState(gas.g + 5.25 * ratio**4, gas.h + 5.25 * ratio**3)
