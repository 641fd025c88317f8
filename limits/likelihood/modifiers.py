"""The parameters of a measurement, and what each type of modifier does with them.

A type of modifier is one builder in the table `MODIFIERS`: it defines the parameters and says for
each bin how they act on the rate, by a factor or by a shift.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from na64.limits.likelihood.model import LOWEST_FACTOR, Constraint, Parameter
from na64.models.errors import InputError

__all__ = [
    "ABSOLUTE_MODIFIERS",
    "BINNED_MODIFIERS",
    "MODIFIERS",
    "Addition",
    "Factor",
    "Parameters",
    "Place",
    "check_length",
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


class Parameters:
    """The parameters of one measurement, each defined by the modifier that is read first.

    Parameters
    ----------
    config
        The measurement's configuration of parameters, by name.
    """

    def __init__(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        self.config = config
        self.moving: list[Parameter] = []
        self.fixed: dict[str, float] = {}  # parameters that do not move, with their values
        self.index: dict[str, int] = {}

    def define(self, here: str, element: str, usual: Parameter, *, position: int = 0) -> None:
        """Define a parameter once, with the measurement's configuration on top.

        Parameters
        ----------
        here
            The modifier, for messages.
        element, position
            Name of the parameter, and its place in a set.
        usual
            What it is where nothing is configured.
        """
        if element in self.index or element in self.fixed:
            return
        name, constraint = usual.group, usual.constraint
        centre, width, init = usual.centre, usual.width, usual.init
        config = self.config.get(name, {})
        if constraint is Constraint.POISSON:
            width = float(_item(here, config, "factors", position, width))
            centre = float(_item(here, config, "auxdata", position, width))
        elif constraint is Constraint.GAUSSIAN:
            centre = float(_item(here, config, "auxdata", position, centre))
            width = float(_item(here, config, "sigmas", position, width))
            init = centre if "auxdata" in config and "inits" not in config else init
            if not (width > 0.0 and math.isfinite(width)):
                raise InputError(f"{here}: the width {width} of its constraint is not positive")
        init = float(_item(here, config, "inits", position, init))
        lower, upper = (
            float(x) for x in _item(here, config, "bounds", position, (usual.lower, usual.upper))
        )
        if not (lower <= init <= upper):
            raise InputError(f"{here}: initial value {init} is outside [{lower}, {upper}]")
        if config.get("fixed", False) or lower == upper:
            self.fixed[element] = init
            return
        if usual.lower >= 0.0:
            lower = max(lower, LOWEST_FACTOR)  # a factor is never negative
            init = max(init, lower)
        self.index[element] = len(self.moving)
        self.moving.append(Parameter(element, name, constraint, init, lower, upper, centre, width))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a modifier is: one sample in one channel.

    Attributes
    ----------
    here
        Channel, sample and modifier, for messages.
    rates
        Rates of the sample.
    parameters
        Of the measurement.
    staterror_widths
        Relative uncertainty per bin by name of the staterror, over all samples that share it.
    """

    here: str
    rates: Sequence[float]
    parameters: Parameters
    staterror_widths: Mapping[str, Sequence[float]]


#: what a modifier does in each bin; None: nothing
Effects = Sequence[Factor | Addition | None]
_Builder = Callable[[Place, Mapping[str, Any]], Effects]


def _usual(
    name: str, constraint: Constraint, centre: float, width: float, bounds: tuple[float, float]
) -> Parameter:
    init = 1.0 if constraint is Constraint.POISSON else centre
    return Parameter(name, name, constraint, init, *bounds, centre, width)


def _alpha(place: Place, name: str) -> None:
    usual = _usual(name, Constraint.GAUSSIAN, 0.0, 1.0, _ALPHA_BOUNDS)
    place.parameters.define(place.here, name, usual)


def _normfactor(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name = modifier["name"]
    usual = _usual(name, Constraint.FREE, 1.0, 0.0, _NORMFACTOR_BOUNDS)
    place.parameters.define(place.here, name, usual)
    return [Factor(name)] * len(place.rates)


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
    name = modifier["name"]
    config = place.parameters.config.get(name, {})
    if not ("auxdata" in config and "sigmas" in config):
        raise InputError(
            f"{place.here}: a lumi modifier needs 'auxdata' and 'sigmas' in the measurement's "
            f"parameters"
        )
    value = float(config["auxdata"][0])
    usual = _usual(name, Constraint.GAUSSIAN, value, 1.0, (0.0, 10.0 * value))
    place.parameters.define(place.here, name, usual)
    return [Factor(name)] * len(place.rates)


def _uncertainties(place: Place, modifier: Mapping[str, Any]) -> list[float]:
    """Return the absolute uncertainty of every bin, checked."""
    check_length(place.here, modifier["data"], len(place.rates))
    values = [float(value) for value in modifier["data"]]
    for value in values:
        if not (math.isfinite(value) and value >= 0.0):
            raise InputError(f"{place.here}: uncertainty {value} is not allowed")
    return values


def _shapesys(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name, parameters = modifier["name"], place.parameters
    effects: list[Factor | None] = []
    values = _uncertainties(place, modifier)
    for i, (rate, uncertainty) in enumerate(zip(place.rates, values, strict=True)):
        if not (rate > 0.0 and uncertainty > 0.0):
            effects.append(None)  # pyhf fixes these to one
            continue
        element = f"{name}[{i}]"
        if element in parameters.index or element in parameters.fixed:
            raise InputError(f"{place.here}: a shapesys cannot be shared between samples")
        usual = _usual(name, Constraint.POISSON, 1.0, (rate / uncertainty) ** 2, _GAMMA_BOUNDS)
        parameters.define(place.here, element, usual, position=i)
        effects.append(Factor(element))
    return effects


def _staterror(place: Place, modifier: Mapping[str, Any]) -> Effects:
    name = modifier["name"]
    _uncertainties(place, modifier)
    effects: list[Factor | None] = []
    for i, width in enumerate(place.staterror_widths[name]):
        if width == 0.0:
            effects.append(None)  # pyhf fixes these to one
            continue
        usual = _usual(name, Constraint.GAUSSIAN, 1.0, width, _GAMMA_BOUNDS)
        place.parameters.define(place.here, f"{name}[{i}]", usual, position=i)
        effects.append(Factor(f"{name}[{i}]"))
    return effects


#: types of modifiers that can be compiled
MODIFIERS: Final[Mapping[str, _Builder]] = {
    "normfactor": _normfactor,
    "normsys": _normsys,
    "histosys": _histosys,
    "lumi": _lumi,
    "shapesys": _shapesys,
    "staterror": _staterror,
}
#: those with a parameter per bin
BINNED_MODIFIERS: Final = ("shapesys", "staterror")
#: those in absolute events: other rates would contradict them
ABSOLUTE_MODIFIERS: Final = ("shapesys", "staterror", "histosys")


def check_length(here: str, values: Sequence[float], n_bins: int) -> None:
    """Refuse a list that does not have one value per bin."""
    if len(values) != n_bins:
        raise InputError(f"{here}: {len(values)} values for {n_bins} bins")


def _item(here: str, config: Mapping[str, Any], key: str, position: int, default: Any) -> Any:
    """Return one element of a configured list, or the default."""
    if key not in config:
        return default
    values = config[key]
    if position >= len(values):
        raise InputError(f"{here}: '{key}' of its configuration has only {len(values)} values")
    return values[position]
