"""Minimising the likelihood of many points at once, within bounds.

Small likelihoods are minimised by Newton's method (`na64.limits.likelihood.newton`). A point that
does not converge, and every point of a large likelihood or of one with floors, is minimised by a
trust region, which has a bound on its work. What is not at a minimum after that is reported as not
converged: its value is never used as if it were.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.newton import Fit, Problem, evaluator_of
from na64.limits.likelihood.starts import Starts
from na64.limits.likelihood.structure import is_monotone

__all__ = ["Fit", "Fitter"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

#: signal events that are rounding
_NO_SIGNAL = 1e-12
#: how much lower another minimum has to be, and points that are minimised side by side
_LOWER, _MOST_TOGETHER = 1e-9, 65_536


class Fitter:
    """Fits of one compiled model.

    Parameters
    ----------
    model
        Tables of the workspace.
    """

    def __init__(self, model: WorkspaceModel) -> None:
        self.model = model
        parameters = model.parameters
        self.init = np.array([p.init for p in parameters], dtype=np.float64)
        self.centre = np.array([p.centre for p in parameters], dtype=np.float64)
        self.lower = np.array([p.lower for p in parameters], dtype=np.float64)
        self.upper = np.array([p.upper for p in parameters], dtype=np.float64)
        self._problems: dict[bool, Problem] = {}
        self.starts = Starts(model)
        everything = np.ones(len(model.nominal), dtype=bool)
        #: whether the likelihood has one minimum only, by its structure
        self.one_minimum = is_monotone(model, everything, np.ones(len(model.bins), dtype=bool))

    def problem(self, free_signal: bool) -> Problem:
        """Return (and keep) the compiled problem with nu free or fixed."""
        if free_signal not in self._problems:
            self._problems[free_signal] = Problem(
                evaluator_of(self.model, free_signal), self.lower, self.upper
            )
        return self._problems[free_signal]

    def fit(
        self,
        points: Points,
        nu: Array,
        *,
        free_signal: bool,
        start: Array | None = None,
        thorough: bool = True,
        nominal: bool = True,
        known: Fit | None = None,
    ) -> Fit:
        """Minimise over the nuisance parameters, and over nu >= 0 if it is free.

        Parameters
        ----------
        points
            Data and signal of N points.
        nu
            Signal events, fixed or a starting value, shape (N,).
        free_signal
            Whether nu is fitted.
        start
            Starting nuisance parameters, shape (P, N); the workspace's by default.
        thorough
            Whether other minima are looked for where parameters can cause them. A search along nu
            that starts where it was may leave it out if its end is checked.
        nominal
            Whether the nominal parameters are another start where there can be several minima.
        known
            Minima of the same points from other starts, at the same nu where it is fixed. A start
            that is led to one of them ends there.

        Returns
        -------
        Fit
            The best of the minima reached from the start and, where the likelihood can have
            several, from the nominal parameters and from either side of zero of the parameters
            that cause it.
        """
        nominal = nominal and not self.one_minimum
        starts = self.starts.first(start, nominal=nominal, others=thorough)
        best = self._best_of(points, nu, free_signal, starts, known)
        for _ in range(self.starts.rounds if thorough else 0):
            beside = self.starts.beside(best.theta)
            if not beside:
                break
            which = np.concatenate([index for index, _ in beside])
            theta = np.concatenate([some for _, some in beside], axis=1)
            found = self._fit_from(points.take(which), best.nu[which], free_signal, theta)
            lower = found.converged & (found.value < best.value[which] - _LOWER)
            order = np.flatnonzero(lower | (found.converged & ~best.converged[which]))
            if not len(order):
                break
            # the last written is the lowest
            order = order[np.argsort(-found.value[order], kind="stable")]
            best.put(which[order], found.take(order))
        return best

    def _best_of(
        self,
        points: Points,
        nu: Array,
        free_signal: bool,
        starts: list[Array],
        known: Fit | None = None,
    ) -> Fit:
        """Return the best minima from several starts."""
        if self.problem(free_signal).listed:
            # one after the other: what is led to the minimum of another need not go all the way
            best = self._fit_from(points, nu, free_signal, starts[0], known=known)
            for start in starts[1:]:
                again = self._fit_from(points, nu, free_signal, start, known=best)
                best = _better(best, again)
        else:
            best = self._side_by_side(points, nu, free_signal, starts)
        self._rescue(best, points, nu, free_signal)
        return best

    def _side_by_side(
        self, points: Points, nu: Array, free_signal: bool, starts: list[Array]
    ) -> Fit:
        """Return the best minima from several starts, of as many points as the memory allows."""
        n = len(points)
        if len(starts) == 1:
            return self._fit_from(points, nu, free_signal, starts[0])
        together = max(_MOST_TOGETHER // len(starts), 1)
        if n > together:
            parts = [slice(i, i + together) for i in range(0, n, together)]
            found = [
                self._side_by_side(
                    points.take(part),
                    nu[part],
                    free_signal,
                    [s if s.shape[1] == 1 else s[:, part] for s in starts],
                )
                for part in parts
            ]
            return _joined(found)
        every = np.tile(np.arange(n), len(starts))
        begin = [np.broadcast_to(s, (len(s), n)) for s in starts]
        tried = self._fit_from(
            points.take(every), nu[every], free_signal, np.concatenate(begin, axis=1)
        )
        best = tried.take(np.arange(n))
        for i in range(1, len(starts)):
            best = _better(best, tried.take(np.arange(i * n, (i + 1) * n)))
        return best

    def _rescue(self, best: Fit, points: Points, nu: Array, free_signal: bool) -> None:
        """Go on where points have not converged, then from the nominal parameters, in place."""
        for nominal in (False, True):
            lost = np.flatnonzero(~best.converged)
            if not len(lost):
                return
            events, start = best.nu[lost], best.theta[:, lost]
            if nominal:
                start = self.init[:, None]
                if free_signal:
                    events = np.maximum(nu[lost], points.counts[:, lost].sum(axis=0) + 1.0)
            again = self._fit_from(points.take(lost), events, free_signal, start, careful=True)
            best.put(lost, _better(best.take(lost), again))

    def _fit_from(
        self,
        points: Points,
        nu: Array,
        free_signal: bool,
        start: Array | None,
        careful: bool = False,
        known: Fit | None = None,
    ) -> Fit:
        """Minimise from one start, nominal by default; `careful` is slower and goes further."""
        problem = self.problem(free_signal)
        n = len(points)
        n_parameters = len(self.init)
        x = np.empty((problem.n_variables, n))
        x[:n_parameters] = self.init[:, None] if start is None else start
        if free_signal:
            x[-1] = nu
        value = np.empty(n)
        converged = np.zeros(n, dtype=bool)
        together = problem.evaluator.points_together
        for first in range(0, n, together):
            part = slice(first, first + together)
            there = None if known is None else known.take(np.arange(n)[part])
            x[:, part], value[part], converged[part] = problem.minimum(
                x[:, part], nu[part], points.take(part), careful, there
            )
        events = nu.copy()
        if free_signal:
            events = np.where(x[-1] < _NO_SIGNAL, 0.0, x[-1])
        return Fit(x[:n_parameters], events, value, converged)


def _better(best: Fit, other: Fit) -> Fit:
    """Return the lower of two minima of every point; a minimum is better than what is none."""
    better = (other.value < best.value) & (other.converged | ~best.converged)
    better |= other.converged & ~best.converged
    return Fit(
        np.where(better, other.theta, best.theta),
        np.where(better, other.nu, best.nu),
        np.where(better, other.value, best.value),
        best.converged | other.converged,
    )


def _joined(parts: list[Fit]) -> Fit:
    return Fit(
        np.concatenate([part.theta for part in parts], axis=1),
        np.concatenate([part.nu for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.converged for part in parts]),
    )
