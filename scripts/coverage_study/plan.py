"""What is computed for the page of coverage, how, and with how many pseudo-experiments."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts.coverage_study.experiments import METHODS, Experiment, throw, thrown_coverage
from scripts.coverage_study.sums import intervals, ordered_coverage, summed_coverage

#: true signal events; the second where an experiment takes a hundredth of a second and more
STRENGTHS: Final = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
FEW_STRENGTHS: Final = (2.0, 4.0, 8.0)
UNCERTAINTIES: Final = (0.0, 0.1, 0.3)
BACKGROUNDS: Final[Mapping[int, tuple[float, ...]]] = {1: (0.0, 0.5, 3.0), 3: (0.5, 3.0)}
#: pseudo-experiments with one bin and with three
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "exact": (5000, 5000),
    "asymptotic": (5000, 5000),
    "feldman-cousins": (2000, 300),
    "bayesian": (300, 300),
    "toys, aux-fixed": (1000, 500),
    "toys, aux-fluctuated": (300, 300),
}
#: what a sum over three bins leaves out, and counts as containing the truth
LEFT_OUT: Final[Mapping[str, float]] = {
    "asymptotic": 1e-6,
    "bayesian": 1e-6,
    "exact": 1e-4,
    "toys, aux-fixed": 1e-4,
}
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Task:
    """A coverage to compute; in one bin with fixed auxiliary data, the intervals of all counts.

    Attributes
    ----------
    thrown
        Whether auxiliary data are thrown with the counts.
    how
        ``intervals``, ``ordered``, ``summed`` or ``pseudo-experiments``.
    """

    thrown: bool
    experiment: Experiment
    method: str
    mu: float
    how: str

    @property
    def key(self) -> str:
        """Its name in the store."""
        e = self.experiment
        truth = "thrown" if self.thrown else "fixed"
        where = "" if self.how == "intervals" else f" mu={self.mu:g}"
        return f"{truth} bins={e.bins} u={e.uncertainty:g} b={e.background:g}{where} {self.method}"

    def compute(self) -> Any:
        """Return the intervals, or the coverage and its binomial error (0 for sums)."""
        e, name = self.experiment, self.method
        if self.how == "intervals":
            return intervals(e, name)
        if self.how == "ordered":
            return [ordered_coverage(e, name, self.mu), 0.0]
        if self.how == "summed":
            return [summed_coverage(e, name, self.mu, LEFT_OUT[name]), 0.0]
        number = NUMBERS[name][e.bins > 1]
        data = throw(e, self.mu, number, SEED, auxiliary=self.thrown)
        covered, number = thrown_coverage(e, name, self.mu, data)
        return [covered / number, binomial_error(covered, number)]


def binomial_error(covered: int, number: int) -> float:
    """Return the standard error of a fraction, of (k + 1) / (n + 2) so that it is never zero."""
    p = (covered + 1.0) / (number + 2.0)
    return math.sqrt(p * (1.0 - p) / number)


def experiments(bins: int, *, certain: bool) -> Iterator[Experiment]:
    """Yield the grid of uncertainties and backgrounds, without uncertainties or with them."""
    for u in UNCERTAINTIES[:1] if certain else UNCERTAINTIES[1:]:
        for b in BACKGROUNDS[bins]:
            yield Experiment(bins, u, b)


def tasks() -> Iterator[Task]:
    """Yield everything there is to compute."""
    for certain in (True, False):
        for e in experiments(1, certain=certain):
            for name in METHODS:
                if certain and name == "toys, aux-fluctuated":
                    continue  # nothing to fluctuate
                yield Task(False, e, name, 0.0, "intervals")
    for e in experiments(3, certain=True):
        for name in ("exact", "feldman-cousins", "asymptotic", "bayesian"):
            how = "ordered" if name in ("exact", "feldman-cousins") else "summed"
            for mu in STRENGTHS:
                yield Task(False, e, name, mu, how)
    for bins in (1, 3):
        for e in experiments(bins, certain=False):
            for name in ("exact", "asymptotic"):
                for mu in STRENGTHS:
                    yield Task(True, e, name, mu, "pseudo-experiments")
    for name in ("feldman-cousins", "toys, aux-fixed", "toys, aux-fluctuated", "bayesian"):
        for bins in (1, 3):
            for e in experiments(bins, certain=False):
                for mu in FEW_STRENGTHS:
                    yield Task(True, e, name, mu, "pseudo-experiments")
    for name in ("asymptotic", "exact", "toys, aux-fixed"):
        for e in experiments(3, certain=False):
            for mu in STRENGTHS if name == "asymptotic" else FEW_STRENGTHS:
                yield Task(False, e, name, mu, "summed")
    for name in ("feldman-cousins", "toys, aux-fluctuated", "bayesian"):
        for e in experiments(3, certain=False):
            for mu in FEW_STRENGTHS:
                yield Task(False, e, name, mu, "pseudo-experiments")


def compute(store: Path | None) -> dict[str, Any]:
    """Compute what is not in the store yet; return it by `Task.key`."""
    known: dict[str, Any] = {}
    if store is not None and store.exists():
        known = json.loads(store.read_text(encoding="utf-8"))
    for task in tasks():
        if task.key in known:
            continue
        begin = time.process_time()
        known[task.key] = task.compute()
        seconds = time.process_time() - begin
        print(f"{task.key}: {seconds:.1f} s", file=sys.stderr, flush=True)
        if store is not None:
            store.write_text(json.dumps(known), encoding="utf-8")
    return known
