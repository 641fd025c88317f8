"""What results that are written to files have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from na64.models.errors import InputError
from na64.workspaces.io.jsonio import write_atomic

__all__ = ["Document"]


class Document(ABC):
    """A result with a JSON and a CSV form."""

    __slots__ = ()

    #: what it is called in messages
    noun: ClassVar[str]

    @abstractmethod
    def to_json(self) -> str:
        """Return the canonical JSON."""

    @abstractmethod
    def to_csv(self) -> str:
        """Return the table."""

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the result to a ``.json`` or ``.csv`` file.

        Raises
        ------
        InputError
            For another suffix, an existing file without ``force``, or a folder that is missing.
        """
        write_atomic(path, self.to_text(Path(path).suffix), force=force)

    def to_text(self, suffix: str) -> str:
        """Return what a file with the suffix ``.json`` or ``.csv`` holds.

        Raises
        ------
        InputError
            For another suffix.
        """
        if suffix not in (".json", ".csv"):
            raise InputError(f"a {self.noun} is written as .json or .csv, not '{suffix}'")
        return self.to_json() if suffix == ".json" else self.to_csv()
