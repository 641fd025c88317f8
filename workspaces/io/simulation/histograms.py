"""Simulations in ROOT histograms: what passed and what was generated, by mass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.errors import InputError
from na64.workspaces.io.simulation.description import MASS_UNITS, SimulationFile
from na64.workspaces.io.simulation.root import object_of, reading
from na64.workspaces.io.simulation.rows import MOST_ROWS, Row, counted

__all__ = ["generated_by_mass", "histogram_rows"]

_KIND: Final = "histogram"
_CLASSES: Final = ("TH1", "TH2", "TProfile")
#: names of the axes that cuts may be on
_AXES: Final = ("mass", "coupling")


def histogram_rows(file: Any, said: SimulationFile) -> Iterator[Row]:
    """Yield a row for each bin of a pair of histograms.

    Parameters
    ----------
    file
        An open ROOT file.
    said
        What the card says of it. The first axis is the mass, in the unit that the card says, a
        second one the coupling, if the card has a name for that. What is below or above an axis
        does not count.

    Raises
    ------
    InputError
        For histograms that are not there, have other axes than one another, or too many bins.
    """
    passed = _histogram(file, said.passed)
    axes = _centres(passed, said)
    if len(axes) > 1 and said.coupling is None:
        raise InputError(
            f"the histogram '{said.passed}' has two axes: give the second a name with `coupling` "
            "if it is one, and project the histogram on the mass if not"
        )
    values, squares = _contents(passed, said.passed)
    if values.size > MOST_ROWS:
        raise InputError(f"the histogram '{said.passed}' has more than {MOST_ROWS} bins")
    generated = _generated(file, said, passed, values.shape)
    for place in np.ndindex(values.shape):
        at = {name: float(axis[i]) for name, axis, i in zip(_AXES, axes, place, strict=False)}
        if not _inside(said, at):
            continue
        mass = float(f"{MASS_UNITS[said.mass_unit] * at['mass']:.12g}")
        numbers = (float(item[place]) for item in (values, squares, generated))
        yield counted(mass, at.get("coupling"), *numbers)


def generated_by_mass(file: Any, said: SimulationFile) -> Callable[[float], float]:
    """Return the function of a mass, in the unit of the file, that tells what was generated there.

    Raises
    ------
    InputError
        When a mass is outside the histogram.
    """
    name = said.generated or "generated"
    histogram = _histogram(file, name)
    values, _ = _contents(histogram, name)
    edges = _edges(histogram, 0)
    if values.ndim != 1:
        raise InputError(
            f"the histogram '{name}' of what was generated must have one axis, the mass"
        )

    def generated(mass: float) -> float:
        if not edges[0] <= mass < edges[-1]:
            raise InputError(
                f"the histogram '{name}' of what was generated covers masses {edges[0]:g}-"
                f"{edges[-1]:g} {said.mass_unit}, there are events at {mass:g}"
            )
        return float(values[np.searchsorted(edges, mass, "right") - 1])

    return generated


def _histogram(file: Any, name: str) -> Any:
    found = object_of(file, name, _KIND, _CLASSES)
    if found.classname.startswith("TProfile"):
        raise InputError(f"'{name}' is a {found.classname}, which holds means, not sums of weights")
    return found


def _edges(histogram: Any, axis: int) -> FloatArray:
    with reading("the axis of a histogram"):
        return np.asarray(histogram.axis(axis).edges(), float)


def _contents(histogram: Any, name: str) -> tuple[FloatArray, FloatArray]:
    with reading(f"histogram '{name}'"):
        values = np.asarray(histogram.values(), float)
        squares = np.asarray(histogram.variances(), float)
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(squares))):
        raise InputError(f"the histogram '{name}' holds numbers that are not finite")
    return values, squares


def _centres(histogram: Any, said: SimulationFile) -> list[FloatArray]:
    axes = []
    for axis in range(histogram.values().ndim):
        edges = _edges(histogram, axis)
        if said.bin_centre == "geometric":
            if not edges[0] > 0.0:
                raise InputError(
                    f"a geometric mean of edges needs positive ones, the first is {edges[0]:g}"
                )
            axes.append(np.sqrt(edges[1:] * edges[:-1]))
        else:
            axes.append(0.5 * (edges[1:] + edges[:-1]))
    return axes


def _generated(file: Any, said: SimulationFile, passed: Any, shape: tuple[int, ...]) -> FloatArray:
    if said.generated_number is not None:
        return np.full(shape, said.generated_number)
    name = said.generated or "generated"
    histogram = _histogram(file, name)
    values, _ = _contents(histogram, name)
    same = values.shape == shape and all(
        np.array_equal(_edges(histogram, axis), _edges(passed, axis)) for axis in range(len(shape))
    )
    if not same:
        raise InputError(f"the histograms '{said.passed}' and '{name}' have different bins")
    return values


def _inside(said: SimulationFile, at: Mapping[str, float]) -> bool:
    for cut in said.cuts:
        if cut.equals is not None or cut.column not in at:
            axes = " and ".join(f"'{name}'" for name in at)
            raise InputError(
                f"a cut on '{cut.column}' is none on an axis of a histogram: `low` and `high` of "
                f"{axes}"
            )
        if not cut.low <= at[cut.column] < cut.high:
            return False
    return True
