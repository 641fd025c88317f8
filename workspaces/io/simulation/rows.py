"""Rows of a simulation: at a mass, and a coupling, what passed out of what was generated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from na64.models.declaration import LARGEST_NUMBER
from na64.models.errors import InputError

__all__ = ["MOST_ROWS", "Row", "checked_rows", "counted", "measured"]

#: rows of one table: they travel in every result
MOST_ROWS: Final = 5_000
#: effective events below which weights have cancelled: without negative ones there is one or more
_FEWEST: Final = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """One point of a simulation.

    Attributes
    ----------
    mass_gev, coupling
        Where it is; no coupling where the file has none.
    value
        What passed, as a sum of weights, divided by what was generated.
    passed
        Effective number of simulated events that passed, (sum w)^2 / sum w^2.
    generated
        Effective number that was generated, ``passed / value``: with it the error of the value is
        that of a binomial count.
    """

    mass_gev: float
    coupling: float | None
    value: float
    passed: float
    generated: float

    @property
    def place(self) -> str:
        """Mass and coupling in words."""
        return _place(self.mass_gev, self.coupling)


def _place(mass_gev: float, coupling: float | None) -> str:
    at = f"mass {mass_gev:.6g} GeV"
    return at if coupling is None else f"{at}, coupling {coupling:.6g}"


def counted(
    mass_gev: float, coupling: float | None, total: float, squares: float, generated: float
) -> Row:
    """Return the row of counted events.

    Parameters
    ----------
    mass_gev, coupling
        Where it is.
    total, squares
        Sum of the weights that pass, and of their squares.
    generated
        What was generated, in the unit of the weights.

    Raises
    ------
    InputError
        Where nothing was generated, for negative sums, numbers that are too large, weights that
        cancel one another, and more events without weights than were generated.
    """
    place = _place(mass_gev, coupling)
    if not generated > 0.0:
        raise InputError(
            f"{place}: nothing was generated ({generated:g}), so nothing is known; leave it out"
        )
    if max(abs(total), squares, generated) > LARGEST_NUMBER:
        largest = max(abs(total), squares, generated)
        raise InputError(f"{place}: numbers must be at most {LARGEST_NUMBER:g}, one is {largest:g}")
    if squares < 0.0:
        raise InputError(f"{place}: the sum of squared weights is negative, {squares:g}")
    if total == 0.0 and squares == 0.0:
        return Row(mass_gev, coupling, 0.0, 0.0, generated)
    if not total > 0.0:
        raise InputError(
            f"{place}: the weights that pass add up to {total:g}, which is no number of events: "
            "simulate more, or leave it out"
        )
    if squares == 0.0:
        raise InputError(f"{place}: {total:g} pass, but the sum of squared weights is 0")
    if squares == total and total > generated * (1.0 + 1e-9):
        raise InputError(
            f"{place}: {total:g} passed, more than the {generated:g} that were generated, and all "
            "weights are 1"
        )
    passed = total**2 / squares
    if passed < _FEWEST:
        raise InputError(
            f"{place}: {passed:.3g} effective events, which is less than one: weights of both "
            "signs cancel, or sums of weights come without those of their squares"
        )
    value = total / generated
    return Row(mass_gev, coupling, value, passed, passed / value)


def measured(
    mass_gev: float, coupling: float | None, value: float, error: float, *, binomial: bool
) -> Row:
    """Return the row of a value with its standard error.

    Parameters
    ----------
    mass_gev, coupling
        Where it is.
    value, error
        An efficiency or a yield, and its standard error.
    binomial
        Whether it is an efficiency, with an error e = v sqrt((1 - v)/k); else e = v/sqrt(k). So
        many events k it is taken to be made of.

    Raises
    ------
    InputError
        For a negative value, an error that is not positive, and one that no event or more have.
    """
    place = _place(mass_gev, coupling)
    if value < 0.0:
        raise InputError(f"{place}: the value must not be negative, is {value:g}")
    if value == 0.0:
        return Row(mass_gev, coupling, 0.0, 0.0, 1.0)
    if binomial and value >= 1.0:
        raise InputError(
            f"{place}: an efficiency of {value:g} has no binomial error: give what passed and what "
            "was generated"
        )
    if not error > 0.0:
        raise InputError(f"{place}: the error must be positive, is {error:g}")
    passed = (value / error) ** 2 * (1.0 - value if binomial else 1.0)
    if passed < _FEWEST:
        raise InputError(
            f"{place}: an error of {error:g} is more than one event has for a value of {value:g}: "
            "simulate more, or leave it out"
        )
    return Row(mass_gev, coupling, value, passed, passed / value)


def checked_rows(rows: Iterable[Row], where: str) -> tuple[Row, ...]:
    """Return rows by mass and coupling, refused where they are none, twice there, or missing.

    Parameters
    ----------
    rows
        In any order.
    where
        The file, for messages.

    Raises
    ------
    InputError
        For no rows, too many, a point that is there twice, and a grid of masses and couplings that
        has gaps.
    """
    found = sorted(rows, key=lambda row: (row.mass_gev, row.coupling or 0.0))
    if not found:
        raise InputError(f"{where}: has no rows that count")
    if len(found) > MOST_ROWS:
        raise InputError(f"{where}: has {len(found)} points, more than {MOST_ROWS}")
    for row in found:
        if not row.mass_gev > 0.0 or (row.coupling is not None and not row.coupling > 0.0):
            raise InputError(f"{where}: {row.place}: must be positive")
    for before, after in pairwise(found):
        if (before.mass_gev, before.coupling) == (after.mass_gev, after.coupling):
            raise InputError(f"{where}: {after.place} is there twice")
    _refuse_gaps(found, where)
    return tuple(found)


def _refuse_gaps(rows: Sequence[Row], where: str) -> None:
    masses = sorted({row.mass_gev for row in rows})
    couplings = sorted({row.coupling for row in rows if row.coupling is not None})
    if not couplings:
        return
    there = {(row.mass_gev, row.coupling) for row in rows}
    gaps = [(mass, at) for mass in masses for at in couplings if (mass, at) not in there]
    if gaps:
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        raise InputError(
            f"{where}: has no row for {_place(*gaps[0])}{more}; {len(masses)} masses and "
            f"{len(couplings)} couplings need all {len(masses) * len(couplings)} (0 passed where "
            "nothing passes)"
        )
