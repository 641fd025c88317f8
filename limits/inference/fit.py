"""Fit of a workspace: best values, uncertainties, pulls, constraints, correlations, likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, free_fits, impossible_masses
from na64.limits.inference.covariance import correlations_of, invert, prefit
from na64.limits.inference.data import Data, auxiliary_at, observed_data
from na64.limits.inference.minimum import LocalMinimiser
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.evaluation import Points
from na64.limits.likelihood.model import Constraint
from na64.models.errors import ComputationError, InputError

__all__ = ["ERRORS", "FIXED", "FitResult", "expected_points", "fit_workspace", "predict"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: how uncertainties are found
ERRORS: Final = ("hessian", "profile")

#: states of a parameter
OK, FIXED, LOWER, UPPER, UNDETERMINED = (
    "ok",
    "fixed",
    "at-lower-bound",
    "at-upper-bound",
    "undetermined",
)
#: a profiled likelihood that is deeper than the minimum by this much was the true one
_DEEPER = 1e-6
#: relative tolerance of uncertainties from profiles
_CLOSE = 1e-5
#: pulls below it are zero
_ROUNDING = 1e-11


@dataclass(frozen=True, slots=True)
class FitResult:
    """The best parameters of one workspace; arrays have the parameter of interest, mu, last.

    Attributes
    ----------
    batch
        The workspace with its signal.
    data
        What was fitted.
    names
        Of the P nuisance parameters and of mu.
    values
        At the minimum, shape (P + 1,).
    errors
        Standard deviations from the inverse Hessian, shape (P + 1,). NaN for what is fixed, at a
        bound, or undetermined; the others are those with the parameters at bounds held there.
    lower_errors, upper_errors
        Distances to where the profiled negative log-likelihood has risen by 1/2, shape (P + 1,);
        NaN where it does not within the bounds. None unless asked for.
    centres, widths
        What the auxiliary data alone say, shape (P + 1,); NaN for free parameters and mu.
    states
        ``ok``, ``fixed``, ``at-lower-bound``, ``at-upper-bound`` or ``undetermined``, one each.
    covariance
        Shape (P + 1, P + 1), zero for parameters without a standard deviation.
    value
        Negative log-likelihood over that of the saturated model, in which every count and every
        auxiliary datum is what is expected.
    nll
        Negative log-likelihood with all constants: those of pyhf.
    """

    batch: SignalBatch
    data: Data
    names: tuple[str, ...]
    values: Array
    errors: Array
    lower_errors: Array | None
    upper_errors: Array | None
    centres: Array
    widths: Array
    states: tuple[str, ...]
    covariance: Array
    value: float
    nll: float

    @property
    def mu(self) -> float:
        """Signal strength."""
        return float(self.values[-1])

    @property
    def mu_error(self) -> float:
        """Standard deviation of mu; NaN where mu is fixed or at a bound."""
        return float(self.errors[-1])

    @property
    def mu_fixed(self) -> bool:
        """Whether mu was not fitted."""
        return self.states[-1] == FIXED

    @property
    def pulls(self) -> Array:
        """(theta - theta_0) / sigma_0, shape (P + 1,); NaN for free parameters and mu."""
        return np.asarray((self.values - self.centres) / self.widths, dtype=np.float64)

    @property
    def constraints(self) -> Array:
        """Post-fit over pre-fit standard deviation, shape (P + 1,); NaN where one is missing."""
        return np.asarray(self.errors / self.widths, dtype=np.float64)

    @property
    def correlations(self) -> Array:
        """Shape (P + 1, P + 1); zero with parameters that have no standard deviation."""
        return correlations_of(self.covariance)

    @property
    def x(self) -> Array:
        """Nuisance parameters and signal events, as fits have them, shape (P + 1,)."""
        return self.values * self.units

    @property
    def units(self) -> Array:
        """Signal events per mu for mu, one for nuisance parameters, shape (P + 1,)."""
        units = np.ones(len(self.values))
        units[-1] = self.batch.events[0]
        return units


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
        sides, deeper = _profile(made, local, held)
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
    found = local.minimise(data.points(batch, len(begins)), x, held)
    if not found.converged.any():
        raise ComputationError("the fit did not converge")
    chosen = int(np.argmin(np.where(found.converged, found.value, np.inf)))
    return found.x[:, chosen], float(found.value[chosen])


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


def predict(made: FitResult, variables: NDArray[np.intp], targets: Array) -> Array:
    """Return where the other parameters go, to first order, when some are moved.

    Parameters
    ----------
    made
        A fit.
    variables
        Which variable each of N points moves, shape (N,).
    targets
        Where to, in units of `FitResult.x`, shape (N,).

    Returns
    -------
    ndarray
        x + C_v (t - x_v) / C_vv of every point, shape (P + 1, N).
    """
    units = made.units
    covariance = made.covariance * np.outer(units, units)
    variance = np.diagonal(covariance)[variables]
    slope = covariance[:, variables] / np.where(variance > 0.0, variance, 1.0)
    answer = made.x[:, None] + slope * (targets - made.x[variables])
    answer[variables, np.arange(len(variables))] = targets
    return np.asarray(answer, dtype=np.float64)


def _profile(
    made: FitResult, local: LocalMinimiser, held: Flags
) -> tuple[Array, tuple[Array, float] | None]:
    """Return how far down and up the profiled likelihood rises by 1/2, shape (2, P + 1).

    And the point and value of a minimum deeper than that of the fit, where one was met.
    """
    moving = np.flatnonzero(~np.isnan(made.errors))
    variables = np.tile(moving, 2)
    side = np.repeat([-1.0, 1.0], len(moving))
    x, sigma = made.x[variables], (made.errors * made.units)[variables]
    bound = np.where(side < 0.0, local.lower[variables], local.upper[variables])
    near, far = np.zeros(len(variables)), np.full(len(variables), np.inf)
    distance = np.minimum(sigma, np.abs(bound - x))
    answer, active = np.full(len(variables), np.nan), np.ones(len(variables), dtype=bool)
    start = predict(made, variables, x + side * distance)
    for _ in range(30):
        todo = np.flatnonzero(active)
        if not len(todo):
            break
        begin = start[:, todo]
        places = np.arange(len(todo))
        begin[variables[todo], places] = (x + side * distance)[todo]
        fixed = np.repeat(held[:, None], len(todo), axis=1)
        fixed[variables[todo], places] = True
        found = local.minimise(made.data.points(made.batch, len(todo)), begin, fixed)
        deepest = int(np.argmin(np.where(found.converged, found.value, np.inf)))
        if found.converged[deepest] and found.value[deepest] < made.value - _DEEPER:
            again = local.minimise(
                made.data.points(made.batch), found.x[:, [deepest]], held[:, None]
            )
            return np.empty((2, 0)), (again.x[:, 0], float(again.value[0]))
        rise = np.sqrt(2.0 * np.maximum(found.value - made.value, 0.0))
        rise = np.where(found.converged, rise, np.nan)
        start[:, todo] = np.where(found.converged, found.x, begin)
        good = np.abs(rise - 1.0) < _CLOSE
        answer[todo[good]] = distance[todo[good]]
        ended = (rise < 1.0) & (distance[todo] >= np.abs(bound - x)[todo] * (1.0 - 1e-12))
        active[todo[good | ended | np.isnan(rise)]] = False
        below = rise < 1.0
        near[todo[below]] = distance[todo[below]]
        far[todo[~below]] = distance[todo[~below]]
        with np.errstate(divide="ignore", invalid="ignore"):
            next_one = distance[todo] / rise
        next_one = np.minimum(next_one, 3.0 * distance[todo])
        middle = 0.5 * (near[todo] + np.where(np.isfinite(far[todo]), far[todo], near[todo]))
        inside = (next_one > near[todo]) & (next_one < far[todo])
        distance[todo] = np.minimum(np.where(inside, next_one, middle), np.abs(bound - x)[todo])
    sides = np.full((2, len(held)), np.nan)
    sides[:, moving] = answer.reshape(2, -1)
    return sides, None


def expected_points(made: FitResult) -> Points:
    """Return the data that a fit expects, with which the Hessian is the expected information."""
    theta, nu = made.x[:-1], made.x[-1:]
    evaluator = made.batch.likelihood.fitter.problem(False).evaluator
    rates = evaluator.rates(theta[:, None], nu, made.batch.shape)[:, 0]
    return Data(rates, auxiliary_at(made.batch, theta)).points(made.batch)
