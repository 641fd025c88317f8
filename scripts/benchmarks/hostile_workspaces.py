"""Random hostile workspaces: limits, and every fit against a second minimiser.

Each workspace is made from its number and the seed (`scripts/benchmarks/hostile_generator.py`). The
engine computes its asymptotic limit and CLs at three signal strengths, with bands; then every fit
behind them (mu fixed at zero and elsewhere, mu free, observed and Asimov data) is made again, from
several starts, by a minimiser and a likelihood that share nothing with the engine
(`scripts/benchmarks/second_minimiser.py`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scripts.benchmarks.hostile_checks import Report, check_workspace
from scripts.benchmarks.hostile_generator import make_workspace

__all__ = ["main", "summary"]

_Task = tuple[str, Any, dict[str, Any]]
_NAMES = ("observed", "-2", "-1", "median", "+1", "+2")


def run(task: _Task) -> tuple[str, Report]:
    """Check one workspace."""
    warnings.simplefilter("ignore")  # minimisers visit what is no number
    name, spec, options = task
    return name, check_workspace(spec, **options)


def summary(reports: dict[str, Report]) -> str:
    """Return the counts as a table."""
    fits = Counter(fit.outcome for report in reports.values() for fit in report.fits)
    good = sum(not report.problems() for report in reports.values())
    slowest = max(reports, key=lambda name: reports[name].seconds)
    rows = [
        ("workspaces", f"{len(reports)}"),
        ("all fits agree, CLs and limit as well", f"{good}"),
        ("fits", f"{sum(fits.values())}"),
        ("agreed within 0.001", f"{fits['agreed']}"),
        ("ours deeper", f"{fits['deeper']}"),
        ("ours shallower", f"{fits['shallower']}"),
        ("failed, said so", f"{fits['failed']}"),
        ("value is not that of the parameters", f"{fits['value']}"),
        ("workspaces without an answer", f"{sum(bool(r.problem) for r in reports.values())}"),
        ("CLs that differ", f"{sum(not r.cls < 0.01 for r in reports.values())}"),
        ("limits where CLs differs", f"{sum(not r.limit < 0.01 for r in reports.values())}"),
    ]
    for i, name in enumerate(_NAMES):
        states = Counter(report.status[i] for report in reports.values() if report.status)
        said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        rows.append((f"limits, {name}", said))
    times = sorted(report.seconds for report in reports.values())
    rows += [
        ("CPU time per workspace, median", f"{times[len(times) // 2]:.2f} s"),
        ("CPU time of the slowest", f"{times[-1]:.2f} s ({slowest})"),
    ]
    lines = ["| quantity | number |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows])


def _tasks(options: argparse.Namespace) -> Iterator[_Task]:
    settings = {
        "starts": options.starts,
        "seconds": options.seconds,
    }
    for path in options.files:
        yield Path(path).stem, json.loads(Path(path).read_text(encoding="utf-8")), settings
    if not options.files:
        for number in range(options.first, options.first + options.count):
            yield f"{options.seed}/{number}", make_workspace(number, options.seed), settings


def main(argv: list[str] | None = None) -> int:
    """Run the checks; exit code 1 if a fit is worse, failed, wrong or too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="workspaces to check instead of random ones")
    parser.add_argument("--count", type=int, default=5000, help="number of random workspaces")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random workspaces")
    parser.add_argument("--starts", type=int, default=4, help="starts of the second minimiser")
    parser.add_argument("--seconds", type=float, default=20.0, help="CPU time of a workspace")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", metavar="FILE", help="write a report of every workspace")
    parser.add_argument("--save", metavar="FOLDER", help="write the workspaces with a problem")
    options = parser.parse_args(argv)
    reports: dict[str, Report] = {}
    begin = time.monotonic()

    def add(name: str, report: Report) -> None:
        reports[name] = report
        said = report.problems()
        if said:
            print(f"{name}: {'; '.join(said)}", file=sys.stderr, flush=True)
            if options.save and not options.files:
                seed, number = (int(x) for x in name.split("/"))
                path = Path(options.save) / f"{seed}-{number}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(make_workspace(number, seed)), encoding="utf-8")
        if len(reports) % 500 == 0:
            print(f"{len(reports)} after {time.monotonic() - begin:.0f} s", file=sys.stderr)

    if options.jobs == 1:
        for task in _tasks(options):
            add(*run(task))
    else:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            for name, report in pool.map(run, _tasks(options), chunksize=10):
                add(name, report)
    print(summary(reports))
    if options.json:
        document = {name: asdict(report) for name, report in reports.items()}
        Path(options.json).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return int(any(report.problems() for report in reports.values()))
