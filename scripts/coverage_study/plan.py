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
#: pseudo-experiments with one bin, with three and little background, and with three and more
NUMBERS: Final[Mapping[str, tuple[int, int, int]]] = {
    "exact": (5000, 5000, 1000),
    "asymptotic": (5000, 5000, 1000),
    "feldman-cousins": (1000, 200, 200),
    "bayesian": (100, 100, 100),
    "toys, aux-fixed": (500, 300, 300),
    "toys, aux-fluctuated": (200, 200, 200),
}
#: what a sum over three bins leaves out, and counts as containing the truth
LEFT_OUT: Final[Mapping[str, float]] = {
    "asymptotic": 1e-6,
    "bayesian": 1e-6,
    "exact": 1e-4,
    "toys, aux-fixed": 1e-4,
}
SEED: Final = 1
#: methods of which an experiment takes a hundredth of a second and more
_SLOW: Final = ("feldman-cousins", "toys, aux-fixed", "toys, aux-fluctuated", "bayesian")
_ANY_SIGNAL: Final = (0.0,)
#: background above which three bins with uncertainties are slow
_MUCH: Final = 1.0
#: auxiliary data thrown, bins, without uncertainties, how, methods, strengths: in the order in
#: which they are computed. Without uncertainties there are no auxiliary data to throw. With three
#: bins, uncertainties and three background events slow methods are left out.
_GROUPS: Final = (
    (False, 1, True, "intervals", [n for n in METHODS if n != _SLOW[2]], _ANY_SIGNAL),
    (False, 1, False, "intervals", list(METHODS), _ANY_SIGNAL),
    (False, 3, True, "ordered", ["exact", "feldman-cousins"], STRENGTHS),
    (False, 3, True, "summed", ["asymptotic", "bayesian"], STRENGTHS),
    (False, 3, True, "summed", ["toys, aux-fixed"], FEW_STRENGTHS),
    (True, 1, False, "pseudo-experiments", ["exact", "asymptotic"], STRENGTHS),
    (True, 3, False, "pseudo-experiments", ["exact", "asymptotic"], STRENGTHS),
    (True, 1, False, "pseudo-experiments", _SLOW, FEW_STRENGTHS),
    (True, 3, False, "pseudo-experiments", _SLOW, FEW_STRENGTHS),
    (False, 3, False, "summed", ["asymptotic", "exact", "toys, aux-fixed"], FEW_STRENGTHS),
    (False, 3, False, "pseudo-experiments", [_SLOW[0], *_SLOW[2:]], FEW_STRENGTHS),
)


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
        number = pseudo_experiments(name, e)
        data = throw(e, self.mu, number, SEED, auxiliary=self.thrown)
        covered, number = thrown_coverage(e, name, self.mu, data)
        return [covered / number, binomial_error(covered, number)]


def pseudo_experiments(name: str, e: Experiment) -> int:
    """Return how many pseudo-experiments are thrown for a method."""
    return NUMBERS[name][0 if e.bins == 1 else 1 + (e.background > _MUCH)]


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
    for thrown, bins, certain, how, methods, strengths in _GROUPS:
        for e in experiments(bins, certain=certain):
            slow = bins > 1 and not certain and e.background > _MUCH
            for name in methods:
                if slow and (name in _SLOW or not thrown):
                    continue
                for mu in strengths:
                    yield Task(thrown, e, name, mu, how)


def read(store: Path) -> dict[str, Any]:
    """Return what a store has."""
    return dict(json.loads(store.read_text(encoding="utf-8")))


def compute(store: Path | None) -> dict[str, Any]:
    """Compute what is not in the store yet; return it by `Task.key`."""
    known = read(store) if store is not None and store.exists() else {}
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
