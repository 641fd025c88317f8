"""Cases: what hypothesis draws, made into the bytes of a file or a command line with its files."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from scripts.fuzzing.commands import LINES, Line, values_of
from scripts.fuzzing.documents import Document, damaged
from scripts.fuzzing.judging import Verdict, judge_command, judge_reading
from scripts.fuzzing.readers import READERS, reading
from scripts.fuzzing.trees import Change

__all__ = ["CommandCase", "ReaderCase", "command_cases", "reader_cases"]

#: so many times as often as the others are kinds that are read in some milliseconds
_QUICK: Final = 8
_QUICK_KINDS: Final = ("card", "charges", "curve", "sideband", "simulation", "table")
_NUMBER = st.integers(0, 2**16)
_CHANGES = st.builds(Change, _NUMBER, _NUMBER, _NUMBER)


@dataclass(frozen=True, slots=True)
class ReaderCase:
    """One damaged document, and which reader reads it."""

    reader: str
    document: Document
    changes: tuple[Change, ...]
    scratches: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What is tried, for tables."""
        return self.reader

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return damaged(self.document, self.changes, self.scratches)

    @property
    def size(self) -> int:
        """How much is changed: the less, the easier to understand."""
        return 10 * (len(self.changes) + len(self.scratches)) + len(str(self.changes)) // 200

    def judge(self, folder: Path) -> Verdict:
        """Read the file in a folder."""
        path = folder / self.document.name
        read = reading(self.reader, self.document.kind, path)
        try:
            with contextlib.chdir(folder):
                return judge_reading(read, self.content)
        finally:
            path.unlink(missing_ok=True)

    def write(self, folder: Path) -> None:
        """Write the file into a folder, with what was done to it."""
        (folder / self.document.name).write_bytes(self.content)
        about = {"reader": self.reader, "changes": list(map(asdict, self.changes))}
        about["scratches"] = list(map(asdict, self.scratches))
        (folder / "case.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class CommandCase:
    """A command line, with damaged files beside it."""

    words: tuple[str, ...]
    files: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """What is tried, for tables."""
        return self.words[0]

    @property
    def size(self) -> int:
        """How many words and files there are."""
        return sum(map(len, self.words)) + 1000 * len(self.files)

    def judge(self, folder: Path, documents: Mapping[str, Document]) -> Verdict:
        """Run the command in a folder of its own, which is removed again."""
        here = folder / "here"
        here.mkdir()
        try:
            for name in self._needed(documents):
                (here / name).write_bytes(self.files.get(name, documents[name].text))
            with contextlib.chdir(here):
                return judge_command(list(self.words))
        finally:
            shutil.rmtree(here)

    def _needed(self, documents: Mapping[str, Document]) -> list[str]:
        return [name for name in documents if any(name in word for word in self.words)]

    def write(self, folder: Path, documents: Mapping[str, Document]) -> None:
        """Write the files into a folder, with the command line."""
        for name in self._needed(documents):
            (folder / name).write_bytes(self.files.get(name, documents[name].text))
        text = json.dumps({"words": self.words}, indent=1)
        (folder / "case.json").write_text(text, encoding="utf-8")


def reader_cases(documents: Sequence[Document]) -> st.SearchStrategy[ReaderCase]:
    """Return damaged documents of every kind; readers that are quick have more of them."""
    pairs = [
        (kind, name)
        for kind, names in READERS.items()
        for name in names
        for _ in range(_QUICK if kind in _QUICK_KINDS else 1)
    ]

    @st.composite
    def made(draw: st.DrawFn) -> ReaderCase:
        kind, reader = draw(st.sampled_from(pairs))
        document = draw(st.sampled_from([item for item in documents if item.kind == kind]))
        by_tree = document.tree is not None and draw(st.integers(0, 3)) > 0
        some = tuple(draw(st.lists(_CHANGES, min_size=1, max_size=3)))
        return ReaderCase(reader, document, some if by_tree else (), () if by_tree else some)

    return made()


def command_cases(documents: Sequence[Document]) -> st.SearchStrategy[CommandCase]:
    """Return command lines with options put in, words left out, and damaged files."""

    @st.composite
    def made(draw: Any) -> CommandCase:
        line = draw(st.sampled_from(LINES))
        words = list(line.words)
        if draw(st.integers(0, 9)) == 0 and len(words) > 2:
            del words[draw(st.integers(1, len(words) - 1))]
        for _ in range(draw(st.integers(0, 2))):
            _put(draw, words, line)
        files: dict[str, bytes] = {}
        used = [item for item in documents if any(item.name in word for word in words)]
        if used and draw(st.booleans()):
            item = draw(st.sampled_from(used))
            changes = tuple(draw(st.lists(_CHANGES, min_size=1, max_size=2)))
            files[item.name] = damaged(item, changes, changes if item.tree is None else ())
        return CommandCase(tuple(words), files)

    return made()


def _put(draw: Any, words: list[str], line: Line) -> None:
    """Put an option into a command line, or another value in place of that which is there."""
    if not line.options:
        return
    name, kind = draw(st.sampled_from(line.options))
    if kind == "flag":
        words.append(name)
        return
    value = draw(st.sampled_from(values_of(kind)))
    if name in words[:-1]:
        words[words.index(name) + 1] = value
    else:
        words += [name, value, *([value] if kind == "pair" else [])]
