"""Time and agreement of the statistics engine against pyhf, in one process and run.

Both compute the same limits on the same workspaces: counting experiments with three and twelve
bins, log-normal (normsys) and Poisson (shapesys) background uncertainties, and a signal whose
shape differs at every mass, so that nothing can be remembered from one mass to the next. pyhf's
models are built outside the timer, its fits start from scratch as its users' do, and its
asymptotic calculator gets generous bounds of mu. pyhf 0.7.6's own toy p-values raise TypeError
with numpy 2.4, so its toys are timed by ToyCalculator.distributions, which throws and fits them.

Times are CPU seconds of one thread, for both: other programs on the machine hardly change them.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
import scipy

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Asymptotic, Toys
from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace

__all__ = ["main"]

LEVEL = 0.9
ROOT = Path(__file__).resolve().parents[2]
BEGIN = "<!-- begin: scripts/benchmark statistics -->"
END = "<!-- end: scripts/benchmark statistics -->"


def workspace(bins: int, kind: str, signal: np.ndarray, observed: np.ndarray) -> dict[str, Any]:
    """Return a counting experiment: half an event of background, 10 % efficiency uncertainty."""
    background = np.tile([0.05, 0.17, 0.29], bins // 3) * 3.0 / bins
    relative = np.tile([0.8, 0.4, 0.3], bins // 3)
    channels, observations = [], []
    for i in range(bins):
        b, u = float(background[i]), float(relative[i])
        own: dict[str, Any] = {"name": f"background_{i}", "type": kind, "data": [u * b]}
        if kind == "normsys":
            own["data"] = {"hi": 1.0 + u, "lo": 1.0 / (1.0 + u)}
        modifiers = [
            {"name": "mu", "type": "normfactor", "data": None},
            {"name": "efficiency", "type": "normsys", "data": {"hi": 1.1, "lo": 1.0 / 1.1}},
        ]
        samples = [
            {"name": "signal", "data": [float(signal[i])], "modifiers": modifiers},
            {"name": "background", "data": [b], "modifiers": [own]},
        ]
        channels.append({"name": f"bin_{i:02d}", "samples": samples})
        observations.append({"name": f"bin_{i:02d}", "data": [float(observed[i])]})
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def best_time(call: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """Return the shortest CPU time of some runs, and the last result."""
    times, result = [], None
    for _ in range(repeat):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return min(times), result


def pyhf_limits(spec: dict[str, Any]) -> tuple[float, np.ndarray]:
    """Return the time of pyhf's observed limit and bands, and the six limits."""
    model = pyhf.Workspace(spec).model(validate=False)
    data = pyhf.Workspace(spec).data(model)
    start = time.process_time()
    observed, expected = pyhf.infer.intervals.upper_limits.toms748_scan(
        data, model, 0.2, 30.0, level=1.0 - LEVEL, rtol=1e-6, par_bounds=wide_bounds(model)
    )
    return time.process_time() - start, np.array([float(observed), *map(float, expected)])


def wide_bounds(model: Any) -> list[tuple[float, float]]:
    """Return pyhf's default bounds with room for mu."""
    bounds = list(model.config.suggested_bounds())
    bounds[model.config.poi_index] = (0.0, 300.0)
    return bounds


def compare_asymptotics(
    bins: int, kind: str, masses: int, pyhf_masses: int, repeat: int
) -> dict[str, Any]:
    """Time 100 masses with bands through the public function, and pyhf mass by mass."""
    generator = np.random.default_rng(bins)
    shapes = generator.dirichlet(np.full(bins, 5.0), masses)
    observed = np.zeros(bins)
    observed[1] = 1.0
    likelihood = compile_workspace(workspace(bins, kind, shapes[0], observed), validate=False)
    signals = shapes[:, None, :]
    ours, table = best_time(
        lambda: upper_limits(
            likelihood.inject(signals), confidence_level=LEVEL, calculator=Asymptotic()
        ),
        repeat,
    )
    seconds, differences = [], []
    for m in range(pyhf_masses):
        taken, theirs = pyhf_limits(workspace(bins, kind, shapes[m], observed))
        seconds.append(taken)
        mine = np.array([table.observed[m], *table.expected[:, m]])
        differences.append(np.max(np.abs(mine / theirs - 1.0)))
    theirs_per_mass = float(np.mean(seconds))
    return {
        "quantity": "asymptotic limit and 5 bands",
        "bins": bins,
        "uncertainty": kind,
        "count": masses,
        "ours_s": ours,
        "pyhf_s": theirs_per_mass * masses,
        "pyhf_measured": pyhf_masses,
        "ratio": theirs_per_mass * masses / ours,
        "largest_difference": float(np.max(differences)),
    }


def compare_toys(bins: int, kind: str, toys: int, pyhf_toys: int, repeat: int) -> dict[str, Any]:
    """Time the test statistics of thrown toys, auxiliary data included, at one mu."""
    shape = np.random.default_rng(1).dirichlet(np.full(bins, 5.0))
    spec = workspace(bins, kind, shape, np.zeros(bins))
    batch = compile_workspace(spec, validate=False).batch()
    mu = 2.4

    def throw() -> float:
        thrown = Toys(toys=toys, ensemble="aux-fluctuated")
        return float(cls_values(batch, mu, calculator=thrown).observed[0])

    ours, cls = best_time(throw, repeat)
    model = pyhf.Workspace(spec).model(validate=False)
    data = pyhf.Workspace(spec).data(model)
    calculator = pyhf.infer.calculators.ToyCalculator(
        data, model, ntoys=pyhf_toys, track_progress=False, par_bounds=wide_bounds(model)
    )
    np.random.seed(1)  # pyhf draws from the global generator
    start = time.process_time()
    signal, background = calculator.distributions(mu)
    theirs = (time.process_time() - start) * toys / pyhf_toys
    q = float(calculator.teststatistic(mu))
    p_signal = float(np.mean(np.array(signal.samples) >= q - 1e-6))
    p_background = float(np.mean(np.array(background.samples) >= q - 1e-6))
    error = np.hypot(
        np.sqrt((1.0 - p_signal) / max(p_signal * pyhf_toys, 1.0)),
        np.sqrt((1.0 - p_background) / max(p_background * pyhf_toys, 1.0)),
    )
    return {
        "quantity": "toys of s+b and b at one mu",
        "bins": bins,
        "uncertainty": kind,
        "count": toys,
        "ours_s": ours,
        "pyhf_s": theirs,
        "pyhf_measured": pyhf_toys,
        "ratio": theirs / ours,
        "cls": cls,
        "pyhf_cls": p_signal / p_background,
        "pyhf_cls_error": float(error) * p_signal / p_background,
    }


def compare_statistic(bins: int, kind: str, points: int) -> dict[str, Any]:
    """Compare qtilde with pyhf's (scipy, tolerance 1e-13) for random counts, auxiliary data, mu."""
    generator = np.random.default_rng(bins + 1)
    shape = generator.dirichlet(np.full(bins, 5.0))
    spec = workspace(bins, kind, shape, np.zeros(bins))
    likelihood = compile_workspace(spec, validate=False)
    model = pyhf.Workspace(spec).model(validate=False)
    names = model.config.auxdata_order
    batch, fitter = likelihood.batch(), likelihood.fitter
    counts = generator.poisson(0.5, (bins, points)).astype(float)
    mu = np.exp(generator.uniform(-1.0, 2.5, points))
    auxiliary = np.empty((len(likelihood.parameter_names), points))
    for p, parameter in enumerate(likelihood.model.parameters):
        if parameter.constraint == 1:
            auxiliary[p] = generator.normal(0.0, 1.0, points)
        else:
            auxiliary[p] = generator.poisson(parameter.width, points)
    data = batch.points(np.zeros(points, dtype=int), counts, auxiliary)
    fixed = fitter.fit(data, mu * batch.events[0], free_signal=False)
    free = fitter.fit(data, np.full(points, 1.0), free_signal=True)
    q = np.where(
        free.nu > mu * batch.events[0], 0.0, np.maximum(2.0 * (fixed.value - free.value), 0.0)
    )
    order = {p.group: i for i, p in enumerate(likelihood.model.parameters)}
    differences = []
    for i in range(points):
        full = np.concatenate([counts[:, i], [auxiliary[order[name], i] for name in names]])
        theirs = float(
            pyhf.infer.test_statistics.qmu_tilde(
                float(mu[i]),
                full,
                model,
                model.config.suggested_init(),
                wide_bounds(model),
                model.config.suggested_fixed(),
            )
        )
        differences.append(abs(q[i] - theirs))
    return {
        "quantity": "qtilde",
        "bins": bins,
        "uncertainty": kind,
        "count": points,
        "largest_difference": float(np.max(differences)),
    }


def time_exact(bins: int, kind: str, masses: int, repeat: int) -> dict[str, Any]:
    """Time the exact limits and bands; the signal's shape differs at every mass."""
    generator = np.random.default_rng(bins)
    shapes = generator.dirichlet(np.full(bins, 5.0), masses)
    likelihood = compile_workspace(workspace(bins, kind, shapes[0], np.zeros(bins)), validate=False)
    ours, table = best_time(
        lambda: upper_limits(likelihood.inject(shapes[:, None, :]), confidence_level=LEVEL), repeat
    )
    good = all(status.value == "ok" for status in table.status)
    return {
        "quantity": "exact limit and 5 bands",
        "bins": bins,
        "uncertainty": kind,
        "count": masses,
        "ours_s": ours,
        "all_ok": good,
        "required_s": 0.5 if bins == 3 else 20.0,
    }


def time_grid(likelihood: CompiledLikelihood, masses: int, couplings: int, repeat: int) -> Any:
    """Time exact CLs on a grid of masses and couplings."""
    generator = np.random.default_rng(9)
    shapes = generator.dirichlet(np.full(3, 5.0), masses)
    mu = np.geomspace(0.05, 20.0, couplings)[:, None]
    ours, table = best_time(
        lambda: cls_values(likelihood.inject(shapes[:, None, :]), mu).observed, repeat
    )
    return {
        "quantity": "exact CLs on a grid of masses and couplings",
        "bins": 3,
        "uncertainty": "normsys",
        "count": masses * couplings,
        "ours_s": ours,
        "all_ok": bool(np.all(np.isfinite(table))),
        "required_s": 0.5,
    }


def machine() -> dict[str, Any]:
    """Describe what the times were measured on."""
    name = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            name = next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    return {
        "processor": name,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pyhf": pyhf.__version__,
    }


def markdown(rows: list[dict[str, Any]], where: dict[str, Any]) -> str:
    """Return the results as tables."""
    lines = [
        f"CPU seconds of one thread, {where['processor']}; Python {where['python']}, "
        f"numpy {where['numpy']}, scipy {where['scipy']}, pyhf {where['pyhf']} (numpy backend).",
        "",
        "| quantity | bins | background | number | here (s) | pyhf (s) | ratio | agreement |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "ratio" in row:
            if "cls" in row:
                agreement = (
                    f"CLs {row['cls']:.3f}, pyhf {row['pyhf_cls']:.3f} ± "
                    f"{row['pyhf_cls_error']:.3f}"
                )
            else:
                agreement = f"largest difference {row['largest_difference']:.1e}"
            theirs = f"{row['pyhf_s']:.1f} (from {row['pyhf_measured']})"
            ratio = f"{row['ratio']:.0f}"
        else:
            theirs = ratio = ""
            agreement = (
                f"largest difference {row['largest_difference']:.1e}"
                if "largest_difference" in row
                else f"required < {row['required_s']:g} s"
            )
        ours = f"{row['ours_s']:.3f}" if "ours_s" in row else ""
        lines.append(
            f"| {row['quantity']} | {row['bins']} | {row['uncertainty']} | {row['count']} | "
            f"{ours} | {theirs} | {ratio} | {agreement} |"
        )
    return "\n".join(lines)


def failures(rows: list[dict[str, Any]]) -> list[str]:
    """Say which requirements are missed."""
    missed = []
    for row in rows:
        name = f"{row['quantity']}, {row['bins']} bins, {row['uncertainty']}"
        if "required_s" in row and not (row["ours_s"] < row["required_s"] and row["all_ok"]):
            missed.append(f"{name}: {row['ours_s']:.2f} s")
        if "ratio" in row and row["ratio"] < (500.0 if "cls" in row else 1000.0):
            missed.append(f"{name}: ratio {row['ratio']:.0f}")
        limit = 1e-6 if row["quantity"] == "qtilde" else 1e-4
        if row.get("largest_difference", 0.0) > limit:
            missed.append(f"{name}: difference {row['largest_difference']:.1e}")
    return missed


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; exit code 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masses", type=int, default=100, help="masses of a curve")
    parser.add_argument(
        "--pyhf-masses", type=int, default=10, help="masses that pyhf computes in each setting"
    )
    parser.add_argument("--toys", type=int, default=10_000, help="toys per hypothesis")
    parser.add_argument("--pyhf-toys", type=int, default=200, help="toys that pyhf throws")
    parser.add_argument("--repeat", type=int, default=3, help="best of this many runs of ours")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON")
    parser.add_argument(
        "--write-docs", action="store_true", help="replace the table of docs/statistics.md"
    )
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # pyhf's optimiser visits negative rates
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)

    for bins in (3, 12):
        for kind in ("normsys", "shapesys"):
            pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-13))
            add(compare_statistic(bins, kind, 30))
            pyhf.set_backend("numpy")
            add(
                compare_asymptotics(
                    bins,
                    kind,
                    options.masses,
                    min(options.pyhf_masses, options.masses),
                    options.repeat,
                )
            )
            add(compare_toys(bins, kind, options.toys, options.pyhf_toys, options.repeat))
            add(time_exact(bins, kind, options.masses, options.repeat))
    three = compile_workspace(
        workspace(3, "normsys", np.array([0.45, 0.33, 0.22]), np.zeros(3)), validate=False
    )
    add(time_grid(three, 100, 300, options.repeat))

    where = machine()
    text = markdown(rows, where)
    print(text)
    if options.json:
        with Path(options.json).open("w", encoding="utf-8") as file:
            json.dump({"machine": where, "rows": rows}, file, indent=1, sort_keys=True)
    if options.write_docs:
        path = ROOT / "docs" / "statistics.md"
        page = path.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    missed = failures(rows)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return int(bool(missed))
