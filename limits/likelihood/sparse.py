"""Derivatives of small likelihoods: the elements that are not zero, listed once.

First derivatives of rates, and the products that second derivatives consist of, are rows of arrays
with the points in the last axis. For a few dozen parameters and thousands of points nothing is
faster; the lists grow with the square of the parameters that a bin depends on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.evaluation import (
    SMALLEST_RATE,
    Derivatives,
    Evaluator,
    Points,
    poisson_terms,
)
from na64.limits.likelihood.model import WorkspaceModel
from na64.limits.likelihood.sums import RowSum

__all__ = ["SparseEvaluator"]

Array = NDArray[np.float64]

#: points handled together, and products of their derivatives; they stay in the processor's cache
_TOGETHER = 1024
_MOST_PRODUCTS = 4_000_000


class SparseEvaluator(Evaluator):
    """An `Evaluator` of listed elements; nothing in the model has a floor."""

    def __init__(self, model: WorkspaceModel, *, free_signal: bool) -> None:
        super().__init__(model, free_signal=free_signal)
        self._prepare_patterns()

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
        self.own_sum = RowSum([x[2] for x in diagonal], self.n_variables)
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
        self.outer_sum = RowSum([x[2] for x in outer], len(elements))
        self.points_together = max(min(_TOGETHER, _MOST_PRODUCTS // max(len(targets), 1)), 1)
        own = [i for i, x in enumerate(outer) if x[0] == x[1]]
        self.scale_rows = np.array([outer[i][0] for i in own], dtype=np.intp)
        self.scale_sum = RowSum([outer[i][2] for i in own], self.n_variables)

    # -- evaluation --------------------------------------------------------------------------

    def derivatives(
        self, theta: Array, nu: Array, points: Points, *, information: bool = False
    ) -> Derivatives:
        """Return value, gradient and Hessian elements; see `Evaluator.derivatives`."""
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
        nll = poisson_terms(rates, counts) + self._constraints(theta, points.auxiliary)

        seen = (counts > 0.0) & (rates > SMALLEST_RATE)
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
        spread = 1.0 + np.abs(rates)
        scale = self.scale_sum(expected * expected / spread[self.slope_bin[self.scale_rows]])
        wanted = reach = None
        if information:
            size = np.abs(
                weight[self.model.component_bin[self.diagonal_component]]
                * component[self.diagonal_component]
            )
            own, bent = first[self.diagonal_response], second[self.diagonal_response]
            reach = self.own_sum(size * (own * own + np.abs(bent)))
            over = slopes / spread[self.slope_bin]
            wanted = self.outer_sum(over[self.outer_first] * slopes[self.outer_second])
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
        if wanted is not None:
            wanted = wanted.copy()
            wanted[: self.n_variables] = scale
        return Derivatives(nll, gradient, hessian, scale, wanted, reach)
