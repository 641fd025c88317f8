"""From one start to a minimum: Newton's method for small likelihoods, all points at a time.

Every point has its own step length, and points that are done leave the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.dense import DenseEvaluator
from na64.limits.likelihood.elimination import arrow_solver, full_solver
from na64.limits.likelihood.evaluation import Evaluator, Points
from na64.limits.likelihood.floors import floors_of
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.sparse import SparseEvaluator
from na64.limits.likelihood.sums import add_rows
from na64.limits.likelihood.trust_region import FEW_STEPS, MOST_STEPS, minimise

__all__ = ["Fit", "Problem", "evaluator_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: products of derivatives of one point up to which they are listed
_MOST_LISTED = 20_000
#: Newton decrement (twice the distance to the minimum) at which a point is done. The last step
#: is still made, so that the remaining error of the value is of order decrement^(3/2).
_TOLERANCE = 1e-9
_MAX_ITERATIONS = 60
_ARMIJO = 1e-4
_SHORTEST_STEP = 1e-7
#: a start is led to a minimum that is known already where its next step ends so close to it, in
#: units of the expected information squared, and is not longer than one of them
_LED, _STEP = 1e-3, 1.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Minima of N points.

    Attributes
    ----------
    theta
        Nuisance parameters at the minimum, shape (P, N).
    nu
        Number of signal events at the minimum (or as fixed), shape (N,).
    value
        Negative log-likelihood, shape (N,).
    converged
        Whether the point is a minimum, shape (N,).
    """

    theta: Array
    nu: Array
    value: Array
    converged: Flags

    def take(self, where: Index) -> Fit:
        """Return the points of an index, which may repeat."""
        return Fit(self.theta[:, where], self.nu[where], self.value[where], self.converged[where])

    def put(self, where: Index, other: Fit) -> None:
        """Replace the points of an index, in place."""
        self.theta[:, where], self.nu[where] = other.theta, other.nu
        self.value[where], self.converged[where] = other.value, other.converged


class Problem:
    """An evaluator with its linear solver and bounds, and the ways to a minimum from one start.

    Parameters
    ----------
    evaluator
        The likelihood.
    lower, upper
        Bounds of the nuisance parameters, shape (P,).
    """

    def __init__(self, evaluator: Evaluator, lower: Array, upper: Array) -> None:
        self.evaluator = evaluator
        self.n_variables = evaluator.n_variables
        #: whether points are minimised by Newton's method first
        self.listed = isinstance(evaluator, SparseEvaluator)
        pattern = (evaluator.rows, evaluator.columns, evaluator.n_variables)
        self.solver = (arrow_solver if self.listed else full_solver)(*pattern)
        extra = [0.0] if evaluator.free_signal else []
        self.lower = np.concatenate([lower, extra])[:, None]
        self.upper = np.concatenate([upper, [np.inf] * len(extra)])[:, None]

    def minimum(
        self, start: Array, nu: Array, points: Points, careful: bool, known: Fit | None = None
    ) -> tuple[Array, Array, Flags]:
        """Return x, value and whether each point converged, in the way that suits the model."""
        if careful or not self.listed:
            return self.careful(start, nu, points, MOST_STEPS if careful else FEW_STEPS)
        x, value, done = self.newton(start, nu, points, known)
        lost = np.flatnonzero(~done)
        if len(lost):
            found = self.careful(start[:, lost], nu[lost], points.take(lost))
            x[:, lost], value[lost], done[lost] = found
        return x, value, done

    def careful(
        self, start: Array, nu: Array, points: Points, steps: int = FEW_STEPS
    ) -> tuple[Array, Array, Flags]:
        """Minimise with a trust region."""
        bounds = (self.lower, self.upper)
        return minimise(self.evaluator, self.solver, bounds, start, nu, points, steps)

    def _direction(self, x: Array, nu: Array, points: Points) -> _Step:
        n_parameters = self.evaluator.n_parameters
        signal_events = x[-1] if self.evaluator.free_signal else nu
        found = self.evaluator.derivatives(x[:n_parameters], signal_events, points)
        gradient = found.gradient
        free = ~(((x <= self.lower) & (gradient > 0.0)) | ((x >= self.upper) & (gradient < 0.0)))
        step, positive = self.solver.solve_and_judge(found.hessian, -gradient, found.scale, free)
        decrement = -add_rows(gradient * step)
        return _Step(found.value, gradient, step, decrement, found.scale, positive)

    def newton(
        self, start: Array, nu: Array, points: Points, known: Fit | None = None
    ) -> tuple[Array, Array, Flags]:
        """Damped Newton within bounds; return x, value and whether each point converged.

        Points that are led to a minimum of `known` end there, with its value.
        """
        n = start.shape[1]
        result_x = np.clip(start, self.lower, self.upper)
        result_value = np.empty(n)
        done = np.zeros(n, dtype=bool)
        where = np.arange(n)
        x = result_x
        there = None
        if known is not None:
            there = np.concatenate([known.theta, known.nu[None]])[: self.n_variables]
        now = self._direction(x, nu, points)
        length = np.ones(n)
        for _ in range(_MAX_ITERATIONS):
            finished = np.abs(now.decrement) < _TOLERANCE
            stuck = (length < _SHORTEST_STEP) | ~np.isfinite(now.decrement)
            leaving = finished | stuck
            if known is not None and there is not None:
                led = ~leaving & known.converged[where] & self._leads_to(there[:, where], x, now)
                at = where[led]
                result_x[:, at], result_value[at], done[at] = there[:, at], known.value[at], True
            else:
                led = np.zeros_like(leaving)
            if leaving.any() or led.any():
                at = where[leaving]
                last = np.clip(x + now.step, self.lower, self.upper)[:, finished]
                result_x[:, at] = x[:, leaving]
                result_value[at] = now.value[leaving]
                if last.shape[1]:
                    result_x[:, where[finished]] = last
                    result_value[where[finished]] = (now.value - 0.5 * now.decrement)[finished]
                    done[where[finished]] = True
                keep = np.flatnonzero(~(leaving | led))
                if not len(keep):
                    break
                where, x, now, length, nu = (
                    where[keep],
                    x[:, keep],
                    now.take(keep),
                    length[keep],
                    nu[keep],
                )
                points = points.take(keep)
            trial = np.clip(x + length * now.step, self.lower, self.upper)
            new = self._direction(trial, nu, points)
            expected = add_rows(now.gradient * (trial - x))
            slack = 1e-12 * (1.0 + np.abs(now.value))
            accepted = new.value <= now.value + _ARMIJO * np.minimum(expected, 0.0) + slack
            if accepted.all():
                x, now, length = trial, new, np.ones(len(where))
            else:
                x = np.where(accepted, trial, x)
                now = now.replaced(accepted, new)
                length = np.where(accepted, 1.0, 0.3 * length)
        else:
            result_x[:, where] = x
            result_value[where] = now.value
        return result_x, result_value, done

    def _leads_to(self, there: Array, x: Array, now: _Step) -> Flags:
        """Tell which points are about to end at a minimum that is known."""
        end = np.clip(x + now.step, self.lower, self.upper)
        short = now.positive & (now.decrement < _STEP)
        return np.asarray(short & (add_rows(now.scale * (end - there) ** 2) < _LED))


@dataclass(frozen=True, slots=True)
class _Step:
    """Newton's step at N points.

    Attributes
    ----------
    value, decrement
        Shape (N,).
    gradient, step, scale
        Shape (V, N); the scale is the expected information of each variable.
    positive
        Whether the Hessian is positive, shape (N,).
    """

    value: Array
    gradient: Array
    step: Array
    decrement: Array
    scale: Array
    positive: Flags

    def take(self, where: Index) -> _Step:
        """Return the points of an index."""
        return _Step(
            self.value[where],
            self.gradient[:, where],
            self.step[:, where],
            self.decrement[where],
            self.scale[:, where],
            self.positive[where],
        )

    def replaced(self, which: Flags, other: _Step) -> _Step:
        """Return another's points where `which` is set, and these elsewhere."""
        return _Step(
            np.where(which, other.value, self.value),
            np.where(which, other.gradient, self.gradient),
            np.where(which, other.step, self.step),
            np.where(which, other.decrement, self.decrement),
            np.where(which, other.scale, self.scale),
            np.where(which, other.positive, self.positive),
        )


def evaluator_of(model: WorkspaceModel, free_signal: bool) -> Evaluator:
    """Return the evaluator that suits a model."""
    touched: list[set[int]] = [set() for _ in model.bins]
    for k, factors in enumerate(model.factors):
        touched[model.component_bin[k]] |= {model.responses[r].parameter for r in factors}
    for shift in model.shifts:
        touched[model.component_bin[shift.component]].add(shift.parameter)
    products = sum((len(some) + 1) * (len(some) + 2) // 2 for some in touched)
    if products <= _MOST_LISTED and not any(floors_of(model)):
        return SparseEvaluator(model, free_signal=free_signal)
    return DenseEvaluator(model, free_signal=free_signal)
