"""Expected events of every sample and channel before and after a fit, with their uncertainties.

The uncertainty of a yield follows from the correlations of the parameters and from the change of
the yield when a parameter moves by its standard deviation, half the difference of both sides,

    delta_p = (Y(theta_p + sigma_p) - Y(theta_p - sigma_p)) / 2
    sigma_Y^2 = sum_pq delta_p rho_pq delta_q

with rho the correlations: the usual choice of the field (cabinetry, TRExFitter), equal to the
propagation with derivatives where yields are linear. Before a fit parameters are independent, and
free ones and mu have no uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.inference.covariance import prefit
from na64.limits.inference.data import Data
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.result import FitResult
from na64.limits.likelihood.compiled import CompiledLikelihood
from na64.limits.likelihood.fitting import Fitter
from na64.limits.likelihood.model import Constraint, WorkspaceModel
from na64.limits.likelihood.reading import read_workspace

__all__ = ["PrePost", "Yields", "pre_and_post_fit"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Yields:
    """Expected events at one set of parameters.

    Attributes
    ----------
    mu
        Signal strength.
    samples, sample_errors
        Of every sample and bin, shape (S, B); zero where a sample is not there.
    totals, total_errors
        Of every bin, shape (B,).
    channel_samples, channel_sample_errors
        Of every sample and channel, shape (S, C).
    channel_totals, channel_total_errors
        Of every channel, shape (C,).
    """

    mu: float
    samples: Array
    sample_errors: Array
    totals: Array
    total_errors: Array
    channel_samples: Array
    channel_sample_errors: Array
    channel_totals: Array
    channel_total_errors: Array


@dataclass(frozen=True, slots=True)
class PrePost:
    """Expected and observed events of one workspace.

    Attributes
    ----------
    fit
        The fit.
    samples
        Names of the S samples, in the order of the workspace.
    signals
        Those that the parameter of interest multiplies.
    channels
        Names of the C channels.
    bins
        (channel, index) of the B bins.
    observed
        Counts that were fitted, shape (B,).
    before, after
        Yields before and after the fit.
    """

    fit: FitResult
    samples: tuple[str, ...]
    signals: tuple[str, ...]
    channels: tuple[str, ...]
    bins: tuple[tuple[str, int], ...]
    observed: Array
    before: Yields
    after: Yields


def pre_and_post_fit(
    spec: Mapping[str, Any],
    measurement: str | None = None,
    *,
    data: Data | None = None,
    mu: float | None = None,
    prefit_mu: float = 1.0,
    likelihood: CompiledLikelihood | None = None,
) -> PrePost:
    """Return the yields of a workspace before and after a fit.

    Parameters
    ----------
    spec
        The workspace, valid by pyhf's schema.
    measurement
        Name of the measurement; the first by default.
    data, mu
        As in `na64.limits.inference.fit.fit_workspace`.
    prefit_mu
        Signal strength before the fit.
    likelihood
        The compiled workspace, if there is one already.

    Returns
    -------
    PrePost

    Raises
    ------
    InputError
        For what is no workspace, and as fits do.
    ComputationError
        If the fit does not converge.
    """
    compiled = likelihood or CompiledLikelihood(read_workspace(spec, measurement))
    fit = fit_workspace(compiled.batch(), data=data, mu=mu)
    model = read_workspace(spec, measurement, merge=False)
    rates = _Rates(model)
    parameters = compiled.model.parameters
    centre, width = prefit(parameters, fit.data)
    usual = np.array([p.init for p in parameters], dtype=np.float64)
    free = np.array([p.constraint is Constraint.FREE for p in parameters], dtype=bool)
    nominal = np.clip(np.where(free, usual, centre), rates.lower, rates.upper)
    before = rates.yields(
        np.append(nominal, prefit_mu),
        np.append(np.where(free, 0.0, width), 0.0),
        np.eye(len(parameters) + 1),
    )
    after = rates.yields(fit.values, np.nan_to_num(fit.errors, nan=0.0), fit.correlations)
    return PrePost(
        fit=fit,
        samples=rates.samples,
        signals=model.signal_samples,
        channels=rates.channels,
        bins=model.bins,
        observed=fit.data.counts,
        before=before,
        after=after,
    )


class _Rates:
    """Rates of every component by sample, bin and channel."""

    def __init__(self, model: WorkspaceModel) -> None:
        self.model = model
        n = len(model.nominal)
        self.samples = tuple(dict.fromkeys(model.sample_names))
        self.channels = tuple(dict.fromkeys(channel for channel, _ in model.bins))
        # every component in a bin of its own: the rates of bins are those of components
        own = replace(
            model,
            bins=tuple(("", k) for k in range(n)),
            observed=np.zeros(n),
            component_bin=np.arange(n),
        )
        self.evaluator = Fitter(own).problem(False).evaluator
        self.lower = np.array([p.lower for p in model.parameters], dtype=np.float64)
        self.upper = np.array([p.upper for p in model.parameters], dtype=np.float64)
        self.signal = model.nominal[model.is_signal][:, None]
        sample = np.array([self.samples.index(name) for name in model.sample_names], dtype=np.intp)
        of_bin = np.array([self.channels.index(channel) for channel, _ in model.bins], np.intp)
        self.sample, self.bin = sample, model.component_bin
        self.of_bin = of_bin

    def components(self, x: Array) -> Array:
        """Return the rates of components at parameters and mu (P + 1, N), shape (K, N)."""
        theta, mu = x[:-1], x[-1]
        reference = self.evaluator.reference_events
        signal = np.repeat(self.signal / reference, x.shape[1], axis=1)
        return self.evaluator.rates(theta, mu * reference, signal)

    def yields(self, x: Array, sigma: Array, correlations: Array) -> Yields:
        """Return yields and their uncertainties at parameters with mu last, shape (P + 1,)."""
        moving = np.flatnonzero(sigma > 0.0)
        steps = np.zeros((len(x), len(moving)))
        steps[moving, np.arange(len(moving))] = sigma[moving]
        low, high = np.append(self.lower, 0.0)[:, None], np.append(self.upper, np.inf)[:, None]
        up = np.clip(x[:, None] + steps, low, high)
        down = np.clip(x[:, None] - steps, low, high)
        span = (up - down)[moving, np.arange(len(moving))]
        delta = self.components(up) - self.components(down)
        # a side that a bound cuts short counts for what is left of it
        delta *= sigma[moving] / span
        middle = self.components(x[:, None])[:, 0]
        rho = correlations[np.ix_(moving, moving)]

        def summed(target: Index, size: tuple[int, ...]) -> tuple[Array, Array]:
            total, change = np.zeros(math.prod(size)), np.zeros((math.prod(size), len(moving)))
            np.add.at(total, target, middle)
            np.add.at(change, target, delta)
            variance = np.einsum("ip,pq,iq->i", change, rho, change)
            return total.reshape(size), np.sqrt(np.maximum(variance, 0.0)).reshape(size)

        n_bins, n_channels, n_samples = len(self.of_bin), len(self.channels), len(self.samples)
        channel = np.asarray(self.of_bin[self.bin], dtype=np.intp)
        return Yields(
            float(x[-1]),
            *summed(self.sample * n_bins + self.bin, (n_samples, n_bins)),
            *summed(self.bin, (n_bins,)),
            *summed(self.sample * n_channels + channel, (n_samples, n_channels)),
            *summed(channel, (n_channels,)),
        )
