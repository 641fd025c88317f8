"""Sums over rows: the short ways give the bits of the long one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from na64.limits.likelihood.sums import RowSum


@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize(
    ("targets", "n"),
    [([0, 1, 2, 3], 4), ([0, 0, 0, 0], 1), ([0, 2, 2, 1], 3), ([1, 0, 3, 2], 4), ([0, 1, 2], 4)],
    ids=["nothing added", "one row", "some", "other order", "an empty row"],
)
def test_row_sums(targets: list[int], n: int, columns: int) -> None:
    rows = np.random.default_rng(3).normal(size=(len(targets), columns)) ** 3
    matrix = sparse.csr_matrix(
        (np.ones(len(targets)), (targets, np.arange(len(targets)))), shape=(n, len(targets))
    )
    found = RowSum(targets, n)(rows)
    assert found.shape == (n, columns)
    assert found.tobytes() == np.asarray(matrix @ rows).tobytes()
    # in a bit-for-bit comparison a column alone is the column among others
    assert RowSum(targets, n)(rows[:, :1]).tobytes() == found[:, :1].tobytes()
