"""What is not known of a simulated signal in a bin: nuisances whose size depends on the mass.

Every mass has a limit of its own, and in it one nuisance for the statistics of the simulation and
one for the interpolation between the masses that were simulated. Their sizes are those at this
mass. Where they depend on the coupling as well, the largest are taken among the couplings at which
a limit can be, so that a mass has one likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.errors import InputError
from na64.workspaces.cards.bins import Bin
from na64.workspaces.cards.simulated import Simulated, SimulatedEfficiency, SimulatedYield

__all__ = ["NO_FACTORS", "BinFactors", "BinTable", "SignalFactor", "factors_at", "tables_of"]

#: relative sizes below which there is no nuisance
_NOTHING: Final = 1e-9
_LOG_NORMAL: Final = "log-normal"


@dataclass(frozen=True, slots=True)
class SignalFactor:
    """A nuisance that multiplies the signal of a bin by ``hi`` at +1 sigma, by ``lo`` at -1."""

    nuisance: str
    hi: float
    lo: float


@dataclass(frozen=True, slots=True)
class BinFactors:
    """What is not known of the simulated signal of a bin at one mass.

    Attributes
    ----------
    factors
        Normsys modifiers.
    staterror
        Name and relative size of the bin's staterror; an empty name for none.
    """

    factors: tuple[SignalFactor, ...] = ()
    staterror: tuple[str, float] = ("", 0.0)


#: what is not known of a signal that is not simulated
NO_FACTORS: Final = BinFactors()


@dataclass(frozen=True, slots=True)
class BinTable:
    """A simulated efficiency or yield of a bin.

    Attributes
    ----------
    numbers
        The simulation.
    statistics, interpolation
        Names of its nuisances; None for one that is left out.
    """

    numbers: Simulated
    statistics: str | None
    interpolation: str | None

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names of the nuisances, a staterror as the modifier is called."""
        return tuple(name for name in (self.statistics, self.interpolation) if name is not None)

    def renamed(self, rename: Callable[[str], str | None]) -> BinTable:
        """Return the table with other names of nuisances, without those whose new name is None."""
        found = [None if name is None else rename(name) for name in self._names]
        return replace(self, statistics=found[0], interpolation=found[1])

    @property
    def _names(self) -> tuple[str | None, str | None]:
        return self.statistics, self.interpolation

    def to_dict(self) -> Mapping[str, object]:
        """Return what the likelihood depends on as plain data."""
        numbers = self.numbers
        second = numbers.generated if isinstance(numbers, SimulatedEfficiency) else numbers.values
        scale = numbers.scale if isinstance(numbers, SimulatedEfficiency) else numbers.at_coupling
        return {
            "masses_gev": numbers.masses_gev,
            "couplings": numbers.couplings,
            "passed": numbers.passed,
            "generated_or_values": second,
            "scale_or_coupling": scale,
            "as": numbers.statistics,
            "nuisances": self._names,
        }


def tables_of(bins: Iterable[Bin]) -> dict[str, tuple[BinTable, ...]]:
    """Return the simulations of bins by the names of the bins.

    Bins with one simulation have its nuisances in common, named after the first of them:
    ``bin:efficiency-statistics``, ``bin:efficiency-interpolation``, or the same of ``yield``.

    Raises
    ------
    InputError
        For a simulation as staterror in several bins: in pyhf each bin has its own.
    """
    owners: dict[object, str] = {}
    found: dict[str, tuple[BinTable, ...]] = {}
    for item in bins:
        tables = []
        for numbers in (item.efficiency, item.simulated_yield):
            if not isinstance(numbers, SimulatedEfficiency | SimulatedYield):
                continue
            owner = owners.setdefault(_events(numbers), item.name)
            if numbers.statistics != _LOG_NORMAL and owner != item.name:
                raise InputError(
                    f"bins {owner} and {item.name} have one simulation, whose statistical error is "
                    "the same in both: a staterror is of one bin, give statistics = "
                    f"'{_LOG_NORMAL}'"
                )
            tables.append(_named(numbers, owner))
        if tables:
            found[item.name] = tuple(tables)
    return found


def _events(numbers: Simulated) -> object:
    """What tells the events of one simulation from those of another."""
    second = numbers.generated if isinstance(numbers, SimulatedEfficiency) else numbers.values
    return type(numbers), numbers.masses_gev, numbers.couplings, numbers.passed, second


def _named(numbers: Simulated, owner: str) -> BinTable:
    label = "efficiency" if isinstance(numbers, SimulatedEfficiency) else "yield"
    known = f"{owner}:{label}-statistics"
    if numbers.statistics != _LOG_NORMAL:
        known = f"staterror_{owner}"
    # with one mass, and one coupling, there is nothing between
    alone = len(numbers.masses_gev) == 1
    return BinTable(numbers, known, None if alone else f"{owner}:{label}-interpolation")


def factors_at(
    tables: Iterable[BinTable],
    mass_gev: float,
    couplings: NDArray[np.float64],
    relevant: NDArray[np.bool_],
) -> BinFactors:
    """Return what is not known of the signal of a bin at one mass.

    Parameters
    ----------
    tables
        Its simulations.
    mass_gev
        The mass.
    couplings
        Those of the rates, shape (C,).
    relevant
        Couplings at which a limit can be, shape (C,); all where there is none.
    """
    factors, staterror = [], ("", 0.0)
    for table in tables:
        numbers = table.numbers
        known = numbers.known_at([mass_gev], couplings if numbers.couplings else None)
        matters = known.values[0] > 0.0
        if numbers.couplings and np.any(matters & relevant):
            matters &= relevant
        if not np.any(matters):
            continue
        up, down, spread = (
            float(part[0][matters].max()) for part in (known.up, known.down, known.spread)
        )
        if table.interpolation is not None and spread > _NOTHING:
            factors.append(SignalFactor(table.interpolation, math.exp(spread), math.exp(-spread)))
        if table.statistics is None or max(up, down) <= _NOTHING:
            continue
        if numbers.statistics == _LOG_NORMAL:
            factors.append(SignalFactor(table.statistics, math.exp(up), math.exp(-down)))
        else:
            half = 0.5 * (math.exp(up) - math.exp(-down))
            staterror = (table.statistics, math.hypot(staterror[1], half))
    return BinFactors(tuple(sorted(factors, key=lambda factor: factor.nuisance)), staterror)
