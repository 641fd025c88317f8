"""The variable y of dark-matter searches: coupling squared times what annihilation goes with."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.results.axes import Axis, coupling_tex, tex
from na64.models.errors import unknown_name
from na64.models.mediators.dark_sector import DarkSector

__all__ = [
    "Normalisation",
    "coupling_from_y",
    "describe_sector",
    "find_normalisation",
    "y_axis",
    "y_from_coupling",
]

FloatArray = NDArray[np.float64]


class Normalisation(StrEnum):
    """What y means; both have (m_chi/m_mediator)^4.

    ``alpha-d``: coupling^2 alpha_D, with epsilon the y of the dark photon. ``product``:
    (g_chi g)^2, as in the figures of muon-philic mediators; 4 pi larger for the same g.
    """

    ALPHA_D = "alpha-d"
    PRODUCT = "product"


def find_normalisation(name: str) -> Normalisation:
    """Return the normalisation of a name, or raise InputError with the nearest match."""
    try:
        return Normalisation(name)
    except ValueError:
        raise unknown_name("normalisation", name, [item.value for item in Normalisation]) from None


def y_axis(normalisation: Normalisation, parameter: str, mass: str) -> Axis:
    """Return the axis of y for the names of a coupling and a mass."""
    coupling = coupling_tex(parameter, mass)
    ratio = rf"\left(m_\chi/{tex(mass)}\right)^4"
    if normalisation is Normalisation.PRODUCT:
        words = f"y = (g_chi {parameter})^2 (m_chi/m_mediator)^4"
        return Axis("y", "1", rf"y = (g_\chi\,{coupling})^2\,{ratio}", words)
    words = f"y = {parameter}^2 alpha_D (m_chi/m_mediator)^4"
    return Axis("y", "1", rf"y = {coupling}^2\,\alpha_D\,{ratio}", words)


def describe_sector(sector: DarkSector) -> str:
    """Return the species and its parameters in a few words."""
    text = f"{sector.species.value}, alpha_D = {sector.alpha_d:g}"
    text += f", m_mediator = {sector.ratio:g} m_chi"
    return text + (f", splitting {sector.splitting:g}" if sector.splitting else "")


def _factor(sector: DarkSector, normalisation: Normalisation) -> float:
    factor = sector.alpha_d / sector.ratio**4
    return 4.0 * math.pi * factor if normalisation is Normalisation.PRODUCT else factor


def y_from_coupling(
    coupling: ArrayLike,
    sector: DarkSector,
    normalisation: Normalisation = Normalisation.ALPHA_D,
) -> FloatArray:
    """Return y of a coupling, any shape.

    Examples
    --------
    >>> sector = DarkSector(alpha_d=0.1, ratio=3.0)
    >>> float(y_from_coupling(1e-4, sector))  # doctest: +ELLIPSIS
    1.23...e-11
    """
    return np.asarray(np.asarray(coupling, float) ** 2 * _factor(sector, normalisation))


def coupling_from_y(
    y: ArrayLike, sector: DarkSector, normalisation: Normalisation = Normalisation.ALPHA_D
) -> FloatArray:
    """Return the coupling of a y, any shape; the inverse of `y_from_coupling`."""
    return np.asarray(np.sqrt(np.asarray(y, float) / _factor(sector, normalisation)))
