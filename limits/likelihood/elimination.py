"""Sparse symmetric systems of one pattern, for many points at once.

Nuisance parameters of one bin do not meet those of other bins, so the Hessian is an arrow:
eliminating the local parameters first costs next to nothing, whatever their number. The order
and the fill-in are found once; the arithmetic then runs over all points at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.sums import RowSum, add_rows

__all__ = ["ArrowSolver", "DenseSolver", "FullSolver", "arrow_solver", "full_solver"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: a pivot below this fraction of its natural scale counts as not positive
_SMALLEST_PIVOT = 1e-8


@dataclass(frozen=True, slots=True)
class _Level:
    """Variables that are eliminated together, none coupled to another of them."""

    pivots: Index
    edges: Index  # element of each (pivot, later neighbour)
    edge_pivot: Index  # position of the pivot within the level
    edge_variable: Index
    variables: Index  # all later neighbours, sorted
    first: Index  # for each update: two edges of one pivot ...
    second: Index
    targets: Index  # ... and the elements that change
    update_sum: RowSum
    right_sum: RowSum
    back_sum: RowSum


class ArrowSolver:
    """LDL^T factorisation with a fixed pattern.

    Parameters
    ----------
    rows, columns
        Variables of the stored elements; element v is the diagonal of variable v for
        v < n_variables.
    n_variables
        Number of unknowns.
    """

    def __init__(self, rows: Index, columns: Index, n_variables: int) -> None:
        self.n_variables = n_variables
        elements: dict[tuple[int, int], int] = {}
        neighbours: list[set[int]] = [set() for _ in range(n_variables)]
        for i, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            elements[row, column] = i
            if row != column:
                neighbours[row].add(column)
                neighbours[column].add(row)
        self.n_given = len(elements)
        self.off_diagonal_rows = np.array(rows[n_variables:], dtype=np.intp)
        self.off_diagonal_columns = np.array(columns[n_variables:], dtype=np.intp)

        def element(a: int, b: int) -> int:
            return elements.setdefault((max(a, b), min(a, b)), len(elements))

        self.levels: list[_Level] = []
        remaining = set(range(n_variables))
        while remaining:
            lowest = min(len(neighbours[v]) for v in remaining)
            pivots: list[int] = []
            blocked: set[int] = set()
            for v in sorted(remaining):
                if len(neighbours[v]) == lowest and v not in blocked:
                    pivots.append(v)
                    blocked |= neighbours[v]
            self.levels.append(self._eliminate(pivots, neighbours, element))
            remaining -= set(pivots)
        self.n_elements = len(elements)

    @staticmethod
    def _eliminate(
        pivots: list[int], neighbours: list[set[int]], element: Callable[[int, int], int]
    ) -> _Level:
        edges: list[int] = []
        edge_pivot: list[int] = []
        edge_variable: list[int] = []
        first: list[int] = []
        second: list[int] = []
        targets: dict[int, int] = {}
        update_target: list[int] = []
        for position, pivot in enumerate(pivots):
            around = sorted(neighbours[pivot])
            start = len(edges)
            for a, v in enumerate(around):
                edges.append(element(pivot, v))
                edge_pivot.append(position)
                edge_variable.append(v)
                for b in range(a + 1):
                    first.append(start + a)
                    second.append(start + b)
                    target = element(v, around[b])
                    update_target.append(targets.setdefault(target, len(targets)))
            for v in around:
                neighbours[v].discard(pivot)
                neighbours[v] |= set(around) - {v}
        variables = sorted(set(edge_variable))
        return _Level(
            pivots=np.array(pivots, dtype=np.intp),
            edges=np.array(edges, dtype=np.intp),
            edge_pivot=np.array(edge_pivot, dtype=np.intp),
            edge_variable=np.array(edge_variable, dtype=np.intp),
            variables=np.array(variables, dtype=np.intp),
            first=np.array(first, dtype=np.intp),
            second=np.array(second, dtype=np.intp),
            targets=np.array(list(targets), dtype=np.intp),
            update_sum=RowSum(update_target, len(targets)),
            right_sum=RowSum([variables.index(v) for v in edge_variable], len(variables)),
            back_sum=RowSum(edge_pivot, len(pivots)),
        )

    def solve_and_judge(
        self, hessian: Array, right: Array, scale: Array, free: NDArray[np.bool_]
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Solve H x = r on the free variables.

        Where H is not positive definite its pivots are replaced, so that x always goes uphill
        along r: r.x > 0.

        Parameters
        ----------
        hessian
            Stored elements, shape (H, N).
        right
            Right-hand sides, shape (V, N).
        scale
            Positive natural scale of the diagonal, shape (V, N).
        free
            False where a variable keeps its value, shape (V, N).

        Returns
        -------
        tuple of ndarray
            x, zero where not free, shape (V, N); and whether H has no pivot that is clearly
            negative, shape (N,).
        """
        n = hessian.shape[1]
        work = np.zeros((self.n_elements, n))
        work[: self.n_given] = hessian
        x = right.copy()
        if not free.all():
            mask = free.astype(np.float64)
            work[: self.n_variables] = np.where(free, work[: self.n_variables], 1.0)
            work[self.n_variables : self.n_given] *= (
                mask[self.off_diagonal_rows] * mask[self.off_diagonal_columns]
            )
            x *= mask
        factors: list[tuple[Array, Array]] = []
        positive = np.ones(n, dtype=bool)
        for level in self.levels:
            pivot = work[level.pivots]
            natural = scale[level.pivots]
            bad = ~(pivot > _SMALLEST_PIVOT * natural)
            if bad.any():
                positive &= ~np.any(~(pivot >= -_SMALLEST_PIVOT * natural), axis=0)
                pivot = np.where(bad, np.maximum(np.abs(pivot), natural), pivot)
                pivot = np.where(pivot > 0.0, pivot, 1.0)
            if not len(level.edges):
                factors.append((pivot, np.empty((0, n))))
                continue
            edge = work[level.edges]
            ratio = edge / pivot[level.edge_pivot]
            work[level.targets] -= level.update_sum(ratio[level.first] * edge[level.second])
            x[level.variables] -= level.right_sum(ratio * x[level.pivots][level.edge_pivot])
            factors.append((pivot, ratio))
        for level, (pivot, ratio) in zip(reversed(self.levels), reversed(factors), strict=True):
            solved = x[level.pivots] / pivot
            if len(level.edges):
                solved -= level.back_sum(ratio * x[level.edge_variable])
            x[level.pivots] = solved
        return x, positive

    def product(self, hessian: Array, x: Array) -> Array:
        """Return H x, shape (V, N)."""
        answer = hessian[: self.n_variables] * x
        rows, columns = self.off_diagonal_rows, self.off_diagonal_columns
        off = hessian[self.n_variables :]
        np.add.at(answer, rows, off * x[columns])
        np.add.at(answer, columns, off * x[rows])
        return np.asarray(answer, dtype=np.float64)


#: patterns whose order of elimination is kept: a search has two, whatever its signal
_PATTERNS: Final = 32


def arrow_solver(rows: Index, columns: Index, n_variables: int) -> ArrowSolver:
    """Return the `ArrowSolver` of a pattern, which likelihoods of that pattern share."""
    return _arrow_solver(rows.tobytes(), columns.tobytes(), n_variables)


@lru_cache(maxsize=_PATTERNS)
def _arrow_solver(rows: bytes, columns: bytes, n_variables: int) -> ArrowSolver:
    return ArrowSolver(np.frombuffer(rows, np.intp), np.frombuffer(columns, np.intp), n_variables)


class DenseSolver:
    """Symmetric systems of many unknowns, one point after the other, by Cholesky factors.

    Parameters
    ----------
    rows, columns
        Variables of the stored elements, every pair once.
    n_variables
        Number of unknowns.
    """

    def __init__(self, rows: Index, columns: Index, n_variables: int) -> None:
        self.n_variables = n_variables
        self._places = columns * n_variables + rows  # the library's order: columns are contiguous

    def _unpacked(self, elements: Array) -> Array:
        """Return the lower triangle of one matrix."""
        matrix = np.zeros(self.n_variables**2)
        matrix[self._places] = elements
        return matrix.reshape(self.n_variables, self.n_variables).T

    def product(self, hessian: Array, x: Array) -> Array:
        """Return H x, shape (V, N)."""
        from scipy.linalg import blas

        answer = np.zeros_like(x)
        for i in range(x.shape[1] if self.n_variables else 0):
            answer[:, i] = blas.dsymv(1.0, self._unpacked(hessian[:, i]), x[:, i], lower=1)
        return answer

    def solve_and_judge(
        self, hessian: Array, right: Array, scale: Array, free: NDArray[np.bool_]
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Solve H x = r on the free variables; see `ArrowSolver.solve_and_judge`.

        Where H is not positive definite even with a ridge of 1e-8 of its natural scale, x is zero.
        """
        # large likelihoods alone need it
        from scipy.linalg import lapack

        n, n_points = self.n_variables, right.shape[1]
        answer, positive = np.zeros((n, n_points)), np.zeros(n_points, dtype=bool)
        for i in range(n_points):
            some = np.flatnonzero(free[:, i])
            if not len(some):
                positive[i] = True
                continue
            for ridge in (0.0, _SMALLEST_PIVOT):
                part = self._unpacked(hessian[:, i])
                if len(some) < n:
                    part = part.T[np.ix_(some, some)].T
                if ridge:
                    place = np.arange(len(some))
                    part[place, place] += ridge * np.maximum(scale[some, i], ridge)
                factor, failed = lapack.dpotrf(part, lower=1, clean=0, overwrite_a=1)
                if not failed:
                    answer[some, i] = lapack.dpotrs(factor, right[some, i], lower=1)[0]
                    positive[i] = True
                    break
        return answer, positive


class FullSolver:
    """Symmetric systems of a few unknowns without a pattern, all points at a time.

    Parameters
    ----------
    rows, columns
        Variables of the stored elements, every pair once; the diagonal comes first.
    n_variables
        Number of unknowns.
    """

    def __init__(self, rows: Index, columns: Index, n_variables: int) -> None:
        self.n_variables = n_variables
        place = np.empty((n_variables, n_variables), dtype=np.intp)
        place[rows, columns] = place[columns, rows] = np.arange(len(rows))
        self._place = place

    def product(self, hessian: Array, x: Array) -> Array:
        """Return H x, shape (V, N)."""
        answer = np.zeros_like(x)
        for column in range(self.n_variables):
            answer += hessian[self._place[:, column]] * x[column]
        return answer

    def solve_and_judge(
        self, hessian: Array, right: Array, scale: Array, free: NDArray[np.bool_]
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Solve H x = r on the free variables; see `ArrowSolver.solve_and_judge`."""
        n = self.n_variables
        work = hessian[self._place]
        x = right.copy()
        if not free.all():
            work *= free[:, None] & free[None, :]
            work[np.arange(n), np.arange(n)] += ~free
            x *= free
        positive = np.ones(right.shape[1], dtype=bool)
        pivots = np.empty_like(x)
        for j in range(n):
            pivot, natural = work[j, j], scale[j]
            bad = ~(pivot > _SMALLEST_PIVOT * natural)
            if bad.any():
                positive &= ~(bad & ~(pivot >= -_SMALLEST_PIVOT * natural))
                pivot = np.where(bad, np.maximum(np.abs(pivot), natural), pivot)
                pivot = np.where(pivot > 0.0, pivot, 1.0)
            pivots[j] = pivot
            if j + 1 < n:
                ratio = work[j + 1 :, j] / pivot
                work[j + 1 :, j + 1 :] -= ratio[:, None] * work[j, j + 1 :]
                x[j + 1 :] -= ratio * x[j]
                work[j + 1 :, j] = ratio
        x /= pivots
        for j in range(n - 2, -1, -1):
            x[j] -= add_rows(work[j + 1 :, j] * x[j + 1 :])
        return x, positive


#: number of variables up to which a system of no pattern is eliminated for all points at once
_FEW_VARIABLES = 24


def full_solver(rows: Index, columns: Index, n_variables: int) -> DenseSolver | FullSolver:
    """Return the solver of systems without a pattern that suits their size."""
    if n_variables > _FEW_VARIABLES:
        return DenseSolver(rows, columns, n_variables)
    return FullSolver(rows, columns, n_variables)
