"""What is wrong in a file: every problem with its place, in one error."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from na64.models.errors import InputError

__all__ = ["FileProblemsError", "Problem", "as_number", "shown"]


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    Attributes
    ----------
    path
        Place in the file, such as ``bins[2].exposure.value``; empty for the whole file.
    message
        What is wrong and what is allowed.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class FileProblemsError(InputError):
    """A file with one or more problems.

    Parameters
    ----------
    kind, file, problems
        What the file is, its name, and what is wrong with it.
    most
        So many problems are listed, and of the others their number is told; all if None.
    hint
        What to do about it.

    Attributes
    ----------
    file
        The file, or the name under which it was asked for.
    problems
        Every problem, in the order of reading.
    """

    def __init__(
        self,
        kind: str,
        file: str,
        problems: Sequence[Problem],
        *,
        most: int | None = None,
        hint: str = "",
    ) -> None:
        self.file = file
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            message = f"{kind} {file}: {self.problems[0]}" + (f"; {hint}" if hint else "")
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems[:most])
            if rest := len(self.problems[most:]) if most is not None else 0:
                lines += f"\n  and {rest} more"
            message = f"{kind} {file} has {len(self.problems)} problems:{lines}"
            message += f"\n{hint}" if hint else ""
        super().__init__(message)


def shown(value: object) -> str:
    """Describe a value of the wrong type."""
    if isinstance(value, str):
        return f"the text '{value}'" if len(value) <= 60 else f"the text '{value[:57]}...'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def as_number(value: object) -> float | None:
    """Return a number as float, infinity for one too large; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf
