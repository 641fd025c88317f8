"""The exact limit far from the expectation, and where datasets are equally signal-like."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits import scan
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.likelihood.compiled import compile_workspace
from na64.workspaces.cards.reader import load_card


def excess(observed: list[int]) -> dict[str, object]:
    """Four bins of unequal signal shares, one nuisance parameter on the signal."""
    signal, background = [0.1, 0.2, 0.3, 0.4], [0.05, 0.1, 0.15, 0.2]
    efficiency = {"name": "eff", "type": "normsys", "data": {"hi": 1.1, "lo": 1 / 1.1}}
    poi = {"name": "mu", "type": "normfactor", "data": None}
    channels = [
        {
            "name": f"bin{i}",
            "samples": [
                {"name": "signal", "data": [signal[i]], "modifiers": [poi, efficiency]},
                {"name": "background", "data": [background[i]], "modifiers": []},
            ],
        }
        for i in range(4)
    ]
    return {
        "channels": channels,
        "observations": [{"name": f"bin{i}", "data": [observed[i]]} for i in range(4)],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def test_limit_grows_with_an_excess_in_the_bin_with_the_smallest_share() -> None:
    found = []
    for seen in (0, 1, 2, 4, 8, 12, 16, 25):
        batch = compile_workspace(excess([seen, 0, 0, 0])).batch()
        limit = upper_limits(batch, confidence_level=0.9, expected=False).observed
        found.append(float(limit[0]))
        below = cls_values(batch, limit * 0.999, expected=False).observed
        above = cls_values(batch, limit * 1.001, expected=False).observed
        assert above[0] <= 0.1 <= below[0]
    assert np.all(np.diff(found) > 0.0)
    # far above the background the limit is that of the excess alone, widened by the efficiency
    assert 25.0 < found[-1] < 40.0


@pytest.mark.parametrize("search", ["na64e-2016", "na64e-2016-2022"])
def test_more_events_never_make_a_limit_stronger(search: str) -> None:
    limits = [
        scan(search, masses_gev=[0.1], overrides=(f"bins.2.observed={n}",)).events_limit[0]
        for n in (0, 1, 3, 6)
    ]
    assert np.all(np.diff(np.array(limits, float)) > 0.0)


def one_event_in_each_bin(*settings: str) -> list[float]:
    tables = (
        scan("na64e-2016", masses_gev=[0.1], overrides=(f"bins.{i}.observed=1", *settings))
        for i in range(3)
    )
    return [float(table.events_limit[0]) for table in tables]


def test_background_split_by_exposure_keeps_ties_between_bins() -> None:
    # equal signal-to-background ratios: one event counts the same in each bin of a period, and
    # numbers rounded to three digits would order them
    bins = load_card("na64e-2016").bins
    shares = [item.backgrounds[0].events.value / item.exposure.value for item in bins]
    np.testing.assert_allclose(shares, shares[0], rtol=1e-14)
    limits = one_event_in_each_bin("bins.*.background.split_uncertainty=0")
    np.testing.assert_allclose(limits, limits[0], rtol=1e-6)


def test_uncertain_shares_break_the_ties() -> None:
    # qtilde of one event differs by 1e-4 between the bins; that ranks them, and a limit from
    # ranks of three datasets of a tenth of the probability each moves by that
    tied = one_event_in_each_bin("bins.*.background.split_uncertainty=0")[0]
    limits = sorted(one_event_in_each_bin())
    assert limits[0] < 0.8 * tied
    # the last one counts all of them, as the tie did
    assert limits[-1] == pytest.approx(tied, rel=0.02)
