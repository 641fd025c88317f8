"""Careful minimisation: Newton steps with as much of the expected information as they need.

The step solves (H + m F) d = -g with the Hessian H and the expected information F. With m = 0 it is
Newton's; with more it turns into a short step of Fisher scoring, which goes downhill whatever the
Hessian is and knows how parameters are correlated. m grows where the likelihood falls less than the
step promised, and where H + m F is not positive definite; it shrinks where the promise was kept
(a trust region in the metric of F: Levenberg 1944, Marquardt 1963). Rates have floors, so the
likelihood is bounded below and continuous: what is not at a minimum after the last step was slow,
not lost, and is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.evaluation import Derivatives, Evaluator, Points
from na64.limits.likelihood.sums import add_rows

__all__ = ["FEW_STEPS", "MOST_STEPS", "NOT_CONVERGED", "minimise"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: bound on the work: steps, taken or refused, of one point from one start
MOST_STEPS = 250
#: what is said of a point that is not at a minimum after that
NOT_CONVERGED = f"a fit did not converge in {MOST_STEPS} steps from any of its starts"
#: the same bound where a point is one of several starts
FEW_STEPS = 80
#: Newton decrement (twice the distance to the minimum) at which a point is done
_TOLERANCE = 1e-9
#: how far points are moved off a saddle, in standard deviations
_KICK = 0.1
#: distance from a bound that is rounding
_AT_BOUND = 1e-12
#: how often variables at bounds are held for one step
_RELEASES = 4
#: part of the promised fall that a step must make; what counts as a promise kept, and as broken
_LEAST, _KEPT, _BROKEN = 1e-4, 0.75, 0.25
#: damping: the least that is kept, the first after a broken promise, the most that is tried
_SMALLEST, _FIRST, _LARGEST = 1e-6, 0.1, 1e12


class Solver(Protocol):
    """Solves symmetric systems; see `na64.limits.likelihood.elimination`."""

    def solve_and_judge(
        self, hessian: Array, right: Array, scale: Array, free: Flags
    ) -> tuple[Array, Flags]:
        """Return the solution, and whether the matrix is positive."""

    def product(self, hessian: Array, x: Array) -> Array:
        """Return the product with a vector."""


@dataclass(slots=True)
class _State:
    """Points on their way."""

    where: Index
    x: Array
    nu: Array
    points: Points
    at: Derivatives
    damping: Array

    def take(self, keep: Index) -> _State:
        return _State(
            self.where[keep],
            self.x[:, keep],
            self.nu[keep],
            self.points.take(keep),
            _taken(self.at, keep),
            self.damping[keep],
        )

    def put(self, where: Index, x: Array, at: Derivatives) -> None:
        self.x[:, where] = x
        for name in ("value", "gradient", "hessian", "scale", "information"):
            getattr(self.at, name)[..., where] = getattr(at, name)


def minimise(
    evaluator: Evaluator,
    solver: Solver,
    bounds: tuple[Array, Array],
    start: Array,
    nu: Array,
    points: Points,
    steps: int,
) -> tuple[Array, Array, Flags]:
    """Minimise within bounds, each point by itself.

    Parameters
    ----------
    evaluator, solver
        Of the likelihood.
    bounds
        Lower and upper bounds of the V variables, shape (V, 1).
    start
        Where to begin, shape (V, N).
    nu
        Signal events where they are fixed, shape (N,).
    points
        Data and signal of the N points.
    steps
        Bound on the work.

    Returns
    -------
    tuple
        x, shape (V, N), the negative log-likelihood, shape (N,), and whether each point is at a
        minimum.
    """
    lower, upper = bounds
    x = np.clip(np.nan_to_num(start), lower, upper)
    n = x.shape[1]
    value, done = np.empty(n), np.zeros(n, dtype=bool)
    state = _State(np.arange(n), x, nu, points, _at(evaluator, x, nu, points), np.zeros(n))
    result = x.copy()
    for _ in range(steps):
        now, at = state.x, state.at
        low, high = now <= lower + _AT_BOUND, now >= upper - _AT_BOUND
        outward = (low & (at.gradient > 0.0)) | (high & (at.gradient < 0.0))
        free = ~outward
        step, positive = _solve(solver, state, free)
        fall = -add_rows(at.gradient * step)
        for _ in range(_RELEASES):
            # at a bound, drawn inside by itself and outside by the others: it stays there
            blocked = (low & (step < 0.0)) | (high & (step > 0.0))
            again = np.flatnonzero(blocked.any(axis=0))
            if not len(again):
                break
            free[:, again] &= ~blocked[:, again]
            step[:, again], positive[again] = _solve(solver, state.take(again), free[:, again])
        plain = state.damping == 0.0
        finished = positive & plain & (np.abs(fall) < _TOLERANCE)
        # a damped point that hardly moves: the undamped step has to say whether it is done
        settled = positive & ~plain & (fall * (1.0 + state.damping) < _TOLERANCE)
        stuck = ~np.isfinite(at.value) | (state.damping > _LARGEST)
        if settled.any():
            saddle = settled & _is_saddle(solver, state, free, settled)
            if saddle.any():
                left = _leave(evaluator, bounds, state, free, np.flatnonzero(saddle))
                stuck |= saddle & ~left
                # elsewhere now: neither done nor settled, and without a step yet
                settled, positive = settled & ~saddle, positive & ~saddle
        leaving = finished | stuck
        if leaving.any():
            last = np.clip(now + np.where(finished, step, 0.0), lower, upper)
            result[:, state.where[leaving]] = last[:, leaving]
            value[state.where[leaving]] = (at.value - 0.5 * np.where(finished, fall, 0.0))[leaving]
            done[state.where[finished]] = True
        keep = np.flatnonzero(~leaving)
        if not len(keep):
            return result, value, done
        state = state.take(keep)
        step, positive, settled = step[:, keep], positive[keep], settled[keep]
        _advance(evaluator, solver, bounds, state, step, positive, settled)
    result[:, state.where] = state.x
    value[state.where] = state.at.value
    return result, value, done


def _at(evaluator: Evaluator, x: Array, nu: Array, points: Points) -> Derivatives:
    """Return the derivatives at x; what overflows is infinite."""
    n = evaluator.n_parameters
    events = x[-1] if evaluator.free_signal else nu
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = evaluator.derivatives(x[:n], events, points, information=True)
    # what parameters do together may be nothing to first order, and so may what one does by itself:
    # each keeps its own information, and the curvature that the information does not know
    _information(found)[: evaluator.n_variables] += found.scale + _asked(found.reach)
    wrong = ~(np.isfinite(found.value) & np.isfinite(found.gradient).all(axis=0))
    if wrong.any():
        found.value[wrong] = np.inf
    return found


def _information(at: Derivatives) -> Array:
    return _asked(at.information)


def _asked(part: Array | None) -> Array:
    assert part is not None  # asked for in `_at`
    return part


def _solve(solver: Solver, state: _State, free: Flags) -> tuple[Array, Flags]:
    """Return the damped step, and whether its matrix is positive."""
    at = state.at
    matrix = at.hessian
    if state.damping.any():
        matrix = matrix + state.damping * _information(at)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        step, positive = solver.solve_and_judge(matrix, -at.gradient, at.scale, free)
    return step, positive & np.isfinite(step).all(axis=0)


def _is_saddle(solver: Solver, state: _State, free: Flags, settled: Flags) -> Flags:
    """Tell which of the settled points are no minima."""
    some = np.flatnonzero(settled)
    at = _taken(state.at, some)
    _, positive = solver.solve_and_judge(at.hessian, -at.gradient, at.scale, free[:, some])
    answer = np.zeros(len(settled), dtype=bool)
    answer[some] = ~positive
    return answer


def _leave(
    evaluator: Evaluator, bounds: tuple[Array, Array], state: _State, free: Flags, saddles: Index
) -> Flags:
    """Move points off saddles, in place, where the likelihood falls; return which have moved.

    Symmetric variations have a saddle at zero, where data sets that were made with nominal
    parameters begin.
    """
    at = state.at
    n = len(state.x)
    some = (at.hessian[:n, saddles] < 0.0) & free[:, saddles]
    spread = 1.0 / np.sqrt(np.maximum(at.scale[:, saddles], 1e-12))
    trial = np.clip(state.x[:, saddles] + _KICK * np.where(some, spread, 0.0), *bounds)
    new = _at(evaluator, trial, state.nu[saddles], state.points.take(saddles))
    lower = np.flatnonzero(new.value < at.value[saddles] - 1e-12 * (1.0 + np.abs(new.value)))
    state.put(saddles[lower], trial[:, lower], _taken(new, lower))
    state.damping[saddles[lower]] = _SMALLEST
    moved = np.zeros(len(state.where), dtype=bool)
    moved[saddles[lower]] = True
    return moved


def _advance(
    evaluator: Evaluator,
    solver: Solver,
    bounds: tuple[Array, Array],
    state: _State,
    step: Array,
    positive: Flags,
    settled: Flags,
) -> None:
    """Try the steps; move points where the likelihood falls, and adapt the damping, in place."""
    raised = np.maximum(4.0 * state.damping, _FIRST)
    damping = np.where(settled, 0.0, state.damping)
    damping = np.where(positive, damping, np.maximum(10.0 * state.damping, _SMALLEST))
    todo = np.flatnonzero(positive & ~settled)
    state.damping = damping
    if not len(todo):
        return
    x, at = state.x[:, todo], _taken(state.at, todo)
    move, promise = _within(solver, bounds, x, step[:, todo], at)
    trial = np.clip(x + move, *bounds)
    new = _at(evaluator, trial, state.nu[todo], state.points.take(todo))
    fall = at.value - new.value
    noise = 1e-13 * (1.0 + np.abs(at.value))
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = np.where(promise > 0.0, fall / promise, -1.0)
    quiet = (promise >= 0.0) & (promise < 10.0 * noise) & (fall > -10.0 * noise)
    moved = (kept >= _LEAST) & (fall > -noise) | quiet
    own = state.damping[todo]
    lowered = np.where(own / 8.0 < _SMALLEST, 0.0, own / 8.0)
    own = np.where(quiet | (kept > _KEPT), lowered, np.where(kept < _BROKEN, raised[todo], own))
    state.damping[todo] = own
    gone = np.flatnonzero(moved)
    at_new = todo[gone]
    state.put(at_new, trial[:, gone], _taken(new, gone))


def _within(
    solver: Solver, bounds: tuple[Array, Array], x: Array, step: Array, at: Derivatives
) -> tuple[Array, Array]:
    """Return the steps inside the bounds, and the fall of the likelihood that they promise."""
    lower, upper = bounds
    move = np.clip(x + step, lower, upper) - x
    promise = _promise(solver, move, at)
    lost = np.flatnonzero(~(promise > 0.0))
    if len(lost):
        # cut at the bounds a step may go uphill; shortened to the first bound it does not
        some, begin = step[:, lost], x[:, lost]
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(some > 0.0, (upper - begin) / some, (lower - begin) / some)
        room = np.where(some == 0.0, np.inf, room)
        length = np.minimum(np.min(room, axis=0, initial=np.inf), 1.0)
        move[:, lost] = some * length
        promise[lost] = _promise(solver, move[:, lost], _taken(at, lost))
    return move, promise


def _promise(solver: Solver, move: Array, at: Derivatives) -> Array:
    """Return -(g.d + d.H d / 2)."""
    bent = move * solver.product(at.hessian, move)
    return np.asarray(-add_rows(at.gradient * move + 0.5 * bent), dtype=np.float64)


def _taken(at: Derivatives, keep: Index) -> Derivatives:
    information = at.information
    return Derivatives(
        at.value[keep],
        at.gradient[:, keep],
        at.hessian[:, keep],
        at.scale[:, keep],
        None if information is None else information[:, keep],
    )
