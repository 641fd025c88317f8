"""Samples of a channel as pyhf JSON: the modifiers of signals and backgrounds.

Relative uncertainties u are normsys modifiers with hi = 1 + u and lo = 1/(1 + u); those of single
intervals are shapesys, those of a spectrum as a whole histosys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.workspaces.pyhf.samples import BackgroundSample, Uncertainties
from na64.workspaces.pyhf.template import TemplateBin

__all__ = ["POI", "background_samples", "signal_samples"]

Array = NDArray[np.float64]

#: name of the parameter of interest
POI: Final = "mu"


def signal_samples(
    bins: Sequence[TemplateBin], events: Array, processes: Sequence[str]
) -> list[dict[str, object]]:
    """Return the signals of a channel, events of shape (P, B); intervals differ in nothing else."""
    return [
        {
            "name": f"signal_{process}",
            "data": numbers.tolist(),
            "modifiers": [
                {"name": POI, "type": "normfactor", "data": None},
                *_normsys(bins[0].signal_factors(process)),
                *_simulated(bins[0], numbers, events),
            ],
        }
        for process, numbers in zip(processes, events, strict=True)
    ]


def _simulated(item: TemplateBin, numbers: Array, events: Array) -> list[dict[str, object]]:
    """Return the modifiers of one process of a simulated signal, of shape (B,), out of (P, B).

    pyhf adds the errors of samples under one staterror in quadrature, as if they were of events of
    their own. All processes of a bin have one efficiency, so that their error is one: it is divided
    among them such that pyhf's sum is that.
    """
    found: list[dict[str, object]] = [
        {"name": part.nuisance, "type": "normsys", "data": {"hi": part.hi, "lo": part.lo}}
        for part in item.simulated.factors
    ]
    name, relative = item.simulated.staterror
    if name and (root := math.hypot(*events[:, 0].tolist())) > 0.0:
        error = relative * events[:, 0].sum() * numbers[0] / root
        found.append({"name": name, "type": "staterror", "data": [float(error)]})
    return found


def background_samples(bins: Sequence[TemplateBin]) -> list[dict[str, object]]:
    return [
        {
            "name": samples[0].name,
            "data": [sample.events for sample in samples],
            "modifiers": [
                *_normsys(samples[0].uncertainties),
                *_shapesys(samples),
                *_histosys(samples),
            ],
        }
        for samples in zip(*(item.backgrounds for item in bins), strict=True)
    ]


def _shapesys(samples: Sequence[BackgroundSample]) -> list[dict[str, object]]:
    """Return the uncertainty of every interval by itself."""
    if samples[0].shape is None:
        return []
    name, relative = samples[0].shape
    data = [relative * sample.events for sample in samples]
    return [{"name": name, "type": "shapesys", "data": data}]


def _histosys(samples: Sequence[BackgroundSample]) -> list[dict[str, object]]:
    """Return the nuisances that move the spectrum of a channel."""
    return [
        {
            "name": same[0][0],
            "type": "histosys",
            "data": {
                "hi_data": [up for _, up, _ in same],
                "lo_data": [down for _, _, down in same],
            },
        }
        for same in zip(*(sample.variations for sample in samples), strict=True)
    ]


def _normsys(factors: Uncertainties) -> list[dict[str, object]]:
    return [
        {
            "name": nuisance,
            "type": "normsys",
            "data": {"hi": 1.0 + relative, "lo": 1.0 / (1.0 + relative)},
        }
        for nuisance, relative in factors
    ]
