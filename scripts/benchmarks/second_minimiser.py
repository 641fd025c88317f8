"""A likelihood and a minimiser that share no line with the engine they check.

The likelihood is written straight from the JSON of a workspace, one point at a time, in the
convention of the engine: sums of lambda - n - n ln(lambda / n) over bins, Gaussian and Poisson
constraints that are zero at their best, nu the signal events at mu = 1 times mu. It is finite on
its domain alone: no rate is negative, and none is zero where events were seen.

It is minimised by sequential quadratic programming, in which the edges of the domain are
constraints of their own, from several starts.

References
----------
Cranmer, Lewis, Moneta, Shibata, Verkerke, CERN-OPEN-2012-016, section 4.1 (interpolation codes 4
and 4p).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

__all__ = ["DOMAINS", "Data", "Minimum", "PlainLikelihood"]

Array = NDArray[np.float64]

#: which rates may not be negative: of bins; of the backgrounds and of the signals of a bin, each
#: summed; of every sample in every bin
DOMAINS = ("bins", "sums", "samples")
#: a rate above minus this fraction of the bin's usual one counts as zero: rounding
_ROUNDING = 1e-9
_LOWEST_FACTOR = 1e-10
#: rates below it continue the logarithm by a parabola while the search is on its way
_SOFT = 1e-6


@dataclass(frozen=True, slots=True)
class Data:
    """Main counts, shape (B,), and auxiliary data of the parameters, shape (P,)."""

    counts: Array
    auxiliary: Array


@dataclass(frozen=True, slots=True)
class Minimum:
    """Parameters, nu last, and the negative log-likelihood there; infinite without any."""

    x: Array
    value: float


class PlainLikelihood:
    """The likelihood of the first measurement of a workspace.

    Parameters
    ----------
    spec
        The workspace. Modifiers are normfactor, normsys, histosys, lumi, shapesys, staterror.
    domain
        One of `DOMAINS`.
    """

    def __init__(self, spec: Mapping[str, Any], *, domain: str = "sums") -> None:
        config = spec["measurements"][0]["config"]
        self.poi: str = config["poi"]
        self._config = {entry["name"]: entry for entry in config.get("parameters", ())}
        self.names: list[str] = []
        self._index: dict[str, int] = {}
        self._rows: list[tuple[float, float, float, float, float, int]] = []
        self._normsys: list[tuple[int, int, float, float]] = []
        self._histosys: list[tuple[int, int, float, float]] = []
        self._linear: list[tuple[int, int]] = []
        nominal: list[float] = []
        bins: list[int] = []
        signal: list[bool] = []
        first = 0
        for channel in spec["channels"]:
            widths = _staterror_widths(channel)
            n_bins = len(channel["samples"][0]["data"])
            for sample in channel["samples"]:
                is_signal = any(m["name"] == self.poi for m in sample["modifiers"])
                for modifier in sample["modifiers"]:
                    self._modify(modifier, sample["data"], len(nominal), widths)
                nominal += [float(rate) for rate in sample["data"]]
                bins += range(first, first + n_bins)
                signal += [is_signal] * n_bins
            first += n_bins
        self.n_bins = first
        self._finish(np.array(nominal), np.array(bins, dtype=np.intp), np.array(signal))
        counts = {entry["name"]: entry["data"] for entry in spec["observations"]}
        observed = [n for channel in spec["channels"] for n in counts[channel["name"]]]
        self.observed = Data(np.array(observed, dtype=np.float64), self.centre.copy())
        self._set_domain(domain)

    # -- reading -----------------------------------------------------------------------------

    def _define(
        self, name: str, position: int, row: tuple[float, float, float, float, float, int]
    ) -> int:
        """Define a parameter once: initial value, bounds, centre, width, kind."""
        element = name if position < 0 else f"{name}[{position}]"
        if element not in self._index:
            init, lower, upper, centre, width, kind = row
            config, i = self._config.get(name, {}), max(position, 0)
            if "bounds" in config:
                lower, upper = config["bounds"][i]
            if "inits" in config:
                init = config["inits"][i]
            if row[1] >= 0.0:
                lower = max(lower, _LOWEST_FACTOR)
            self._index[element] = len(self.names)
            self.names.append(element)
            self._rows.append((max(init, lower), lower, upper, centre, width, kind))
        return self._index[element]

    def _modify(
        self,
        modifier: Mapping[str, Any],
        rates: list[float],
        first: int,
        widths: Mapping[str, list[float]],
    ) -> None:
        kind, name, data = modifier["type"], modifier["name"], modifier["data"]
        every = range(len(rates))
        if name == self.poi:
            return
        if kind == "normfactor":
            p = self._define(name, -1, (1.0, 0.0, 10.0, 0.0, 0.0, 0))
            self._linear += [(p, first + i) for i in every]
        elif kind == "lumi":
            config = self._config[name]
            value, width = config["auxdata"][0], config["sigmas"][0]
            p = self._define(name, -1, (value, 0.0, 10.0 * value, value, width, 1))
            self._linear += [(p, first + i) for i in every]
        elif kind == "normsys":
            p = self._define(name, -1, (0.0, -5.0, 5.0, 0.0, 1.0, 1))
            self._normsys += [(p, first + i, data["hi"], data["lo"]) for i in every]
        elif kind == "histosys":
            p = self._define(name, -1, (0.0, -5.0, 5.0, 0.0, 1.0, 1))
            for i in every:
                up, down = data["hi_data"][i] - rates[i], rates[i] - data["lo_data"][i]
                if up != 0.0 or down != 0.0:
                    self._histosys.append((p, first + i, up, down))
        elif kind == "staterror":
            for i in every:
                if widths[name][i] > 0.0:
                    row = (1.0, _LOWEST_FACTOR, 10.0, 1.0, widths[name][i], 1)
                    self._linear.append((self._define(name, i, row), first + i))
        else:  # shapesys
            for i in every:
                if rates[i] > 0.0 and data[i] > 0.0:
                    tau = (rates[i] / data[i]) ** 2
                    row = (1.0, _LOWEST_FACTOR, 10.0, tau, tau, 2)
                    self._linear.append((self._define(name, i, row), first + i))

    def _finish(self, nominal: Array, bins: NDArray[np.intp], signal: NDArray[np.bool_]) -> None:
        rows = np.array(self._rows, dtype=np.float64).reshape(-1, 6)
        self.init, self.lower, self.upper, self.centre, width, kind = rows.T
        self.n_parameters = len(rows)
        self.gauss, self.pois = np.flatnonzero(kind == 1), np.flatnonzero(kind == 2)
        self.inverse_variance, self.tau = width[self.gauss] ** -2.0, width[self.pois]
        self.nominal, self.bins, self.signal = nominal, bins, signal
        n = len(nominal)
        # every factor has a number; those of each component, padded by a last one that is one
        self.norm_parameter = np.array([m[0] for m in self._normsys], dtype=np.intp)
        self.norm_log = np.log(np.array([m[2:] for m in self._normsys]).reshape(-1, 2))
        self.norm_a = np.array([_code4(hi, lo) for _, _, hi, lo in self._normsys]).reshape(-1, 6)
        self.line_parameter = np.array([m[0] for m in self._linear], dtype=np.intp)
        owner = [m[1] for m in self._normsys] + [m[1] for m in self._linear]
        self.factor_parameter = np.concatenate([self.norm_parameter, self.line_parameter])
        lists: list[list[int]] = [[] for _ in range(n)]
        for factor, component in enumerate(owner):
            lists[component].append(factor)
        depth = max((len(entry) for entry in lists), default=0)
        self.table = np.full((depth, n), len(owner), dtype=np.intp)
        for component, entry in enumerate(lists):
            self.table[: len(entry), component] = entry
        self.used = self.table < len(owner)
        of_factors = np.broadcast_to(np.arange(n), self.table.shape)[self.used]
        self.hist_parameter = np.array([m[0] for m in self._histosys], dtype=np.intp)
        self.hist_component = np.array([m[1] for m in self._histosys], dtype=np.intp)
        self.hist = np.array([m[2:] for m in self._histosys]).reshape(-1, 2)
        # derivatives of components that are not zero everywhere: by factors, by shifts, by nu
        signals = np.flatnonzero(signal)
        self.n_signal = len(signals)
        self.entry_component = np.concatenate([of_factors, self.hist_component, signals])
        self.entry_variable = np.concatenate(
            [
                self.factor_parameter[self.table[self.used]],
                self.hist_parameter,
                np.full(self.n_signal, self.n_parameters),
            ]
        )
        # events at mu = 1, and signals per event
        _, product, _ = self._components(self.init)
        self.events = float((nominal * product)[signal].sum())
        self.unit = np.where(signal, 1.0 / self.events if self.events > 0.0 else 1.0, 1.0)

    def _set_domain(self, domain: str) -> None:
        """Say of which groups of components the sum may not be negative."""
        n = len(self.nominal)
        if domain == "bins":
            self.group, self.with_mu = self.bins, True
        elif domain == "sums":
            self.group, self.with_mu = self.bins + self.n_bins * self.signal, False
        else:
            self.group, self.with_mu = np.arange(n), False
        self.n_groups = int(self.group.max()) + 1
        # rates that only factors change are positive anyway, but where code 4 dips below zero
        moves = np.zeros(n, dtype=bool)
        moves[self.hist_component] = True
        dips = np.flatnonzero(_dips(self.norm_a))
        moves |= np.isin(self.table, dips).any(axis=0)
        self.edges = np.unique(self.group[moves])

    # -- evaluation --------------------------------------------------------------------------

    def _components(self, theta: Array) -> tuple[Array, Array, tuple[Array, ...]]:
        """Return base and product of factors per component, and what derivatives need."""
        alpha = theta[self.norm_parameter]
        powers = alpha[:, None] ** np.arange(7)
        inside = np.abs(alpha) < 1.0
        slope = np.where(alpha > 0.0, self.norm_log[:, 0], -self.norm_log[:, 1])
        outside = np.exp(slope * alpha)
        polynomial = 1.0 + (self.norm_a * powers[:, 1:]).sum(axis=1)
        derivative = (self.norm_a * powers[:, :6] * np.arange(1, 7)).sum(axis=1)
        n_factors = len(self.factor_parameter)
        factors, slopes = np.ones(n_factors + 1), np.zeros(n_factors + 1)
        n = len(alpha)
        factors[:n] = np.where(inside, polynomial, outside)
        slopes[:n] = np.where(inside, derivative, slope * outside)
        factors[n:-1], slopes[n:-1] = theta[self.line_parameter], 1.0
        base = self.nominal.copy()
        shift_slope = np.empty(0)
        if len(self.hist):
            shift, shift_slope = _code4p(theta[self.hist_parameter], self.hist)
            base += np.bincount(self.hist_component, shift, len(base))
        values = factors[self.table]
        product = values.prod(axis=0)
        return base, product, (values, slopes, shift_slope)

    def rates(self, theta: Array, nu: float) -> Array:
        """Return the expected counts per bin, shape (B,)."""
        base, product, _ = self._components(theta)
        component = base * product * self.unit * np.where(self.signal, nu, 1.0)
        return np.bincount(self.bins, component, self.n_bins)

    def groups(self, x: Array) -> Array:
        """Return the sums that may not be negative, over their nominal scale, shape (G,)."""
        base, product, _ = self._components(x[:-1])
        scale = self.unit * (np.where(self.signal, x[-1], 1.0) if self.with_mu else 1.0)
        return np.bincount(self.group, base * product * scale, self.n_groups)

    def value(self, x: Array, data: Data, *, rounding: float = _ROUNDING) -> float:
        """Return the negative log-likelihood at x = (theta, nu), infinite outside its domain."""
        low = self.groups(x)
        if np.any(low < -rounding * (1.0 + np.abs(self.nominal).max())):
            return math.inf
        rates = self.rates(x[:-1], float(x[-1]))
        seen = data.counts > 0.0
        if np.any(rates[seen] <= 0.0):
            return math.inf
        return self._sum(rates, x[:-1], data)

    def _sum(self, rates: Array, theta: Array, data: Data) -> float:
        total = float(np.sum(np.maximum(rates, 0.0) - data.counts))
        seen = data.counts > 0.0
        counts = data.counts[seen]
        total -= float(np.sum(counts * np.log(rates[seen] / counts)))
        return total + self._constraint(theta, data)[0]

    def _constraint(self, theta: Array, data: Data) -> tuple[float, Array]:
        gradient = np.zeros(self.n_parameters)
        pull = theta[self.gauss] - data.auxiliary[self.gauss]
        gradient[self.gauss] = pull * self.inverse_variance
        total = 0.5 * float(np.sum(pull * gradient[self.gauss]))
        if len(self.pois):
            count, mean = data.auxiliary[self.pois], self.tau * theta[self.pois]
            seen = count > 0.0
            log = np.log(np.where(seen, mean, 1.0) / np.where(seen, count, 1.0))
            total += float(np.sum(mean - count - count * log))
            gradient[self.pois] = self.tau - count / theta[self.pois]
        return total, gradient

    def _entries(self, x: Array, *, with_mu: bool) -> tuple[Array, Array]:
        """Return the rates of components, and their derivatives in the order of the entries."""
        base, product, (values, slopes, shift_slope) = self._components(x[:-1])
        scale = self.unit * np.where(self.signal, x[-1], 1.0) if with_mu else self.unit
        depth, n = values.shape
        # the product of all factors but one, which may be zero
        before, after = np.ones((depth + 1, n)), np.ones((depth + 1, n))
        for d in range(depth):
            before[d + 1] = before[d] * values[d]
            after[-2 - d] = after[-1 - d] * values[-1 - d]
        by_factor = base * scale * before[:-1] * after[1:] * slopes[self.table]
        by_shift = shift_slope * (product * scale)[self.hist_component]
        by_mu = (base * product * self.unit)[self.signal] if with_mu else np.zeros(self.n_signal)
        return base * product * scale, np.concatenate([by_factor[self.used], by_shift, by_mu])

    def _summed(self, entries: Array, owner: NDArray[np.intp], count: int) -> Array:
        """Sum the entries of the same owner of the component and the same variable."""
        width = self.n_parameters + 1
        flat = owner[self.entry_component] * width + self.entry_variable
        return np.bincount(flat, entries, count * width).reshape(count, width)

    def soft(self, x: Array, data: Data) -> tuple[float, Array]:
        """Return a smooth continuation of the value beyond the domain, and its gradient."""
        component, entries = self._entries(x, with_mu=True)
        rates = np.bincount(self.bins, component, self.n_bins)
        per_bin = self._summed(entries, self.bins, self.n_bins)
        n = data.counts
        seen = n > 0.0
        level = np.maximum(rates, _SOFT)
        under = rates - level  # zero inside
        logarithm = np.log(level) + under / level - 0.5 * (under / level) ** 2
        slope = 1.0 / level - under / level**2
        total = rates - n - np.where(seen, n * (logarithm - np.log(np.where(seen, n, 1.0))), 0.0)
        constraint, gradient = self._constraint(x[:-1], data)
        full = (1.0 - n * slope) @ per_bin
        full[:-1] += gradient
        return float(total.sum()) + constraint, full

    def edge(self, x: Array) -> Array:
        """Return the sums at the edges of the domain, which may not be negative."""
        return np.asarray(self.groups(x)[self.edges], dtype=np.float64)

    def edge_slopes(self, x: Array) -> Array:
        """Return their derivatives, shape (E, P + 1)."""
        _, entries = self._entries(x, with_mu=self.with_mu)
        summed = self._summed(entries, self.group, self.n_groups)
        return np.asarray(summed[self.edges], dtype=np.float64)

    # -- minimisation ------------------------------------------------------------------------

    def starts(self, data: Data, nu: float, seed: int, count: int) -> list[Array]:
        """Return the nominal parameters and random ones within two standard deviations."""
        generator = np.random.default_rng([seed, 99])
        result = [np.append(self.init, nu)]
        for _ in range(count - 1):
            theta = self.init.copy()
            free = np.ones(self.n_parameters, dtype=bool)
            free[self.gauss] = free[self.pois] = False
            theta[self.gauss] += (
                generator.uniform(-2.0, 2.0, len(self.gauss)) / np.sqrt(self.inverse_variance)
            )
            theta[self.pois] *= np.exp(
                generator.uniform(-1.0, 1.0, len(self.pois)) / np.sqrt(self.tau)
            )
            theta[free] *= np.exp(generator.uniform(-1.5, 1.0, int(free.sum())))
            theta = np.clip(theta, np.maximum(self.lower, -4.0), self.upper)
            result.append(np.append(theta, nu * math.exp(generator.uniform(-2.0, 1.0))))
        return result

    def minimise(
        self, data: Data, nu: float | None, starts: Iterable[Array], *, method: str = "SLSQP"
    ) -> Minimum:
        """Return the lowest minimum from some starts.

        Parameters
        ----------
        data
            Counts and auxiliary data.
        nu
            Signal events, fixed; None to fit them, from zero.
        starts
            Parameters with nu last, shape (P + 1,).
        method
            ``SLSQP``, ``trust-constr``, ``L-BFGS-B`` or ``minuit``. The last two know no edges of
            the domain: a minimum of theirs counts where it is inside.
        """
        best = Minimum(np.full(self.n_parameters + 1, math.nan), math.inf)
        lower = np.append(self.lower, 0.0 if nu is None else nu)
        upper = np.append(self.upper, math.inf if nu is None else nu)
        for start in starts:
            begin = np.clip(np.nan_to_num(start), lower, upper)
            x = np.clip(_METHODS[method](self, data, begin, (lower, upper)), lower, upper)
            if not np.all(np.isfinite(x)):
                continue
            value = self.value(x, data)
            if value < best.value:
                best = Minimum(x, value)
        return best


def _constraints(likelihood: PlainLikelihood, fixed: float | None) -> Any:
    """Return the edges of the domain as constraints of scipy's, for free variables alone."""

    def whole(y: Array) -> Array:
        return y if fixed is None else np.append(y, fixed)

    def jacobian(y: Array) -> Array:
        slopes = likelihood.edge_slopes(whole(y))
        return slopes if fixed is None else slopes[:, :-1]

    return lambda y: likelihood.edge(whole(y)), jacobian


def _prepare(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> tuple[Any, Array, Any, float | None]:
    """Return the function of the free variables, their start, bounds, and the fixed nu."""
    lower, upper = bounds
    fixed = float(begin[-1]) if lower[-1] == upper[-1] else None

    def function(y: Array) -> tuple[float, Array]:
        value, gradient = likelihood.soft(y if fixed is None else np.append(y, fixed), data)
        return value, gradient if fixed is None else gradient[:-1]

    part = slice(None) if fixed is None else slice(-1)
    return function, begin[part], optimize.Bounds(lower[part], upper[part]), fixed


def _slsqp(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> Array:
    function, start, limits, fixed = _prepare(likelihood, data, begin, bounds)
    constraints: Any = ()
    if len(likelihood.edges):
        fun, jac = _constraints(likelihood, fixed)
        constraints = {"type": "ineq", "fun": fun, "jac": jac}
    with np.errstate(all="ignore"):
        answer = optimize.minimize(
            function,
            start,
            jac=True,
            method="SLSQP",
            bounds=limits,
            constraints=constraints,
            options={"ftol": 1e-9, "maxiter": 200},
        )
    return _joined(answer.x, fixed)


def _trust(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> Array:
    function, start, limits, fixed = _prepare(likelihood, data, begin, bounds)
    constraints: Any = ()
    if len(likelihood.edges):
        fun, jac = _constraints(likelihood, fixed)
        constraints = optimize.NonlinearConstraint(fun, 0.0, math.inf, jac=jac)
    with np.errstate(all="ignore"):
        answer = optimize.minimize(
            function,
            start,
            jac=True,
            method="trust-constr",
            bounds=limits,
            constraints=constraints,
            options={"gtol": 1e-7, "maxiter": 500},
        )
    return _joined(answer.x, fixed)


def _lbfgsb(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> Array:
    function, start, limits, fixed = _prepare(likelihood, data, begin, bounds)
    with np.errstate(all="ignore"):
        answer = optimize.minimize(
            function, start, jac=True, method="L-BFGS-B", bounds=limits, options={"ftol": 1e-13}
        )
    return _joined(answer.x, fixed)


def _minuit(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> Array:
    import iminuit

    function, start, limits, fixed = _prepare(likelihood, data, begin, bounds)
    if not len(start):
        return _joined(start, fixed)
    minuit = iminuit.Minuit(lambda y: function(y)[0], start, grad=lambda y: function(y)[1])
    minuit.errordef = iminuit.Minuit.LIKELIHOOD
    minuit.limits = list(zip(limits.lb.tolist(), limits.ub.tolist(), strict=True))
    with np.errstate(all="ignore"):
        minuit.migrad(ncall=2000)
    return _joined(np.array(minuit.values), fixed)


def _joined(x: Array, fixed: float | None) -> Array:
    return np.asarray(x, dtype=np.float64) if fixed is None else np.append(x, fixed)


_METHODS = {"SLSQP": _slsqp, "trust-constr": _trust, "L-BFGS-B": _lbfgsb, "minuit": _minuit}


def _code4(hi: float, lo: float) -> Array:
    """Return a_1 to a_6 of the polynomial that continues hi^a and lo^-a at +1 and -1."""
    # even and odd parts of value, slope and curvature at one
    log_hi, log_lo = math.log(hi), math.log(lo)
    value, slope, bend = (hi, lo), (hi * log_hi, lo * log_lo), (hi * log_hi**2, lo * log_lo**2)
    even = [0.5 * (value[0] + value[1]) - 1.0]
    odd = [0.5 * (value[0] - value[1])]
    even += [0.5 * (slope[0] + slope[1]), 0.5 * (bend[0] + bend[1])]
    odd += [0.5 * (slope[0] - slope[1]), 0.5 * (bend[0] - bend[1])]
    a2, a4, a6 = np.linalg.solve([[1, 1, 1], [2, 4, 6], [2, 12, 30]], even)
    a1, a3, a5 = np.linalg.solve([[1, 1, 1], [1, 3, 5], [0, 6, 20]], odd)
    return np.array([a1, a2, a3, a4, a5, a6])


def _code4p(alpha: Array, shifts: Array) -> tuple[Array, Array]:
    """Return the shift and its slope; shifts are hi - nominal and nominal - lo."""
    up, down = shifts.T
    s, a = 0.5 * (up + down), 0.0625 * (up - down)
    square = alpha * alpha
    inside = alpha * (s + alpha * a * (15.0 + square * (3.0 * square - 10.0)))
    slope = s + a * alpha * (30.0 + square * (18.0 * square - 40.0))
    beyond = np.where(alpha > 0.0, up, down)
    within = np.abs(alpha) < 1.0
    return np.where(within, inside, beyond * alpha), np.where(within, slope, beyond)


def _dips(coefficients: Array) -> NDArray[np.bool_]:
    """Say which polynomials are not positive somewhere between -1 and 1."""
    grid = np.linspace(-1.0, 1.0, 81)
    powers = grid[:, None] ** np.arange(1, 7)
    return np.asarray((1.0 + coefficients @ powers.T).min(axis=1) <= 0.01, dtype=bool)


def _staterror_widths(channel: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the relative uncertainty of every bin, by name of the staterror."""
    squares: dict[str, Array] = {}
    totals: dict[str, Array] = {}
    for sample in channel["samples"]:
        for modifier in sample["modifiers"]:
            if modifier["type"] == "staterror":
                name = modifier["name"]
                own = np.asarray(modifier["data"], dtype=np.float64)
                squares[name] = squares.get(name, 0.0) + own**2
                totals[name] = totals.get(name, 0.0) + np.asarray(sample["data"], dtype=float)
    return {
        name: [
            math.sqrt(q) / t if t > 0.0 else 0.0
            for q, t in zip(squares[name], totals[name], strict=True)
        ]
        for name in squares
    }
