"""What commands read: cards by name, file or stdin, and the dark sector of the options."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from na64.limits.calculators.protocol import Calculator
    from na64.limits.likelihood.compiled import CompiledLikelihood
    from na64.limits.results.limit import Limit
    from na64.models.mediators.dark_sector import DarkSector
    from na64.models.mediators.protocol import Mediator
    from na64.workspaces.cards.card import RunCard

__all__ = [
    "Question",
    "check_workspace",
    "is_result",
    "make_calculator",
    "make_dark_sector",
    "read_any",
    "read_card",
    "read_document",
    "read_model",
    "read_question",
    "read_result",
    "read_results",
    "read_stdin",
    "read_workspace",
    "refuse_stdin_twice",
]


def read_stdin() -> str:
    """Return all of stdin as text.

    Raises
    ------
    InputError
        If stdin is closed, has more than a file may have, or its bytes are not UTF-8.
    """
    from na64.models.errors import InputError
    from na64.workspaces.io.reading import read_stream

    if sys.stdin is None:
        raise InputError("stdin is closed, there is nothing to read for '-'")
    return read_stream(sys.stdin, "stdin")


def read_card(search: str, overrides: Sequence[str] = ()) -> RunCard:
    """Return a card by its name, its file, or ``-`` for TOML (or JSON) on stdin."""
    from na64.workspaces.cards.reader import load_card, parse_card

    if search != "-":
        return load_card(search, overrides)
    text = read_stdin()
    return parse_card(text, "stdin", overrides=overrides, json=text.lstrip().startswith("{"))


def read_model(model: str | None, charges: str | None) -> str | Mediator | None:
    """Return the name that ``--model`` gives, the mediator of ``--charges``, or None.

    Raises
    ------
    InputError
        If both are given, or the file is not sound.
    """
    from na64.models.errors import InputError
    from na64.workspaces.cards.charges import load_charges

    if charges is None:
        return model
    if model is not None:
        raise InputError("give --model or --charges, not both")
    return load_charges(charges)


def read_workspace(
    name: str, measurement: str | None = None
) -> tuple[dict[str, Any], CompiledLikelihood]:
    """Return the document of a workspace file, or of ``-``, and its compiled likelihood.

    Raises
    ------
    InputError
        For what is no workspace; the message names the file.
    """
    from na64.limits.likelihood.compiled import compile_workspace
    from na64.models.errors import InputError

    where = "stdin" if name == "-" else name
    document = _workspace_object(read_any(name), where)
    try:
        return document, compile_workspace(document, measurement)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def read_any(name: str) -> object:
    """Return what a JSON file, or ``-``, holds."""
    from na64.workspaces.io.reading import parse_json, read_json

    return parse_json(read_stdin(), "stdin") if name == "-" else read_json(name)


def read_document(name: str) -> dict[str, Any]:
    """Return the document of a workspace file, or of ``-``, that may be without signal.

    Raises
    ------
    InputError
        For what is no workspace by pyhf's schema; the message names the file.
    """
    return check_workspace(read_any(name), "stdin" if name == "-" else name)


def check_workspace(document: object, where: str) -> dict[str, Any]:
    """Return a document that is a workspace by pyhf's schema, with or without signal.

    Raises
    ------
    InputError
        For any other; the message names the file.
    """
    from na64.limits.likelihood.validation import check_schema
    from na64.models.errors import InputError

    spec = _workspace_object(document, where)
    try:
        check_schema(spec)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return spec


def _workspace_object(document: object, where: str) -> dict[str, Any]:
    """Refuse what is of another kind than a workspace."""
    from na64.models.errors import InputError

    if not isinstance(document, dict):
        raise InputError(f"{where}: not a pyhf workspace, which is a JSON object")
    if other := _other_kind(document):
        raise InputError(f"{where}: not a pyhf workspace but {other}")
    return document


@dataclass(frozen=True, slots=True)
class Question:
    """A workspace of which something is asked, and the calculator that answers."""

    compiled: CompiledLikelihood
    calculator: Calculator
    #: of the document
    digest: str

    @property
    def facts(self) -> dict[str, str]:
        """What the provenance of the answer says."""
        return {"workspace_digest": self.digest}

    @property
    def projection(self) -> bool:
        """Whether the workspace says that its observations stand in for data to come."""
        from na64.workspaces.pyhf.write import is_projection

        return is_projection(self.compiled.model.measurement)

    @property
    def projection_notes(self) -> list[str]:
        """What is said of a projection."""
        said = "a projection: there are no data, expected values only"
        return [said] if self.projection else []

    def head(self, schema: str, used: Sequence[str] = ()) -> dict[str, Any]:
        """Return what every answer begins with; which methods were used, where one chooses."""
        from na64.limits.calculators.registry import described

        return {
            "schema": f"na64-limits/{schema}/1",
            "measurement": self.compiled.model.measurement,
            "parameter": self.compiled.poi,
            "projection": self.projection,
            **described(self.calculator, "+".join(dict.fromkeys(filter(None, used)))),
        }


def read_question(file: str, measurement: str | None, settings: Mapping[str, Any]) -> Question:
    """Read a workspace and the settings of a calculator, those first."""
    from na64.workspaces.io.jsonio import digest

    calculator = make_calculator(settings)
    document, compiled = read_workspace(file, measurement)
    return Question(compiled, calculator, digest(document))


def _other_kind(document: dict[str, Any]) -> str:
    """Say what a document is that is often taken for a workspace; empty for any other."""
    schema = str(document.get("schema", ""))
    if schema.startswith("na64-limits/scan/"):
        return (
            "a scan of na64-limits, which has its limits already (`plot` draws them); "
            "`workspace build` or `scan --save-workspaces` write workspaces"
        )
    if schema.startswith("na64-limits/"):
        return f"a result of na64-limits with schema {schema}"
    if "patches" in document:
        return (
            "a pyhf patchset: `workspace patch WS.json` applies one of its patches to its "
            "workspace, `limit WS.json --patchset` all of them"
        )
    if "topology" in document:
        return "a run card; `workspace build` makes workspaces of it"
    return ""


def read_result(name: str, trust: bool = False) -> Limit:
    """Return the result of a file, or of ``-``; one that was changed only if it is trusted."""
    from na64.limits.results.limit import Limit

    if name == "-":
        return Limit.from_json(read_stdin(), "stdin", trust=trust)
    return Limit.read(name, trust=trust)


def is_result(name: str) -> bool:
    """Whether a file is the result of a scan: JSON with the schema of one."""
    from pathlib import Path

    from na64.workspaces.io.reading import read_json

    if not (name.endswith(".json") and Path(name).is_file()):
        return False
    found = read_json(name)
    return isinstance(found, dict) and str(found.get("schema", "")).startswith("na64-limits/scan/")


def read_results(files: Sequence[str], trust: bool = False) -> list[Limit]:
    """Return the results of files, ``-`` for stdin.

    Raises
    ------
    InputError
        If stdin is given twice, or a file is no result, or one that was changed and is not
        trusted.
    """
    refuse_stdin_twice(files)
    return [read_result(name, trust) for name in files]


def refuse_stdin_twice(files: Sequence[str]) -> None:
    """Refuse ``-`` that stands for two files: the first would read it all."""
    from na64.models.errors import InputError

    if list(files).count("-") > 1:
        raise InputError("stdin ('-') is given twice")


def make_dark_sector(model: str | Mediator, sector: Mapping[str, Any]) -> DarkSector | None:
    """Return the dark sector that options describe, None for ``none``.

    Not named, it is what scans give the model: none if it decays to neutrinos, otherwise Dirac.
    """
    from na64.limits.scanning.request import find_mediator, sector_for

    given = {name: value for name, value in sector.items() if value is not None}
    return sector_for(find_mediator(model), given)


def make_calculator(settings: Mapping[str, Any]) -> Calculator:
    """Return the calculator of ``--method`` with the settings that were given."""
    from na64.limits.calculators.registry import CALCULATORS, calculator

    given = {name: value for name, value in settings.items() if value is not None}
    return calculator(given.pop("method", next(iter(CALCULATORS))), **given)
