"""Limit: excluded values over a grid of masses, with the specification they were computed from."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.status import (
    BAND_ORDER,
    UNANSWERED,
    BandStatus,
    Regions,
    Status,
    unanswered,
)
from na64.limits.results.axes import Axis, Plane
from na64.limits.results.documents import Document
from na64.limits.results.fields import lists, nans, nulls, read_fields, tuples
from na64.limits.results.integrity import check_digest
from na64.limits.results.operations import operation
from na64.limits.results.origin import Origin
from na64.limits.results.schemas import validate
from na64.limits.results.specification import Specification
from na64.limits.results.tables import Table
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json, digest, plain
from na64.workspaces.io.reading import parse_json, read_json, read_stream

__all__ = ["Limit", "read"]

FloatArray = NDArray[np.float64]

#: observed and expected limits in names of columns
_LINES: Final = ("observed", "m2", "m1", "median", "p1", "p2")
_SECTOR: Final = ("dark_matter", "ratio", "splitting")
#: changes when a key changes its meaning; named in the file and in the schema's file name
SCHEMA: Final = "na64-limits/scan/2"


@dataclass(frozen=True, slots=True)
class Limit(Document):
    """Excluded values of one variable, over a grid of masses.

    A number that does not exist (no exclusion at a mass, no data looked at) is NaN in the arrays
    and null in the file; `status` says why. All numbers have the digits that files keep, so that
    what is made of a result and what is made of its file are the same.

    Attributes
    ----------
    specification
        Everything from which the result was computed.
    x, y
        Axes: a mass, and what is excluded.
    masses_gev
        Values on the axis x, shape (M,): masses of the mediator, or m_chi.
    regions
        Excluded intervals of y for the observed data, one tuple per mass; empty without data.
    expected_regions
        The same for the five quantiles of outcomes without a signal, in `BAND_ORDER`.
    status
        One per mass.
    messages
        What went wrong, one per mass; empty where nothing did.
    events_limit
        Accepted signal events at the lowest excluded coupling, shape (M,).
    yields
        Accepted signal events per process, each of shape (M,): at coupling one, or without a
        power at the lowest excluded coupling, 0 where there is none.
    power
        Exponent p when the signal is exactly proportional to coupling^p, None otherwise.
    plane
        In which plane the values are.
    warnings
        What a reader must know, sentences for people.
    origin
        Where the numbers were carried over from, None if they were computed.
    provenance
        Versions and command; nothing in it is needed to redo the result.
    expected_status
        Of the expected limits in `BAND_ORDER`, one tuple of M per band; None in results that were
        written before it was kept.
    errors
        Statistical errors of the limits in signal events, relative, shape (6, M): observed, then
        expected in `BAND_ORDER`. None for methods without noise, and in files from before they
        were kept.
    used
        Which method made the limits of each mass, where the calculator chooses: ``exact``,
        ``toys``, or ``exact+toys`` for observed and expected ones; empty otherwise.
    """

    noun: ClassVar[str] = "scan"

    specification: Specification
    x: Axis
    y: Axis
    masses_gev: FloatArray
    regions: tuple[Regions, ...]
    expected_regions: tuple[tuple[Regions, ...], ...]
    status: tuple[Status, ...]
    messages: tuple[str, ...]
    events_limit: FloatArray
    yields: Mapping[str, FloatArray]
    power: float | None = None
    plane: Plane = field(default_factory=Plane)
    warnings: tuple[str, ...] = ()
    origin: Origin | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    expected_status: BandStatus | None = None
    errors: FloatArray | None = None
    used: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, kept in (
            ("masses_gev", nans(plain(nulls(self.masses_gev)))),
            ("regions", tuples(plain(self.regions))),
            ("expected_regions", tuple(tuples(plain(band)) for band in self.expected_regions)),
            ("events_limit", nans(plain(nulls(self.events_limit)))),
            ("yields", {key: nans(plain(nulls(row))) for key, row in self.yields.items()}),
        ):
            object.__setattr__(self, name, kept)
        if self.errors is not None:
            rows = np.array([nans(plain(nulls(row))) for row in self.errors])
            object.__setattr__(self, "errors", rows)
        count = len(self.specification.masses_gev)
        by_mass: dict[str, Sequence[Any] | FloatArray] = {
            "masses_gev": self.masses_gev,
            "regions": self.regions,
            "status": self.status,
            "messages": self.messages,
            "events_limit": self.events_limit,
            **{
                f"expected_regions {order:+d}": band
                for order, band in zip(BAND_ORDER, self.expected_regions, strict=True)
            },
            **{
                f"expected_status {order:+d}": band
                for order, band in zip(BAND_ORDER, self.expected_status or ((),) * 5, strict=True)
                if self.expected_status is not None
            },
            **{f"yields.{name}": values for name, values in self.yields.items()},
            **({} if self.errors is None else {"errors": self.errors[0]}),
            **({"used": self.used} if self.used else {}),
        }
        for name, values in by_mass.items():
            if len(values) != count:
                raise InputError(f"result: {name} has {len(values)} entries, needs {count}")
        for found in (*self.regions, *(item for band in self.expected_regions for item in band)):
            edges = [edge for pair in found for edge in pair if edge is not None]
            closed = all(pair[1] is not None for pair in found[:-1])
            if not closed or any(a >= b for a, b in itertools.pairwise(edges)):
                raise InputError(f"result: intervals must increase and not overlap, are {found}")
        if np.any(np.diff(self.masses_gev) <= 0.0) or not np.all(self.masses_gev > 0.0):
            raise InputError("result: masses must be positive and increase")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Limit):
            return NotImplemented
        return self.content_digest == other.content_digest

    def __hash__(self) -> int:
        return hash(self.content_digest)

    def __repr__(self) -> str:
        made, masses = self.specification, self.masses_gev
        known = self.shown[np.isfinite(self.shown)]
        what = "expected" if self.expected_only else "observed"
        found = f"{what} {known.min():.3g} to {known.max():.3g}" if known.size else "no exclusion"
        return (
            f"<Limit on {self.y.name} of {made.mediator.name} from {made.search}, "
            f"{100.0 * made.confidence_level:g} % CL, {made.calculator.name}: {found} at "
            f"{len(masses)} values of {self.x.name}, {masses[0]:g} to {masses[-1]:g} {self.x.unit}>"
        )

    def _repr_html_(self) -> str:
        return str(operation("html")(self))

    @property
    def digest(self) -> str:
        """sha256 of the specification."""
        return self.specification.digest

    @property
    def observed(self) -> FloatArray:
        """Edge of the excluded region, shape (M,); NaN where there is none.

        The lowest excluded value above zero; the upper edge where values below are excluded.
        """
        return self._edge(self.regions)

    @property
    def expected(self) -> FloatArray:
        """The same for the outcomes without a signal, in `BAND_ORDER`, shape (5, M)."""
        return np.array([self._edge(band) for band in self.expected_regions])

    def _edge(self, regions: Sequence[Regions]) -> FloatArray:
        side = int(self.plane.excluded_below)
        edges = []
        for found in regions:
            values = [pair[side] for pair in found if pair[side]]
            edges.append(math.nan if not values or values[0] is None else values[0])
        return np.array(edges, float)

    @property
    def expected_only(self) -> bool:
        """Whether there is no observed limit on purpose: a projection, or not asked for."""
        return self.specification.expected_only

    @property
    def shown_regions(self) -> tuple[Regions, ...]:
        """Regions that stand for the result: observed, or the median's if data are left alone."""
        return self.expected_regions[BAND_ORDER.index(0)] if self.expected_only else self.regions

    @property
    def shown(self) -> FloatArray:
        """Limit that stands for the result, shape (M,): observed, or the expected median."""
        return self._edge(self.shown_regions)

    @property
    def left_out(self) -> NDArray[np.bool_]:
        """Masses that were left out on purpose, shape (M,)."""
        return np.array([status is Status.LEFT_OUT for status in self.status])

    @property
    def complete(self) -> bool:
        """Whether no limit failed; "no exclusion" is a result, not a failure."""
        return not any(
            UNANSWERED & set(row) for row in (self.status, *(self.expected_status or ()))
        )

    def band_words(self, row: int) -> str:
        """Say of one mass how its expected limits fared: ``ok``, or those that are not so."""
        if self.expected_status is None:
            return ""
        states = [band[row] for band in self.expected_status]
        if len(set(states)) == 1:
            return states[0].value
        return "; ".join(
            f"{order:+d} {state.value}"
            for order, state in zip(BAND_ORDER, states, strict=True)
            if state is not Status.OK
        )

    def unanswered(self, row: int) -> list[str]:
        """Name the limits at one mass that were not found, with why."""
        bands = [band[row] for band in self.expected_status or ()]
        return unanswered(None if self.expected_only else self.status[row], bands)

    # -- what can be done with it ------------------------------------------------------------

    def at(self, masses_gev: ArrayLike) -> Limit:
        """Return the result at some of its masses, values of the axis x.

        Raises
        ------
        InputError
            For a mass that the result does not have.
        """
        wanted = np.asarray(plain(np.atleast_1d(np.asarray(masses_gev, float))), float)
        have = np.asarray(plain(self.masses_gev), float)
        if missing := sorted(set(wanted.tolist()) - set(have.tolist())):
            raise InputError(
                f"the result has no mass of {missing[0]:g} GeV; it has {have.size} from "
                f"{have[0]:g} to {have[-1]:g} GeV, in masses_gev"
            )
        return self.take(np.flatnonzero(np.isin(have, wanted)))

    def take(self, rows: NDArray[np.intp]) -> Limit:
        """Return the result at the masses of some places, increasing."""
        some = rows.tolist()
        masses = self.specification.masses_gev[rows]
        return replace(
            self,
            specification=self.specification.at(masses),
            origin=None if self.origin is None else self.origin.at(masses),
            masses_gev=self.masses_gev[rows],
            regions=tuple(self.regions[row] for row in some),
            expected_regions=tuple(
                tuple(band[row] for row in some) for band in self.expected_regions
            ),
            status=tuple(self.status[row] for row in some),
            messages=tuple(self.messages[row] for row in some),
            expected_status=self.expected_status
            and tuple(tuple(band[row] for row in some) for band in self.expected_status),
            used=tuple(self.used[row] for row in some) if self.used else (),
            events_limit=self.events_limit[rows],
            yields={name: values[rows] for name, values in self.yields.items()},
            errors=None if self.errors is None else self.errors[:, rows],
        )

    def redo(self, **options: Any) -> Limit:
        """Compute the result again from what it holds; the same numbers to the last bit.

        The options are those of `na64.limits.scan` that decide no number: ``jobs``, ``tables``,
        ``progress``.
        """
        return operation("redo")(self, **options)  # type: ignore[no-any-return]

    def recast(self, model: Any = None, **options: Any) -> Limit:
        """Return the limit on another mediator; see `na64.limits.scanning.recast.recast`."""
        return operation("recast")(self, model, **options)  # type: ignore[no-any-return]

    def to_plane(self, plane: str, **options: Any) -> Limit:
        """Return the result in another plane; see `na64.limits.planes.transforms.to_plane`."""
        return operation("to_plane")(self, plane, **options)  # type: ignore[no-any-return]

    def plot(self, **words: Any) -> Any:
        """Return the figure of the result; see `na64.limits.figures.plotting.plot`."""
        return operation("plot")(self, **words)

    # -- files -------------------------------------------------------------------------------

    @property
    def content_digest(self) -> str:
        """sha256 of the result without its provenance."""
        return digest(self._content())

    def as_dict(self) -> dict[str, Any]:
        """Return the document that `to_json` writes."""
        content = self._content()
        made = {**self.provenance, "content_digest": digest(content)}
        return {**content, "provenance": made}

    def _content(self) -> dict[str, Any]:
        return {
            **self._description(),
            "masses_gev": self.masses_gev.tolist(),
            "observed": nulls(self.observed),
            "band_order": list(BAND_ORDER),
            "expected": [nulls(row) for row in self.expected],
            "regions": lists(self.regions),
            "expected_regions": [lists(band) for band in self.expected_regions],
            "events_limit": nulls(self.events_limit),
            "yields": {name: values.tolist() for name, values in self.yields.items()},
            "status": [status.value for status in self.status],
            "messages": list(self.messages),
            **self._band_status(),
            **({"used": list(self.used)} if self.used else {}),
            "warnings": list(self.warnings),
            "specification": self.specification.to_dict(),
            "origin": None if self.origin is None else self.origin.to_dict(),
            **self._error_lists(),
        }

    def _band_status(self) -> dict[str, Any]:
        bands = self.expected_status
        return {} if bands is None else {"expected_status": [[*map(str, band)] for band in bands]}

    def _error_lists(self) -> dict[str, Any]:
        if self.errors is None:
            return {}
        observed, *expected = (nulls(row) for row in self.errors)
        return {"observed_error": observed, "expected_error": expected}

    def _description(self) -> dict[str, Any]:
        """What follows from the specification and the plane, for readers of the file."""
        made, sector = self.specification, self.specification.dark_sector
        options = self.plane.options
        return {
            "schema": SCHEMA,
            "digest": made.digest,
            "search": made.search,
            "title": made.title,
            "model": made.mediator.name,
            "parameter": {"name": made.mediator.parameter, "power": self.power},
            "mass_parameter": made.mass_parameter,
            "confidence_level": made.confidence_level,
            "method": made.calculator.name,
            "production": made.settings.production,
            "dark_matter": None if sector is None else sector.species.value,
            "alpha_d": None if sector is None else sector.alpha_d,
            "ratio": None if sector is None else sector.ratio,
            "splitting": None if sector is None else sector.splitting,
            **{key: options[key] for key in _SECTOR if key in options},
            **({"alpha_d": None} if self.plane.excluded_below else {}),
            "expected_only": self.expected_only,
            "plane": self.plane.to_dict(),
            "x": self.x.to_dict(),
            "y": self.y.to_dict(),
        }

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, 12 digits, null for what does not exist."""
        return canonical_json(self.as_dict(), indent=1) + "\n"

    def to_table(self) -> Table:
        """Return a table with one row per mass: limits, events, yields, status.

        The notes name the search, the model and the settings. A second excluded region would not
        fit a row; the JSON has them all.
        """
        name = self.y.column
        columns = (
            "mass_gev",
            f"observed_{name}",
            f"observed_upper_edge_{name}",
            *(f"expected_{band}_{name}" for band in _LINES[1:]),
            "events_limit",
            *(f"yield_{process}" for process in self.yields),
            *([] if self.errors is None else (f"events_error_{name}" for name in _LINES)),
            "status",
            "expected_status",
        )
        observed, expected = self.observed, self.expected
        rows = []
        for row, mass in enumerate(self.masses_gev):
            upper = [pair[1] for pair in self.regions[row] if pair[0] == observed[row]]
            rows.append(
                (
                    mass,
                    observed[row],
                    upper[0] if upper else None,
                    *expected[:, row],
                    self.events_limit[row],
                    *(values[row] for values in self.yields.values()),
                    *(() if self.errors is None else self.errors[:, row]),
                    self.status[row].value,
                    self.band_words(row),
                )
            )
        return Table(columns, rows, tuple(self._header()))

    def _header(self) -> list[str]:
        made, sector = self.specification, self.specification.dark_sector
        words = [f"search {made.search}", f"model {made.mediator.name}"]
        if self.plane.is_coupling and sector is not None:
            words += [
                f"dark matter {sector.species.value}",
                f"alpha_D {sector.alpha_d}",
                f"{made.mass_parameter}/m_chi {sector.ratio}",
            ]
        side = "below" if self.plane.excluded_below else "above"
        return [
            ", ".join(words),
            f"{self.y.definition} against {self.x.name}, excluded {side}",
            *([self.plane.assumptions] if self.plane.assumptions else []),
            f"{made.confidence_level:g} CL, method {made.calculator.name}, production "
            f"{made.settings.production}",
            *self.warnings,
            f"content sha256 {self.content_digest}",
        ]

    @classmethod
    def read(cls, source: str | os.PathLike[str] | TextIO, *, trust: bool = False) -> Limit:
        """Read a result from a JSON file or an open stream.

        Parameters
        ----------
        source
            The file or the stream.
        trust
            Whether a result that was changed after it was written is accepted, with a warning;
            not one whose numbers contradict one another.

        Raises
        ------
        InputError
            If the file is missing or is no result; the message names the place in the file.
        """
        if isinstance(source, (str, os.PathLike)):
            return cls.from_dict(read_json(source), str(source), trust=trust)
        return cls.from_json(read_stream(source, "stdin"), "stdin", trust=trust)

    @classmethod
    def from_json(cls, text: str, where: str = "scan", *, trust: bool = False) -> Limit:
        """Return the result that a JSON text describes; `where` names it in messages."""
        return cls.from_dict(parse_json(text, where), where, trust=trust)

    @classmethod
    def from_dict(cls, document: object, where: str = "scan", *, trust: bool = False) -> Limit:
        """Return the result that a JSON document describes.

        Raises
        ------
        InputError
            For a document that does not fit its schema, a specification with problems, keys that
            disagree with one another, and a content that is not that of its digest unless `trust`.
        """
        found = validate(document, cls.noun, SCHEMA, where)
        try:
            result = cls(**read_fields(found, where))
        except InputError as error:
            text = str(error)
            raise InputError(text if text.startswith(where) else f"{where}: {text}") from error
        content = plain(result._content())
        for key, value in content.items() if isinstance(content, dict) else ():
            if value != found.get(key):
                hint = "; `trust` does not accept numbers that contradict one another"
                raise InputError(
                    f"{where}: '{key}' disagrees with the rest of the file{hint * trust}"
                )
        check_digest(digest(content), found["provenance"], where, trust=trust)
        return result


def read(source: str | os.PathLike[str] | TextIO, *, trust: bool = False) -> Limit:
    """Return the result of a scan, a recast or a conversion; see `Limit.read`."""
    return Limit.read(source, trust=trust)
