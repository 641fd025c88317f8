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
from na64.limits.likelihood.model import Constraint, Shift, WorkspaceModel
from na64.limits.likelihood.structure import folded_parameters

__all__ = ["Starts"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: how far from zero parameters begin that may have a minimum on either side, strong ones, and those
#: whose shifts can take a rate to its floor
_OFFSET, _STRONG_OFFSET, _FLOOR_OFFSET = 0.7, 2.0, 3.5
#: the same of factors with a wide Gaussian constraint, which zero is not far from
_WIDE_OFFSET, _WIDE = 0.9, 0.3
#: how much free factors are larger at some starts
_LARGE_FACTOR = 5.0
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
    large
        Whether a fit costs so much that its nominal start is left out along a search.
    rounds
        How often minima are looked for beside the best.
    """

    def __init__(self, model: WorkspaceModel) -> None:
        parameters = model.parameters
        self._init = np.array([[p.init] for p in parameters], dtype=np.float64).reshape(-1, 1)
        self.large = len(parameters) > _MANY_PARAMETERS
        folded, strong = folded_parameters(model), _strong_parameters(model)
        strong = [p for p in strong if p not in folded]
        groups = [folded] if folded else []
        alone = [[p] for p in folded + strong]
        if len(alone) <= (_ALONE_LARGE if self.large else _ALONE) and alone != groups:
            groups += alone
        self._groups = [np.array(group, dtype=np.intp) for group in groups]
        self._offsets: list[Array] = []
        if not self.large:
            for group in self._groups:
                self._try(group, _STRONG_OFFSET if group[0] in strong else _OFFSET)
            for p in _wide_factors(model)[:_ALONE]:
                self._try(p, _WIDE_OFFSET)
            self._try_floors(model)
        self.rounds = 1 if self.large else 3

    def _try(self, group: int | Index, size: float, others: Array | None = None) -> None:
        """Begin with some parameters on either side of nominal, and perhaps others elsewhere."""
        for side in (-size, size):
            offset = np.zeros_like(self._init) if others is None else others.copy()
            offset[group] = side
            self._offsets.append(offset)

    def _try_floors(self, model: WorkspaceModel) -> None:
        """Begin where rates are at their floors, also under large free factors.

        A negative sample under a large factor can cancel another one.
        """
        risky = sorted({shift.parameter for shift in _risky_shifts(model)})
        groups = [np.array([p]) for p in risky] if len(risky) <= _ALONE else [np.array(risky)]
        free = [i for i, p in enumerate(model.parameters) if p.constraint is Constraint.FREE]
        larger = np.zeros_like(self._init)
        larger[free] = (_LARGE_FACTOR - 1.0) * self._init[free]
        for others in (None, larger) if free else (None,):
            for group in groups:
                self._try(group, _FLOOR_OFFSET, others)

    def first(self, start: Array | None, *, nominal: bool, others: bool) -> list[Array]:
        """Return nuisance parameters to begin with, each of shape (P, N) or (P, 1).

        Parameters
        ----------
        start
            A guess; the nominal parameters by default.
        nominal
            Whether to begin at the nominal parameters as well, in large likelihoods only together
            with the others.
        others
            Whether to begin at other points as well.
        """
        answer = [self._init if start is None else start]
        if others:
            answer += [self._init + offset for offset in self._offsets]
        if nominal and start is not None and (others or not self.large):
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
    for shift in _risky_shifts(model):
        if max(abs(shift.up), abs(shift.down)) > abs(model.nominal[shift.component]):
            strong.add(shift.parameter)
    return sorted(strong)


def _wide_factors(model: WorkspaceModel) -> list[int]:
    """Find the factors with a Gaussian constraint so wide that zero is within a few sigma."""
    return [
        i
        for i, p in enumerate(model.parameters)
        if p.constraint is Constraint.GAUSSIAN and p.lower >= 0.0 and p.width > _WIDE * p.centre
    ]


def _risky_shifts(model: WorkspaceModel) -> list[Shift]:
    risky = {
        (int(b), signal) for signal in (False, True) for b in bins_at_risk(model, signal).tolist()
    }
    return [
        shift
        for shift in model.shifts
        if (int(model.component_bin[shift.component]), bool(model.is_signal[shift.component]))
        in risky
    ]
