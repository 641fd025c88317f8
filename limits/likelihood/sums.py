"""Sums over rows whose bits do not depend on how many columns there are.

numpy adds in another order where an array has one column only, and another again where its
memory runs down the columns. Here rows are always added one after the other, so that a fit gives
the same bits alone and among others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["RowSum", "add_rows"]

Array = NDArray[np.float64]


def add_rows(rows: Array) -> Array:
    """Return the sum of the rows of an array (K, N), added in their order, shape (N,)."""
    if rows.shape[1] == 1 and len(rows):
        return np.asarray(np.cumsum(rows[:, 0])[-1:], dtype=np.float64)
    return np.asarray(np.ascontiguousarray(rows).sum(axis=0), dtype=np.float64)


class RowSum:
    """Adds row i of an array to row targets[i] of the result.

    Parameters
    ----------
    targets
        For every row the row of the result.
    n_targets
        Number of rows of the result.
    """

    __slots__ = ("_identity", "_matrix", "_one_row")

    def __init__(self, targets: Sequence[int] | NDArray[np.intp], n_targets: int) -> None:
        n = len(targets)
        places = np.asarray(targets, dtype=np.intp)
        # small systems call this very often: what needs no sparse product does without one
        self._identity = n == n_targets and np.array_equal(places, np.arange(n))
        self._one_row = n_targets == 1 and n > 0
        # rows of one target in their order; a matrix of coordinates would be sorted for the same
        order = np.argsort(places, kind="stable")
        ends = np.cumsum(np.bincount(places, minlength=n_targets))
        whole = (np.ones(n), order, np.concatenate([[0], ends]))
        self._matrix = sparse.csr_matrix(whole, shape=(n_targets, n))

    def __call__(self, rows: Array) -> Array:
        """Return the sums, shape (n_targets, N); the argument itself where nothing is added."""
        if self._identity:
            return rows
        if self._one_row:
            return add_rows(rows)[None, :]
        return np.asarray(self._matrix @ rows, dtype=np.float64)
