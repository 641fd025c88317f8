"""The best cut: expected upper limit against the edge of the signal box.

A looser cut lets in more signal and more background. With no background the median experiment
sees nothing for any small background, and the median limit does not feel it; the mean expected
limit does, and is the default figure of merit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import interpolate, stats

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Auto
from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.likelihood.compiled import compile_workspace
from na64.models.errors import ComputationError, InputError, unknown_name

__all__ = ["MERITS", "CutScan", "optimise_cut"]

Array = NDArray[np.float64]

#: figures of merit: expected limit over background-only experiments
MERITS: Final = ("mean", "median")
#: what is used unless told otherwise
_AUTO: Final = Auto()
#: probability of the experiments that are left out of the mean, half on either side
_NEGLECTED: Final = 1e-4
#: background at a cut: the counts of its experiments are listed
_MOST_EVENTS: Final = 1e9
#: counts for which limits are computed; between them they are interpolated
_NODES: Final = 12


@dataclass(frozen=True, slots=True)
class CutScan:
    """Expected limits against a cut.

    Attributes
    ----------
    cuts
        Values of the cut, shape (K,).
    signal, background
        Expected events that pass, signal at the reference coupling, shape (K,).
    expected
        Expected upper limit on the signal strength: the figure of merit, shape (K,).
    events
        The same in signal events that pass the cut, shape (K,).
    best
        Index of the smallest expected limit.
    interior
        Whether the best cut is not the first or last.
    merit, confidence_level, calculator
        Settings.
    """

    cuts: Array
    signal: Array
    background: Array
    expected: Array
    events: Array
    best: int
    interior: bool
    merit: str
    confidence_level: float
    calculator: Calculator

    @property
    def best_cut(self) -> float:
        """Cut with the smallest expected limit."""
        return float(self.cuts[self.best])


def optimise_cut(
    cuts: ArrayLike,
    signal: ArrayLike,
    background: ArrayLike,
    *,
    background_uncertainty: ArrayLike = 0.0,
    efficiency_uncertainty: float = 0.0,
    confidence_level: float = 0.9,
    merit: str = "mean",
    calculator: Calculator = _AUTO,
) -> CutScan:
    """Compute the expected limit for every value of a cut.

    Parameters
    ----------
    cuts
        Values of the cut, increasing, shape (K,).
    signal
        Expected signal events that pass each cut at the reference coupling, positive, (K,).
    background
        Expected background events that pass each cut, not negative, (K,).
    background_uncertainty
        Relative (log-normal), a number or shape (K,).
    efficiency_uncertainty
        Relative (log-normal) uncertainty of the signal efficiency.
    confidence_level
        Between 0 and 1.
    merit
        ``mean`` or ``median`` limit of experiments without signal.
    calculator
        One without noise, which would drown the minimum of the curve.

    Returns
    -------
    CutScan

    Raises
    ------
    InputError
        If a value is not allowed.
    ComputationError
        If a limit could not be computed.
    """
    values, passing = (np.asarray(x, dtype=np.float64) for x in (cuts, signal))
    rates = np.asarray(background, dtype=np.float64)
    if values.ndim != 1 or not len(values) or np.any(np.diff(values) <= 0.0):
        raise InputError("cuts must increase, at least one")
    for name, array in (("signal", passing), ("background", rates)):
        if array.shape != values.shape:
            raise InputError(f"{array.size} {name} values for {values.size} cuts")
        if not (np.all(np.isfinite(array)) and np.all(array >= 0.0)):
            raise InputError(f"{name} events must be finite and not negative")
    if np.any(rates > _MOST_EVENTS):
        raise InputError(
            f"background events must be at most {_MOST_EVENTS:g}, are {rates.max():g} at the cut "
            f"{values[np.argmax(rates)]:g}"
        )
    if np.any(passing <= 0.0):
        raise InputError(f"no signal passes the cut {values[passing <= 0.0][0]:g}")
    relative = np.broadcast_to(np.asarray(background_uncertainty, np.float64), values.shape)
    if np.any(relative < 0.0) or efficiency_uncertainty < 0.0:
        raise InputError("relative uncertainties must not be negative")
    if merit not in MERITS:
        raise unknown_name("figure of merit", merit, MERITS)
    smooth = calculator.noiseless
    if smooth is None:
        raise InputError(
            f"the best cut needs a method without statistical noise, not '{calculator.name}'"
        )
    settings = {"confidence_level": confidence_level, "calculator": smooth}
    expected = np.array(
        [
            _expected_limit(s, b, u, efficiency_uncertainty, merit, settings)
            for s, b, u in zip(passing.tolist(), rates.tolist(), relative.tolist(), strict=True)
        ]
    )
    best = int(np.argmin(expected))
    return CutScan(
        cuts=values,
        signal=passing,
        background=rates,
        expected=expected,
        events=expected * passing,
        best=best,
        interior=0 < best < len(values) - 1,
        merit=merit,
        confidence_level=confidence_level,
        calculator=calculator,
    )


def _expected_limit(
    signal: float,
    background: float,
    relative: float,
    efficiency: float,
    merit: str,
    settings: dict[str, Any],
) -> float:
    """Return the mean or median limit of one counting experiment."""
    batch = compile_workspace(
        _counting_experiment(signal, background, relative, efficiency), validate=False
    ).batch()
    if merit == "median":
        table = upper_limits(batch, observed=False, **settings)
        value = float(table.expected[BAND_ORDER.index(0), 0])
        if not np.isfinite(value):
            raise ComputationError(f"no expected limit: {table.messages[0]}")
        return value
    low = int(stats.poisson.ppf(0.5 * _NEGLECTED, background))
    high = int(stats.poisson.ppf(1.0 - 0.5 * _NEGLECTED, background))
    counts = np.arange(max(low, 0), high + 1)
    # the limit is a smooth function of the count: many counts are interpolated
    nodes = np.unique(np.linspace(counts[0], counts[-1], _NODES).round().astype(int))
    limits = []
    for n in nodes.tolist():
        table = upper_limits(batch, counts=[float(n)], expected=False, **settings)
        if table.status[0] is not Status.OK:
            raise ComputationError(f"no limit for {n} events: {table.messages[0]}")
        limits.append(table.observed[0])
    curve = np.asarray(limits)
    if len(nodes) < len(counts):
        curve = interpolate.PchipInterpolator(nodes, curve)(counts)
    weights = stats.poisson.pmf(counts, background)
    return float(np.sum(weights * curve) / weights.sum())


def _counting_experiment(
    signal: float, background: float, relative: float, efficiency: float
) -> dict[str, Any]:
    """Return the workspace of one bin with log-normal uncertainties."""

    def uncertainty(name: str, u: float) -> list[dict[str, Any]]:
        data = {"hi": 1.0 + u, "lo": 1.0 / (1.0 + u)}
        return [{"name": name, "type": "normsys", "data": data}] if u > 0.0 else []

    poi = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {
            "name": "signal",
            "data": [signal],
            "modifiers": [poi, *uncertainty("efficiency", efficiency)],
        },
        {
            "name": "background",
            "data": [background],
            "modifiers": uncertainty("background", relative),
        },
    ]
    return {
        "channels": [{"name": "box", "samples": samples}],
        "observations": [{"name": "box", "data": [0.0]}],
        "measurements": [{"name": "cut", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
