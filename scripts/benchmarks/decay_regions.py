"""Time of a closed region of 60 masses: cold, with tables kept, and with the expected bands.

The observed region is found on the search's own grid, 40 couplings per decade, more than 200 in
all, and its edges are polished.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from na64.limits import exclude, expected_signal, specify
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.scanning.regions import excluded_regions
from na64.limits.scanning.signal import ExpectedSignal
from na64.models.signals import decay_in_flight
from na64.models.signals.rates import EventCurves
from na64.workspaces.io.cache import TableCache
from na64.workspaces.pyhf.write import workspace

__all__ = ["main"]

SEARCHES = {
    "na64e-alp-2016-2018": (1e-5, 10.0),
    "na64e-visible-2017-2018": (1e-5, 0.1),
    "na64e-semi-visible-2016-2018": (1e-5, 1.0),
}
COLD_S, CACHED_S = 20.0, 2.0


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return the wall time and the processor time of a call in seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def region(signal: ExpectedSignal, couplings: np.ndarray | None) -> object:
    """Return the observed region on a grid of couplings; that of the signal if None."""
    processes = signal.rates.processes
    spec = workspace(signal.template, np.ones((len(processes), len(signal.bins))), processes)
    likelihood = compile_workspace(spec, validate=False)
    samples = [f"signal_{name}" for name in processes]
    rows = [samples.index(name) for name in likelihood.signal_names]
    columns = [signal.bins.index(channel) for channel, _ in likelihood.bins]
    events = signal.accepted[:, :, rows][..., columns]
    signals = EventCurves.through(signal.rates.couplings, events)
    grid = signal.rates.couplings if couplings is None else couplings
    return excluded_regions(likelihood, signals, len(events), grid)


Times = tuple[float, float]


def measured(search: str, couplings: np.ndarray | None, masses: int) -> tuple[list[Times], Times]:
    """Return the times of the region, cold and with tables kept, and of that with five bands."""
    with tempfile.TemporaryDirectory() as folder:
        tables = TableCache(folder)

        def signal() -> ExpectedSignal:
            made = specify(search)
            chosen = np.linspace(0, len(made.masses_gev) - 1, masses).astype(int)
            return expected_signal(made.at(made.masses_gev[chosen]), tables=tables)

        results = []
        for _ in range(2):
            decay_in_flight._flux.cache_clear()
            results.append(timed(lambda: region(signal(), couplings)))
        return results, timed(lambda: exclude(signal()))


def main(argv: list[str] | None = None) -> int:
    """Print a table; exit code 1 if a region takes longer than required."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masses", type=int, default=60)
    parser.add_argument("--couplings", type=int, default=0, help="0 for the search's own grid")
    options = parser.parse_args(argv)
    slow = False
    print("| search | cold [s] | tables kept [s] | with five bands [s] |")
    print("|---|---|---|---|")
    for search, (low, high) in SEARCHES.items():
        couplings = np.geomspace(low, high, options.couplings) if options.couplings else None
        results, bands = measured(search, couplings, options.masses)
        slow |= results[0][1] > COLD_S or results[1][1] > CACHED_S
        cells = [f"{wall:.1f} ({cpu:.1f})" for wall, cpu in (*results, bands)]
        print(f"| {search} | {' | '.join(cells)} |")
    print("\nwall time (processor time of one core)")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
