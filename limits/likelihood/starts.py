"""Where fits begin: likelihoods that can have several minima are minimised from several points.

A likelihood of counts is harmless where rates are products of positive factors of moderate size. It
can have a second minimum where the up and down variations of a parameter move a rate to the same
side (one on either side of zero), where a factor is large (its polynomial between -1 and 1 can have
a plateau) or a shift larger than the rate, so that data far off are explained by one parameter or
another, and where backgrounds are shared between bins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.floors import bins_at_risk
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.structure import folded_parameters

__all__ = ["Starts"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: how far from zero parameters begin that may have a minimum on either side, and strong ones
_OFFSET, _STRONG_OFFSET = 0.7, 2.0
#: on the other side of a minimum they begin at least so far from zero; nearer they try both sides
_LEAST_MIRRORED, _NEAR_ZERO = 0.3, 0.1
#: factor at one standard deviation beyond which a parameter is strong
_STRONG = 3.0
#: parameters are tried each alone if there are at most so many, in large likelihoods and in others
_ALONE_LARGE, _ALONE = 4, 8
#: more parameters make a likelihood large: other minima are only looked for beside the first
_MANY_PARAMETERS = 40


class Starts:
    """Where fits of one model begin.

    Parameters
    ----------
    model
        Tables of the workspace.

    Attributes
    ----------
    several
        Whether parameters are there that can cause several minima.
    rounds
        How often minima are looked for beside the best.
    """

    def __init__(self, model: WorkspaceModel) -> None:
        parameters = model.parameters
        self._init = np.array([[p.init] for p in parameters], dtype=np.float64).reshape(-1, 1)
        large = len(parameters) > _MANY_PARAMETERS
        folded, strong = folded_parameters(model), _strong_parameters(model)
        strong = [p for p in strong if p not in folded]
        groups = [folded] if folded else []
        alone = [[p] for p in folded + strong]
        if len(alone) <= (_ALONE_LARGE if large else _ALONE) and alone != groups:
            groups += alone
        self._groups = [np.array(group, dtype=np.intp) for group in groups]
        self._offsets: list[Array] = []
        if not large:
            for group in self._groups:
                size = _STRONG_OFFSET if group[0] in strong else _OFFSET
                for side in (-size, size):
                    offset = np.zeros_like(self._init)
                    offset[group] = side
                    self._offsets.append(offset)
        self.several = bool(self._groups)
        self.rounds = 1 if large else 3

    def first(self, start: Array | None, *, nominal: bool, others: bool) -> list[Array]:
        """Return nuisance parameters to begin with, each of shape (P, N) or (P, 1).

        Parameters
        ----------
        start
            A guess; the nominal parameters by default.
        nominal
            Whether to begin at the nominal parameters as well.
        others
            Whether to begin at other points as well.
        """
        answer = [self._init if start is None else start]
        if others:
            answer += [self._init + offset for offset in self._offsets]
        if nominal and start is not None:
            answer.append(self._init)
        return answer

    def beside(self, theta: Array) -> list[tuple[Index, Array]]:
        """Return points on the other sides of zero, as index of the point and parameters."""
        answer = []
        for group in self._groups:
            here = theta[group]
            largest = here[np.argmax(np.abs(here), axis=0), np.arange(here.shape[1])]
            for side in (-1.0, 1.0):
                todo = np.flatnonzero(side * largest < _NEAR_ZERO)
                if len(todo):
                    start = theta[:, todo]
                    start[group] = side * np.maximum(np.abs(start[group]), _LEAST_MIRRORED)
                    answer.append((todo, start))
        return answer


def _strong_parameters(model: WorkspaceModel) -> list[int]:
    """Find the parameters that change a rate by factors, or by more than the rate."""
    strong = {
        r.parameter
        for r in model.responses
        if r.hi is not None
        and r.lo is not None
        and max(r.hi, r.lo, 1.0 / r.hi, 1.0 / r.lo) > _STRONG
    }
    risky = {
        (int(b), signal) for signal in (False, True) for b in bins_at_risk(model, signal).tolist()
    }
    for shift in model.shifts:
        k = shift.component
        where = (int(model.component_bin[k]), bool(model.is_signal[k]))
        if where in risky and max(abs(shift.up), abs(shift.down)) > abs(model.nominal[k]):
            strong.add(shift.parameter)
    return sorted(strong)
