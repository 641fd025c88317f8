"""Effective numbers of weighted events, by which rows of simulations have their errors."""

from __future__ import annotations

import numpy as np
import pytest

from na64.workspaces.io.simulation.rows import counted


def effective(weights: np.ndarray, factor: float = 1.0) -> float:
    total, squares = float(factor * weights.sum()), float(factor**2 * (weights**2).sum())
    return counted(0.1, None, total, squares, 1e6).passed


def test_effective_counts() -> None:
    weights = np.array([0.5, 2.0, 1.0, -0.5])
    assert effective(weights) == pytest.approx(9.0 / 5.5)
    assert effective(np.ones(12)) == 12.0
    # a common factor of all weights does not matter
    assert effective(weights, 7.0) == pytest.approx(9.0 / 5.5)
    assert effective(np.zeros(1)) == 0.0


def test_weighted_sums_have_the_error_of_their_effective_count() -> None:
    rng = np.random.default_rng(3)
    sums, counts = [], []
    for _ in range(2000):
        weights = rng.exponential(1.0, rng.poisson(200))
        sums.append(weights.sum())
        counts.append(effective(weights))
    spread = np.std(sums) / np.mean(sums)
    # 2,000 samples know a spread to 1/sqrt(4000) = 1.6 %
    assert spread == pytest.approx(1.0 / np.sqrt(np.mean(counts)), rel=0.05)
