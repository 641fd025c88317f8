"""A campaign: batches of cases, what became of them, and the smallest case of each fault."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from scripts.fuzzing.cases import CommandCase, ReaderCase, command_cases, reader_cases
from scripts.fuzzing.documents import make_documents
from scripts.fuzzing.judging import Verdict

__all__ = ["Campaign"]


class Campaign:
    """Runs cases in a folder and keeps what was found.

    Attributes
    ----------
    counts
        By the name of a reader or a command how many cases had which outcome.
    found
        By the name of a fault how often it was, the smallest case, and its verdict.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        made = folder / "documents"
        made.mkdir()
        self.documents = make_documents(made)
        self.by_name = {item.name: item for item in self.documents}
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.found: dict[str, tuple[int, ReaderCase | CommandCase, Verdict]] = {}

    def run(self, kind: str, count: int, start: int) -> None:
        """Run so many cases, of ``readers`` or of ``commands``, drawn from a seed."""
        strategy: Any = {"readers": reader_cases, "commands": command_cases}[kind](self.documents)
        run = self._judged if kind == "readers" else self._run

        @seed(start)
        @settings(
            max_examples=count,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def batch(case: Any) -> None:
            run(case)

        batch()

    def _judged(self, case: ReaderCase) -> None:
        self._keep(case, f"reader {case.name}", lambda: case.judge(self.folder))

    def _run(self, case: CommandCase) -> None:
        self._keep(case, case.name, lambda: case.judge(self.folder, self.by_name))

    def _keep(
        self, case: ReaderCase | CommandCase, name: str, judge: Callable[[], Verdict]
    ) -> None:
        verdict = judge()
        self.counts[name][verdict.outcome] += 1
        if not verdict.fault:
            return
        count, smallest, told = self.found.get(verdict.fault, (0, case, verdict))
        if case.size < smallest.size:
            smallest, told = case, verdict
        self.found[verdict.fault] = (count + 1, smallest, told)

    def write(self, folder: Path) -> None:
        """Write counts, and the smallest case of each fault in a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        table = {
            "counts": self.counts,
            "faults": {name: n for name, (n, _, _) in self.found.items()},
        }
        (folder / "counts.json").write_text(json.dumps(table, indent=1), encoding="utf-8")
        for fault, (_, case, verdict) in self.found.items():
            place = folder / re.sub(r"[^A-Za-z0-9]+", "-", fault)[:100]
            place.mkdir(exist_ok=True)
            if isinstance(case, ReaderCase):
                case.write(place)
            else:
                case.write(place, self.by_name)
            text = f"{fault}\n\n{verdict.details}"
            (place / "verdict.txt").write_text(text, encoding="utf-8", errors="replace")
