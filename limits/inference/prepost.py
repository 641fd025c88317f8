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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.inference.covariance import prefit
from na64.limits.inference.data import Data
from na64.limits.inference.fit import fit_workspace
from na64.limits.inference.result import FitResult
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.interpolation import (
    additive_shifts,
    code4_coefficients,
    multiplicative_factors,
)
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
        Of every bin as the likelihood has them, shape (B,): the sum of the samples unless that is
        at or below zero.
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
    rates = _Rates(model, fit.batch)
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
    """Rates of every component by sample, and of every bin as the likelihood has them."""

    def __init__(self, model: WorkspaceModel, batch: SignalBatch) -> None:
        self.model, self.batch = model, batch
        self.evaluator = batch.likelihood.fitter.problem(False).evaluator
        self.samples = tuple(dict.fromkeys(model.sample_names))
        self.channels = tuple(dict.fromkeys(channel for channel, _ in model.bins))
        self.lower = np.array([p.lower for p in model.parameters], dtype=np.float64)
        self.upper = np.array([p.upper for p in model.parameters], dtype=np.float64)
        self.sample = np.array([self.samples.index(name) for name in model.sample_names], np.intp)
        self.of_bin = np.array([self.channels.index(name) for name, _ in model.bins], np.intp)

    def totals(self, x: Array) -> Array:
        """Return the rates of bins at parameters and mu (P + 1, N), shape (B, N)."""
        signal = np.repeat(self.batch.shape, x.shape[1], axis=1)
        return self.evaluator.rates(x[:-1], x[-1] * self.batch.events[0], signal)

    def components(self, x: Array) -> Array:
        """Return the rates of components at parameters and mu (P + 1, N), shape (K, N)."""
        model, n = self.model, x.shape[1]
        factors = np.empty((len(model.responses), n))
        for r, response in enumerate(model.responses):
            alpha = x[[response.parameter]]
            if response.hi is None or response.lo is None:
                factors[r] = alpha[0]
                continue
            high, low = np.array([response.hi]), np.array([response.lo])
            bent = model.normsys_code == "code4"
            coefficients = code4_coefficients(high, low)[:, :, None] if bent else None
            logarithms = np.log(high)[:, None], np.log(low)[:, None]
            factors[r] = multiplicative_factors(alpha, *logarithms, coefficients)[0][0]
        rates = np.repeat(model.nominal[:, None], n, axis=1)
        if model.shifts:
            ups, downs = np.array([[s.up, s.down] for s in model.shifts]).T[:, :, None]
            alphas = x[[s.parameter for s in model.shifts]]
            moved, _, _ = additive_shifts(alphas, ups, downs, model.histosys_code)
            np.add.at(rates, [s.component for s in model.shifts], moved)
        for k, used in enumerate(model.factors):
            rates[k] *= np.prod(factors[list(used)], axis=0)
        rates[model.is_signal] *= x[-1]
        return rates

    def yields(self, x: Array, sigma: Array, correlations: Array) -> Yields:
        """Return yields and their uncertainties at parameters with mu last, shape (P + 1,)."""
        moving = np.flatnonzero(sigma > 0.0)
        steps = np.zeros((len(x), len(moving)))
        steps[moving, np.arange(len(moving))] = sigma[moving]
        low, high = np.append(self.lower, 0.0)[:, None], np.append(self.upper, np.inf)[:, None]
        up = np.clip(x[:, None] + steps, low, high)
        down = np.clip(x[:, None] - steps, low, high)
        # a side that a bound cuts short counts for what is left of it
        stretch = sigma[moving] / (up - down)[moving, np.arange(len(moving))]
        rho = correlations[np.ix_(moving, moving)]

        points = np.concatenate([x[:, None], up, down], axis=1)
        parts, totals = self.components(points), self.totals(points)

        def summed(rates: Array, target: Index, size: tuple[int, ...]) -> tuple[Array, Array]:
            total, change = np.zeros(math.prod(size)), np.zeros((math.prod(size), len(moving)))
            np.add.at(total, target, rates[:, 0])
            ups, downs = np.split(rates[:, 1:], 2, axis=1)
            np.add.at(change, target, stretch * (ups - downs))
            variance = np.einsum("ip,pq,iq->i", change, rho, change)
            return total.reshape(size), np.sqrt(np.maximum(variance, 0.0)).reshape(size)

        n_bins, n_channels, n_samples = len(self.of_bin), len(self.channels), len(self.samples)
        place = self.model.component_bin
        channel = np.asarray(self.of_bin[place], dtype=np.intp)
        return Yields(
            float(x[-1]),
            *summed(parts, self.sample * n_bins + place, (n_samples, n_bins)),
            *summed(totals, np.arange(n_bins, dtype=np.intp), (n_bins,)),
            *summed(parts, self.sample * n_channels + channel, (n_samples, n_channels)),
            *summed(totals, self.of_bin, (n_channels,)),
        )
