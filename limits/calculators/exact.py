"""The exact calculator: CLs from an ensemble of main counts that is enumerated.

With the ensembles of `na64.limits.calculators.enumeration`

    CLs = P(qtilde(n) >= qtilde_obs | mu) / P(qtilde(n) >= qtilde_obs | 0),

where the ensembles, their rates from fits to the observed data, are the same for whatever dataset
n' is put in place of the observed one: CLs(mu; n') orders them. Nothing is special at n = 0.

Expected values are quantiles of CLs itself in the background ensemble, with p = Phi(k):

    CLs_p(mu) = min {c : P(CLs(mu; n) <= c | 0) >= p},
    mu_p      = sup {mu : CLs_p(mu) > alpha},

so that above mu_p at least a fraction p of the experiments without a signal excludes, and the
observed limit is sup {mu : CLs(mu) > alpha} likewise. For p < p' the condition on c is weaker, so
CLs_p(mu) <= CLs_p'(mu) at every mu; the strengths with CLs_p > alpha are among those with
CLs_p' > alpha, and mu_p <= mu_p'. Ranking datasets by qtilde instead is the same where CLs falls
with qtilde. It does without nuisance parameters (the ratio of the sums then falls with the
likelihood ratio), but not where bins share them, and neighbouring bands would change places.

CLs need not fall with mu either: the set {qtilde >= q} changes in steps, and a step can go up. A
root is bracketed by a value above alpha and one below; the bands are found one after the other,
each at or above the one before. Where there are several crossings within a few percent, the one
that is found need not be the last; the order of the bands does not depend on that.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.counting import limits_found
from na64.limits.calculators.datasets import first_guess
from na64.limits.calculators.enumeration import Enumeration, refuse_fractions
from na64.limits.calculators.exploration import Memory, Tail, sums
from na64.limits.calculators.ranking import Enumerating
from na64.limits.calculators.roots import BRACKETED, FAILED, Edges, Roots, find_roots
from na64.limits.calculators.staircase import Staircase, fill_in, has_staircase
from na64.limits.calculators.status import BAND_ORDER

__all__ = ["Engine"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: relative tolerance of a limit where CLs is smooth
_FROZEN_TOLERANCE = 1e-8
#: largest |ln(CLs / alpha)| at a limit where CLs is smooth
_SOLVED = 1e-5
#: rounds with a frozen set of datasets before the full CLs is bracketed
_FROZEN_ROUNDS = 8
#: masses that are explored together, for ensembles of few and of many bins, to bound the memory
_MASSES_TOGETHER = (512, 64)
_FEW_BINS = 4


class Engine(Enumerating):
    """The calculator at work; see `Engine` of `na64.limits.calculators.protocol`.

    Large ensembles that are staircases (`na64.limits.calculators.staircase`) are not enumerated.
    """

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where CLs is alpha."""
        alone = self.closed_form()
        if not alone.any():
            return super().limits(alpha, observed=observed, expected=expected)
        if observed:
            refuse_fractions(self.counts)
        masses = np.flatnonzero(~alone)
        if len(masses):
            self.refuse_unseen(masses, expected=expected)
        wanted = (observed, *[expected] * len(BAND_ORDER))
        upper = tuple(Roots.empty(len(self.batch)) if want else None for want in wanted)
        for mass in np.flatnonzero(alone).tolist():
            fill_in(self._staircase(mass), mass, alpha, upper)
        if len(masses):
            others = self._enumerated(masses).limits(alpha, observed=observed, expected=expected)
            for roots, some in zip(upper, others.upper, strict=True):
                if roots is not None and some is not None:
                    roots.put(masses, some)
        return Edges(upper)

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return CLs."""
        alone = self.closed_form()
        if not alone.any():
            return super().p_values(nu, mass, expected=expected)
        refuse_fractions(self.counts)
        found = np.full((6, len(nu)), np.nan)
        for one in np.intersect1d(np.flatnonzero(alone), mass).tolist():
            staircase = self._staircase(one)
            for i in np.flatnonzero(mass == one).tolist():
                found[:, i] = staircase.cls_values(float(nu[i]), expected)
        masses, rest = np.flatnonzero(~alone), np.flatnonzero(~alone[mass])
        if len(rest):
            place = np.cumsum(~alone) - 1
            seen, bands = self._enumerated(masses).p_values(
                nu[rest], place[mass[rest]], expected=expected
            )
            found[0, rest], found[1:, rest] = seen, bands
        return found[0], found[1:]

    def closed_form(self) -> NDArray[np.bool_]:
        """Tell which masses need no enumeration, shape (M,)."""
        return has_staircase(self.batch, self.counts, self.sizes)

    def _staircase(self, mass: int) -> Staircase:
        return Staircase(self.batch.take(np.array([mass])), self.counts, self.settings.tolerance)

    def _enumerated(self, masses: Index) -> Engine:
        part = Engine(self.settings, self.batch.take(masses), self.counts)
        part._sizes = self.sizes[masses]
        return part

    def part_limits(
        self, ensemble: Enumeration, alpha: float, observed: bool, expected: bool
    ) -> Edges:
        """Return where CLs is alpha."""
        return _Part(ensemble, self.settings.tolerance).limits(alpha, observed, expected)

    def part_p_values(self, ensemble: Enumeration, nu: Array, mass: Index, expected: bool) -> Array:
        """Return CLs."""
        return _Part(ensemble, self.settings.tolerance).cls_values(nu, mass, expected)


class _Part:
    """CLs of masses with events in the same bins."""

    def __init__(self, ensemble: Enumeration, tolerance: float) -> None:
        self.ensemble, self.tolerance, self.enough = ensemble, tolerance, np.inf

    def _tail_at(
        self, nu: Array, mass: Index, level: Array | None, memory: Memory, which: Index
    ) -> tuple[Tail, Array]:
        """Return the tail of the observed data (level None) or of a band, and ln CLs.

        Expected values above `enough` may be some other value above it.
        """
        rates, q, converged = self.ensemble.signal_rates(nu, mass)
        known = memory.recall(which)
        if level is None:
            tail = self.ensemble.tail(nu, mass, rates, threshold=q, known=known)
        else:
            tail = self.ensemble.tail(nu, mass, rates, level=level, known=known, enough=self.enough)
        memory.store(which, tail)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log(tail.signal) - np.log(tail.background)
        value = np.where(tail.certain, 0.0, value)
        return tail, np.where(converged & ~tail.failed, value, np.nan)

    def cls_values(self, nu: Array, mass: Index, expected: bool) -> Array:
        """Return the observed CLs and the five expected ones, NaN if not asked, shape (6, N)."""
        self.ensemble.check_whole()
        every, memory = np.arange(len(nu)), Memory(len(nu))
        found = np.full((6, len(nu)), np.nan)
        found[0] = np.exp(self._tail_at(nu, mass, None, memory, every)[1])
        if expected:
            for i, levels in enumerate(self.ensemble.levels(), start=1):
                found[i] = np.exp(self._tail_at(nu, mass, levels[mass], memory, every)[1])
        return found

    def limits(self, alpha: float, observed: bool, expected: bool) -> Edges:
        """Return where CLs is alpha."""
        ensemble = self.ensemble
        self.enough = alpha
        answer: list[Roots | None] = [None] * 6
        guess = np.log(first_guess(ensemble.batch, ensemble.counts, ensemble.background_rates))
        every = np.arange(len(guess))
        if observed:
            ensemble.check_whole()
            answer[0] = self._solve(every, guess, alpha, None)
        if expected:
            levels = self.ensemble.levels()
            roots, before = Roots.empty(len(guess)), np.full(len(guess), np.nan)
            for i, level in enumerate(levels):
                new = np.flatnonzero(level != before)
                last, roots = roots.x, roots.take(every)
                if len(new):
                    start = guess + 0.2 * max(i - 2, 0)
                    roots.put(new, self._solve(new, start, alpha, level))
                    self._at_least(last, roots, alpha, level)
                answer[i + 1], before = roots, level
        return Edges(tuple(answer))

    def _at_least(self, last: Array, roots: Roots, alpha: float, level: Array) -> None:
        """Look again, from `last` upwards, for bands that came out below the one before."""
        below = np.flatnonzero(roots.x < last)
        if not len(below):
            return
        memory = Memory(len(below))

        def log_ratio(position: Array, which: Index) -> Array:
            some = below[which]
            _, value = self._tail_at(np.exp(position), some, level[some], memory, which)
            return value - math.log(alpha)

        every, begin = np.arange(len(below)), last[below]
        # CLs of this band is above that of the one before, which is alpha up to the tolerance
        roots.x[below] = begin
        value = log_ratio(begin, every)
        roots.state[below[np.isnan(value)]] = FAILED
        roots.x[below[np.isnan(value)]] = np.nan
        above = np.flatnonzero(value > _SOLVED)
        if len(above):
            found = find_roots(
                lambda x, which: log_ratio(x, above[which]),
                begin[above],
                begin[above] + 0.05,
                tolerance=self.tolerance,
            )
            roots.put(below[above], found)

    def _solve(self, masses: Index, guess: Array, alpha: float, level: Array | None) -> Roots:
        """Solve CLs = alpha for some masses, in blocks that bound the memory."""
        roots = Roots.empty(len(guess))
        together = _MASSES_TOGETHER[len(self.ensemble.varied) > _FEW_BINS]
        for first in range(0, len(masses), together):
            some = masses[first : first + together]
            roots.put(some, self._solve_block(some, guess[some], 0.3, alpha, level))
            limits_found(len(some))
        return roots.take(masses)

    def _solve_block(
        self, mass: Index, guess: Array, half: float, alpha: float, level: Array | None
    ) -> Roots:
        """Solve CLs = alpha for a few masses.

        With the set of datasets kept as it is, CLs is smooth and costs one fit: its root is
        found, the set is built again there, and when it is the same the root is the answer.
        Where the set keeps changing (CLs jumps) the full CLs is bracketed.
        """
        n = len(mass)
        memory = Memory(n)
        x, state = guess.copy(), np.full(n, BRACKETED, dtype=np.int8)
        members: list[Index] = [np.empty(0, dtype=np.intp)] * n
        open_ = np.arange(n)
        unsolved: list[int] = []
        for _ in range(_FROZEN_ROUNDS):
            tail, value = self._tail_at(
                np.exp(x[open_]),
                mass[open_],
                None if level is None else level[mass[open_]],
                memory,
                open_,
            )
            now = tail.members(len(open_))
            failed = np.isnan(value)
            state[open_[failed]] = FAILED
            same = np.array(
                [np.array_equal(members[w], now[i]) for i, w in enumerate(open_.tolist())]
            )
            for i, w in enumerate(open_.tolist()):
                members[w] = now[i]
            # at qtilde = 0 all datasets are in the set: nothing has been visited, CLs is one
            wide = ~failed & tail.certain
            solved = same & ~wide & (np.abs(value - math.log(alpha)) < _SOLVED)
            again = ~failed & ~solved
            x[open_[wide]] += math.log(2.0)
            todo = np.flatnonzero(again & ~wide)
            if len(todo):
                roots = self._frozen_roots(
                    x[open_[todo]],
                    mass[open_[todo]],
                    [now[i] for i in todo],
                    np.log(tail.background[todo]) + math.log(alpha),
                )
                good = roots.state == BRACKETED
                x[open_[todo[good]]] = roots.x[good]
                unsolved += open_[todo[~good]].tolist()
                again[todo[~good]] = False
            open_ = open_[again]
            if not len(open_):
                break
        open_ = np.union1d(open_, np.array(unsolved, dtype=np.intp))
        if not len(open_):
            return Roots(np.where(state == BRACKETED, x, np.nan), state)

        def log_ratio(position: Array, which: Index) -> Array:
            some = open_[which]
            _, value = self._tail_at(
                np.exp(position),
                mass[some],
                None if level is None else level[mass[some]],
                memory,
                some,
            )
            return value - math.log(alpha)

        low, high = guess[open_] - half, guess[open_] + half
        roots = find_roots(log_ratio, low, high, tolerance=self.tolerance)
        x[open_], state[open_] = roots.x, roots.state
        return Roots(np.where(state == BRACKETED, x, np.nan), state)

    def _frozen_roots(
        self, x: Array, mass: Index, members: list[Index], log_wanted: Array
    ) -> Roots:
        """Find where the probability of given sets of datasets takes given values."""
        number = np.concatenate(members)
        problem = np.repeat(np.arange(len(members)), [len(m) for m in members])
        first = np.searchsorted(problem, np.arange(len(members) + 1))

        def excess(position: Array, which: Index) -> Array:
            rates, _, converged = self.ensemble.signal_rates(np.exp(position), mass[which])
            rows = np.concatenate([np.arange(first[w], first[w + 1]) for w in which.tolist()])
            of = np.repeat(np.arange(len(which)), first[which + 1] - first[which])
            probability = np.exp(self.ensemble.lattice.log_probability(number[rows], rates[:, of]))
            with np.errstate(divide="ignore"):
                value = np.log(sums(of, probability, len(which))) - log_wanted[which]
            return np.where(converged, value, np.nan)

        return find_roots(excess, x - 0.1, x + 0.1, tolerance=_FROZEN_TOLERANCE)
