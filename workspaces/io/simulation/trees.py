"""Simulations in trees of ROOT: events that pass cuts, counted by mass, in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.workspaces.io.simulation.description import MASS_UNITS, SimulationFile
from na64.workspaces.io.simulation.histograms import generated_by_mass
from na64.workspaces.io.simulation.root import branch_of, object_of, reading
from na64.workspaces.io.simulation.rows import MOST_ROWS, Row, counted

__all__ = ["sums_of_tree", "tree_rows"]

_KIND: Final = "tree"
_CLASSES: Final = ("TTree", "TNtuple", "ROOT::RNTuple")
#: events that are in memory at a time, and that are read at all
_PIECE: Final = 200_000
_MOST_EVENTS: Final = 1_000_000_000
#: digits in which masses and couplings of events are the same: those of four-byte numbers
_DIGITS: Final = 6

#: sums of weights and of their squares by mass and coupling, both in the units of the file
Sums = dict[tuple[float, float | None], tuple[float, float]]


def tree_rows(file: Any, said: SimulationFile) -> Iterator[Row]:
    """Yield a row for each mass, and coupling, that events of a tree have.

    Parameters
    ----------
    file
        An open ROOT file.
    said
        What the card says of it.

    Raises
    ------
    InputError
        For a tree or branch that is not there, branches that are not one number per event, and
        where it is not known how many were generated.
    """
    sums = sums_of_tree(file, said, by_mass=True)
    number = said.generated_number
    by_mass = generated_by_mass(file, said) if number is None else (lambda _mass: number)
    unit = MASS_UNITS[said.mass_unit]
    for (mass, coupling), (total, squares) in sums.items():
        in_gev = float(f"{unit * mass:.12g}")
        yield counted(in_gev, coupling, total, squares, by_mass(mass))


def sums_of_tree(file: Any, said: SimulationFile, *, by_mass: bool) -> Sums:
    """Return the sums of the weights of events that pass, and of their squares.

    Parameters
    ----------
    file, said
        As in `tree_rows`.
    by_mass
        Whether masses are read; else all events are of one, called 0.

    Returns
    -------
    dict
        Also of masses whose events all fail: they were simulated, and nothing passes.
    """
    tree = object_of(file, str(said.tree), _KIND, _CLASSES)
    with reading(f"tree '{said.tree}'"):
        entries = int(tree.num_entries)
    if entries > _MOST_EVENTS:
        raise InputError(f"the tree '{said.tree}' has {entries} events, more than {_MOST_EVENTS}")
    if not entries:
        raise InputError(f"the tree '{said.tree}' has no events")
    keys = [name for name in (said.mass, said.coupling) if name is not None] if by_mass else []
    for cut in said.cuts:
        if cut.equals is not None:
            raise InputError(f"a cut on the branch '{cut.column}' has `low` and `high`, no text")
    weight = [] if said.weight is None else [said.weight]
    wanted = list(dict.fromkeys([*keys, *weight, *(cut.column for cut in said.cuts)]))
    if not wanted:
        return {(0.0, None): (float(entries), float(entries))}
    names = [branch_of(tree, name) for name in wanted]
    sums: Sums = {}
    for columns in _pieces(tree, names):
        _add(sums, columns, said, keys)
        if len(sums) > MOST_ROWS:
            raise InputError(
                f"the branch '{said.mass}' has more than {MOST_ROWS} different values: it is to be "
                "the mass that was simulated, not one that was measured"
            )
    return sums


def _pieces(tree: Any, names: list[str]) -> Iterator[dict[str, FloatArray]]:
    with reading("the tree"):
        for arrays in tree.iterate(names, library="np", step_size=_PIECE):
            yield {name: _numbers(arrays[name], name) for name in names}


def _numbers(values: Any, name: str) -> FloatArray:
    found = np.asarray(values)
    if found.ndim != 1 or found.dtype.kind not in "fiub":
        raise InputError(f"the branch '{name}' is not one number per event")
    found = found.astype(np.float64)
    if not np.all(np.isfinite(found)):
        raise InputError(f"the branch '{name}' has numbers that are not finite")
    return found


def _add(sums: Sums, columns: dict[str, FloatArray], said: SimulationFile, keys: list[str]) -> None:
    size = len(next(iter(columns.values())))
    passes = np.ones(size, dtype=bool)
    for cut in said.cuts:
        passes &= (columns[cut.column] >= cut.low) & (columns[cut.column] < cut.high)
    weights = np.ones(size) if said.weight is None else columns[said.weight]
    weights = np.where(passes, weights, 0.0)
    if not keys:
        places, which = np.zeros((1, 0)), np.zeros(size, dtype=np.intp)
    else:
        table = np.stack([columns[name] for name in keys], axis=1)
        places, which = np.unique(table, axis=0, return_inverse=True)
    total = np.bincount(which.ravel(), weights, len(places))
    squares = np.bincount(which.ravel(), weights**2, len(places))
    for place, one, two in zip(places.tolist(), total.tolist(), squares.tolist(), strict=True):
        rounded = [float(f"{number:.{_DIGITS}g}") for number in place]
        mass = rounded[0] if rounded else 0.0
        key = (mass, rounded[1] if len(rounded) > 1 else None)
        before = sums.get(key, (0.0, 0.0))
        sums[key] = (before[0] + one, before[1] + two)
