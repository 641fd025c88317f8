"""The Bayesian calculator: upper limits with a prior that is flat in the signal events nu >= 0.

The p-value of a signal is the posterior probability of a larger one. It is a cross-check of CLs,
not a frequentist statement: with one bin and no nuisance parameters both are the same number,
P(N <= n | nu + b) / P(N <= n | b). Without nuisance parameters the posterior has a closed form in
any number of bins; with them they are integrated out, see `na64.limits.calculators.marginal`.

Expected limits are quantiles of the limit over the counts that the background gives, with the
nuisance parameters fitted to the observed data at nu = 0 and the auxiliary data as observed: the
ensemble of the exact calculator. It is enumerated, most likely datasets first, until a thousandth
is left, which counts as having the largest limits; ensembles that are larger than allowed are
thrown.
"""

from __future__ import annotations

import math
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from na64.limits.calculators.datasets import observed_fits
from na64.limits.calculators.gamma_mixture import GammaMixture, gamma_mixture
from na64.limits.calculators.marginal import Marginal
from na64.limits.calculators.posterior import Density, make_nodes
from na64.limits.calculators.roots import BRACKETED, FAILED, NO_ROOT, Edges, Roots, find_roots
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.throwing import check_rates
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.structure import connected_bins
from na64.models.errors import ComputationError, InputError

__all__ = ["Engine", "Posterior", "Unbounded", "likely_datasets", "posteriors"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Unbounded:
    """The posterior where the likelihood does not fall with the signal: it is all at infinity."""

    def tail(self, nu: ArrayLike) -> Array:
        """Return one."""
        return np.ones(np.shape(nu))

    def bracket(self, alpha: float) -> tuple[float, float]:
        """Return any interval."""
        del alpha
        return 0.0, 1.0


#: a posterior in one of its forms
Posterior = GammaMixture | Density | Unbounded

#: most events of which the closed form is made; its time is their square
_MOST_EVENTS: Final = 3000
#: panels on each side of the best fit and nodes in each, for the data and for expectations
_GRID: Final = (6, 8)
_EXPECTED_GRID: Final = (4, 6)
#: estimates of a sampled integral, of which the error is made
_REPLICAS: Final = 8
#: fewest points of one for expectations
_FEWEST_SAMPLES: Final = 64
#: posteriors that are computed together, to bound the memory
_TOGETHER: Final = 64
#: fraction of the ensemble that is left out, and the smallest probability looked for
_LEFT_OUT, _SMALLEST = 1e-3, 1e-9
#: fewest effective samples of an integral that is believed
_FEWEST: Final = 20.0
#: relative tolerance of a limit
_TOLERANCE = 1e-10


class Engine:
    """The calculator at work; see `Engine` of `na64.limits.calculators.protocol`."""

    def __init__(self, settings: Any, batch: SignalBatch, counts: Array) -> None:
        self.settings, self.batch, self.counts = settings, batch, counts

    def limits(self, alpha: float, *, observed: bool, expected: bool) -> Edges:
        """Return where the posterior has alpha above it."""
        n = len(self.batch)
        upper: list[Roots | None] = [None] * 6
        error = None
        if observed:
            found = [self._observed(i) for i in range(n)]
            firsts = _quantiles([each[0] for each in found], alpha)
            upper[0] = Roots(np.log(firsts.x), firsts.state)
            if any(len(each) > 1 for each in found):
                error = np.full((6, n), np.nan)  # those of expected limits are not known
                error[0] = [
                    _spread(_quantiles(each[1:], alpha).x, x)
                    for each, x in zip(found, firsts.x, strict=True)
                ]
        if expected:
            bands = [Roots.empty(n) for _ in BAND_ORDER]
            for mass in range(n):
                some, probability = self._ensemble(mass)
                roots = _quantiles(some, alpha)
                values = np.where(roots.state == NO_ROOT, np.inf, roots.x)
                for band, order in zip(bands, BAND_ORDER, strict=True):
                    band.put(np.array([mass]), _band(values, probability, order))
            upper[1:] = bands
        return Edges(tuple(upper), None, error)

    def p_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return the posterior probabilities of more signal than nu."""
        answer, bands = np.full(len(nu), np.nan), np.full((5, len(nu)), np.nan)
        for one in np.unique(mass).tolist():
            here = np.flatnonzero(mass == one)
            first = self._observed(one, error=False)[0]
            if first is not None:
                answer[here] = first.tail(nu[here])
            if not expected:
                continue
            some, probability = self._ensemble(one)
            if any(each is None for each in some):
                continue
            tails = np.array([each.tail(nu[here]) for each in some if each is not None])
            for i, order in enumerate(BAND_ORDER):
                bands[i, here] = [
                    _weighted_quantile(column, probability, order) for column in tails.T
                ]
        return answer, bands

    def discovery_p_values(self, q0: Array) -> Array:
        """Refuse: a posterior has no such number."""
        del q0
        return _no_discovery()

    def median_significance(self, theta: Array) -> Array:
        """Refuse: a posterior has no such number."""
        del theta
        return _no_discovery()

    def _observed(self, mass: int, *, error: bool = True) -> list[Posterior | None]:
        """Return the posterior of the data; then, where it was sampled, those of the replicas."""
        settings = self.settings
        marginal = Marginal(
            self.batch,
            samples=settings.samples,
            replicas=_REPLICAS if error else 1,
            seed=settings.seed,
        )
        return posteriors(marginal, self.batch, np.array([mass]), self.counts[:, None], _GRID)[0]

    def _ensemble(self, mass: int) -> tuple[list[Posterior | None], Array]:
        """Return the posteriors of what the background gives, and their probabilities."""
        batch, settings = self.batch.take(np.array([mass])), self.settings
        model = batch.likelihood.model
        _, rates, _ = observed_fits(batch, self.counts)
        active = ~model.is_signal
        active[model.is_signal] = batch.shape[:, 0] > 0.0
        varied = connected_bins(model, active)
        check_rates(rates, batch.likelihood.bins)
        own, probability = likely_datasets(
            rates[varied, 0], settings.max_datasets, settings.toys, settings.seed
        )
        counts = np.repeat(self.counts[:, None], len(probability), axis=1)
        counts[varied] = own
        marginal = Marginal(
            batch,
            samples=max(settings.samples // _REPLICAS, _FEWEST_SAMPLES),
            replicas=1,
            seed=settings.seed,
            coarse=True,
        )
        which = np.zeros(len(probability), dtype=np.intp)
        found = posteriors(marginal, batch, which, counts, _EXPECTED_GRID)
        return [each[0] for each in found], probability


def posteriors(
    marginal: Marginal, batch: SignalBatch, mass: Index, counts: Array, grid: tuple[int, int]
) -> list[list[Posterior | None]]:
    """Return the posteriors of Q datasets.

    Parameters
    ----------
    marginal
        Integrates the nuisance parameters out.
    batch
        Signals.
    mass
        Index of the mass of each dataset, shape (Q,).
    counts
        Main counts, shape (B, Q).
    grid
        Panels on each side of the best fit, and nodes in each.

    Returns
    -------
    list
        For every dataset its posterior, None where a fit failed; followed by one for every
        replica where there are several.

    Raises
    ------
    ComputationError
        If an integral over many nuisance parameters has too few effective samples.
    """
    answer: list[list[Posterior | None]] = []
    closed = not batch.likelihood.parameter_names
    for first in range(0, len(mass), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        some = counts[:, part]
        whole = np.all(some == np.round(some)) and some.sum(axis=0).max() <= _MOST_EVENTS
        make = _closed if closed and whole else _integrated
        answer += make(marginal, batch, mass[part], some, grid)
    return answer


def _closed(
    marginal: Marginal, batch: SignalBatch, mass: Index, counts: Array, grid: tuple[int, int]
) -> list[list[Posterior | None]]:
    del marginal, grid
    evaluator = batch.likelihood.fitter.problem(False).evaluator
    model = batch.likelihood.model
    nothing = np.zeros((len(batch.shape), 1))
    background = evaluator.rates(np.zeros((0, 1)), np.zeros(1), nothing)[:, 0]
    signal = np.zeros((len(model.bins), len(batch)))
    np.add.at(signal, model.component_bin[model.is_signal], batch.shape)
    return [
        [gamma_mixture(counts[:, i], background, signal[:, one])]
        for i, one in enumerate(mass.tolist())
    ]


def _integrated(
    marginal: Marginal, batch: SignalBatch, mass: Index, counts: Array, grid: tuple[int, int]
) -> list[list[Posterior | None]]:
    nodes = make_nodes(batch, mass, counts, *grid)
    n, per = len(mass), nodes.nu[0].size
    where = np.repeat(np.arange(n), per)
    log, effective = marginal.log_density(nodes.nu.ravel(), mass[where], counts[:, where])
    log = log.reshape(len(log), *nodes.nu.shape)
    together = np.logaddexp.reduce(log, axis=0)
    answer: list[list[Posterior | None]] = []
    for i in range(n):
        if not nodes.proper[i]:
            answer.append([Unbounded()])
            continue
        if not nodes.converged[i] or np.isnan(log[:, i]).any():
            answer.append([None])
            continue
        peak = int(np.argmax(together[i]))
        if (fewest := float(effective.reshape(n, per)[i, peak])) < _FEWEST:
            raise ComputationError(
                f"the integral over {len(batch.likelihood.parameter_names)} nuisance parameters "
                f"has {fewest:.0f} effective samples only; ask for more samples"
            )
        every = [together[i], *(log[:, i] if len(log) > 1 else [])]
        answer.append([Density(nodes.edges[i], nodes.nu[i], values) for values in every])
    return answer


def likely_datasets(
    rates: Array, most: int, toys: int, seed: int
) -> tuple[NDArray[np.float64], Array]:
    """Return the counts that independent Poisson bins give, and their probabilities.

    Parameters
    ----------
    rates
        Expected counts, shape (B,), as `na64.limits.calculators.throwing.check_rates` allows.
    most
        Largest number of datasets that are enumerated.
    toys
        How many are thrown where there are more than that.
    seed
        Of those.

    Returns
    -------
    tuple
        Counts, shape (B, D), and probabilities, shape (D,). Enumerated they sum to at least
        0.999; thrown ones to one.
    """
    cut = 1e-3
    while cut >= _SMALLEST:
        found = _above(rates, cut, most)
        if found is None:
            break
        counts, probability = found
        if probability.sum() >= 1.0 - _LEFT_OUT:
            return counts, probability
        cut *= 0.2
    thrown = np.random.default_rng(seed).poisson(rates[:, None], (len(rates), toys))
    counts, number = np.unique(thrown, axis=1, return_counts=True)
    return counts.astype(np.float64), number / toys


def _above(rates: Array, cut: float, most: int) -> tuple[Array, Array] | None:
    """Return all datasets of a probability above `cut` times the largest; None: too many."""
    n_bins = len(rates)
    counts, log = np.zeros((0, 1)), np.zeros(1)
    for i in range(n_bins):
        rate = float(rates[i])
        if math.sqrt(rate) > most:  # at least seven times as many counts are above 1e-3
            return None
        spread = 12.0 * math.sqrt(rate) + 30.0  # beyond it none is above any cut
        n = np.arange(max(math.floor(rate - spread), 0.0), math.floor(rate + spread) + 1.0)
        own = special.xlogy(n, rate) - rate - special.gammaln(n + 1.0)
        n, own = n[own - own.max() > np.log(cut)], own[own - own.max() > np.log(cut)]
        together = log[:, None] + (own - own.max())
        keep = np.argwhere(together > np.log(cut))
        if len(keep) > most:
            return None
        counts = np.vstack([counts[:, keep[:, 0]], n[keep[:, 1]]])
        log = together[keep[:, 0], keep[:, 1]]
    probability = np.exp(
        (
            special.xlogy(counts, rates[:, None]) - rates[:, None] - special.gammaln(counts + 1.0)
        ).sum(axis=0)
    )
    return counts, probability


def _quantiles(some: list[Posterior | None], alpha: float) -> Roots:
    """Return the signal events above which posteriors have alpha; failed where there is none."""
    n = len(some)
    answer = Roots(np.full(n, np.nan), np.full(n, FAILED, dtype=np.int8))
    good = np.array([i for i, each in enumerate(some) if each is not None], dtype=np.intp)
    known = [each for each in some if each is not None]
    if not known:
        return answer
    brackets = np.array([each.bracket(alpha) for each in known])
    scale = brackets[:, 1]

    def excess(x: Array, which: Index) -> Array:
        tails = [
            known[w].tail(max(at, 0.0) * scale[w])
            for at, w in zip(x.tolist(), which.tolist(), strict=True)
        ]
        return np.asarray(tails, dtype=np.float64) - alpha

    roots = find_roots(
        excess,
        brackets[:, 0] / scale,
        np.ones(len(known)),
        tolerance=_TOLERANCE,
        floor=0.0,
        ceiling=1e6,
    )
    answer.put(good, Roots(roots.x * scale, roots.state))
    return answer


def _band(values: Array, probability: Array, order: int) -> Roots:
    """Return the root of a band in ln(events), of limits that are infinite or NaN (failed)."""
    if np.isnan(values).any():
        return Roots(np.array([np.nan]), np.array([FAILED], dtype=np.int8))
    x = _weighted_quantile(values, probability, order)
    if np.isinf(x):
        return Roots(np.array([np.nan]), np.array([NO_ROOT], dtype=np.int8))
    return Roots(np.log([x]), np.array([BRACKETED], dtype=np.int8))


def _spread(replicas: Array, value: float) -> float:
    """Return the relative standard error of the mean of replicas; 0 where there are none."""
    if len(replicas) < 2:
        return 0.0
    return float(np.std(replicas, ddof=1) / np.sqrt(len(replicas)) / value)


def _weighted_quantile(values: Array, probability: Array, order: int) -> float:
    """Return the Phi(order) quantile; what probabilities lack counts as larger than all."""
    ranked = np.argsort(values, kind="stable")
    below = np.cumsum(probability[ranked])
    at = int(np.searchsorted(below, special.ndtr(float(order)) - 1e-12))
    return float(values[ranked[min(at, len(ranked) - 1)]])


def _no_discovery() -> NoReturn:
    raise InputError("the method 'bayesian' has no p-value of a discovery; use another method")
