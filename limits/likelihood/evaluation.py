"""Negative log-likelihood of many points at once, with gradient and Hessian.

Arrays carry the points in their last axis, so that every operation runs over contiguous
memory: parameters (P, N), bins (B, N), components (K, N).

With rates lambda_b = nu * sum_signal s_k + sum_background b_k the quantity is

    sum_b [lambda_b - n_b - n_b ln(lambda_b / n_b)] + sum_p constraint_p(theta_p)

where a Gaussian constraint is (theta - a)^2 / (2 sigma^2) and a Poisson one
tau gamma - a - a ln(tau gamma / a). Both are zero at their best, which keeps digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.interpolation import (
    additive_shifts,
    code4_coefficients,
    multiplicative_factors,
)
from na64.limits.likelihood.model import Constraint, WorkspaceModel
from na64.limits.likelihood.sums import RowSum, add_rows

__all__ = ["Derivatives", "Evaluator", "Points"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: rates below it count as zero where events were seen; ln of it bounds the penalty
_SMALLEST_RATE = 1e-300


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
    """Value, gradient (P', N), and the non-zero Hessian elements (H, N)."""

    value: Array
    gradient: Array
    hessian: Array
    scale: Array


class Evaluator:
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
        Indices of the Hessian elements, lower triangle, diagonal included.
    """

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
        self._prepare_patterns()

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
        self.shift_parameter = np.array([s.parameter for s in model.shifts], dtype=np.intp)
        self.shift_component = np.array([s.component for s in model.shifts], dtype=np.intp)
        # rates of signals are per signal event, so are their shifts
        per_event = np.where(model.is_signal, 1.0 / self.reference_events, 1.0)
        units = per_event[self.shift_component]
        self.shift_up = (units * [s.up for s in model.shifts])[:, None]
        self.shift_down = (units * [s.down for s in model.shifts])[:, None]
        self.shift_sum = RowSum(self.shift_component, n_components)

    def _prepare_patterns(self) -> None:
        """List which first and second derivatives are not identically zero.

        First derivatives of the rate of a component are of three types: by the parameter of a
        response (lambda_k f'/f), of a shift (F_k d'), and by nu (s_k). They are the rows of one
        array "entries"; everything else is sums of products of these rows.
        """
        model = self.model
        entries: list[tuple[int, int, int, int]] = []  # component, variable, response, shift
        for k, factors in enumerate(model.factors):
            entries += [(k, int(self.owner[r]), r, -1) for r in factors]
        n_response_entries = len(entries)
        entries += [(s.component, s.parameter, -1, j) for j, s in enumerate(model.shifts)]
        n_shift_entries = len(model.shifts)
        if self.free_signal:
            entries += [(int(k), self.n_parameters, -1, -1) for k in self.signal_components]
        self.entry_component = np.array([e[0] for e in entries[:n_response_entries]], np.intp)
        self.entry_response = np.array([e[2] for e in entries[:n_response_entries]], np.intp)
        self.n_shift_entries = n_shift_entries

        # d lambda_b / d variable: the sum of the entries with the same bin and variable
        pairs: dict[tuple[int, int], int] = {}
        target = [
            pairs.setdefault((int(model.component_bin[e[0]]), e[1]), len(pairs)) for e in entries
        ]
        self.slope_sum = RowSum(target, len(pairs))
        self.slope_bin = np.array([b for b, _ in pairs], dtype=np.intp)
        self.gradient_sum = RowSum([v for _, v in pairs], self.n_variables)

        elements: dict[tuple[int, int], int] = {(v, v): v for v in range(self.n_variables)}

        def element(first: int, second: int) -> int:
            key = (max(first, second), min(first, second))
            return elements.setdefault(key, len(elements))

        # (n_b / lambda_b^2) dlambda_b/dp dlambda_b/dq
        by_bin: dict[int, list[tuple[int, int]]] = {}
        for (b, v), j in pairs.items():
            by_bin.setdefault(b, []).append((v, j))
        outer = [
            (j, i, element(v, u))
            for members in by_bin.values()
            for a, (v, j) in enumerate(members)
            for (u, i) in members[: a + 1]
        ]
        self.outer_first = np.array([x[0] for x in outer], dtype=np.intp)
        self.outer_second = np.array([x[1] for x in outer], dtype=np.intp)

        # (1 - n_b / lambda_b) d2lambda_b/dp dq: products of an entry with f'/f of another factor
        cross: list[tuple[int, int, int]] = []  # entry, response, element
        diagonal: list[tuple[int, int, int]] = []  # component, response (f''/f), element
        by_component: dict[int, list[int]] = {}
        for j, entry in enumerate(entries):
            by_component.setdefault(entry[0], []).append(j)
        for k, members in by_component.items():
            with_response = [j for j in members if entries[j][2] >= 0]
            without = [j for j in members if entries[j][2] < 0]
            for a, j in enumerate(with_response):
                v, r = entries[j][1], entries[j][2]
                diagonal.append((k, r, element(v, v)))
                cross += [(j, entries[i][2], element(v, entries[i][1])) for i in with_response[:a]]
                for i in without:
                    u = entries[i][1]
                    cross.append((i, r, element(u, v)))
                    if u == v:  # a shift and a factor of one parameter: 2 d' f'
                        cross.append((i, r, element(u, v)))
        # shifts under nu: s_k contains the shift, so d2/dnu dp = F_k d'
        self.shift_nu: list[tuple[int, int]] = []
        if self.free_signal:
            signal = set(self.signal_components.tolist())
            self.shift_nu = [
                (j, element(s.parameter, self.n_parameters))
                for j, s in enumerate(model.shifts)
                if s.component in signal
            ]
        shift_diagonal = [
            (j, element(s.parameter, s.parameter)) for j, s in enumerate(model.shifts)
        ]
        self.cross_entry = np.array([x[0] for x in cross], dtype=np.intp)
        self.cross_response = np.array([x[1] for x in cross], dtype=np.intp)
        self.cross_bin = np.array(
            [model.component_bin[entries[x[0]][0]] for x in cross], dtype=np.intp
        )
        self.diagonal_component = np.array([x[0] for x in diagonal], dtype=np.intp)
        self.diagonal_response = np.array([x[1] for x in diagonal], dtype=np.intp)
        targets = (
            [x[2] for x in outer]
            + [x[2] for x in cross]
            + [x[2] for x in diagonal]
            + [x[1] for x in shift_diagonal]
            + [x[1] for x in self.shift_nu]
        )
        self.hessian_sum = RowSum(targets, len(elements))
        self.rows = np.array([x[0] for x in elements], dtype=np.intp)
        self.columns = np.array([x[1] for x in elements], dtype=np.intp)
        own = [i for i, x in enumerate(outer) if x[0] == x[1]]
        self.scale_rows = np.array([outer[i][0] for i in own], dtype=np.intp)
        self.scale_sum = RowSum([outer[i][2] for i in own], self.n_variables)

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

    def rates(self, theta: Array, nu: Array, signal: Array) -> Array:
        """Return the expected counts per bin, shape (B, N)."""
        value, _, _ = self._factors(theta)
        base, _, _ = self._base(theta, signal)
        rates = base * self._product(value)
        rates[self.signal_components] *= nu
        return self.to_bins(rates)

    def value(self, theta: Array, nu: Array, points: Points) -> Array:
        """Return the negative log-likelihood, shape (N,)."""
        return _poisson(self.rates(theta, nu, points.signal), points.counts) + self._constraints(
            theta, points.auxiliary
        )

    def _constraints(self, theta: Array, auxiliary: Array) -> Array:
        total = np.zeros(theta.shape[1])
        if len(self.gaussian):
            pull = theta[self.gaussian] - auxiliary[self.gaussian]
            total += 0.5 * add_rows(pull * pull * self.inverse_variance)
        if len(self.poisson):
            total += _poisson(self.tau * theta[self.poisson], auxiliary[self.poisson])
        return total

    def derivatives(self, theta: Array, nu: Array, points: Points) -> Derivatives:
        """Return value, gradient and Hessian elements."""
        value, first, second = self._factors(theta)
        product = self._product(value)
        base, shift_first, shift_second = self._base(theta, points.signal)
        component = base * product
        weight_of_shift = product
        signal = component[self.signal_components]
        component[self.signal_components] *= nu
        if shift_first is not None:
            weight_of_shift = product.copy()
            weight_of_shift[self.signal_components] *= nu
        rates = self.to_bins(component)
        counts = points.counts
        nll = _poisson(rates, counts) + self._constraints(theta, points.auxiliary)

        seen = (counts > 0.0) & (rates > _SMALLEST_RATE)
        safe = np.where(seen, rates, 1.0)
        ratio = np.where(seen, counts, 0.0) / safe
        weight = 1.0 - ratio
        curvature = ratio / safe

        parts = [component[self.entry_component] * first[self.entry_response]]
        if shift_first is not None:
            parts.append(weight_of_shift[self.shift_component] * shift_first)
        if self.free_signal:
            parts.append(signal)
        entries = parts[0] if len(parts) == 1 else np.concatenate(parts)
        slopes = self.slope_sum(entries)
        gradient = self.gradient_sum(weight[self.slope_bin] * slopes)

        curved = curvature[self.slope_bin] * slopes
        products = [
            curved[self.outer_first] * slopes[self.outer_second],
            weight[self.cross_bin] * entries[self.cross_entry] * first[self.cross_response],
            weight[self.model.component_bin[self.diagonal_component]]
            * component[self.diagonal_component]
            * second[self.diagonal_response],
        ]
        if shift_first is not None and shift_second is not None:
            weights = weight[self.model.component_bin[self.shift_component]]
            products.append(weights * weight_of_shift[self.shift_component] * shift_second)
            if self.shift_nu:
                which = np.array([j for j, _ in self.shift_nu], dtype=np.intp)
                products.append(
                    weights[which] * product[self.shift_component[which]] * shift_first[which]
                )
        hessian = self.hessian_sum(np.concatenate(products))

        # natural scale of each diagonal element: the expected information, but finite where a
        # rate goes to zero
        expected = slopes[self.scale_rows]
        scale = self.scale_sum(
            expected * expected / (1.0 + np.abs(rates))[self.slope_bin[self.scale_rows]]
        )
        if len(self.gaussian):
            pull = theta[self.gaussian] - points.auxiliary[self.gaussian]
            gradient[self.gaussian] += pull * self.inverse_variance
            hessian[self.gaussian] += self.inverse_variance
            scale[self.gaussian] += self.inverse_variance
        if len(self.poisson):
            gamma = theta[self.poisson]
            seen_auxiliary = points.auxiliary[self.poisson] / gamma
            gradient[self.poisson] += self.tau - seen_auxiliary
            hessian[self.poisson] += seen_auxiliary / gamma
            scale[self.poisson] += self.tau
        return Derivatives(nll, gradient, hessian, scale)


def _poisson(rates: Array, counts: Array) -> Array:
    """Return sum over rows of lambda - n - n ln(lambda / n)."""
    positive = counts > 0.0
    logarithm = np.log(np.maximum(rates, _SMALLEST_RATE) / np.where(positive, counts, 1.0))
    return add_rows(rates - counts - np.where(positive, counts * logarithm, 0.0))
