"""Asymmetric uncertainties: where the profiled likelihood has fallen by a factor exp(-1/2).

One parameter is held, all others are fitted again (MINOS). Both sides of all parameters are solved
at once, with the root of twice the rise of -ln L as the function whose value is to be one: it is
linear in the distance where the likelihood is a Gaussian.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.inference.minimum import LocalMinimiser
from na64.limits.inference.result import FitResult, predict

__all__ = ["DEEPER", "profile_errors"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: a conditional minimum that is deeper than that of the fit by this much was the true one
DEEPER = 1e-6
#: relative tolerance of uncertainties from profiles
_CLOSE = 1e-5


def profile_errors(
    made: FitResult, local: LocalMinimiser, held: Flags
) -> tuple[Array, tuple[Array, float] | None]:
    """Return how far down and up the profiled likelihood rises by 1/2, shape (2, P + 1).

    And the point and value of a minimum deeper than that of the fit, where one was met.
    """
    moving = np.flatnonzero(~np.isnan(made.errors))
    variables = np.tile(moving, 2)
    side = np.repeat([-1.0, 1.0], len(moving))
    x, sigma = made.x[variables], (made.errors * made.units)[variables]
    bound = np.where(side < 0.0, local.lower[variables], local.upper[variables])
    near, far = np.zeros(len(variables)), np.full(len(variables), np.inf)
    distance = np.minimum(sigma, np.abs(bound - x))
    answer, active = np.full(len(variables), np.nan), np.ones(len(variables), dtype=bool)
    start = predict(made, variables, x + side * distance)
    near_rise, far_rise = np.zeros(len(variables)), np.full(len(variables), np.inf)
    for turn in range(60):
        todo = np.flatnonzero(active)
        if not len(todo):
            break
        # from the last point below 1/2, so that the profile stays on its branch
        begin = start[:, todo]
        places = np.arange(len(todo))
        begin[variables[todo], places] = (x + side * distance)[todo]
        fixed = np.repeat(held[:, None], len(todo), axis=1)
        fixed[variables[todo], places] = True
        found = local.minimise(made.data.points(made.batch, len(todo)), begin, fixed)
        deepest = int(np.argmin(np.where(found.converged, found.value, np.inf)))
        if found.converged[deepest] and found.value[deepest] < made.value - DEEPER:
            again = local.minimise(
                made.data.points(made.batch), found.x[:, [deepest]], held[:, None]
            )
            return np.empty((2, 0)), (again.x[:, 0], float(again.value[0]))
        rise = np.sqrt(2.0 * np.maximum(found.value - made.value, 0.0))
        rise = np.where(found.converged, rise, np.inf)  # too far: closer is easier
        good = np.abs(rise - 1.0) < _CLOSE
        below, reached = rise < 1.0, distance[todo]
        start[:, todo[below]] = found.x[:, below]
        near[todo[below]], far[todo[~below]] = reached[below], reached[~below]
        near_rise[todo[below]], far_rise[todo[~below]] = rise[below], rise[~below]
        ended = below & (reached >= np.abs(bound - x)[todo] * (1.0 - 1e-12))
        # the profile jumps to another branch: it has risen by more than 1/2 there
        jump = far[todo] - near[todo] < _CLOSE * far[todo]
        answer[todo[good]] = reached[good]
        answer[todo[jump & ~good]] = far[todo[jump & ~good]]
        active[todo[good | ended | jump]] = False
        open_ended, span = ~np.isfinite(far[todo]), far[todo] - near[todo]
        share = (1.0 - near_rise[todo]) / (far_rise[todo] - near_rise[todo])
        share = np.where(np.isfinite(far_rise[todo]) & (turn % 3 < 2), share, 0.5)
        outwards = np.minimum(reached / np.maximum(rise, 1e-3), 3.0 * reached)
        with np.errstate(invalid="ignore"):
            guess = np.where(open_ended, outwards, near[todo] + share * span)
        distance[todo] = np.minimum(guess, np.abs(bound - x)[todo])
    sides = np.full((2, len(held)), np.nan)
    sides[:, moving] = answer.reshape(2, -1)
    return sides, None
