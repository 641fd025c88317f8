"""The tables of docs/coverage.md, and the short one of docs/statistics.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from scripts.coverage_study.experiments import METHODS, Experiment
from scripts.coverage_study.plan import (
    LEFT_OUT,
    NUMBERS,
    STRENGTHS,
    Task,
    experiments,
    tasks,
)
from scripts.coverage_study.sums import coverage_of, lowest_coverage

Known = Mapping[str, Any]

#: rows of the short table
_SHORT: Final = (Experiment(1, 0.3, 0.5), Experiment(3, 0.3, 0.5))


def value(known: Known, task: Task) -> tuple[float, float] | None:
    """Return a coverage and its binomial error (0: none), or None if it is not computed."""
    found = known.get(task.key)
    if found is not None:
        return float(found[0]), float(found[1])
    edges = known.get(Task(task.thrown, task.experiment, task.method, 0.0, "intervals").key)
    if task.thrown or edges is None:
        return None
    two_sided = METHODS[task.method].two_sided
    here = coverage_of(task.experiment, edges, np.array([task.mu]), two_sided=two_sided)
    return float(here[0]), 0.0


def cell(found: tuple[float, float] | None, digits: int) -> str:
    """Write a coverage."""
    if found is None:
        return ""
    return f"{found[0]:.{digits}f}" + (f" ± {found[1]:.4f}" if found[1] else "")


def table(known: Known, some: Sequence[Experiment], *, thrown: bool, digits: int = 5) -> list[str]:
    """Return the lines of a table: a row per experiment and strength, a column per method."""
    names = list(METHODS)
    lines = [
        f"| uncertainty | background | signal | {' | '.join(names)} |",
        "|---" * (3 + len(names)) + "|",
    ]
    for e in some:
        for mu in STRENGTHS:
            cells = [cell(value(known, Task(thrown, e, name, mu, "")), digits) for name in names]
            if any(cells):
                first = f"| {100 * e.uncertainty:g} % | {e.background:g} | {mu:g} |"
                lines.append(f"{first} {' | '.join(cells)} |")
    return lines


def lowest(known: Known) -> list[str]:
    """Return the table of the lowest coverage in one bin at any signal up to ten events."""
    names = list(METHODS)
    lines = [
        f"| uncertainty | background | {' | '.join(names)} |",
        "|---" * (2 + len(names)) + "|",
    ]
    for e in (e for certain in (True, False) for e in experiments(1, certain=certain)):
        cells = []
        for name in names:
            edges = known.get(Task(False, e, name, 0.0, "intervals").key)
            two_sided = METHODS[name].two_sided
            least = lowest_coverage(e, edges, two_sided=two_sided) if edges else None
            cells.append("" if least is None else f"{least:.5f}")
        lines.append(f"| {100 * e.uncertainty:g} % | {e.background:g} | {' | '.join(cells)} |")
    return lines


def numbers() -> list[str]:
    """Return the table of how many pseudo-experiments there are."""
    rows = [f"| {name} | {' | '.join(map(str, some))} |" for name, some in NUMBERS.items()]
    head = "| method | one bin | three bins, b = 0.5 | three bins, b = 3 |"
    return [head, "|---|---|---|---|", *rows]


def missing(known: Known) -> str:
    """Say how many of the tasks are not computed."""
    keys = [task.key for task in tasks()]
    left = sum(key not in known for key in keys)
    if not left:
        return f"All {len(keys)} tasks are computed; what the plan does not have is an empty cell."
    return f"Of {len(keys)} tasks {left} are not computed: their cells are empty, with three bins."


def tables(known: Known) -> str:
    """Return all tables of docs/coverage.md."""
    fixed = {n: [e for c in (True, False) for e in experiments(n, certain=c)] for n in (1, 3)}
    thrown = {n: list(experiments(n, certain=False)) for n in (1, 3)}
    left = ", ".join(f"{x:g} ({name})" for name, x in LEFT_OUT.items())
    parts = [
        [missing(known)],
        ["### Lowest coverage in one bin, auxiliary data fixed"],
        lowest(known),
        ["### Auxiliary data fixed, one bin"],
        table(known, fixed[1], thrown=False),
        ["### Auxiliary data fixed, three bins"],
        [
            "Cells with an error are fractions of pseudo-experiments. The other ones are sums; "
            f"what they leave out counts as covered, at most {left} with uncertainties, and 1e-10 "
            "for exact and feldman-cousins without."
        ],
        table(known, fixed[3], thrown=False),
        ["### Auxiliary data thrown, one bin"],
        table(known, thrown[1], thrown=True, digits=4),
        ["### Auxiliary data thrown, three bins"],
        table(known, thrown[3], thrown=True, digits=4),
        ["### Number of pseudo-experiments"],
        numbers(),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def main_table(known: Known) -> str:
    """Return the short table: half a background event, 30 % uncertainties."""
    names = list(METHODS)
    lines = [
        f"| bins | auxiliary data | signal | {' | '.join(names)} |",
        "|---" * (3 + len(names)) + "|",
    ]
    for e in _SHORT:
        for thrown in (False, True):
            for mu in (2.0, 4.0, 8.0):
                cells = [cell(value(known, Task(thrown, e, name, mu, "")), 4) for name in names]
                how = "thrown" if thrown else "fixed"
                if any(cells):
                    lines.append(f"| {e.bins} | {how} | {mu:g} | {' | '.join(cells)} |")
    return "\n".join(lines)
