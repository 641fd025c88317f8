"""Numbers of a run card: a value with its uncertainty and its source, or a table in mass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.declaration import Key, check_declared, declare
from na64.models.errors import InputError

__all__ = ["NAME", "MassTable", "Quantity", "covered", "nuisance", "rising", "source"]

#: names in cards
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"
_RELATIVE: Final = "standard uncertainty divided by the value"


def rising(points: Sequence[float]) -> bool:
    """Tell whether points are positive, finite and increasing."""
    values = np.asarray(points, float)
    return bool(np.all(np.isfinite(values)) and values[0] > 0.0 and np.all(np.diff(values) > 0.0))


def covered(
    values: ArrayLike, points: Sequence[float], kind: str, table: str
) -> NDArray[np.float64]:
    """Return values in GeV as an array, refused where they are outside the points of a table."""
    found, low, high = np.asarray(values, float), points[0], points[-1]
    # A grid's end points carry rounding errors of logarithms: 1e-9 is far below any meaning.
    outside = (found < low * (1.0 - 1e-9)) | (found > high * (1.0 + 1e-9))
    if np.any(outside):
        worst = float(found[outside].flat[0])
        raise InputError(
            f"{kind}{worst:.6g} GeV is outside the {table}, which covers {low:g}-{high:g} GeV"
        )
    return found


def source() -> Any:
    """Declare where numbers come from."""
    return declare(
        help="where it comes from; say `calibrated to ...`, `assumption: ...` or "
        "`not published: ...` where that is so"
    )


def nuisance(*default: None, help: str) -> Any:
    """Declare the name of a nuisance parameter; pyhf or the workspaces use some themselves."""
    reserved = ("mu|lumi", "is reserved; choose another name")
    return declare(*default, help=help, pattern=NAME, refused=reserved)


def _correlation() -> Any:
    return nuisance(
        None,
        help="name of the nuisance parameter: numbers with one name move together, in all bins, "
        "and be they exposures, efficiencies or backgrounds; left out, the number has its own",
    )


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured or assumed number.

    Raises
    ------
    InputError
        For a value or uncertainty that is negative or not finite, an uncertainty on a value of
        zero (log-normal uncertainties are relative), or an empty source.
    """

    value: float = declare(help="the number", main=True)
    uncertainty: float = declare(
        help="standard uncertainty in the unit of the value; 0, exact, if left out",
        absent=0.0,
        other=Key(
            name="relative_uncertainty",
            help=_RELATIVE,
            accepts=float,
            to=lambda relative, values, names: values["value"] * relative,
        ),
    )
    source: str = source()
    correlation: str | None = _correlation()

    def __post_init__(self) -> None:
        check_declared(self)
        if self.value == 0.0 and self.uncertainty > 0.0:
            raise InputError(
                "a value of 0 cannot have an uncertainty: uncertainties are log-normal, so relative"
            )

    @property
    def relative_uncertainty(self) -> float:
        """Uncertainty divided by the value; 0 when there is no uncertainty."""
        return self.uncertainty / self.value if self.uncertainty > 0.0 else 0.0

    def at(self, masses_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the value at every mass, the same one; shape of ``masses_gev``."""
        return np.full(np.shape(np.asarray(masses_gev, float)), self.value)


@dataclass(frozen=True, slots=True)
class MassTable:
    """A number that depends on the mediator's mass.

    Between the points the value is linear in the logarithm of the mass; outside them there is
    no value and asking for one is an error.
    """

    masses_gev: tuple[float, ...] = declare(
        help="masses at which the values are given, increasing, two or more",
        unit="GeV",
        above=0.0,
        fewest=2,
    )
    values: tuple[float, ...] = declare(
        help="value at each mass", at_least=0.0, fewest=2, main=True
    )
    relative_uncertainty: float = declare(help=_RELATIVE + ", for all masses", absent=0.0)
    source: str = source()
    correlation: str | None = _correlation()

    def __post_init__(self) -> None:
        if len(self.masses_gev) != len(self.values):
            raise InputError(
                f"{len(self.masses_gev)} masses but {len(self.values)} values: one value per mass"
            )
        if len(self.masses_gev) < 2:
            raise InputError("a table in mass needs two points or more")
        if not rising(self.masses_gev):
            raise InputError("masses must be positive and increasing")
        if not all(math.isfinite(value) and value >= 0.0 for value in self.values):
            raise InputError("values must be finite and not negative")
        check_declared(self)

    @property
    def smallest(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def largest(self) -> float:
        """The largest value."""
        return max(self.values)

    def at(self, masses_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the value at each mass.

        Parameters
        ----------
        masses_gev
            Masses within the table, any shape.

        Raises
        ------
        InputError
            For a mass outside the table.
        """
        masses = covered(masses_gev, self.masses_gev, "mass ", "table")
        return np.asarray(np.interp(np.log(masses), np.log(self.masses_gev), self.values), float)
