"""What an enumeration needs, told before it begins: how many datasets, how much memory.

An ensemble that is too large is refused before any of its datasets is looked at, where that can be
told: by the fewest datasets that have a given probability together, which is a bound, and by the
estimate of `na64.limits.calculators.ensemble_size`, with a margin. Arrays of an enumeration grow
with masses, datasets and bins: masses are taken in blocks, and rows in parts, that fit in what is
allowed. The result depends on neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.models.errors import InputError

__all__ = [
    "EnsembleTooLargeError",
    "fewest_datasets",
    "is_surely_too_large",
    "mass_blocks_of",
    "row_parts",
    "too_large",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: bytes that the arrays of all masses of a block may take
_BLOCK_BYTES: Final = 256 * 2**20
#: and those of one expression over rows of counts
_ROW_BYTES: Final = 4 * 2**20
_FEWEST_ROWS: Final = 64
#: estimated size over the largest allowed one from which on an ensemble is refused unseen: what is
#: visited was never less than a fifth of the estimate
_MARGIN: Final = 10.0
#: most bins that an error names
_NAMED: Final = 3


class EnsembleTooLargeError(InputError):
    """An ensemble has more datasets than are allowed."""


def fewest_datasets(rates: Array, probability: float) -> float:
    """Return a number that no set of datasets with a probability is smaller than.

    Each dataset has at most the probability of the most likely one, prod_i max_n P(N_i = n).

    Parameters
    ----------
    rates
        Expected counts of independent Poisson variables, not negative, shape (V,).
    probability
        Of the set, between 0 and 1.

    Examples
    --------
    Fifty bins of one event each have exp(-50) at the most:

    >>> f"{fewest_datasets(np.ones(50), 0.5):.0e}"
    '3e+21'
    """
    mode = np.floor(rates)
    most = float((special.xlogy(mode, rates) - rates - special.gammaln(mode + 1.0)).sum())
    return probability * math.exp(min(-most, 700.0))


def is_surely_too_large(
    estimate: float, background: Array, max_datasets: int, probability: float
) -> bool:
    """Tell whether an ensemble need not be looked at to be refused.

    Parameters
    ----------
    estimate
        Datasets that matter, from `na64.limits.calculators.ensemble_size.ensemble_sizes`; 0 where
        there is no such estimate.
    background
        Expected counts without a signal in the bins that vary, shape (V,).
    max_datasets
        The most that are allowed.
    probability
        Under the background, of the datasets that have to be visited at least.
    """
    surely = fewest_datasets(background, probability) > max_datasets
    return surely or estimate > _MARGIN * max_datasets


def too_large(
    bins: Sequence[tuple[str, int]],
    background: Array,
    counts: Array,
    max_datasets: int,
    estimate: float = 0.0,
) -> EnsembleTooLargeError:
    """Return the error for an ensemble that is too large to enumerate.

    Parameters
    ----------
    bins
        Channel and index of the V bins that vary.
    background, counts
        Expected without a signal, and observed, shape (V,).
    max_datasets
        The most that are allowed.
    estimate
        Estimated number of datasets; it is named if it is larger than that.
    """
    alone = {channel for channel, _ in bins}
    names = [name if len(alone) == len(bins) else f"{name}[{index}]" for name, index in bins]
    order = np.argsort(-background, kind="stable")[:_NAMED].tolist()
    named = ", ".join(names[i] for i in order)
    more = len(bins) - len(order)
    size = f" (of the order of {estimate:.0e})" if estimate > max_datasets else ""
    return EnsembleTooLargeError(
        f"the exact ensemble of {len(bins)} bins ({named}{f' and {more} more' if more else ''}) "
        f"with {background.sum():.4g} background and {counts.sum():.4g} observed events needs more "
        f"than {max_datasets} datasets{size}; use the method 'auto', 'toys' or 'asymptotic', or "
        f"join bins"
    )


def mass_blocks_of(masses: Index, sizes: Array, n_bins: int) -> list[Index]:
    """Share masses out to blocks whose arrays fit in what is allowed.

    Parameters
    ----------
    masses
        Masses that share an ensemble, shape (m,).
    sizes
        Estimated datasets of these masses, shape (m,).
    n_bins
        Bins of an ensemble.
    """
    if not len(masses):
        return []
    # fits of each dataset kept, thrice while the arrays grow; what was visited, and its sorting;
    # what is kept of it for the next strength
    bytes_each = 3.0 * (25.0 + 4.0 * n_bins) + 200.0 + 13.0 * n_bins
    most = float(np.maximum(sizes, 1.0).max()) * bytes_each
    together = int(np.clip(_BLOCK_BYTES // most, 1, len(masses)))
    parts = -(-len(masses) // together)
    return [np.asarray(part, dtype=np.intp) for part in np.array_split(masses, parts)]


def row_parts(n_rows: int, n_bins: int) -> list[slice]:
    """Share rows of counts out to parts for expressions that hold an array of (rows, bins)."""
    together = max(_ROW_BYTES // (8 * max(n_bins, 1)), _FEWEST_ROWS)
    return [slice(first, first + together) for first in range(0, n_rows, together)]
