"""Efficiencies and yields of a bin from a simulation: counts by mass and coupling, in a card.

These are the numbers themselves, with the sha256 of the file that they were read from if there was
one: what is computed from them depends on no file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.declaration import LARGEST_NUMBER, check_declared, declare
from na64.models.errors import InputError
from na64.models.signals.counting import clopper_pearson, garwood
from na64.models.signals.simulated import SimulatedGrid, SimulatedValues
from na64.workspaces.cards.quantity import nuisance, source
from na64.workspaces.io.simulation.description import STATISTICS
from na64.workspaces.io.simulation.rows import MOST_ROWS

__all__ = [
    "Simulated",
    "SimulatedEfficiency",
    "SimulatedYield",
    "correlation_key",
    "relative_key",
    "statistics_key",
]


def _masses() -> Any:
    return declare(
        help="mass of each point, not decreasing; with couplings every mass has all of them",
        unit="GeV",
        above=0.0,
        fewest=1,
    )


def _couplings() -> Any:
    return declare(
        (), help="coupling of each point; left out where values do not depend on it", above=0.0
    )


def statistics_key() -> Any:
    """Declare how the statistical error is written."""
    return declare(
        "log-normal",
        help="how the statistical error is written into the likelihood: `log-normal`, with the "
        "ends of the interval of 68 %, or `staterror`, pyhf's Gaussian factor",
        allowed=STATISTICS,
    )


def relative_key() -> Any:
    """Declare an uncertainty common to all points."""
    return declare(
        0.0,
        help="further uncertainty common to all points, such as that of the detector model: "
        "standard uncertainty divided by the value",
    )


def correlation_key() -> Any:
    """Declare the nuisance of that uncertainty."""
    return nuisance(
        None, help="name of the nuisance parameter of `relative_uncertainty`, as of other numbers"
    )


def _read_from() -> Any:
    return declare(None, help="name of the file that the numbers were read from")


def _sha256() -> Any:
    return declare(None, help="its sha256", pattern="[0-9a-f]{64}")


class _OnGrid(ABC):
    """Values of a simulation between the points of their grid."""

    __slots__ = ()

    @property
    @abstractmethod
    def grid(self) -> SimulatedGrid:
        """The values with their errors at the points."""

    def known_at(
        self, masses_gev: ArrayLike, couplings: ArrayLike | None = None
    ) -> SimulatedValues:
        """Return the values with their errors, shape (M, K); K = 1 without couplings.

        Raises
        ------
        InputError
            Outside the simulation.
        """
        return self.grid.at(masses_gev, couplings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEfficiency(_OnGrid):
    """An efficiency from a simulation, by mass, and by coupling where it depends on it.

    At a point it is ``scale * passed / generated``. In between ln(efficiency) is interpolated, see
    `na64.models.signals.simulated`; outside there is none. Its statistical error is that of
    Clopper and Pearson.

    Raises
    ------
    InputError
        For numbers that are not as described.
    """

    masses_gev: tuple[float, ...] = _masses()
    couplings: tuple[float, ...] = _couplings()
    passed: tuple[float, ...] = declare(
        help="number of simulated events that passed at each point; of weighted ones the effective "
        "number, (sum w)^2 / sum w^2",
        at_least=0.0,
        fewest=1,
    )
    generated: tuple[float, ...] = declare(
        help="number generated at each point; of weighted events such that passed / generated is "
        "the efficiency",
        above=0.0,
        fewest=1,
    )
    scale: float = declare(1.0, help="multiplies the efficiency", above=0.0)
    statistics: str = statistics_key()
    relative_uncertainty: float = relative_key()
    read_from: str | None = _read_from()
    sha256: str | None = _sha256()
    source: str = source()
    correlation: str | None = correlation_key()

    def __post_init__(self) -> None:
        _check_points(self.masses_gev, self.couplings, passed=self.passed, generated=self.generated)
        for mass, k, n in zip(self.masses_gev, self.passed, self.generated, strict=True):
            # effective numbers are quotients of rounded ones
            if k > n * (1.0 + 1e-9):
                raise InputError(
                    f"at {mass:g} GeV {k:g} passed out of {n:g} generated: more than all"
                )
        if self.largest > 1.0 + 1e-9:
            raise InputError(f"the efficiency must be at most 1, is {self.largest:g}")
        check_declared(self)

    @property
    def largest(self) -> float:
        """The largest efficiency."""
        return self.scale * max(self._shares)

    @property
    def smallest(self) -> float:
        """The smallest efficiency."""
        return self.scale * min(self._shares)

    @property
    def _shares(self) -> list[float]:
        return [k / n for k, n in zip(self.passed, self.generated, strict=True)]

    @property
    def grid(self) -> SimulatedGrid:
        """The efficiencies with their errors."""
        k, n = np.array(self.passed), np.array(self.generated)
        k = np.minimum(k, n)
        low, high = clopper_pearson(k, n)
        return _grid(self.masses_gev, self.couplings, self.scale * k / n, low * n, high * n, k)

    def at(self, masses_gev: ArrayLike, couplings: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the efficiency.

        Parameters
        ----------
        masses_gev
            Shape (M,).
        couplings
            Shape (K,), where it depends on the coupling.

        Returns
        -------
        ndarray
            Shape (M, K); (M,) where it does not depend on the coupling.

        Raises
        ------
        InputError
            Outside the simulation.
        """
        found = np.minimum(self.known_at(masses_gev, couplings).values, 1.0)
        return found if self.couplings else found[:, 0]

    def times(self, factor: float, origin: str) -> SimulatedEfficiency:
        """Return the efficiency times a factor; its relative errors stay."""
        return replace(self, scale=factor * self.scale, source=origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedYield(_OnGrid):
    """Signal events per particle on target from a simulation, by mass and by coupling.

    They take the place of what the models expect in a bin. Interpolated as an efficiency; the
    statistical error is that of Garwood for the effective number of events.

    Raises
    ------
    InputError
        For numbers that are not as described.
    """

    model: str = declare(help="mediator that was simulated")
    at_coupling: float | None = declare(
        None,
        help="coupling that was simulated, where there is one alone and events are a power of it",
        above=0.0,
    )
    masses_gev: tuple[float, ...] = _masses()
    couplings: tuple[float, ...] = _couplings()
    values: tuple[float, ...] = declare(
        help="signal events per particle on target at each point", at_least=0.0, fewest=1
    )
    passed: tuple[float, ...] = declare(
        help="number of simulated events behind each value; of weighted ones the effective number",
        at_least=0.0,
        fewest=1,
    )
    statistics: str = statistics_key()
    relative_uncertainty: float = relative_key()
    read_from: str | None = _read_from()
    sha256: str | None = _sha256()
    source: str = source()
    correlation: str | None = correlation_key()

    def __post_init__(self) -> None:
        _check_points(self.masses_gev, self.couplings, values=self.values, passed=self.passed)
        for mass, value, k in zip(self.masses_gev, self.values, self.passed, strict=True):
            if (value > 0.0) != (k > 0.0):
                raise InputError(f"at {mass:g} GeV a yield of {value:g} has {k:g} events behind it")
        if (self.at_coupling is None) == (not self.couplings):
            raise InputError("give the coupling that was simulated: `couplings`, or `at_coupling`")
        check_declared(self)

    @property
    def grid(self) -> SimulatedGrid:
        """The yields with their errors."""
        k = np.array(self.passed)
        low, high = garwood(k)
        return _grid(self.masses_gev, self.couplings, np.array(self.values), low, high, k)


#: what a bin may have from a simulation
Simulated = SimulatedEfficiency | SimulatedYield


def _check_points(
    masses: Sequence[float], couplings: Sequence[float], **columns: Sequence[float]
) -> None:
    """Refuse points that are no grid, and columns of other lengths."""
    lengths = {"masses_gev": len(masses), **{name: len(found) for name, found in columns.items()}}
    if couplings:
        lengths["couplings"] = len(couplings)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{number} {name}" for name, number in lengths.items())
        raise InputError(f"every point has one of each, there are {told}")
    if not 0 < len(masses) <= MOST_ROWS:
        raise InputError(f"1 to {MOST_ROWS} points are allowed, there are {len(masses)}")
    numbers = np.array([masses, *columns.values(), *([couplings] if couplings else [])], float)
    if not np.all(np.isfinite(numbers)) or np.any(numbers < 0.0):
        raise InputError("numbers must be finite and not negative")
    if np.any(numbers > LARGEST_NUMBER):
        raise InputError(f"numbers must be at most {LARGEST_NUMBER:g}, one is {numbers.max():g}")
    if not couplings:
        if np.any(np.diff(numbers[0]) <= 0.0) or numbers[0, 0] <= 0.0:
            raise InputError("masses must be positive and increase")
        return
    one, other = np.unique(numbers[0]), np.unique(numbers[-1])
    whole = len(one) * len(other) == len(masses)
    if not whole or not (
        np.array_equal(numbers[0], np.repeat(one, len(other)))
        and np.array_equal(numbers[-1], np.tile(other, len(one)))
    ):
        raise InputError(
            "points must be in order, mass by mass, and every mass have the same couplings, which "
            "increase"
        )
    if one[0] <= 0.0 or other[0] <= 0.0 or len(other) < 2:
        raise InputError("masses and couplings must be positive, and couplings two or more")


def _grid(
    masses: Sequence[float],
    couplings: Sequence[float],
    values: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> SimulatedGrid:
    """Return values on their grid, with the ends of an interval of the counts behind them."""
    one, other = np.unique(masses), np.unique(couplings)
    shape = (len(one), max(len(other), 1))
    some = counts > 0.0
    count = np.where(some, counts, 1.0)
    up = np.where(some, np.log(np.where(some, high, 1.0) / count), 0.0)
    down = np.where(some, np.log(count / np.where(some, low, 1.0)), 0.0)
    return SimulatedGrid(one, other, values.reshape(shape), up.reshape(shape), down.reshape(shape))
