"""What a figure shows, as data: limits, their plane, what stands beside them, how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from na64.limits.calculators.registry import CALCULATORS
from na64.limits.figures.appearance import Appearance
from na64.limits.figures.overlays import BOUNDS
from na64.limits.planes.transforms import PLANES
from na64.limits.planes.y import Normalisation
from na64.limits.results.specification import Specification
from na64.limits.scanning.grids import parse_grid
from na64.limits.scanning.request import GRIDS, find_mediator, refines, specify
from na64.models.anomalies import MEASUREMENTS
from na64.models.declaration import Key, declare
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter
from na64.workspaces.cards.charges import load_charges
from na64.workspaces.cards.reader import load_card
from na64.workspaces.io.curves import load_curve

__all__ = ["FORMAT", "Description", "DrawnLimit", "Panel"]

#: version of the form of these files
FORMAT: Final = 1

Values = Mapping[str, Any]


def _file(name: str, names: Values) -> str:
    """Return a name, or the path of a file, which is relative to the folder of the figure."""
    path = Path(name)
    folder = names.get("folder")
    if not path.suffix or path.is_absolute() or folder is None:
        return name
    return str(Path(folder) / path)


def _search(name: str, _values: Values, names: Values) -> tuple[str, ...]:
    return _searches((name,), _values, names)


def _searches(found: tuple[str, ...], _values: Values, names: Values) -> tuple[str, ...]:
    files = tuple(_file(name, names) for name in found)
    for name in files:
        load_card(name)
    return files


def _curve(name: str, _values: Values, names: Values) -> str:
    return _curves((name,), _values, names)[0]


def _curves(found: tuple[str, ...], _values: Values, names: Values) -> tuple[str, ...]:
    files = tuple(_file(name, names) for name in found)
    for name in files:
        load_curve(name)
    return files


def _model(name: str, _values: Values, _names: Values) -> str:
    find_mediator(name)
    return name


def _charges(name: str, _values: Values, names: Values) -> str:
    file = _file(name, names)
    load_charges(file)
    return file


def _masses(text: str, _values: Values, _names: Values) -> str:
    parse_grid(text)
    return text


def _listed(numbers: tuple[float, ...], _values: Values, _names: Values) -> str:
    return _masses(",".join(map(repr, numbers)), _values, _names)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLimit:
    """A limit of a figure: what `na64.limits.scan` is asked for, and the curve published of it.

    Attributes
    ----------
    search
        Cards by name or file, several for a combination.
    label
        Text in the figure; by rule if empty.
    masses
        Masses of the scan in GeV, ``LO:HI:N`` or a comma list; those of the card if None.
    grid
        As `na64.limits.specify` has it.
    published
        Curve of the same limit as it was published, drawn as a line; empty for none.
    compared_gev
        First and last mass at which ours and published are compared; every one if empty.
    settings
        Settings of signal, dark sector and calculator by their keywords.
    """

    search: tuple[str, ...] = declare(
        help="card of a search, by name or file",
        accepts=str,
        to=_search,
        other=Key(name="searches", accepts=tuple[str, ...], fewest=2, to=_searches),
    )
    label: str = declare("", help="text in the figure")
    published: str = declare("", help="curve of the same limit as published", to=_curve)
    compared_gev: tuple[float, ...] = declare(
        (), help="masses between which it is compared with the published curve", above=0.0
    )
    masses: str | None = declare(
        None,
        help="grid of masses in GeV, LO:HI:N or a comma list",
        accepts=str,
        to=_masses,
        other=Key(name="masses_gev", accepts=tuple[float, ...], above=0.0, to=_listed),
    )
    grid: str = declare("auto", help="whether a range is refined", allowed=GRIDS)
    model: str | None = declare(None, help="mediator", to=_model)
    charges: str | None = declare(None, help="file of a mediator's charges", to=_charges)
    overrides: tuple[str, ...] = declare((), help="changes of the first card, PATH=VALUE")
    shared: tuple[str, ...] = declare((), help="nuisances that are one in all searches")
    confidence_level: float = declare(0.9, help="of the limit", above=0.0)
    expected_only: bool = declare(False, help="leave the data alone")
    method: str | None = declare(None, help="calculator", allowed=tuple(CALCULATORS))
    settings: Mapping[str, Any] = field(default_factory=dict)

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.model is not None and self.charges is not None:
            yield "charges", "give model or charges, not both"
            return
        if self.compared_gev and (
            len(self.compared_gev) != 2 or self.compared_gev[0] >= self.compared_gev[1]
        ):
            yield "compared_gev", "must be two masses, the smaller first"
        try:
            self.specification()
        except InputError as error:
            yield "", str(error)

    def specification(self) -> Specification:
        """Return the specification of the scan.

        Raises
        ------
        InputError
            As `na64.limits.specify`.
        """
        return specify(
            self.search if len(self.search) > 1 else self.search[0],
            masses_gev=self.masses,
            grid=self.grid,
            model=self.model if self.charges is None else load_charges(self.charges),
            overrides=self.overrides,
            shared=self.shared,
            confidence_level=self.confidence_level,
            expected_only=self.expected_only,
            method=self.method,
            **self.settings,
        )

    @property
    def tips(self) -> bool:
        """Whether the scan looks closer where excluded regions begin and end."""
        return refines(self.masses, self.grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Axes of a figure.

    Attributes
    ----------
    limits
        What is scanned and drawn; the first has bands.
    plane
        Plane in which everything is drawn; that of the coupling if empty.
    plane_options
        Options of the plane, by name.
    overlays
        Published curves of others.
    thermal, thermal_alpha_d, thermal_ratio, bounds, moments
        As in `na64.limits.figures.overlays.Beside`.
    ratio_panel
        Whether a second panel has the first limit over the published curve of it.
    appearance
        Title, labels, ranges, units, style; labels of limits are theirs.
    """

    limits: tuple[DrawnLimit, ...] = declare(help="what is scanned and drawn")
    plane: str = declare("", help="plane of the figure", allowed=tuple(PLANES))
    plane_options: Mapping[str, Any] = field(default_factory=dict)
    overlays: tuple[str, ...] = declare((), help="published curves of others", to=_curves)
    thermal: tuple[str, ...] = declare(
        (), help="species of relic targets", allowed=tuple(kind.value for kind in DarkMatter)
    )
    thermal_alpha_d: tuple[float, ...] = declare((), help="alpha_D of relic targets", above=0.0)
    thermal_ratio: tuple[float, ...] = declare((), help="mass ratios of relic targets", above=2.0)
    bounds: tuple[str, ...] = declare((), help="bounds from elsewhere", allowed=BOUNDS)
    moments: tuple[str, ...] = declare(
        (), help="bands of anomalous moments", allowed=tuple(MEASUREMENTS)
    )
    ratio_panel: bool = declare(False, help="also the first limit over the published one")
    appearance: Appearance = declare(Appearance(), help="how it looks")

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if not self.limits:
            yield "limits", "must not be empty"
            return
        if (self.thermal_alpha_d or self.thermal_ratio) and not self.thermal:
            key = "thermal_alpha_d" if self.thermal_alpha_d else "thermal_ratio"
            yield key, "is that of relic targets: say of which species in thermal"
        if self.ratio_panel and not self.limits[0].published:
            yield "ratio_panel", "needs the published curve of the first limit"


#: options of planes as keys of a panel: type, and what is allowed
PLANE_OPTIONS: Final[Mapping[str, tuple[type, Key]]] = {
    "normalisation": (str, Key(allowed=tuple(kind.value for kind in Normalisation))),
    "fermion": (str, Key()),
    "omega_h2": (float, Key(above=0.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A figure.

    Attributes
    ----------
    name, title, about
        Name, one line, and a few sentences on what it shows.
    columns
        Columns of its panels; 0 for as many as there are panels, at most 2.
    panels
        Its axes, row by row.
    """

    format: int = declare(help=f"version of the form of the file, {FORMAT}")
    name: str = declare(help="name of the figure", pattern=r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
    title: str = declare(help="one line for people", fallback="name")
    about: str = declare("", help="what it shows")
    columns: int = declare(0, help="columns of the panels")
    panels: tuple[Panel, ...] = declare(())

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.format != FORMAT:
            yield "format", f"this version reads {FORMAT}, is {self.format}"
        if len(self.panels) > 1 and any(panel.ratio_panel for panel in self.panels):
            yield "panels", "a ratio panel needs a figure of its own"
