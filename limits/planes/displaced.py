"""Regions of searches for decays behind a shield, carried over to another lifetime.

A boson of the total width Gamma passes a shield and decays in the volume behind it with

    eff = exp(-t_0 Gamma) - exp(-t_1 Gamma),     t_1/t_0 = 1 + L_volume/L_shield,

t_0 being a typical proper time of the search. Both edges of a published region have the same
number of events, which gives t_0 at each mass; with it the edges for other couplings follow.

References
----------
Ilten, Soreq, Williams and Xue, arXiv:1801.04847, eqs. (2.22)-(2.24) and appendix C.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.workspaces.io.curves import Curve

__all__ = ["converted_edges", "edges_of", "islands"]

#: least ratio of two edges: closer ones are the tip of a region
_TIP: Final = 1.0001
#: bisections of a logarithm; the range is halved each time
_STEPS: Final = 90
_LOG_RANGE: Final = (-90.0, 7.0)


def edges_of(curve: Curve, masses_gev: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return masses with the lowest and the highest coupling of a region there.

    Parameters
    ----------
    curve
        A region; a path that does not end where it began is closed.
    masses_gev
        Where to look, increasing; masses at which the path has no two edges are left out.
    """
    x, y = np.log(curve.x), np.log(curve.y)
    start, end = np.stack([x, y]), np.stack([np.roll(x, -1), np.roll(y, -1)])
    at = np.log(masses_gev)[:, None]
    inside = (np.minimum(start[0], end[0]) <= at) & (at <= np.maximum(start[0], end[0]))
    width = end[0] - start[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = start[1] + (at - start[0]) / width * (end[1] - start[1])
    crossing = np.where(width == 0.0, start[1], crossing)
    low = np.min(np.where(inside, crossing, np.inf), axis=1)
    high = np.max(np.where(inside, crossing, -np.inf), axis=1)
    kept = high - low > np.log(_TIP)
    return masses_gev[kept], np.exp(low[kept]), np.exp(high[kept])


def converted_edges(
    masses_gev: FloatArray,
    edges: tuple[FloatArray, FloatArray],
    events: FloatArray,
    widths: FloatArray,
    decay_volume: float,
) -> FloatArray | None:
    """Return the path around the region for other couplings.

    Parameters
    ----------
    masses_gev
        Masses, increasing, shape (M,).
    edges
        The couplings between which the search excludes its own mediator, shape (M,) each.
    events
        Ratio of the number of bosons made that decay to what is seen, new over old at the same
        coupling, shape (M,).
    widths
        The same ratio of the total widths, shape (M,).
    decay_volume
        Length of the decay volume over that of the shield.

    Returns
    -------
    ndarray or None
        Pairs (mass, coupling), shape (N, 2): the lower edge, then the upper one backwards. Between
        masses that are excluded, those that are not have the two edges on one another, at the
        coupling of most events. None if no mass is excluded.
    """
    low, high = edges[0] ** 2, edges[1] ** 2

    def log_share(z: FloatArray) -> FloatArray:
        """Logarithm of the events at z = t_0 Gamma over those at z = 1 without a shield."""
        with np.errstate(under="ignore"):
            return np.asarray(np.log(z) - z + np.log(-np.expm1(-decay_volume * z)))

    def imbalance(log_t: FloatArray) -> FloatArray:
        t = np.exp(log_t)
        return log_share(t * high) - log_share(t * low)

    # t in units in which the width is the square of the old coupling
    log_t = _falling_root(imbalance, _LOG_RANGE[0] - np.log(high), _LOG_RANGE[1] - np.log(low))
    wanted = log_share(np.exp(log_t) * low) - np.log(events / widths)
    peak = _peak(decay_volume)
    found = wanted < log_share(np.full_like(low, peak))
    if not np.any(found):
        return None
    bottom, middle = np.full_like(low, _LOG_RANGE[0]), np.full_like(low, np.log(peak))
    top = np.full_like(low, _LOG_RANGE[1])
    rising = _falling_root(lambda log_z: wanted - log_share(np.exp(log_z)), bottom, middle)
    falling = _falling_root(lambda log_z: log_share(np.exp(log_z)) - wanted, middle, top)
    logs = [
        np.where(found, root, np.log(peak)) - log_t - np.log(widths) for root in (rising, falling)
    ]
    lower, upper = (np.exp(0.5 * log) for log in logs)
    ends = np.flatnonzero(found)
    kept = slice(ends[0], ends[-1] + 1)
    return np.concatenate(
        [
            np.stack([masses_gev[kept], lower[kept]], axis=1),
            np.stack([masses_gev[kept], upper[kept]], axis=1)[::-1],
        ]
    )


def _peak(decay_volume: float) -> float:
    """The z = t_0 Gamma of most events: 1/z - 1 + d/(exp(d z) - 1) = 0."""

    def slope(log_z: FloatArray) -> FloatArray:
        z = np.exp(log_z)
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / z - 1.0 + decay_volume / np.expm1(decay_volume * z))

    return float(np.exp(_falling_root(slope, np.array([-1.0]), np.array([2.0]))[0]))


def _falling_root(
    function: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray
) -> FloatArray:
    """Bisect for the zeros of functions that are positive on the left and negative on the right."""
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        positive = function(middle) > 0.0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    return np.asarray(0.5 * (low + high))


def islands(x: FloatArray, y: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Return the closed paths of which a path of `converted_edges` is made.

    Parameters
    ----------
    x, y
        The path, shape (N,): a lower edge, then the upper one backwards. It is cut where the two
        lie on one another. Another path is one island, as it stands.
    """
    half = len(x) // 2
    masses, lower, upper = x[:half], y[:half], y[::-1][:half]
    open_ = lower < upper
    open_[[0, -1]] = True  # a tip is no gap
    if len(x) % 2 or not np.array_equal(masses, x[::-1][:half]) or np.all(open_):
        return [(x, y)]
    starts = np.flatnonzero(np.diff(np.concatenate([[False], open_, [False]]).astype(int)))
    found = []
    for first, last in zip(starts[::2], starts[1::2], strict=True):
        if last - first < 2:
            continue  # a single mass has no area
        kept = slice(first, last)
        around = np.concatenate([masses[kept], masses[kept][::-1], masses[first : first + 1]])
        values = np.concatenate([lower[kept], upper[kept][::-1], lower[first : first + 1]])
        found.append((around, values))
    return found
