"""What a figure shows, as data: limits, their plane, what stands beside them, how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from na64.limits.figures.appearance import Appearance
from na64.limits.figures.overlays import BOUNDS
from na64.limits.planes.transforms import PLANES
from na64.limits.planes.y import Normalisation
from na64.limits.scanning.asked import Asked, file_beside
from na64.models.anomalies import MEASUREMENTS
from na64.models.declaration import Key, declare
from na64.models.mediators.dark_sector import DarkMatter
from na64.workspaces.io.curves import load_curve

__all__ = ["FORMAT", "Description", "DrawnLimit", "Panel"]

#: version of the form of these files
FORMAT: Final = 1

Values = Mapping[str, Any]


def _curve(name: str, _values: Values, names: Values) -> str:
    return _curves((name,), _values, names)[0]


def _curves(found: tuple[str, ...], _values: Values, names: Values) -> tuple[str, ...]:
    files = tuple(file_beside(name, names) for name in found)
    for name in files:
        load_curve(name)
    return files


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLimit(Asked):
    """A limit of a figure: what `na64.limits.scan` is asked for, and the curve published of it.

    Attributes
    ----------
    label
        Text in the figure; by rule if empty.
    published
        Curve of the same limit as it was published, drawn as a line; empty for none.
    compared_gev
        First and last mass at which ours and published are compared; every one if empty.
    """

    label: str = declare("", help="text in the figure")
    published: str = declare("", help="curve of the same limit as published", to=_curve)
    compared_gev: tuple[float, ...] = declare(
        (), help="masses between which it is compared with the published curve", above=0.0
    )

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        if self.compared_gev and (
            len(self.compared_gev) != 2 or self.compared_gev[0] >= self.compared_gev[1]
        ):
            yield "compared_gev", "must be two masses, the smaller first"
        yield from Asked.misfits(self)


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
