r"""The Boltzmann equation of a thermal relic, for many masses at once.

dY/dln x = -q (Y^2 - Yeq^2), q = sqrt(pi/45) M_Pl m sqrt(g_*) <sigma v>_eff/x, with Y = n/s of all
dark states together and Omega h^2 = 2.7439e8 (m/GeV) Y at late times (entropy density today
2891 cm^-3, T = 2.7255 K). On a step on which q and Yeq are constant the solution is
exact, Y' = Yeq (Y + Yeq t)/(Yeq + Y t) with t = tanh(q Yeq h): no stiffness, and with midpoint
values second order; Richardson extrapolation of two grids makes it fourth. Once Yeq is negligible
1/Y grows by the integral of q.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import PLANCK_MASS_GEV
from na64.models.decays.hadrons import NARROW_RESONANCES_GEV
from na64.models.mediators.dark_sector import DarkSector
from na64.models.relic.dof import entropy_dof, sqrt_g_star
from na64.models.relic.thermal_average import (
    X_MAX,
    X_MIN,
    X_TAIL,
    ThermalAverage,
    equilibrium_moment,
)

__all__ = ["OMEGA_PER_YIELD", "FreezeOut", "equilibrium_yield"]

#: Omega h^2 per (m_chi/GeV) and yield today
OMEGA_PER_YIELD: Final = 2.7439e8
# from X_TAIL on the equilibrium yield is below 1e-15 of any relic
_STEPS: Final = 110
_TAIL_NODES: Final = 24
_X_END: Final = 1e6
_LAST_INTERVAL: Final = 0.05  # in ln x, for slope and curvature of the average at X_MAX
# a pole at (2 + d) m_chi is felt beyond X_MAX for d below this: exp(-d X_MAX) is 0.7 % there
_POLE_AHEAD: Final = 5.0 / X_MAX


def equilibrium_yield(x: FloatArray, masses_gev: FloatArray, sector: DarkSector) -> FloatArray:
    """Return Yeq = n_eq/s at x = m/T, shape (X, M).

    Parameters
    ----------
    x
        m_chi/T, shape (X,).
    masses_gev
        m_chi, shape (M,).
    sector
        For the number of states and the splitting.
    """
    moment = equilibrium_moment(x, sector) * np.exp(-x) * x**2
    entropy = entropy_dof(masses_gev / x[:, None])
    return np.asarray(45.0 / (4.0 * np.pi**4) * moment[:, None] / entropy)


class _Grid:
    """Midpoints in ln x of one step size, with what does not depend on the coupling."""

    def __init__(self, steps: int, average: ThermalAverage, sector: DarkSector) -> None:
        edges = np.linspace(np.log(X_MIN), np.log(X_TAIL), steps + 1)
        self.step = float(edges[1] - edges[0])
        x = np.exp(0.5 * (edges[1:] + edges[:-1]))
        self.average = average.at(x)
        self.equilibrium = equilibrium_yield(x, average.masses_gev, sector)
        self.rate = _expansion(x, average.masses_gev)

    def march(self, start: FloatArray, log_nodes: FloatArray) -> FloatArray:
        """Yield at `X_TAIL` from the yield ``start`` at `X_MIN`."""
        target = self.equilibrium
        relaxed = np.tanh(self.step * self.rate * self.average(log_nodes) * target)
        source, drain = target * relaxed, relaxed / target
        y = start
        for gain, loss in zip(source, drain, strict=True):
            y = (y + gain) / (1.0 + y * loss)
        return y


def _expansion(x: FloatArray, masses_gev: FloatArray) -> FloatArray:
    """q per <sigma v>, shape (X, M)."""
    star = sqrt_g_star(masses_gev / x[:, None])
    return np.asarray(np.sqrt(np.pi / 45.0) * PLANCK_MASS_GEV * masses_gev * star / x[:, None])


class FreezeOut:
    """Relic abundance of a portal at many masses, ready for any coupling.

    Parameters
    ----------
    average
        The annihilation.
    sector
        The dark matter; the same as that of ``average``.
    """

    def __init__(self, average: ThermalAverage, sector: DarkSector) -> None:
        self._average = average
        masses = average.masses_gev
        self._coarse = _Grid(_STEPS, average, sector)
        self._fine = _Grid(2 * _STEPS, average, sector)
        self._start = equilibrium_yield(np.array([X_MIN]), masses, sector)[0]
        points, weights = np.polynomial.legendre.leggauss(_TAIL_NODES)
        half = 0.5 * np.log(X_MAX / X_TAIL)
        tail_x = np.exp(np.log(X_TAIL) + half * (points + 1.0))
        self._tail_average = average.at(tail_x)
        self._tail_weights = half * weights[:, None] * _expansion(tail_x, masses)
        # beyond the range of the averages: see `_tail`, while g_* still falls
        half = 0.5 * np.log(_X_END / X_MAX)
        self._far = half * (points[:, None] + 1.0)  # ln(x/X_MAX)
        far_x = X_MAX * np.exp(self._far[:, 0])
        self._far_weights = half * weights[:, None] * _expansion(far_x, masses)
        self._last_average = average.at(
            X_MAX * np.exp(_LAST_INTERVAL * np.array([-2.0, -1.0, 0.0]))
        )
        poles = [sector.ratio * masses, *(0.0 * masses + pole for pole, _ in NARROW_RESONANCES_GEV)]
        ahead = np.array(poles) / masses - 2.0 - sector.splitting
        self._pole_ahead = np.any((ahead > 0.0) & (ahead < _POLE_AHEAD), axis=0)

    def log_omega(self, coupling: FloatArray, precise: bool = True) -> FloatArray:
        """Return ln(Omega h^2) at couplings of shape (M,).

        Parameters
        ----------
        coupling
            The portal's free coupling, positive.
        precise
            Extrapolate from two grids (1e-4), or take the coarse one (1 %).
        """
        nodes = self._average.log_nodes(coupling)
        log_yield = np.log(self._coarse.march(self._start, nodes))
        if precise:
            fine = np.log(self._fine.march(self._start, nodes))
            log_yield = fine + (fine - log_yield) / 3.0
        inverse = np.exp(-log_yield) + self._tail(nodes)
        return np.asarray(np.log(OMEGA_PER_YIELD * self._average.masses_gev / inverse))

    def _tail(self, nodes: FloatArray) -> FloatArray:
        """Integral of q over ln x from the last step to infinity.

        Beyond `X_MAX` the average goes on as a power of x that does not rise; where a pole is just
        ahead, as x^a exp(-d x), of which slope and curvature tell both: a = 3/2 and d = R - 2 for
        one of width nothing, where it rises before it falls.
        """
        tail = np.sum(self._tail_weights * self._tail_average(nodes), axis=0)
        first, before, last = self._last_average(nodes)
        is_open = before > 0.0  # not closed by a barrier
        values = np.where(is_open, [first, before, last], 1.0)
        earlier, slope = np.log(np.maximum(values[1:] / values[:-1], 1e-300))
        shrunk = -np.expm1(-_LAST_INTERVAL)
        fall = np.where(self._pole_ahead, np.maximum(earlier - slope, 0.0) / shrunk**2, 0.0)
        slope = np.where(self._pole_ahead, slope + fall * shrunk, np.minimum(slope, 0.0))
        growth = slope / _LAST_INTERVAL * self._far - fall * np.expm1(self._far)
        return np.asarray(tail + last * np.sum(self._far_weights * np.exp(growth), axis=0))
