"""Bracketed roots of many decreasing functions at once.

CLs as a function of the signal strength falls from one towards zero, and jumps when events were
seen: only bracketing is safe. Chandrupatla's method is as safe as bisection and nearly as fast
as inverse quadratic interpolation where the function is smooth.

References
----------
T. R. Chandrupatla, Adv. Eng. Softw. 28 (1997) 145.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BRACKETED", "CEILING", "FAILED", "NO_ROOT", "Edges", "Function", "Roots", "find_roots"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
#: values at positions x of the functions with the given indices; NaN where it failed
Function = Callable[[Array, Index], Array]

#: what happened to a function: root found; a value failed; no change of sign in the range
BRACKETED, FAILED, NO_ROOT = 0, 1, 2

_MAX_ITERATIONS = 100
#: ln(signal events) beyond which there is no limit: 1e12 events in bins that have fewer than that
CEILING = math.log(1e12)


@dataclass(frozen=True, slots=True)
class Roots:
    """Roots of n functions.

    Attributes
    ----------
    x
        Positions of the roots, NaN where there is none, shape (n,).
    state
        `BRACKETED`, `FAILED` or `NO_ROOT`, shape (n,).
    """

    x: Array
    state: NDArray[np.int8]

    @classmethod
    def empty(cls, n: int) -> Roots:
        """Return room for n roots, none of them found."""
        return cls(np.full(n, np.nan), np.full(n, NO_ROOT, dtype=np.int8))

    @classmethod
    def join(cls, parts: Sequence[Roots | None]) -> Roots | None:
        """Return the roots of all parts, None if a part has none."""
        some = [part for part in parts if part is not None]
        if len(some) < len(parts):
            return None
        return cls(np.concatenate([p.x for p in some]), np.concatenate([p.state for p in some]))

    def take(self, where: Index) -> Roots:
        """Return copies of some, which may repeat."""
        return Roots(self.x[where], self.state[where])

    def put(self, where: Index, found: Roots) -> None:
        """Fill places in."""
        self.x[where], self.state[where] = found.x, found.state


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of the allowed signal events for M masses.

    Attributes
    ----------
    upper
        Roots in ln(signal events): observed, then the five expected ones in `BAND_ORDER`; None
        where not asked for.
    lower
        Lower edge of the observed interval in signal events, 0 where it has none, shape (M,);
        None for calculators of upper limits.
    error
        Statistical errors of the upper edges, relative, NaN where not asked for or not known,
        shape (6, M); None without noise.
    used
        Which method made the observed and which the expected edges, M names each; None where it
        is the one that was asked for.
    notes
        Why, one per mass, empty where there is nothing to say; None as for `used`.
    """

    upper: tuple[Roots | None, ...]
    lower: Array | None = None
    error: Array | None = None
    used: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    notes: tuple[str, ...] | None = None


def find_roots(
    function: Function,
    low: Array,
    high: Array,
    *,
    tolerance: float,
    floor: float = -60.0,
    ceiling: float = CEILING,
) -> Roots:
    """Find where n decreasing functions change sign.

    Parameters
    ----------
    function
        Called with positions and indices of functions; values of either sign, infinite ones
        allowed, NaN for a value that could not be computed.
    low, high
        First guess of brackets, shape (n,); they are widened as needed.
    tolerance
        Absolute tolerance in x.
    floor, ceiling
        Limits of the widening.

    Returns
    -------
    Roots
    """
    n = len(low)
    a, b = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    state = np.full(n, BRACKETED, dtype=np.int8)
    every = np.arange(n)
    fa, fb = _bounded(function(a, every)), _bounded(function(b, every))
    step = np.maximum(2.0 * (b - a), 0.01)
    while True:
        state[np.isnan(fa) | np.isnan(fb)] = FAILED
        up = np.flatnonzero((state == BRACKETED) & (fb > 0.0))
        down = np.flatnonzero((state == BRACKETED) & (fa <= 0.0))
        state[up[b[up] >= ceiling]] = NO_ROOT
        state[down[a[down] <= floor]] = NO_ROOT
        up, down = up[b[up] < ceiling], down[a[down] > floor]
        if not (len(up) or len(down)):
            break
        a[up], fa[up] = b[up], fb[up]
        b[up] = np.minimum(b[up] + step[up], ceiling)
        b[down], fb[down] = a[down], fa[down]
        a[down] = np.maximum(a[down] - step[down], floor)
        moved = np.concatenate([up, down])
        position = np.concatenate([b[up], a[down]])
        value = _bounded(function(position, moved))
        fb[up], fa[down] = value[: len(up)], value[len(up) :]
        step[moved] *= 2.0
    x = np.full(n, np.nan)
    open_ = np.flatnonzero(state == BRACKETED)
    if len(open_):
        found, failed = _chandrupatla(
            function, a[open_], b[open_], fa[open_], fb[open_], open_, tolerance
        )
        x[open_] = found
        state[open_[failed]] = FAILED
    return Roots(x, state)


def _bounded(values: Array) -> Array:
    """Keep values finite for interpolation; NaN stays."""
    return np.clip(values, -50.0, 50.0)


def _chandrupatla(
    function: Function, a: Array, b: Array, fa: Array, fb: Array, which: Index, tolerance: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Shrink brackets [a, b] with fa > 0 >= fb; return roots and which functions failed."""
    n = len(a)
    root = np.full(n, np.nan)
    failed = np.zeros(n, dtype=bool)
    active = np.arange(n)
    x1, f1, x2, f2 = b.copy(), fb.copy(), a.copy(), fa.copy()
    t = np.clip(f1 / (f1 - f2), 0.1, 0.9)
    for _ in range(_MAX_ITERATIONS):
        x = x1 + t * (x2 - x1)
        f = _bounded(function(x, which[active]))
        bad = np.isnan(f)
        same = (f > 0.0) == (f1 > 0.0)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
        limit = tolerance / np.abs(x2 - x1)
        best = np.where(np.abs(f1) < np.abs(f2), x1, x2)
        done = (limit > 0.5) | (f1 == 0.0) | bad
        root[active[done]] = best[done]
        root[active[bad]] = np.nan
        failed[active[bad]] = True
        keep = ~done
        if not keep.any():
            return root, failed
        active = active[keep]
        x1, x2, x3 = x1[keep], x2[keep], x3[keep]
        f1, f2, f3 = f1[keep], f2[keep], f3[keep]
        limit = limit[keep]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            xi = (x1 - x2) / (x3 - x2)
            phi = (f1 - f2) / (f3 - f2)
            smooth = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
            interpolated = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (
                f3 - f1
            ) * f2 / (f3 - f2)
            t = np.where(smooth & np.isfinite(interpolated), interpolated, 0.5)
        t = np.clip(t, limit, 1.0 - limit)
    failed[active] = True  # not reached: bisection alone needs 60 steps
    return root, failed
