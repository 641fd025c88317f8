"""Numbers of a run card: a value with its uncertainty and its source, or a table in mass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError

__all__ = ["MassTable", "Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured or assumed number.

    Attributes
    ----------
    value
        The number; finite and not negative.
    uncertainty
        Absolute standard uncertainty, in the unit of the value; 0 for none.
    source
        Where the number comes from: a table of a paper, "calibrated to ...", "not published: ...".
    correlation
        Name of the nuisance parameter that moves the number. Numbers with the same name move
        together; None gives the number a nuisance of its own.

    Raises
    ------
    InputError
        For a value or uncertainty that is negative or not finite, an uncertainty on a value of
        zero (log-normal uncertainties are relative), or an empty source.
    """

    value: float
    uncertainty: float
    source: str
    correlation: str | None = None

    def __post_init__(self) -> None:
        for label, number in (("value", self.value), ("uncertainty", self.uncertainty)):
            if not (math.isfinite(number) and number >= 0.0):
                raise InputError(f"{label} must be finite and not negative, is {number}")
        if self.value == 0.0 and self.uncertainty > 0.0:
            raise InputError(
                "a value of 0 cannot have an uncertainty: uncertainties are log-normal, so relative"
            )
        if not self.source.strip():
            raise InputError("source must not be empty")

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

    Attributes
    ----------
    masses_gev
        Increasing positive masses, two or more.
    values
        Value at each mass; finite and not negative.
    relative_uncertainty
        Relative standard uncertainty, common to all masses.
    source
        Where the numbers come from.
    correlation
        As in `Quantity`.
    """

    masses_gev: tuple[float, ...]
    values: tuple[float, ...]
    relative_uncertainty: float
    source: str
    correlation: str | None = None

    def __post_init__(self) -> None:
        if len(self.masses_gev) != len(self.values):
            raise InputError(
                f"{len(self.masses_gev)} masses but {len(self.values)} values: one value per mass"
            )
        if len(self.masses_gev) < 2:
            raise InputError("a table in mass needs two points or more")
        masses = np.asarray(self.masses_gev, float)
        if not (np.all(np.isfinite(masses)) and masses[0] > 0.0 and np.all(np.diff(masses) > 0.0)):
            raise InputError("masses must be positive and increasing")
        if not all(math.isfinite(value) and value >= 0.0 for value in self.values):
            raise InputError("values must be finite and not negative")
        if not (math.isfinite(self.relative_uncertainty) and self.relative_uncertainty >= 0.0):
            raise InputError(
                "relative_uncertainty must be finite and not negative, is "
                f"{self.relative_uncertainty}"
            )
        if not self.source.strip():
            raise InputError("source must not be empty")

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
        masses = np.asarray(masses_gev, float)
        low, high = self.masses_gev[0], self.masses_gev[-1]
        # A grid's end points carry rounding errors of logarithms: 1e-9 is far below any meaning.
        outside = (masses < low * (1.0 - 1e-9)) | (masses > high * (1.0 + 1e-9))
        if np.any(outside):
            worst = float(masses[outside].flat[0])
            raise InputError(
                f"mass {worst:.6g} GeV is outside the table, which covers {low:g}-{high:g} GeV"
            )
        return np.asarray(np.interp(np.log(masses), np.log(self.masses_gev), self.values), float)
