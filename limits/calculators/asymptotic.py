"""The asymptotic calculator: qtilde and Asimov bands.

For a handful of events its limits are 30 % too strong in events: CLs is then built on
distributions that the counts do not have. It is here because published curves used it.

References
----------
Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727: qtilde eq. (16), its distribution eqs.
(64)-(66), the Asimov data set section 3.2, bands section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import (
    TIE,
    background_fit,
    first_guess,
    observed_fits,
    qtilde,
)
from na64.limits.calculators.roots import BRACKETED, Edges, Roots, find_roots
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.fitting import Fit

__all__ = ["Engine"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: largest |ln(CLs / alpha)| at a root when its fits are repeated from the beginning
_CHECK = 1e-3


class Engine:
    """The calculator at work; see `Engine` of `na64.limits.calculators.protocol`."""

    def __init__(self, settings: Any, batch: SignalBatch, counts: Array) -> None:
        self.batch, self.counts = batch, counts
        self.tolerance: float = settings.tolerance
        likelihood = batch.likelihood
        background, self.asimov_counts, self.free = observed_fits(batch, self.counts)
        self._evaluator = likelihood.fitter.problem(False).evaluator
        self.asimov_auxiliary = self._auxiliary_at(background.theta)
        n = len(batch)
        self._column = np.arange(n) if len(background.value) == n else np.zeros(n, dtype=np.intp)
        self.background = background.take(self._column)

    def _auxiliary_at(self, theta: Array) -> Array:
        """Return the auxiliary data that are expected with nuisance parameters."""
        gaussian, poisson = self._evaluator.gaussian, self._evaluator.poisson
        auxiliary = np.zeros_like(theta)
        auxiliary[gaussian] = theta[gaussian]
        auxiliary[poisson] = self._evaluator.tau * theta[poisson]
        return auxiliary

    def _fit(self, points: Points, nu: Array, mass: Index, start: Array | None) -> Fit:
        """Fit at nu from where the last fit ended, which is kept in `start`."""
        begin = self.background.theta[:, mass] if start is None else start
        fit = self.batch.likelihood.fitter.fit(
            points, nu, free_signal=False, start=begin, thorough=start is None
        )
        if start is not None:
            start[...] = fit.theta
        return fit

    def statistic(self, nu: Array, mass: Index, start: Array | None = None) -> Array:
        """Return qtilde of the observed data at nu signal events, NaN where a fit failed."""
        points = self.batch.points(mass, self.counts[:, None])
        fit = self._fit(points, nu, mass, start)
        free = self.free
        q = qtilde(self.batch, points, nu, fit, free.value[mass], free.nu[mass])
        return np.where(free.converged[mass], q, np.nan)

    def asimov_statistic(self, nu: Array, mass: Index, start: Array | None = None) -> Array:
        """Return qtilde of the mu = 0 Asimov data; their best fit has a value of zero."""
        column = self._column[mass]
        points = self.batch.points(
            mass, self.asimov_counts[:, column], self.asimov_auxiliary[:, column]
        )
        fit = self._fit(points, nu, mass, start)
        q = np.maximum(2.0 * fit.value, 0.0)
        return np.where(fit.converged & self.background.converged[mass], q, np.nan)

    def discovery_p_values(self, q0: Array) -> Array:
        """Return the tail of half a chi-squared distribution."""
        return np.where(q0 > TIE, special.ndtr(-np.sqrt(q0)), 1.0)

    def median_significance(self, theta: Array) -> Array:
        """Return sqrt(q0) of the Asimov data of mu = 1; their best fit has a value of zero."""
        batch, every = self.batch, np.arange(len(self.batch))
        asimov = self._evaluator.rates(theta, batch.events, batch.shape)
        without = background_fit(batch, asimov, self._auxiliary_at(theta), every)
        q0 = np.maximum(2.0 * without.value, 0.0)
        return np.where(without.converged, np.sqrt(q0), np.nan)

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return CLs."""
        asimov = np.sqrt(self.asimov_statistic(nu, mass))
        observed = np.exp(_log_cls(self.statistic(nu, mass), asimov))
        bands = np.full((5, len(nu)), np.nan)
        if expected:
            for i, order in enumerate(BAND_ORDER):
                bands[i] = np.exp(_log_cls_at(float(order), asimov))
        return observed, bands

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where CLs is alpha."""
        n = len(self.batch)
        guess = np.log(first_guess(self.batch, self.counts, self.asimov_counts))
        answer: list[Roots | None] = [None] * 6
        if observed:
            answer[0] = self._observed_limits(alpha, guess)
        if not expected:
            return Edges(tuple(answer))
        mass = np.tile(np.arange(n), 5)
        orders = np.repeat(np.array(BAND_ORDER, dtype=np.float64), n)
        wanted = _asimov_root(alpha, orders)

        def excess(x: Array, which: Index, starts: _Starts | None) -> Array:
            warm = None if starts is None else starts.take(which)[1]
            found = np.sqrt(self.asimov_statistic(np.exp(x), mass[which], warm))
            if starts is not None and warm is not None:
                starts.put(which, None, warm)
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(wanted[which]) - np.log(found), dtype=np.float64)

        roots = self._solve(excess, guess[mass] + 0.25 * orders)
        for i in range(5):
            part = slice(i * n, (i + 1) * n)
            answer[i + 1] = Roots(roots.x[part], roots.state[part])
        return Edges(tuple(answer))

    def _observed_limits(self, alpha: float, guess: Array) -> Roots:
        def log_ratio(x: Array, which: Index, starts: _Starts | None) -> Array:
            nu = np.exp(x)
            warm, warm_asimov = (None, None) if starts is None else starts.take(which)
            asimov = np.sqrt(self.asimov_statistic(nu, which, warm_asimov))
            value = _log_cls(self.statistic(nu, which, warm), asimov) - np.log(alpha)
            if starts is not None and warm_asimov is not None:
                starts.put(which, warm, warm_asimov)
            return np.asarray(value, dtype=np.float64)

        return self._solve(log_ratio, guess)

    def _solve(
        self, function: Callable[[Array, Index, _Starts | None], Array], guess: Array
    ) -> Roots:
        """Find roots with fits that start from the last ones, and check them with fresh fits."""
        every = np.arange(len(guess)) % len(self.batch)  # one mass after the other, per band
        starts = _Starts(self.background.theta[:, every])
        roots = find_roots(
            lambda x, which: function(x, which, starts),
            guess - 0.7,
            guess + 0.7,
            tolerance=self.tolerance,
        )
        found = np.flatnonzero(roots.state == BRACKETED)
        again = found[~(np.abs(function(roots.x[found], found, None)) < _CHECK)]
        if len(again):  # a likelihood with several minima: every fit from the beginning
            fresh = find_roots(
                lambda x, which: function(x, again[which], None),
                guess[again] - 0.7,
                guess[again] + 0.7,
                tolerance=self.tolerance,
            )
            roots.x[again], roots.state[again] = fresh.x, fresh.state
        return roots


class _Starts:
    """Nuisance parameters of the last fit of every function, observed and Asimov data."""

    def __init__(self, theta: Array) -> None:
        self._first = theta
        self._observed, self._asimov = theta.copy(), theta.copy()

    def take(self, which: Index) -> tuple[Array, Array]:
        """Return copies to start from."""
        return self._observed[:, which], self._asimov[:, which]

    def put(self, which: Index, observed: Array | None, asimov: Array) -> None:
        """Keep where fits ended."""
        if observed is not None:
            self._observed[:, which] = np.where(
                np.isfinite(observed), observed, self._first[:, which]
            )
        self._asimov[:, which] = np.where(np.isfinite(asimov), asimov, self._first[:, which])


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
