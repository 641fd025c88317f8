"""Docstrings of the project as reStructuredText: formulae stand as they are written.

They are written for readers of the source, with formulae as text. Bars, and underscores at the end
of a symbol, are no markup there; an indented block after a blank line is a formula, kept line by
line.
What a constant is, its comment says: the docstring of its type is left out.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, get_origin

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LITERAL = re.compile(r"(``.*?``|`[^`]*`_?)")
_MARKS = re.compile(r"\||(?<=[A-Za-z0-9\])])_(?![A-Za-z0-9])")


def _plain(line: str) -> str:
    """Return a line of prose with marks escaped outside of what is in backticks."""
    parts = _LITERAL.split(line)
    parts[::2] = [_MARKS.sub(lambda mark: "\\" + mark[0], part) for part in parts[::2]]
    return "".join(parts)


def as_restructured_text(lines: list[str]) -> list[str]:
    """Return a docstring in numpydoc style with formulae as blocks and symbols escaped."""
    made: list[str] = []
    formula = example = False
    for index, line in enumerate(lines):
        indented = line.startswith("    ")
        after_blank = index > 1 and not lines[index - 1].strip()
        if line.lstrip().startswith(">>>"):
            example = True
        elif not line.strip():
            example = False
        if formula and line.strip() and not indented:
            formula = False
        elif indented and after_blank and not formula and not example:
            before = next(text for text in reversed(lines[:index]) if text.strip())
            if not before.startswith((" ", "-")):
                formula = True
                made += [".. code-block:: none", ""]
        made.append(line if formula or example else _plain(line))
    return made


def _is_borrowed(lines: list[str], value: Any) -> bool:
    """Say whether a docstring of a constant is the one of its type."""
    words = " ".join(lines).split()
    sources = (value, type(value), get_origin(value))
    return any(words == (inspect.getdoc(source) or "").split() for source in sources)


def _process(
    _app: Sphinx, what: str, _name: str, obj: Any, _options: Any, lines: list[str]
) -> None:
    if what in ("data", "attribute") and _is_borrowed(lines, obj):
        lines[:] = []
    lines[:] = as_restructured_text(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Run before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
