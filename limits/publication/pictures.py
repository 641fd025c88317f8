"""Figures for a record: a page as PDF and PNG, and a thumbnail, all from one drawing."""

from __future__ import annotations

import io
from typing import Any, Final

import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from na64.limits.figures.style import drawing_style, figure_bytes

__all__ = ["THUMBNAIL_WIDTH", "pictures", "thumbnail"]

#: width in pixels of thumbnails, as pages of records show them
THUMBNAIL_WIDTH: Final = 240
#: pixels that become one, in each direction: lines stay smooth
_REDUCTION: Final = 4


def pictures(figure: Figure, name: str) -> dict[str, bytes]:
    """Return a figure as files: ``NAME.pdf``, ``NAME.png``, ``thumb_NAME.png``.

    Parameters
    ----------
    figure
        The figure; the same gives the same bytes.
    name
        Of the files, without a suffix.
    """
    return {
        f"{name}.pdf": figure_bytes(figure, f"{name}.pdf"),
        f"{name}.png": figure_bytes(figure, f"{name}.png"),
        f"thumb_{name}.png": thumbnail(figure),
    }


def thumbnail(figure: Figure) -> bytes:
    """Return a figure as a PNG that is `THUMBNAIL_WIDTH` pixels wide.

    It is drawn four times larger and averaged over squares of pixels.
    """
    width = figure.get_figwidth()
    before = figure.dpi
    with drawing_style():
        figure.set_dpi(THUMBNAIL_WIDTH * _REDUCTION / width)
        try:
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = np.array(canvas.buffer_rgba(), np.float64)  # type: ignore[no-untyped-call]
        finally:
            figure.set_dpi(before)
    rows, columns = (size // _REDUCTION for size in pixels.shape[:2])
    kept = pixels[: rows * _REDUCTION, : columns * _REDUCTION]
    squares = kept.reshape(rows, _REDUCTION, columns, _REDUCTION, -1)
    small = np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)
    stream = io.BytesIO()
    no_version: Any = {"Software": None}
    matplotlib.image.imsave(stream, small, format="png", metadata=no_version)
    return stream.getvalue()
