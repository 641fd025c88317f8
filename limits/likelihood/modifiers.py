"""What each type of modifier does: its parameters, and how they act on the rates.

A type of modifier is one builder in the table `MODIFIERS`: it defines the parameters and says for
each bin how they act on the rate, by a factor or by a shift. Rates may be negative, as those of
simulated samples with negative weights are; what of a modifier then has no meaning is what pyhf
leaves out as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.likelihood.binned import BinnedSets, check_length
from na64.limits.likelihood.model import LOWEST_FACTOR, Constraint, Parameter
from na64.limits.likelihood.parameters import Parameters
from na64.models.errors import InputError

__all__ = [
    "ABSOLUTE_MODIFIERS",
    "MODIFIERS",
    "Addition",
    "Factor",
    "Place",
]

#: pyhf's default bounds of Gaussian-constrained nuisance parameters, of gammas, of normfactors
_ALPHA_BOUNDS = (-5.0, 5.0)
_GAMMA_BOUNDS = (LOWEST_FACTOR, 10.0)
_NORMFACTOR_BOUNDS = (0.0, 10.0)
#: factor of a rate at one standard deviation beyond which fits only lose digits
_LARGEST_FACTOR = 1e10


@dataclass(frozen=True, slots=True)
class Factor:
    """A parameter multiplies a rate: by its value (``hi`` None) or as a normsys."""

    element: str
    hi: float | None = None
    lo: float | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """A parameter adds to a rate: hi - nominal at +1, nominal - lo at -1, in events."""

    element: str
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a modifier is: one sample in one channel.

    Attributes
    ----------
    here
        Channel, sample and modifier, for messages.
    channel
        Name of the channel.
    rates
        Rates of the sample.
    parameters
        Of the measurement.
    sets
        The sets of parameters with an element per bin.
    """

    here: str
    channel: str
    rates: Sequence[float]
    parameters: Parameters
    sets: BinnedSets


#: what a modifier does in each bin
Effects = Sequence[Factor | Addition]
_Builder = Callable[[Place, Mapping[str, Any]], Effects]


def _one(
    name: str, constraint: Constraint, centre: float, bounds: tuple[float, float]
) -> Parameter:
    """Return a parameter alone in its set: a Gaussian one of width one, or a free one."""
    free = constraint is Constraint.FREE
    width = 0.0 if free else 1.0
    return Parameter(name, name, constraint, 1.0 if free else centre, *bounds, centre, width)


def _element(name: str, i: int, constraint: Constraint, centre: float, width: float) -> Parameter:
    """Return element i of a set of factors around one."""
    bounds = _NORMFACTOR_BOUNDS if constraint is Constraint.FREE else _GAMMA_BOUNDS
    return Parameter(f"{name}[{i}]", name, constraint, 1.0, *bounds, centre, width)


def _alpha(place: Place, name: str) -> None:
    place.parameters.define(place.here, _one(name, Constraint.GAUSSIAN, 0.0, _ALPHA_BOUNDS))


def _normfactor(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name = modifier["name"]
    place.parameters.define(place.here, _one(name, Constraint.FREE, 0.0, _NORMFACTOR_BOUNDS))
    return [Factor(name)] * len(place.rates)


def _shapefactor(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name = modifier["name"]
    size = place.sets.size(name)
    for i in range(size):  # all at once: the first channel may be shorter than others
        usual = _element(name, i, Constraint.FREE, 0.0, 0.0)
        place.parameters.define(place.here, usual, position=i, size=size)
    return [Factor(f"{name}[{i}]") for i in range(len(place.rates))]


def _normsys(place: Place, modifier: Mapping[str, Any]) -> Effects:
    _alpha(place, modifier["name"])
    hi, lo = (float(modifier["data"][side]) for side in ("hi", "lo"))
    if not (hi > 0.0 and lo > 0.0 and math.isfinite(hi) and math.isfinite(lo)):
        raise InputError(f"{place.here}: hi {hi} and lo {lo} must be positive")
    if max(hi, lo, 1.0 / hi, 1.0 / lo) > _LARGEST_FACTOR:
        raise InputError(
            f"{place.here}: hi {hi:g} and lo {lo:g} must be in {1.0 / _LARGEST_FACTOR:g}-"
            f"{_LARGEST_FACTOR:g}"
        )
    return [Factor(modifier["name"], hi, lo)] * len(place.rates)


def _histosys(place: Place, modifier: Mapping[str, Any]) -> Effects:
    for side in ("hi_data", "lo_data"):
        check_length(place.here, modifier["data"][side], len(place.rates))
    _alpha(place, modifier["name"])
    effects = []
    for i, rate in enumerate(place.rates):
        up = float(modifier["data"]["hi_data"][i]) - rate
        down = rate - float(modifier["data"]["lo_data"][i])
        if not (math.isfinite(up) and math.isfinite(down)):
            raise InputError(f"{place.here}: hi_data and lo_data must be finite")
        effects.append(Addition(modifier["name"], up, down))
    return effects


def _lumi(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name, parameters = modifier["name"], place.parameters
    config = parameters.config.get(name, {})
    missing = [key for key in ("auxdata", "sigmas") if key not in config]
    if missing:
        raise InputError(
            f"{place.here}: a lumi needs {' and '.join(repr(key) for key in missing)} in the "
            f"'parameters' of measurement '{parameters.measurement}', such as "
            f'{{"name": "{name}", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], '
            f'"bounds": [[0.5, 1.5]]}}'
        )
    parameters.check(place.here, name, Constraint.GAUSSIAN, 1)
    value = float(config["auxdata"][0])
    usual = _one(name, Constraint.GAUSSIAN, value, (0.0, 10.0 * value))
    parameters.define(place.here, usual)
    return [Factor(name)] * len(place.rates)


def _shapesys(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name, size = modifier["name"], len(place.rates)
    check_length(place.here, modifier["data"], size)
    for i, (rate, value) in enumerate(zip(place.rates, modifier["data"], strict=True)):
        # pyhf lets a bin without a positive rate and uncertainty keep its initial factor
        if not math.isfinite(value) or (rate > 0.0 > value):
            raise InputError(f"{place.here}: uncertainty {value} is not allowed")
        held = not (rate > 0.0 and value > 0.0)
        ratio = 1.0 if held else rate / value
        usual = _element(name, i, Constraint.POISSON, ratio * ratio, ratio * ratio)
        place.parameters.define(place.here, usual, position=i, size=size, held=held)
    return [Factor(f"{name}[{i}]") for i in range(size)]


def _staterror(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name, sets = modifier["name"], place.sets
    size = sets.size(name)
    for i in range(size):
        width = sets.width(name, i)
        usual = _element(name, i, Constraint.GAUSSIAN, 1.0, width)
        place.parameters.define(place.here, usual, position=i, size=size, held=width == 0.0)
    first = sets.first(name, place.channel)
    return [Factor(f"{name}[{first + i}]") for i in range(len(place.rates))]


#: types of modifiers that can be compiled
MODIFIERS: Final[Mapping[str, _Builder]] = {
    "normfactor": _normfactor,
    "normsys": _normsys,
    "histosys": _histosys,
    "lumi": _lumi,
    "shapesys": _shapesys,
    "staterror": _staterror,
    "shapefactor": _shapefactor,
}
#: those in absolute events: other rates would contradict them
ABSOLUTE_MODIFIERS: Final = ("shapesys", "staterror", "histosys")
