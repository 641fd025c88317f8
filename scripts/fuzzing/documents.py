"""Sound documents of every kind that the project reads, from which damaged ones are made."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli_w

from na64.limits.cli.entry import run
from na64.workspaces.cards.reader import card_text
from na64.workspaces.io.curves import curve_text, load_curve
from scripts.fuzzing.trees import Change, changed_bytes, changed_tree, dumped

__all__ = ["Document", "damaged", "make_documents"]

_CHARGES: Final = """\
name = "mine"
kind = "vector"
parameter = "kappa"
references = ["none"]
neutrinos = "left-handed"
[charges]
e = 1.0
mu = -1.0
u = 0.3
nu_e = 0.1
"""
_SIDEBAND: Final = """\
[sideband]
edges_gev = [60.0, 65.0, 70.0, 75.0, 80.0, 85.0]
events = [3.0, 6.0, 15.0, 33.0, 77.0]
source = "made up"
box_gev = [0.0, 50.0]
shape = "exponential"
"""
_SIDEBAND_CSV: Final = "low_gev,high_gev,events\n60,70,9\n70,80,48\n80,90,230\n"
_TABLE_CSV: Final = (
    "mass [MeV],observed limit,expected limit\n1,1e-5,2e-5\n10,3e-5,4e-5\n100,1e-3,-\n"
)
_TABLE_DAT: Final = "# mass epsilon\n0.001 1e-5\n0.01 3e-5\n0.1 1e-3\n"
_HEPDATA: Final[dict[str, Any]] = {
    "independent_variables": [
        {
            "header": {"name": "mass", "units": "MeV"},
            "values": [{"value": 1}, {"low": 5, "high": 15}],
        }
    ],
    "dependent_variables": [
        {"header": {"name": "observed limit"}, "values": [{"value": 1e-5}, {"value": 3e-5}]},
        {"header": {"name": "expected limit"}, "values": [{"value": 2e-5}, {"value": "-"}]},
    ],
}
_DOWNLOADED: Final[dict[str, Any]] = {
    "headers": [{"name": "mass [GeV]"}, {"name": "limit"}],
    "values": [
        {"x": [{"value": "0.001"}], "y": [{"value": "1e-5", "group": 0}]},
        {"x": [{"value": "0.01"}], "y": [{"value": "3e-5", "group": 0}]},
    ],
}
_FIGURE: Final[dict[str, Any]] = {
    "format": 1,
    "name": "mine",
    "title": "Mine",
    "about": "what it shows",
    "overlays": ["babar-invisible"],
    "limits": [
        {
            "search": "na64e-2016",
            "label": "NA64e $\\epsilon$",
            "masses": "0.01,0.1",
            "method": "asymptotic",
            "ratio": 3.0,
        }
    ],
    "appearance": {
        "title": "$m_{A'}$ and _^",
        "xlim": [1.0, 1000.0],
        "ylim": [1e-6, 0.1],
        "mass_unit": "MeV",
        "label_at": {"babar-invisible": [60.0, 4.3e-3]},
        "overlay_labels": {"babar-invisible": "BaBar"},
    },
}
_CAMPAIGN: Final = """\
format = 1
name = "mine"
kind = "scan"
refused = "leave-out"
[base]
search = "na64e-2016"
method = "asymptotic"
[[axes]]
masses = ["0.1", "0.2"]
ratio = [3.0, 4.0]
"""
_TOYS: Final = """\
format = 1
name = "mine"
kind = "toys"
[base]
search = "na64e-2016"
masses_gev = [0.1]
[toys]
couplings = [1.0e-4, 1.5e-4]
toys = 1000
ensemble = "aux-fluctuated"
relative_error = 0.05
"""
_COVERAGE: Final = """\
format = 1
name = "mine"
kind = "coverage"
[base]
search = "na64e-2016"
masses_gev = [0.1]
[[axes]]
method = ["exact", "asymptotic"]
[coverage]
couplings = [1.0e-4, 2.0e-4]
experiments = 100
error = 0.05
"""
_SIMULATION: Final = "mass_gev,generated,passed\n0.05,1000,400\n0.1,1000,450\n0.2,1000,0\n"
#: commands that write sound results; the name of the document is that of the file
_MADE: Final[tuple[tuple[str, ...], ...]] = (
    ("scan", "na64e-2016", "--masses", "0.01,0.1", "-o", "scan.json"),
    ("scan", "na64e-2016", "--masses", "0.01,0.1", "--method", "toys", "--toys", "200",
     "--dark-matter", "scalar", "-o", "scan-toys.json"),
    ("scan", "na64e-visible-2017", "--masses", "0.004,0.01", "-o", "scan-visible.json"),
    ("to-plane", "scan.json", "--plane", "y", "-o", "plane-y.json"),
    ("workspace", "build", "na64e-2016", "--masses", "0.1", "-o", "workspace.json"),
    ("workspace", "build", "na64e-2016", "--masses", "0.1,0.2", "--directory", "likelihood"),
    ("relic", "--masses", "0.03,0.1", "-o", "relic.json"),
    ("yields", "na64e-2016", "--masses", "0.1,0.2", "-o", "yields.json"),
    ("width", "--masses", "0.01,0.1,1", "-o", "width.json"),
    ("cross-section", "emission", "--masses", "0.01,0.1", "--energy", "100",
     "-o", "cross-section.json"),
    ("track-length", "--threshold", "50", "-o", "track-length.json"),
    ("breakdown", "workspace.json", "-o", "breakdown.json"),
)  # fmt: skip
#: kind of what a command writes; others write results that are drawn
_KINDS: Final = {"scan": "scan", "to-plane": "scan", "workspace": "workspace"}


@dataclass(frozen=True, slots=True)
class Document:
    """A sound document.

    Attributes
    ----------
    kind
        Which readers it is for.
    name
        Its file.
    tree
        What it holds as JSON or TOML; None for other texts.
    text
        What it holds as bytes.
    """

    kind: str
    name: str
    tree: Any
    text: bytes

    @property
    def is_toml(self) -> bool:
        """Whether the tree is written as TOML."""
        return self.name.endswith(".toml")


def make_documents(folder: Path) -> tuple[Document, ...]:
    """Write sound documents into a folder and return them.

    Raises
    ------
    RuntimeError
        If a command that makes one fails.
    """
    files: dict[str, tuple[str, str]] = {
        "charges.toml": ("charges", _CHARGES),
        "campaign.toml": ("campaign", _CAMPAIGN),
        "toys.toml": ("campaign", _TOYS),
        "coverage.toml": ("campaign", _COVERAGE),
        "simulation.csv": ("simulation", _SIMULATION),
        "sideband.toml": ("sideband", _SIDEBAND),
        "sideband.csv": ("sideband", _SIDEBAND_CSV),
        "table.csv": ("table", _TABLE_CSV),
        "table.dat": ("table", _TABLE_DAT),
        "table.yaml": ("table", json.dumps(_HEPDATA)),
        "hepdata.json": ("table", json.dumps(_HEPDATA)),
        "downloaded.json": ("table", json.dumps(_DOWNLOADED)),
        "figure.toml": ("figure", tomli_w.dumps(_FIGURE)),
        "babar.toml": ("curve", curve_text(load_curve("babar-invisible"))),
        "region.toml": ("curve", curve_text(load_curve("e137-visible"))),
    }
    for name in ("na64e-2016", "na64e-visible-2017", "na64mu-2022", "na64h-2022"):
        files[f"{name}.toml"] = ("card", card_text(name))
        files[f"{name}.json"] = ("card", json.dumps(tomllib.loads(card_text(name))))
    for name, (_, text) in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    kinds = {name: kind for name, (kind, _) in files.items()}
    with contextlib.chdir(folder):
        for words in _MADE:
            _run(words)
            if words[0] == "workspace" and words[-1] == "likelihood":
                kinds |= {"likelihood/background-only.json": "workspace"}
                kinds |= {"likelihood/patchset.json": "patchset"}
            else:
                kinds[words[-1]] = _KINDS.get(words[0], "result")
    return tuple(_document(kind, name, folder) for name, kind in kinds.items())


def _run(words: Sequence[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = run(words)
    if code:
        raise RuntimeError(f"{' '.join(words)}: exit code {code}: {said.getvalue()}")


def _document(kind: str, name: str, folder: Path) -> Document:
    text = (folder / name).read_bytes()
    tree = None
    if name.endswith((".json", ".yaml")):
        tree = json.loads(text)
    elif name.endswith(".toml"):
        tree = tomllib.loads(text.decode("utf-8"))
    return Document(kind, name.replace(os.sep, "-"), tree, text)


def damaged(document: Document, changes: Iterable[Change], scratches: Iterable[Change]) -> bytes:
    """Return the bytes of a document with changes of its tree, and then of its text."""
    changes = tuple(changes)
    text = document.text
    if document.tree is not None and changes:
        tree = changed_tree(document.tree, changes)
        text = _toml(tree) if document.is_toml else dumped(tree).encode("utf-8")
    return changed_bytes(text, scratches)


def _toml(tree: Any) -> bytes:
    """Return a tree as TOML, which has neither null nor lone surrogates."""
    if not isinstance(tree, dict):
        return dumped(tree).encode("utf-8")
    return tomli_w.dumps(_without_null(tree)).encode("utf-8", "surrogatepass")


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if isinstance(value, int) and abs(value) > 10**4000:
        return 10**4000
    return "" if value is None else value
