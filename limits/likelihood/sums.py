"""Sums of rows that belong together, as one sparse product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["RowSum"]

Array = NDArray[np.float64]


class RowSum:
    """Adds row i of an array to row targets[i] of the result.

    Parameters
    ----------
    targets
        For every row the row of the result.
    n_targets
        Number of rows of the result.
    """

    __slots__ = ("_matrix",)

    def __init__(self, targets: Sequence[int] | NDArray[np.intp], n_targets: int) -> None:
        n = len(targets)
        self._matrix = sparse.csr_matrix(
            (np.ones(n), (np.asarray(targets, dtype=np.intp), np.arange(n))),
            shape=(n_targets, n),
        )

    def __call__(self, rows: Array) -> Array:
        """Return the sums, shape (n_targets, N)."""
        return np.asarray(self._matrix @ rows, dtype=np.float64)
