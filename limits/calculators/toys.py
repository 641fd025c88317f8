"""The toy calculator: CLs from pseudo-experiments, with auxiliary data fixed or thrown.

Two ensembles. With ``aux-fixed`` the auxiliary data stay as observed and only the main counts are
thrown: the ensemble that the exact calculator enumerates. With ``aux-fluctuated`` the auxiliary
data are thrown as well, from the fitted nuisance parameters: the construction of the LHC
experiments and of pyhf. For n = 0 the latter gives *stronger* limits the larger the systematic
uncertainties are, because pseudo-data with a low efficiency measurement count against the
signal; that is a property of the construction.

All signal strengths of one mass use the same random numbers, turned into counts through the
inverse distribution function, so that CLs is one fixed function of the strength per seed. The
random numbers of a mass depend on the seed and on its place in the batch, not on how the work is
divided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from na64.limits.calculators.datasets import background_fit, first_guess, free_fits, qtilde
from na64.limits.calculators.roots import BRACKETED, Function, Roots, find_roots
from na64.limits.calculators.table import BAND_ORDER
from na64.limits.compiled import SignalBatch
from na64.limits.likelihood.fitting import Fit
from na64.limits.likelihood.model import Constraint
from na64.models.errors import InputError, unknown_name

__all__ = ["ENSEMBLES", "ToyCalculator", "check_toys", "toy_limits"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

ENSEMBLES = ("aux-fixed", "aux-fluctuated")

#: values of qtilde closer than this are equal
_TIE = 1e-8
#: toys that find the neighbourhood of the limit before all are used
_PILOT = 2000
#: toys that measure how fast CLs falls at the limit
_FOR_SLOPE = 10_000
#: fits prepared together, to bound the memory
_SLICE = 65_536


def check_toys(toys: int, ensemble: str, jobs: int) -> None:
    """Refuse settings that are not allowed.

    Raises
    ------
    InputError
        For less than one toy or job, or an unknown ensemble.
    """
    if toys < 1:
        raise InputError(f"at least one toy is needed, not {toys}")
    if jobs < 1:
        raise InputError(f"at least one job is needed, not {jobs}")
    if ensemble not in ENSEMBLES:
        raise unknown_name("ensemble", ensemble, ENSEMBLES)


def toy_limits(
    batch: SignalBatch,
    counts: Array,
    masses: Index,
    alpha: float,
    *,
    observed: bool,
    expected: bool,
    settings: Mapping[str, Any],
    jobs: int,
) -> tuple[list[Roots | None], Array]:
    """Solve CLs = alpha for some masses of a batch, in one or several processes.

    Parameters
    ----------
    batch, counts
        Signals and observed counts.
    masses
        Indices of the masses, shape (m,).
    alpha
        1 - confidence level.
    observed, expected
        Which limits.
    settings
        ``toys``, ``seed`` and ``ensemble`` of `ToyCalculator`.
    jobs
        Number of processes.

    Returns
    -------
    tuple
        Roots in ln(signal events), observed and five bands (None if not asked), and the
        relative statistical error of the observed limit, shape (m,).
    """
    wanted = (*([0] if observed else []), *(range(1, 6) if expected else []))
    # fewer masses than processes: the observed limit and the bands of a mass are shared out too
    shares = -(-jobs // len(masses))
    groups = [tuple(g.tolist()) for g in np.array_split(wanted, max(min(shares, len(wanted)), 1))]
    parts = np.array_split(np.arange(len(masses)), min(jobs, len(masses)))
    places = [(part, group) for part in parts for group in groups]
    tasks: list[_Task] = [
        (batch.take(masses[part]), counts, masses[part], alpha, group, dict(settings))
        for part, group in places
    ]
    if len(tasks) == 1:
        answers = [_solve_part(tasks[0])]
    else:
        workers = min(jobs, len(tasks))
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            answers = list(pool.map(_solve_part, tasks))
    x = np.full((6, len(masses)), np.nan)
    state = np.zeros((6, len(masses)), dtype=np.int8)
    error = np.full(len(masses), np.nan)
    for (part, group), (found_x, found_state, found_error) in zip(places, answers, strict=True):
        where = np.ix_(group, part)
        x[where], state[where] = found_x[list(group)], found_state[list(group)]
        if 0 in group:
            error[part] = found_error
    return [Roots(x[i], state[i]) if i in wanted else None for i in range(6)], error


#: signals, counts, places of the masses, alpha, which limits, settings
_Task = tuple[SignalBatch, Array, Index, float, tuple[int, ...], dict[str, Any]]


def _solve_part(task: _Task) -> tuple[Array, NDArray[np.int8], Array]:
    batch, counts, places, alpha, wanted, settings = task
    return ToyCalculator(batch, counts, places=places, **settings).limits(alpha, wanted)


@dataclass(slots=True)
class _Ensemble:
    """Pseudo-data, equal ones once, with how often each occurs."""

    counts: Array
    auxiliary: Array | None
    weight: Array


#: background pseudo-data and their free fits, by number of toys
_Cache = dict[int, tuple[_Ensemble, Fit]]


class ToyCalculator:
    """CLs of one batch of signals from pseudo-experiments.

    Parameters
    ----------
    batch
        Signals of M masses.
    counts
        Observed counts, shape (B,); the workspace's by default.
    toys
        Pseudo-experiments per hypothesis and mass, at least one.
    seed
        Seed of the random numbers.
    ensemble
        ``aux-fixed`` or ``aux-fluctuated``.
    places
        Place of every mass in the whole computation, shape (M,): it selects the random numbers.
    """

    method = "toys"

    def __init__(
        self,
        batch: SignalBatch,
        counts: Array | None = None,
        *,
        toys: int = 10_000,
        seed: int = 1,
        ensemble: str = "aux-fixed",
        places: Index | None = None,
    ) -> None:
        check_toys(toys, ensemble, jobs=1)
        if seed < 0:
            raise InputError(f"the seed must not be negative, is {seed}")
        self.batch, self.toys, self.seed, self.ensemble = batch, toys, seed, ensemble
        self.places = np.arange(len(batch)) if places is None else places
        likelihood = batch.likelihood
        self.fitter = likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        self.counts = likelihood.observed if counts is None else counts
        parameters = likelihood.model.parameters
        kinds = np.array([p.constraint for p in parameters], dtype=int)
        self._gaussian = np.flatnonzero(kinds == Constraint.GAUSSIAN)
        self._poisson = np.flatnonzero(kinds == Constraint.POISSON)
        self._width = np.array([p.width for p in parameters], dtype=np.float64)
        self.background = background_fit(batch, self.counts[:, None])
        self.background_rates = self.evaluator.rates(
            self.background.theta, np.zeros(1), np.zeros((len(batch.shape), 1))
        )
        n = len(batch)
        self.free = free_fits(
            batch,
            np.arange(n),
            np.repeat(self.counts[:, None], n, axis=1),
            self.background.take(np.zeros(n, dtype=np.intp)),
        )

    # -- pseudo-data -------------------------------------------------------------------------

    def _generators(self, mass: int) -> tuple[np.random.Generator, np.random.Generator]:
        """Return the generators of a mass: for signal + background and for background."""
        root = np.random.SeedSequence(self.seed, spawn_key=(int(self.places[mass]),))
        first, second = root.spawn(2)
        return np.random.default_rng(first), np.random.default_rng(second)

    def _throw(
        self, generator: np.random.Generator, rates: Array, theta: Array, toys: int
    ) -> _Ensemble:
        """Throw pseudo-data from rates (B,) and nuisance parameters (P,)."""
        uniform = generator.random((toys, len(rates))).T  # the first toys do not depend on `toys`
        counts = np.array(
            [_poisson_quantile(u, rate) for u, rate in zip(uniform, rates, strict=True)]
        )
        if self.ensemble == "aux-fixed" or not len(theta):
            unique, weight = np.unique(counts, axis=1, return_counts=True)
            return _Ensemble(unique, None, weight.astype(np.float64))
        extra = np.random.default_rng(generator.spawn(1)[0].bit_generator)
        normal = extra.standard_normal((toys, len(theta))).T
        auxiliary = np.zeros((len(theta), toys))
        auxiliary[self._gaussian] = (
            theta[self._gaussian, None] + self._width[self._gaussian, None] * normal[self._gaussian]
        )
        for p in self._poisson:
            auxiliary[p] = _poisson_quantile(special.ndtr(normal[p]), self._width[p] * theta[p])
        return _Ensemble(counts, auxiliary, np.ones(toys))

    def _free(self, mass: int, data: _Ensemble) -> Fit:
        """Fit pseudo-data with nu free."""
        n = len(data.weight)
        parts = []
        for first in range(0, n, _SLICE):
            part = slice(first, first + _SLICE)
            counts = data.counts[:, part]
            auxiliary = None if data.auxiliary is None else data.auxiliary[:, part]
            background = background_fit(self.batch, counts, auxiliary)
            every = np.full(counts.shape[1], mass)
            parts.append(free_fits(self.batch, every, counts, background, auxiliary))
        return Fit(
            np.concatenate([p.theta for p in parts], axis=1),
            np.concatenate([p.nu for p in parts]),
            np.concatenate([p.value for p in parts]),
            np.concatenate([p.converged for p in parts]),
        )

    def _statistics(self, mass: int, nu: float, data: _Ensemble, free: Fit, start: Array) -> Array:
        """Return qtilde of pseudo-data; zero without a fit where the best nu is larger."""
        q = np.where(free.converged, 0.0, np.nan)
        todo = np.flatnonzero(free.converged & (free.nu <= nu))
        for first in range(0, len(todo), _SLICE):
            some = todo[first : first + _SLICE]
            auxiliary = None if data.auxiliary is None else data.auxiliary[:, some]
            points = self.batch.points(np.full(len(some), mass), data.counts[:, some], auxiliary)
            strength = np.full(len(some), nu)
            fit = self.fitter.fit(points, strength, free_signal=False, start=start[:, None])
            q[some] = qtilde(self.batch, points, strength, fit, free.value[some], free.nu[some])
        return q

    # -- CLs ---------------------------------------------------------------------------------

    def _cls(self, mass: int, nu: float, toys: int, cache: _Cache) -> _Cls:
        """Evaluate both ensembles at one signal strength."""
        points = self.batch.points(np.array([mass]), self.counts[:, None])
        strength = np.array([nu])
        fit = self.fitter.fit(points, strength, free_signal=False)
        free = self.free
        q_observed = qtilde(self.batch, points, strength, fit, free.value[[mass]], free.nu[[mass]])[
            0
        ]
        theta = fit.theta[:, 0]
        rates = self.evaluator.rates(fit.theta, strength, points.signal)[:, 0]
        with_signal, without = self._generators(mass)
        if toys not in cache:
            data = self._throw(
                without, self.background_rates[:, 0], self.background.theta[:, 0], toys
            )
            cache[toys] = (data, self._free(mass, data))
        background, background_free = cache[toys]
        signal = self._throw(with_signal, rates, theta, toys)
        return _Cls(
            float(q_observed),
            self._statistics(mass, nu, signal, self._free(mass, signal), theta),
            signal.weight,
            self._statistics(mass, nu, background, background_free, self.background.theta[:, 0]),
            background.weight,
        )

    def cls_values(self, nu: Array, mass: Index, *, expected: bool) -> tuple[Array, Array]:
        """Return the observed CLs, shape (N,), and the expected ones, shape (5, N)."""
        observed, bands = np.empty(len(nu)), np.full((5, len(nu)), np.nan)
        caches: dict[int, _Cache] = {}
        for i, (strength, m) in enumerate(zip(nu.tolist(), mass.tolist(), strict=True)):
            found = self._cls(m, strength, self.toys, caches.setdefault(m, {}))
            observed[i] = found.observed()
            if expected:
                bands[:, i] = [found.expected(float(order)) for order in BAND_ORDER]
        return observed, bands

    def discovery_p_values(self, q0: Array) -> Array:
        """Return the fraction of background toys with at least the given q0, shape (M,)."""
        answer = np.ones(len(q0))
        for mass in np.flatnonzero(q0 > _TIE):
            _, without = self._generators(int(mass))
            data = self._throw(
                without, self.background_rates[:, 0], self.background.theta[:, 0], self.toys
            )
            background = background_fit(self.batch, data.counts, data.auxiliary)
            free = self._free(int(mass), data)
            thrown = 2.0 * (background.value - free.value)
            if not (free.converged.all() and background.converged.all()):
                answer[mass] = np.nan
                continue
            extreme = data.weight[thrown >= q0[mass] - _TIE].sum()
            answer[mass] = extreme / data.weight.sum()
        return answer

    def limits(self, alpha: float, wanted: Sequence[int]) -> tuple[Array, NDArray[np.int8], Array]:
        """Return where CLs = alpha, in ln(signal events).

        Parameters
        ----------
        alpha
            1 - confidence level.
        wanted
            Which limits: 0 is the observed one, 1 to 5 are the expected ones in `BAND_ORDER`.

        Returns
        -------
        tuple
            Positions and states of the root finder, shape (6, M), and the relative statistical
            error of the observed limit, shape (M,).
        """
        n = len(self.batch)
        x = np.full((6, n), np.nan)
        state = np.zeros((6, n), dtype=np.int8)
        error = np.full(n, np.nan)
        guess = np.log(first_guess(self.batch, self.counts, self.background_rates[:, 0]))
        for mass in range(n):
            cache: _Cache = {}
            for which in wanted:
                x[which, mass], state[which, mass] = self._solve(
                    mass, guess[mass], alpha, which, cache
                )
                if which == 0 and state[0, mass] == BRACKETED:
                    error[mass] = self._error(mass, x[0, mass], cache)
        return x, state, error

    def _error(self, mass: int, x: float, cache: _Cache) -> float:
        """Return the statistical error of the observed limit's logarithm."""
        span, some = 0.15, min(self.toys, _FOR_SLOPE)
        low, high = (
            self._cls(mass, math.exp(x + side), some, cache).observed() for side in (-span, span)
        )
        here = self._cls(mass, math.exp(x), self.toys, cache).relative_error()
        if not (math.isfinite(low) and math.isfinite(high) and low > high > 0.0):
            return math.nan
        return here * 2.0 * span / math.log(low / high)

    def _solve(
        self, mass: int, guess: float, alpha: float, which: int, cache: _Cache
    ) -> tuple[float, int]:
        """Solve CLs = alpha; return position and state."""

        def function(toys: int) -> Function:
            def log_ratio(x: Array, _: Index) -> Array:
                found = [self._cls(mass, math.exp(p), toys, cache) for p in x.tolist()]
                values = [
                    f.observed() if which == 0 else f.expected(float(BAND_ORDER[which - 1]))
                    for f in found
                ]
                with np.errstate(divide="ignore"):
                    return np.asarray(np.log(np.array(values)) - math.log(alpha), dtype=np.float64)

            return log_ratio

        first = min(self.toys, _PILOT)
        start = np.array([guess + 0.2 * max(which - 3, 0)])
        pilot = find_roots(function(first), start - 0.3, start + 0.3, tolerance=0.01)
        if pilot.state[0] != BRACKETED:
            return math.nan, int(pilot.state[0])
        span = 0.15
        around = function(first)(pilot.x[0] + np.array([-span, span]), np.arange(2))
        slope = float((around[0] - around[1]) / (2.0 * span))
        if not (np.isfinite(slope) and slope > 0.05):
            slope = 1.0
        # statistical uncertainty of the pilot, and a tolerance well below that of all toys
        width = max(3.0 / (math.sqrt(first * alpha) * slope), 0.01)
        tolerance = min(0.05 / (math.sqrt(self.toys * alpha) * slope), 0.003)
        if first == self.toys:
            width = 0.02
        roots = find_roots(
            function(self.toys), pilot.x - width, pilot.x + width, tolerance=tolerance
        )
        return float(roots.x[0]), int(roots.state[0])


@dataclass(slots=True)
class _Cls:
    """Test statistics of both ensembles at one signal strength."""

    q_observed: float
    signal: Array
    signal_weight: Array
    background: Array
    background_weight: Array

    def _ratio(self, threshold: float) -> float:
        if (
            not np.isfinite(threshold)
            or np.isnan(self.signal).any()
            or np.isnan(self.background).any()
        ):
            return math.nan
        signal = self.signal_weight[self.signal >= threshold - _TIE].sum()
        background = self.background_weight[self.background >= threshold - _TIE].sum()
        if background == 0.0:  # no toy is as extreme: CLb is not known
            return math.nan
        total = self.signal_weight.sum() / self.background_weight.sum()
        return float(signal / background / total)

    def observed(self) -> float:
        """Return CLs of the observed data."""
        return self._ratio(self.q_observed)

    def expected(self, order: float) -> float:
        """Return CLs at the Phi(order) quantile of the background toys."""
        if np.isnan(self.background).any():
            return math.nan
        ranked = np.argsort(-self.background, kind="stable")
        summed = np.cumsum(self.background_weight[ranked])
        wanted = float(special.ndtr(order)) * summed[-1]
        at = min(int(np.searchsorted(summed, wanted - 1e-9)), len(ranked) - 1)
        return self._ratio(float(self.background[ranked[at]]))

    def relative_error(self) -> float:
        """Return the statistical error of ln CLs of the observed data."""
        parts = []
        for q, weight in (
            (self.signal, self.signal_weight),
            (self.background, self.background_weight),
        ):
            total = weight.sum()
            p = weight[q >= self.q_observed - _TIE].sum() / total
            parts.append((1.0 - p) / max(p * total, 1.0))
        return math.sqrt(sum(parts))


def _poisson_quantile(uniform: Array, rate: float) -> Array:
    """Return the Poisson quantiles of uniform random numbers."""
    if rate <= 0.0:
        return np.zeros(len(uniform))
    spread = 10.0 * math.sqrt(rate) + 30.0
    low = max(0, math.floor(rate - spread))
    steps = np.arange(low, math.ceil(rate + spread) + 1)
    cumulative = special.pdtr(steps, rate)
    return np.asarray(low + np.searchsorted(cumulative, uniform), dtype=np.float64)
