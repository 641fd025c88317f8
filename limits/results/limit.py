"""Exclusion: the result of a scan, with what is needed to redo it, as JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.results.documents import Document
from na64.models.errors import InputError
from na64.workspaces.io.jsonio import canonical_json, digest, parse_json, read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.figures.figure import Overlay
    from na64.limits.results.plane_limit import PlaneLimit

__all__ = ["BAND_ORDER", "Exclusion", "Regions", "Status"]

#: changes when a key changes its meaning; named in the file and in the schema's file name
SCHEMA: Final = "na64-limits/scan/1"


@dataclass(frozen=True, slots=True)
class Exclusion(Document):
    """Excluded couplings of one model by one search, over a grid of masses.

    A number that does not exist (no exclusion at a mass, no expected limit asked for) is NaN in
    the arrays and null in the file; `status` says why.

    Attributes
    ----------
    search
        Name of the run card.
    title
        Name of the search for people.
    model
        Name of the mediator.
    parameter
        Name of the coupling, such as ``epsilon``.
    power
        Exponent p when the signal is exactly proportional to coupling^p, None otherwise.
    mass_parameter
        Name of the mass, such as ``m_A'``.
    confidence_level
        1 minus the CLs at which a coupling is excluded.
    method
        Calculator of the CLs.
    production
        Approximation of the production cross-section.
    alpha_d, ratio, dark_matter
        Dark sector: g_D^2/(4 pi), m_mediator/m_chi, species.
    masses_gev
        Masses, shape (M,), increasing.
    regions
        Excluded intervals of the coupling for the observed data, one tuple per mass.
    expected
        Lowest coupling expected to be excluded, in `BAND_ORDER`, shape (5, M).
    events_limit
        Observed upper limit on the accepted signal events, shape (M,).
    yields
        Accepted signal events per process, each of shape (M,): at coupling one, or without a
        power at the lowest excluded coupling, 0 where there is none.
    status
        One per mass.
    expected_only
        Whether there is no observed limit on purpose: a projection, or not asked for.
    ensemble
        Of the calculator: ``aux-fixed``, ``aux-fluctuated``, or None for asymptotics.
    seed, toys
        Seed and number of toys per hypothesis, otherwise None.
    expected_regions
        Excluded intervals for the median outcome without a signal, one tuple per mass.
    options
        What else the signal was computed with: ``splitting``, ``annihilation``, ``inelastic``,
        ``initial_state_radiation``.
    provenance
        Digests, the resolved card, versions, command.

    Examples
    --------
    >>> exclusion = Exclusion(
    ...     search="toy", title="Toy", model="dark-photon", parameter="epsilon", power=2.0,
    ...     mass_parameter="m_A'", confidence_level=0.9, method="exact", production="etl",
    ...     alpha_d=0.1, ratio=3.0, dark_matter="dirac",
    ...     masses_gev=np.array([0.01, 0.1]), regions=(((1e-5, None),), ()),
    ...     expected=np.full((5, 2), np.nan), events_limit=np.array([2.3, np.nan]),
    ...     yields={"emission": np.array([2.3e10, 1e8])},
    ...     status=(Status.OK, Status.NO_EXCLUSION),
    ... )
    >>> exclusion.observed
    array([1.e-05,    nan])
    >>> Exclusion.from_json(exclusion.to_json()) == exclusion
    True
    """

    noun: ClassVar[str] = "scan"

    search: str
    title: str
    model: str
    parameter: str
    power: float | None
    mass_parameter: str
    confidence_level: float
    method: str
    production: str
    alpha_d: float | None
    ratio: float | None
    dark_matter: str | None
    masses_gev: NDArray[np.float64]
    regions: tuple[Regions, ...]
    expected: NDArray[np.float64]
    events_limit: NDArray[np.float64]
    yields: Mapping[str, NDArray[np.float64]]
    status: tuple[Status, ...]
    expected_only: bool = False
    ensemble: str | None = None
    seed: int | None = None
    toys: int | None = None
    expected_regions: tuple[Regions, ...] = ()
    options: Mapping[str, float | bool] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.masses_gev)
        for name, found, wanted in (
            ("regions", (len(self.regions),), (count,)),
            ("expected", np.shape(self.expected), (len(BAND_ORDER), count)),
            ("events_limit", np.shape(self.events_limit), (count,)),
            ("status", (len(self.status),), (count,)),
            *((f"yields.{key}", np.shape(item), (count,)) for key, item in self.yields.items()),
        ):
            if found != wanted:
                raise InputError(
                    f"scan result: {name} has shape {found}, {count} masses need {wanted}"
                )
        masses = self.masses_gev
        if not (count and np.all(np.isfinite(masses)) and masses[0] > 0.0):
            raise InputError("scan result: masses_gev must be positive, at least one")
        if np.any(np.diff(masses) <= 0.0):
            raise InputError("scan result: masses_gev must increase")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Exclusion):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.content_digest)

    @property
    def observed(self) -> NDArray[np.float64]:
        """Lowest excluded coupling at each mass, shape (M,); NaN where there is none."""
        return np.array([found[0][0] if found else math.nan for found in self.regions])

    @property
    def complete(self) -> bool:
        """Whether no mass failed; "no exclusion" is a result, not a failure."""
        return not {Status.FAILED, Status.NOT_BRACKETED} & set(self.status)

    @property
    def content_digest(self) -> str:
        """sha256 of the result without its provenance."""
        return digest(self._content())

    def as_dict(self) -> dict[str, Any]:
        """Return the document that `to_json` writes."""
        return {
            **self._content(),
            "provenance": {**self.provenance, "content_digest": self.content_digest},
        }

    def _content(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "search": self.search,
            "title": self.title,
            "model": self.model,
            "parameter": {"name": self.parameter, "power": self.power},
            "mass_parameter": self.mass_parameter,
            "confidence_level": self.confidence_level,
            "method": self.method,
            "production": self.production,
            "alpha_d": self.alpha_d,
            "ratio": self.ratio,
            "dark_matter": self.dark_matter,
            "masses_gev": self.masses_gev.tolist(),
            "observed": _nulls(self.observed),
            "band_order": list(BAND_ORDER),
            "expected": [_nulls(row) for row in self.expected],
            "regions": _lists(self.regions),
            "expected_regions": _lists(self.expected_regions),
            "events_limit": _nulls(self.events_limit),
            "yields": {name: values.tolist() for name, values in self.yields.items()},
            "status": [status.value for status in self.status],
            "expected_only": self.expected_only,
            "ensemble": self.ensemble,
            "seed": self.seed,
            "toys": self.toys,
            "options": dict(self.options),
        }

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, 12 digits, null for what does not exist."""
        return canonical_json(self.as_dict(), indent=1) + "\n"

    def to_csv(self) -> str:
        """Return a table with one row per mass: limits, events, yields, status.

        The first lines, which begin with ``#``, name the search, the model and the settings. A
        second excluded region would not fit a row; the JSON has them all.
        """
        stream = io.StringIO()
        for line in self._header():
            stream.write(f"# {line}\n")
        bands = ("m2", "m1", "median", "p1", "p2")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            [
                "mass_gev",
                f"observed_{self.parameter}",
                f"observed_upper_edge_{self.parameter}",
                *(f"expected_{band}_{self.parameter}" for band in bands),
                "events_limit",
                *(f"yield_{name}" for name in self.yields),
                "status",
            ]
        )
        for row, mass in enumerate(self.masses_gev):
            found = self.regions[row]
            edge = found[0][1] if found else None
            writer.writerow(
                [
                    _cell(mass),
                    _cell(self.observed[row]),
                    _cell(math.nan if edge is None else edge),
                    *(_cell(value) for value in self.expected[:, row]),
                    _cell(self.events_limit[row]),
                    *(_cell(values[row]) for values in self.yields.values()),
                    self.status[row].value,
                ]
            )
        return stream.getvalue()

    def _header(self) -> list[str]:
        sector = [
            f"{name} {value}"
            for name, value in (
                ("dark matter", self.dark_matter),
                ("alpha_D", self.alpha_d),
                (f"{self.mass_parameter}/m_chi", self.ratio),
            )
            if value is not None
        ]
        return [
            f"search {self.search}, model {self.model}, {', '.join(sector)}",
            f"{self.confidence_level:g} CL, method {self.method}, production {self.production}",
            f"content sha256 {self.content_digest}",
        ]

    def to_plane(self, plane: str, **options: Any) -> PlaneLimit:
        """Return the limit in another plane: ``y``, ``alpha-d``, ``g``, ``epsilon``.

        The options are those of `na64.limits.planes.transforms.to_plane`.
        """
        from na64.limits.planes.transforms import to_plane

        return to_plane(self, plane, **options)

    def plot(self, overlays: Sequence[Overlay] = (), *, ratio_panel: bool = False) -> Figure:
        """Return the figure of the limit; see `na64.limits.figures.figure.exclusion_figure`."""
        from na64.limits.figures.figure import exclusion_figure

        return exclusion_figure([self], overlays, ratio_panel=ratio_panel)

    @classmethod
    def read(cls, source: str | os.PathLike[str] | TextIO) -> Exclusion:
        """Read a scan from a JSON file or an open stream.

        Raises
        ------
        InputError
            If the file is missing or is not a scan; the message names the place in the file.
        """
        if isinstance(source, (str, os.PathLike)):
            return cls._from_document(read_json(source), str(source))
        return cls.from_json(source.read(), "stdin")

    @classmethod
    def from_json(cls, text: str, where: str = "scan") -> Exclusion:
        """Return the result that a JSON text describes; `where` names it in messages."""
        return cls._from_document(parse_json(text, where), where)

    @classmethod
    def _from_document(cls, document: object, where: str) -> Exclusion:
        from na64.limits.results.schemas import validate

        found = validate(document, "scan", SCHEMA, where)
        return cls(
            search=found["search"],
            title=found["title"],
            model=found["model"],
            parameter=found["parameter"]["name"],
            power=found["parameter"]["power"],
            mass_parameter=found["mass_parameter"],
            confidence_level=found["confidence_level"],
            method=found["method"],
            production=found["production"],
            alpha_d=found["alpha_d"],
            ratio=found["ratio"],
            dark_matter=found["dark_matter"],
            masses_gev=np.array(found["masses_gev"], float),
            regions=_tuples(found["regions"]),
            expected_regions=_tuples(found["expected_regions"]),
            expected=np.array([_nans(row) for row in found["expected"]]),
            events_limit=_nans(found["events_limit"]),
            yields={name: np.array(row, float) for name, row in found["yields"].items()},
            status=tuple(Status(name) for name in found["status"]),
            expected_only=found["expected_only"],
            ensemble=found["ensemble"],
            seed=found["seed"],
            toys=found["toys"],
            options=found["options"],
            provenance={
                key: value for key, value in found["provenance"].items() if key != "content_digest"
            },
        )


def _lists(regions: Sequence[Regions]) -> list[list[list[float | None]]]:
    return [[list(pair) for pair in found] for found in regions]


def _tuples(regions: Sequence[Sequence[Sequence[Any]]]) -> tuple[Regions, ...]:
    return tuple(tuple((low, high) for low, high in rows) for rows in regions)


def _nulls(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if math.isfinite(value) else None for value in values]


def _nans(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], float)


def _cell(value: float) -> str:
    return f"{value:.12g}" if math.isfinite(value) else ""
