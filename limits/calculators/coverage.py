"""How often intervals contain the truth: pseudo-experiments of a known truth, tested there.

An interval of confidence level 1 - alpha contains the true strength where the p-value there (CLs,
or the posterior probability of more signal) is above alpha. No limit has to be found: one p-value
at the truth says it for each pseudo-experiment.

The nuisance parameters are truly at their nominal values. The counts are Poisson around the true
rates; auxiliary data are thrown around the true parameters, as repeating an experiment with its
calibrations does, or stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.bayesian import posteriors
from na64.limits.calculators.limits import cls_values
from na64.limits.calculators.marginal import Marginal
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Bayesian
from na64.limits.calculators.throwing import check_rates, poisson_quantile, throw_counts
from na64.limits.likelihood.compiled import SignalBatch

__all__ = ["Experiments", "experiment_p_values", "p_values_at", "throw_experiments"]

Array = NDArray[np.float64]

#: panels and nodes of a posterior, as the calculator has them for data
_GRID: Final = (6, 8)
#: pseudo-experiments that are fitted together
_TOGETHER: Final = 500


@dataclass(frozen=True, slots=True)
class Experiments:
    """Pseudo-experiments.

    Attributes
    ----------
    counts
        Main counts, shape (B, E).
    auxiliary
        Auxiliary data, shape (P, E); None where they are not thrown.
    keys
        One number per experiment that the random numbers of its toys depend on, shape (E,).
    """

    counts: Array
    auxiliary: Array | None
    keys: Array


def throw_experiments(
    batch: SignalBatch,
    nu: float,
    shard: int,
    number: int,
    *,
    first: int = 0,
    seed: int = 1,
    auxiliary: bool = True,
) -> Experiments:
    """Throw one shard of pseudo-experiments; the first do not depend on how many there are.

    Parameters
    ----------
    batch
        The signal, a batch of one mass.
    nu
        True signal events, not negative.
    shard
        Its number, from 0 on; each has random numbers of its own.
    number
        Pseudo-experiments of it.
    first
        How many are in the shards before: the key of the first one.
    seed
        Of the random numbers.
    auxiliary
        Whether auxiliary data are thrown with the counts.

    Raises
    ------
    InputError
        For rates of which no counts are thrown.
    """
    likelihood = batch.likelihood
    evaluator, truth = likelihood.fitter.problem(False).evaluator, likelihood.fitter.init
    rates = evaluator.rates(truth[:, None], np.array([nu]), batch.shape)[:, 0]
    check_rates(rates, likelihood.bins)
    bits = np.array([batch.keys[0] + 0.0, nu + 0.0]).view(np.uint64)
    root = np.random.SeedSequence(seed, spawn_key=(*bits.tolist(), shard))
    main, other = (np.random.default_rng(child) for child in root.spawn(2))
    counts = np.concatenate([some for _, some in throw_counts(main, rates, number)], axis=1)
    keys = first + np.arange(number, dtype=np.float64)
    if not auxiliary or not len(truth):
        return Experiments(counts, None, keys)
    width = np.array([p.width for p in likelihood.model.parameters], dtype=np.float64)
    normal = other.standard_normal((number, len(truth))).T
    thrown, gaussian = np.zeros((len(truth), number)), evaluator.gaussian
    thrown[gaussian] = truth[gaussian, None] + width[gaussian, None] * normal[gaussian]
    for p in evaluator.poisson:
        thrown[p] = poisson_quantile(special.ndtr(normal[p]), width[p] * truth[p])
    return Experiments(counts, thrown, keys)


def experiment_p_values(
    batch: SignalBatch, calculator: Calculator, mu: float, experiments: Experiments
) -> Array:
    """Return the p-values of a strength in pseudo-experiments.

    Parameters
    ----------
    batch
        The signal, a batch of one mass.
    calculator
        The method.
    mu
        Signal strength, positive.
    experiments
        Those with equal counts are computed together.

    Returns
    -------
    ndarray
        Shape (E,), NaN where the method has no number.

    Raises
    ------
    InputError
        For an ensemble that is too large to enumerate.
    """
    counts, auxiliary = experiments.counts, experiments.auxiliary
    different, group = np.unique(counts, axis=1, return_inverse=True)
    answer = np.empty(counts.shape[1])
    for g, n in enumerate(different.T):
        members = np.flatnonzero(group.ravel() == g)
        if auxiliary is None and calculator.smooth:  # they are the same
            answer[members] = p_values_at(batch, calculator, np.array([mu]), n)[0]
            continue
        for first in range(0, len(members), _TOGETHER):
            some = members[first : first + _TOGETHER]
            own = None if auxiliary is None else auxiliary[:, some]
            strengths = np.full(len(some), mu)
            answer[some] = p_values_at(batch, calculator, strengths, n, own, experiments.keys[some])
    return answer


def p_values_at(
    batch: SignalBatch,
    calculator: Calculator,
    mu: Array,
    counts: Array,
    auxiliary: Array | None = None,
    keys: Array | None = None,
) -> Array:
    """Return the p-values of strengths in E experiments with the same counts.

    Parameters
    ----------
    batch
        The signal, a batch of one mass.
    calculator
        The method.
    mu
        Strengths, positive, shape (E,).
    counts
        Main counts, shape (B,).
    auxiliary
        Auxiliary data, shape (P, E); the workspace's by default.
    keys
        One number per experiment that its random numbers depend on, shape (E,); 0 to E - 1 by
        default.
    """
    n = len(mu)
    many = batch.take(np.zeros(n, dtype=np.intp))
    many = replace(many, keys=np.arange(n, dtype=np.float64) if keys is None else keys)
    if auxiliary is not None:
        many = many.with_auxiliary(auxiliary)
    if not isinstance(calculator, Bayesian):
        return cls_values(many, mu, calculator=calculator, counts=counts).observed
    # the same as `cls_values`, experiments together
    marginal = Marginal(many, samples=calculator.samples, replicas=1, seed=calculator.seed)
    data = np.repeat(counts[:, None], n, axis=1)
    found = posteriors(marginal, many, np.arange(n), data, _GRID)
    nu = mu * many.events
    tails = [
        np.nan if p is None else float(p.tail(x)) for (p, *_), x in zip(found, nu, strict=True)
    ]
    return np.array(tails, dtype=np.float64)
