"""Minima in the neighbourhood of a known one, with some variables held: a batch of Newton fits.

The variables are the nuisance parameters and, last, the signal events nu. A global fit has its own
minimiser (`na64.limits.likelihood.fitting`); from there the minima with one variable moved by a
standard deviation are close, so that Newton's method with the full Hessian needs a few steps. A
step is accepted if the likelihood grows; if not, the diagonal is raised (Levenberg, Marquardt).
Where the steps end at a saddle point it is left along its negative direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.model import Constraint

__all__ = ["LocalMinimiser", "Minima"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Newton decrement at which a point is at its minimum; the last step is still made
_TOLERANCE = 1e-10
_MAX_ITERATIONS = 60
#: elements of the Hessians that are worked on together
_TOGETHER = 1_000_000
#: fraction of the diagonal that is always added: directions in which nothing changes are singular
_FLOOR = 1e-11
#: error of a likelihood per count
_ROUNDING = 4e-15
_FIRST, _LARGEST = 1e-3, 1e9
#: how often, and how far in standard deviations, saddle points are left
_ESCAPES, _KICK = 4, 0.5
#: a variable this close to its bound, relative, is at it
_AT_BOUND = 1e-9


@dataclass(frozen=True, slots=True)
class Minima:
    """Minima of N points.

    Attributes
    ----------
    x
        Nuisance parameters and signal events, shape (P + 1, N).
    value
        Negative log-likelihood over that of the saturated model, shape (N,).
    converged
        Whether the point is a minimum, shape (N,).
    """

    x: Array
    value: Array
    converged: Flags


class LocalMinimiser:
    """Fits of one likelihood that start next to their minimum.

    Parameters
    ----------
    likelihood
        The compiled workspace.

    Attributes
    ----------
    lower, upper
        Bounds of the P + 1 variables; signal events are not negative.
    """

    def __init__(self, likelihood: CompiledLikelihood) -> None:
        fitter = likelihood.fitter
        self.evaluator = fitter.problem(True).evaluator
        self.lower = np.append(fitter.lower, 0.0)
        self.upper = np.append(fitter.upper, np.inf)
        self.n_variables = len(self.lower)
        parameters = likelihood.model.parameters
        self._counted = [p.constraint is Constraint.POISSON for p in parameters]

    def derivatives(self, x: Array, points: Points) -> tuple[Array, Array, Array]:
        """Return value (N,), gradient (P + 1, N) and full Hessian (N, P + 1, P + 1)."""
        found = self.evaluator.derivatives(x[:-1], x[-1], points)
        hessian = np.zeros((x.shape[1], self.n_variables, self.n_variables))
        rows, columns = self.evaluator.rows, self.evaluator.columns
        # the engine may have work elements of its own behind those of the Hessian
        elements = found.hessian[: len(rows)].T
        hessian[:, rows, columns] = elements
        hessian[:, columns, rows] = elements
        return found.value, found.gradient, hessian

    def at_bounds(self, x: Array) -> tuple[Flags, Flags]:
        """Return which variables are at their lower and at their upper bound, (P + 1, N) each."""
        lower, upper = self.lower[:, None], self.upper[:, None]
        low = x <= lower + _AT_BOUND * np.maximum(np.abs(lower), 1.0)
        with np.errstate(invalid="ignore"):
            high = x >= upper - _AT_BOUND * np.maximum(np.abs(upper), 1.0)
        # a factor of 1e-10 is at its bound of 1e-10 and one of 1e-9 is not
        low &= (lower <= 0.0) | (x <= lower * (1.0 + 1e-6))
        return low, high & np.isfinite(upper)

    def minimise(self, points: Points, x: Array, held: Flags) -> Minima:
        """Minimise over the variables that are not held.

        Parameters
        ----------
        points
            Data and signal of N points.
        x
            Where to begin; held variables keep their values, shape (P + 1, N).
        held
            Which variables do not move, shape (P + 1, N).
        """
        n = x.shape[1]
        size = max(1, min(256, _TOGETHER // self.n_variables**2))
        found = Minima(np.array(x), np.empty(n), np.zeros(n, dtype=bool))
        for first in range(0, n, size):
            part = slice(first, first + size)
            some, fixed = points.take(part), held[:, part]
            done = self._newton(some, found.x[:, part], fixed)
            for _ in range(_ESCAPES):
                left = np.flatnonzero(~done[2])
                if not len(left):
                    break
                kicked = self._escape(some.take(left), done[0][:, left], fixed[:, left])
                again = self._newton(some.take(left), kicked, fixed[:, left])
                better = again[2] | (again[1] < done[1][left])
                for old, new in zip(done, again, strict=True):
                    old[..., left[better]] = new[..., better]
            found.x[:, part], found.value[part], found.converged[part] = done
        return found

    def _escape(self, points: Points, x: Array, held: Flags) -> Array:
        """Leave saddle points along the direction in which the likelihood grows fastest."""
        answer = np.array(x)
        low, high = self.at_bounds(x)
        hessian = self.derivatives(x, points)[2]
        for i in range(x.shape[1]):
            at = np.flatnonzero(~(held | low | high)[:, i])
            if not len(at) or not np.all(np.isfinite(hessian[i])):
                continue
            part = hessian[i][np.ix_(at, at)]
            diagonal = np.abs(np.diagonal(part))
            scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
            direction = np.linalg.eigh(part / np.outer(scale, scale))[1][:, 0] / scale
            both = np.repeat(x[:, [i]], 2, axis=1)
            both[at] += _KICK * direction[:, None] * np.array([-1.0, 1.0])
            both = np.clip(both, self.lower[:, None], self.upper[:, None])
            both[held[:, i]] = x[held[:, i], i][:, None]
            value = self.derivatives(both, points.take(np.array([i, i])))[0]
            answer[:, i] = both[:, int(np.argmin(np.where(np.isfinite(value), value, np.inf)))]
        return answer

    def _newton(self, points: Points, x: Array, held: Flags) -> tuple[Array, Array, Flags]:
        lower = np.where(held, x, self.lower[:, None])
        upper = np.where(held, x, self.upper[:, None])
        x = np.clip(x, lower, upper)
        n = x.shape[1]
        value, gradient, hessian = self.derivatives(x, points)
        seen = points.counts.sum(axis=0) + points.auxiliary[self._counted].sum(axis=0)
        rounding = 1e-12 + _ROUNDING * seen
        damping = np.zeros(n)
        done, stuck = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        for _ in range(_MAX_ITERATIONS):
            todo = np.flatnonzero(~(done | stuck))
            if not len(todo):
                break
            some = points.take(todo)
            now = (x[:, todo], gradient[:, todo], hessian[todo])
            free = _free(*now[:2], lower[:, todo], upper[:, todo])
            step = _step(*now[1:], free, damping[todo])
            trial = np.clip(now[0] + step, lower[:, todo], upper[:, todo])
            decrement = -np.sum(now[1] * (trial - now[0]), axis=0)
            new = self.derivatives(trial, some)
            slack = rounding[todo] + 1e-12 * np.abs(value[todo])
            better = np.isfinite(new[0]) & (new[0] <= value[todo] + slack) & (decrement > -slack)
            moved = todo[better]
            x[:, moved], value[moved] = trial[:, better], new[0][better]
            gradient[:, moved], hessian[moved] = new[1][:, better], new[2][better]
            # at the last digit a step may go uphill: it is not made, and the point is done
            ended = (np.abs(decrement) < _TOLERANCE) & (damping[todo] <= _FIRST)
            done[todo[ended]] = True
            easier = np.where(damping[todo] <= _FIRST, 0.0, 0.1 * damping[todo])
            harder = np.maximum(10.0 * damping[todo], _FIRST)
            damping[todo] = np.where(better, easier, harder)
            stuck[todo] = damping[todo] > _LARGEST
        for i in np.flatnonzero(done):
            free = _free(x[:, [i]], gradient[:, [i]], lower[:, [i]], upper[:, [i]])[:, 0]
            done[i] = _is_convex(hessian[i][np.ix_(free, free)])
        return x, value, done


def _free(x: Array, gradient: Array, lower: Array, upper: Array) -> Flags:
    """Return which variables can move downhill."""
    return ~(((x <= lower) & (gradient >= 0.0)) | ((x >= upper) & (gradient <= 0.0)))


def _step(gradient: Array, hessian: Array, free: Flags, damping: Array) -> Array:
    """Return -(H + damping diag H)^-1 g on the free variables, shape (P + 1, N)."""
    mask = free.T
    diagonal = np.abs(np.diagonal(hessian, axis1=1, axis2=2))
    scale = np.sqrt(np.where((diagonal > 0.0) & mask, diagonal, 1.0))
    scaled = hessian / (scale[:, :, None] * scale[:, None, :])
    scaled *= mask[:, :, None] & mask[:, None, :]
    at = np.arange(scaled.shape[1])
    scaled[:, at, at] += np.where(mask, _FLOOR + damping[:, None], 1.0)
    right = np.where(mask, -gradient.T / scale, 0.0)
    bad = ~(np.isfinite(scaled).all(axis=(1, 2)) & np.isfinite(right).all(axis=1))
    scaled[bad], right[bad] = np.eye(len(at)), 0.0
    try:
        solved = np.linalg.solve(scaled, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # one of them is singular to the last digit
        solved = np.stack(
            [np.linalg.lstsq(a, b, rcond=1e-12)[0] for a, b in zip(scaled, right, strict=True)]
        )
    return np.asarray((solved / scale).T, dtype=np.float64)


def _is_convex(hessian: Array) -> bool:
    """Return whether a Hessian is positive, but for directions in which nothing changes."""
    diagonal = np.diagonal(hessian)
    if not np.all(np.isfinite(hessian)) or np.any(diagonal < 0.0):
        return False
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = hessian / np.outer(scale, scale) + 1e-9 * np.eye(len(hessian))
    try:
        np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return False
    return True
