"""Expected regions of two-sided searches: all bands from a few upper limits per mass."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Auto
from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.scanning.crossings import Signals, find_crossings
from na64.limits.scanning.regions import RegionTable, check_smooth
from na64.models.signals.rates import checked_couplings

__all__ = ["expected_region_tables", "expected_regions"]

Array = NDArray[np.float64]
#: what is used unless told otherwise
_AUTO: Final = Auto()

#: digits of the shares of bins and processes of which limits are computed
_DIGITS: Final = 4


def expected_regions(
    likelihood: CompiledLikelihood,
    signals: Signals,
    n_masses: int,
    couplings: ArrayLike,
    *,
    confidence_level: float = 0.9,
    calculator: Calculator = _AUTO,
    observed: bool = True,
) -> tuple[tuple[Regions, ...], ...]:
    """Return the expected excluded intervals of the coupling in all five bands.

    Edges are within 3e-4 of where the expected CLs of the signal itself crosses its threshold, in
    all bands. A share of a bin below 1e-8 is the exception: it breaks ties among outcomes here,
    and not there, where qtilde is compared to 1e-8; the outer bands differ by up to 1 %.

    Parameters
    ----------
    likelihood, signals, n_masses, couplings, confidence_level, calculator
        As in `na64.limits.scanning.regions.excluded_regions`.
    observed
        Whether the nuisance parameters are fitted to the data, as for the observed region;
        otherwise to the nominal background.

    Returns
    -------
    tuple
        For each band in `BAND_ORDER`, for each mass, the excluded intervals, lowest first; the
        upper edge None where the largest coupling is still excluded, the lower edge the
        smallest coupling where that is excluded already.
    """
    tables = expected_region_tables(
        likelihood,
        signals,
        n_masses,
        couplings,
        confidence_level=confidence_level,
        calculator=calculator,
        observed=observed,
    )
    return tuple(table.regions for table in tables)


def expected_region_tables(
    likelihood: CompiledLikelihood,
    signals: Signals,
    n_masses: int,
    couplings: ArrayLike,
    *,
    confidence_level: float = 0.9,
    calculator: Calculator = _AUTO,
    observed: bool = True,
) -> tuple[RegionTable, ...]:
    """Return the regions of `expected_regions` with a status each, one table per band."""
    grid = checked_couplings(couplings)
    calculator = check_smooth(calculator)

    def limits(events: Array) -> Array:
        table = upper_limits(
            likelihood.inject(events),
            confidence_level=confidence_level,
            calculator=calculator,
            observed=observed,
        )
        failed = [[one is Status.FAILED for one in band] for band in table.expected_status]
        with np.errstate(invalid="ignore"):
            found = np.where(np.isfinite(table.expected), np.log(table.expected), np.inf)
        return np.where(failed, np.nan, found)

    crossings = find_crossings(signals, n_masses, np.log(grid), limits, digits=_DIGITS)
    tables = tuple(
        _table(band, failed.tolist(), starts.tolist(), float(grid[0]))
        for band, failed, starts in zip(
            crossings.regions(grid, crossings.at), crossings.failed, crossings.starts, strict=True
        )
    )
    # without any events there is nothing to compute, and nothing to tell the bands apart
    return tables if len(tables) > 1 else tables * len(BAND_ORDER)


def _table(
    regions: tuple[Regions, ...], failed: list[bool], starts: list[bool], smallest: float
) -> RegionTable:
    """Say how each mass fared in one band."""
    said = [
        (Status.FAILED, "CLs could not be computed at a coupling")
        if lost
        else (Status.NOT_BRACKETED, f"the smallest coupling, {smallest:.4g}, is already excluded")
        if at_once
        else (Status.OK, "")
        if found
        else (Status.NO_EXCLUSION, "no coupling of the grid is excluded")
        for found, lost, at_once in zip(regions, failed, starts, strict=True)
    ]
    return RegionTable(regions, tuple(one for one, _ in said), tuple(text for _, text in said))
