"""Published curves as data files: units, confidence level and source with every one.

The format is described in docs/curves.md. The shipped curves are short tables of their own,
three digits per number, to compare a computed limit with or to draw beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.declaration import declare, table_of
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.dark_sector import DarkMatter
from na64.models.mediators.registry import BUILT_IN
from na64.models.recasting.channels import UNSEEN, FinalState, Lifetime, Production
from na64.workspaces.io.shipped import shipped, shipped_or_file
from na64.workspaces.io.tables import read_file
from na64.workspaces.io.toml import parse_toml, toml_text

__all__ = [
    "GROUPS",
    "Axis",
    "Curve",
    "CurveKind",
    "CurveSource",
    "Level",
    "available_curves",
    "curve_text",
    "load_curve",
    "log_log_interpolation",
    "parse_curve",
    "selected_curves",
]


class CurveKind(StrEnum):
    """What a curve is.

    An upper limit on y for every x, the closed path around an excluded region, or the line on
    which dark matter has its observed relic density.
    """

    LIMIT = "limit"
    REGION = "region"
    THERMAL = "thermal"


class Level(StrEnum):
    """Where the confidence level of a curve comes from.

    The publication, or the list of its numbers; what is usual for its kind, where neither states
    one; or there is none, as for an argument about the energy that a star loses.
    """

    STATED = "stated"
    ASSUMED = "assumed"
    NONE = "none"


#: what curves are filed under in a list
GROUPS: Final = (*(kind.value for kind in CurveKind), "projection")


@dataclass(frozen=True, slots=True)
class Axis:
    """Name and unit of an axis; the unit of a pure number is ``1``."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class CurveSource:
    """Where a curve was published.

    Attributes
    ----------
    paper
        Journal reference or title.
    arxiv, doi, figure
        Further pointers, empty if there are none.
    """

    paper: str
    arxiv: str = ""
    doi: str = ""
    figure: str = ""

    def __str__(self) -> str:
        parts = (
            self.paper,
            self.figure,
            f"arXiv:{self.arxiv}" if self.arxiv else "",
            f"doi:{self.doi}" if self.doi else "",
        )
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A published curve.

    Attributes
    ----------
    level
        Where the confidence level comes from.
    reference
        Where the curve was published.
    provenance
        How the numbers came here and how exact they are.
    model
        Built-in mediator whose coupling y is; empty for a thermal line, and where nobody said.
    projection
        Whether the curve is what an experiment expects and not what it found.
    production
        What makes the particle in this search, each process that counts.
    final_state
        What the search sees of it.
    lifetime
        Whether the search sees it decay where it was made; None where it sees no decay.
    decay_volume
        Of a search for displaced decays: the length in which decays are seen over that of the
        shield before it.
    dark_matter, alpha_d, ratio
        The dark sector for which alone the curve holds; None where it holds for any.
    assumptions
        What the curve holds for in words, such as ``alpha_D = 0.1, m_A' = 3 m_chi``; may be empty.
    searches
        Cards of the searches whose result it is, beside one of its own name.
    points
        Pairs (x, y); x increases except for regions.
    """

    name: str = declare(help="name in results", pattern=r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
    title: str = declare(help="one line for people", fallback="name")
    label: str = declare(help="what a legend says", fallback="title")
    kind: CurveKind
    x_axis: Axis = declare(name="x")
    y_axis: Axis = declare(name="y")
    confidence_level: float | None = declare(None, help="of a limit or region", above=0.0)
    level: Level = Level.STATED
    reference: CurveSource = declare(name="source")
    provenance: str
    model: str = declare("", help="mediator whose coupling y is", allowed=tuple(BUILT_IN))
    projection: bool = False
    production: tuple[Production, ...] = ()
    final_state: tuple[FinalState, ...] = ()
    lifetime: Lifetime | None = None
    decay_volume: float | None = declare(
        None, help="length of the decay volume over that of the shield before it", above=0.0
    )
    dark_matter: DarkMatter | None = None
    alpha_d: float | None = declare(None, help="g_D^2/(4 pi)", above=0.0)
    ratio: float | None = declare(None, help="m_mediator/m_chi", above=0.0)
    assumptions: str = ""
    searches: tuple[str, ...] = ()
    points: tuple[tuple[float, ...], ...] = declare(help="pairs [x, y]", above=0.0)

    @property
    def level_words(self) -> str:
        """The confidence level for people, such as ``90 %`` or ``90 % (assumed)``."""
        if self.confidence_level is None:
            return ""
        words = f"{100.0 * self.confidence_level:g} %"
        return f"{words} (assumed)" if self.level is Level.ASSUMED else words

    def misfits(self) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) of keys that do not fit together."""
        level = self.confidence_level
        if self.kind is CurveKind.THERMAL or self.level is Level.NONE:
            if level is not None:
                what = "a thermal line" if self.kind is CurveKind.THERMAL else "level = none"
                yield "confidence_level", f"{what} has none"
        elif level is None:
            yield "confidence_level", "missing; it must be a number"
        elif level >= 1.0:
            yield "confidence_level", f"must be below 1, is {level:g}"
        yield from self._misfits_of_physics()
        closed = self.kind is CurveKind.REGION
        before = 0.0
        for index, pair in enumerate(self.points):
            if len(pair) != 2:
                yield f"points[{index}]", "must be a pair of positive numbers [x, y]"
            elif not closed and pair[0] <= before:
                yield f"points[{index}]", f"x must increase, is {pair[0]:g} after {before:g}"
            before = pair[0] if pair else before
        fewest = 3 if closed else 2
        if len(self.points) < fewest:
            yield "points", f"must have {fewest} points or more, has {len(self.points)}"

    def _misfits_of_physics(self) -> Iterator[tuple[str, str]]:
        if not self.model and self.kind is not CurveKind.THERMAL:
            yield "model", f"missing; it must be one of {', '.join(BUILT_IN)}"
        seen = [state for state in self.final_state if state not in UNSEEN]
        allowed = " or ".join(Lifetime)
        if seen and self.lifetime is None:
            yield "lifetime", f"missing; it must be {allowed} where {seen[0]} is seen"
        if self.lifetime is not None and self.final_state and not seen:
            yield "lifetime", f"must be left out where X is {self.final_state[0]}"
        if self.decay_volume is not None and self.lifetime is not Lifetime.DISPLACED:
            yield "decay_volume", "belongs to a lifetime that is displaced"

    @property
    def group(self) -> str:
        """What a list files the curve under: its kind, or ``projection``."""
        return "projection" if self.projection else self.kind.value

    @property
    def x(self) -> tuple[float, ...]:
        """Where the points are."""
        return tuple(x for x, _ in self.points)

    @property
    def y(self) -> tuple[float, ...]:
        """What is at each x."""
        return tuple(y for _, y in self.points)

    @property
    def source(self) -> str:
        """One line that cites the publication."""
        return str(self.reference)

    def covers(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Return where the curve has points on both sides; shape of ``x``."""
        values = np.asarray(x, float)
        return np.asarray((values >= min(self.x)) & (values <= max(self.x)))

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return y at x, linear in the logarithms; shape of ``x``.

        Raises
        ------
        InputError
            For x outside the curve, or a region, which has no single y.
        """
        if self.kind is CurveKind.REGION:
            raise InputError(f"curve {self.name} is a closed region: it has no one y for an x")
        if not np.all(self.covers(x)):
            raise InputError(
                f"curve {self.name} covers {self.x[0]:g}-{self.x[-1]:g} {self.x_axis.unit} only"
            )
        return log_log_interpolation(x, self.x, self.y)


def log_log_interpolation(
    x: ArrayLike, x_points: ArrayLike, y_points: ArrayLike
) -> NDArray[np.float64]:
    """Interpolate linearly in ln x and ln y.

    Parameters
    ----------
    x
        Where to interpolate, positive, any shape. Outside the points the end values hold.
    x_points
        Positive and increasing, shape (N,).
    y_points
        Positive, shape (N,).
    """
    log_y = np.interp(
        np.log(np.asarray(x, float)),
        np.log(np.asarray(x_points, float)),
        np.log(np.asarray(y_points, float)),
    )
    return np.asarray(np.exp(log_y))


@cache
def available_curves() -> tuple[str, ...]:
    """Return the names of the shipped curves, sorted."""
    return shipped("curves")


def selected_curves(
    *, model: str | None = None, group: str | None = None, final_state: str | None = None
) -> tuple[Curve, ...]:
    """Return shipped curves in the order of their names.

    Parameters
    ----------
    model
        Those of this mediator and of its variants, whose names begin with its name.
    group
        ``limit``, ``region`` or ``thermal`` for what was found, ``projection`` for what is
        expected.
    final_state
        Those that see this, by the names of `na64.models.recasting.channels.FinalState`.

    Raises
    ------
    InputError
        For a name that does not exist, with the nearest match.
    """
    for kind, name, allowed in (
        ("model", model, tuple(BUILT_IN)),
        ("kind of curve", group, GROUPS),
        ("final state", final_state, tuple(FinalState)),
    ):
        if name is not None and name not in allowed:
            raise unknown_name(kind, name, allowed)
    return tuple(
        curve
        for curve in map(load_curve, available_curves())
        if (model is None or f"{curve.model}-".startswith(f"{model}-"))
        and group in (None, curve.group)
        and (final_state is None or final_state in curve.final_state)
    )


def load_curve(name_or_path: str | Path) -> Curve:
    """Return a curve.

    Parameters
    ----------
    name_or_path
        Name of a shipped curve, or a file.

    Raises
    ------
    InputError
        For an unknown name, or a file that cannot be read.
    FileProblemsError
        For a file with problems: all of them.
    """
    name = str(name_or_path)
    return parse_curve(shipped_or_file("curve", "curves", name), name)


def parse_curve(text: str, where: str) -> Curve:
    """Return the curve of a TOML text; ``where`` names the file in messages."""
    data = parse_toml(text, f"curve {where}")
    return read_file(Curve, data, "curve", where)


def curve_text(curve: Curve) -> str:
    """Return the TOML file of a curve, as `parse_curve` reads it.

    Raises
    ------
    InputError
        For a curve of a mediator that is not built in, which no file can name.
    """
    if curve.model not in BUILT_IN and curve.kind is not CurveKind.THERMAL:
        raise InputError(
            f"curve {curve.name} is of {curve.model or 'no mediator'}: a curve file names one of "
            f"{', '.join(BUILT_IN)}"
        )
    return toml_text(table_of(curve))
