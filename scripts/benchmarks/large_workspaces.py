"""Time, agreement and memory on large workspaces, side by side with pyhf in one process.

Ten workspaces are built (`scripts/benchmarks/large_generator.py`); files on the command line are
run instead. Four things are computed by both: the fit with mu free, a fit with mu fixed, CLs with
five bands at one mu, and the 95 % upper limit with bands. Here the free fit includes the one at mu
= 0, which it needs. Models are built outside the timers. pyhf has the numpy backend and scipy;
where its fit fails, minuit. It gets the range of mu around our limits in which to look for its own.
What takes pyhf longer than the limit of time is stopped, and the ratio is then a lower bound.

Agreement is pyhf's own likelihood at our parameters less that at its own (negative: ours is
deeper), and the largest difference of CLs. Memory is the peak of a process that computes CLs and
limit here, Python and its libraries included.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from na64.limits.calculators.datasets import observed_fits
from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Asymptotic, Toys
from na64.limits.likelihood.compiled import SignalBatch, compile_workspace
from na64.limits.likelihood.fitting import Fit
from na64.models.errors import NA64Error
from scripts.benchmarks.hostile_checks import cpu_limit
from scripts.benchmarks.large_generator import SHAPES, make_large

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
BEGIN = "<!-- begin: scripts/benchmark large-workspaces -->"
END = "<!-- end: scripts/benchmark large-workspaces -->"
LEVEL = 0.95
#: what the engine has to reach
LEAST_RATIO, MOST_MEGABYTES = 5.0, 500.0
_STEPS = ("free", "fixed", "cls", "limit")
_ASYMPTOTIC = Asymptotic()


def timed(call: Callable[[], Any], seconds: float) -> tuple[float, Any, str]:
    """Return the CPU time of a call, its result, and why there is none."""
    begin = time.process_time()
    try:
        with cpu_limit(seconds):
            result, problem = call(), ""
    except TimeoutError:
        result, problem = None, "stopped"
    except (NA64Error, ArithmeticError, ValueError, RuntimeError) as error:
        result, problem = None, type(error).__name__
    return time.process_time() - begin, result, problem


def load(name: str) -> tuple[str, dict[str, Any]]:
    """Return name and content of a workspace that is built here, or of a file."""
    if name in SHAPES:
        return name, make_large(name)
    path = Path(name)
    return path.stem, json.loads(path.read_text(encoding="utf-8"))


class _Ours:
    """The four computations here."""

    def __init__(self, spec: dict[str, Any], mu: float) -> None:
        self.batch: SignalBatch = compile_workspace(spec, validate=False).batch()
        self.mu = mu

    def free(self) -> Fit:
        return observed_fits(self.batch, self.batch.likelihood.observed)[2]

    def fixed(self) -> Fit:
        likelihood = self.batch.likelihood
        points = self.batch.points(np.zeros(1, dtype=np.intp), likelihood.observed[:, None])
        nu = np.array([self.mu * float(self.batch.events[0])])
        return likelihood.fitter.fit(points, nu, free_signal=False)

    def cls(self) -> np.ndarray:
        table = cls_values(self.batch, self.mu, calculator=_ASYMPTOTIC, expected=True)
        assert table.expected is not None  # asked for
        return np.append(table.observed[0], table.expected[:, 0])

    def limit(self) -> np.ndarray:
        found = upper_limits(self.batch, calculator=_ASYMPTOTIC, confidence_level=LEVEL)
        return np.append(found.observed[0], found.expected[:, 0])


class _Theirs:
    """The four computations by pyhf."""

    def __init__(self, spec: dict[str, Any], mu: float) -> None:
        import pyhf

        self.pyhf = pyhf
        workspace = pyhf.Workspace(spec)
        self.model = workspace.model(
            modifier_settings={
                "normsys": {"interpcode": "code4"},
                "histosys": {"interpcode": "code4p"},
            }
        )
        self.data = workspace.data(self.model)
        self.mu = mu
        self.bounds = list(self.model.config.suggested_bounds())
        self.range = (0.1, 10.0)

    def look_in(self, limits: np.ndarray) -> None:
        """Set the range of mu from our limits."""
        some = limits[np.isfinite(limits)]
        if len(some):
            self.range = (0.5 * float(some.min()), 2.0 * float(some.max()))
        self.bounds[self.model.config.poi_index] = (0.0, max(10.0, 3.0 * self.range[1]))

    def free(self) -> tuple[np.ndarray, float]:
        fit = self.pyhf.infer.mle.fit
        x, twice = fit(self.data, self.model, par_bounds=self.bounds, return_fitted_val=True)
        return x, 0.5 * float(twice)

    def fixed(self) -> tuple[np.ndarray, float]:
        fit = self.pyhf.infer.mle.fixed_poi_fit
        x, twice = fit(
            self.mu, self.data, self.model, par_bounds=self.bounds, return_fitted_val=True
        )
        return x, 0.5 * float(twice)

    def cls(self) -> np.ndarray:
        observed, bands = self.pyhf.infer.hypotest(
            self.mu,
            self.data,
            self.model,
            test_stat="qtilde",
            par_bounds=self.bounds,
            return_expected_set=True,
        )
        return np.array([float(observed), *map(float, bands)])

    def limit(self) -> np.ndarray:
        observed, bands = self.pyhf.infer.intervals.upper_limits.toms748_scan(
            self.data,
            self.model,
            *self.range,
            level=1.0 - LEVEL,
            rtol=1e-4,
            par_bounds=self.bounds,
        )
        return np.array([float(observed), *map(float, bands)])

    def value(self, batch: SignalBatch, fit: Fit) -> float:
        """Return pyhf's negative log-likelihood at the parameters of a fit of ours."""
        config = self.model.config
        x = np.array(config.suggested_init(), dtype=np.float64)
        for name, value in zip(batch.likelihood.parameter_names, fit.theta[:, 0], strict=True):
            group, _, rest = name.partition("[")
            first = config.par_slice(group).start
            x[first + (int(rest[:-1]) if rest else 0)] = value
        x[config.poi_index] = fit.nu[0] / batch.events[0]
        return -float(np.asarray(self.model.logpdf(x, self.data)).ravel()[0])


def compare(name: str, spec: dict[str, Any], mu: float, seconds: float) -> dict[str, Any]:
    """Compute everything twice; return one row of the table."""
    import pyhf

    build, ours, problem = timed(lambda: _Ours(spec, mu), 0.0)
    row: dict[str, Any] = {"workspace": name, "mu": mu, "build_s": build}
    if ours is None:
        return row | {"problem": problem}
    row["nuisances"] = len(ours.batch.likelihood.parameter_names)
    row["bins"] = len(ours.batch.likelihood.bins)
    mine: dict[str, Any] = {}
    for step in _STEPS:
        row[f"{step}_ours_s"], mine[step], row[f"{step}_ours"] = timed(getattr(ours, step), 120.0)
    pyhf.set_backend("numpy", "scipy")
    theirs = _Theirs(spec, mu)
    if mine["limit"] is not None:
        theirs.look_in(mine["limit"])
    for step in _STEPS:
        optimiser, total = "scipy", 0.0
        for optimiser in ("scipy", "minuit"):
            pyhf.set_backend("numpy", optimiser)
            taken, answer, problem = timed(getattr(theirs, step), seconds)
            total = taken if optimiser == "scipy" or answer is not None else total
            if answer is not None or problem == "stopped":
                break
        row[f"{step}_pyhf_s"], row[f"{step}_pyhf"] = total, problem
        row[f"{step}_optimiser"] = optimiser
        row[f"{step}_ratio"] = total / max(row[f"{step}_ours_s"], 1e-6)
        if mine[step] is None or answer is None:
            continue
        if step in ("free", "fixed"):
            fit: Fit = mine[step]
            row[f"{step}_converged"] = bool(fit.converged[0])
            row[f"{step}_difference"] = theirs.value(ours.batch, fit) - answer[1]
        else:
            scale = answer if step == "limit" else 1.0
            row[f"{step}_difference"] = float(np.max(np.abs(mine[step] - answer) / scale))
    return row


def peak(name: str, mu: float, toys: int) -> float:
    """Return the peak memory in MB of a child process that computes CLs and limit."""
    command = [sys.executable, str(ROOT / "scripts" / "benchmark"), "large-workspaces"]
    command += ["--peak", "--mu", str(mu), "--toys", str(toys), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else math.nan


def print_peak(name: str, mu: float, toys: int) -> int:
    """Compute here, and print the peak memory of this process in MB."""
    ours = _Ours(load(name)[1], mu)
    ours.cls()
    ours.limit()
    if toys:
        cls_values(ours.batch, mu, calculator=Toys(toys=toys), expected=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    return 0


def markdown(rows: list[dict[str, Any]], seconds: float) -> str:
    """Return the rows as a table."""
    import pyhf

    lines = [
        f"CPU seconds here / pyhf {pyhf.__version__}, and the ratio; more than {seconds:g} s "
        f"of pyhf are not waited for (>). m: minuit, where scipy failed.",
        "",
        "| workspace | nuisances | bins | free fit | fit at mu | CLs, 5 bands | limit, 5 bands | "
        "NLL here - pyhf, free / at mu | CLs differs | limit differs | memory (MB) |",
        "|---" * 11 + "|",
    ]
    for row in rows:
        if "problem" in row:
            lines.append(f"| {row['workspace']} | {row['problem']} |" + " |" * 9)
            continue
        cells = [row["workspace"], str(row["nuisances"]), str(row["bins"])]
        for step in _STEPS:
            more = ">" if row[f"{step}_pyhf"] == "stopped" else ""
            said = row[f"{step}_pyhf"] if row[f"{step}_pyhf"] not in ("", "stopped") else ""
            mine = row[f"{step}_ours"]
            minuit = " m" if row[f"{step}_optimiser"] == "minuit" else ""
            cells.append(
                f"{row[f'{step}_ours_s']:.2f} / {more}{row[f'{step}_pyhf_s']:.2f}{minuit}: "
                f"{more}{row[f'{step}_ratio']:.1f}{f' ({said})' if said else ''}"
                f"{f' (here {mine})' if mine else ''}"
            )
        differences = [
            f"{row[f'{step}_difference']:.1e}" if f"{step}_difference" in row else "-"
            for step in _STEPS
        ]
        cells += [" / ".join(differences[:2]), *differences[2:]]
        cells.append(f"{row['megabytes']:.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def missed(row: dict[str, Any]) -> list[str]:
    """Say what the engine did not reach on one workspace."""
    name = row["workspace"]
    if "problem" in row:
        return [f"{name}: {row['problem']}"]
    answer = []
    for step in _STEPS:
        if row[f"{step}_ours"]:
            answer.append(f"{name}, {step}: {row[f'{step}_ours']}")
        if row[f"{step}_ratio"] < LEAST_RATIO:
            answer.append(f"{name}, {step}: ratio {row[f'{step}_ratio']:.2g}")
    for step in ("free", "fixed"):
        if row.get(f"{step}_difference", 0.0) > 1e-3:
            answer.append(f"{name}, {step}: {row[f'{step}_difference']:.2g} above pyhf's minimum")
        if not row.get(f"{step}_converged", True):
            answer.append(f"{name}, {step}: not converged")
    if not row["megabytes"] <= MOST_MEGABYTES:
        answer.append(f"{name}: {row['megabytes']:.0f} MB")
    return answer


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; exit code 1 if something is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = (
        f"workspace files, or names of the built ones ({', '.join(SHAPES)}), which are the default"
    )
    parser.add_argument("workspaces", nargs="*", help=names)
    parser.add_argument("--mu", type=float, default=1.0, help="where CLs is compared")
    parser.add_argument("--seconds", type=float, default=20.0, help="CPU time of a step of pyhf")
    parser.add_argument("--toys", type=int, default=0, help="toys in the measurement of memory")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON")
    parser.add_argument(
        "--peak", action="store_true", help="print the peak memory of one workspace"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="replace the table of docs/statistics.md"
    )
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # pyhf's optimiser visits negative rates
    logging.getLogger("pyhf").setLevel(logging.CRITICAL)  # and writes out what it was stopped at
    if options.peak:
        return print_peak(options.workspaces[0], options.mu, options.toys)
    rows = []
    name, spec = load(next(iter(SHAPES)))
    compare(name, spec, options.mu, 1.0)  # what is imported when first needed is not timed
    for given in options.workspaces or SHAPES:
        name, spec = load(given)
        row = compare(name, spec, options.mu, options.seconds)
        row["megabytes"] = peak(given, options.mu, options.toys)
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    text = markdown(rows, options.seconds)
    print(text)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if options.write_docs:
        path = ROOT / "docs" / "statistics.md"
        before, rest = path.read_text(encoding="utf-8").split(BEGIN)
        path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    said = [line for row in rows for line in missed(row)]
    for line in said:
        print(f"missed: {line}", file=sys.stderr)
    return int(bool(said))
