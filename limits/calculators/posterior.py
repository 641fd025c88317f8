"""Posteriors of the signal events on a grid, nuisance parameters integrated out.

With a flat prior in nu >= 0 the posterior density is the integral over the nuisance parameters of
the likelihood times their constraint terms. It is computed on panels of nu with the nodes of
Gauss and Legendre; panels end where -2 ln of the profile likelihood has risen by equal steps of
its root, so that a long tail and a narrow peak are resolved alike.

References
----------
R. D. Cousins, Am. J. Phys. 63 (1995) 398 (flat priors for Poisson counts); J.-P. Berrut and
L. N. Trefethen, SIAM Rev. 46 (2004) 501 (interpolation between nodes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.datasets import background_fit, free_fits
from na64.limits.likelihood.compiled import SignalBatch

__all__ = ["Density", "Nodes", "make_nodes"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: rise of the negative log-likelihood at the ends of the grid; beyond them are 1e-11 of it all
_RISE = 25.0
#: doublings of the distance within which the likelihood must have fallen so far; where a billion
#: times its width is not enough, the signal can hide at the floor of its rate, and nothing ends it
_DOUBLINGS = 30
#: so many times further away it must have fallen by this much more
_FAR, _FAR_RISE = 1e6, 4.0 * _RISE
#: distances at which the profile is looked at on each side of the best fit, and their smallest
_LOOKS, _NEAREST = 24, 1e-3
#: smallest fraction of the best fit that is looked at
_SMALLEST_PART = 1e-6
#: nodes of the integral from a position to the end of its panel
_PARTIAL = 12


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where the densities of Q posteriors are computed.

    Attributes
    ----------
    edges
        Ends of the panels in signal events, increasing, shape (Q, J + 1); panels may be empty.
    nu
        Nodes within the panels, shape (Q, J, G).
    proper
        Whether the likelihood falls at large nu, shape (Q,); otherwise there is no posterior.
    converged
        Whether all fits did, shape (Q,).
    """

    edges: Array
    nu: Array
    proper: NDArray[np.bool_]
    converged: NDArray[np.bool_]


def make_nodes(batch: SignalBatch, mass: Index, counts: Array, panels: int, order: int) -> Nodes:
    """Choose the nodes of Q posteriors.

    Parameters
    ----------
    batch
        Signals.
    mass
        Index of the mass, shape (Q,).
    counts
        Main counts, shape (B, Q).
    panels
        On each side of the best fit.
    order
        Nodes in each panel.
    """
    n = len(mass)
    background = background_fit(batch, counts, mass=mass)
    free = free_fits(batch, mass, counts, background)
    converged = free.converged & background.converged
    fitter = batch.likelihood.fitter

    def rise(nu: Array, which: Index) -> Array:
        points = batch.points(mass[which], counts[:, which])
        fit = fitter.fit(points, nu, free_signal=False)
        return np.where(fit.converged, fit.value - free.value[which], np.nan)

    every = np.arange(n)
    reach = 1.0 + np.sqrt(counts.sum(axis=0))
    open_ = every
    for _ in range(_DOUBLINGS):
        value = rise(free.nu[open_] + reach[open_], open_)
        open_ = open_[value < _RISE]
        if not len(open_):
            break
        reach[open_] *= 2.0
    # a likelihood that stays at a small value, however large the signal, has no integral either
    proper = ~(rise(free.nu + _FAR * reach, every) <= _FAR_RISE)
    proper[open_] = False
    fractions = np.concatenate([[0.0], np.geomspace(_NEAREST, 1.0, _LOOKS)])
    # on the way to zero the logarithm of nu is what counts
    fractions = np.union1d(fractions, 1.0 - np.geomspace(_SMALLEST_PART, 0.5, _LOOKS // 2))
    steps = np.linspace(0.0, 1.0, panels + 1)
    edges = np.empty((n, 2 * panels + 1))
    for side, length in ((1.0, reach), (-1.0, free.nu)):
        look = free.nu[:, None] + side * length[:, None] * fractions
        values = rise(np.maximum(look, 0.0).ravel(), np.repeat(every, len(fractions)))
        root = np.sqrt(np.maximum(values.reshape(look.shape), 0.0))
        converged &= np.isfinite(root).all(axis=1)
        for i in every.tolist():
            height = np.maximum.accumulate(np.nan_to_num(root[i]))
            wanted = steps * min(float(height[-1]), np.sqrt(_RISE))
            distance = length[i] * np.interp(wanted, height, fractions)
            distance[0] = 0.0
            part = slice(panels, None) if side > 0.0 else slice(panels, None, -1)
            edges[i, part] = free.nu[i] + side * distance
    # down to zero where the likelihood has not fallen before
    reaches_zero = edges[:, 0] <= 1e-9 * (1.0 + free.nu)
    edges[reaches_zero, 0] = 0.0
    edges = np.maximum.accumulate(np.maximum(edges, 0.0), axis=1)
    x = 0.5 * (1.0 + np.polynomial.legendre.leggauss(order)[0])
    nu = edges[:, :-1, None] + np.diff(edges, axis=1)[:, :, None] * x
    return Nodes(edges, nu, proper, converged)


class Density:
    """A density that is known, up to a factor, at the nodes of panels.

    Parameters
    ----------
    edges
        Ends of the panels, shape (J + 1,).
    nu
        Nodes of Gauss and Legendre in the panels, shape (J, G).
    log_density
        Its logarithm there, shape (J, G).
    """

    def __init__(self, edges: Array, nu: Array, log_density: Array) -> None:
        self._edges, self._nu = edges, nu
        self._log = log_density - np.max(log_density)
        _, weights = np.polynomial.legendre.leggauss(nu.shape[1])
        integrals = 0.5 * np.diff(edges) * (np.exp(self._log) @ weights)
        beyond = np.concatenate([np.cumsum(integrals[::-1])[::-1], [0.0]])
        self._total, self._beyond = float(beyond[0]), beyond
        x, self._partial_weights = np.polynomial.legendre.leggauss(_PARTIAL)
        self._partial = 0.5 * (1.0 + x)
        unit, _ = np.polynomial.legendre.leggauss(nu.shape[1])
        self._unit = 0.5 * (1.0 + unit)
        apart = self._unit[:, None] - self._unit + np.eye(len(unit))
        self._barycentric = 1.0 / apart.prod(axis=1)

    def tail(self, nu: ArrayLike) -> Array:
        """Return the probability of more than nu >= 0 signal events, of the shape of nu."""
        at = np.asarray(nu, dtype=np.float64)
        flat = [self._tail(x) for x in at.ravel().tolist()]
        return np.asarray(flat, dtype=np.float64).reshape(at.shape)

    def _tail(self, nu: float) -> float:
        if nu <= self._edges[0]:
            return 1.0
        if nu >= self._edges[-1]:
            return 0.0
        panel = int(np.searchsorted(self._edges, nu, side="right")) - 1
        low, high = self._edges[panel], self._edges[panel + 1]
        return float(self._part(panel, nu, low, high) + self._beyond[panel + 1]) / self._total

    def _part(self, panel: int, nu: float, low: float, high: float) -> float:
        """Integrate from nu to the end of a panel.

        The density without its mean exponential slope is interpolated by the polynomial through
        the nodes.
        """
        log = np.maximum(self._log[panel], -700.0)
        slope = (log[-1] - log[0]) / (self._unit[-1] - self._unit[0])
        smooth = np.exp(log - log[0] - slope * (self._unit - self._unit[0]))
        start = (nu - low) / (high - low)
        at = start + (1.0 - start) * self._partial
        apart = at[:, None] - self._unit
        apart[np.abs(apart) < 1e-14] = 1e-14
        ratio = self._barycentric / apart
        value = (ratio @ smooth) / ratio.sum(axis=1)
        value = value * np.exp(log[0] + slope * (at - self._unit[0]))
        return float(0.5 * (high - nu) * (self._partial_weights @ value))

    def bracket(self, alpha: float) -> tuple[float, float]:
        """Return the panel in which the tail is alpha."""
        panel = int(np.searchsorted(-self._beyond, -alpha * self._total, side="right")) - 1
        panel = min(max(panel, 0), len(self._edges) - 2)
        return float(self._edges[panel]), float(self._edges[panel + 1])
