"""Workspaces that the tests of the statistics engine share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

Workspace = dict[str, Any]


def _counting(
    background: Sequence[float] = (0.05, 0.17, 0.29),
    uncertainty: Sequence[float] = (0.8, 0.4, 0.3),
    signal: Sequence[float] = (0.45, 0.33, 0.22),
    efficiency: float = 0.1,
    observed: Sequence[float] = (0, 0, 0),
    kind: str = "normsys",
) -> Workspace:
    """One channel per bin; log-normal or shapesys backgrounds, one efficiency uncertainty."""
    channels, observations = [], []
    for i, (b, u, s, n) in enumerate(zip(background, uncertainty, signal, observed, strict=True)):
        modifiers: list[dict[str, Any]] = [{"name": "mu", "type": "normfactor", "data": None}]
        if efficiency:
            data = {"hi": 1.0 + efficiency, "lo": 1.0 / (1.0 + efficiency)}
            modifiers.append({"name": "efficiency", "type": "normsys", "data": data})
        own: list[dict[str, Any]] = []
        if u and kind == "normsys":
            data = {"hi": 1.0 + u, "lo": 1.0 / (1.0 + u)}
            own.append({"name": f"background_{i}", "type": "normsys", "data": data})
        elif u:
            own.append({"name": f"background_{i}", "type": "shapesys", "data": [u * b]})
        channels.append(
            {
                "name": f"bin_{i:02d}",
                "samples": [
                    {"name": "signal", "data": [float(s)], "modifiers": modifiers},
                    {"name": "background", "data": [float(b)], "modifiers": own},
                ],
            }
        )
        observations.append({"name": f"bin_{i:02d}", "data": [float(n)]})
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _uniform(generator: np.random.Generator, low: float, high: float, n: int) -> list[float]:
    return [float(x) for x in generator.uniform(low, high, n)]


def _everything(seed: int) -> Workspace:
    """Return a random workspace with every supported modifier, shared names included."""
    generator = np.random.default_rng(seed)
    chance = generator.random
    channels, observations = [], []
    for c in range(int(generator.integers(1, 4))):
        bins = int(generator.integers(1, 4))
        with_statistics = chance() < 0.4
        rates = np.array(_uniform(generator, 0.05, 1.0, bins)) * generator.choice([0.5, 3.0])
        if bins > 1 and chance() < 0.3:
            rates[0] = 0.0
        modifiers: list[dict[str, Any]] = [{"name": "mu", "type": "normfactor", "data": None}]
        if chance() < 0.5:
            hi, lo = 1.0 + generator.uniform(0.01, 0.3), 1.0 - generator.uniform(0.01, 0.25)
            modifiers.append({"name": "n0", "type": "normsys", "data": {"hi": hi, "lo": lo}})
        if chance() < 0.3:
            data = {
                "hi_data": (rates * generator.uniform(1.0, 1.3, bins)).tolist(),
                "lo_data": (rates * generator.uniform(0.7, 1.0, bins)).tolist(),
            }
            modifiers.append({"name": "h0", "type": "histosys", "data": data})
        if chance() < 0.4:
            modifiers.append({"name": "lumi", "type": "lumi", "data": None})
        samples = [{"name": "signal", "data": rates.tolist(), "modifiers": modifiers}]
        total = rates.copy()
        for b in range(int(generator.integers(1, 3))):
            x = np.array(_uniform(generator, 0.05, 1.0, bins)) * generator.choice([0.3, 5.0, 40.0])
            if chance() < 0.2:
                x[-1] = 0.0
            modifiers = []
            if chance() < 0.5:
                hi = 1.0 + generator.uniform(0.01, 0.5)
                lo = 1.0 / (1.0 + generator.uniform(0.01, 0.5))
                name = f"n{generator.integers(3)}"
                modifiers.append({"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}})
            if chance() < 0.3:
                data = {
                    "hi_data": (x * generator.uniform(1.0, 1.3, bins)).tolist(),
                    "lo_data": (x * generator.uniform(0.7, 1.0, bins)).tolist(),
                }
                name = "h0" if chance() < 0.5 else "n0"  # n0: normsys and histosys together
                modifiers.append({"name": name, "type": "histosys", "data": data})
            if chance() < 0.4:
                data = (x * generator.uniform(0.05, 0.8, bins)).tolist()
                modifiers.append({"name": f"shape_{c}_{b}", "type": "shapesys", "data": data})
            if with_statistics:
                data = (x * generator.uniform(0.01, 0.2, bins)).tolist()
                modifiers.append({"name": f"statistics_{c}", "type": "staterror", "data": data})
            if chance() < 0.2:
                modifiers.append({"name": "free", "type": "normfactor", "data": None})
            if chance() < 0.4:
                modifiers.append({"name": "lumi", "type": "lumi", "data": None})
            samples.append({"name": f"b{b}", "data": x.tolist(), "modifiers": modifiers})
            total += x
        channels.append({"name": f"channel_{c}", "samples": samples})
        counts = generator.poisson(total).astype(float).tolist()
        observations.append({"name": f"channel_{c}", "data": counts})
    lumi = {
        "name": "lumi",
        "auxdata": [1.0],
        "sigmas": [0.03],
        "inits": [1.0],
        "bounds": [[0.5, 1.5]],
    }
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [lumi]}}],
        "version": "1.0.0",
    }


@pytest.fixture(scope="session")
def counting() -> Callable[..., Workspace]:
    """Return the maker of counting experiments."""
    return _counting


@pytest.fixture(scope="session")
def everything() -> Callable[[int], Workspace]:
    """Return the maker of random workspaces."""
    return _everything
