"""The counts of an ensemble as a growing lattice: datasets, their neighbours, their fits.

An ensemble with fixed auxiliary data consists of the vectors n of main counts. They are kept
once for all masses, each with a number; `children` leads from n to n + e_i. Numbers tell in which
order the datasets were met; where an order must be the same whatever else was met before (sums of
floating-point numbers), `order` gives one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, free_fits
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.fitting import Fit
from na64.limits.likelihood.sums import add_rows

__all__ = ["ORDER_BITS", "FitCache", "Lattice"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: bits of the places in the canonical order; two datasets in one place are rare and do no harm
ORDER_BITS = 40


class Lattice:
    """Vectors of main counts with numbers.

    Parameters
    ----------
    batch
        Signals of M masses.
    varied
        Bins whose counts vary.
    base
        Counts of all bins in dataset 0, shape (B,): zero in the varied bins.
    """

    def __init__(self, batch: SignalBatch, varied: Index, base: Array) -> None:
        self.batch = batch
        self.varied = varied
        self._base = base
        self._numbers: dict[bytes, int] = {}
        self._size = 0
        self._counts = np.zeros((64, len(varied)), dtype=np.int64)
        self._children = np.full((64, len(varied)), -1, dtype=np.intp)
        self._log_factorial = np.zeros(64)
        self._order = np.zeros(64, dtype=np.int64)
        # multiplicative hashing: odd multiples of the golden ratio, one per axis
        self._weights = [pow(0x9E3779B97F4A7C15, i + 1, 1 << 64) for i in range(len(varied))]
        self.number(np.zeros((1, len(varied)), dtype=np.int64))

    def __len__(self) -> int:
        return self._size

    @property
    def counts(self) -> NDArray[np.int64]:
        """Counts in the varied bins, shape (D, V)."""
        return self._counts[: self._size]

    @property
    def order(self) -> NDArray[np.int64]:
        """Place of each dataset in an order that depends on its counts alone, shape (D,)."""
        return self._order[: self._size]

    def full_counts(self, numbers: Index) -> Array:
        """Return the counts in all bins, shape (B, N)."""
        full = np.repeat(self._base[:, None], len(numbers), axis=1)
        full[self.varied] = self._counts[numbers].T
        return full

    def number(self, counts: NDArray[np.int64]) -> Index:
        """Return the numbers of some vectors, shape (N, V), new ones included."""
        answer = np.empty(len(counts), dtype=np.intp)
        for i, row in enumerate(counts):
            key = row.tobytes()
            found = self._numbers.get(key)
            if found is None:
                found = self._append(key, row)
            answer[i] = found
        return answer

    def _append(self, key: bytes, row: NDArray[np.int64]) -> int:
        if self._size == len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._children = np.concatenate([self._children, np.full_like(self._children, -1)])
            self._log_factorial = np.concatenate(
                [self._log_factorial, np.zeros_like(self._log_factorial)]
            )
            self._order = np.concatenate([self._order, np.zeros_like(self._order)])
        number = self._size
        self._numbers[key] = number
        self._counts[number] = row
        self._log_factorial[number] = special.gammaln(row + 1.0).sum()
        mixed = sum(n * w for n, w in zip(row.tolist(), self._weights, strict=True)) % (1 << 64)
        self._order[number] = mixed >> (64 - ORDER_BITS)
        self._size += 1
        return number

    def children(self, numbers: Index, axes: Index) -> Index:
        """Return the numbers of n + e_axis."""
        found = self._children[numbers, axes]
        missing = np.flatnonzero(found < 0)
        if len(missing):
            n_axes = len(self.varied)
            keys, position = np.unique(
                numbers[missing] * n_axes + axes[missing], return_inverse=True
            )
            parent, axis = keys // n_axes, keys % n_axes
            rows = self._counts[parent].copy()
            rows[np.arange(len(rows)), axis] += 1
            new = self.number(rows)
            self._children[parent, axis] = new
            found[missing] = new[position]
        return np.asarray(found, dtype=np.intp)

    def log_probability(self, numbers: Index, rates: Array) -> Array:
        """Return ln of the Poisson probability of the varied counts.

        Parameters
        ----------
        numbers
            Shape (N,).
        rates
            Expected counts in all bins, shape (B, N) or (B, 1).
        """
        some = rates[self.varied]
        return np.asarray(
            add_rows(np.asarray(special.xlogy(self._counts[numbers].T, some), float))
            - add_rows(some)
            - self._log_factorial[numbers],
            dtype=np.float64,
        )


class FitCache:
    """Fits that do not depend on the tested signal strength, made when first needed.

    Parameters
    ----------
    lattice
        The datasets.
    """

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        n_masses, n_parameters = len(lattice.batch), len(lattice.batch.likelihood.fitter.init)
        self._background = Fit(
            np.empty((n_parameters, 0)), np.empty(0), np.empty(0), np.empty(0, dtype=bool)
        )
        self._value = np.full((n_masses, 0), np.nan)
        self._nu = np.full((n_masses, 0), np.nan)
        self._log_rates = np.full((n_masses, 0, len(lattice.varied)), np.nan, dtype=np.float32)
        self._known = np.zeros((n_masses, 0), dtype=bool)
        self._shared = lattice.batch.one_background
        self._background_value = np.full((n_masses, 0), np.nan)

    def _grow(self) -> None:
        """Make room for all datasets of the lattice and fit the new ones at mu = 0."""
        want = len(self.lattice)
        new = np.arange(len(self._background.value), want)
        if len(new) and self._shared:
            fit = background_fit(self.lattice.batch, self.lattice.full_counts(new))
            old = self._background
            self._background = Fit(
                np.concatenate([old.theta, fit.theta], axis=1),
                np.concatenate([old.nu, fit.nu]),
                np.concatenate([old.value, fit.value]),
                np.concatenate([old.converged, fit.converged]),
            )
        have = self._known.shape[1]
        if have < want:
            pad = ((0, 0), (0, max(want - have, have)))
            self._value = np.pad(self._value, pad, constant_values=np.nan)
            self._nu = np.pad(self._nu, pad, constant_values=np.nan)
            self._background_value = np.pad(self._background_value, pad, constant_values=np.nan)
            self._known = np.pad(self._known, pad)
            self._log_rates = np.pad(self._log_rates, (*pad, (0, 0)))

    def free(self, mass: Index, numbers: Index) -> tuple[Array, Array, Array]:
        """Return value, nu and ln(rates) (shape (N, V)) of the free fits; NaN if failed."""
        self._grow()
        missing = ~self._known[mass, numbers]
        if missing.any():
            width = self._known.shape[1]
            key = np.unique(mass[missing] * width + numbers[missing])
            self._fit(key // width, key % width)
        return (
            self._value[mass, numbers],
            self._nu[mass, numbers],
            self._log_rates[mass, numbers].astype(np.float64),
        )

    def _fit(self, mass: Index, numbers: Index) -> None:
        lattice = self.lattice
        batch = lattice.batch
        counts = lattice.full_counts(numbers)
        background = (
            self._background.take(numbers)
            if self._shared
            else background_fit(batch, counts, mass=mass)
        )
        fit = free_fits(batch, mass, counts, background)
        self._background_value[mass, numbers] = np.where(
            background.converged, background.value, np.nan
        )
        evaluator = batch.likelihood.fitter.problem(False).evaluator
        rates = evaluator.rates(fit.theta, fit.nu, batch.shape[:, mass])[lattice.varied]
        self._value[mass, numbers] = np.where(fit.converged, fit.value, np.nan)
        self._nu[mass, numbers] = fit.nu
        self._log_rates[mass, numbers] = np.log(np.maximum(rates, 1e-30)).T
        self._known[mass, numbers] = True

    def discovery(self, mass: Index, numbers: Index) -> Array:
        """Return q0, twice the logarithm of the likelihood ratio of best nu and nu = 0."""
        value, _, _ = self.free(mass, numbers)
        return np.maximum(2.0 * (self._background_value[mass, numbers] - value), 0.0)
