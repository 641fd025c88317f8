"""Bracketed roots: against closed forms, steps, failures, and what has no root."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfcinv

from na64.limits.calculators.roots import (
    BRACKETED,
    CEILING,
    FAILED,
    NO_ROOT,
    Edges,
    Roots,
    find_roots,
)

TOLERANCE = 1e-9


def test_roots_of_many_functions_at_once() -> None:
    # 2 - exp(x - k), whose roots are k + ln 2: inside, far above and far below the first guess
    shift = np.array([0.0, 0.3, 12.0, -20.0, 25.0])
    found = find_roots(
        lambda x, which: 2.0 - np.exp(np.minimum(x - shift[which], 600.0)),
        np.zeros(5),
        np.ones(5),
        tolerance=TOLERANCE,
    )
    np.testing.assert_array_equal(found.state, BRACKETED)
    np.testing.assert_allclose(found.x, shift + np.log(2.0), atol=2.0 * TOLERANCE)


def test_few_values_are_needed_where_a_function_is_smooth() -> None:
    calls = []

    def log_cls(x: np.ndarray, which: np.ndarray) -> np.ndarray:
        calls.append(len(x))
        return np.asarray(
            np.log(10.0) - np.exp(x)
        )  # a counting experiment without background: ln 10 events

    found = find_roots(log_cls, np.array([0.2]), np.array([1.6]), tolerance=1e-10)
    assert found.x[0] == pytest.approx(np.log(np.log(10.0)), abs=2e-10)
    assert sum(calls) <= 10  # bisection would need 33


def test_a_step_is_found_by_bisection() -> None:
    found = find_roots(
        lambda x, which: np.where(x < 0.123456789, 1.0, -3.0),
        np.array([-1.0]), np.array([1.0]), tolerance=1e-7,
    )  # fmt: skip
    assert found.state[0] == BRACKETED
    assert found.x[0] == pytest.approx(0.123456789, abs=2e-7)


def test_a_root_at_the_edge_of_the_first_guess() -> None:
    for low, high in ((1.0, 2.0), (0.0, 1.0)):
        found = find_roots(
            lambda x, which: 1.0 - x, np.array([low]), np.array([high]), tolerance=TOLERANCE
        )
        assert found.x[0] == pytest.approx(1.0, abs=2.0 * TOLERANCE)


def test_what_has_no_root_or_fails() -> None:
    def function(x: np.ndarray, which: np.ndarray) -> np.ndarray:
        values = np.stack([1.0 + 0.0 * x, -1.0 + 0.0 * x, 0.5 - x, np.where(x > 0.4, np.nan, 1.0)])
        return np.asarray(values[which, np.arange(len(which))])

    found = find_roots(function, np.zeros(4), np.full(4, 0.3), tolerance=TOLERANCE)
    assert found.state.tolist() == [NO_ROOT, NO_ROOT, BRACKETED, FAILED]
    assert np.isnan(found.x[[0, 1, 3]]).all()
    assert found.x[2] == pytest.approx(0.5, abs=2.0 * TOLERANCE)


def test_a_value_that_fails_between_good_ones() -> None:
    found = find_roots(
        lambda x, which: np.where(np.abs(x - 0.5) < 0.2, np.nan, 0.5 - x),
        np.zeros(2), np.ones(2), tolerance=TOLERANCE,
    )  # fmt: skip
    assert found.state.tolist() == [FAILED, FAILED]
    assert np.isnan(found.x).all()


def test_brackets_end_at_floor_and_ceiling() -> None:
    seen: list[float] = []

    def rising(sign: float) -> Roots:
        def constant(x: np.ndarray, which: np.ndarray) -> np.ndarray:
            seen.extend(x.tolist())
            return np.full(len(x), sign)

        return find_roots(constant, np.zeros(1), np.ones(1), tolerance=0.1, floor=-7.0)

    assert rising(1.0).state[0] == NO_ROOT
    assert max(seen) == CEILING == pytest.approx(np.log(1e12))
    assert rising(-1.0).state[0] == NO_ROOT
    assert min(seen) == -7.0


def test_infinite_values_have_a_sign() -> None:
    found = find_roots(
        lambda x, which: np.where(x < 2.0, np.inf, -np.inf),
        np.zeros(1), np.ones(1), tolerance=1e-6,
    )  # fmt: skip
    assert found.x[0] == pytest.approx(2.0, abs=2e-6)


@pytest.mark.parametrize("alpha", [0.3, 0.1, 0.01])
def test_a_tail_of_a_gaussian(alpha: float) -> None:
    from scipy.special import erfc

    found = find_roots(
        lambda x, which: np.log(0.5 * erfc(x / np.sqrt(2.0))) - np.log(alpha),
        np.array([-3.0]), np.array([-2.5]), tolerance=TOLERANCE,
    )  # fmt: skip
    assert found.x[0] == pytest.approx(np.sqrt(2.0) * erfcinv(2.0 * alpha), abs=2.0 * TOLERANCE)


def test_parts_are_joined_taken_and_put() -> None:
    one = Roots(np.array([1.0, 2.0]), np.array([BRACKETED, FAILED], dtype=np.int8))
    two = Roots.empty(1)
    assert np.isnan(two.x[0])
    assert two.state[0] == NO_ROOT
    both = Roots.join([one, two])
    assert both is not None
    assert both.state.tolist() == [BRACKETED, FAILED, NO_ROOT]
    assert Roots.join([one, None]) is None
    both.put(np.array([2]), one.take(np.array([0])))
    assert both.x[2] == 1.0
    assert both.state[2] == BRACKETED
    assert Edges((one,)).error is None
