"""What a fit found: best parameters, their uncertainties and covariance, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.inference.covariance import correlations_of
from na64.limits.inference.data import Data, auxiliary_at
from na64.limits.likelihood.compiled import SignalBatch
from na64.limits.likelihood.evaluation import Points

__all__ = [
    "FIXED",
    "LOWER",
    "OK",
    "UNDETERMINED",
    "UPPER",
    "FitResult",
    "expected_points",
    "predict",
]

Array = NDArray[np.float64]

#: states of a parameter
OK: Final = "ok"
FIXED: Final = "fixed"
LOWER: Final = "at-lower-bound"
UPPER: Final = "at-upper-bound"
UNDETERMINED: Final = "undetermined"


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


def expected_points(made: FitResult) -> Points:
    """Return the data that a fit expects, with which the Hessian is the expected information."""
    theta, nu = made.x[:-1], made.x[-1:]
    evaluator = made.batch.likelihood.fitter.problem(False).evaluator
    rates = evaluator.rates(theta[:, None], nu, made.batch.shape)[:, 0]
    return Data(rates, auxiliary_at(made.batch, theta)).points(made.batch)
