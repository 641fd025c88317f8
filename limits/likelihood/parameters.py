"""The parameters of a measurement: what a modifier gives them, and what the measurement says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from na64.limits.likelihood.model import LOWEST_FACTOR, Constraint, Parameter
from na64.models.errors import InputError

__all__ = ["Parameters"]

#: what a measurement may say of a parameter, by its constraint
_KEYS: Final = {
    Constraint.FREE: ("inits", "bounds", "fixed"),
    Constraint.GAUSSIAN: ("inits", "bounds", "fixed", "auxdata", "sigmas"),
    Constraint.POISSON: ("inits", "bounds", "fixed", "auxdata", "factors"),
}


class Parameters:
    """The parameters of one measurement, each defined by the modifier that is read first.

    Parameters
    ----------
    measurement
        Name of the measurement.
    config
        Its configuration of parameters, by name.

    Attributes
    ----------
    moving
        The parameters that fits move.
    fixed
        Values of those that do not move.
    index
        Places of the moving ones.
    """

    def __init__(self, measurement: str, config: Mapping[str, Mapping[str, Any]]) -> None:
        self.measurement = measurement
        self.config = config
        self.moving: list[Parameter] = []
        self.fixed: dict[str, float] = {}
        self.index: dict[str, int] = {}
        self._groups: dict[str, str] = {}

    def check(self, here: str, name: str, constraint: Constraint, size: int) -> None:
        """Refuse a configuration that does not fit the modifier, as pyhf does.

        Parameters
        ----------
        here
            The modifier, for messages.
        name, constraint, size
            Name, kind and number of its parameters.
        """
        for key, values in self.config.get(name, {}).items():
            if key == "name":
                continue
            if key not in _KEYS[constraint]:
                raise InputError(
                    f"{here}: '{key}' in the parameters of measurement '{self.measurement}' says "
                    f"nothing about such a parameter; allowed: {', '.join(_KEYS[constraint])}"
                )
            if key != "fixed" and len(values) != size:
                raise InputError(
                    f"{here}: '{key}' in the parameters of measurement '{self.measurement}' has "
                    f"{len(values)} values for {size} parameters"
                )

    def define(
        self, here: str, usual: Parameter, *, position: int = 0, size: int = 1, held: bool = False
    ) -> None:
        """Define a parameter once, with the measurement's configuration on top.

        Parameters
        ----------
        here
            The modifier, for messages.
        usual
            What it is where nothing is configured.
        position, size
            Its place in its set, and how many the set has.
        held
            Whether it has no uncertainty: it keeps its initial value and moves nothing.
        """
        element, name = usual.name, usual.group
        if element in self._groups:
            if self._groups[element] != name:
                raise InputError(f"{here}: its parameter '{element}' is also a modifier's name")
            return
        self._groups[element] = name
        if position == 0:
            self.check(here, name, usual.constraint, size)
        config = self.config.get(name, {})

        def configured(key: str, default: float) -> float:
            value = float(config[key][position]) if key in config else default
            if not math.isfinite(value):
                raise InputError(f"{here}: {value} in '{key}' of its configuration is not finite")
            return value

        init = configured("inits", usual.init)
        lower, upper = self._bounds(here, usual, position)
        if not (lower <= init <= upper):
            raise InputError(f"{here}: initial value {init} is outside [{lower}, {upper}]")
        if held or config.get("fixed", False) or lower == upper:
            self.fixed[element] = init
            return
        centre = configured("auxdata", usual.centre)
        width = configured(
            "factors" if usual.constraint is Constraint.POISSON else "sigmas", usual.width
        )
        if usual.constraint is not Constraint.FREE and not width > 0.0:
            raise InputError(f"{here}: the width {width} of its constraint is not positive")
        if usual.constraint is Constraint.POISSON and centre < 0.0:
            raise InputError(f"{here}: its auxiliary count {centre} is negative")
        if usual.lower >= 0.0:  # a factor is never negative
            if upper <= LOWEST_FACTOR:
                raise InputError(
                    f"{here}: bounds [{lower}, {upper}] leave no positive value; a factor that is "
                    f"negative must be fixed"
                )
            lower = max(lower, LOWEST_FACTOR)
            init = max(init, lower)
        self.index[element] = len(self.moving)
        self.moving.append(
            Parameter(element, name, usual.constraint, init, lower, upper, centre, width)
        )

    def _bounds(self, here: str, usual: Parameter, position: int) -> tuple[float, float]:
        config = self.config.get(usual.group, {})
        if "bounds" not in config:
            return usual.lower, usual.upper
        pair = config["bounds"][position]
        if len(pair) != 2:
            raise InputError(f"{here}: bounds {list(pair)} are not a lower and an upper one")
        return float(pair[0]), float(pair[1])
