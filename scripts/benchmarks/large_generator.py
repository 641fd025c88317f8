"""Ten workspaces with the structure of published searches, the same ones every time.

Signal regions of several bins and control regions that hold free normalisations; backgrounds that
fall along the bins, a few of them absent from a bin; normsys on some samples in all channels,
histosys with one parameter for the shapes of all channels, one-sided and same-sided variations as
experiments publish them; luminosity; statistical uncertainties per bin (staterror) or per bin and
sample (shapesys).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPES", "Shape", "make_large"]

Array = NDArray[np.float64]
Workspace = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a workspace.

    Attributes
    ----------
    signal, control
        Bins of every signal and control region.
    backgrounds
        Samples beside the signal.
    normsys, histosys
        Numbers of nuisance parameters.
    free
        Free normalisations, each of a background.
    gammas
        Statistical uncertainties per bin and sample (shapesys) instead of per bin (staterror).
    events
        Background events of a region.
    sided
        Part of the histosys that have one variation, or both on one side.
    """

    signal: tuple[int, ...]
    control: tuple[int, ...]
    backgrounds: int
    normsys: int
    histosys: int
    free: int
    gammas: bool = False
    events: float = 300.0
    sided: float = 0.2


#: by name
SHAPES: Final[dict[str, Shape]] = {
    "large-1": Shape((4,), (1,), 4, 44, 24, 1),
    "large-2": Shape((6, 6), (1, 1), 5, 40, 25, 2),
    "large-3": Shape((8, 8), (1, 1, 2), 6, 50, 35, 3),
    "large-4": Shape((3, 3, 3, 3), (1, 1, 1), 6, 60, 45, 3, events=40.0),
    "large-5": Shape((10, 10, 10), (5, 5), 6, 70, 70, 2, events=2000.0),
    "large-6": Shape((1,) * 12, (1,) * 6, 7, 90, 80, 3, events=8.0),
    "large-7": Shape((12, 12), (4, 4), 6, 30, 20, 2, gammas=True),
    "large-8": Shape((2, 2), (1,), 5, 160, 130, 1, sided=0.4),
    "large-9": Shape((12, 10), (6, 6, 6), 5, 58, 40, 3, gammas=True, events=1000.0),
    "large-10": Shape((8, 8, 8), (4, 4, 4), 8, 130, 130, 3, sided=0.4),
}


def make_large(name: str) -> Workspace:
    """Return one of the workspaces.

    Parameters
    ----------
    name
        A key of `SHAPES`.
    """
    return _Maker(SHAPES[name], np.random.default_rng([7, list(SHAPES).index(name)])).make()


class _Maker:
    """State of one workspace."""

    def __init__(self, shape: Shape, generator: np.random.Generator) -> None:
        self.shape, self.generator = shape, generator
        samples = shape.backgrounds + 1
        # which samples each nuisance parameter changes, and how much: some change many
        self.rate_of = generator.random((shape.normsys, samples)) < 0.4
        self.rate = np.exp(generator.uniform(np.log(0.005), np.log(0.2), (shape.normsys, samples)))
        self.shape_of = generator.random((shape.histosys, samples)) < 0.6
        self.size = np.exp(generator.uniform(np.log(0.005), np.log(0.15), shape.histosys))
        kinds = ["two", "one", "same"]
        odds = [1.0 - shape.sided, 0.6 * shape.sided, 0.4 * shape.sided]
        self.kind = generator.choice(kinds, shape.histosys, p=odds)
        self.share = generator.dirichlet(np.full(shape.backgrounds, 1.5))

    def make(self) -> Workspace:
        """Return the workspace."""
        channels, observations = [], []
        for is_signal, sizes in ((True, self.shape.signal), (False, self.shape.control)):
            for i, bins in enumerate(sizes):
                name = f"{'signal' if is_signal else 'control'}_{i}"
                samples = self.samples(name, bins, is_signal, i)
                total = sum(
                    (np.array(s["data"]) for s in samples if s["name"] != "signal"), np.zeros(bins)
                )
                pull = np.exp(self.generator.normal(0.0, 0.05))
                counts = self.generator.poisson(pull * total).astype(float)
                channels.append({"name": name, "samples": samples})
                observations.append({"name": name, "data": counts.tolist()})
        lumi = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.017], "inits": [1.0]}
        lumi["bounds"] = [[0.915, 1.085]]
        return {
            "channels": channels,
            "observations": observations,
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": [lumi]}}],
            "version": "1.0.0",
        }

    def samples(
        self, channel: str, bins: int, is_signal: bool, number: int
    ) -> list[dict[str, Any]]:
        """Return signal and backgrounds of a region; a control region has one that dominates."""
        shape, generator = self.shape, self.generator
        share = self.share.copy()
        if not is_signal:
            share[number % shape.backgrounds] += 2.0
            share /= share.sum()
        answer = []
        total = np.zeros(bins)
        for b in range(shape.backgrounds):
            slope = generator.uniform(0.1, 0.5)
            rates = np.exp(-slope * np.arange(bins)) * np.exp(generator.normal(0.0, 0.2, bins))
            rates *= shape.events * share[b] / rates.sum()
            if generator.random() < 0.12 and b > 0:
                rates[-1] = 0.0
            total += rates
            answer.append(self.sample(channel, f"background_{b}", b + 1, rates))
        if is_signal:
            rising = np.exp(0.15 * np.arange(bins)) * np.exp(generator.normal(0.0, 0.2, bins))
            rates = rising / rising.sum() * 0.8 * np.sqrt(total.sum() + 1.0)
            answer.insert(0, self.sample(channel, "signal", 0, rates))
        return answer

    def sample(self, channel: str, name: str, index: int, rates: Array) -> dict[str, Any]:
        """Return a sample with its modifiers."""
        shape, generator = self.shape, self.generator
        rates = np.round(rates, 5)
        modifiers: list[dict[str, Any]] = [{"name": "lumi", "type": "lumi", "data": None}]
        if index == 0:
            modifiers.append({"name": "mu", "type": "normfactor", "data": None})
        elif index <= shape.free:
            modifiers = [{"name": f"free_{index}", "type": "normfactor", "data": None}]
        for p in np.flatnonzero(self.rate_of[:, index]).tolist():
            u = float(self.rate[p, index])
            data: dict[str, Any] = {"hi": 1.0 + u, "lo": 1.0 - 0.9 * u}
            modifiers.append({"name": f"rate_{p}", "type": "normsys", "data": data})
        for p in np.flatnonzero(self.shape_of[:, index]).tolist():
            tilt = self.size[p] * generator.uniform(-1.5, 1.5, len(rates))
            hi, lo = rates * (1.0 + tilt), rates * (1.0 - tilt)
            if self.kind[p] == "one":
                lo = rates
            elif self.kind[p] == "same":
                lo = rates * (1.0 + 0.4 * tilt)
            data = {"hi_data": hi.tolist(), "lo_data": lo.tolist()}
            modifiers.append({"name": f"shape_{p}", "type": "histosys", "data": data})
        relative = generator.uniform(0.03, 0.2, len(rates))
        if index and shape.gammas:
            data_of_bins = (rates * relative).tolist()
            name_of_bins = f"statistics_{channel}_{name}"
            modifiers.append({"name": name_of_bins, "type": "shapesys", "data": data_of_bins})
        elif index:
            data_of_bins = (rates * relative).tolist()
            name_of_bins = f"statistics_{channel}"
            modifiers.append({"name": name_of_bins, "type": "staterror", "data": data_of_bins})
        return {"name": name, "data": rates.tolist(), "modifiers": modifiers}
