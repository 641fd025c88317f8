"""The tables of docs/mutation.md."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.mutation.plan import MODULES
from scripts.mutation.running import SURVIVED

__all__ = ["reasons", "tables"]


def reasons() -> dict[tuple[str, str, str], str]:
    """Return why mutants survive that nothing can notice, by module, line before and after."""
    file = Path(__file__).with_name("equivalent.toml")
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]
    return {(row["module"], row["before"], row["after"]): row["reason"] for row in rows}


def tables(known: Mapping[str, Any]) -> str:
    """Return the table of modules, and that of survivors, in Markdown.

    Parameters
    ----------
    known
        By module: ``mutants``, how many there are, and ``tested``, a list of tested ones.
    """
    lines = [
        "| module | mutants | tested | killed | survived | of these equivalent | rate |",
        "|---|---|---|---|---|---|---|",
    ]
    told, survivors, sums = reasons(), [], [0, 0, 0, 0]
    for module in MODULES:
        row = known[module]
        left = [one for one in row["tested"] if one["outcome"] == SURVIVED]
        same = 0
        for one in left:
            reason = told.get((module, one["before"], one["after"]), "")
            same += bool(reason)
            survivors.append(
                f"| `{module}` | `{_cell(one['before'])}` | `{_cell(one['after'])}` | "
                f"{reason or 'not equivalent: no test notices'} |"
            )
        tested, killed = len(row["tested"]), len(row["tested"]) - len(left)
        counts = (row["mutants"], tested, killed, same)
        sums = [total + one for total, one in zip(sums, counts, strict=True)]
        lines.append(_line(f"`{module}`", *counts))
    lines.append(_line("all", sums[0], sums[1], sums[2], sums[3]))
    lines += [
        "",
        "Those that survived:",
        "",
        "| module | line | changed to | why |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *survivors]) + "\n"


def _line(name: str, mutants: int, tested: int, killed: int, same: int) -> str:
    rate = f"{100.0 * killed / tested:.0f} %"
    return f"| {name} | {mutants} | {tested} | {killed} | {tested - killed} | {same} | {rate} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
