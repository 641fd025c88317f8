"""`auto` on larger and larger data: what it uses, how long it takes, and a long run of toys.

The default search as it is, its combination with positrons and muons, and its exposures,
backgrounds and data times ten and a hundred; one and two bins of large counts. Each is compared
with a run of the same ensemble with other random numbers and ten times as many toys, where `auto`
throws some, and the peak of memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any, Final

import numpy as np

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import Auto
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.likelihood.sums import add_rows
from na64.limits.scanning.request import specify
from na64.limits.scanning.signal import expected_signal
from na64.workspaces.io.cache import TableCache
from na64.workspaces.pyhf.write import workspace

__all__ = ["main"]

SEARCH: Final = "na64e-2016-2022"
TOGETHER: Final = (SEARCH, "na64e-positron-2022", "na64mu-2022")


def batch_of(searches: tuple[str, ...], factor: int, mass_gev: float) -> SignalBatch:
    """Return the signal of searches at one mass, exposure and background times a factor."""
    grown = (f"bins.*.exposure*={factor}", f"bins.*.background*={factor}") if factor > 1 else ()
    made = specify(list(searches), overrides=grown, masses_gev=[mass_gev])
    signal = expected_signal(made, tables=TableCache())
    per_unit = signal.at_coupling(1.0)
    events = per_unit / add_rows(per_unit.reshape(1, -1).T)[:, None, None]
    document = workspace(signal.template, events[0], signal.rates.processes)
    return compile_workspace(document, validate=False).batch()


def counting(background: list[float], seen: list[float]) -> SignalBatch:
    """Return bins with one signal event in the first, half a one in others, 10 % uncertainties."""
    u: Any = {"hi": 1.1, "lo": 1.0 / 1.1}
    channels: list[dict[str, Any]] = []
    for i, b in enumerate(background):
        modifiers = [{"name": "mu", "type": "normfactor", "data": None}]
        modifiers.append({"name": "efficiency", "type": "normsys", "data": u})
        own = [{"name": f"b{i}", "type": "normsys", "data": u}]
        samples = [
            {"name": "s", "data": [0.5 if i else 1.0], "modifiers": modifiers},
            {"name": "b", "data": [b], "modifiers": own},
        ]
        channels.append({"name": f"c{i}", "samples": samples})
    document = {
        "channels": channels,
        "observations": [{"name": f"c{i}", "data": [n]} for i, n in enumerate(seen)],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return compile_workspace(document, validate=False).batch()


def measure(name: str, batch: SignalBatch, counts: np.ndarray | None, check: int) -> dict[str, Any]:
    """Return the row of one case; `check` toys of other random numbers stand beside toys."""
    begin = time.process_time()
    found = upper_limits(batch, calculator=Auto(), counts=counts)
    spent = time.process_time() - begin
    row = {
        "case": name,
        "used": found.used[0],
        "observed": found.observed_events[0],
        "median": found.expected_events[2, 0],
        "error": 0.0
        if found.observed_error is None
        else float(np.nan_to_num(found.observed_error[0] / found.observed[0])),
        "seconds": spent,
        "check": float("nan"),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000.0,
    }
    if "toys" in found.used[0] and check:
        other = upper_limits(batch, calculator=Auto(toys=check, seed=2), counts=counts)
        row["check"] = other.observed_events[0]
    return row


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=int, default=0, help="toys of the long run; 0: none")
    check = parser.parse_args(argv).check
    rows = [
        measure("default search", batch_of((SEARCH,), 1, 0.1), None, check),
        measure("with positrons and muons", batch_of(TOGETHER, 1, 0.1), None, check),
    ]
    for factor in (10, 100):
        batch = batch_of((SEARCH,), factor, 0.1)
        counts = np.round(_background(batch))
        rows.append(measure(f"times {factor}", batch, counts, check))
    rows.append(measure("one bin of 20300", counting([20000.0], [20300.0]), None, check))
    for n in (100.0, 1000.0):
        batch = counting([n, n], [1.03 * n, 0.98 * n])
        rows += [measure(f"two bins of {n:g}", batch, None, check)]
    print("| case | used | observed, events | median | error | long run | CPU s | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        long_run = f"{row['check']:.4g}" if np.isfinite(row["check"]) else ""
        print(
            f"| {row['case']} | {row['used']} | {row['observed']:.5g} | {row['median']:.5g} | "
            f"{100.0 * row['error']:.2g} % | {long_run} | {row['seconds']:.1f} | "
            f"{row['memory']:.0f} |"
        )
    return 0


def _background(batch: SignalBatch) -> np.ndarray:
    """Return the nominal backgrounds of all bins."""
    model = batch.likelihood.model
    fixed = ~model.is_signal
    return np.bincount(model.component_bin[fixed], model.nominal[fixed], len(model.bins))


if __name__ == "__main__":
    raise SystemExit(main())
