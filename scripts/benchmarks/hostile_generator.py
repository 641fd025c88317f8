"""Random workspaces that are hard to fit, each from its number alone.

One to six bins with up to thirty events, a signal and one to three backgrounds in up to three
channels, uncertainties of up to 80 %: normsys and histosys with both variations on one side,
through zero, or to negative rates within the bounds of fits; shapesys, staterror, lumi and free
normalisations, held by control regions or by nothing; rates of zero and next to zero, bins without
signal, and nuisance parameters that most samples share in opposite directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["make_workspace"]

Array = NDArray[np.float64]
Workspace = dict[str, Any]

#: relative uncertainties go up to this
_LARGEST = 0.8
_MOST_EVENTS = 30
#: names of nuisance parameters that samples share
_ALPHAS = 4


def make_workspace(number: int, seed: int = 1) -> Workspace:
    """Return workspace `number` of a seed.

    Parameters
    ----------
    number, seed
        Not negative; equal ones give equal workspaces.
    """
    return _Maker(np.random.default_rng([seed, number])).make()


class _Maker:
    """State of one workspace: the generator of random numbers, and how wild it is."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        #: typical relative uncertainty
        self.size = float(generator.choice([0.1, 0.3, _LARGEST]))
        self.scale = float(np.exp(generator.uniform(np.log(0.05), np.log(12.0))))
        #: modifiers per sample
        self.density = float(generator.uniform(0.2, 0.9))
        self.free = generator.random() < 0.35

    def chance(self, probability: float) -> bool:
        return bool(self.generator.random() < probability)

    def uncertainty(self) -> float:
        """Return a relative uncertainty."""
        return float(min(self.size * self.generator.uniform(0.2, 1.3), _LARGEST))

    def make(self) -> Workspace:
        """Return the workspace."""
        generator = self.generator
        n_bins = int(generator.integers(1, 7))
        n_channels = int(generator.integers(1, min(n_bins, 3) + 1))
        cuts = np.sort(generator.choice(np.arange(1, n_bins), n_channels - 1, replace=False))
        sizes = np.diff(np.concatenate([[0], cuts, [n_bins]])).tolist()
        channels, observations = [], []
        uses_lumi = self.chance(0.3)
        strength = self.scale * float(np.exp(generator.uniform(np.log(0.1), np.log(3.0))))
        for c, size in enumerate(sizes):
            control = c > 0 and self.chance(0.5)
            samples = [self.background(c, b, size, control) for b in range(self.count(control))]
            if not control:
                samples.insert(0, self.signal(c, size, strength))
            statistics = self.chance(0.4)
            for s, sample in enumerate(samples):
                if statistics and (s > 0 or self.chance(0.5)):
                    relative = generator.uniform(0.2, 1.3, size) * min(self.size, 0.5)
                    data = (relative * np.array(sample["data"])).tolist()
                    sample["modifiers"].append(
                        {"name": f"statistics_{c}", "type": "staterror", "data": data}
                    )
                if uses_lumi and self.chance(0.7):
                    sample["modifiers"].append({"name": "lumi", "type": "lumi", "data": None})
            name = f"channel_{c}"
            channels.append({"name": name, "samples": samples})
            observations.append({"name": name, "data": self.counts(samples, size)})
        lumi = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.05], "inits": [1.0]}
        lumi["bounds"] = [[0.0, 10.0]]
        parameters = [lumi] if uses_lumi else []
        return {
            "channels": channels,
            "observations": observations,
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": parameters}}],
            "version": "1.0.0",
        }

    def count(self, control: bool) -> int:
        """Return how many backgrounds a channel has."""
        return int(self.generator.integers(1, 3 if control else 4))

    def rates(self, size: int, scale: float) -> Array:
        """Return rates around a scale, some of them zero or next to it."""
        rates = scale * np.exp(self.generator.normal(0.0, 0.8, size))
        if self.chance(0.15):
            rates[self.generator.integers(size)] = 0.0
        if self.chance(0.08):
            rates[self.generator.integers(size)] = 1e-7
        return np.asarray(np.round(np.minimum(rates, _MOST_EVENTS), 8), dtype=np.float64)

    def signal(self, channel: int, size: int, strength: float) -> dict[str, Any]:
        """Return a signal, with few modifiers."""
        rates = self.rates(size, strength)
        if not rates.any() and channel == 0:
            rates[0] = strength
        modifiers: list[dict[str, Any]] = [{"name": "mu", "type": "normfactor", "data": None}]
        if self.chance(self.density):
            modifiers.append(self.normsys("efficiency"))
        if self.chance(0.5 * self.density):
            modifiers.append(self.normsys(f"alpha_{self.generator.integers(_ALPHAS)}"))
        if self.chance(0.5 * self.density):
            modifiers.append(self.histosys(self.shape_name(), rates, through_zero=False))
        return {"name": "signal", "data": rates.tolist(), "modifiers": modifiers}

    def background(self, channel: int, number: int, size: int, control: bool) -> dict[str, Any]:
        """Return a background; control regions have more of it."""
        rates = self.rates(size, self.scale * (2.0 if control else 1.0))
        modifiers: list[dict[str, Any]] = [
            self.normsys(f"alpha_{name}")
            for name in self.generator.permutation(_ALPHAS)[: self.generator.integers(0, 3)]
            if self.chance(self.density)
        ]
        if self.chance(0.6 * self.density):
            modifiers.append(self.histosys(self.shape_name(), rates, through_zero=True))
        if self.chance(0.4 * self.density):
            data = rates * self.generator.uniform(0.2, 1.0, size) * min(self.size * 1.3, _LARGEST)
            if self.chance(0.2):
                data[0] = 0.0
            name = f"shapes_{channel}_{number}"
            modifiers.append({"name": name, "type": "shapesys", "data": data.tolist()})
        if self.free and number == 0 and self.chance(0.8):
            modifiers.append({"name": "free_0", "type": "normfactor", "data": None})
        elif self.free and number == 1 and self.chance(0.4):
            modifiers.append({"name": "free_1", "type": "normfactor", "data": None})
        return {"name": f"background_{number}", "data": rates.tolist(), "modifiers": modifiers}

    def shape_name(self) -> str:
        """Return a parameter of a shape: of its own, or one that a normsys may have, too."""
        if self.chance(0.3):
            return f"alpha_{self.generator.integers(_ALPHAS)}"
        return f"shape_{self.generator.integers(2)}"

    def normsys(self, name: str) -> dict[str, Any]:
        """Return a normsys: symmetric, log-normal, asymmetric, reversed or on one side."""
        u, v = self.uncertainty(), self.uncertainty()
        kind = self.generator.choice(["even", "log", "odd", "same", "reverse"])
        hi, lo = {
            "even": (1.0 + u, 1.0 - u),
            "log": (1.0 + u, 1.0 / (1.0 + u)),
            "odd": (1.0 + u, 1.0 - v),
            "same": (1.0 + u, 1.0 + v) if self.chance(0.6) else (1.0 - u, 1.0 - v),
            "reverse": (1.0 - u, 1.0 + v),
        }[str(kind)]
        return {"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}}

    def histosys(self, name: str, rates: Array, *, through_zero: bool) -> dict[str, Any]:
        """Return a histosys, which may be on one side, differ in sign between bins, pass zero."""
        size = len(rates)
        up = np.array([self.uncertainty() for _ in range(size)])
        down = np.array([self.uncertainty() for _ in range(size)])
        if self.chance(0.3):
            up *= self.generator.choice([-1.0, 1.0], size)
        if self.chance(0.3):
            down *= -1.0  # both variations on one side
        hi, lo = rates * (1.0 + up), rates * (1.0 - down)
        if through_zero and self.chance(0.25):
            bin_ = self.generator.integers(size)
            lo[bin_] = -rates[bin_] * self.generator.choice([0.0, 0.1, 0.6])
            hi[bin_] = 2.0 * rates[bin_]
        data = {"hi_data": hi.tolist(), "lo_data": lo.tolist()}
        return {"name": name, "type": "histosys", "data": data}

    def counts(self, samples: list[dict[str, Any]], size: int) -> list[float]:
        """Return counts around the background, none, or any; none where nothing is expected."""
        total = sum((np.array(s["data"]) for s in samples if s["name"] != "signal"), np.zeros(size))
        usual = self.generator.poisson(total * np.exp(self.generator.normal(0.0, self.size)))
        kind = self.generator.choice(["usual", "none", "any"], p=[0.75, 0.1, 0.15])
        if kind == "none":
            usual = np.zeros(size, dtype=int)
        elif kind == "any":
            usual = self.generator.integers(0, _MOST_EVENTS + 1, size)
        possible = total > 0.0
        return [
            float(min(n, _MOST_EVENTS)) if good else 0.0
            for n, good in zip(usual.tolist(), possible.tolist(), strict=True)
        ]
