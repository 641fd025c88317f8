"""Pictures of the gallery: figures of the project know no pyplot, so they are looked for by name.

A block of a script that gives ``figure`` another value has made a figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Scraper:
    """Save what a block of a script calls ``figure``, once."""

    def __init__(self) -> None:
        self._seen: object = None

    def __repr__(self) -> str:
        return "gallery_figures.Scraper()"

    def __call__(self, block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
        """Return the reStructuredText that shows the figure of a block."""
        from matplotlib.figure import Figure
        from sphinx_gallery.scrapers import figure_rst

        from na64.limits.figures.style import save_figure

        figure = block_vars["example_globals"].get("figure")
        if not isinstance(figure, Figure) or figure is self._seen:
            return ""
        self._seen = figure
        path = next(block_vars["image_path_iterator"])
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_figure(figure, path, force=True)
        return str(figure_rst([path], gallery_conf["src_dir"]))


def _get_sg_image_scraper() -> Scraper:
    return _SCRAPER


_SCRAPER = Scraper()
