"""The fault table: what was injected, how often, and what happened."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.faults import damage, runs, sets
from scripts.faults.injection import ERRORS

__all__ = ["EXPERIMENTS", "Experiment", "replaced_rows", "title_of", "titles"]

#: comments around the table in the page
BEGIN: Final = "<!-- table of faults: begin -->"
END: Final = "<!-- table of faults: end -->"

#: what an experiment makes of a folder and a number of tries
Run = Callable[[Path, int], Counter[str]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One way to attack, and the rows of the table that it fills.

    Attributes
    ----------
    title
        What is done.
    tries
        How often, unless the number of operations says so.
    run
        Does it.
    """

    title: str
    tries: int
    run: Run

    def rows(self, folder: Path, share: float) -> list[str]:
        """Return the rows of the table; `share` of the tries."""
        found = self.run(folder, max(2, round(share * self.tries)))
        total = sum(found.values())
        told = "; ".join(f"{count:,} {what}" for what, count in sorted(found.items()))
        return [f"| {self.title} | {total:,} | {told} |"]


@dataclass(frozen=True, slots=True)
class _Damage(Experiment):
    """Damaged files have one row for each kind."""

    def rows(self, folder: Path, share: float) -> list[str]:
        """Return the rows of the table; `share` of the tries."""
        kept = damage.record(folder / "sound", damage.SEARCHES)
        found = damage.attack(folder / "damaged", kept, round(share * self.tries), 20_261_127)
        rows = []
        for kind in damage.KINDS:
            counts = {what: count for (name, what), count in found.items() if name == kind}
            told = "; ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
            wrong = counts.get("WRONG", 0)
            total = sum(counts.values())
            rows.append(f"| cache file: {kind} | {total:,} | {told}; {wrong} wrong numbers |")
        return rows


def _faulty(error: str) -> Run:
    def run(folder: Path, _tries: int) -> Counter[str]:
        found: Counter[str] = Counter()
        with sets.without_waiting():
            for force in (False, True):
                for lasting in (False, True):
                    found += sets.faulty_writes(folder, error, force=force, lasting=lasting)
        return found

    return run


def _killed(folder: Path, _tries: int) -> Counter[str]:
    with sets.without_waiting():
        return sets.killed_writes(folder, force=False) + sets.killed_writes(folder, force=True)


def _completing(folder: Path, _tries: int) -> Counter[str]:
    with sets.without_waiting():
        return Counter({"all new": sets.interrupted_completions(folder).total()})


def _signalled(number: signal.Signals) -> Run:
    return lambda folder, tries: runs.signalled_scans(folder, number, tries, int(number))


def _disks(folder: Path, tries: int) -> Counter[str]:
    return runs.full_disks(folder, range(0, 4096 * tries, 4096))


EXPERIMENTS: Final[Mapping[str, Experiment]] = {
    "damage": _Damage("", 100_000, lambda folder, tries: Counter()),
    **{
        f"error-{name.lower()}": Experiment(
            f"{name} at each operation of writing three files, once or from there on",
            0,
            _faulty(name),
        )
        for name in ERRORS
    },
    "kill-operations": Experiment("killed at each operation of writing three files", 0, _killed),
    "kill-completion": Experiment("killed at each operation of completing a set", 0, _completing),
    "kill-writers": Experiment(
        "SIGKILL at a random moment of writing sets",
        300,
        lambda folder, tries: runs.killed_writers(folder, tries, 1),
    ),
    "kill-scans": Experiment(
        "SIGKILL at a random moment of `scan`",
        60,
        lambda folder, tries: runs.killed_scans(folder, tries, 2),
    ),
    "sigint": Experiment("SIGINT, the same", 20, _signalled(signal.SIGINT)),
    "sigterm": Experiment("SIGTERM, the same", 20, _signalled(signal.SIGTERM)),
    "sighup": Experiment("SIGHUP, the same", 20, _signalled(signal.SIGHUP)),
    "sigpipe": Experiment(
        "reader of a pipe gone before `scan --json` writes",
        5,
        lambda folder, tries: runs.broken_pipes(folder, tries),
    ),
    "full-disk": Experiment("full disk: from no page free to more than needed", 24, _disks),
    "writers": Experiment(
        "four processes that write the same set 20 times each",
        20,
        lambda folder, tries: runs.several_writers(folder, 4, tries),
    ),
}


def titles() -> list[str]:
    """Return the first cells of all rows, in the order of the table."""
    kinds = [f"cache file: {kind}" for kind in damage.KINDS]
    return kinds + [item.title for item in EXPERIMENTS.values() if item.title]


def replaced_rows(text: str, rows: Sequence[str]) -> str:
    """Return a page with some rows of its table in place of those of the same first cell.

    Raises
    ------
    ValueError
        For a page without the comments between which the table is.
    """
    found = re.search(f"{re.escape(BEGIN)}.*?{re.escape(END)}", text, re.DOTALL)
    if found is None:
        raise ValueError(f"the page has no table between {BEGIN} and {END}")
    known = {title_of(row): row for row in found[0].splitlines() if row.startswith("| ")}
    known |= {title_of(row): row for row in rows}
    table = [known[title] for title in titles() if title in known]
    head = ["| attack | times | what happened |", "|---|---|---|"]
    return text.replace(found[0], "\n".join([BEGIN, "", *head, *table, "", END]))


def title_of(row: str) -> str:
    """Return the first cell of a row."""
    return row.split("|")[1].strip()
