"""What an enumeration takes over from the last signal strength, and from other starts of a fit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from na64.limits.calculators.enumeration import Enumeration
from na64.limits.calculators.exploration import Earlier
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Exact
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.likelihood.newton import Problem

#: background, share of the signal and counts of three bins; the first two share a background
BINS = ((0.3, 0.7, 1.0), (0.4, 0.0, 1.0), (0.1, 0.3, 0.0))


def _batch(*, shared: bool) -> SignalBatch:
    """A signal in three bins, of which one is a control bin if the background is shared."""
    channels, observations = [], []
    for i, (rate, share, seen) in enumerate(BINS):
        modifiers: list[dict[str, Any]] = [
            {"name": f"own_{i}", "type": "normsys", "data": {"hi": 1.3, "lo": 1 / 1.3}}
        ]
        if shared and i < 2:
            modifiers.append(
                {"name": "together", "type": "normsys", "data": {"hi": 1.5, "lo": 1 / 1.5}}
            )
        on_signal = [
            {"name": "mu", "type": "normfactor", "data": None},
            {"name": "efficiency", "type": "normsys", "data": {"hi": 1.1, "lo": 1 / 1.1}},
        ]
        samples = [
            {"name": "signal", "data": [share], "modifiers": on_signal},
            {"name": "background", "data": [rate], "modifiers": modifiers},
        ]
        channels.append({"name": f"bin_{i}", "samples": samples})
        observations.append({"name": f"bin_{i}", "data": [seen]})
    likelihood = compile_workspace(
        {
            "channels": channels,
            "observations": observations,
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0",
        },
        validate=False,
    )
    return likelihood.batch()


def _limits(batch: SignalBatch) -> NDArray[np.float64]:
    table = upper_limits(batch, calculator=Exact(), observed=True, counts=batch.likelihood.observed)
    return np.vstack([table.observed, table.expected])


class _Count:
    """How many test statistics are computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done, whole = 0, Enumeration.statistics

        def counted(ensemble: Enumeration, nu: Any, mass: Any, numbers: Any) -> Any:
            self.done += len(numbers)
            return whole(ensemble, nu, mass, numbers)

        monkeypatch.setattr(Enumeration, "statistics", counted)


@pytest.mark.parametrize("shared", [False, True])
def test_what_is_kept_changes_no_bit(monkeypatch: pytest.MonkeyPatch, shared: bool) -> None:
    count = _Count(monkeypatch)
    kept = _limits(_batch(shared=shared))
    few, count.done = count.done, 0
    monkeypatch.setattr(Earlier, "stays", lambda self, drift: np.zeros(len(drift), dtype=bool))
    anew = _limits(_batch(shared=shared))
    assert few <= count.done
    np.testing.assert_array_equal(kept, anew)


def _ensemble() -> tuple[Enumeration, NDArray[np.intp]]:
    """Return an ensemble with a control bin, and datasets of it."""
    batch = _batch(shared=True)
    ensemble = Enumeration(batch, batch.likelihood.observed, 50_000)
    counts = np.random.default_rng(3).poisson(1.2, (400, len(ensemble.varied)))
    return ensemble, np.unique(ensemble.lattice.number(counts))


def _statistics(ensemble: Enumeration, number: NDArray[np.intp], nu: float) -> NDArray[np.float64]:
    where = np.zeros(len(number), dtype=np.intp)
    return ensemble.statistics(np.full(len(number), nu), where, number)[0]


def _earlier(number: NDArray[np.intp], q: NDArray[np.float64], nu: float, limit: float) -> Earlier:
    one = np.array([limit])
    slopes = np.zeros((len(number), len(BINS)), np.float32)
    return Earlier(number, q, np.full(len(number), nu), slopes, np.array([nu]), one, one)


@pytest.mark.parametrize("nu", [0.5, 3.0, 20.0])
def test_the_bound_on_what_a_step_of_the_strength_changes(nu: float) -> None:
    """|dq / d ln nu| <= 2 (2 nu + N) for datasets of an ensemble, against differences."""
    ensemble, number = _ensemble()
    before, after = (_statistics(ensemble, number, nu * np.exp(x)) for x in (-1e-3, 1e-3))
    totals = ensemble.lattice.counts[number].sum(axis=1).astype(np.float64)
    known = _earlier(number, before, nu * np.exp(-1e-3), 1.0)
    drift = known.drift(np.array([nu * np.exp(1e-3)]), totals)
    moved = np.abs(after - before)
    assert np.all(moved <= drift)
    assert moved.max() > 0.02 * drift.max()  # it is of the size of what it bounds


def test_only_statistics_near_the_threshold_are_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ensemble, number = _ensemble()
    nu = 3.0 * np.exp(2e-3)
    before, after = _statistics(ensemble, number, 3.0), _statistics(ensemble, number, nu)
    limit = float(np.median(before[before > 0.0]))
    count = _Count(monkeypatch)
    arguments = (number, np.array([nu]), np.zeros(1, dtype=np.intp))
    q, at, _ = ensemble._statistics_again(*arguments, _earlier(number, before, 3.0, limit))
    few = count.done
    assert 0 < few < 0.3 * len(number)
    np.testing.assert_array_equal(q[at == nu], after[at == nu])
    np.testing.assert_array_equal(q[at != nu], before[at != nu])
    np.testing.assert_array_equal(q >= limit, after >= limit)
    # one that is near has moved further than it can: nothing is kept
    count.done = 0
    wrong = before.copy()
    wrong[np.argmin(np.abs(before - limit))] += 0.3
    arguments_wrong = _earlier(number, wrong, 3.0, float(wrong[np.argmin(np.abs(before - limit))]))
    q, at, _ = ensemble._statistics_again(*arguments, arguments_wrong)
    assert count.done == len(number)
    np.testing.assert_array_equal(q, after)
    assert np.all(at == nu)


def test_a_start_that_is_led_to_a_known_minimum_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = _batch(shared=True)
    fitter = batch.likelihood.fitter
    generator = np.random.default_rng(4)
    n = 400
    rates = np.array([[4.0 * rate] for rate, *_ in BINS])
    counts = generator.poisson(rates, (len(BINS), n)).astype(np.float64)
    points = batch.points(np.zeros(n, dtype=np.intp), counts)
    alone = fitter.fit(points, np.full(n, 5.0), free_signal=True)
    other = fitter.fit(points, np.full(n, 0.5), free_signal=True)
    steps, whole = [0], Problem._direction

    def counted(problem: Problem, x: Any, nu: Any, points: Any) -> Any:
        steps[0] += x.shape[1]
        return whole(problem, x, nu, points)

    monkeypatch.setattr(Problem, "_direction", counted)
    fitter.fit(points, np.full(n, 5.0), free_signal=True)
    before, steps[0] = steps[0], 0
    led = fitter.fit(points, np.full(n, 5.0), free_signal=True, known=other)
    assert steps[0] < 0.8 * before
    np.testing.assert_allclose(led.value, alone.value, rtol=0.0, atol=1e-9)
    # of a minimum that is none of its own, nothing is taken
    shifted = copy.deepcopy(other)
    shifted.theta[:] += 0.5
    shifted.value[:] -= 100.0
    far = fitter.fit(points, np.full(n, 5.0), free_signal=True, known=shifted)
    np.testing.assert_allclose(far.value, alone.value, rtol=0.0, atol=1e-9)
