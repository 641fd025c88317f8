"""The calculator that chooses: exact where the ensemble can be enumerated, otherwise toys.

The size of an ensemble is estimated before any dataset is looked at
(`na64.limits.calculators.ensemble_size`). Where it is small enough, or the answer has a closed
form, the limit is that of the exact calculator, to the last bit. Everywhere else it comes from
pseudo-experiments of the same ensemble (`na64.limits.calculators.reweighted`), with a statistical
error and a note that names the size. A formula for large counts is never used. What is chosen for a
mass depends on that mass alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.budget import EnsembleTooLargeError
from na64.limits.calculators.datasets import TIE
from na64.limits.calculators.ensemble_size import ensemble_sizes, structure_of
from na64.limits.calculators.enumeration import refuse_fractions
from na64.limits.calculators.exact import Engine as ExactEngine
from na64.limits.calculators.reweighted import ReweightedToys, toys_for
from na64.limits.calculators.roots import Edges, Roots
from na64.limits.calculators.staircase import fill_in, has_staircase
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.toys import Engine as ToyEngine
from na64.limits.likelihood.compiled import SignalBatch

__all__ = ["Engine"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Answer = TypeVar("Answer")

#: names of the methods that are used
EXACT, TOYS = "exact", "toys"
#: estimated size over the largest allowed one up to which an ensemble is enumerated: what is
#: visited can exceed the estimate
_MARGIN: Final = 0.5


class Engine:
    """The calculator at work; see `Engine` of `na64.limits.calculators.protocol`."""

    def __init__(self, settings: Any, batch: SignalBatch, counts: Array) -> None:
        self.settings, self.batch, self.counts = settings, batch, counts
        self.sizes = ensemble_sizes(batch, counts)
        small = self.sizes <= _MARGIN * settings.max_datasets
        self.feasible = small | has_staircase(batch, counts, np.where(small, 0.0, self.sizes))
        self.toys = toys_for(batch, settings.toys)
        self.switched: set[int] = set()

    # -- the choice --------------------------------------------------------------------------

    def _exact(self, masses: Index) -> ExactEngine:
        return ExactEngine(self.settings, self.batch.take(masses), self.counts)

    def _try(
        self, masses: Index, ask: Callable[[ExactEngine, Index], Answer]
    ) -> tuple[list[tuple[Index, Answer]], list[int]]:
        """Ask the exact calculator; return its answers, and the masses that it refuses."""
        if not len(masses):
            return [], []
        try:
            return [(masses, ask(self._exact(masses), masses))], []
        except EnsembleTooLargeError:
            if len(masses) == 1:
                return [], masses.tolist()
        # one mass is too large: what the others get must not depend on it
        half = len(masses) // 2
        first, second = (self._try(part, ask) for part in (masses[:half], masses[half:]))
        return first[0] + second[0], first[1] + second[1]

    def _note(self, mass: int) -> str:
        _, varied = structure_of(self.batch.take(np.array([mass])), np.array([0]))
        return (
            f"{self.toys} toys instead of the exact ensemble, whose {varied.sum()} bins have of "
            f"the order of {self.sizes[mass]:.0e} datasets"
        )

    # -- limits ------------------------------------------------------------------------------

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where CLs is alpha, and the statistical error where toys were thrown."""
        n = len(self.batch)
        wanted = (observed, *[expected] * len(BAND_ORDER))
        upper = tuple(Roots.empty(n) if want else None for want in wanted)
        feasible = np.flatnonzero(self.feasible)
        refused = self._put_exact(feasible, alpha, observed, expected, upper)
        infeasible = np.flatnonzero(~self.feasible).tolist()
        thrown = {(True, False): set(infeasible), (False, True): set(infeasible)}
        for kind, masses in thrown.items():
            if kind == (observed, expected):
                masses.update(refused)
            elif observed and expected:  # as if each had been asked for by itself
                some = np.array(refused, dtype=np.intp)
                masses.update(self._put_exact(some, alpha, *kind, upper))
        return self._put_toys(alpha, upper, thrown)

    def _put_exact(
        self,
        masses: Index,
        alpha: float,
        observed: bool,
        expected: bool,
        upper: tuple[Roots | None, ...],
    ) -> list[int]:
        """Fill in what the exact calculator finds; return the masses that it refuses."""
        answers, refused = self._try(
            masses, lambda engine, _: engine.limits(alpha, observed=observed, expected=expected)
        )
        for some, edges in answers:
            for roots, found in zip(upper, edges.upper, strict=True):
                if roots is not None and found is not None:
                    roots.put(some, found)
        return refused

    def _put_toys(
        self,
        alpha: float,
        upper: tuple[Roots | None, ...],
        thrown: dict[tuple[bool, bool], set[int]],
    ) -> Edges:
        """Fill in from toys what is left, and say so."""
        n = len(self.batch)
        error, notes = np.full((len(upper), n), np.nan), [""] * n
        seen, bands = thrown[True, False], thrown[False, True]
        for mass in sorted(seen | bands):
            mine = tuple(
                roots if mass in (bands if place else seen) else None
                for place, roots in enumerate(upper)
            )
            if mine[0] is not None:
                refuse_fractions(self.counts)
            errors = fill_in(self._sampled(mass), mass, alpha, mine)
            for place, value in errors.items():
                error[place, mass] = value
            notes[mass] = self._note(mass) + _said(errors)
        used = tuple(
            tuple(TOYS if mass in some else EXACT for mass in range(n)) if asked else ("",) * n
            for some, asked in ((seen, upper[0] is not None), (bands, upper[1] is not None))
        )
        return Edges(
            upper,
            error=error,
            used=(used[0], used[1]),
            notes=tuple(notes),
        )

    def _sampled(self, mass: int) -> ReweightedToys:
        one = self.batch.take(np.array([mass]))
        return ReweightedToys(one, self.counts, self.toys, self.settings.seed)

    # -- p-values ----------------------------------------------------------------------------

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return CLs."""
        found = np.full((6, len(nu)), np.nan)
        toys = set(np.flatnonzero(~self.feasible).tolist())

        def ask(engine: ExactEngine, masses: Index) -> None:
            place = np.full(len(self.batch), -1, dtype=np.intp)
            place[masses] = np.arange(len(masses))
            some = np.flatnonzero(place[mass] >= 0)
            if len(some):
                seen, bands = engine.p_values(nu[some], place[mass[some]], expected=expected)
                found[0, some], found[1:, some] = seen, bands

        asked = np.intersect1d(np.flatnonzero(self.feasible), mass)
        _, refused = self._try(asked, ask)
        self.switched = toys | set(refused)
        for one in sorted(self.switched & set(mass.tolist())):
            refuse_fractions(self.counts)
            sampled = self._sampled(one)
            for i in np.flatnonzero(mass == one).tolist():
                found[:, i] = sampled.cls_values(float(nu[i]), expected)
        return found[0], found[1:]

    def discovery_p_values(self, q0: Array) -> Array:
        """Return the probability of at least q0 without a signal."""
        answer = np.ones(len(q0))
        some = np.flatnonzero(q0 > TIE)
        found, refused = self._try(
            some[self.feasible[some]], lambda engine, masses: engine.discovery_p_values(q0[masses])
        )
        for masses, values in found:
            answer[masses] = values
        self.switched = set(some[~self.feasible[some]].tolist()) | set(refused)
        for mass in sorted(self.switched):
            p_value = self._thrown(mass).discovery_p_values(q0[[mass]])[0]
            answer[mass] = max(p_value, 1.0 / self.toys)
        return answer

    def _thrown(self, mass: int) -> ToyEngine:
        """Return toys of one signal, with a key that depends on nothing but the seed."""
        one = replace(self.batch.take(np.array([mass])), keys=np.zeros(1))
        return ToyEngine(replace(self.settings, toys=self.toys), one, self.counts)

    def median_significance(self, theta: Array) -> Array:
        """Return that of the enumerated ensemble, or of toys where it is too large."""
        answer = np.empty(len(self.batch))
        found, refused = self._try(
            np.flatnonzero(self.feasible),
            lambda engine, masses: engine.median_significance(theta[:, masses]),
        )
        for masses, values in found:
            answer[masses] = values
        for mass in [*np.flatnonzero(~self.feasible).tolist(), *refused]:
            answer[mass] = self._thrown(mass).median_significance(theta[:, [mass]])[0]
        return answer

    def methods(self, masses: Index) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which method gave the last p-values of some masses, and notes."""
        used = tuple(TOYS if mass in self.switched else EXACT for mass in masses.tolist())
        notes = tuple(self._note(mass) if mass in self.switched else "" for mass in masses.tolist())
        return used, notes


def _said(errors: dict[int, float]) -> str:
    """Say how large the statistical errors are."""
    words = []
    if 0 in errors:
        words.append(f"{100.0 * errors[0]:.2g} % of the observed limit")
    bands = [error for place, error in errors.items() if place]
    if bands:
        words.append(f"at most {100.0 * max(bands):.2g} % of the expected ones")
    return f"; statistical error {', '.join(words)}" if words else ""
