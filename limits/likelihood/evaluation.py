"""Negative log-likelihood of many points at once, with gradient and Hessian.

Arrays carry the points in their last axis, so that every operation runs over contiguous
memory: parameters (P, N), bins (B, N), components (K, N).

With rates lambda_b = nu * sum_signal s_k + sum_background b_k the quantity is

    sum_b [lambda_b - n_b - n_b ln(lambda_b / n_b)] + sum_p constraint_p(theta_p)

where a Gaussian constraint is (theta - a)^2 / (2 sigma^2) and a Poisson one
tau gamma - a - a ln(tau gamma / a). Both are zero at their best, which keeps digits. Background
and signal of a bin that can become negative have a floor (`na64.limits.likelihood.floors`): a rate
is never negative, and the likelihood is bounded whatever the workspace says.

What the derivatives are made of is for two classes to say: one lists the elements that are not zero
(`na64.limits.likelihood.sparse`), the other multiplies matrices (`na64.limits.likelihood.dense`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.floors import floors_of, lifted
from na64.limits.likelihood.interpolation import (
    additive_shifts,
    code4_coefficients,
    multiplicative_factors,
)
from na64.limits.likelihood.model import Constraint, WorkspaceModel
from na64.limits.likelihood.sums import RowSum, add_rows

__all__ = ["SMALLEST_RATE", "Derivatives", "Evaluator", "Parts", "Points", "poisson_terms"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: rates below it count as zero where events were seen; ln of it bounds the penalty
SMALLEST_RATE = 1e-300
#: rates of components that are computed at once
_MOST_RATES = 2_000_000


@dataclass(frozen=True, slots=True)
class Points:
    """Data and signal of N fits.

    Attributes
    ----------
    signal
        Signal rates of the signal components at one signal event in total, shape (Ks, N).
    counts
        Main counts, shape (B, N).
    auxiliary
        Auxiliary data of the P parameters (zero for free ones), shape (P, N).
    """

    signal: Array
    counts: Array
    auxiliary: Array

    def take(self, where: slice | Index) -> Points:
        """Return the points of an index or a slice."""
        return Points(self.signal[:, where], self.counts[:, where], self.auxiliary[:, where])

    def __len__(self) -> int:
        return int(self.counts.shape[1])


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Derivatives of the negative log-likelihood of N points in V variables.

    Attributes
    ----------
    value
        The negative log-likelihood, shape (N,).
    gradient
        Shape (V, N).
    hessian
        The elements that are not identically zero, shape (H, N); `Evaluator.rows` and
        `Evaluator.columns` say which.
    scale
        Natural scale of the diagonal, the expected information, finite where a rate goes to zero,
        shape (V, N).
    information
        Elements of the expected information, as `hessian`; None unless asked for.
    reach
        Sum of the absolute curvatures of every variable by itself, which bounds how much the
        Hessian can differ from the information, shape (V, N); None unless asked for.
    """

    value: Array
    gradient: Array
    hessian: Array
    scale: Array
    information: Array | None = None
    reach: Array | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Background and signal of every bin at N points, the signal per signal event, with floors.

    Attributes
    ----------
    background, signal
        Rates, shape (B, N).
    background_slope, background_bend, signal_slope, signal_bend
        First and second derivatives of the lifted part by the part as it was; None where nothing
        is lifted.
    """

    background: Array
    signal: Array
    background_slope: Array | None = None
    background_bend: Array | None = None
    signal_slope: Array | None = None
    signal_bend: Array | None = None


class Evaluator(ABC):
    """The likelihood of one compiled model.

    Parameters
    ----------
    model
        Tables of the workspace.
    free_signal
        Whether nu, the number of signal events, is a variable of the derivatives; it is then
        the last one.

    Attributes
    ----------
    n_variables
        P, or P + 1 with `free_signal`.
    rows, columns
        Indices of the Hessian elements, lower triangle; the diagonal comes first.
    points_together
        Points whose derivatives fit into the memory of a processor's cache, or nearly.
    """

    rows: Index
    columns: Index
    points_together: int

    def __init__(self, model: WorkspaceModel, *, free_signal: bool) -> None:
        self.model = model
        self.free_signal = free_signal
        n_parameters = len(model.parameters)
        self.n_parameters = n_parameters
        self.n_variables = n_parameters + int(free_signal)
        self.n_bins = len(model.bins)
        self._prepare_constraints()
        self._prepare_responses()
        self._prepare_rates()

    # -- preparation -------------------------------------------------------------------------

    def _prepare_constraints(self) -> None:
        parameters = self.model.parameters
        kinds = np.array([p.constraint for p in parameters], dtype=int)
        widths = np.array([p.width for p in parameters], dtype=np.float64)
        self.gaussian = np.flatnonzero(kinds == Constraint.GAUSSIAN)
        self.poisson = np.flatnonzero(kinds == Constraint.POISSON)
        self.inverse_variance = (widths[self.gaussian] ** -2.0)[:, None]
        self.tau = widths[self.poisson][:, None]

    def _prepare_responses(self) -> None:
        responses = self.model.responses
        self.linear = np.array([r for r, x in enumerate(responses) if x.hi is None], dtype=np.intp)
        self.normsys = np.array(
            [r for r, x in enumerate(responses) if x.hi is not None], dtype=np.intp
        )
        owner = np.array([x.parameter for x in responses], dtype=np.intp)
        self.linear_parameter = owner[self.linear]
        self.normsys_parameter = owner[self.normsys]
        hi = np.array([x.hi for x in responses if x.hi is not None], dtype=np.float64)
        lo = np.array([x.lo for x in responses if x.lo is not None], dtype=np.float64)
        self.log_hi, self.log_lo = np.log(hi)[:, None], np.log(lo)[:, None]
        self.coefficients = (
            code4_coefficients(hi, lo)[:, :, None] if self.model.normsys_code == "code4" else None
        )
        self.owner = owner
        # one more row, of ones, stands for "no factor"
        depth = max((len(f) for f in self.model.factors), default=0)
        table = np.full((depth, len(self.model.nominal)), len(responses), dtype=np.intp)
        for k, factors in enumerate(self.model.factors):
            table[: len(factors), k] = factors
        self.factor_table = table

    def _prepare_rates(self) -> None:
        model = self.model
        n_components = len(model.nominal)
        self.signal_components = np.flatnonzero(model.is_signal)
        init = np.array([[p.init] for p in model.parameters], dtype=np.float64).reshape(-1, 1)
        # expected events of each component per unit of its nominal rate, before any fit
        self.nominal_factor = self._product(self._factors(init)[0])[:, 0]
        total = float((model.nominal * self.nominal_factor)[self.signal_components].sum())
        self.reference_events = total if total > 0.0 else 1.0
        self.background_nominal = np.where(model.is_signal, 0.0, model.nominal)[:, None]
        self.to_bins = RowSum(model.component_bin, self.n_bins)
        self.background_components = np.flatnonzero(~model.is_signal)
        where = model.component_bin
        self.to_background = RowSum(where[self.background_components], self.n_bins)
        self.to_signal = RowSum(where[self.signal_components], self.n_bins)
        self.background_floor, self.signal_floor = floors_of(model)
        #: whether some rate has a floor
        self.lifts = self.background_floor is not None or self.signal_floor is not None
        if self.background_floor is not None:
            rates = model.nominal[self.background_components][:, None]
            self.nominal_background = self.to_background(rates)[self.background_floor.bins]
        self.shift_parameter = np.array([s.parameter for s in model.shifts], dtype=np.intp)
        self.shift_component = np.array([s.component for s in model.shifts], dtype=np.intp)
        # rates of signals are per signal event, so are their shifts
        per_event = np.where(model.is_signal, 1.0 / self.reference_events, 1.0)
        units = per_event[self.shift_component]
        self.shift_up = (units * [s.up for s in model.shifts])[:, None]
        self.shift_down = (units * [s.down for s in model.shifts])[:, None]
        self.shift_sum = RowSum(self.shift_component, n_components)

    # -- evaluation --------------------------------------------------------------------------

    def _factors(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return f, f'/f and f''/f of every response, and a last row for "no factor"."""
        n = theta.shape[1]
        n_responses = len(self.owner)
        value = np.empty((n_responses + 1, n))
        first = np.empty((n_responses, n))
        second = np.empty((n_responses, n))
        value[-1] = 1.0
        if len(self.linear):
            linear = theta[self.linear_parameter]
            value[self.linear] = linear
            first[self.linear] = 1.0 / linear
            second[self.linear] = 0.0
        if len(self.normsys):
            f, f1, f2 = multiplicative_factors(
                theta[self.normsys_parameter], self.log_hi, self.log_lo, self.coefficients
            )
            value[self.normsys] = f
            first[self.normsys] = f1
            second[self.normsys] = f2
        return value, first, second

    def _product(self, value: Array) -> Array:
        """Return the product of the factors of every component, shape (K, N)."""
        if not len(self.factor_table):
            return np.ones((len(self.model.nominal), value.shape[1]))
        product: Array = value[self.factor_table[0]]
        for row in self.factor_table[1:]:
            product *= value[row]
        return product

    def _base(self, theta: Array, signal: Array) -> tuple[Array, Array | None, Array | None]:
        """Return nominal + shifts of every component, and d', d'' of the shifts."""
        base = np.repeat(self.background_nominal, theta.shape[1], axis=1)
        base[self.signal_components] = signal
        if not len(self.shift_component):
            return base, None, None
        shift, first, second = additive_shifts(
            theta[self.shift_parameter], self.shift_up, self.shift_down, self.model.histosys_code
        )
        base += self.shift_sum(shift)
        return base, first, second

    def parts(self, component: Array, signal: Array) -> Parts:
        """Return background and signal of every bin, never negative.

        Parameters
        ----------
        component
            Rates of the components, those of signals per signal event, shape (K, N).
        signal
            Nominal rates of the signal components per signal event, shape (Ks, N).
        """
        background = self.to_background(component[self.background_components])
        events = self.to_signal(component[self.signal_components])
        n = component.shape[1]
        found: list[Array | None] = [None] * 4
        for part, floor, place in (
            (background, self.background_floor, 0),
            (events, self.signal_floor, 2),
        ):
            if floor is None:
                continue
            nominal = self.to_signal(signal)[floor.bins] if place else self.nominal_background
            slope, bend = np.ones((self.n_bins, n)), np.zeros((self.n_bins, n))
            part[floor.bins], slope[floor.bins], bend[floor.bins] = lifted(
                part[floor.bins], floor.below(nominal)
            )
            found[place : place + 2] = [slope, bend]
        return Parts(background, events, *found)

    def rates(self, theta: Array, nu: Array, signal: Array) -> Array:
        """Return the expected counts per bin, shape (B, N)."""
        n = theta.shape[1]
        together = max(_MOST_RATES // max(len(self.model.nominal), 1), 1)
        if n > together:
            answer = np.empty((self.n_bins, n))
            for first in range(0, n, together):
                part = slice(first, first + together)
                some = signal if signal.shape[1] == 1 else signal[:, part]
                answer[:, part] = self.rates(theta[:, part], nu[part], some)
            return answer
        rates = self._components(theta, signal)
        if self.lifts:
            parts = self.parts(rates, signal)
            return parts.background + nu * parts.signal
        rates[self.signal_components] *= nu
        return self.to_bins(rates)

    def _components(self, theta: Array, signal: Array) -> Array:
        """Return the rates of the components, those of signals per signal event, shape (K, N)."""
        value, _, _ = self._factors(theta)
        base, _, _ = self._base(theta, signal)
        rates: Array = base * self._product(value)
        return rates

    def slope_at_zero(self, theta: Array, points: Points) -> Array:
        """Return the derivative by the number of signal events where there are none, shape (N,).

        It is -inf where events were seen in a bin that only the signal reaches.
        """
        n = len(points)
        together = max(_MOST_RATES // max(len(self.model.nominal), 1), 1)
        answer = np.empty(n)
        for first in range(0, n, together):
            part = slice(first, first + together)
            some = points.take(part)
            found = self.parts(self._components(theta[:, part], some.signal), some.signal)
            with np.errstate(divide="ignore", invalid="ignore"):
                terms = found.signal * (1.0 - some.counts / found.background)
            answer[part] = add_rows(
                np.where(found.signal > 0.0, np.nan_to_num(terms, nan=0.0, neginf=-np.inf), 0.0)
            )
        return answer

    def value(self, theta: Array, nu: Array, points: Points) -> Array:
        """Return the negative log-likelihood, shape (N,)."""
        return poisson_terms(
            self.rates(theta, nu, points.signal), points.counts
        ) + self._constraints(theta, points.auxiliary)

    def _constraints(self, theta: Array, auxiliary: Array) -> Array:
        total = np.zeros(theta.shape[1])
        if len(self.gaussian):
            pull = theta[self.gaussian] - auxiliary[self.gaussian]
            total += 0.5 * add_rows(pull * pull * self.inverse_variance)
        if len(self.poisson):
            total += _constraint_terms(self.tau * theta[self.poisson], auxiliary[self.poisson])
        return total

    @abstractmethod
    def derivatives(
        self, theta: Array, nu: Array, points: Points, *, information: bool = False
    ) -> Derivatives:
        """Return value, gradient and Hessian elements.

        Parameters
        ----------
        theta, nu
            Nuisance parameters, shape (P, N), and signal events, shape (N,).
        points
            Data and signal.
        information
            Whether the expected information is wanted as well.
        """


def poisson_terms(rates: Array, counts: Array) -> Array:
    """Return sum over rows of lambda - n - n ln(lambda / n)."""
    positive = counts > 0.0
    logarithm = np.log(np.maximum(rates, SMALLEST_RATE) / np.where(positive, counts, 1.0))
    return add_rows(rates - counts - np.where(positive, counts * logarithm, 0.0))


def _constraint_terms(means: Array, counts: Array) -> Array:
    """Return the same of positive means, to all digits where counts are 1e12 and close to them."""
    seen = np.where(counts > 0.0, counts, 1.0)
    off = (means - counts) / seen
    close = np.abs(off) < 0.5
    near = counts * (off - np.log1p(np.where(close, off, 0.0)))
    far = means - counts - counts * np.log(means / seen)
    return add_rows(np.where(close & (counts > 0.0), near, far))
