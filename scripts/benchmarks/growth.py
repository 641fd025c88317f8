"""How cost grows: processor time and memory against masses, bins, nuisances, counts and points.

Every measurement is a process of its own, which first computes the smallest size, so that what is
loaded and tabulated once is not counted. Its processor seconds are told, and its peak of memory
beside that before. Results are kept in the
FILE of --store, one line of JSON each, and taken up again from there; scripts/make_growth draws
them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Asymptotic, Auto, Exact
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.scanning.request import specify
from na64.limits.scanning.runner import run

__all__ = ["PLAN", "main"]

#: what grows, for which case, and its sizes
PLAN: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    ("masses", "na64mu-2022"): (10, 100, 1000, 10_000),
    ("masses", "na64e-2016-2022"): (10, 100, 300, 1000),
    ("masses", "na64e-alp-2016-2018"): (10, 100, 300, 1000),
    ("bins", "exact"): (1, 2, 3, 4, 5, 6),
    ("bins", "exact, refused"): (10, 20, 50, 100, 200),
    ("bins", "auto"): (1, 3, 5, 20, 100, 200),
    ("bins", "asymptotic"): (1, 3, 10, 30, 100, 200),
    ("nuisances", "asymptotic"): (1, 3, 10, 30, 100, 300),
    ("counts", "auto, one bin"): (1, 10, 100, 1000, 10_000, 100_000),
    ("counts", "auto, two bins"): (1, 10, 100, 1000),
    ("points", "na64mu-2022, one mass each"): (1, 10, 100, 1000),
}
#: ranges of masses of the searches, in GeV
_RANGES: Final = {
    "na64mu-2022": (1e-3, 1.0),
    "na64e-2016-2022": (1e-3, 1.0),
    "na64e-alp-2016-2018": (1e-3, 0.1),
}
#: nuisances of the background of one case, in bins of ten events
_BINS_OF_NUISANCES: Final = 10


def counting(backgrounds: np.ndarray, observed: np.ndarray, nuisances: int) -> SignalBatch:
    """Return bins of unequal signals with nuisances of 10 %, one after another on all bins."""
    u: Any = {"hi": 1.1, "lo": 1.0 / 1.1}
    owned: list[list[dict[str, Any]]] = [[] for _ in backgrounds]
    for i in range(nuisances):
        owned[i % len(backgrounds)].append({"name": f"n{i}", "type": "normsys", "data": u})
    channels = [
        {
            "name": f"c{i}",
            "samples": [
                {
                    "name": "s",
                    "data": [1.0 + i / len(backgrounds)],
                    "modifiers": [
                        {"name": "mu", "type": "normfactor", "data": None},
                        {"name": "efficiency", "type": "normsys", "data": u},
                    ],
                },
                {"name": "b", "data": [float(b)], "modifiers": owned[i]},
            ],
        }
        for i, b in enumerate(backgrounds)
    ]
    document = {
        "channels": channels,
        "observations": [
            {"name": f"c{i}", "data": [float(n)]} for i, n in enumerate(observed.tolist())
        ],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return compile_workspace(document, validate=False).batch()


def _masses(search: str, size: int) -> Callable[[], object]:
    low, high = _RANGES[search]
    made = specify(search, masses_gev=np.geomspace(low, high, size), grid="fixed")
    return lambda: run(made)


def _bins(case: str, size: int) -> Callable[[], object]:
    method = {"exact": Exact, "exact, refused": Exact, "auto": Auto, "asymptotic": Asymptotic}[case]
    backgrounds = np.full(size, 20.0 if case == "asymptotic" else 0.5)
    batch = counting(backgrounds, np.round(backgrounds), size)
    if case != "exact, refused":
        return lambda: upper_limits(batch, calculator=method())

    def refused() -> None:
        try:
            upper_limits(batch, calculator=method())
        except ValueError:
            return
        raise SystemExit(f"{size} bins were not refused")

    return refused


def _nuisances(case: str, size: int) -> Callable[[], object]:
    backgrounds = np.full(_BINS_OF_NUISANCES, 10.0)
    batch = counting(backgrounds, backgrounds, size)
    return lambda: upper_limits(batch, calculator=Asymptotic())


def _counts(case: str, size: int) -> Callable[[], object]:
    bins = {"auto, one bin": 1, "auto, two bins": 2}[case]
    backgrounds = np.full(bins, float(size))
    batch = counting(backgrounds, backgrounds, bins)
    return lambda: upper_limits(batch, calculator=Auto())


def _points(case: str, size: int) -> Callable[[], object]:
    search = case.split(",")[0]
    low, high = _RANGES[search]
    made = [
        specify(search, masses_gev=np.array([mass]), grid="fixed")
        for mass in np.geomspace(low, high, size)
    ]
    return lambda: [run(one) for one in made]


_CASES: Final[dict[str, Callable[[str, int], Callable[[], object]]]] = {
    "masses": _masses,
    "bins": _bins,
    "nuisances": _nuisances,
    "counts": _counts,
    "points": _points,
}


def measure(what: str, case: str, size: int) -> dict[str, Any]:
    """Return processor seconds, and peak memory beside that before the computation, in MB."""
    _CASES[what](case, PLAN[what, case][0])()
    compute = _CASES[what](case, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    begin = time.process_time()
    compute()
    spent = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "what": what, "case": case, "size": size, "seconds": spent, "base": before, "peak": peak,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Measure what is not in the store yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True, metavar="FILE")
    parser.add_argument("--only", help="what grows: masses, bins, nuisances, counts or points")
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "CASE", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(measure(options.one[0], options.one[1], int(options.one[2]))))
        return 0
    store: Path = options.store
    lines = store.read_text(encoding="utf-8").splitlines() if store.exists() else []
    known = {(row["what"], row["case"], row["size"]) for row in map(json.loads, lines)}
    for (what, case), sizes in PLAN.items():
        for size in sizes if options.only in (None, what) else ():
            if (what, case, size) in known:
                continue
            words = ["--store", str(store), "--one", what, case, str(size)]
            command = [sys.executable, str(Path(__file__).resolve()), *words]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            with store.open("a", encoding="utf-8") as file:
                file.write(done.stdout)
            print(done.stdout.strip(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
