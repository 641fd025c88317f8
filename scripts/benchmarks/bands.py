"""Order of the expected bands of random workspaces, and their agreement with a full enumeration.

Workspaces have two to four bins, some of them control bins without signal; nuisance parameters of
all kinds are shared between them (normsys, histosys), some rates have a staterror, and up to ten
events were seen per bin. Each has a few signals, spread over its bins at random, and each
signal five bands per method; a band below the one before is out of order. Workspaces that take more
processor time than allowed are left out, and counted. The full enumeration gives every dataset a
limit of its own and takes weighted quantiles.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import calculator
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.likelihood.compiled import (
    CompiledLikelihood,
    SignalBatch,
    compile_workspace,
)

__all__ = ["enumerated_bands", "main", "signals", "workspace"]

Array = NDArray[np.float64]

#: shared parameters of a workspace
SHARED = ("shared_0", "shared_1", "shared_2")


def _background(
    generator: np.random.Generator, rate: float, kinds: dict[str, str], sizes: dict[str, float]
) -> list[dict[str, Any]]:
    """Return the modifiers of a background; one in seven moves against the others."""
    modifiers: list[dict[str, Any]] = []
    for name in SHARED:
        if generator.random() > 0.6:
            continue
        u = (
            sizes[name]
            * generator.uniform(0.3, 1.0)
            * generator.choice([1.0, -0.6], p=[0.85, 0.15])
        )
        data: dict[str, Any] = {"hi": 1.0 + u, "lo": 1.0 / (1.0 + u)}
        if kinds[name] == "histosys":
            data = {"hi_data": [rate * (1.0 + u)], "lo_data": [rate * max(1.0 - u, 0.1)]}
        modifiers.append({"name": name, "type": kinds[name], "data": data})
    return modifiers


def workspace(
    seed: int, largest: float = 3.0, most_bins: int = 4, most_seen: int = 10
) -> dict[str, Any]:
    """Return a random workspace.

    Parameters
    ----------
    seed
        Of the random numbers.
    largest
        Largest total background of the signal bins; the size of the ensemble grows with it.
    most_bins, most_seen
        Largest number of bins, two or more, and of events observed in one.
    """
    generator = np.random.default_rng([seed, 11])
    bins = int(generator.integers(2, most_bins + 1))
    total = largest * generator.choice([0.1, 0.3, 1.0])
    background = np.maximum(total * generator.dirichlet(np.ones(bins)), 0.02)
    signal = generator.dirichlet(np.ones(bins))
    control = generator.random(bins) < 0.3
    control[int(np.argmax(signal))] = False
    signal[control] = 0.0
    background[control] = generator.uniform(0.2, 0.6, int(control.sum())) * largest
    kinds = {name: str(generator.choice(["normsys", "histosys"])) for name in SHARED}
    sizes = {name: float(generator.uniform(0.1, 0.8)) for name in SHARED}
    efficiency = {"name": "efficiency", "type": "normsys", "data": {"hi": 1.15, "lo": 1.0 / 1.15}}
    channels, observations = [], []
    for i in range(bins):
        rate = float(background[i])
        modifiers = _background(generator, rate, kinds, sizes)
        if generator.random() < 0.4:
            error = rate * float(generator.uniform(0.05, 0.4))
            modifiers.append({"name": f"statistics_{i}", "type": "staterror", "data": [error]})
        on_signal: list[dict[str, Any]] = [{"name": "mu", "type": "normfactor", "data": None}]
        if generator.random() < 0.7:
            on_signal.append(efficiency)
        samples = [
            {"name": "signal", "data": [float(signal[i] / signal.sum())], "modifiers": on_signal},
            {"name": "background", "data": [rate], "modifiers": modifiers},
        ]
        seen = float(min(generator.poisson(rate * generator.uniform(0.5, 1.8)), most_seen))
        channels.append({"name": f"bin_{i}", "samples": samples})
        observations.append({"name": f"bin_{i}", "data": [seen]})
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def signals(seed: int, likelihood: CompiledLikelihood, number: int) -> SignalBatch:
    """Return signals of a workspace: its own, and others in the same bins.

    Parameters
    ----------
    seed
        Of the random numbers.
    likelihood
        The workspace.
    number
        How many.
    """
    generator = np.random.default_rng([seed, 12])
    own = likelihood.model.nominal[likelihood.model.is_signal]
    rates = np.repeat(own[None, :], number, axis=0)
    has = np.flatnonzero(own > 0.0)
    rates[1:, has] = generator.dirichlet(np.ones(len(has)), number - 1)
    return likelihood.make_batch(rates)


class _OverTimeError(Exception):
    """A workspace takes more processor time than it may."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise `_OverTimeError` after some seconds of processor time."""

    def stop(*_: object) -> None:
        raise _OverTimeError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


class _Enumerated:
    """CLs of all datasets that have a probability without a signal, at any strength."""

    def __init__(self, batch: SignalBatch) -> None:
        self.batch, self.fitter = batch, batch.likelihood.fitter
        self.evaluator = self.fitter.problem(False).evaluator
        self.one = self.batch.points(np.zeros(1, int), batch.likelihood.observed[:, None])
        rates = self._rates(0.0)
        axes = [range(int(stats.poisson.isf(1e-7, rate)) + 3) for rate in rates]
        counts = np.array(list(itertools.product(*axes)), dtype=np.float64).T
        probability = np.prod(stats.poisson.pmf(counts, rates[:, None]), axis=0)
        kept = probability > 1e-9
        self.counts, self.probability = counts[:, kept], probability[kept]
        n = int(kept.sum())
        self.points = batch.points(np.zeros(n, int), self.counts)
        tries = [
            self.fitter.fit(self.points, np.full(n, x), free_signal=True) for x in (0.0, 1.0, 10.0)
        ]
        best = np.argmin([fit.value for fit in tries], axis=0)
        self.value = np.array([fit.value for fit in tries])[best, np.arange(n)]
        self.best = np.array([fit.nu for fit in tries])[best, np.arange(n)]
        self.known: dict[float, Array] = {}

    def _rates(self, nu: float) -> Array:
        strength = np.array([nu])
        fit = self.fitter.fit(self.one, strength, free_signal=False)
        return self.evaluator.rates(fit.theta, strength, self.one.signal)[:, 0]

    def cls(self, nu: float) -> Array:
        """Return CLs of every dataset, ranked by qtilde."""
        if nu not in self.known:
            n = len(self.value)
            fit = self.fitter.fit(self.points, np.full(n, nu), free_signal=False)
            q = np.where(self.best > nu, 0.0, np.maximum(2.0 * (fit.value - self.value), 0.0))
            signal = np.prod(stats.poisson.pmf(self.counts, self._rates(nu)[:, None]), axis=0)
            order = np.argsort(-q, kind="stable")
            until = np.searchsorted(-q[order], -q[order] + 1e-8, side="right") - 1
            cls = np.empty(n)
            sums = (np.cumsum(signal[order]), np.cumsum(self.probability[order]))
            cls[order] = sums[0][until] / sums[1][until]
            self.known[nu] = np.where(q <= 1e-8, 1.0, cls)
        return self.known[nu]


def enumerated_bands(batch: SignalBatch, alpha: float, low: float, high: float) -> Array:
    """Return the quantiles of the limits of all datasets in signal events, shape (5,).

    A dataset is excluded from where its CLs stays at or below alpha up to `high`.

    Parameters
    ----------
    batch
        One signal.
    alpha
        1 - confidence level.
    low, high
        Signal events below and above all bands.
    """
    ensemble = _Enumerated(batch)
    first = np.geomspace(low, high, int(np.log(high / low) / 0.02) + 2)
    bands = []
    for level in special.ndtr(np.array(BAND_ORDER, float)):
        nodes = first
        for _ in range(3):
            excluded = np.array([ensemble.cls(nu) <= alpha for nu in nodes])
            stays = np.minimum.accumulate(excluded[::-1], axis=0)[::-1]
            at = int(np.argmax(stays @ ensemble.probability >= level - 1e-9))
            fine = np.geomspace(nodes[at - 1], nodes[at], 25)
            answer, nodes = nodes[at], np.concatenate([fine, first[first > nodes[at]]])
        bands.append(answer)
    return np.array(bands)


def main(argv: list[str] | None = None) -> int:
    """Count the bands out of order; exit code 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=200, help="how many")
    parser.add_argument("--signals", type=int, default=10, help="per workspace, five bands each")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--largest", type=float, default=1.0, help="largest total background")
    parser.add_argument("--bins", type=int, default=3, help="largest number of bins")
    parser.add_argument("--seen", type=int, default=6, help="largest observed count")
    parser.add_argument("--toys", type=int, default=500, help="toys per hypothesis")
    parser.add_argument("--seconds", type=float, default=20.0, help="of a workspace, CPU")
    parser.add_argument("--methods", default="exact,toys", help="separated by commas")
    options = parser.parse_args(argv)
    return int(sum(_count(method, options) for method in options.methods.split(",")) > 0)


def _count(method: str, options: argparse.Namespace) -> int:
    """Count and print the bands out of order of one method."""
    used = calculator(method, **({"toys": options.toys} if method in ("auto", "toys") else {}))
    start = time.process_time()
    bands = reversed_ = missing = left_out = 0
    worst = 0.0
    for seed in range(options.first, options.first + options.workspaces):
        made = workspace(seed, options.largest, options.bins, options.seen)
        likelihood = compile_workspace(made, validate=False)
        batch, seen = signals(seed, likelihood, options.signals), likelihood.observed
        try:
            with _at_most(options.seconds):
                table = upper_limits(batch, calculator=used, observed=False, counts=seen)
        except _OverTimeError:
            left_out += 1
            continue
        bands += table.expected.size
        missing += int(np.isnan(table.expected).sum())
        fall = 1.0 - table.expected[1:] / table.expected[:-1]
        reversed_ += int((fall > 0.0).sum())
        worst = max(worst, float(np.nanmax(fall, initial=0.0)))
    print(
        f"{method}: {bands} bands, {reversed_} out of order (largest {100.0 * worst:.2g} %), "
        f"{missing} without a limit, {left_out} workspaces left out after {options.seconds:g} s, "
        f"{time.process_time() - start:.0f} s",
        flush=True,
    )
    return reversed_
