"""What a card says of a file of a simulation: where the masses, the counts and the cuts are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from na64.models.declaration import declare

__all__ = [
    "MASS_UNITS",
    "STATISTICS",
    "Cut",
    "FileOfMass",
    "SimulationFile",
]

#: units of a mass, in GeV
MASS_UNITS: Final = {"eV": 1e-9, "keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3}
#: how the statistical error of a simulation is written into a likelihood
STATISTICS: Final = ("log-normal", "staterror")
#: where a bin of a histogram is
_CENTRES: Final = ("arithmetic", "geometric")


@dataclass(frozen=True, slots=True)
class Cut:
    """What is asked of one column of a table, or one branch of a tree; several cuts all hold."""

    column: str = declare(
        help="column of a table, branch of a tree; `mass` of a histogram: its axis"
    )
    low: float = declare(
        -math.inf, help="least value that passes; none if left out", at_least=-math.inf
    )
    high: float = declare(
        math.inf, help="value from which on nothing passes; none if left out", at_least=-math.inf
    )
    equals: str | None = declare(None, help="the text of a cell, of tables of text only")

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if not self.low < self.high:
            yield "high", f"must be above low = {self.low:g}, is {self.high:g}"
        limited = math.isfinite(self.low) or math.isfinite(self.high)
        if limited == (self.equals is not None):
            yield "equals", "give `low`, `high` or both, or `equals`"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfMass:
    """One file of a simulation that was run at one mass."""

    file: str = declare(help="ROOT file with a tree")
    mass_gev: float = declare(help="mass it was simulated for", unit="GeV", above=0.0)
    coupling: float | None = declare(None, help="coupling it was simulated for", above=0.0)
    generated: float = declare(help="number that was generated in it", above=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationFile:
    """Counts of a simulation in a file.

    What is counted is the sum of weights that pass, and it is divided by the number generated: of
    signal events for an efficiency, of particles on target for a yield.
    """

    file: str | None = declare(
        None,
        help="the file, beside the card: `.csv` or `.txt` with a line of names, or `.root`",
    )
    files: tuple[FileOfMass, ...] = declare(
        (), help="in place of `file`: one ROOT file per mass, each with the `tree`"
    )
    mass: str = declare("mass_gev", help="column or branch of the mass")
    mass_unit: str = declare("GeV", help="unit of the masses", allowed=tuple(MASS_UNITS))
    coupling: str | None = declare(
        None,
        help="column or branch of the coupling; of a histogram a name for its second axis, which "
        "is taken for a coupling only if there is one",
    )
    passed: str = declare("passed", help="column or histogram of what passes, sums of weights")
    squares: str | None = declare(
        None,
        help="column of the sums of squared weights; without it every weight is 1. A histogram "
        "has its own",
    )
    generated: str | None = declare(
        None, help="column or histogram of what was generated; `generated` if left out"
    )
    generated_number: float | None = declare(
        None, help="what was generated, the same number at each mass", above=0.0
    )
    value: str | None = declare(
        None, help="in place of counts: column of the efficiency or yield itself"
    )
    error: str | None = declare(None, help="column of its standard error; needed with `value`")
    tree: str | None = declare(None, help="tree of events; what passes its `cuts` is counted")
    weight: str | None = declare(None, help="branch of the weight; 1 if left out")
    cuts: tuple[Cut, ...] = declare(
        (), help="rows, events or bins that count: `{ column = ..., low = ..., high = ... }` each"
    )
    bin_centre: str = declare(
        "arithmetic", help="mass of a bin of a histogram: mean of its edges", allowed=_CENTRES
    )
    scale: float = declare(1.0, help="multiplies the values", above=0.0)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if (self.file is None) == (not self.files):
            yield "file", "give `file`, or `files` with one per mass"
        if self.files and self.tree is None:
            yield "tree", "missing; `files` need the name of the tree in them"
        if self.generated is not None and self.generated_number is not None:
            yield "generated_number", "give `generated` or `generated_number`, not both"
        if (self.value is None) != (self.error is None):
            yield "error", "an efficiency or yield and its error are given together, or neither"
        for name, given in self._only_with_a_tree():
            if given and self.tree is None:
                yield name, "is for trees: give `tree`"

    def _only_with_a_tree(self) -> Iterator[tuple[str, Any]]:
        yield "weight", self.weight


def text_of(file: SimulationFile) -> str:
    """Return the file or files in few words, for messages and sources."""
    if file.file is not None:
        return file.file
    return (
        f"{file.files[0].file} and {len(file.files) - 1} more"
        if file.files[1:]
        else file.files[0].file
    )
