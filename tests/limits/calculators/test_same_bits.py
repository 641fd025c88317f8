"""A mass has the same limits, to the last bit, alone, with others, and in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import (
    CALCULATORS,
    Asymptotic,
    Auto,
    Bayesian,
    Exact,
    FeldmanCousins,
    Toys,
)
from na64.limits.likelihood.compiled import compile_workspace

CHOSEN = [
    Exact(),
    Asymptotic(),
    Toys(toys=60, seed=4),
    Toys(toys=60, ensemble="aux-fluctuated"),
    FeldmanCousins(),
    Bayesian(samples=64, max_datasets=20, toys=8),
    Auto(max_datasets=60, toys=1000),
]
MASSES = 8
KEYS = np.geomspace(1e-3, 1.0, MASSES)


def _signals(bins: int) -> np.ndarray:
    """Signals of different shapes; two are equal but for rounding, two miss a bin."""
    signals = np.random.default_rng(bins).dirichlet(np.ones(bins), MASSES)[:, None, :]
    signals[5] = signals[1] * (1.0 + 1e-15)
    if bins > 1:
        signals[2, 0, 0] = signals[6, 0, 1] = 0.0
    return signals


def _case(counting, number: int):
    """Return a likelihood with signals: a few bins; shared backgrounds; many bins and one."""
    if number == 0:
        spec = counting(observed=(0, 1, 0))
    elif number == 1:
        spec = counting(
            background=(0.7, 0.3), uncertainty=(0.4, 0.6), signal=(1, 1), observed=(2, 1)
        )
        for channel in spec["channels"]:
            channel["samples"][1]["modifiers"].append(
                {"name": "shared", "type": "normsys", "data": {"hi": 1.5, "lo": 1.0 / 1.5}}
            )
    else:
        spec = counting(
            background=(0.05,) * 7, uncertainty=(0.6,) * 7, signal=(1,) * 7, observed=(0,) * 7
        )
    return compile_workspace(spec, validate=False)


def _same(whole, part, where):
    for name in ("observed", "expected", "lower", "observed_error"):
        first, second = getattr(whole, name), getattr(part, name)
        if name == "observed_error" and second is None and first is not None:
            # none of these masses needed a method with noise
            assert np.isnan(first[..., where]).all()
            continue
        assert (first is None) == (second is None)
        if first is not None:
            np.testing.assert_array_equal(first[..., where], second)
    assert [whole.status[i] for i in where] == list(part.status)


@pytest.fixture(scope="module")
def whole(counting):
    """Return the limits of all masses, each made when first asked for."""
    made = {}

    def get(number, chosen):
        if (number, chosen) not in made:
            likelihood = _case(counting, number)
            batch = likelihood.inject(_signals(len(likelihood.bins)), KEYS)
            # bands of toys and of unified intervals take long and follow the same way
            bands = chosen.name in ("exact", "asymptotic")
            made[number, chosen] = (
                likelihood,
                bands,
                upper_limits(batch, calculator=chosen, expected=bands),
            )
        return made[number, chosen]

    return get


@settings(max_examples=12, deadline=None)
@given(
    case=st.sampled_from([(c, n) for c in CHOSEN[:2] for n in range(2)]),
    where=st.lists(st.integers(0, MASSES - 1), min_size=1, max_size=4, unique=True),
)
def test_any_subset(whole, case, where):
    likelihood, bands, together = whole(case[1], case[0])
    some = likelihood.inject(_signals(len(likelihood.bins))[where], KEYS[where])
    _same(together, upper_limits(some, calculator=case[0], expected=bands), where)


@pytest.mark.parametrize(
    ("chosen", "number"),
    [*((chosen, 2) for chosen in CHOSEN[:2]), *((chosen, 0) for chosen in CHOSEN[2:])],
    ids=repr,
)
def test_splits(whole, chosen, number):
    """One alone, the rest backwards."""
    likelihood, bands, together = whole(number, chosen)
    for where in ([4], [7, 6, 5, 3, 2, 1, 0]):
        some = likelihood.inject(_signals(len(likelihood.bins))[where], KEYS[where])
        _same(together, upper_limits(some, calculator=chosen, expected=bands), where)


def test_every_calculator_is_tested_here():
    assert {chosen.name for chosen in CHOSEN} == set(CALCULATORS)


@pytest.mark.parametrize("chosen", CHOSEN, ids=repr)
def test_p_values(counting, chosen):
    likelihood = _case(counting, 0)
    batch = likelihood.inject(_signals(3), KEYS)
    mu = np.linspace(1.0, 5.0, MASSES)
    together = cls_values(batch, mu, calculator=chosen, expected=True)
    for i in (0, 2, 7):
        alone = cls_values(batch.take(np.array([i])), mu[i], calculator=chosen, expected=True)
        assert alone.observed[0] == together.observed[i]
        assert alone.expected is not None
        assert together.expected is not None
        np.testing.assert_array_equal(alone.expected[:, 0], together.expected[:, i])


def test_random_numbers_belong_to_the_mass(counting):
    likelihood = _case(counting, 0)
    shape = np.repeat(_signals(3)[:1], 2, axis=0)
    chosen = Toys(toys=100)
    first, second = upper_limits(
        likelihood.inject(shape, [0.1, 0.2]), calculator=chosen, expected=False
    ).observed
    again = upper_limits(likelihood.inject(shape[:1], [0.2]), calculator=chosen, expected=False)
    assert first != second == again.observed[0]


def test_processes_give_the_same_bits(counting):
    """One mass: observed and expected limits side by side."""
    batch = _case(counting, 0).inject(_signals(3)[:1], KEYS[:1])
    _same(upper_limits(batch), upper_limits(batch, jobs=2), [0])
