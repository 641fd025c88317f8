"""Expected regions from a few limits per mass, against expected CLs of the signals themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.scanning.expected_regions import expected_region_tables, expected_regions
from na64.models.signals.rates import EventCurves

COUPLINGS = np.geomspace(1e-3, 1.0, 46)


def likelihood(observed: tuple[int, int] = (0, 0)) -> CompiledLikelihood:
    """Two bins, backgrounds of 0.2 and 0.5 events known to 30 %."""
    channels = []
    for name, background in (("decay", 0.2), ("missing", 0.5)):
        shift = {"hi": 1.3, "lo": 1.0 / 1.3}
        channels.append(
            {
                "name": name,
                "samples": [
                    {
                        "name": "signal",
                        "data": [1.0],
                        "modifiers": [
                            {"name": "mu", "type": "normfactor", "data": None},
                            {
                                "name": "efficiency",
                                "type": "normsys",
                                "data": {"hi": 1.1, "lo": 1.0 / 1.1},
                            },
                        ],
                    },
                    {
                        "name": "background",
                        "data": [background],
                        "modifiers": [{"name": f"b_{name}", "type": "normsys", "data": shift}],
                    },
                ],
            }
        )
    return compile_workspace(
        {
            "channels": channels,
            "observations": [
                {"name": name, "data": [count]}
                for name, count in zip(("decay", "missing"), observed, strict=True)
            ],
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0",
        }
    )


def decays_in_flight(strength: float) -> np.ndarray:
    """Events (C, 1, 2): production and survival, decays before and beyond a detector's end."""
    g2 = COUPLINGS**2
    length = 0.02 / g2
    inside = np.exp(-1.0 / length) - np.exp(-4.0 / length)
    beyond = np.exp(-4.0 / length)
    events = strength * g2[:, None] * np.stack([inside, beyond], axis=-1)
    return np.asarray(events[:, None, :])


@pytest.mark.parametrize("observed", [(0, 0), (1, 0), (0, 2)])
def test_edges_are_where_the_quantile_is_just_excluded(observed: tuple[int, int]) -> None:
    compiled = likelihood(observed)
    # no region, a small one and large ones
    events = np.stack([decays_in_flight(n) for n in (30.0, 2e3, 1e6)])
    signals = EventCurves.through(COUPLINGS, events)
    bands = expected_regions(compiled, signals, 3, COUPLINGS)
    assert all(band[0] == () for band in bands)
    checked = 0
    for band, regions in enumerate(bands):
        for mass, intervals in enumerate(regions):
            for number, edge in enumerate(edge for pair in intervals for edge in pair):
                assert edge is not None
                found = signals(np.array([mass]), np.array([edge]))[0]
                # ties among outcomes are broken by shares that qtilde itself does not feel
                tied = found.min() < 1e-8 * found.sum()
                around = edge * np.exp((1e-2 if tied else 3e-4) * np.array([-1.0, 1.0]))
                batch = compiled.inject(signals(np.full(2, mass), around))
                expected = cls_values(batch, 1.0, expected=True).expected
                assert expected is not None
                below, above = expected[band] > 0.1
                assert (below, above) == ((True, False) if number % 2 == 0 else (False, True))
                checked += 1
    assert checked >= 20


def test_nothing_is_missed_between_the_edges() -> None:
    """Expected CLs at every node of the grid says the same."""
    compiled = likelihood((1, 0))
    events = np.stack([decays_in_flight(n) for n in (400.0, 3e3)])
    signals = EventCurves.through(COUPLINGS, events)
    bands = expected_regions(compiled, signals, 2, COUPLINGS)
    for mass in range(2):
        batch = compiled.inject(signals(np.full(len(COUPLINGS), mass), COUPLINGS))
        expected = cls_values(batch, 1.0, expected=True).expected
        assert expected is not None
        for band in range(5):
            inside = np.zeros(len(COUPLINGS), dtype=bool)
            for low, high in bands[band][mass]:
                inside |= (low <= COUPLINGS) & ((np.inf if high is None else high) >= COUPLINGS)
            np.testing.assert_array_equal(inside, expected[band] < 0.1)


def test_some_masses_give_what_all_give() -> None:
    """Bit for bit, whichever masses are asked for together."""
    compiled = likelihood((1, 0))
    events = np.stack([decays_in_flight(n) for n in (30.0, 600.0, 3e3, 2.5e4, 1e6)])
    whole = expected_regions(compiled, EventCurves.through(COUPLINGS, events), 5, COUPLINGS)
    for rows in ([1], [4], [0, 3], [1, 2, 4]):
        signals = EventCurves.through(COUPLINGS, events[rows])
        part = expected_regions(compiled, signals, len(rows), COUPLINGS)
        assert part == tuple(tuple(band[row] for row in rows) for band in whole)


def test_open_regions() -> None:
    # nothing decays: excluded up to the largest coupling, or from the smallest
    events = np.stack([n * COUPLINGS[:, None, None] ** 2 * np.ones((1, 1, 2)) for n in (1e3, 1e8)])
    signals = EventCurves.through(COUPLINGS, events)
    for band in expected_regions(likelihood(), signals, 2, COUPLINGS):
        ((low, high),) = band[0]
        assert 0.01 < low < 0.2
        assert high is None
        assert band[1] == ((pytest.approx(1e-3), None),)


def test_no_events_at_all() -> None:
    signals = EventCurves.through(COUPLINGS, np.zeros((1, len(COUPLINGS), 1, 2)))
    bands = expected_regions(likelihood(), signals, 1, COUPLINGS)
    assert bands == (((),),) * 5


def test_a_band_that_failed_is_no_band_without_a_limit(monkeypatch) -> None:
    """Where a fit fails nothing is known: not "no coupling is excluded"."""
    signals = EventCurves.through(COUPLINGS, decays_in_flight(1e6)[None])
    usual = expected_region_tables(likelihood(), signals, 1, COUPLINGS)
    assert [table.status for table in usual] == [(Status.OK,)] * 5

    def failing(*arguments: Any, **options: Any) -> Any:
        table = upper_limits(*arguments, **options)
        bad = (Status.FAILED,) * len(table.status)
        values = np.where(np.arange(5)[:, None] == 4, np.nan, table.expected)
        return replace(table, expected=values, expected_status=(*table.expected_status[:4], bad))

    monkeypatch.setattr("na64.limits.scanning.expected_regions.upper_limits", failing)
    found = expected_region_tables(likelihood(), signals, 1, COUPLINGS)
    assert [table.status for table in found] == [(Status.OK,)] * 4 + [(Status.FAILED,)]
    assert found[4].regions == ((),)
    assert "could not be computed" in found[4].messages[0]
