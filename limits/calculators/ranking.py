"""Masses by ensembles of enumerated counts, and all counts ranked by q0 for discoveries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.budget import (
    is_surely_too_large,
    mass_blocks_of,
    row_parts,
    too_large,
)
from na64.limits.calculators.datasets import TIE
from na64.limits.calculators.ensemble_size import (
    background_rates,
    ensemble_sizes,
    same_bins,
    structure_of,
)
from na64.limits.calculators.enumeration import Enumeration
from na64.limits.calculators.roots import Edges, Roots
from na64.limits.likelihood.compiled import SignalBatch
from na64.models.errors import InputError

__all__ = ["Enumerating"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: a branch of datasets is left out when its probability under the background is below this; it
#: bounds the error of the smallest p-values
_CUT = 1e-13
#: and below this under signal + background, where only the median is wanted
_CUT_SIGNAL = 1e-6
#: probability under the background of the datasets that have to be visited at least: for a limit or
#: a p-value of the observed data, and for the bands, the quantiles of the background ensemble
_SOME, _MOST = 1e-3, 0.5


class Enumerating(ABC):
    """What calculators do alike that enumerate the counts; see `Engine`.

    Masses with events in the same bins share an ensemble; what is computed with one of them is
    for the calculator to say.
    """

    def __init__(self, settings: Any, batch: SignalBatch, counts: Array) -> None:
        self.settings, self.batch, self.counts = settings, batch, counts
        self._sizes: Array | None = None

    @property
    def sizes(self) -> Array:
        """Estimated sizes of the ensembles near the limits, shape (M,)."""
        if self._sizes is None:
            self._sizes = ensemble_sizes(self.batch, self.counts)
        return self._sizes

    @abstractmethod
    def part_limits(
        self, ensemble: Enumeration, alpha: float, observed: bool, expected: bool
    ) -> Edges:
        """Return the edges for the masses of an ensemble."""

    @abstractmethod
    def part_p_values(self, ensemble: Enumeration, nu: Array, mass: Index, expected: bool) -> Array:
        """Return observed and expected p-values of an ensemble, shape (6, N)."""

    def _ensemble(self, masses: Index) -> Enumeration:
        return Enumeration(self.batch.take(masses), self.counts, self.settings.max_datasets)

    def _blocks(self) -> list[Index]:
        """Return masses with signals in the same bins, few enough for the memory."""
        blocks = []
        for masses in same_bins(self.batch):
            _, varied = structure_of(self.batch, masses)
            blocks += mass_blocks_of(masses, self.sizes[masses], int(varied.sum()))
        return blocks

    def refuse_unseen(self, masses: Index, *, expected: bool) -> None:
        """Refuse ensembles that are too large for limits before any dataset is looked at.

        Parameters
        ----------
        masses
            Those that are to be enumerated.
        expected
            Whether bands are wanted, for which most of the background ensemble is visited.

        Raises
        ------
        EnsembleTooLargeError
            Naming the bins and the size.
        """
        some = self.batch.take(masses)
        largest, least = self.settings.max_datasets, _MOST if expected else _SOME
        every = background_rates(some, self.counts)
        for group in same_bins(some):
            _, varied = structure_of(some, group)
            own = every.shape[1] > 1  # backgrounds of masses with auxiliary data of their own
            for part in group[:, None] if own else [group]:
                estimate = float(self.sizes[masses[part]].max())
                rates = every[varied, part[0] if own else 0]
                if is_surely_too_large(estimate, rates, largest, least):
                    bins = [some.likelihood.bins[b] for b in np.flatnonzero(varied).tolist()]
                    raise too_large(bins, rates, self.counts[varied], largest, estimate)

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where the p-value is alpha."""
        n = len(self.batch)
        self.refuse_unseen(np.arange(n), expected=expected)
        upper = [Roots.empty(n) if want else None for want in (observed, *[expected] * 5)]
        lower = np.full(n, np.nan)
        for masses in self._blocks():
            found = self.part_limits(self._ensemble(masses), alpha, observed, expected)
            for roots, some in zip(upper, found.upper, strict=True):
                if roots is not None and some is not None:
                    roots.put(masses, some)
            if found.lower is not None:
                lower[masses] = found.lower
        return Edges(tuple(upper), lower if self.settings.two_sided and observed else None)

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return what is compared with alpha."""
        found = np.full((6, len(nu)), np.nan)
        place = np.empty(len(self.batch), dtype=np.intp)
        for masses in same_bins(self.batch):
            place[masses] = np.arange(len(masses))
            some = np.flatnonzero(np.isin(mass, masses))
            if len(some):
                ensemble = self._ensemble(masses)
                if expected:
                    ensemble.refuse_unseen(_MOST)
                found[:, some] = self.part_p_values(ensemble, nu[some], place[mass[some]], expected)
        return found[0], found[1:]

    def discovery_p_values(self, q0: Array) -> Array:
        """Return P(q0(n) >= q0 | background)."""
        answer = np.ones(len(q0))
        for masses in same_bins(self.batch):
            if np.any(q0[masses] > TIE):
                part, largest = self.batch.take(masses), self.settings.max_datasets
                answer[masses] = _Ranking(part, self.counts, largest).p_values(q0[masses])
        return answer

    def median_significance(self, theta: Array) -> Array:
        """Return the significance at the median of q0 with a signal."""
        answer = np.empty(len(self.batch))
        for masses in same_bins(self.batch):
            part, largest = self.batch.take(masses), self.settings.max_datasets
            answer[masses] = _Ranking(part, self.counts, largest).expected(theta[:, masses])
        return answer


class _Ranking:
    """All counts ranked by q0, least signal-like first."""

    def __init__(self, batch: SignalBatch, counts: Array, max_datasets: int) -> None:
        self.ensemble = Enumeration(batch, counts, max_datasets)
        self.ensemble.refuse_unseen(_SOME)
        self.batch, self.counts = batch, counts

    def p_values(self, q0: Array) -> Array:
        """Return P(q0(n) >= q0 | background), shape (M,)."""
        if np.any(self.counts != np.round(self.counts)):
            raise InputError(
                "the exact ensemble needs whole observed counts; asymptotic takes others"
            )
        answer = np.ones(len(q0))
        for mass in np.flatnonzero(q0 > TIE):
            below, _ = self._explore(int(mass), float(q0[mass]), None)
            answer[mass] = max(1.0 - below, 0.0)
        return answer

    def expected(self, theta: Array) -> Array:
        """Return the significance at the median of q0 with a signal of mu = 1."""
        rates = self.ensemble.evaluator.rates(theta, self.batch.events, self.batch.shape)
        answer = np.empty(len(self.batch))
        for mass in range(len(self.batch)):
            below, threshold = self._explore(mass, None, rates[:, mass : mass + 1])
            p_value = 1.0 if threshold <= TIE else max(1.0 - below, 0.0)
            answer[mass] = max(-float(special.ndtri(p_value)), 0.0)
        return answer

    def _explore(
        self, mass: int, threshold: float | None, signal: Array | None
    ) -> tuple[float, float]:
        """Return P(q0 < threshold | background) and the threshold.

        Without a threshold it is the median of q0 under the rates `signal`.
        """
        ensemble = self.ensemble
        lattice = ensemble.lattice
        without = ensemble.background_rates[:, [mass % ensemble.background_rates.shape[1]]]
        axes = np.arange(len(ensemble.varied))
        numbers = np.empty(0, dtype=np.intp)
        q0, below, of_signal = np.empty(0), np.empty(0), np.empty(0)
        followed = np.empty(0, dtype=bool)
        _, new = ensemble.seeds(without if signal is None else np.maximum(signal, without))
        limit = np.inf if threshold is None else threshold
        while len(new):
            new = new[np.argsort(lattice.order[new], kind="stable")]
            statistic = ensemble.cache.discovery(np.full(len(new), mass), new)
            if np.isnan(statistic).any():
                return np.nan, np.nan
            numbers = np.concatenate([numbers, new])
            q0 = np.concatenate([q0, statistic])
            probability = np.exp(lattice.log_probability(new, without))
            below = np.concatenate([below, probability])
            followed = np.concatenate([followed, np.zeros(len(new), dtype=bool)])
            if signal is not None:
                more = np.exp(lattice.log_probability(new, signal))
                of_signal = np.concatenate([of_signal, more])
                ranked = np.argsort(q0, kind="stable")
                summed = np.cumsum(of_signal[ranked])
                at = int(np.searchsorted(summed, 0.5))
                limit = float(q0[ranked[at]]) if at < len(ranked) else np.inf
            inside = q0 < limit - TIE
            # without monotony a dataset outside may have neighbours inside: follow all that matter
            todo = np.flatnonzero(~followed & (inside if ensemble.monotone else True))
            followed[todo] = True
            new = np.empty(0, dtype=np.intp)
            parents = numbers[todo]
            for part in row_parts(len(parents), len(axes) ** 2):
                children = self._children(parents[part], without, signal)
                new = np.union1d(new, np.setdiff1d(children, numbers))
                if len(numbers) + len(new) > ensemble.max_datasets:
                    raise ensemble.too_large()
        return float(below[q0 < limit - TIE].sum()), limit

    def _children(self, parents: Index, without: Array, signal: Array | None) -> Index:
        """Return the datasets with one more event in any bin that matter."""
        lattice, n_axes = self.ensemble.lattice, len(self.ensemble.varied)
        parent, axis = np.repeat(parents, n_axes), np.tile(np.arange(n_axes), len(parents))
        counts = lattice.counts[parent]
        counts[np.arange(len(parent)), axis] += 1
        matters = self._bound(counts, without) > _CUT
        if signal is not None:
            matters |= self._bound(counts, signal) > _CUT_SIGNAL
        return lattice.children(parent[matters], axis[matters])

    def _bound(self, counts: NDArray[np.int64], rates: Array) -> Array:
        """Return P(N_i >= n_i for all i)."""
        some = rates[self.ensemble.varied, 0]
        tail = np.where(counts > 0, special.gammainc(np.maximum(counts, 1), some), 1.0)
        return np.asarray(tail.prod(axis=1), dtype=np.float64)
