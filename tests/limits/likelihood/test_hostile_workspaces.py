"""Two hundred workspaces that are hard to fit: no minimum is missed, none has a negative rate.

Every fit behind an asymptotic limit is made a second time, with a likelihood written straight from
the JSON and a minimiser of scipy's; scripts/benchmark hostile-workspaces does the same with more
starts and more workspaces.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.likelihood.fitting import Fit
from scripts.benchmarks.hostile_checks import Checks, Report, check_workspace
from scripts.benchmarks.hostile_generator import make_workspace
from scripts.benchmarks.second_minimiser import PlainLikelihood

SEED = 2
COUNT, PARTS = 200, 20


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a minimiser on its way takes logarithms of anything
        yield


def _said(reports: dict[int, Report]) -> list[str]:
    return [f"{number}: {line}" for number, r in reports.items() for line in r.problems()]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_fit_is_worse_than_a_second_minimisers(part: int) -> None:
    numbers = range(part * COUNT // PARTS, (part + 1) * COUNT // PARTS)
    reports = {
        number: check_workspace(
            make_workspace(number, SEED), starts=1, strengths=(1.0,), fits_alone=True
        )
        for number in numbers
    }
    assert not _said(reports)
    assert all(report.count("agreed") + report.count("deeper") >= 4 for report in reports.values())


@pytest.mark.parametrize("number", range(3))
def test_cls_and_limit_are_those_of_the_second_minima(number: int) -> None:
    report = check_workspace(make_workspace(number, SEED), starts=1, strengths=(1.0,))
    assert not report.problems()
    assert len(report.status) == 6


def _one_bin(counts: float) -> dict[str, Any]:
    """A background of 3 that a histosys takes to 0 and 6: minus 12 within the bounds of fits."""
    shift = {"hi_data": [6.0], "lo_data": [0.0]}
    samples = [
        {
            "name": "signal",
            "data": [1.0],
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        },
        {
            "name": "background",
            "data": [3.0],
            "modifiers": [{"name": "shape", "type": "histosys", "data": shift}],
        },
    ]
    return {
        "channels": [{"name": "c", "samples": samples}],
        "observations": [{"name": "c", "data": [counts]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


ALPHA = -2.0 + math.sqrt(3.0)  # 3 - 2 / (1 + alpha) + alpha = 0: two events where 3 are expected


def test_the_second_minimum_is_that_of_a_calculation_by_hand() -> None:
    plain = PlainLikelihood(_one_bin(2.0))
    nominal = plain.value(np.zeros(2), plain.observed)
    assert nominal == pytest.approx(1.0 - 2.0 * math.log(1.5), abs=1e-12)
    best = plain.minimise(plain.observed, 0.0, [np.zeros(2)]).value
    by_hand = 1.0 + 3.0 * ALPHA - 2.0 * math.log(1.5 * (1.0 + ALPHA)) + 0.5 * ALPHA**2
    assert best == pytest.approx(by_hand, abs=1e-7)


@pytest.mark.parametrize(
    ("pull", "shift", "outcome"),
    [(ALPHA, 0.0, "agreed"), (0.0, 0.0, "shallower"), (ALPHA, -0.01, "value")],
)
def test_the_checks_find_a_fit_that_is_wrong(pull: float, shift: float, outcome: str) -> None:
    spec, report = _one_bin(2.0), Report()
    plain, batch = PlainLikelihood(spec), compile_workspace(spec, validate=False).batch()
    value = plain.value(np.array([pull, 0.0]), plain.observed) + shift
    fit = Fit(np.array([[pull]]), np.zeros(1), np.array([value]), np.array([True]))
    Checks(plain, batch, report, starts=1).compare("mu = 0", plain.observed, 0.0, fit)
    assert [check.outcome for check in report.fits] == [outcome]
    assert bool(report.problems()) == (outcome != "agreed")


@pytest.mark.parametrize("method", ["SLSQP", "L-BFGS-B", "trust-constr", "minuit"])
def test_minimisers_of_the_checks_agree(method: str) -> None:
    plain = PlainLikelihood(_one_bin(2.0))
    found = plain.minimise(plain.observed, 0.0, [np.zeros(2)], method=method)
    assert found.x[0] == pytest.approx(ALPHA, abs=1e-3)


def test_a_background_is_never_negative() -> None:
    plain = PlainLikelihood(_one_bin(0.0))
    # without events alpha = -1 is best, where the background ends: 1/2, not -3/2 at alpha = -3
    best = plain.minimise(plain.observed, 0.0, plain.starts(plain.observed, 0.0, 1, 3))
    assert best.value == pytest.approx(0.5, abs=3e-4)  # the floor is lifted by 1e-4 of 3 events
    assert plain.rates(np.array([-5.0]), 0.0)[0] > 0.0


@pytest.mark.parametrize("number", range(40))
def test_both_likelihoods_are_the_same_function(number: int) -> None:
    spec = make_workspace(number, SEED)
    plain, batch = PlainLikelihood(spec), compile_workspace(spec, validate=False).batch()
    likelihood = batch.likelihood
    places = [plain.names.index(name) for name in likelihood.parameter_names]
    points = batch.points(np.zeros(1, dtype=np.intp), likelihood.observed[:, None])
    for start in plain.starts(plain.observed, 1.0, number, 3):
        x = np.append(plain.init, start[-1])
        x[places] = start[places]
        theta, nu = x[places][:, None], x[-1:]
        ours = likelihood.fitter.problem(False).evaluator.value(theta, nu, points)[0]
        # sums of the same terms in another order
        assert plain.value(x, plain.observed) == pytest.approx(ours, rel=1e-10, abs=1e-10)
