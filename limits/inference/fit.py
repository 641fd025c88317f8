"""Fit of a workspace: the global minimum, and the uncertainties there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, free_fits, impossible_masses
from na64.limits.inference.covariance import invert, prefit
from na64.limits.inference.data import Data, observed_data
from na64.limits.inference.minimum import LocalMinimiser, Minima
from na64.limits.inference.profile import DEEPER, profile_errors
from na64.limits.inference.result import FIXED, LOWER, OK, UNDETERMINED, UPPER, FitResult
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.model import Constraint
from na64.models.errors import ComputationError, InputError

__all__ = ["ERRORS", "fit_workspace"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: how uncertainties are found
ERRORS: Final = ("hessian", "profile")

#: pulls below it are zero
_ROUNDING = 1e-11
#: likelihoods with up to so many parameters are searched for other minima, with each parameter
#: so many standard deviations away
_FEW, _FAR = 40, 2.0


def fit_workspace(
    batch: SignalBatch,
    *,
    data: Data | None = None,
    mu: float | None = None,
    errors: str = ERRORS[0],
    start: Array | None = None,
) -> FitResult:
    """Fit the nuisance parameters of a workspace, and mu >= 0 unless it is given.

    Parameters
    ----------
    batch
        The workspace with one signal, `CompiledLikelihood.batch`.
    data
        What to fit; the observed data by default.
    mu
        Signal strength to hold, not negative.
    errors
        ``hessian``, or ``profile`` for asymmetric ones in addition.
    start
        A point to begin at as well, as `FitResult.x`, shape (P + 1,).

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        For more than one signal, a signal of no events, a strength that is not allowed, or data
        that are impossible in this workspace.
    ComputationError
        If the fit does not converge.
    """
    _check(batch, mu, errors)
    data = observed_data(batch) if data is None else data
    if problem := impossible_masses(batch, data.counts)[0]:
        raise InputError(problem)
    local = LocalMinimiser(batch.likelihood)
    held = np.zeros(local.n_variables, dtype=bool)
    held[-1] = mu is not None
    x, value = _best(batch, data, mu, local, start)
    for _ in range(5):
        made = _result(batch, data, local, (x, value), held)
        if errors == ERRORS[0]:
            return made
        sides, deeper = profile_errors(made, local, held)
        if deeper is None:
            units = made.units
            return replace(made, lower_errors=sides[0] / units, upper_errors=sides[1] / units)
        x, value = deeper
    raise ComputationError("profiles of the likelihood go deeper than its minimum, again and again")


def _check(batch: SignalBatch, mu: float | None, errors: str) -> None:
    if len(batch) != 1:
        raise InputError(f"a fit is of one signal, not of {len(batch)}")
    if errors not in ERRORS:
        raise InputError(f"uncertainties are {' or '.join(ERRORS)}, not '{errors}'")
    if not batch.events[0] > 0.0:
        raise InputError("the signal of the workspace expects no events")
    if mu is not None and not (np.isfinite(mu) and mu >= 0.0):
        raise InputError(f"a signal strength must not be negative, is {mu:g}")


def _best(
    batch: SignalBatch, data: Data, mu: float | None, local: LocalMinimiser, start: Array | None
) -> tuple[Array, float]:
    """Return the global minimum: x of shape (P + 1,) and the likelihood there."""
    points, counts = data.points(batch), data.counts[:, None]
    auxiliary, first = data.auxiliary[:, None], np.zeros(1, dtype=np.intp)
    if mu is None:
        background = background_fit(batch, counts, auxiliary)
        fit = free_fits(batch, first, counts, background, auxiliary)
    else:
        nu = mu * batch.events
        fit = batch.likelihood.fitter.fit(points, nu, free_signal=False)
    begins = [np.append(fit.theta[:, 0], fit.nu[0])] + ([] if start is None else [start])
    held = np.zeros((local.n_variables, len(begins)), dtype=bool)
    held[-1] = mu is not None
    x = np.stack(begins, axis=1)
    if mu is not None:
        x[-1] = mu * batch.events
    best, value = _lowest(local.minimise(data.points(batch, len(begins)), x, held))
    if not np.isfinite(value):
        raise ComputationError("the fit did not converge")
    n = len(fit.theta)
    if not batch.likelihood.fitter.one_minimum and n <= _FEW:
        # other minima of likelihoods with interpolations that bend: each parameter from far away
        _, widths = prefit(batch.likelihood.model.parameters, data)
        steps = _FAR * np.diag(np.where(np.isnan(widths), 0.5 * np.abs(best[:-1]), widths))
        x = np.repeat(best[:, None], 2 * n, axis=1)
        x[:-1] += np.concatenate([steps, -steps], axis=1)
        held = np.zeros(x.shape, dtype=bool)
        held[-1] = mu is not None
        other, lower = _lowest(local.minimise(data.points(batch, 2 * n), x, held))
        if lower < value - DEEPER:
            return other, lower
    return best, value


def _lowest(found: Minima) -> tuple[Array, float]:
    """Return the lowest of the minima and its likelihood, infinite if there is none."""
    values = np.where(found.converged, found.value, np.inf)
    chosen = int(np.argmin(values))
    return found.x[:, chosen], float(values[chosen])


def _result(
    batch: SignalBatch,
    data: Data,
    local: LocalMinimiser,
    best: tuple[Array, float],
    held: Flags,
) -> FitResult:
    x, value = best
    likelihood = batch.likelihood
    low, high = (flags[:, 0] for flags in local.at_bounds(x[:, None]))
    hessian = local.derivatives(x[:, None], data.points(batch))[2][0]
    found = invert(hessian, ~(held | low | high))
    centres, widths = prefit(likelihood.model.parameters, data)
    # nothing but rounding: parameters on which no data bear
    with np.errstate(invalid="ignore"):
        unmoved = np.abs(x[:-1] - centres) < _ROUNDING * widths
    x = np.append(np.where(unmoved, centres, x[:-1]), x[-1])
    units = np.ones(len(x))
    units[-1] = batch.events[0]
    covariance = found.matrix / np.outer(units, units)
    variance = np.diagonal(covariance)
    states = [
        next(
            name
            for name, flag in ((FIXED, h), (LOWER, lo), (UPPER, up), (UNDETERMINED, fl), (OK, True))
            if flag
        )
        for h, lo, up, fl in zip(held, low, high, found.flat, strict=True)
    ]
    return FitResult(
        batch=batch,
        data=data,
        names=(*likelihood.parameter_names, likelihood.poi),
        values=x / units,
        errors=np.sqrt(np.where(variance > 0.0, variance, np.nan)),
        lower_errors=None,
        upper_errors=None,
        centres=np.append(centres, np.nan),
        widths=np.append(widths, np.nan),
        states=tuple(states),
        covariance=covariance,
        value=value,
        nll=value + _constants(likelihood, data),
    )


def _constants(likelihood: CompiledLikelihood, data: Data) -> float:
    """Return the negative log-likelihood of the saturated model."""
    total = float(np.sum(_saturated(data.counts)))
    for parameter, a in zip(likelihood.model.parameters, data.auxiliary.tolist(), strict=True):
        if parameter.constraint is Constraint.GAUSSIAN:
            total += float(np.log(parameter.width * np.sqrt(2.0 * np.pi)))
        elif parameter.constraint is Constraint.POISSON:
            total += float(_saturated(np.array(a)))
    return total


def _saturated(counts: Array) -> Array:
    """Return n - n ln n + ln n!, the negative logarithm of a Poisson probability at its mean."""
    return np.asarray(counts - special.xlogy(counts, counts) + special.gammaln(counts + 1.0))
