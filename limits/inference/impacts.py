"""Ranking of nuisance parameters: by their impact on mu, and on the upper limit.

Impact on mu (the definition of Combine, cabinetry and TRExFitter): the nuisance parameter is held
at theta_hat +- sigma and everything else is fitted again; the impact is the change of mu_hat. Sigma
is the post-fit standard deviation, and the pre-fit one for the pre-fit impact.

Impact on the limit: the parameter is taken out of the likelihood, at its best value theta_hat and
at theta_hat +- sigma (post-fit), and the limit is computed anew. The change of the limit from
theta_hat to theta_hat +- sigma says in which direction the parameter pulls it; that from the
uncertain parameter to the one held at theta_hat says what the uncertainty costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import Exact
from na64.limits.calculators.status import BAND_ORDER, Status
from na64.limits.inference.data import Data
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.minimum import LocalMinimiser
from na64.limits.inference.profile import DEEPER
from na64.limits.inference.result import FitResult, predict
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.freezing import freeze
from na64.limits.likelihood.model import WorkspaceModel
from na64.models.errors import ComputationError, InputError, unknown_name
from na64.workspaces.io.processes import Workers

__all__ = ["Impacts", "LimitImpacts", "rank_by_limit", "rank_by_mu"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_EXACT = Exact()
_MEDIAN = BAND_ORDER.index(0)


@dataclass(frozen=True, slots=True)
class Impacts:
    """Impacts of nuisance parameters on mu, the largest post-fit impact first.

    Attributes
    ----------
    fit
        The fit they belong to, with pulls and constraints.
    parameters
        Index of each parameter in the arrays of the fit, shape (R,).
    postfit, prefit
        mu_hat with the parameter at theta_hat - sigma and + sigma, less mu_hat, shape (2, R).
        NaN where there is no such sigma or a fit failed.
    truncated
        Whether one of the fits of a parameter ends at mu = 0, or theta_hat +- sigma is outside
        of the bounds of the parameter: its impact is then larger than shown, shape (R,).
    """

    fit: FitResult
    parameters: Index
    postfit: Array
    prefit: Array
    truncated: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(self.fit.names[p] for p in self.parameters)


def rank_by_mu(
    batch: SignalBatch, *, data: Data | None = None, parameters: Sequence[str] = ()
) -> Impacts:
    """Rank nuisance parameters by their impact on the best signal strength.

    Parameters
    ----------
    batch
        The workspace with one signal.
    data
        What to fit; the observed data by default.
    parameters
        Names of those to rank; all by default.

    Returns
    -------
    Impacts

    Raises
    ------
    InputError
        For an unknown name, and as `na64.limits.inference.fit.fit_workspace`.
    ComputationError
        If the fit does not converge.
    """
    chosen = _chosen(batch, parameters)
    local = LocalMinimiser(batch.likelihood)
    start = None
    for _ in range(5):
        fit = fit_workspace(batch, data=data, start=start)
        found, start = _impacts(fit, chosen, local)
        if found is not None:
            return found
    raise ComputationError("conditional fits go deeper than the minimum, again and again")


def _chosen(batch: SignalBatch, names: Sequence[str]) -> Index:
    known = batch.likelihood.parameter_names
    for name in names:
        if name not in known:
            raise unknown_name("nuisance parameter", name, known)
    if not known:
        raise InputError("the workspace has no nuisance parameters to rank")
    return np.array([i for i, name in enumerate(known) if not names or name in names], np.intp)


def _impacts(
    fit: FitResult, chosen: Index, local: LocalMinimiser
) -> tuple[Impacts | None, Array | None]:
    """Return the impacts; or a point that is deeper than the minimum of the fit."""
    n = len(chosen)
    variables = np.tile(chosen, 4)  # post-fit down and up, pre-fit down and up
    sigma = np.concatenate([np.tile(fit.errors[chosen], 2), np.tile(fit.widths[chosen], 2)])
    side = np.repeat([-1.0, 1.0, -1.0, 1.0], n)
    wanted = fit.x[variables] + side * sigma
    targets = np.clip(wanted, local.lower[variables], local.upper[variables])
    cut = targets != wanted
    some = np.flatnonzero(~np.isnan(wanted))
    shift, at_zero = np.full(4 * n, np.nan), np.zeros(4 * n, dtype=bool)
    if len(some):
        begin = predict(fit, variables[some], targets[some])
        held = np.zeros(begin.shape, dtype=bool)
        held[variables[some], np.arange(len(some))] = True
        found = local.minimise(fit.data.points(fit.batch, len(some)), begin, held)
        deepest = int(np.argmin(np.where(found.converged, found.value, np.inf)))
        if found.converged[deepest] and found.value[deepest] < fit.value - DEEPER:
            return None, found.x[:, deepest]
        best = found.x[-1] / fit.units[-1]
        shift[some] = np.where(found.converged, best - fit.mu, np.nan)
        at_zero[some] = found.x[-1] <= 0.0
    post, pre = shift[: 2 * n].reshape(2, n), shift[2 * n :].reshape(2, n)
    truncated = (at_zero | (cut & ~np.isnan(wanted))).reshape(4, n).any(axis=0)
    size = np.max(np.nan_to_num(np.abs(post), nan=0.0), axis=0)
    second = np.max(np.nan_to_num(np.abs(pre), nan=0.0), axis=0)
    # rounded: impacts of nothing but noise stay in the order of the workspace
    scale = max(abs(fit.mu), 1e-12)
    order = np.lexsort((-np.round(second / scale, 9), -np.round(size / scale, 9)))
    made = Impacts(fit, chosen[order], post[:, order], pre[:, order], truncated[order])
    return made, None


@dataclass(frozen=True, slots=True)
class LimitImpacts:
    """Impacts of nuisance parameters on the upper limit, the largest first.

    Attributes
    ----------
    fit
        The fit that theta_hat and sigma are from, with mu free.
    calculator
        Of the limits.
    confidence_level
        Of the limits.
    expected
        Whether the limits are expected medians instead of observed ones.
    limit
        With all uncertainties, on mu.
    parameters
        Index of each parameter in the arrays of the fit, shape (R,).
    frozen
        Limit with the parameter held at theta_hat, shape (R,).
    shifted
        Limit with the parameter held at theta_hat - sigma and + sigma, shape (2, R). NaN where a
        limit does not exist or there is no sigma.
    clipped
        Whether theta_hat +- sigma is outside of the bounds, and the bound was taken, shape (R,).
    """

    fit: FitResult
    calculator: Calculator
    confidence_level: float
    expected: bool
    limit: float
    parameters: Index
    frozen: Array
    shifted: Array
    clipped: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(self.fit.names[p] for p in self.parameters)

    @property
    def impacts(self) -> Array:
        """Change of the limit from theta_hat to theta_hat -+ sigma, shape (2, R)."""
        return self.shifted - self.frozen

    @property
    def costs(self) -> Array:
        """Limit with all uncertainties less that with the parameter held, shape (R,)."""
        return self.limit - self.frozen


def rank_by_limit(
    batch: SignalBatch,
    *,
    calculator: Calculator = _EXACT,
    confidence_level: float = 0.9,
    expected: bool = False,
    parameters: Sequence[str] = (),
    jobs: int = 1,
) -> LimitImpacts:
    """Rank nuisance parameters by their impact on the upper limit.

    Parameters
    ----------
    batch
        The workspace with one signal, with its own auxiliary data.
    calculator, confidence_level
        Of the limits; three per parameter, and one.
    expected
        Whether to take the expected median limit; the observed one otherwise.
    parameters
        Names of those to rank; all by default.
    jobs
        Processes that share the limits.

    Returns
    -------
    LimitImpacts

    Raises
    ------
    InputError
        For an unknown name, and what limits and fits refuse.
    ComputationError
        If the fit does not converge or the full limit does not exist.
    """
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    chosen = _chosen(batch, parameters)
    fit = fit_workspace(batch)
    fitter, n = batch.likelihood.fitter, len(chosen)
    sigma = fit.errors[chosen]
    wanted = fit.values[chosen] + np.array([[0.0], [-1.0], [1.0]]) * np.where(
        np.isnan(sigma), 0.0, sigma
    )
    values = np.clip(wanted, fitter.lower[chosen], fitter.upper[chosen])
    common: dict[str, Any] = {
        "calculator": calculator,
        "confidence_level": confidence_level,
        "observed": not expected,
        "expected": expected,
    }
    model = batch.likelihood.model
    tasks = [
        _Task(model, int(p), float(v), expected, common)
        for row in values
        for p, v in zip(chosen, row, strict=True)
    ]
    full = _limit_of(batch, expected, common)
    if np.isnan(full):
        raise ComputationError("the limit with all uncertainties does not exist")
    if jobs == 1:
        limits = np.array([_limit_held(task) for task in tasks])
    else:
        with Workers(jobs) as pool:
            limits = np.array(list(pool.map(_limit_held, tasks)))
    frozen, *moved = limits.reshape(3, n)
    shifted = np.where(np.isnan(sigma), np.nan, np.stack(moved))
    size = np.max(np.nan_to_num(np.abs(shifted - frozen), nan=0.0), axis=0)
    order = np.argsort(-np.round(size / full, 9), kind="stable")
    return LimitImpacts(
        fit=fit,
        calculator=calculator,
        confidence_level=confidence_level,
        expected=expected,
        limit=full,
        parameters=chosen[order],
        frozen=frozen[order],
        shifted=shifted[:, order],
        clipped=(values != wanted).any(axis=0)[order],
    )


@dataclass(frozen=True, slots=True)
class _Task:
    model: WorkspaceModel
    parameter: int
    value: float
    expected: bool
    settings: dict[str, Any]


def hold(model: WorkspaceModel, parameter: int, value: float) -> WorkspaceModel:
    """Return a model without one parameter, which has a value instead."""
    return freeze(model, [parameter], {parameter: value})[0]


def _limit_held(task: _Task) -> float:
    likelihood = CompiledLikelihood(hold(task.model, task.parameter, task.value))
    return _limit_of(likelihood.batch(), task.expected, task.settings)


def _limit_of(batch: SignalBatch, expected: bool, settings: dict[str, Any]) -> float:
    counts = batch.likelihood.observed if expected else None
    table = upper_limits(batch, counts=counts, **settings)
    if expected:
        good = table.expected_status[_MEDIAN][0] is Status.OK
        return float(table.expected[_MEDIAN, 0]) if good else np.nan
    return float(table.observed[0]) if table.status[0] is Status.OK else np.nan
