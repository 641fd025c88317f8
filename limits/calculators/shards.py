"""Toys in shards: pseudo-experiments thrown apart, whose counts add up exactly.

A shard is a number of toys with random numbers of its own, spawned from the seed, the key of the
mass and the number of the shard. Whoever throws it gets the same counts, and the sum of the counts
of shards 0 to n - 1 is what one run with these seeds gives; see `na64.limits.calculators.tallies`.
Within a shard all signal strengths of a mass use the same random numbers, and the same background
toys, as in `na64.limits.calculators.toys`: their errors are correlated.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.datasets import impossible_masses
from na64.limits.calculators.equivalence import on_merged_bins
from na64.limits.calculators.pseudodata import Ensemble, Minima
from na64.limits.calculators.registry import Toys
from na64.limits.calculators.roots import CEILING
from na64.limits.calculators.tallies import Tally, ToyCounts
from na64.limits.calculators.toys import Engine
from na64.limits.likelihood.compiled import SignalBatch
from na64.models.errors import ComputationError, InputError

__all__ = ["SHARD", "ShardedToys"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: toys of a shard
SHARD: Final = 10_000
#: child of a mass's seeds that shards are spawned from; the first three are the calculator's
_CHILD: Final = 3
#: numbers of pseudo-data, of all strengths together, that are fitted at once
_TOGETHER: Final = 4_000_000
#: no toys yet
_NOTHING: Final = Tally(0, 0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


class _Shard(Engine):
    """The calculator at work with the random numbers of one shard."""

    number: int = 0

    def _root(self, mass: int) -> np.random.SeedSequence:
        own = super()._root(mass)
        return np.random.SeedSequence(own.entropy, spawn_key=(*own.spawn_key, _CHILD, self.number))


class ShardedToys:
    """Toys at N strengths of some masses, shard by shard.

    Parameters
    ----------
    batch
        Signals of M masses.
    nu, mass
        Signal events, positive, and the index of the mass, shape (N,).
    counts
        Observed counts, shape (B,).
    seed
        Of the random numbers, not negative.
    ensemble
        As of `na64.limits.calculators.registry.Toys`.

    Raises
    ------
    InputError
        For a mass without signal or with data that no rate allows, strengths that are not positive
        or give more than 1e12 events, and rates of which no toys are thrown.
    ComputationError
        If a fit to the data does not converge.
    """

    def __init__(
        self,
        batch: SignalBatch,
        nu: Array,
        mass: Index,
        counts: Array,
        *,
        seed: int = 1,
        ensemble: str = "aux-fixed",
    ) -> None:
        self.nu, self.mass = np.asarray(nu, dtype=np.float64), np.asarray(mass, dtype=np.intp)
        self._check(batch, counts)
        self._numbers = len(batch.likelihood.bins) + len(batch.likelihood.parameter_names)
        settings = Toys(toys=1, seed=seed, ensemble=ensemble)
        self._engines: dict[int, _Shard] = {}
        for one in np.unique(self.mass).tolist():
            engine = on_merged_bins(_Shard, settings, batch.take(np.array([one])), counts)
            if not isinstance(engine, _Shard):
                raise AssertionError("one mass has one engine")
            self._engines[one] = engine

    def _check(self, batch: SignalBatch, counts: Array) -> None:
        nu = self.nu
        if nu.ndim != 1 or not len(nu) or nu.shape != self.mass.shape:
            raise InputError("`nu` must be a list of signal events, with a mass for each")
        if not (np.all(np.isfinite(nu)) and np.all(nu > 0.0)):
            raise InputError(f"signal events must be positive and finite, one is {np.min(nu):g}")
        if np.max(nu) > math.exp(CEILING):
            raise InputError(
                f"strengths are looked at up to {math.exp(CEILING):.0e} signal events, and one "
                f"gives {np.max(nu):.3g}"
            )
        problems = impossible_masses(batch, counts)
        for one in np.unique(self.mass).tolist():
            if batch.events[one] <= 0.0:
                raise InputError("no signal event is expected at any strength")
            if problems[one]:
                raise InputError(problems[one])

    def shard(self, number: int, toys: int = SHARD) -> ToyCounts:
        """Throw one shard.

        Parameters
        ----------
        number
            Of the shard, not negative. With fewer toys it has the first ones of the whole.
        toys
            How many to throw, at least 1.
        """
        if number < 0 or toys < 1:
            raise InputError(f"a shard has a number from 0 on and toys, not {number} and {toys}")
        n = len(self.nu)
        q = np.empty(n)
        signal, background = [_NOTHING] * n, [_NOTHING] * n
        together = max(_TOGETHER // (2 * toys * self._numbers), 1)
        for one, engine in self._engines.items():
            engine.number = number
            here = np.flatnonzero(self.mass == one)
            cache: dict[tuple[int, int], tuple[Ensemble, Minima]] = {}
            for first in range(0, len(here), together):
                some = here[first : first + together]
                zero = np.zeros(len(some), dtype=np.intp)
                found = engine.evaluate(self.nu[some], zero, toys, cache)
                for i, each in zip(some.tolist(), found, strict=True):
                    if math.isnan(each.q_observed):
                        raise ComputationError(
                            f"the fit to the data with {self.nu[i]:g} signal events did not "
                            f"converge: no toys"
                        )
                    q[i] = each.q_observed
                    signal[i] = Tally.of(each.signal, each.signal_weight, q[i])
                    background[i] = Tally.of(each.background, each.background_weight, q[i])
        return ToyCounts(((number, number + 1),), q, tuple(signal), tuple(background))
