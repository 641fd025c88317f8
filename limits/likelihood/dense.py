"""Derivatives of large likelihoods, and of those with floors: products of matrices.

With M_kp the logarithmic derivative of the factors of component k by parameter p, and D_kp the
slope of its shifts times its factors, the rate of a component changes by

    J_kp = lambda_k M_kp + D_kp,
    d2 lambda_k / dp dq = lambda_k M_kp M_kq + D_kp M_kq + M_kp D_kq    (p != q),

so that the Hessian is J^T C J of the bins plus A^T M + M^T A of the components: two products that
a library of linear algebra does at full speed. Memory grows with the square of the number of
parameters, for a few points at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.evaluation import (
    SMALLEST_RATE,
    Derivatives,
    Evaluator,
    Parts,
    Points,
    poisson_terms,
)
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.sums import RowSum

__all__ = ["DenseEvaluator"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: points handled together at most, and elements of one of their matrices
_TOGETHER = 4096
_MOST_ELEMENTS = 400_000


class DenseEvaluator(Evaluator):
    """An `Evaluator` that multiplies matrices."""

    def __init__(self, model: WorkspaceModel, *, free_signal: bool) -> None:
        super().__init__(model, free_signal=free_signal)
        n, p = self.n_variables, self.n_parameters
        rows, columns = np.tril_indices(n, -1)
        diagonal = np.arange(n)
        self.rows = np.concatenate([diagonal, rows])
        self.columns = np.concatenate([diagonal, columns])
        self._elements = self.rows * n + self.columns
        size = max(len(model.nominal) * max(n, 1), n * n, 1)
        self.points_together = max(min(_TOGETHER, _MOST_ELEMENTS // size), 1)

        # components in the order of their parts: what is added is next to each other
        part = 2 * model.component_bin + model.is_signal
        self._order = np.argsort(part, kind="stable")
        kinds, self._starts = np.unique(part[self._order], return_index=True)
        self._part_bin, self._part_signal = kinds // 2, (kinds % 2).astype(bool)
        self._place = np.empty(len(part), dtype=np.intp)  # of a component in that order
        self._place[self._order] = np.arange(len(part))
        self._part_of = np.searchsorted(kinds, part[self._order])
        entries = [
            (int(self._place[k]), r) for k, factors in enumerate(model.factors) for r in factors
        ]
        self._entry_row = np.array([k for k, _ in entries], dtype=np.intp)
        self._entry_response = np.array([r for _, r in entries], dtype=np.intp)
        owner = self.owner[self._entry_response]
        self._entry_element = self._entry_row * p + owner
        self._entry_sum = RowSum(owner, p)
        self._shift_row = self._place[self.shift_component]
        self._shift_element = self._shift_row * p + self.shift_parameter
        self._shift_variable_sum = RowSum(self.shift_parameter, p)

    def derivatives(
        self, theta: Array, nu: Array, points: Points, *, information: bool = False
    ) -> Derivatives:
        """Return value, gradient and Hessian elements; see `Evaluator.derivatives`."""
        n, p, n_points = self.n_variables, self.n_parameters, theta.shape[1]
        value, first, second = self._factors(theta)
        product = self._product(value)
        base, shift_first, shift_second = self._base(theta, points.signal)
        component = base * product
        parts = self.parts(component, points.signal)
        rates = parts.background + nu * parts.signal
        counts = points.counts
        nll = poisson_terms(rates, counts) + self._constraints(theta, points.auxiliary)
        seen = (counts > 0.0) & (rates > SMALLEST_RATE)
        safe = np.where(seen, rates, 1.0)
        ratio = np.where(seen, counts, 0.0) / safe
        weight, curvature = 1.0 - ratio, ratio / safe

        ordered, factors = component[self._order], product[self._order]
        response = np.zeros((n_points, len(ordered), p))
        response.reshape(n_points, -1)[:, self._entry_element] = first[self._entry_response].T
        slopes = ordered.T[:, :, None] * response
        by_shift = None
        if shift_first is not None:
            by_shift = np.zeros((n_points, len(ordered), p))
            moved = (shift_first * factors[self._shift_row]).T
            by_shift.reshape(n_points, -1)[:, self._shift_element] = moved
            slopes += by_shift
        of_parts = np.add.reduceat(slopes, self._starts, axis=1)

        # d rate of a part / d lifted part of it, and what a part counts in the rate of its bin
        lift, bend = self._lifts(parts)
        share = np.where(self._part_signal[:, None], nu, 1.0)
        jacobian = np.zeros((n_points, self.n_bins, n))
        scaled = of_parts * (share * lift).T[:, :, None]
        for signal in (False, True):
            of_kind = self._part_signal == signal
            jacobian[:, self._part_bin[of_kind], :p] += scaled[:, of_kind]
        if self.free_signal:
            jacobian[:, :, p] = parts.signal.T
        gradient = np.matmul(weight.T[:, None, :], jacobian)[:, 0, :].T.copy()

        hessian = _gram(jacobian, curvature)
        on_parts = weight[self._part_bin] * share * lift
        on_components = on_parts[self._part_of]
        half = response * (0.5 * on_components * ordered).T[:, :, None]
        if by_shift is not None:
            half += by_shift * on_components.T[:, :, None]
        crossed = np.matmul(half.transpose(0, 2, 1), response)
        # of one parameter twice the product has (f')^2 where f f'' belongs, which is zero for a
        # factor that may be as small as 1e-10: it is left out, not subtracted
        every = np.arange(p)
        crossed[:, every, every] = 0.0
        hessian[:, :p, :p] += crossed + crossed.transpose(0, 2, 1)
        if bend is not None:
            hessian[:, :p, :p] += _gram(of_parts, weight[self._part_bin] * share * bend)
        if self.free_signal:
            some = self._part_signal
            crossing = np.matmul(
                (weight[self._part_bin] * lift)[some].T[:, None, :], of_parts[:, some]
            )[:, 0, :]
            hessian[:, p, :p] += crossing
            hessian[:, :p, p] += crossing
        diagonal = np.zeros((n, n_points))
        diagonal[:p] = self._entry_sum(
            (on_components * ordered)[self._entry_row] * second[self._entry_response]
        )
        if by_shift is not None and shift_second is not None:
            both = np.matmul(on_components.T[:, None, :], by_shift * response)[:, 0, :].T
            bent = (on_components * factors)[self._shift_row] * shift_second
            diagonal[:p] += 2.0 * both + self._shift_variable_sum(bent)
        held = self._add_constraints(theta, points, gradient, diagonal)
        elements = hessian.reshape(n_points, n * n)[:, self._elements].T
        elements[:n] += diagonal

        spread = 1.0 / (1.0 + rates)
        scale = np.matmul(spread.T[:, None, :], jacobian * jacobian)[:, 0, :].T + held
        wanted = reach = None
        if information:
            reach = np.zeros((n, n_points))
            size = np.abs(on_components * ordered)[self._entry_row]
            own = first[self._entry_response]
            bent = np.abs(second[self._entry_response])
            reach[:p] = self._entry_sum(size * (own * own + bent))
            if shift_first is not None and shift_second is not None:
                size = np.abs(on_components * factors)[self._shift_row]
                reach[:p] += self._shift_variable_sum(
                    size * (np.abs(shift_second) + np.abs(shift_first))
                )
            expected = _gram(jacobian, spread).reshape(n_points, n * n)
            wanted = expected[:, self._elements].T
            wanted[:n] = scale
        return Derivatives(nll, gradient, elements, scale, wanted, reach)

    def _lifts(self, parts: Parts) -> tuple[Array, Array | None]:
        """Return first and second derivatives of every part by itself without a floor."""
        n = parts.background.shape[1]
        lift = np.ones((len(self._part_bin), n))
        bend = np.zeros_like(lift) if self.lifts else None
        for signal, slope, second in (
            (False, parts.background_slope, parts.background_bend),
            (True, parts.signal_slope, parts.signal_bend),
        ):
            if slope is None or second is None or bend is None:
                continue
            some = np.flatnonzero(self._part_signal == signal)
            lift[some] = slope[self._part_bin[some]]
            bend[some] = second[self._part_bin[some]]
        return lift, bend

    def _add_constraints(
        self, theta: Array, points: Points, gradient: Array, diagonal: Array
    ) -> Array:
        """Add the constraint terms, in place; return their expected information, shape (V, N)."""
        held = np.zeros_like(diagonal)
        if len(self.gaussian):
            pull = theta[self.gaussian] - points.auxiliary[self.gaussian]
            gradient[self.gaussian] += pull * self.inverse_variance
            diagonal[self.gaussian] += self.inverse_variance
            held[self.gaussian] += self.inverse_variance
        if len(self.poisson):
            gamma = theta[self.poisson]
            seen = points.auxiliary[self.poisson] / gamma
            gradient[self.poisson] += self.tau - seen
            diagonal[self.poisson] += seen / gamma
            held[self.poisson] += self.tau
        return held


def _gram(matrix: Array, weights: Array) -> Array:
    """Return J^T diag(w) J of every point; J of shape (N, B, V), w of shape (B, N)."""
    weighted = matrix * weights.T[:, :, None]
    return np.asarray(np.matmul(weighted.transpose(0, 2, 1), matrix), dtype=np.float64)
