"""PlaneLimit: a limit in a plane of dark-matter searches, as JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from na64.limits.planes.axes import Normalisation
from na64.limits.results.documents import Document
from na64.limits.results.limit import BAND_ORDER, Regions
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.workspaces.io.jsonio import canonical_json, digest, parse_json, read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Plane", "PlaneLimit", "find_plane"]

SCHEMA: Final = "na64-limits/plane/1"


class Plane(StrEnum):
    """What is on the vertical axis.

    ``y``: coupling^2 alpha_D (m_chi/m_mediator)^4 against m_chi. ``alpha-d``: alpha_D of a thermal
    relic against m_chi. ``g``: coupling to a fermion, ``epsilon``, ``g-agg``, ``br``: free
    coupling of the model, each against the mediator's mass.
    """

    Y = "y"
    ALPHA_D = "alpha-d"
    G = "g"
    EPSILON = "epsilon"
    G_AGG = "g-agg"
    BR = "br"

    @property
    def against_dark_matter(self) -> bool:
        """Whether masses are those of dark matter, m_chi."""
        return self in (Plane.Y, Plane.ALPHA_D)


def find_plane(name: str) -> Plane:
    """Return the plane of a name, or raise InputError with the nearest match."""
    try:
        return Plane(name)
    except ValueError:
        raise unknown_name("plane", name, [item.value for item in Plane]) from None


@dataclass(frozen=True, slots=True)
class PlaneLimit(Document):
    """Excluded values of one variable by one search, over a grid of masses.

    A number that does not exist is NaN in the arrays and null in the file; `status` says why.

    Attributes
    ----------
    plane
        Which plane.
    search, title, model, parameter, mass_parameter
        Of the scan: card, its name for people, mediator, its free coupling and its mass.
    x_name
        ``m_chi``, or the name of the mediator's mass; in GeV.
    y_name
        Formula of the variable in ASCII; it states the normalisation.
    y_unit
        ``1``, or ``GeV^-1``.
    normalisation
        Of y; None in other planes.
    dark_matter, alpha_d, ratio, splitting
        Dark sector; ``alpha_d`` is None in the plane of alpha_D, all are None without dark matter.
    confidence_level, method, production, expected_only
        As in `na64.limits.results.limit.Exclusion`.
    masses_gev
        Shape (M,), increasing.
    regions
        Excluded intervals [low, high] per mass, high None when open.
    expected
        Expected limits in the order of the scan's bands (-2, -1, 0, +1, +2), shape (5, M).
    status
        Per mass that of the scan, or ``no-relic``: no thermal coupling to compare with.
    assumptions
        What the numbers hold for, one line.
    notes
        Caveats, and what was computed anew; sentences for people.
    provenance
        Versions and command; as ``scan`` that of the scan with its digest and card.
    """

    noun: ClassVar[str] = "plane"

    plane: Plane
    search: str
    title: str
    model: str
    parameter: str
    mass_parameter: str
    x_name: str
    y_name: str
    y_unit: str
    normalisation: Normalisation | None
    dark_matter: str | None
    alpha_d: float | None
    ratio: float | None
    splitting: float
    confidence_level: float
    method: str
    production: str
    expected_only: bool
    masses_gev: NDArray[np.float64]
    regions: tuple[Regions, ...]
    expected: NDArray[np.float64]
    status: tuple[str, ...]
    assumptions: str
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PlaneLimit):
            return NotImplemented
        return self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(digest(self.as_dict()))

    @property
    def excluded_below(self) -> bool:
        """Whether values below the limit are excluded, down to another edge: alpha_D of relics."""
        return self.plane is Plane.ALPHA_D

    @property
    def observed(self) -> NDArray[np.float64]:
        """Edge of the first excluded interval, shape (M,); NaN where there is none.

        The lower edge, and the upper one in the plane of alpha_D.
        """
        edges = [found[0][int(self.excluded_below)] if found else None for found in self.regions]
        return np.array([math.nan if edge is None else edge for edge in edges])

    @property
    def drawn(self) -> NDArray[np.float64]:
        """The line that stands for the limit: observed, or the median if there is none."""
        return self.expected[BAND_ORDER.index(0)] if self.expected_only else self.observed

    def sector(self) -> DarkSector | None:
        """Return the dark sector; in the plane of alpha_D with any alpha_D, None without one."""
        if self.dark_matter is None or self.ratio is None:
            return None
        return DarkSector(
            DarkMatter(self.dark_matter),
            0.1 if self.alpha_d is None else self.alpha_d,
            self.ratio,
            self.splitting,
        )

    def plot(self, **options: Any) -> Figure:
        """Return the figure of this limit, its options those of `draw_planes`.

        `na64.limits.figures.plane_overlays.draw_planes`: thermal targets, published curves, bounds.
        """
        from na64.limits.figures.plane_overlays import draw_planes

        return draw_planes([self], **options)

    def as_dict(self) -> dict[str, Any]:
        """Return the result under the stable keys of its file, without ``provenance``."""
        return {
            "schema": SCHEMA,
            "plane": self.plane.value,
            "search": self.search,
            "title": self.title,
            "model": self.model,
            "parameter": self.parameter,
            "mass_parameter": self.mass_parameter,
            "x": {"name": self.x_name, "unit": "GeV"},
            "y": {"name": self.y_name, "unit": self.y_unit},
            "normalisation": None if self.normalisation is None else self.normalisation.value,
            "dark_matter": self.dark_matter,
            "alpha_d": self.alpha_d,
            "ratio": self.ratio,
            "splitting": self.splitting,
            "confidence_level": self.confidence_level,
            "method": self.method,
            "production": self.production,
            "expected_only": self.expected_only,
            "excluded": "below" if self.excluded_below else "above",
            "masses_gev": self.masses_gev.tolist(),
            "observed": _nulls(self.observed),
            "band_order": list(BAND_ORDER),
            "expected": [_nulls(row) for row in self.expected],
            "regions": [[list(pair) for pair in found] for found in self.regions],
            "status": list(self.status),
            "assumptions": self.assumptions,
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, 12 digits, null for what does not exist."""
        document = self.as_dict()
        made = {**self.provenance, "content_digest": digest(document)}
        return canonical_json({**document, "provenance": made}, indent=1) + "\n"

    def to_csv(self) -> str:
        """Return a table with one row per mass; lines with ``#`` say what it is."""
        stream = io.StringIO()
        for line in (
            f"search {self.search}, model {self.model}: {self.y_name} against {self.x_name}",
            f"{self.confidence_level:g} CL, excluded {'below' if self.excluded_below else 'above'}",
            *([self.assumptions] if self.assumptions else []),
            *self.notes,
        ):
            stream.write(f"# {line}\n")
        writer = csv.writer(stream, lineterminator="\n")
        bands = ("m2", "m1", "median", "p1", "p2")
        column = self.plane.value.replace("-", "_")
        writer.writerow(
            [
                "mass_gev",
                f"observed_{column}",
                *(f"expected_{band}_{column}" for band in bands),
                "status",
            ]
        )
        for row, mass in enumerate(self.masses_gev):
            numbers = [mass, self.observed[row], *self.expected[:, row]]
            cells = [f"{value:.12g}" if math.isfinite(value) else "" for value in numbers]
            writer.writerow([*cells, self.status[row]])
        return stream.getvalue()

    @classmethod
    def read(cls, source: str | os.PathLike[str] | TextIO) -> PlaneLimit:
        """Read a plane from a JSON file or an open stream.

        Raises
        ------
        InputError
            If the file is missing or is no plane; the message names the place in the file.
        """
        if isinstance(source, (str, os.PathLike)):
            return cls.from_document(read_json(source), str(source))
        return cls.from_document(parse_json(source.read(), "stdin"), "stdin")

    @classmethod
    def from_document(cls, document: object, where: str = "plane") -> PlaneLimit:
        """Return the result that a JSON document describes; `where` names it in messages."""
        from na64.limits.results.schemas import validate

        found = validate(document, "plane", SCHEMA, where)
        count = len(found["masses_gev"])
        lists = [found["regions"], found["status"], *found["expected"]]
        if any(len(item) != count for item in lists):
            raise InputError(f"{where}: every list must have {count} entries, one per mass")
        chosen = found["normalisation"]
        same = (
            "search", "title", "model", "parameter", "mass_parameter", "dark_matter",
            "alpha_d", "ratio", "splitting", "confidence_level", "method", "production",
            "expected_only", "assumptions",
        )  # fmt: skip
        return cls(
            plane=Plane(found["plane"]),
            x_name=found["x"]["name"],
            y_name=found["y"]["name"],
            y_unit=found["y"]["unit"],
            normalisation=None if chosen is None else Normalisation(chosen),
            masses_gev=np.array(found["masses_gev"], float),
            regions=tuple(tuple((low, high) for low, high in rows) for rows in found["regions"]),
            expected=np.array([_nans(row) for row in found["expected"]]),
            status=tuple(found["status"]),
            notes=tuple(found["notes"]),
            provenance={
                key: value for key, value in found["provenance"].items() if key != "content_digest"
            },
            **{name: found[name] for name in same},
        )


def _nulls(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def _nans(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], float)
