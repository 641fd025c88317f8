"""Scans in blocks and in parts are the scan as a whole, byte for byte; blocks bound the memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import merge, run
from na64.limits.scanning.signal import expected_signal
from na64.models.errors import ComputationError
from na64.models.signals import blocks, decay_in_flight
from na64.models.signals.blocks import in_blocks, mass_blocks
from na64.models.signals.rates import SignalRates

#: searches with events on a grid of couplings, and with a power of the coupling; two masses each
SEARCHES = {
    "na64e-alp-2016-2018": (0.02, 0.05),
    "na64e-visible-2017-2018": (3e-3, 0.016),
    "na64e-2016-2022": (2e-3, 0.225),
    "na64mu-2022": (5e-3, 0.3),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_blocks_and_parts_are_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = specify(name, masses_gev=np.array(SEARCHES[name]), grid="fixed")
    whole = run(made).to_json()
    parts = [run(part) for part in made.split(len(made.masses_gev))]
    assert merge(parts[::-1]).to_json() == whole
    monkeypatch.setattr(blocks, "MASSES_TOGETHER", 1)
    told: list[str] = []
    assert run(made, progress=told.append).to_json() == whole
    assert len(told) == len(set(told)), "stages are told once"


def test_blocks_have_every_mass_once() -> None:
    for count in (0, 1, 128, 129, 1000):
        parts = mass_blocks(count)
        rows = [row for part in parts for row in range(count)[part]]
        assert rows == list(range(count))
        assert all(part.stop - part.start <= blocks.MASSES_TOGETHER for part in parts)
        sizes = [part.stop - part.start for part in parts]
        assert max(sizes) - min(sizes) <= 1


def test_memory_of_a_signal_does_not_grow_with_its_masses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fluxes of all masses at once would be kept; of blocks, those that are remembered are."""
    monkeypatch.setattr(blocks, "MASSES_TOGETHER", 4)
    made = specify("na64e-alp-2016-2018", masses_gev=np.geomspace(1e-3, 0.1, 96), grid="fixed")

    def beyond_the_result(count: int) -> float:
        decay_in_flight._flux.cache_clear()
        tracemalloc.start()
        try:
            signal = expected_signal(made.at(made.masses_gev[:count]))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return float(peak - signal.rates.events.nbytes - signal.accepted.nbytes)

    beyond_the_result(4)  # tables that are made once
    few, many = beyond_the_result(32), beyond_the_result(96)
    assert many < 1.15 * few


def test_the_masses_that_can_be_refused_are_looked_at_first() -> None:
    asked: list[float] = []

    def signal(*_: object, **__: object) -> SignalRates:
        masses = np.asarray(_[4], float)
        asked.append(masses[0])
        return SignalRates(
            "x", "g", masses, np.ones(1), ("p",), ("r",), masses[:, None, None, None], 2.0
        )

    masses = np.arange(1.0, 301.0)
    found = in_blocks(signal)(None, None, None, None, masses)
    assert asked == [201.0, 1.0, 101.0]
    np.testing.assert_array_equal(found.events[:, 0, 0, 0], masses)
    np.testing.assert_array_equal(found.masses_gev, masses)

    def other(*_: object, **__: object) -> SignalRates:
        rates = signal(*_)
        return replace(rates, regions=("s",)) if rates.masses_gev[0] > 1.0 else rates

    with pytest.raises(ComputationError, match="at some masses than at others"):
        in_blocks(other)(None, None, None, None, masses)
