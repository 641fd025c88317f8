"""What an enumeration needs is told before it begins; its blocks do not change a bit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from na64.limits.calculators import budget, enumeration, lattice
from na64.limits.calculators.budget import EnsembleTooLargeError, fewest_datasets
from na64.limits.calculators.discovery import discovery
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Exact, FeldmanCousins
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace


def _of_bins(counting: Callable[..., dict[str, Any]], bins: int, rate: float) -> SignalBatch:
    """Unequal bins with a background uncertainty that all share; two signals."""
    size = rate * np.linspace(0.8, 1.2, bins)
    spec = counting(
        background=tuple(size),
        uncertainty=(0.0,) * bins,
        signal=tuple(np.linspace(1.0, 2.0, bins)),
        observed=tuple(np.ceil(size + 1.0).astype(int).tolist()),
    )
    for channel in spec["channels"]:
        channel["samples"][1]["modifiers"].append(
            {"name": "shared", "type": "normsys", "data": {"hi": 1.3, "lo": 1.0 / 1.3}}
        )
    likelihood = compile_workspace(spec, validate=False)
    shape = np.stack([np.linspace(1.0, 2.0, bins), np.linspace(2.0, 1.0, bins)])[:, None, :]
    return likelihood.inject(shape)


def test_no_set_with_a_probability_is_smaller() -> None:
    for rates, wanted in (((0.2, 1.5), 0.9), ((3.0, 4.5), 0.5), ((0.01, 0.02), 1e-3)):
        grid = np.array(list(product(range(25), repeat=2)))
        likely = np.sort(np.prod(stats.poisson.pmf(grid, rates), axis=1))[::-1]
        smallest = 1 + int(np.searchsorted(np.cumsum(likely), wanted))
        assert fewest_datasets(np.array(rates), wanted) <= smallest
    # as sharp as it can be where all datasets that matter are about as likely
    assert fewest_datasets(np.full(2, 400.0), 0.5) > 1000.0


@pytest.mark.parametrize("bins", [50, 200])
def test_a_large_ensemble_is_refused_unseen(
    bins: int, counting: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _of_bins(counting, bins, 1.0)

    def looked(*_: object) -> None:
        raise AssertionError("a dataset was looked at")

    monkeypatch.setattr(enumeration.Enumeration, "statistics", looked)
    monkeypatch.setattr(lattice.FitCache, "discovery", looked)
    questions: dict[str, Callable[[], object]] = {
        "limits": lambda: upper_limits(batch, calculator=Exact()),
        "observed": lambda: upper_limits(batch, calculator=Exact(), expected=False),
        "p-values": lambda: cls_values(batch, 1.0, calculator=Exact(), expected=True),
        "discovery": lambda: discovery(batch, calculator=Exact()),
        "intervals": lambda: upper_limits(batch, calculator=FeldmanCousins()),
    }
    for name, ask in questions.items():
        if bins > 50 and name != "limits":  # the same, and a second each
            continue
        tracemalloc.start()
        try:
            with pytest.raises(EnsembleTooLargeError) as refused:
                ask()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 40e6, name
        if name != "intervals":
            assert f"{bins} bins (" in str(refused.value)
            assert f"and {bins - 3} more" in str(refused.value)
            assert "'auto', 'toys' or 'asymptotic'" in str(refused.value)


def test_an_ensemble_that_grows_too_large_is_refused_in_bounds(
    counting: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many bins with next to nothing in them no bound tells; only what is found does."""
    batch = _of_bins(counting, 60, 0.01)

    def unlike_all(self: Any, nu: np.ndarray, mass: np.ndarray, numbers: np.ndarray) -> Any:
        """Every dataset is followed in all directions; fits, bounded elsewhere, are left out."""
        return np.full(len(numbers), 1e9), np.ones((len(numbers), len(self.varied)), bool)

    monkeypatch.setattr(enumeration.Enumeration, "statistics", unlike_all)
    tracemalloc.start()
    try:
        with pytest.raises(EnsembleTooLargeError, match=r"60 bins \(.* and 57 more\)"):
            cls_values(batch, 3.0, calculator=Exact(max_datasets=2000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # all neighbours of the 1830 datasets of two events at once: 54 MB of counts, 400 MB in all
    assert peak < 60e6


def test_blocks_and_parts_do_not_change_a_bit(
    counting: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _of_bins(counting, 3, 0.3)
    whole = upper_limits(batch, calculator=Exact())
    found = discovery(batch, calculator=Exact())
    monkeypatch.setattr(budget, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(budget, "_ROW_BYTES", 1)
    monkeypatch.setattr(budget, "_FEWEST_ROWS", 1)
    assert len(budget.mass_blocks_of(np.arange(2), np.full(2, 100.0), 3)) == 2
    assert len(budget.row_parts(5, 3)) == 5
    parts = upper_limits(batch, calculator=Exact())
    np.testing.assert_array_equal(parts.observed, whole.observed)
    np.testing.assert_array_equal(parts.expected, whole.expected)
    again = discovery(batch, calculator=Exact())
    np.testing.assert_array_equal(again.p_values, found.p_values)


def test_blocks_fit_in_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    masses = np.arange(1000)
    assert len(budget.mass_blocks_of(masses, np.full(1000, 10.0), 3)) == 1
    for size, bins in ((5e3, 9), (5e4, 5), (1e12, 5)):
        blocks = budget.mass_blocks_of(masses, np.full(1000, size), bins)
        np.testing.assert_array_equal(np.concatenate(blocks), masses)
        # four numbers and the rates of each dataset are kept
        kept = max(map(len, blocks)) * size * (25.0 + 4.0 * bins)
        assert kept < budget._BLOCK_BYTES or max(map(len, blocks)) == 1
    assert budget.mass_blocks_of(masses[:0], np.empty(0), 3) == []
