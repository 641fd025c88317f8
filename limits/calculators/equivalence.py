"""Any calculator on the fewest bins: those that are equivalent for a signal are merged first.

See `na64.limits.likelihood.merging`, where it is shown to change nothing but the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.protocol import Choosing, Engine
from na64.limits.calculators.roots import Edges, Roots
from na64.limits.calculators.throwing import check_data
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.merging import equivalent_bins, merge_bins

__all__ = ["on_merged_bins"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def on_merged_bins(
    engine: Callable[[Any, SignalBatch, Array], Engine],
    settings: Any,
    batch: SignalBatch,
    counts: Array,
) -> Engine:
    """Return a calculator at work on merged bins, or by itself where no bins are equivalent.

    Parameters
    ----------
    engine
        The calculator's `Engine`.
    settings, batch, counts
        What it is made of. Counts that are no whole numbers are not added to others: what sums
        to a whole number is no count.

    Raises
    ------
    InputError
        For backgrounds and counts that are so large that there are no ensembles of them.
    """
    check_data(batch, counts)
    parts = equivalent_bins(batch)
    merged = any(len(group) > 1 for _, groups in parts for group in groups)
    if not merged or _hides_fractions(counts, [groups for _, groups in parts]):
        return engine(settings, batch, counts)
    engines = []
    for masses, groups in parts:
        some, sums = merge_bins(batch.take(masses), counts, groups)
        engines.append((masses, engine(settings, some, sums)))
    return engines[0][1] if len(engines) == 1 else _Apart(len(batch), engines)


def _hides_fractions(counts: Array, every: list[tuple[tuple[int, ...], ...]]) -> bool:
    for groups in every:
        for group in groups:
            some = counts[list(group)]
            total = some.sum()
            if np.any(some != np.round(some)) and total == np.round(total):
                return True
    return False


class _Apart:
    """Engines for different masses as one."""

    def __init__(self, n: int, engines: list[tuple[Index, Engine]]) -> None:
        self.n, self.engines = n, engines

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where the p-value is alpha."""
        parts = [
            (masses, engine.limits(alpha, observed=observed, expected=expected))
            for masses, engine in self.engines
        ]
        upper: list[Roots | None] = []
        for place in range(len(parts[0][1].upper)):
            roots = Roots.empty(self.n)
            some = [(masses, edges.upper[place]) for masses, edges in parts]
            for masses, found in some:
                if found is not None:
                    roots.put(masses, found)
            upper.append(None if any(found is None for _, found in some) else roots)
        used, notes = [[""] * self.n, [""] * self.n], [""] * self.n
        for masses, edges in parts:
            for i, mass in enumerate(masses.tolist()):
                for row, names in enumerate(edges.used or ()):
                    used[row][mass] = names[i]
                notes[mass] = edges.notes[i] if edges.notes else ""
        chosen = all(edges.used is not None for _, edges in parts)
        return Edges(
            tuple(upper),
            self._joined([(masses, edges.lower) for masses, edges in parts]),
            self._joined([(masses, edges.error) for masses, edges in parts]),
            (tuple(used[0]), tuple(used[1])) if chosen else None,
            tuple(notes) if chosen else None,
        )

    def _joined(self, parts: list[tuple[Index, Array | None]]) -> Array | None:
        if all(values is None for _, values in parts):
            return None
        rows = next(values.shape[:-1] for _, values in parts if values is not None)
        answer = np.full((*rows, self.n), np.nan)
        for masses, values in parts:
            if values is not None:
                answer[..., masses] = values
        return answer

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return what is compared with alpha."""
        observed, bands = np.full(len(nu), np.nan), np.full((5, len(nu)), np.nan)
        place = np.full(self.n, -1, dtype=np.intp)
        for masses, engine in self.engines:
            place[:] = -1
            place[masses] = np.arange(len(masses))
            some = np.flatnonzero(place[mass] >= 0)
            if len(some):
                observed[some], bands[:, some] = engine.p_values(
                    nu[some], place[mass[some]], expected=expected
                )
        return observed, bands

    def discovery_p_values(self, q0: Array) -> Array:
        """Return the probability of at least q0 without a signal."""
        answer = np.ones(self.n)
        for masses, engine in self.engines:
            answer[masses] = engine.discovery_p_values(q0[masses])
        return answer

    def median_significance(self, theta: Array) -> Array:
        """Return the median significance of a signal of mu = 1."""
        answer = np.empty(self.n)
        for masses, engine in self.engines:
            answer[masses] = engine.median_significance(theta[:, masses])
        return answer

    def methods(self, masses: Index) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which method gave the last p-values of some masses, and why."""
        used, notes = [""] * self.n, [""] * self.n
        for mine, engine in self.engines:
            if isinstance(engine, Choosing):
                names, said = engine.methods(np.arange(len(mine)))
                for mass, name, note in zip(mine.tolist(), names, said, strict=True):
                    used[mass], notes[mass] = name, note
        some = masses.tolist()
        return tuple(used[mass] for mass in some), tuple(notes[mass] for mass in some)
