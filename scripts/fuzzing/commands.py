"""Command lines: sound ones, with options of every kind put in and files that are damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import click

from na64.limits.calculators.registry import CALCULATORS
from na64.limits.cli.entry import COMMANDS, cli
from na64.limits.planes.transforms import PLANES
from na64.models.mediators.registry import BUILT_IN
from na64.workspaces.io.curves import available_curves
from scripts.fuzzing.trees import VALUES

__all__ = ["LINES", "Line", "options_of", "values_of"]

#: a command that serves until it is stopped
_SERVERS: Final = ("explore",)
_QUICK: Final = ("--method", "asymptotic", "--masses", "0.1")


@dataclass(frozen=True, slots=True)
class Line:
    """A sound command line that is quick.

    Attributes
    ----------
    words
        Its words; those that name a document are the names of its file.
    options
        Options that the command takes, as pairs of the option and what it takes.
    """

    words: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


_WORDS: Final[tuple[tuple[str, ...], ...]] = (
    ("scan", "na64e-2016.toml", *_QUICK, "-o", "out.json"),
    ("scan", "na64e-2016.json", "--charges", "charges.toml", *_QUICK, "--json"),
    ("scan", "na64e-visible-2017.toml", "--masses", "0.01", "--method", "asymptotic"),
    ("scan", "na64h-2022.toml", "--masses", "0.547862", "-o", "out.csv"),
    ("scan", "na64e-2016.toml", "--masses", "0.1", "--method", "toys", "--toys", "50"),
    ("scan", "na64e-2016.toml", "--masses", "0.1", "--save-workspaces", "made"),
    ("recast", "scan.json", "--model", "b-minus-l", "--leave-out", "-o", "out.json"),
    ("recast", "scan-toys.json", "--charges", "charges.toml", "--leave-out"),
    ("recast", "scan.json", "--model", "axial", "--recompute", "--json"),
    ("recast-curve", "babar.toml", "--model", "b-minus-l", "-o", "out.toml"),
    ("recast-curve", "babar.toml", "--charges", "charges.toml", "-o", "out.csv"),
    ("to-plane", "scan.json", "--plane", "y", "-o", "out.json"),
    ("to-plane", "scan-toys.json", "--plane", "epsilon", "--json"),
    ("plot", "scan.json", "--overlay", "table.csv#observed limit", "-o", "out.png"),
    ("plot", "scan.json", "plane-y.json", "--overlay", "babar.toml", "-o", "out.svg"),
    ("plot", "plane-y.json", "--thermal", "scalar", "-o", "out.svg"),
    ("plot", "scan-visible.json", "--overlay", "region.toml", "-o", "out.html"),
    ("plot", "width.json", "-o", "out.svg"),
    ("plot", "breakdown.json", "-o", "out.svg"),
    ("plot", "relic.json", "-o", "out.svg"),
    ("figure", "figure.toml", "-o", "out.svg"),
    ("figure", "figure.toml", "--show"),
    ("export", "hepdata", "scan.json", "--no-likelihood", "-o", "record"),
    ("yields", "na64e-2016.toml", "--masses", "0.1", "-o", "out.csv"),
    ("yields", "na64e-2016.toml", "--masses", "0.1", "--charges", "charges.toml", "--json"),
    ("cross-section", "annihilation", "--masses", "0.2,0.25", "--energy", "61.2"),
    ("cross-section", "emission", "--masses", "0.1", "--energy", "100", "-o", "out.csv"),
    ("cross-section", "primakoff", "--masses", "0.1", "--energy", "100"),
    ("track-length", "--threshold", "50", "-o", "out.csv"),
    ("width", "--masses", "0.01,1", "-o", "out.csv"),
    ("width", "--charges", "charges.toml", "--masses", "0.01,1", "--json"),
    ("relic", "--masses", "0.1", "-o", "out.json"),
    ("relic", "--masses", "0.1", "--charges", "charges.toml"),
    ("card", "check", "na64e-2016.toml", "na64e-visible-2017.json"),
    ("card", "new", "missing-energy"),
    ("card", "resolve", "na64mu-2022.toml", "-o", "out.toml"),
    ("card", "show", "na64h-2022.toml", "--sources"),
    ("workspace", "build", "na64e-2016.toml", "--masses", "0.1", "-o", "out.json"),
    ("workspace", "build", "na64e-2016.toml", "--masses", "0.1", "--directory", "made"),
    ("workspace", "combine", "a=workspace.json", "b=workspace.json", "-o", "out.json"),
    ("workspace", "inspect", "workspace.json", "--json"),
    ("workspace", "inspect", "likelihood-patchset.json"),
    ("workspace", "patch", "likelihood-background-only.json", "likelihood-patchset.json",
     "--name", "mass_0_coupling_0", "-o", "out.json"),
    ("workspace", "prune", "workspace.json", "--smaller-than", "0.01", "-o", "out.json"),
    ("workspace", "rename", "workspace.json", "--channel", "2016-low", "other", "-o", "out.json"),
    ("limit", "workspace.json", "--method", "asymptotic", "-o", "out.json"),
    ("limit", "workspace.json", "--method", "toys", "--toys", "50"),
    ("limit", "workspace.json", "--method", "exact", "--json"),
    ("limit", "likelihood-background-only.json", "--patchset", "likelihood-patchset.json",
     "--method", "asymptotic", "-o", "out.csv"),
    ("cls", "workspace.json", "--mu", "0,1", "--method", "asymptotic"),
    ("likelihood-scan", "workspace.json", "--mu", "0,1", "-o", "out.csv"),
    ("significance", "workspace.json", "--method", "asymptotic"),
    ("breakdown", "workspace.json", "-o", "out.json"),
    ("fit", "workspace.json", "-o", "out.json"),
    ("ranking", "workspace.json", "-o", "out.json"),
    ("goodness", "workspace.json", "--toys", "20"),
    ("post-fit", "workspace.json", "-o", "out.json"),
    ("background", "sideband.toml", "--json"),
    ("background", "sideband.csv", "--box", "0:50", "-o", "out.toml"),
    ("optimise", "na64e-2016.toml", "--masses", "0.1", "--cuts", "50,60", "--method", "asymptotic",
     "--sideband", "sideband.toml"),
    ("campaign", "run", "campaign.toml", "-o", "made"),
    ("campaign", "status", "campaign.toml"),
    ("list", "curves", "--json"),
    ("list", "models"),
    ("list", "searches"),
    ("list", "figures"),
    ("doctor", "--json"),
)  # fmt: skip

_NUMBERS: Final = (
    "0", "1", "-1", "0.5", "2", "3", "10", "100", "0.9", "0.999999999", "1e-9", "1e-300", "1e-309",
    "1e99", "1e101", "1e199", "1e308", "-1e308", "1e309", "nan", "inf", "-inf", "", "x", "1,2",
    "9" * 309, "9" * 5000, "0x10", "1_0", "\N{ARABIC-INDIC DIGIT ONE}",
)  # fmt: skip
_GRIDS: Final = (
    "0.1", "0.01,0.1", "0.001:1:3", "1,2", "50", "0", "-1", "0.1,0.1", "0.1:0.01:3",
    "1e-300:1e300:3",
    "1e-309,1", "1e308", "1e199:1e200:2", "0.1:0.2:1", "0.1:0.2:1000000000", "0.1:0.2:x", ":", "::",
    "nan", "inf", "0.1,", "", "9" * 400, "0.0100000000000001,0.01",
)  # fmt: skip
_SETTINGS: Final = (
    "bins.0.exposure=1e13", "bins.*.background=0.1", "bins.0.observed=3", "beam.energy_gev=50",
    "bins.0.exposure=1e199", "bins.0.exposure*=1e308", "bins.0.background*=1e-308", "name=_^",
    "title=$", "title=\"=cmd|' /C calc'!A0\"", "bins.0=1", "bins=[]", "x", "=", "a.b.c=1",
    "bins.0.exposure=" + "9" * 400, "bins.0.exposure=nan", "bins.0.efficiency=[[1]]",
    "target.material=lead", "bins.0.name=\"\\u0000\"", "bins.0.observed=" + "9" * 30,
    "window.missing_energy_gev=1e-9", "extends=x", "bins.0.background.relative_uncertainty=1e199",
    "bins.0.background.uncertainty=1e99", "bins.0.background=1e99", "bins.0.efficiency=1e-300",
)  # fmt: skip
_NAMES: Final = (
    *BUILT_IN, *PLANES, *CALCULATORS, *available_curves()[:6], "scalar", "dirac", "majorana",
    "pseudo-dirac", "none", "all", "observed", "expected", "mean", "median", "pulls",
    "correlations", "hessian", "profile", "lead", "ecal", "e-", "mu-", "GeV", "MeV", "pb", "cm2",
    "exponential", "exponential-quadratic", "na64e-2016", "na64mu-2022", "signal", "background",
    "mu", "bin", "paper", "slide", "dark", "inside", "outside", "coupling", "png", "auto", "wide",
)  # fmt: skip
_TEXTS: Final = (
    *(text for text in VALUES if isinstance(text, str) and "\x00" not in text and len(text) < 999),
    "out.json=_^$", "scan.json=$\\frac{", "scan.json=1,1", "scan.json=1e308,1e308", "a=b", "\udcff",
    "1:2", "1e-308:1e308", "1e307:1e308", "x" * 3000,
)  # fmt: skip
_OUTPUTS: Final = (
    "out.json",
    "out.csv",
    "out.svg",
    "out.toml",
    "none/out.json",
    ".",
    "",
    "x" * 300,
)


def options_of(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the options that a command takes: their names and the kind of their values."""
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
    if command is None:
        raise ValueError(f"there is no command {' '.join(words)}")
    return tuple(
        (option.opts[-1], _kind_of(option))
        for option in command.params
        if isinstance(option, click.Option) and option.expose_value and option.name != "jobs"
    )


def _kind_of(option: click.Option) -> str:
    if option.is_flag:
        return "flag"
    if isinstance(option.type, click.Tuple):
        return "pair"
    return {"float": "number", "integer": "number"}.get(option.type.name, option.metavar or "")


def values_of(kind: str) -> tuple[str, ...]:
    """Return values for options of a kind, good ones and bad ones."""
    if kind in ("number", "CL,..", "A,..", "R,..", "MU,.."):
        return (*_NUMBERS, *_GRIDS) if kind != "number" else _NUMBERS
    if "LO:HI" in kind or ",.." in kind or "N,N" in kind:
        return (*_GRIDS, *_NUMBERS)
    if kind == "PATH=VALUE":
        return (*_SETTINGS, *_TEXTS)
    if kind.startswith(("FILE.toml", "FILE")) and kind != "FILE":
        return ("charges.toml", "babar.toml", "no.toml", ".", "", "\udcff")
    if kind in ("FILE", "DIR", "FILE|DIR"):
        return _OUTPUTS
    if kind == "TEXT":
        return _TEXTS
    return (*_NAMES, *_TEXTS, *_NUMBERS[:12])


def _lines() -> Iterator[Line]:
    for words in _WORDS:
        yield Line(words, options_of(words))


LINES: Final = tuple(_lines())


def commands_without_a_line() -> set[str]:
    """Return the commands that no line runs, which are those that serve."""
    return set(COMMANDS) - {line.words[0] for line in LINES} - set(_SERVERS)
