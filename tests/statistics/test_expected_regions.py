"""Expected regions from a few limits per mass, against CLs at every point of the grid."""

from __future__ import annotations

import numpy as np
import pytest

from na64.limits.calculators.status import Regions
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.scanning.expected_regions import expected_regions
from na64.limits.scanning.regions import excluded_regions, interpolated_signals

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
    return strength * g2[:, None, None] * np.stack([inside, beyond], axis=-1)[:, None, :]


def largest_difference(first: Regions, second: Regions) -> float:
    assert len(first) == len(second)
    pairs = [
        (a, b)
        for one, two in zip(first, second, strict=True)
        for a, b in zip(one, two, strict=True)
    ]
    assert all((a is None) == (b is None) for a, b in pairs)
    return max((abs(np.log(a / b)) for a, b in pairs if a and b), default=0.0)


@pytest.mark.parametrize(("observed", "order"), [((0, 0), 0), ((0, 0), 2), ((1, 0), -1)])
def test_agrees_with_the_whole_grid(observed: tuple[int, int], order: int) -> None:
    compiled = likelihood(observed)
    # no region, and one
    events = np.stack([decays_in_flight(n) for n in (30.0, 3e4)])
    signals = interpolated_signals(COUPLINGS, events)
    bands = expected_regions(compiled, signals, 2, COUPLINGS)
    table = excluded_regions(compiled, signals, 2, COUPLINGS, order=order)
    assert table.regions[0] == ()
    for ours, exact in zip(bands[order + 2], table.regions, strict=True):
        # limits of the outer bands jump where an outcome changes its rank
        assert largest_difference(ours, exact) < 0.03


def test_open_regions() -> None:
    # nothing decays: excluded up to the largest coupling, or from the smallest
    events = np.stack([n * COUPLINGS[:, None, None] ** 2 * np.ones((1, 1, 2)) for n in (1e3, 1e8)])
    signals = interpolated_signals(COUPLINGS, events)
    for band in expected_regions(likelihood(), signals, 2, COUPLINGS):
        ((low, high),) = band[0]
        assert 0.01 < low < 0.2
        assert high is None
        assert band[1] == ((pytest.approx(1e-3), None),)


def test_no_events_at_all() -> None:
    signals = interpolated_signals(COUPLINGS, np.zeros((1, len(COUPLINGS), 1, 2)))
    bands = expected_regions(likelihood(), signals, 1, COUPLINGS)
    assert bands == (((),),) * 5
