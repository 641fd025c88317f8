"""The likelihood as a function of the signal strength, and intervals from its rise.

The profile t(mu) = -2 ln [max_theta L(mu, theta) / max_{mu' >= 0, theta} L(mu', theta)] is measured
from the best *physical* strength: no fit has a negative signal. An interval holds the strengths at
which t is below a threshold:

* two-sided: the quantile of a chi-squared distribution with one degree of freedom. Where the best
  fit is zero, or an edge would be negative, the interval begins at zero; it then covers more often
  than it says (for a true strength of zero by half of the rest: 95 % instead of 90 %).
* upper: from zero to where t, right of the best fit, is the square of the normal quantile.

Both use the distributions of large samples: for few events `feldman-cousins` and `exact` cover,
these are what a fit's errors are compared with. A likelihood with several minima gives several
intervals; they are all found.

References
----------
S. S. Wilks, Ann. Math. Stat. 9 (1938) 60; W. A. Rolke, A. M. Lopez and J. Conrad, Nucl. Instrum.
Meth. A 551 (2005) 493, physics/0403059 (profile, bounded); F. James and M. Roos, Comput. Phys.
Commun. 10 (1975) 343 (MINOS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from na64.limits.calculators.datasets import impossible_masses, observed_fits
from na64.limits.calculators.limits import observed_counts
from na64.limits.calculators.roots import BRACKETED, find_roots
from na64.limits.calculators.status import Regions
from na64.limits.likelihood.compiled import SignalBatch
from na64.models.errors import ComputationError, InputError

__all__ = ["LEVELS", "LikelihoodInterval", "LikelihoodScan", "likelihood_scan"]

Array = NDArray[np.float64]

#: confidence levels unless told otherwise
LEVELS: Final = (0.683, 0.9, 0.95)
#: nodes within the range that is shown, and from zero to its upper end
_NODES, _FAR_NODES = 49, 25
#: how far above the largest threshold the range goes
_ABOVE = 1.5
#: a minimum this close above a threshold is looked at more closely, with so many nodes
_CLOSE, _FINE = 1.0, 17
#: doublings of the distance from the best fit within which an upper edge is looked for
_DOUBLINGS = 60
#: relative tolerance of an edge
_TOLERANCE = 1e-9
#: a value this far below the best fit shows another, deeper minimum
_DEEPER = 1e-6


@dataclass(frozen=True, slots=True)
class LikelihoodInterval:
    """The strengths at which the profile is below a threshold.

    Attributes
    ----------
    kind
        ``two-sided`` or ``upper``.
    confidence_level
        For large samples, between 0 and 1.
    threshold
        Of -2 ln of the likelihood ratio.
    allowed
        Disjoint intervals (low, high) of the strength, lowest first; high is None where the
        likelihood does not fall below the threshold at any strength.
    """

    kind: str
    confidence_level: float
    threshold: float
    allowed: Regions


@dataclass(frozen=True, slots=True)
class LikelihoodScan:
    """A profile of the likelihood.

    Attributes
    ----------
    best_fit
        Best strength, not negative.
    mu
        Strengths, increasing, shape (N,).
    rise
        -2 ln of the likelihood ratio to the best fit, NaN where a fit failed, shape (N,).
    intervals
        Per confidence level the two-sided one and then the upper one.
    """

    best_fit: float
    mu: Array
    rise: Array
    intervals: tuple[LikelihoodInterval, ...]


def likelihood_scan(
    batch: SignalBatch,
    *,
    levels: Sequence[float] = LEVELS,
    mu: ArrayLike | None = None,
    counts: ArrayLike | None = None,
) -> LikelihoodScan:
    """Scan the profile likelihood in the signal strength.

    Parameters
    ----------
    batch
        One signal.
    levels
        Confidence levels, each between 0 and 1.
    mu
        Strengths to scan, not negative, shape (N,); by default those at which the profile is up
        to one and a half times the largest threshold. Intervals do not depend on it.
    counts
        Counts per bin instead of the workspace's, shape (B,).

    Returns
    -------
    LikelihoodScan

    Raises
    ------
    InputError
        For more than one signal, a signal without events, and levels, strengths or counts that
        are not allowed.
    ComputationError
        If the fit of the strength does not converge, or no strength is possible.
    """
    if not levels or not all(0.0 < level < 1.0 for level in levels):
        raise InputError("confidence levels must be between 0 and 1, and at least one")
    asked = None if mu is None else np.unique(np.asarray(mu, dtype=np.float64).ravel())
    if asked is not None and not (np.all(np.isfinite(asked)) and np.all(asked >= 0.0)):
        raise InputError("signal strengths must be finite and not negative")
    profile = _Profile(batch, observed_counts(batch, counts))
    largest = max(float(special.chdtri(1.0, 1.0 - level)) for level in levels)
    nu, rise = profile.explore(_ABOVE * largest)
    intervals = []
    for level in levels:
        two_sided = float(special.chdtri(1.0, 1.0 - level))
        upper = float(special.ndtri(level)) ** 2 if level > 0.5 else 0.0
        allowed = profile.allowed(nu, rise, two_sided)
        intervals.append(LikelihoodInterval("two-sided", level, two_sided, allowed))
        edge = profile.allowed(nu, rise, upper)[-1][1]
        intervals.append(LikelihoodInterval("upper", level, upper, ((0.0, edge),)))
    events = float(batch.events[0])
    if asked is None:
        shown = nu[rise <= _ABOVE * largest]
        inside = (nu >= shown.min()) & (nu <= shown.max())
        strengths, values = nu[inside] / events, rise[inside]
    else:
        strengths, values = asked, profile.at(asked * events)
    return LikelihoodScan(
        best_fit=profile.best / events,
        mu=strengths,
        rise=np.where(np.isnan(values), np.nan, np.maximum(values, 0.0)),
        intervals=tuple(
            LikelihoodInterval(
                found.kind,
                found.confidence_level,
                found.threshold,
                tuple((a / events, None if b is None else b / events) for a, b in found.allowed),
            )
            for found in intervals
        ),
    )


class _Profile:
    """-2 ln of the likelihood ratio of one signal, in signal events."""

    def __init__(self, batch: SignalBatch, counts: Array) -> None:
        if len(batch) != 1:
            raise InputError(f"the likelihood is scanned for one signal, not for {len(batch)}")
        if not batch.events[0] > 0.0:
            raise InputError("no signal event is expected at any strength: nothing to scan")
        if problem := impossible_masses(batch, counts)[0]:
            raise ComputationError(problem)
        self._batch, self._counts = batch, counts
        _, _, free = observed_fits(batch, counts)
        if not free.converged[0]:
            raise ComputationError("the fit of the signal strength did not converge")
        #: best signal events
        self.best = float(free.nu[0])
        self._minimum = float(free.value[0])

    def at(self, nu: Array) -> Array:
        """Return the rise at signal events, NaN where a fit failed."""
        points = self._batch.points(np.zeros(len(nu), dtype=np.intp), self._counts[:, None])
        fitter = self._batch.likelihood.fitter
        fit = fitter.fit(points, nu, free_signal=False)
        value = np.where(fit.converged, 2.0 * (fit.value - self._minimum), np.nan)
        deepest = int(np.argmin(np.where(np.isnan(value), np.inf, value))) if len(nu) else 0
        if len(nu) and value[deepest] < -_DEEPER:
            one = np.array([deepest])
            better = fitter.fit(
                points.take(one), nu[one], free_signal=True, start=fit.theta[:, one]
            )
            if not better.converged[0]:
                raise ComputationError("the fit of the signal strength did not converge")
            self.best, self._minimum = float(better.nu[0]), float(better.value[0])
            value = np.where(fit.converged, 2.0 * (fit.value - self._minimum), np.nan)
        return value

    def explore(self, height: float) -> tuple[Array, Array]:
        """Return nodes from zero to where the rise is above `height`, and the rise there."""
        while True:
            best = self.best
            nu, rise = self._explore(height)
            if self.best == best:
                return nu, rise

    def _explore(self, height: float) -> tuple[Array, Array]:
        best = self.best
        reach = 1.0 + np.sqrt(best)
        for _ in range(_DOUBLINGS):
            if not self.at(np.array([best + reach]))[0] <= height:
                break
            reach *= 2.0
        coarse = best + reach * np.linspace(0.0, 1.0, _FAR_NODES)
        top = self._first_above(coarse, height)
        down = np.linspace(best, 0.0, _FAR_NODES) if best > 0.0 else np.zeros(1)
        bottom = self._first_above(down, height)
        around = [np.linspace(bottom, best, _NODES // 2), np.linspace(best, top, _NODES)]
        nu = np.unique(np.concatenate([*around, np.linspace(0.0, top, _FAR_NODES)]))
        rise = self.at(nu)
        # a dip between nodes: look closely around local minima that may reach a threshold
        inner = np.arange(1, len(nu) - 1)
        dips = inner[(rise[inner] <= rise[inner - 1]) & (rise[inner] <= rise[inner + 1])]
        dips = dips[rise[dips] < height + _CLOSE]
        if len(dips):
            fine = np.concatenate([np.linspace(nu[i - 1], nu[i + 1], _FINE) for i in dips])
            more = np.setdiff1d(fine, nu)
            nu, rise = np.concatenate([nu, more]), np.concatenate([rise, self.at(more)])
        order = np.argsort(nu)
        return nu[order], rise[order]

    def _first_above(self, nu: Array, height: float) -> float:
        """Return the first of the positions from which on the rise is above `height`."""
        inside = np.flatnonzero(self.at(nu) <= height)
        last = int(inside.max(initial=0))
        return float(nu[min(last + 1, len(nu) - 1)])

    def allowed(self, nu: Array, rise: Array, threshold: float) -> Regions:
        """Return the intervals in which the rise is at most `threshold`."""
        good = np.isfinite(rise)
        x, below = nu[good], rise[good] <= threshold
        at_best = np.searchsorted(x, self.best)
        if at_best == len(x) or x[at_best] != self.best:
            x, below = np.insert(x, at_best, self.best), np.insert(below, at_best, True)
        below[at_best] = True
        steps = np.flatnonzero(below[1:] != below[:-1])
        edges = self._edges(x[steps], x[steps + 1], below[steps], threshold)
        lows = [0.0] if below[0] else []
        highs: list[float | None] = []
        for edge, falls in zip(edges.tolist(), below[steps].tolist(), strict=True):
            (highs if falls else lows).append(edge)
        if below[-1]:
            highs.append(None)
        return tuple(zip(lows, highs, strict=True))

    def _edges(self, low: Array, high: Array, inside: NDArray[np.bool_], level: float) -> Array:
        """Return where the rise crosses `level` between two nodes, inside first or outside."""
        if not len(low):
            return low
        sign = np.where(inside, 1.0, -1.0)

        def excess(x: Array, which: NDArray[np.intp]) -> Array:
            position = low[which] + x * (high - low)[which]
            return sign[which] * (level - self.at(position))

        ends = np.zeros(len(low)), np.ones(len(low))
        found = find_roots(excess, *ends, tolerance=_TOLERANCE, floor=0.0, ceiling=1.0)
        # an edge at a node itself: the bracket has no sign there
        x = np.where(found.state == BRACKETED, found.x, np.where(inside, 0.0, 1.0))
        return low + x * (high - low)
