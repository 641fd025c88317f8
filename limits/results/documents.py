"""What results that are written to files have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from na64.limits.results.tables import WRITERS, Table
from na64.models.errors import InputError
from na64.workspaces.io.optional import need
from na64.workspaces.io.writing import write_atomic

__all__ = ["Document"]


class Document(ABC):
    """A result with a JSON form and a table."""

    __slots__ = ()

    #: what it is called in messages
    noun: ClassVar[str]

    @abstractmethod
    def to_json(self) -> str:
        """Return the canonical JSON."""

    @abstractmethod
    def to_table(self) -> Table:
        """Return the table."""

    def to_csv(self) -> str:
        """Return the table as CSV."""
        return self.to_table().csv()

    def to_dataframe(self) -> Any:
        """Return the table as a `pandas.DataFrame`; what does not exist is NaN or None.

        Lines in front of the table are in its ``attrs["notes"]``.

        Raises
        ------
        InputError
            Where pandas is not installed.
        """
        pandas = need("pandas", extra="dataframe", purpose="data frames")
        table = self.to_table()
        frame = pandas.DataFrame(list(table.rows), columns=list(table.columns))
        frame.attrs["notes"] = list(table.notes)
        return frame

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the result to a file, whose suffix is one of `WRITERS`.

        Raises
        ------
        InputError
            For another suffix, an existing file without ``force``, or a folder that is missing.
        """
        write_atomic(path, self.to_text(Path(path).suffix), force=force)

    def to_text(self, suffix: str) -> str:
        """Return what a file with a suffix holds, such as ``.json``.

        Raises
        ------
        InputError
            For a suffix that is not in `WRITERS`.
        """
        if suffix not in WRITERS:
            raise InputError(f"a {self.noun} is written as {' or '.join(WRITERS)}, not '{suffix}'")
        return WRITERS[suffix](self.to_json(), self.to_table())
