"""Colours as eyes see them, and the same colours on a dark ground.

Lightness is L* of CIELAB (CIE 15:2004, white D65): 0 is black, 100 white.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

__all__ = ["ink", "lab", "linear_rgb"]

FloatArray = NDArray[np.float64]

#: linear sRGB to CIE XYZ, IEC 61966-2-1
_XYZ: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
_WHITE: Final = _XYZ.sum(axis=1)
#: of the cube root of CIELAB, below which it is a straight line
_DELTA: Final = 6.0 / 29.0
#: lightness of a colour on a dark ground: the more, the darker it is on a white one
_TURNED: Final = (100.0, -0.8)
#: lightness of lines on a dark ground at least
_SEEN: Final = 62.0


def linear_rgb(colour: str) -> FloatArray:
    """Return the linear components of a colour in sRGB, shape (3,)."""
    values = np.array(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: FloatArray) -> FloatArray:
    """Return L*, a* and b* of linear components of sRGB, shape (3,)."""
    ratio = _XYZ @ rgb / _WHITE
    root = np.where(ratio > _DELTA**3, np.cbrt(ratio), ratio / (3.0 * _DELTA**2) + 4.0 / 29.0)
    return np.array(
        [116.0 * root[1] - 16.0, 500.0 * (root[0] - root[1]), 200.0 * (root[1] - root[2])]
    )


def ink(colour: str, *, fill: bool = False) -> str:
    """Return a colour for the ground of the style that is set.

    The colours of the project are chosen for white paper. On a dark ground hue and chroma stay,
    what was dark is light; lines and texts stay light enough to be seen.

    Parameters
    ----------
    colour
        A colour of matplotlib, or nothing.
    fill
        Whether it is that of an area.
    """
    ground = lab(linear_rgb(to_hex(mpl.rcParams["axes.facecolor"])))[0]
    return colour if ground > 50.0 or not colour else _on_dark(to_hex(colour), fill)


@cache
def _on_dark(colour: str, fill: bool) -> str:
    lightness, *chroma = lab(linear_rgb(colour))
    turned = _TURNED[0] + _TURNED[1] * lightness
    if not fill:
        turned = max(turned, _SEEN)
    for part in np.linspace(1.0, 0.0, 41):  # the most chroma that a screen has
        rgb = _rgb(np.array([turned, *(part * value for value in chroma)]))
        if rgb.min() >= -1e-6 and rgb.max() <= 1.0 + 1e-6:
            break
    rgb = np.clip(rgb, 0.0, 1.0)
    values = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1.0 / 2.4) - 0.055)
    return to_hex(tuple(values.tolist()))


def _rgb(colour: FloatArray) -> FloatArray:
    """Return linear components of sRGB of L*, a* and b*."""
    middle = (colour[0] + 16.0) / 116.0
    root = np.array([middle + colour[1] / 500.0, middle, middle - colour[2] / 200.0])
    ratio = np.where(root > _DELTA, root**3, 3.0 * _DELTA**2 * (root - 4.0 / 29.0))
    return np.linalg.solve(_XYZ, ratio * _WHITE)
