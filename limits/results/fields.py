"""Fields of a limit as a document has them, and back: null for NaN, lists for tuples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.status import Regions, Status
from na64.limits.results.axes import Axis, Plane
from na64.limits.results.origin import Origin
from na64.limits.results.specification import Specification
from na64.models.errors import InputError

__all__ = ["lists", "nans", "nulls", "read_fields", "tuples"]

FloatArray = NDArray[np.float64]

#: keys with one entry for each mass, and with a list of those for each of the bands
_BY_MASS: Final = (
    "observed", "regions", "status", "messages", "events_limit", "observed_error", "used",
)  # fmt: skip
_BANDS: Final = ("expected", "expected_regions", "expected_status", "expected_error")


def nulls(values: ArrayLike) -> list[float | None]:
    """Return numbers as a list, None for what is not finite."""
    return [value if math.isfinite(value) else None for value in np.asarray(values, float).tolist()]


def lists(regions: Sequence[Regions]) -> list[list[list[float | None]]]:
    """Return the excluded intervals of every mass as lists."""
    return [[list(pair) for pair in found] for found in regions]


def read_fields(found: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of the limit that a document describes, which has passed its schema.

    Parameters
    ----------
    found
        The document.
    where
        Names it in messages.

    Raises
    ------
    InputError
        For a specification with problems, and for axes and planes that are none.
    """
    _check_lengths(found)
    origin = found["origin"]
    made = {key: value for key, value in found["provenance"].items() if key != "content_digest"}
    return {
        "specification": Specification.from_dict(found["specification"], f"{where}: specification"),
        "x": Axis(**found["x"]),
        "y": Axis(**found["y"]),
        "masses_gev": np.array(found["masses_gev"], float),
        "regions": tuples(found["regions"]),
        "expected_regions": tuple(tuples(band) for band in found["expected_regions"]),
        "status": tuple(Status(name) for name in found["status"]),
        "messages": tuple(found["messages"]),
        "expected_status": None
        if "expected_status" not in found
        else tuple(tuple(map(Status, band)) for band in found["expected_status"]),
        "used": tuple(found.get("used", ())),
        "events_limit": nans(found["events_limit"]),
        "yields": {name: np.array(row, float) for name, row in found["yields"].items()},
        "power": found["parameter"]["power"],
        "plane": Plane(**found["plane"]),
        "warnings": tuple(found["warnings"]),
        "origin": None if origin is None else Origin.from_dict(origin, f"{where}: origin"),
        "errors": _errors(found),
        "provenance": made,
    }


def _check_lengths(found: Mapping[str, Any]) -> None:
    """Refuse lists with more or fewer entries than there are masses, before arrays are made."""
    count = len(found["masses_gev"])
    lists = {key: found[key] for key in _BY_MASS if found.get(key)}
    for key in _BANDS:
        lists |= {f"{key}[{band}]": row for band, row in enumerate(found.get(key, ()))}
    lists |= {f"yields.{name}": row for name, row in found["yields"].items()}
    for key, values in lists.items():
        if len(values) != count:
            raise InputError(
                f"{key} has {len(values)} entries, must have {count}, as many as masses_gev"
            )


def _errors(found: Mapping[str, Any]) -> FloatArray | None:
    if "observed_error" not in found or "expected_error" not in found:
        return None
    return np.array([nans(row) for row in (found["observed_error"], *found["expected_error"])])


def tuples(regions: Any) -> tuple[Regions, ...]:
    """Return the excluded intervals of every mass as tuples."""
    return tuple(tuple((low, high) for low, high in rows) for rows in regions)


def nans(values: Any) -> FloatArray:
    """Return numbers that may be None as an array, NaN for None."""
    return np.array([math.nan if value is None else value for value in values], float)
