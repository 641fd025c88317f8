"""A likelihood and a minimiser that share no line with the engine they check.

The likelihood is written straight from the JSON of a workspace, one point at a time, in the
convention of the engine: sums of lambda - n - n ln(lambda / n) over bins, Gaussian and Poisson
constraints that are zero at their best, nu the signal events at mu = 1 times mu. Background and
signal of a bin that shifts can make negative are lifted below e = 1e-4 of their nominal value, r to
e / (1 + u + u^2) with u = 1 - r / e.

It is minimised by sequential quadratic programming, or by other minimisers, from several starts.

References
----------
Cranmer, Lewis, Moneta, Shibata, Verkerke, CERN-OPEN-2012-016, section 4.1 (interpolation codes 4
and 4p).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

__all__ = ["METHODS", "Data", "Minimum", "PlainLikelihood"]

Array = NDArray[np.float64]

#: fraction of the nominal part of a bin below which it is lifted
_FRACTION = 1e-4
#: the least rate where events were seen
_SMALLEST = 1e-300
_LOWEST_FACTOR = 1e-10


@dataclass(frozen=True, slots=True)
class Data:
    """Main counts, shape (B,), and auxiliary data of the parameters, shape (P,)."""

    counts: Array
    auxiliary: Array


@dataclass(frozen=True, slots=True)
class Minimum:
    """Parameters, nu last, and the negative log-likelihood there; infinite if none is known."""

    x: Array
    value: float


class PlainLikelihood:
    """The likelihood of the first measurement of a workspace.

    Parameters
    ----------
    spec
        The workspace. Modifiers are normfactor, normsys, histosys, lumi, shapesys, staterror.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
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
        # derivatives of components that are not zero everywhere: by factors, by shifts
        self.entry_component = np.concatenate([of_factors, self.hist_component])
        self.entry_variable = np.concatenate(
            [self.factor_parameter[self.table[self.used]], self.hist_parameter]
        )
        # events at mu = 1, and signals per event
        _, product, _ = self._components(self.init)
        self.events = float((nominal * product)[signal].sum())
        self.unit = np.where(signal, 1.0 / self.events if self.events > 0.0 else 1.0, 1.0)
        self._find_floors()

    def _find_floors(self) -> None:
        """Find the parts, backgrounds and signals of bins, that shifts can make negative."""
        lowest = self.nominal.copy()
        sizes = np.zeros(len(lowest))
        for (p, k, _, _), shift in zip(self._histosys, self.hist, strict=True):
            alpha = np.append(np.linspace(-1.0, 1.0, 201), (self.lower[p], self.upper[p]))
            lowest[k] += _code4p(alpha, np.broadcast_to(shift, (len(alpha), 2)))[0].min()
            sizes[k] += np.abs(shift).sum()
        self.part = self.bins + self.n_bins * self.signal
        self.n_parts = 2 * self.n_bins
        _, product, _ = self._components(self.init)
        # as the engine has it: nominal backgrounds with their factors, signals without
        nominal = self.nominal * self.unit * np.where(self.signal, 1.0, product)
        scale = np.bincount(self.part, nominal, self.n_parts)
        shifts = np.bincount(self.part, sizes * self.unit, self.n_parts)
        scale = np.where(scale > 0.0, scale, np.maximum(np.abs(scale), shifts))
        self.risky = np.zeros(self.n_parts, dtype=bool)
        self.risky[self.part[lowest < 0.0]] = True
        self.floor = np.maximum(_FRACTION * scale, 1e-290)

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

    def _lifted(self, component: Array) -> tuple[Array, Array]:
        """Return backgrounds and signals of all bins with their floors, and d lifted / d part."""
        parts = np.bincount(self.part, component, self.n_parts).astype(np.float64)
        u = np.minimum(np.maximum(1.0 - parts / self.floor, 0.0), 1e75)
        under = self.risky & (u > 0.0)
        inverse = 1.0 / (1.0 + u + u * u)
        return (
            np.where(under, self.floor * inverse, parts),
            np.where(under, (1.0 + 2.0 * u) * inverse**2, 1.0),
        )

    def rates(self, theta: Array, nu: float) -> Array:
        """Return the expected counts per bin, shape (B,)."""
        base, product, _ = self._components(theta)
        parts, _ = self._lifted(base * product * self.unit)
        return np.asarray(parts[: self.n_bins] + nu * parts[self.n_bins :], dtype=np.float64)

    def value(self, x: Array, data: Data) -> float:
        """Return the negative log-likelihood at x = (theta, nu)."""
        return (
            self._poisson(self.rates(x[:-1], float(x[-1])), data)[0]
            + self._constraint(x[:-1], data)[0]
        )

    def _poisson(self, rates: Array, data: Data) -> tuple[float, Array]:
        """Return the term of the counts and its derivatives by the rates."""
        n = data.counts
        seen = n > 0.0
        level = np.maximum(rates, _SMALLEST)
        logarithm = np.log(level / np.where(seen, n, 1.0))
        value = rates - n - np.where(seen, n * logarithm, 0.0)
        return float(value.sum()), 1.0 - np.where(seen & (rates > _SMALLEST), n / level, 0.0)

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

    def value_and_gradient(self, x: Array, data: Data) -> tuple[float, Array]:
        """Return the negative log-likelihood and its derivatives by theta and nu."""
        base, product, (values, slopes, shift_slope) = self._components(x[:-1])
        nu, unit, width = float(x[-1]), self.unit, self.n_parameters + 1
        depth, n = values.shape
        # the product of all factors but one, which may be zero
        before, after = np.ones((depth + 1, n)), np.ones((depth + 1, n))
        for d in range(depth):
            before[d + 1] = before[d] * values[d]
            after[-2 - d] = after[-1 - d] * values[-1 - d]
        by_factor = base * unit * before[:-1] * after[1:] * slopes[self.table]
        by_shift = shift_slope * (product * unit)[self.hist_component]
        parts, lift = self._lifted(base * product * unit)
        background, signal = parts[: self.n_bins], parts[self.n_bins :]
        term, by_rate = self._poisson(background + nu * signal, data)
        constraint, own = self._constraint(x[:-1], data)
        # each part counts with d term / d part
        weight = np.concatenate([by_rate, nu * by_rate]) * lift
        entries = np.concatenate([by_factor[self.used], by_shift])
        entries *= weight[self.part[self.entry_component]]
        gradient = np.bincount(self.entry_variable, entries, width).astype(np.float64)
        gradient[:-1] += own
        gradient[-1] = float(by_rate @ signal)
        return term + constraint, gradient

    # -- minimisation ------------------------------------------------------------------------

    def starts(self, data: Data, nu: float, seed: int, count: int) -> list[Array]:
        """Return the nominal parameters and random ones within two standard deviations."""
        generator = np.random.default_rng([seed, 99])
        result = [np.append(self.init, nu)]
        for _ in range(count - 1):
            theta = self.init.copy()
            free = np.ones(self.n_parameters, dtype=bool)
            free[self.gauss] = free[self.pois] = False
            theta[self.gauss] += generator.uniform(-2.0, 2.0, len(self.gauss)) / np.sqrt(
                self.inverse_variance
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
            One of `METHODS`.
        """
        best = Minimum(np.full(self.n_parameters + 1, math.nan), math.inf)
        lower = np.append(self.lower, 0.0 if nu is None else nu)
        upper = np.append(self.upper, math.inf if nu is None else nu)
        for start in starts:
            begin = np.clip(np.nan_to_num(start), lower, upper)
            x = np.clip(METHODS[method](self, data, begin, (lower, upper)), lower, upper)
            if not np.all(np.isfinite(x)):
                continue
            value = self.value(x, data)
            if value < best.value:
                best = Minimum(x, value)
        return best


_Method = Callable[[PlainLikelihood, Data, Array, tuple[Array, Array]], Array]


def _prepare(
    likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
) -> tuple[Any, Array, Any, float | None]:
    """Return the function of the free variables, their start, bounds, and the fixed nu."""
    lower, upper = bounds
    fixed = float(begin[-1]) if lower[-1] == upper[-1] else None

    def function(y: Array) -> tuple[float, Array]:
        value, gradient = likelihood.value_and_gradient(
            y if fixed is None else np.append(y, fixed), data
        )
        return value, gradient if fixed is None else gradient[:-1]

    part = slice(None) if fixed is None else slice(-1)
    return function, begin[part], optimize.Bounds(lower[part], upper[part]), fixed


def _scipy(method: str, settings: dict[str, Any]) -> _Method:
    def minimise(
        likelihood: PlainLikelihood, data: Data, begin: Array, bounds: tuple[Array, Array]
    ) -> Array:
        function, start, limits, fixed = _prepare(likelihood, data, begin, bounds)
        if not len(start):
            return _joined(start, fixed)
        minimum: Any = optimize.minimize  # its stubs know every method by a type of its own
        with np.errstate(all="ignore"):
            answer = minimum(
                function, start, jac=True, method=method, bounds=limits, options=settings
            )
        return _joined(answer.x, fixed)

    return minimise


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


#: minimisers by name
METHODS: Mapping[str, _Method] = {
    "SLSQP": _scipy("SLSQP", {"ftol": 1e-7, "maxiter": 200}),
    "L-BFGS-B": _scipy("L-BFGS-B", {"ftol": 1e-13}),
    "trust-constr": _scipy("trust-constr", {"gtol": 1e-7, "maxiter": 500}),
    "minuit": _minuit,
}


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
