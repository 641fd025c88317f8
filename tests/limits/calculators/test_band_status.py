"""Every band says how it fared, and formulas for large counts say when these are small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.large_counts import (
    effective_background,
    few_events,
    few_events_note,
)
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Asymptotic, Exact, Toys
from na64.limits.calculators.status import BAND_ORDER, Status, unanswered
from na64.limits.likelihood.compiled import compile_workspace


def signal_that_hides() -> dict[str, Any]:
    """Three events over a background of 3; the signal's efficiency may fall to nothing.

    lo = 2.5e-5 at one standard deviation down: 1e12 = e^27.6 events are hidden at 2.6 of them, so
    that +2 sigma, which needs sqrt(qtilde) = 3.3, has no limit below, and +1 sigma (2.4) has.
    """
    mu = {"name": "mu", "type": "normfactor", "data": None}
    hidden = {"name": "eff", "type": "normsys", "data": {"hi": 1.1, "lo": 2.5e-5}}
    return {
        "channels": [
            {
                "name": "c",
                "samples": [
                    {"name": "s", "data": [1.0], "modifiers": [mu, hidden]},
                    {"name": "b", "data": [3.0], "modifiers": []},
                ],
            }
        ],
        "observations": [{"name": "c", "data": [3.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def test_a_band_without_a_limit_is_named():
    found = upper_limits(compile_workspace(signal_that_hides()).batch(), calculator=Asymptotic())
    states = [band[0] for band in found.expected_status]
    exists = np.isfinite(found.expected[:, 0])
    assert [state is Status.OK for state in states] == exists.tolist()
    assert exists.tolist() == [True, True, True, True, False]
    assert states[-1] is Status.NOT_BRACKETED
    lost = unanswered(found.status[0], states)
    for order, one in zip(BAND_ORDER, exists, strict=True):
        words = f"expected {order:+d}"
        assert (words in found.messages[0]) is not bool(one)
        assert any(text.startswith(words) for text in lost) is not bool(one)


def test_what_counts_as_unanswered():
    states = (Status.OK, Status.OK, Status.NO_EXCLUSION, Status.FAILED, Status.NOT_BRACKETED)
    assert unanswered(Status.OK, states) == [
        "expected +1 sigma: failed",
        "expected +2 sigma: not-bracketed",
    ]
    assert unanswered(Status.FAILED, ()) == ["observed: failed"]
    assert unanswered(None, states[:1] * 5) == []


def test_effective_background(counting):
    """One bin: its background. Bins alike: their sum. Background without signal does not count."""

    def found(background, signal):
        zero = (0.0,) * len(background)
        spec = counting(
            background=background, signal=signal, uncertainty=zero, observed=zero, efficiency=0.0
        )
        return effective_background(compile_workspace(spec, validate=False).batch())[0]

    assert found((0.7,), (3.0,)) == pytest.approx(0.7)
    assert found((2.0, 2.0, 2.0), (1.0, 1.0, 1.0)) == pytest.approx(6.0)
    assert found((1000.0, 0.1), (0.01, 0.99)) == pytest.approx(0.1, rel=0.03)
    assert found((5.0, 400.0), (1.0, 0.0)) == pytest.approx(5.0)
    assert found((0.0, 5.0), (1.0, 1.0)) == 0.0


def test_few_events_are_warned_of_where_formulas_need_many(counting):
    few = compile_workspace(counting(), validate=False).batch()
    many = compile_workspace(
        counting(background=(20.0, 8.0, 9.0), uncertainty=(0.1, 0.1, 0.1), observed=(19, 8, 9)),
        validate=False,
    ).batch()
    assert few_events(Asymptotic(), few) == [few_events_note(Asymptotic())]
    assert few_events(Asymptotic(), many) == []
    assert few_events(Exact(), few) == few_events(Toys(), few) == []
    # without data the nominal background counts
    assert few_events(Asymptotic(), few, observed=False)
