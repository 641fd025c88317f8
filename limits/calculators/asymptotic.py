"""The asymptotic calculator: qtilde and Asimov bands.

For a handful of events its limits are 30 % too strong in events: CLs is then built on
distributions that the counts do not have. It is here because published curves used it.

References
----------
Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727: qtilde eq. (16), its distribution eqs.
(64)-(66), the Asimov data set section 3.2, bands section 4.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import (
    background_fit,
    first_guess,
    free_fits,
    qtilde,
)
from na64.limits.calculators.roots import Roots, find_roots
from na64.limits.calculators.table import BAND_ORDER
from na64.limits.compiled import SignalBatch
from na64.limits.likelihood.model import Constraint

__all__ = ["AsymptoticCalculator"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: relative tolerance of a limit
_TOLERANCE = 1e-6


class AsymptoticCalculator:
    """CLs of one batch of signals from asymptotic formulas.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts
        Observed counts, shape (B,); the workspace's by default.
    """

    method = "asymptotic"
    ensemble: str | None = None

    def __init__(self, batch: SignalBatch, counts: Array | None = None) -> None:
        self.batch = batch
        likelihood = batch.likelihood
        fitter = likelihood.fitter
        self.counts = likelihood.observed if counts is None else counts
        self.background = background_fit(batch, self.counts[:, None])
        evaluator = fitter.problem(False).evaluator
        points = batch.points(np.zeros(1, dtype=np.intp), self.counts[:, None])
        self.asimov_counts = evaluator.rates(self.background.theta, np.zeros(1), points.signal)
        theta = self.background.theta[:, 0]
        kinds = np.array([p.constraint for p in likelihood.model.parameters], dtype=int)
        widths = np.array([p.width for p in likelihood.model.parameters], dtype=np.float64)
        self.asimov_auxiliary = np.where(
            kinds == Constraint.GAUSSIAN,
            theta,
            np.where(kinds == Constraint.POISSON, widths * theta, 0.0),
        )[:, None]
        every = np.arange(len(batch))
        n = len(every)
        self.free = free_fits(
            batch,
            every,
            np.repeat(self.counts[:, None], n, axis=1),
            self.background.take(np.zeros(n, dtype=np.intp)),
        )

    def statistic(self, nu: Array, mass: Index, start: Array | None = None) -> Array:
        """Return qtilde of the observed data at nu signal events, NaN where a fit failed."""
        points = self.batch.points(mass, self.counts[:, None])
        begin = self.background.theta if start is None else start
        fit = self.batch.likelihood.fitter.fit(points, nu, free_signal=False, start=begin)
        if start is not None:
            start[...] = fit.theta
        free = self.free
        q = qtilde(self.batch, points, nu, fit, free.value[mass], free.nu[mass])
        return np.where(free.converged[mass], q, np.nan)

    def asimov_statistic(self, nu: Array, mass: Index, start: Array | None = None) -> Array:
        """Return qtilde of the mu = 0 Asimov data; their best fit has a value of zero."""
        points = self.batch.points(mass, self.asimov_counts, self.asimov_auxiliary)
        begin = self.background.theta if start is None else start
        fit = self.batch.likelihood.fitter.fit(points, nu, free_signal=False, start=begin)
        if start is not None:
            start[...] = fit.theta
        q = np.maximum(2.0 * fit.value, 0.0)
        return np.where(fit.converged & self.background.converged[0], q, np.nan)

    def cls_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return the observed CLs, shape (N,), and the expected ones, shape (5, N)."""
        asimov = np.sqrt(self.asimov_statistic(nu, mass))
        observed = np.exp(_log_cls(self.statistic(nu, mass), asimov))
        bands = np.full((5, len(nu)), np.nan)
        if expected:
            for i, order in enumerate(BAND_ORDER):
                bands[i] = np.exp(_log_cls_at(float(order), asimov))
        return observed, bands

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> list[Roots | None]:
        """Return the roots in ln(signal events): observed and five bands, None if not asked."""
        n = len(self.batch)
        guess = np.log(first_guess(self.batch, self.counts, self.asimov_counts[:, 0]))
        answer: list[Roots | None] = [None] * 6
        if observed:
            answer[0] = self._observed_limits(alpha, guess)
        if not expected:
            return answer
        mass = np.tile(np.arange(n), 5)
        orders = np.repeat(np.array(BAND_ORDER, dtype=np.float64), n)
        start = np.repeat(self.background.theta, 5 * n, axis=1)
        wanted = _asimov_root(alpha, orders)

        def excess(x: Array, which: Index) -> Array:
            warm = start[:, which]
            found = np.sqrt(self.asimov_statistic(np.exp(x), mass[which], warm))
            start[:, which] = np.where(np.isfinite(warm), warm, self.background.theta)
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(wanted[which]) - np.log(found), dtype=np.float64)

        around = guess[mass] + 0.25 * orders
        roots = find_roots(excess, around - 0.7, around + 0.7, tolerance=_TOLERANCE)
        for i in range(5):
            part = slice(i * n, (i + 1) * n)
            answer[i + 1] = Roots(roots.x[part], roots.state[part])
        return answer

    def _observed_limits(self, alpha: float, guess: Array) -> Roots:
        start = np.repeat(self.background.theta, len(guess), axis=1)
        start_asimov = start.copy()

        def log_ratio(x: Array, which: Index) -> Array:
            warm, warm_asimov = start[:, which], start_asimov[:, which]
            nu = np.exp(x)
            asimov = np.sqrt(self.asimov_statistic(nu, which, warm_asimov))
            value = _log_cls(self.statistic(nu, which, warm), asimov) - np.log(alpha)
            start[:, which], start_asimov[:, which] = warm, warm_asimov
            return np.asarray(value, dtype=np.float64)

        return find_roots(log_ratio, guess - 0.7, guess + 0.7, tolerance=_TOLERANCE)


def _log_cls(q: Array, asimov_root: Array) -> Array:
    """Return ln CLs from qtilde and sqrt(qtilde_A); 1007.1727 eqs. (64)-(66)."""
    root = np.sqrt(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = (q - asimov_root**2) / (2.0 * asimov_root)
    t = np.where(root <= asimov_root, root - asimov_root, beyond)
    t = np.where(asimov_root > 0.0, t, 0.0)  # no sensitivity at all: CLs = 1
    return _log_cls_at(-t, asimov_root)


def _log_cls_at(order: float | Array, asimov_root: Array) -> Array:
    """Return ln CLs where the background fluctuated by `order` standard deviations."""
    return np.asarray(
        special.log_ndtr(order - asimov_root) - special.log_ndtr(order), dtype=np.float64
    )


def _asimov_root(alpha: float, orders: Array) -> Array:
    """Return the sqrt(qtilde_A) at which the expected CLs of an order is alpha."""
    return np.asarray(orders - special.ndtri(alpha * special.ndtr(orders)), dtype=np.float64)
