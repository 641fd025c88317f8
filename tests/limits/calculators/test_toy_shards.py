"""Toys in shards: their sum is one run, whoever threw them; CLs is that of the exact ensemble."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from na64.limits.calculators.datasets import TIE, background_fit, free_fits, qtilde
from na64.limits.calculators.limits import cls_values
from na64.limits.calculators.pseudodata import ThrownCls
from na64.limits.calculators.registry import Exact, Toys
from na64.limits.calculators.shards import ShardedToys
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.tallies import CELLS, Tally, ToyCounts, cls_of
from na64.limits.calculators.toys import Engine
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import InputError

NU = np.array([1.0, 3.0])
#: share of the toys without a signal beyond each band
BEYOND = stats.norm.cdf(BAND_ORDER)


@pytest.fixture(scope="module")
def batch(counting):
    return compile_workspace(counting(observed=(0, 1, 0)), validate=False).batch()


def sharded(batch, ensemble: str = "aux-fixed", seed: int = 4) -> ShardedToys:
    return ShardedToys(
        batch,
        NU,
        np.zeros(len(NU), dtype=np.intp),
        batch.likelihood.observed,
        seed=seed,
        ensemble=ensemble,
    )


def summed(shards: list[ToyCounts]) -> ToyCounts:
    total = shards[0]
    for shard in shards[1:]:
        total = total + shard
    return total


def written(counts: ToyCounts) -> dict[str, Any]:
    return counts.to_dict()


def one_run(batch, ensemble: str, seed: int, sizes: list[int]) -> list[ThrownCls]:
    """All toys of some shards at once, from the seeds, without the code of shards.

    Every hypothesis has all its uniform numbers side by side, and all its toys are fitted together.
    """
    engine = Engine(Toys(toys=1, seed=seed, ensemble=ensemble), batch, batch.likelihood.observed)
    bits = int(np.float64(batch.keys[0]).view(np.uint64))
    zero, counts = np.array([0]), batch.likelihood.observed
    answer = []
    for nu in NU.tolist():
        points = batch.points(zero, counts[:, None])
        fit = engine.fitter.fit(points, np.array([nu]), free_signal=False)
        rates = engine.evaluator.rates(fit.theta, np.array([nu]), points.signal)[:, 0]
        q_observed = 2.0 * (fit.value[0] - engine.free.value[0]) * (engine.free.nu[0] <= nu)
        hypotheses = []
        for child, (lam, theta) in enumerate(
            (
                (rates, fit.theta[:, 0]),
                (engine.background_rates[:, 0], engine.background.theta[:, 0]),
            )
        ):
            parts = []
            shards = np.random.SeedSequence(seed, spawn_key=(bits, 3)).spawn(len(sizes))
            for root, size in zip(shards, sizes, strict=True):
                generator = np.random.default_rng(root.spawn(2)[child])
                uniform = generator.random((size, len(lam)))
                n = np.asarray(stats.poisson.ppf(uniform, lam))
                normal = np.zeros((size, len(theta)))
                if ensemble == "aux-fluctuated":
                    more = np.random.default_rng(generator.spawn(1)[0].bit_generator)
                    normal = theta + more.standard_normal((size, len(theta)))
                parts.append((n.T, normal.T))
            data = np.concatenate([n for n, _ in parts], axis=1)
            auxiliary = None
            if ensemble == "aux-fluctuated":
                auxiliary = np.concatenate([a for _, a in parts], axis=1)
            same = np.zeros(data.shape[1], dtype=np.intp)
            without = background_fit(batch, data, auxiliary, same)
            free = free_fits(batch, same, data, without, auxiliary)
            some = batch.points(same, data, auxiliary)
            strength = np.full(len(same), nu)
            start = np.repeat(theta[:, None], len(same), axis=1)
            fixed = engine.fitter.fit(some, strength, free_signal=False, start=start)
            hypotheses.append(qtilde(batch, some, strength, fixed, free.value, free.nu))
        signal, background = hypotheses
        answer.append(
            ThrownCls(
                q_observed, signal, np.ones(len(signal)), background, np.ones(len(background))
            )
        )
    return answer


@pytest.mark.parametrize(("ensemble", "size"), [("aux-fixed", 2000), ("aux-fluctuated", 250)])
def test_the_sum_of_shards_is_one_run_with_the_same_seeds(batch, ensemble, size):
    sizes = [size, size, size, size // 3]
    toys = sharded(batch, ensemble)
    total = summed([toys.shard(i, n) for i, n in enumerate(sizes)])
    assert total.shards == ((0, 4),)
    found = cls_of(total)
    for i, one in enumerate(one_run(batch, ensemble, 4, sizes)):
        assert total.signal[i].thrown == len(one.signal) == sum(sizes)
        assert total.signal[i].above == np.sum(one.signal >= one.q_observed - TIE)
        assert total.background[i].above == np.sum(one.background >= one.q_observed - TIE)
        # from whole numbers, so the same to the last bit but for the order of two divisions
        assert found.observed[i] == pytest.approx(one.observed(), rel=1e-14)
        off = np.abs(found.expected[:, i] / one.expected() - 1.0)
        if ensemble == "aux-fixed":  # every value of qtilde has a cell of its own
            assert np.all(off < 1e-12)
        else:  # a cell at 4 standard deviations or less, and one toy of those beyond the band
            assert np.all(off < 5.0 / CELLS + 1.0 / (sum(sizes) * BEYOND))


def test_whoever_throws_a_shard_gets_the_same_and_the_order_does_not_matter(batch):
    shards = [sharded(batch, "aux-fluctuated").shard(i, 100) for i in range(4)]
    again = sharded(batch, "aux-fluctuated")
    others = [again.shard(i, 100) for i in (3, 1, 0, 2)]
    assert written(summed(others)) == written(summed(shards))
    # strengths that are thrown together do not change one another
    alone = ShardedToys(
        batch,
        NU[1:],
        np.array([0]),
        batch.likelihood.observed,
        seed=4,
        ensemble="aux-fluctuated",
    ).shard(2, 100)
    assert alone.signal[0].to_dict() == shards[2].signal[1].to_dict()
    assert written(sharded(batch, "aux-fluctuated", seed=5).shard(0, 100)) != written(shards[0])


def test_no_toy_counts_twice(batch):
    toys = sharded(batch)
    first = toys.shard(0, 50)
    with pytest.raises(InputError, match="shard 0 is there twice"):
        _ = first + toys.shard(0, 50)
    other = ShardedToys(batch, NU + 1.0, np.zeros(2, dtype=np.intp), batch.likelihood.observed)
    with pytest.raises(InputError, match="other data or strengths"):
        _ = first + other.shard(1, 50)


def test_a_hundred_thousand_toys_are_the_exact_ensemble(batch):
    """Within three stated errors at each strength; and the bands where they are not between two."""
    toys = sharded(batch, seed=1)
    found = cls_of(summed([toys.shard(i) for i in range(10)]))
    assert found.toys.tolist() == [100_000, 100_000]
    exact = cls_values(batch, NU[:, None] / batch.events, calculator=Exact(), expected=True)
    assert exact.expected is not None
    assert np.all(np.abs(found.observed - exact.observed[:, 0]) < 3.0 * found.error)
    assert np.all(found.error < 0.02 * found.observed)
    off = np.abs(found.expected - exact.expected[:, :, 0])
    # datasets at -2 sigma are few: the quantile may be a neighbour's
    assert np.all(off[1:] < 3.0 * found.expected_error[1:] + 1e-9)


def test_the_stated_error_is_that_of_repetitions(counting):
    """Pulls of 100 shards: their spread is one, their mean zero."""
    batch = compile_workspace(
        counting((2.0,), (0.2,), (1.0,), observed=(1,)), validate=False
    ).batch()
    nu = np.array([4.0])
    exact = cls_values(batch, nu, calculator=Exact()).observed[0]
    toys = ShardedToys(batch, nu, np.array([0]), batch.likelihood.observed)
    found = [cls_of(toys.shard(i, 500), bands=False) for i in range(100)]
    pulls = np.array([(each.observed[0] - exact) / each.error[0] for each in found])
    # errors of a mean and of a standard deviation of 100: 0.1 and 0.071; three of them
    assert abs(pulls.mean()) < 0.3
    assert abs(pulls.std() - 1.0) < 0.21


def test_an_error_is_never_zero():
    none = Tally(0, 0, np.array([0]), np.array([1000]))
    some = Tally(300, 0, np.array([0, 2000]), np.array([700, 300]))
    found = cls_of(ToyCounts(((0, 1),), np.array([2.0]), (none,), (some,)))
    assert found.observed[0] == 0.0
    assert found.error[0] == pytest.approx(1.0 / 1001.0 / 0.3, rel=2e-3)
    assert np.all(found.expected_error[:1] > 0.0)


def test_failed_fits_make_cls_larger_and_too_many_are_refused():
    signal = Tally(99, 10, np.array([0, 3000]), np.array([891, 99]))
    background = Tally(500, 5, np.array([0, 3000]), np.array([495, 500]))
    found = cls_of(ToyCounts(((0, 1),), np.array([4.0]), (signal,), (background,)))
    assert found.observed[0] == pytest.approx((109 / 1000) / (500 / 1000))
    assert found.failed[0] == 15
    worse = Tally(99, 11, np.array([0, 3000]), np.array([890, 99]))
    found = cls_of(ToyCounts(((0, 1),), np.array([4.0]), (worse,), (background,)))
    assert math.isnan(found.observed[0])
    assert np.all(np.isnan(found.expected))


def test_where_no_background_toy_is_as_extreme_cls_is_not_known():
    tally = Tally(0, 0, np.array([0]), np.array([100]))
    found = cls_of(ToyCounts(((0, 1),), np.array([9.0]), (tally,), (tally,)))
    assert math.isnan(found.observed[0])
    assert math.isnan(found.error[0])


TALLIES = st.builds(
    lambda cells, above, failed: Tally(
        above,
        failed,
        np.array(sorted(cells), dtype=np.int64),
        np.array([cells[c] for c in sorted(cells)], dtype=np.int64),
    ),
    st.dictionaries(st.integers(0, 9), st.integers(1, 5), max_size=6),
    st.integers(0, 5),
    st.integers(0, 5),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TALLIES, min_size=3, max_size=3), st.permutations([0, 1, 2]))
def test_sums_are_associative_and_commutative(tallies, order):
    a, b, c = (
        ToyCounts(((i, i + 1),), np.array([1.0]), (tally,), (tally,))
        for i, tally in zip(order, tallies, strict=True)
    )
    assert written((a + b) + c) == written(a + (b + c)) == written(c + (a + b))
    assert written(a + b) == written(b + a)
    assert written(ToyCounts.from_dict(written(a + c))) == written(a + c)
    assert (a + b + c).signal[0].thrown == sum(tally.thrown for tally in tallies)


@pytest.mark.parametrize(
    ("nu", "words"),
    [([0.0], "positive"), ([math.nan], "positive"), ([1e13], "up to 1e\\+12"), ([], "list")],
)
def test_strengths_that_are_not_allowed(batch, nu, words):
    with pytest.raises(InputError, match=words):
        ShardedToys(
            batch, np.array(nu), np.zeros(len(nu), dtype=np.intp), batch.likelihood.observed
        )
