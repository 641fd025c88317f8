"""What is drawn beside a limit in a plane, and the words of the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.legend import model_words, shared_parts, told_apart
from na64.limits.figures.style import SPECIES, coupling_symbol, symbol
from na64.limits.planes.axes import Normalisation
from na64.limits.results.plane_limit import Plane, PlaneLimit

__all__ = [
    "Level",
    "PlaneOverlay",
    "ThermalLine",
    "axis_label",
    "limit_labels",
    "thermal_label",
    "title",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThermalLine:
    """Where dark matter has its observed abundance.

    Attributes
    ----------
    species, alpha_d, ratio, splitting
        Dark sector.
    masses_gev, values
        Points in the plane, shape (N,); NaN where there is no target.
    published
        Text of the legend for a line from elsewhere; it is drawn fainter.
    """

    species: str
    alpha_d: float
    ratio: float
    splitting: float
    masses_gev: FloatArray
    values: FloatArray
    published: str = ""


@dataclass(frozen=True, slots=True)
class PlaneOverlay:
    """A limit or region from elsewhere, shaded on its excluded side.

    Attributes
    ----------
    label
        Text of the legend.
    masses_gev, values
        Points in the plane, shape (N,).
    closed
        Whether the points go around the region; otherwise it lies above, in the plane of alpha_D
        below.
    compared
        Whether it is another result of the same search: a dashed line without shade.
    species
        Dark matter that it holds for alone: a line in its colour without shade.
    """

    label: str
    masses_gev: FloatArray
    values: FloatArray
    closed: bool = False
    compared: bool = False
    species: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal upper bound, such as that of a Landau pole; ``species`` colours it."""

    label: str
    value: float
    species: str = ""


def axis_label(first: PlaneLimit) -> str:
    """Return the label of the vertical axis, which states the normalisation."""
    if first.plane is Plane.Y:
        mass = symbol(first.mass_parameter)
        coupling = coupling_symbol(first.parameter, first.mass_parameter)
        ratio = rf"\left(m_\chi/{mass}\right)^4"
        if first.normalisation is Normalisation.PRODUCT:
            return rf"$y = (g_\chi\,{coupling})^2\,{ratio}$"
        return rf"$y = {coupling}^2\,\alpha_D\,{ratio}$"
    if first.plane is Plane.ALPHA_D:
        return r"$\alpha_D$"
    unit = r" [GeV$^{-1}$]" if first.y_unit == "GeV^-1" else ""
    return f"${coupling_symbol(first.y_name, first.mass_parameter)}$" + unit


def title(planes: Sequence[PlaneLimit]) -> str:
    """Say above the legend what holds for every limit."""
    lines = [", ".join(shared_parts([item.title or item.search for item in planes]))]
    parts = []
    if len({item.confidence_level for item in planes}) == 1:
        parts.append(f"{100.0 * planes[0].confidence_level:g}% CL")
    first = planes[0]
    if len({(item.model, item.mass_parameter) for item in planes}) == 1:
        parts.append(model_words(first.model, first.parameter, first.mass_parameter))
    if first.plane is Plane.ALPHA_D:
        if len({item.dark_matter for item in planes}) == 1:
            parts.append(f"thermal {SPECIES[str(planes[0].dark_matter)]}")
        else:
            parts.append("thermal dark matter")
    elif len({item.dark_matter for item in planes}) == 1 and planes[0].dark_matter is not None:
        parts.append(rf"{SPECIES[planes[0].dark_matter]} $\chi$")
    if len({item.alpha_d for item in planes}) == 1 and planes[0].alpha_d is not None:
        parts.append(rf"$\alpha_D = {planes[0].alpha_d:g}$")
    if len({item.ratio for item in planes}) == 1 and planes[0].ratio is not None:
        parts.append(rf"${symbol(planes[0].mass_parameter)} = {planes[0].ratio:g}\,m_\chi$")
    if len({item.splitting for item in planes}) == 1 and first.splitting:
        parts.append(rf"$\Delta = {first.splitting:g}$")
    lines.append(", ".join(part for part in parts if part))
    return "\n".join(line for line in lines if line)


def limit_labels(planes: Sequence[PlaneLimit], names: Sequence[str] = ()) -> list[str]:
    """Name each limit by what tells it from the others, with `names` as the last resort."""
    if len(planes) == 1:
        return [""]
    titles = [item.title or item.search for item in planes]
    shared = len(shared_parts(titles))
    labels = []
    for item, own in zip(planes, titles, strict=True):
        parts = [", ".join(own.split(", ")[shared:])] if len(set(titles)) > 1 else []
        parts += [
            str(getattr(item, name))
            for name in ("model", "method", "production")
            if len({getattr(other, name) for other in planes}) > 1
        ]
        if len({other.confidence_level for other in planes}) > 1:
            parts.append(f"{100.0 * item.confidence_level:g}% CL")
        if item.dark_matter is not None and len({other.dark_matter for other in planes}) > 1:
            parts.append(SPECIES[item.dark_matter])
        if item.alpha_d is not None and len({other.alpha_d for other in planes}) > 1:
            parts.append(rf"$\alpha_D = {item.alpha_d:g}$")
        if item.ratio is not None and len({other.ratio for other in planes}) > 1:
            parts.append(rf"${symbol(item.mass_parameter)} = {item.ratio:g}\,m_\chi$")
        labels.append(", ".join(parts))
    return told_apart(labels, names)


def thermal_label(
    line: ThermalLine, every: Sequence[ThermalLine], planes: Sequence[PlaneLimit]
) -> str:
    """Name a thermal line by what tells it from the others and from the limits."""
    parts = [f"relic density: {SPECIES[line.species]}"]
    mass = symbol(planes[0].mass_parameter)
    alphas = {other.alpha_d for other in every} | {item.alpha_d for item in planes}
    ratios = {other.ratio for other in every} | {item.ratio for item in planes}
    if len(alphas - {None}) > 1:
        parts.append(rf"$\alpha_D = {line.alpha_d:g}$")
    if len(ratios - {None}) > 1:
        parts.append(rf"${mass} = {line.ratio:g}\,m_\chi$")
    if line.splitting:
        parts.append(rf"$\Delta = {line.splitting:g}$")
    return ", ".join(parts)
