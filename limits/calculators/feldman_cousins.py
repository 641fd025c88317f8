"""Unified intervals of Feldman and Cousins: two edges, and no choice between limit and interval.

A signal nu is allowed when data at least as unlike it as the observed ones are expected more often
than alpha. Unlike is measured by the likelihood ratio

    t(n; nu) = -2 ln [max_theta L(n | nu, theta) / max_{nu' >= 0, theta} L(n | nu', theta)],

and the p-value of nu is P(t(n) >= t_obs | nu) over all main counts n. Without nuisance parameters
this is the construction of the paper (its R is exp(-t/2)). With them it is the profiled one:
auxiliary data as observed, Poisson probabilities with the nuisance parameters fitted to the
observed data at nu. The counts are enumerated.

The interval goes from the lowest to the highest nu that is allowed: gaps in between, which counts
can cause, are filled, as in the paper. Not done is what section IV B of the paper adds by hand:
lengthening intervals so that the upper edge does not rise when a known background falls.

The expected edge of order k is where the dataset at the Phi(k) quantile of the background
ensemble, least signal-like first, stops being allowed: the quantile of the upper edges of
experiments without a signal.

References
----------
G. J. Feldman and R. D. Cousins, Phys. Rev. D 57 (1998) 3873, physics/9711021.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.budget import EnsembleTooLargeError
from na64.limits.calculators.counting import limits_found
from na64.limits.calculators.datasets import TIE, first_guess
from na64.limits.calculators.enumeration import Enumeration
from na64.limits.calculators.exploration import STRIDE, Survival, Visited, quantile, sums
from na64.limits.calculators.ranking import Enumerating
from na64.limits.calculators.roots import BRACKETED, FAILED, Edges, Roots, find_roots
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.likelihood.fitting import Fit

__all__ = ["Engine"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: a dataset is left out when no one beyond it in all bins has this probability together; what is
#: left out counts as unlike the signal
_CUT = 1e-6
#: signal strengths between zero and the highest one at which the p-value is looked at first
_NODES = 48
#: highest one over the guess of the limit, and by how much and how often it is raised
_TOP, _RAISE, _RAISES = 2.0, 1.6, 25
#: strengths near an edge at which a reappearing interval is looked for; with more bins than these
#: the p-value hardly jumps
_FINE_NODES, _FINE_BINS = 32, 2
#: zero signal, in units of the guess
_NOTHING = 1e-9
#: tolerance of an edge in units of the guess
_TOLERANCE = 1e-7
#: problems handled together, for ensembles of few and of many bins, to bound the memory
_TOGETHER = (512, 8)
#: estimated size of an ensemble over the largest allowed one up to which it is enumerated
_SHARE = 0.4


class Engine(Enumerating):
    """The calculator at work; see `Engine` of `na64.limits.calculators.protocol`.

    Raises
    ------
    InputError
        From the methods, before any dataset is looked at, if there are too many.
    """

    def refuse_unseen(self, masses: Index, *, expected: bool) -> None:
        """Refuse ensembles that are too large before any dataset is looked at."""
        self._check(float(self.sizes[masses].max(initial=0.0)))

    def _ensemble(self, masses: Index) -> Enumeration:
        self._check(float(self.sizes[masses].max(initial=0.0)))
        return super()._ensemble(masses)

    def _check(self, size: float) -> None:
        most = _SHARE * self.settings.max_datasets
        if size > most:
            raise EnsembleTooLargeError(
                f"unified intervals need an ensemble of about {size:.0f} datasets, each of which "
                f"is fitted at more than a hundred signal strengths; at most {most:.0f} are, "
                f"{_SHARE:g} of max_datasets; use the method 'auto' for an upper limit"
            )

    def part_limits(
        self, ensemble: Enumeration, alpha: float, observed: bool, expected: bool
    ) -> Edges:
        """Return the edges of the allowed interval."""
        wanted = np.array([observed, *[expected] * len(BAND_ORDER)])
        edges, lower = _Part(ensemble, alpha).edges(wanted)
        found = iter(edges)
        return Edges(tuple(next(found) if want else None for want in wanted), lower)

    def part_p_values(self, ensemble: Enumeration, nu: Array, mass: Index, expected: bool) -> Array:
        """Return P(t >= t_obs | nu)."""
        wanted = np.array([True, *[expected] * len(BAND_ORDER)])
        found = np.full((len(wanted), len(nu)), np.nan)
        found[wanted] = _Part(ensemble, 0.5).p_values(nu, mass, wanted)
        return found


class _Part:
    """P-values and edges of masses with events in the same bins."""

    def __init__(self, ensemble: Enumeration, alpha: float) -> None:
        self.ensemble, self.alpha = ensemble, alpha
        guess = first_guess(ensemble.batch, ensemble.counts, ensemble.background_rates)
        self.scale, self.levels = guess, ensemble.levels()
        few = len(ensemble.varied) <= _FINE_BINS
        self._together, self._fine = _TOGETHER[not few], few

    # -- p-values ----------------------------------------------------------------------------

    def p_values(self, nu: Array, mass: Index, wanted: NDArray[np.bool_]) -> Array:
        """Return the p-values that are wanted (observed, five bands), shape (W, N)."""
        if wanted[0]:
            self.ensemble.check_whole()
        parts = [
            self._p_values(nu[i : i + self._together], mass[i : i + self._together], wanted)
            for i in range(0, len(nu), self._together)
        ]
        return np.concatenate([np.empty((int(wanted.sum()), 0)), *parts], axis=1)

    def _p_values(self, nu: Array, mass: Index, wanted: NDArray[np.bool_]) -> Array:
        ensemble = self.ensemble
        n = len(nu)
        points = ensemble.batch.points(mass, ensemble.counts[:, None])
        fit = ensemble.fitter.fit(points, nu, free_signal=False)
        rates = ensemble.evaluator.rates(fit.theta, nu, points.signal)
        free = ensemble.free
        t_observed, _ = _ratio(
            ensemble,
            nu,
            mass,
            np.broadcast_to(ensemble.counts[:, None], points.counts.shape),
            np.where(free.converged, free.value, np.nan)[mass],
            free.nu[mass],
            fit,
        )
        visited, t, beyond = self._explore(nu, mass, rates)
        problem = visited.key // STRIDE
        missing = np.maximum(1.0 - sums(problem, visited.signal, n), 0.0)
        one_sided = np.where(beyond, 0.0, t)
        rows = []
        for target in np.flatnonzero(wanted).tolist():
            if target == 0:
                threshold = t_observed
            else:
                level = self.levels[target - 1, mass]
                threshold = quantile(problem, one_sided, visited.background, level)
            inside = t >= threshold[problem] - TIE
            rows.append(sums(problem, visited.signal * inside, n) + missing)
        answer = np.array(rows)
        failed = np.isnan(sums(problem, t, n)) | ~fit.converged | (wanted[0] & np.isnan(t_observed))
        return np.where(failed, np.nan, np.minimum(answer, 1.0))

    def _explore(
        self, nu: Array, mass: Index, rates: Array
    ) -> tuple[Visited, Array, NDArray[np.bool_]]:
        """Visit all datasets that matter; return them, t, and whether their best nu is larger."""
        ensemble = self.ensemble
        lattice, n = ensemble.lattice, len(nu)
        without = ensemble.rates_at(mass)
        visited = Visited(lattice)
        survival = Survival(rates[ensemble.varied], without[ensemble.varied])
        of, number = ensemble.seeds(np.maximum(rates, without))
        new = of * STRIDE + number
        cut = np.full(n, _CUT)
        axes = np.arange(len(ensemble.varied))
        while len(new):
            problem, number = new // STRIDE, new % STRIDE
            visited.add(
                new,
                (np.zeros(len(new)), nu[problem], None),
                np.exp(lattice.log_probability(number, rates[:, problem])),
                np.exp(lattice.log_probability(number, ensemble.rates_at(mass[problem]))),
            )
            parent, axis = np.repeat(number, len(axes)), np.tile(axes, len(new))
            of = np.repeat(problem, len(axes))
            counts = lattice.counts[parent]
            counts[np.arange(len(parent)), axis] += 1
            matters = survival.exceeds(counts, of, cut, cut)
            child = lattice.children(parent[matters], axis[matters])
            new = np.setdiff1d(of[matters] * STRIDE + child, visited.key)
            ensemble.check_size(np.bincount(visited.key // STRIDE, minlength=n), new // STRIDE)
        problem, number = visited.key // STRIDE, visited.key % STRIDE
        value, best, _ = ensemble.cache.free(mass[problem], number)
        t, beyond = _ratio(
            ensemble, nu[problem], mass[problem], lattice.full_counts(number), value, best
        )
        return visited, t, beyond

    # -- edges -------------------------------------------------------------------------------

    def edges(self, wanted: NDArray[np.bool_]) -> tuple[list[Roots], Array]:
        """Return the upper edges that are wanted, in ln(events), and the lower observed one."""
        n = len(self.scale)
        every = np.arange(n)
        top = self._top(wanted)
        fractions = np.concatenate([[0.0], np.arange(1, _NODES + 1) / _NODES])
        nodes = np.maximum(top[:, None] * fractions, _NOTHING)  # in units of the scale
        p = self._at(nodes, np.repeat(every[:, None], nodes.shape[1], axis=1), wanted)
        best = np.where(self.ensemble.free.converged, self.ensemble.free.nu, 0.0) / self.scale
        lower = np.full(n, np.nan)
        answer: list[Roots] = []
        for i, target in enumerate(np.flatnonzero(wanted).tolist()):
            # the best fit is allowed, and so is no signal where none was expected
            sure = best if target == 0 else np.zeros(n)
            only = np.arange(len(wanted)) == target
            known = answer[-1] if target > 1 else None
            answer.append(self._band(nodes, p[i], sure, only, known))
            if target == 0:
                roots = self._edge(nodes, p[i], sure, only, upper=False)
                lower = np.where(p[i, :, 0] > self.alpha, 0.0, np.exp(roots.x))
        return answer, lower

    def _band(
        self, nodes: Array, p: Array, sure: Array, only: NDArray[np.bool_], known: Roots | None
    ) -> Roots:
        """Find an upper edge, at or above the one before it.

        At every strength the p-value of a band is at least that of the band before, so that what
        the latter allows up to its edge is allowed. It is the same edge where both are of the same
        quantile.
        """
        if known is None:
            return self._edge(nodes, p, sure, only, upper=True)
        target = int(np.flatnonzero(only)[0])
        new = np.flatnonzero(self.levels[target - 1] != self.levels[target - 2])
        roots = known.take(np.arange(len(nodes)))
        if len(new):
            before = np.where(known.state == BRACKETED, np.exp(known.x) / self.scale, 0.0)
            found = self._edge(nodes, p, np.maximum(sure, before), only, upper=True).take(new)
            # a root is known within its tolerance only
            roots.put(new, Roots(np.fmax(found.x, known.x[new]), found.state))
            lost = found.state != BRACKETED
            roots.x[new[lost]] = np.nan
        return roots

    def _at(self, x: Array, mass: Index, wanted: NDArray[np.bool_]) -> Array:
        """Return p-values at positions x in units of the scale, of any shape."""
        nu = np.maximum(x, _NOTHING) * self.scale[mass]
        found = self.p_values(nu.ravel(), mass.ravel(), wanted)
        return np.asarray(found.reshape(len(found), *x.shape), dtype=np.float64)

    def _top(self, wanted: NDArray[np.bool_]) -> Array:
        """Return a strength per mass that is not allowed any more, in units of the scale."""
        top = np.full(len(self.scale), _TOP)
        open_ = np.arange(len(top))
        for _ in range(_RAISES):
            allowed = self._at(top[open_], open_, wanted) > self.alpha
            open_ = open_[allowed.any(axis=0)]
            if not len(open_):
                break
            top[open_] *= _RAISE
        return top

    def _edge(
        self, nodes: Array, p: Array, sure: Array, only: NDArray[np.bool_], *, upper: bool
    ) -> Roots:
        """Find the outermost crossing of alpha between nodes, on one side."""
        side = 1.0 if upper else -1.0
        roots = Roots.empty(len(nodes))
        roots.state[np.isnan(p).any(axis=1)] = FAILED
        inner, outer, exists = _bracket(nodes, p > self.alpha, sure, upper)
        mass = np.flatnonzero(exists & (roots.state != FAILED))
        if not len(mass):
            return roots
        inner, outer, step = inner[mass], outer[mass], nodes[mass, 2] - nodes[mass, 1]

        def polish(low: Array, high: Array, some: Index) -> Roots:
            def excess(at: Array, which: Index) -> Array:
                with np.errstate(divide="ignore"):
                    ratio = self._at(side * at, some[which], only)[0] / self.alpha
                    return np.asarray(np.log(ratio), dtype=np.float64)

            return find_roots(
                excess, side * low, side * high, tolerance=_TOLERANCE, floor=-1e30, ceiling=1e30
            )

        found = polish(inner, outer, mass)
        if self._fine:
            # counts make p-values jump: the interval may reappear close by
            reach = np.linspace(0.0, 2.0, _FINE_NODES)[1:]
            near = np.maximum((side * found.x)[:, None] + side * step[:, None] * reach, 0.0)
            again = self._at(near, np.repeat(mass[:, None], near.shape[1], axis=1), only)[0]
            if not upper:
                near, again = near[:, ::-1], again[:, ::-1]
            inner, outer, more = _bracket(near, again > self.alpha, side * found.x, upper)
            more &= (again > self.alpha).any(axis=1)
            if more.any():
                found.put(np.flatnonzero(more), polish(inner[more], outer[more], mass[more]))
        good = found.state == BRACKETED
        with np.errstate(invalid="ignore", divide="ignore"):
            x = np.log(side * found.x * self.scale[mass])
        roots.put(mass, Roots(np.where(good, x, np.nan), found.state))
        if upper:
            limits_found(len(nodes))
        return roots


def _bracket(
    nodes: Array, allowed: NDArray[np.bool_], sure: Array, upper: bool
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return the outermost allowed position, the next node beyond it, and whether there is one."""
    if upper:
        inner = np.maximum(np.where(allowed, nodes, -np.inf).max(axis=1), sure)
        beyond = np.where(nodes > inner[:, None], nodes, np.inf).min(axis=1)
    else:
        inner = np.minimum(np.where(allowed, nodes, np.inf).min(axis=1), sure)
        beyond = np.where(nodes < inner[:, None], nodes, -np.inf).max(axis=1)
    return inner, beyond, np.isfinite(beyond)


def _ratio(
    ensemble: Enumeration,
    nu: Array,
    mass: Index,
    counts: Array,
    free_value: Array,
    free_nu: Array,
    fit: Fit | None = None,
) -> tuple[Array, NDArray[np.bool_]]:
    """Return t of datasets (NaN where a fit failed), and whether their best nu is larger."""
    batch, fitter = ensemble.batch, ensemble.fitter
    points = batch.points(mass, counts)
    fixed = fitter.fit(points, nu, free_signal=False) if fit is None else fit
    t = np.where(fixed.converged, 2.0 * (fixed.value - free_value), np.nan)
    best = free_nu.copy()
    # a conditional minimum below the free one: the latter was another, local minimum
    wrong = np.flatnonzero(t < -1e-7)
    if len(wrong):
        better = fitter.fit(
            points.take(wrong), nu[wrong], free_signal=True, start=fixed.theta[:, wrong]
        )
        t[wrong] = np.where(better.converged, 2.0 * (fixed.value[wrong] - better.value), np.nan)
        best[wrong] = better.nu
    return np.maximum(t, 0.0), best > nu
