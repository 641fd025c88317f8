"""Coverage without pseudo-experiments: sums over all counts, auxiliary data at their true values.

Where the auxiliary data are not thrown an experiment *is* its counts, and the coverage at mu is

    sum over n of P(n | mu) [mu is in the interval of n],

with Poisson probabilities. Limits of different counts are computed once, and give the coverage at
every mu in one bin.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from na64.limits.calculators.datasets import background_fit, free_fits, qtilde
from na64.limits.likelihood.compiled import CompiledLikelihood
from scripts.coverage_study.experiments import METHODS, Experiment, contained, interval

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: largest strength of which the coverage is wanted
HIGHEST: Final = 10.0
#: probability that is left out of sums of which every digit is wanted
NOTHING: Final = 1e-10
#: values of a test statistic closer than this are equal
_TIE: Final = 1e-8
#: distance from an edge at which the coverage beside it is taken, well above an edge's tolerance:
#: where the order of two counts changes one interval ends and another begins at the same mu
_BESIDE: Final = 1e-5


def intervals(experiment: Experiment, name: str) -> list[tuple[float, float]]:
    """Return the intervals of one bin for n = 0, 1, ... that can end below `HIGHEST`.

    More events allow more signal: the first interval that is above `HIGHEST` (with its lower edge,
    for unified intervals; otherwise with its upper one) is the last of the list.
    """
    likelihood, method = experiment.likelihood(), METHODS[name]
    found: list[tuple[float, float]] = []
    while True:
        low, high = interval(likelihood, method, np.array([float(len(found))]))
        found.append((low, high))
        if (low if method.two_sided else high) > HIGHEST:
            return found


def coverage_of(
    experiment: Experiment, edges: list[tuple[float, float]], mu: Array, *, two_sided: bool
) -> Array:
    """Return the coverage of intervals of one bin, shape of mu, between 0 and `HIGHEST`.

    Counts beyond the list have intervals above mu (unified ones), or limits above mu (others).
    """
    low, high = np.array(edges).T
    n = np.arange(len(low))
    rate = mu[..., None] + experiment.background
    inside = (mu[..., None] >= low) & (mu[..., None] <= high)
    probability = stats.poisson.pmf(n, rate)
    if two_sided:
        return np.asarray((probability * inside).sum(axis=-1))
    return np.asarray(1.0 - (probability * ~inside).sum(axis=-1))


def lowest_coverage(
    experiment: Experiment, edges: list[tuple[float, float]], *, two_sided: bool
) -> float:
    """Return the lowest coverage of intervals of one bin for any signal up to `HIGHEST`.

    Between two edges the coverage is the probability of n being in one range of counts; as a
    function of mu that rises to one maximum and falls, so that it is lowest at an edge.
    """
    at = np.array(edges).ravel()
    near = np.concatenate([at - _BESIDE, at + _BESIDE, [_BESIDE, HIGHEST]])
    inside = near[(near > 0.0) & (near <= HIGHEST)]
    return float(coverage_of(experiment, edges, inside, two_sided=two_sided).min())


def likely(experiment: Experiment, mu: float, left_out: float) -> tuple[Array, Array]:
    """Return the likeliest counts, shape (D, B), and probabilities, until `left_out` is left."""
    rates = experiment.rates(mu)
    most = np.asarray(stats.poisson.isf(0.1 * left_out / len(rates), rates), dtype=int)
    axes = [np.arange(m + 1.0) for m in most]
    counts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(rates))
    probability = np.asarray(stats.poisson.pmf(counts, rates)).prod(axis=1)
    order = np.argsort(-probability, kind="stable")
    enough = int(np.searchsorted(np.cumsum(probability[order]), 1.0 - left_out)) + 1
    return counts[order[:enough]], probability[order[:enough]]


def statistics(
    likelihood: CompiledLikelihood, mu: float, counts: Array, *, two_sided: bool
) -> Array:
    """Return qtilde of counts (D, B), or the two-sided t >= 0 of unified intervals, shape (D,)."""
    batch, data = likelihood.batch(), np.ascontiguousarray(counts.T)
    which, nu = np.zeros(len(counts), dtype=np.intp), np.full(len(counts), mu)
    free = free_fits(batch, which, data, background_fit(batch, data))
    points = batch.points(which, data)
    fit = likelihood.fitter.fit(points, nu, free_signal=False)
    if not (free.converged.all() and fit.converged.all()):
        raise RuntimeError("a fit did not converge")
    if two_sided:
        return np.maximum(2.0 * (fit.value - free.value), 0.0)
    return np.asarray(qtilde(batch, points, nu, fit, free.value, free.nu))


def summed_coverage(experiment: Experiment, name: str, mu: float, left_out: float) -> float:
    """Return the coverage in any number of bins; what is left out counts as containing the truth.

    Counts with qtilde = 0 have CLs = 1 and are not computed again.
    """
    likelihood, method = experiment.likelihood(), METHODS[name]
    counts, probability = likely(experiment, mu, left_out)
    todo = np.arange(len(counts))
    if name not in ("feldman-cousins", "bayesian"):
        todo = np.flatnonzero(statistics(likelihood, mu, counts, two_sided=False) > 0.0)
    outside = 0.0
    for i in todo.tolist():
        keys = np.array([float(i)])
        if not contained(likelihood, method, np.array([mu]), counts[i], None, keys)[0]:
            outside += float(probability[i])
    return 1.0 - outside


def ordered_coverage(
    experiment: Experiment, name: str, mu: float, left_out: float = NOTHING
) -> float:
    """Return the coverage without nuisance parameters of a method that orders all counts.

    All counts then have the same ensembles, and the p-value (CLs as well) falls with the test
    statistic: the counts that contain the truth are those below one value of it, which is found by
    bisection. A handful of p-values give every digit.
    """
    if experiment.uncertainty:
        raise ValueError("with nuisance parameters every dataset has its own ensembles")
    likelihood, method = experiment.likelihood(), METHODS[name]
    counts, probability = likely(experiment, mu, left_out)
    t = statistics(likelihood, mu, counts, two_sided=method.two_sided)
    order = np.argsort(t, kind="stable")
    t, probability, counts = t[order], probability[order], counts[order]
    inside, outside = 0, len(t)  # the smallest t is inside
    while outside - inside > 1:
        middle = (inside + outside) // 2
        if contained(likelihood, method, np.array([mu]), counts[middle])[0]:
            inside = middle
        else:
            outside = middle
    return float(probability[t <= t[inside] + _TIE].sum())
