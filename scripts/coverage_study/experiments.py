"""Experiments whose truth is known, and whether the limits of every method contain it.

The signal is counted in events, so that a signal strength of mu is mu expected events. An
experiment has one bin or three; the efficiency of the signal is one nuisance parameter of all bins,
the background of every bin has its own. All have the same relative uncertainty u, log-normal
(hi = 1 + u, lo = 1 / (1 + u)) with a Gaussian auxiliary measurement of unit width.

Log-normal factors multiply: true nuisance parameters theta, with auxiliary data measured around
them, are the experiment in which the signal and the backgrounds are (1 + u)^theta as large and the
true parameters are zero. Other true values are therefore other points of the grid of signals and
backgrounds, and zero is the only one that is needed: exactly so with the interpolation code 1,
which is used here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from na64.limits.calculators.coverage import Experiments, experiment_p_values, p_values_at
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import (
    Asymptotic,
    Bayesian,
    Exact,
    FeldmanCousins,
    Toys,
)
from na64.limits.calculators.status import Status
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch, compile_workspace

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL: Final = 0.9
ALPHA: Final = 1.0 - LEVEL
#: toys per hypothesis, and points of an integral over more than three nuisance parameters
TOYS: Final = 1000
SAMPLES: Final = 256
METHODS: Final[Mapping[str, Calculator]] = {
    "exact": Exact(),
    "toys, aux-fixed": Toys(toys=TOYS),
    "toys, aux-fluctuated": Toys(toys=TOYS, ensemble="aux-fluctuated"),
    "asymptotic": Asymptotic(),
    "feldman-cousins": FeldmanCousins(),
    "bayesian": Bayesian(samples=SAMPLES),
}
#: shares of the background and of the signal by the number of bins
SHARES: Final = {
    1: ((1.0,), (1.0,)),
    3: ((0.10, 0.33, 0.57), (0.45, 0.33, 0.22)),
}


@dataclass(frozen=True, slots=True)
class Experiment:
    """Bins, relative uncertainty of everything, and background events in all bins together."""

    bins: int
    uncertainty: float
    background: float

    def rates(self, mu: float) -> Array:
        """Return the true expected counts with mu signal events, shape (B,)."""
        background, signal = SHARES[self.bins]
        return self.background * np.array(background) + mu * np.array(signal)

    def likelihood(self) -> CompiledLikelihood:
        """Return the likelihood of its counts and auxiliary data."""
        own = range(self.bins)
        channels = [
            {
                "name": f"bin_{i}",
                "samples": [
                    {
                        "name": "signal",
                        "data": [SHARES[self.bins][1][i]],
                        "modifiers": [
                            {"name": "mu", "type": "normfactor", "data": None},
                            *self._uncertain("efficiency"),
                        ],
                    },
                    {
                        "name": "background",
                        "data": [self.background * SHARES[self.bins][0][i]],
                        "modifiers": self._uncertain(f"background_{i}"),
                    },
                ],
            }
            for i in own
        ]
        spec = {
            "channels": channels,
            "observations": [{"name": f"bin_{i}", "data": [0.0]} for i in own],
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0",
        }
        return compile_workspace(spec, normsys_code="code1", validate=False)

    def _uncertain(self, name: str) -> list[dict[str, Any]]:
        if not self.uncertainty:
            return []
        high = 1.0 + self.uncertainty
        return [{"name": name, "type": "normsys", "data": {"hi": high, "lo": 1.0 / high}}]


def contained(
    likelihood: CompiledLikelihood,
    method: Calculator,
    mu: Array,
    counts: Array,
    auxiliary: Array | None = None,
    keys: Array | None = None,
) -> Flags:
    """Tell whether E experiments with the same counts allow a strength.

    Parameters
    ----------
    likelihood
        Of the experiment.
    method
        Calculator.
    mu
        Strengths, positive, shape (E,).
    counts
        Main counts, shape (B,).
    auxiliary
        Auxiliary data, shape (P, E); those that are expected, zero, by default.
    keys
        One number per experiment that its random numbers depend on, shape (E,).

    Raises
    ------
    RuntimeError
        If a method has no number for an experiment.
    """
    p_value = p_values_at(_batch(likelihood), method, mu, counts, auxiliary, keys)
    return _allowed(p_value, method)


def _batch(likelihood: CompiledLikelihood) -> SignalBatch:
    return likelihood.inject(np.array([[SHARES[len(likelihood.bins)][1]]]))


def _allowed(p_value: Array, method: Calculator) -> Flags:
    if not np.all(np.isfinite(p_value)):
        raise RuntimeError(f"{method}: no p-value for some counts")
    return np.asarray(p_value > ALPHA)


def interval(
    likelihood: CompiledLikelihood, method: Calculator, counts: Array
) -> tuple[float, float]:
    """Return the edges of the allowed strengths, auxiliary data as expected; 0 for no lower one.

    Raises
    ------
    RuntimeError
        If there is no limit.
    """
    table = upper_limits(
        likelihood.batch(),
        calculator=method,
        confidence_level=LEVEL,
        expected=False,
        counts=counts,
    )
    if table.status[0] is not Status.OK:
        raise RuntimeError(f"{method}: {table.messages[0]} for counts {counts}")
    low = table.lower[0] if method.two_sided else 0.0
    return float(low), float(table.observed[0])


def throw(
    experiment: Experiment, mu: float, number: int, seed: int, *, auxiliary: bool
) -> tuple[Array, Array | None]:
    """Throw pseudo-experiments: counts, shape (number, B), and auxiliary data, shape (P, number).

    Both from the true rates and true nuisance parameters of zero; auxiliary data are measurements
    of these, normal with unit width, or None where they are not thrown. The first of them do not
    depend on how many there are, nor on the method: all methods see the same data.
    """
    names = (experiment.bins, experiment.uncertainty, experiment.background, mu)
    generator = np.random.default_rng([seed, *(round(100 * x) for x in names)])
    uniform = generator.random((number, experiment.bins))
    counts = np.asarray(stats.poisson.ppf(uniform, experiment.rates(mu)), dtype=np.float64)
    if not auxiliary:
        return counts, None
    other = np.random.default_rng(generator.spawn(1)[0].bit_generator)
    return counts, other.standard_normal((number, 1 + experiment.bins)).T


def thrown_coverage(
    experiment: Experiment, name: str, mu: float, thrown: tuple[Array, Array | None]
) -> tuple[int, int]:
    """Return how many pseudo-experiments of `throw` contain the truth, and how many there are."""
    likelihood, method = experiment.likelihood(), METHODS[name]
    counts, auxiliary = thrown
    own = None if auxiliary is None else _rows(likelihood, auxiliary)
    data = Experiments(counts.T, own, np.arange(len(counts), dtype=np.float64))
    p_value = experiment_p_values(_batch(likelihood), method, mu, data)
    return int(_allowed(p_value, method).sum()), len(counts)


def _rows(likelihood: CompiledLikelihood, auxiliary: Array) -> Array:
    """Return auxiliary data of the efficiency and of the backgrounds in the likelihood's order."""
    bins = len(likelihood.bins)
    order = {"efficiency": 0, **{f"background_{i}": 1 + i for i in range(bins)}}
    # without a background its uncertainty is no parameter
    return auxiliary[[order[name] for name in likelihood.parameter_names]]
