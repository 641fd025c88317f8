"""Expected regions of two-sided searches: all bands from a few upper limits per mass."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Auto
from na64.limits.calculators.status import Regions
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.scanning.crossings import Signals, find_crossings
from na64.limits.scanning.regions import check_smooth
from na64.models.signals.rates import checked_couplings

__all__ = ["expected_regions"]

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
    grid = checked_couplings(couplings)
    calculator = check_smooth(calculator)

    def limits(events: Array) -> Array:
        table = upper_limits(
            likelihood.inject(events),
            confidence_level=confidence_level,
            calculator=calculator,
            observed=observed,
        )
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(table.expected), np.log(table.expected), np.inf)

    crossings = find_crossings(signals, n_masses, np.log(grid), limits, digits=_DIGITS)
    found = crossings.regions(grid, crossings.at)
    # without any events there is nothing to compute, and nothing to tell the bands apart
    return found if len(found) > 1 else found * 5
