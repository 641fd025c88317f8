"""Everything that the project reads, by the kind of document: from bytes to a checked result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from na64.limits.campaigns.description import load_campaign
from na64.limits.cli.sideband import read_sideband
from na64.limits.explore.opening import state_of
from na64.limits.figures.inspected import KINDS, kind_of
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.programme.reader import load_figure
from na64.limits.results.limit import Limit
from na64.limits.results.schemas import validate
from na64.limits.results.specification import Specification
from na64.models.errors import InputError
from na64.workspaces.cards.charges import load_charges
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.curves import Axis, load_curve
from na64.workspaces.io.jsonio import canonical_json, faithful_json
from na64.workspaces.io.reading import read_json
from na64.workspaces.io.simulation.description import SimulationFile
from na64.workspaces.io.simulation.reading import read_rows
from na64.workspaces.io.tabulated import load_overlay
from na64.workspaces.pyhf.combine_documents import combine_workspaces
from na64.workspaces.pyhf.editing import effect_sizes, prune, workspace_names
from na64.workspaces.pyhf.patchsets import read_patchset

__all__ = ["READERS", "reading"]

_X: Final = Axis("m_A'", "GeV")
_Y: Final = Axis("epsilon", "1")
#: what patches are applied to
_BACKGROUND: Final[dict[str, Any]] = {
    "channels": [{"name": str(number), "samples": [{"name": "b"}]} for number in range(3)],
    "measurements": [{"name": "m", "config": {"parameters": [{}]}}],
}


def _card(path: str) -> None:
    card = load_card(path)
    canonical_json(card.to_dict())


def _campaign(path: str) -> None:
    load_campaign(path).plan().point(0)


def _simulation(path: str) -> None:
    read_rows(SimulationFile(file=path), binomial=True)


def _scan(path: str) -> None:
    limit = Limit.read(path)
    limit.to_json()
    limit.to_csv()
    repr(limit)


def _page(path: str) -> None:
    state_of(Limit.read(path), path)


def _specification(path: str) -> None:
    document: Any = read_json(path)
    inside: Any = document.get("specification") if isinstance(document, dict) else document
    Specification.from_dict(inside)


def _workspace(path: str) -> None:
    from na64.limits.cli.inputs import read_document, read_workspace

    document = read_document(path)
    workspace_names(document)
    effect_sizes(document)
    faithful_json(prune(document, modifiers=[]))
    read_workspace(path)


def _combined(path: str) -> None:
    from na64.limits.cli.inputs import read_document

    document = read_document(path)
    compile_workspace(combine_workspaces({"a": document, "b": document}), None)


def _patchset(path: str) -> None:
    patchset = read_patchset(read_json(path), path)
    for name in patchset.names[:1]:
        patchset.named(name).apply(_BACKGROUND)


def _result(path: str) -> None:
    """Check a result that is drawn; `plot` is one of the commands, as drawing takes a second."""
    document: Any = read_json(path)
    kind = kind_of(document)
    if kind not in KINDS:
        raise InputError(f"no result that is drawn, but {kind}")
    validate(document, kind, f"na64-limits/{kind}/{KINDS[kind][0]}", path)


#: by kind of document, names of readers and what they are: a function of the path of a file
READERS: Final[dict[str, dict[str, Callable[[str], object]]]] = {
    "campaign": {"campaign": _campaign},
    "card": {"card": _card},
    "charges": {"charges": load_charges},
    "curve": {"curve": load_curve},
    "figure": {"figure": load_figure},
    "patchset": {"patchset": _patchset},
    "result": {"result": _result},
    "scan": {"scan": _scan, "page": _page, "specification": _specification},
    "simulation": {"simulation": _simulation},
    "sideband": {"sideband": read_sideband},
    "table": {"table": lambda path: load_overlay(path, _X, _Y)},
    "workspace": {"workspace": _workspace, "combination": _combined},
}


def reading(name: str, kind: str, path: Path) -> Callable[[bytes], object]:
    """Return what writes bytes to a file and reads it with the reader of a name."""
    read = READERS[kind][name]

    def written_and_read(content: bytes) -> object:
        path.write_bytes(content)
        return read(str(path))

    return written_and_read
