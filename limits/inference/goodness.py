"""Goodness of fit: the likelihood ratio to the saturated model.

The saturated model expects every main count and every auxiliary datum exactly; the statistic

    q = 2 ln L(saturated) - 2 ln L(best fit)

is the deviance of the Poisson counts plus that of the constraints (Baker and Cousins, Nucl.
Instrum. Meth. 221 (1984) 437). For large counts it follows chi2 with

    degrees of freedom = main counts + auxiliary data - parameters determined by them,

in which a constrained parameter and its auxiliary datum cancel. The number of determined parameters
is the rank of the expected information, so that two factors of one sample count once; parameters at
a bound do not count. For small counts the distribution is that of toys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, free_fits
from na64.limits.calculators.throwing import check_data, check_rates
from na64.limits.inference.covariance import information_rank
from na64.limits.inference.data import Data, auxiliary_at
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.minimum import LocalMinimiser
from na64.limits.inference.result import FitResult, expected_points
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.model import Constraint
from na64.models.errors import ComputationError, InputError

__all__ = ["ENSEMBLES", "Goodness", "ToyGoodness", "goodness_of_fit"]

Array = NDArray[np.float64]

#: auxiliary data of toys: thrown with the counts, or as observed
ENSEMBLES = ("aux-fluctuated", "aux-fixed")
#: rates below it are no rates: nothing can be seen or missed there
_NO_RATE = 1e-9
#: toys fitted together
_TOGETHER = 2000
#: values closer than this are equal
_TIE = 1e-7


@dataclass(frozen=True, slots=True)
class ToyGoodness:
    """The distribution of q in toys of the best fit.

    Attributes
    ----------
    values
        q of the toys, shape (T,); of those whose fit converged.
    ensemble
        One of `ENSEMBLES`.
    seed
        Of the random numbers.
    failed
        Number of toys whose fit did not converge.
    p_value
        Share of toys with at least the observed q.
    error
        Its binomial standard deviation, with one toy more on either side, so that it is never zero.
    """

    values: Array
    ensemble: str
    seed: int
    failed: int
    p_value: float
    error: float


@dataclass(frozen=True, slots=True)
class Goodness:
    """How well a fit describes the data.

    Attributes
    ----------
    fit
        The fit.
    statistic
        q, not negative.
    channels
        Contribution of the main counts of each channel to q.
    bins
        Contribution of each bin, shape (B,).
    constraints
        Contribution of the auxiliary data.
    degrees_of_freedom
        See above; 0 where the fit can describe anything.
    p_value
        Probability of a larger chi2; NaN without degrees of freedom.
    toys
        With toys, or None.
    """

    fit: FitResult
    statistic: float
    channels: Mapping[str, float]
    bins: Array
    constraints: float
    degrees_of_freedom: int
    p_value: float
    toys: ToyGoodness | None


def goodness_of_fit(
    batch: SignalBatch,
    *,
    data: Data | None = None,
    mu: float | None = None,
    toys: int = 0,
    seed: int = 1,
    ensemble: str = ENSEMBLES[0],
) -> Goodness:
    """Compare a fit with the saturated model.

    Parameters
    ----------
    batch
        The workspace with one signal.
    data, mu
        As in `na64.limits.inference.fit.fit_workspace`; toys are fitted with mu free or held as
        well.
    toys
        Pseudo-experiments of the best fit, 0 for none.
    seed
        Of the toys, not negative.
    ensemble
        ``aux-fluctuated``: auxiliary data of toys are thrown around the best parameters, as q
        contains them; ``aux-fixed``: they stay as observed.

    Returns
    -------
    Goodness

    Raises
    ------
    InputError
        For a number of toys, seed or ensemble that is not allowed, expected counts of which no toys
        are thrown, and as fits do.
    ComputationError
        If the fit does not converge, or more than one toy in a hundred does not.
    """
    if toys < 0 or seed < 0:
        raise InputError("the number of toys and their seed must not be negative")
    if ensemble not in ENSEMBLES:
        raise InputError(f"an ensemble is {' or '.join(ENSEMBLES)}, not '{ensemble}'")
    if toys:
        check_data(batch, batch.likelihood.observed if data is None else data.counts)
    fit = fit_workspace(batch, data=data, mu=mu)
    expected = expected_points(fit)
    bins = 2.0 * _deviance(fit.data.counts, expected.counts[:, 0])
    total = max(2.0 * fit.value, 0.0)
    channels: dict[str, float] = {}
    for (channel, _), value in zip(batch.likelihood.bins, bins.tolist(), strict=True):
        channels[channel] = channels.get(channel, 0.0) + value
    freedom = _degrees_of_freedom(fit)
    return Goodness(
        fit=fit,
        statistic=total,
        channels=channels,
        bins=bins,
        constraints=max(total - float(bins.sum()), 0.0),
        degrees_of_freedom=freedom,
        p_value=float(special.gammaincc(0.5 * freedom, 0.5 * total)) if freedom else np.nan,
        toys=_throw(fit, total, toys, seed, ensemble) if toys else None,
    )


def _deviance(counts: Array, rates: Array) -> Array:
    """Return lambda - n + n ln(n / lambda) per bin."""
    safe = np.where(rates > 0.0, rates, 1e-300)
    return np.asarray(rates - counts + special.xlogy(counts, counts / safe), dtype=np.float64)


def _degrees_of_freedom(fit: FitResult) -> int:
    """Return main counts and auxiliary data less the rank of the expected information."""
    points = expected_points(fit)
    local = LocalMinimiser(fit.batch.likelihood)
    x = fit.x[:, None]
    low, high = local.at_bounds(x)
    free = ~(low | high)[:, 0]
    free[-1] &= not fit.mu_fixed
    # with the expected data in place of the data the Hessian is the expected information
    information = local.derivatives(x, points)[2][0]
    at = np.flatnonzero(free)
    rank = information_rank(information[np.ix_(at, at)])
    constrained = [
        p.constraint is not Constraint.FREE for p in fit.batch.likelihood.model.parameters
    ]
    seen = int(np.sum((points.counts[:, 0] > _NO_RATE) | (fit.data.counts > 0.0)))
    # the auxiliary datum of a parameter at its bound still counts
    return max(seen + sum(constrained) - rank, 0)


def _throw(fit: FitResult, observed: float, toys: int, seed: int, ensemble: str) -> ToyGoodness:
    """Throw toys of the best fit and fit them."""
    generator = np.random.default_rng(seed)
    expected = expected_points(fit)
    check_rates(expected.counts, fit.batch.likelihood.bins)
    values, failed = [], 0
    for first in range(0, toys, _TOGETHER):
        n = min(_TOGETHER, toys - first)
        counts = generator.poisson(expected.counts[:, :1], (len(expected.counts), n)).astype(float)
        auxiliary = _auxiliary(fit, n, generator, ensemble)
        value, good = _fit_toys(fit, counts, auxiliary)
        values.append(2.0 * value[good])
        failed += int(np.sum(~good))
    q = np.concatenate(values)
    if failed > 0.01 * toys:
        raise ComputationError(f"{failed} of {toys} toys could not be fitted")
    larger = float(np.sum(q >= observed - _TIE))
    n_good = len(q)
    smoothed = (larger + 1.0) / (n_good + 2.0)
    return ToyGoodness(
        values=np.maximum(q, 0.0),
        ensemble=ensemble,
        seed=seed,
        failed=failed,
        p_value=larger / n_good,
        error=float(np.sqrt(smoothed * (1.0 - smoothed) / n_good)),
    )


def _auxiliary(fit: FitResult, n: int, generator: np.random.Generator, ensemble: str) -> Array:
    """Return auxiliary data of n toys, shape (P, n)."""
    if ensemble == ENSEMBLES[1]:
        return np.repeat(fit.data.auxiliary[:, None], n, axis=1)
    parameters = fit.batch.likelihood.model.parameters
    mean = auxiliary_at(fit.batch, fit.x[:-1])
    counted = [p for p, x in enumerate(parameters) if x.constraint is Constraint.POISSON]
    names = [f"parameter '{parameters[p].name}'" for p in counted]
    check_rates(mean[counted], names, "auxiliary events expected")
    answer = np.zeros((len(parameters), n))
    for p, parameter in enumerate(parameters):
        if parameter.constraint is Constraint.GAUSSIAN:
            answer[p] = mean[p] + parameter.width * generator.standard_normal(n)
        elif parameter.constraint is Constraint.POISSON:
            answer[p] = generator.poisson(mean[p], n)
    return answer


def _fit_toys(fit: FitResult, counts: Array, auxiliary: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the likelihood of each toy at its best fit, and whether that converged."""
    batch, n = fit.batch, counts.shape[1]
    mass = np.zeros(n, dtype=np.intp)
    if fit.mu_fixed:
        points = batch.points(mass, counts, auxiliary)
        nu = np.full(n, fit.x[-1])
        found = batch.likelihood.fitter.fit(points, nu, free_signal=False)
    else:
        background = background_fit(batch, counts, auxiliary, mass)
        found = free_fits(batch, mass, counts, background, auxiliary)
    return found.value, found.converged
