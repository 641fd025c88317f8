"""What ``plot`` does with results that are no limits: one figure of all, by their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from na64.limits.cli.application import the_console

if TYPE_CHECKING:
    from na64.limits.cli.looks import Looks
    from na64.limits.results.limit import Limit

__all__ = ["draw_documents", "names_of", "no_limits", "read_documents", "read_limits"]


def read_documents(files: Sequence[str]) -> list[Any]:
    """Return what JSON files hold, ``-`` for stdin.

    Raises
    ------
    InputError
        If stdin is given twice, or a file is no JSON.
    """
    from na64.limits.cli.inputs import read_any, refuse_stdin_twice

    refuse_stdin_twice(files)
    return [read_any(name) for name in files]


def no_limits(documents: Sequence[Any]) -> bool:
    """Whether there is a document among them that is drawn and no limit."""
    from na64.limits.figures.inspected import KINDS, kind_of

    return any(kind_of(document) in KINDS for document in documents)


def read_limits(documents: Sequence[Any], files: Sequence[str], trust: bool) -> list[Limit]:
    """Return the limits that documents describe, whose files are named in messages."""
    from na64.limits.results.limit import Limit

    where = ["stdin" if name == "-" else name for name in files]
    return [
        Limit.from_dict(item, name, trust=trust)
        for item, name in zip(documents, where, strict=True)
    ]


def names_of(files: Sequence[str]) -> list[str]:
    """Name results by their files, with their folders where files of two have the same name."""
    names = [Path(file).name for file in files]
    return list(files) if len(set(names)) < len(files) else names


def draw_documents(
    documents: Sequence[Any],
    files: tuple[Sequence[str], Sequence[str]],
    looks: Looks,
    of_limits: Mapping[str, Any],
    trust: bool,
) -> dict[str, str | bytes]:
    """Return files with the figure of documents that are no limits.

    Parameters
    ----------
    documents
        The documents.
    files
        Their files, and those to make.
    looks
        What is wanted of the look.
    of_limits
        Options that mean something for limits alone, by their names, as they were given.
    trust
        Whether documents that were changed after they were written are accepted.

    Raises
    ------
    InputError
        For such an option, as `na64.limits.figures.inspected.document_figure`, and for documents
        that were changed unless `trust`.
    """
    from na64.limits.figures.inspected import document_figure, kind_of
    from na64.limits.figures.style import figure_bytes
    from na64.limits.results.integrity import check_document
    from na64.models.errors import InputError

    kinds = list(dict.fromkeys(kind_of(document) or "another kind" for document in documents))
    given = [name for name, value in of_limits.items() if value]
    if given and len(kinds) == 1:
        raise InputError(f"{', '.join(given)}: for figures of limits, not of {kinds[0]}")
    names = names_of(files[0])
    with the_console().progress("figure"):
        made = document_figure(documents, names, appearance=looks.appearance(names))
    for document, name in zip(documents, names, strict=True):  # they fit their schemas by now
        check_document(document, name, trust=trust)
    return {name: figure_bytes(made, name) for name in files[1]}
