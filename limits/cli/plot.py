"""``na64-limits plot``: figures of scans, and of limits in the planes of dark matter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.looks import appearance_options
from na64.limits.cli.options import (
    names_option,
    normalisation_option,
    output_option,
    plane_option,
    tables_option,
    trust_option,
)
from na64.limits.cli.plot_documents import (
    draw_documents,
    names_of,
    no_limits,
    read_documents,
    read_limits,
)
from na64.limits.figures import FIGURE_SUFFIXES, PAGE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from na64.limits.cli.looks import Looks
    from na64.limits.results.limit import Limit


def _measurements() -> Iterable[str]:
    from na64.models.anomalies import MEASUREMENTS

    return MEASUREMENTS


def _bounds() -> Iterable[str]:
    from na64.limits.figures.overlays import BOUNDS

    return BOUNDS


@click.command("plot", cls=Command)
@click.argument("files", metavar="FILE.json|-...", nargs=-1, required=True)
@click.option(
    "--overlay",
    "overlays",
    metavar="NAME|FILE",
    multiple=True,
    help="Curve drawn beside the scans, shipped (`list curves`) or of a file; repeatable; "
    "`none` for none.  [default: the published curve of the search, if there is one]",
)
@names_option(
    "--g-2",
    "moments",
    names=_measurements,
    multiple=True,
    help="Band of a measured anomalous moment: {names}; repeatable.",
)
@click.option("--ratio-panel", is_flag=True, help="Also the first scan divided by the curves.")
@plane_option("Convert the scans, as `to-plane` does: {names}.")
@click.option(
    "--thermal",
    metavar="NAME,..",
    help="Relic targets of scalar, majorana, dirac, pseudo-dirac; with --plane alpha-d, of which "
    "relics alpha_D is drawn.",
)
@click.option(
    "--thermal-alpha-d",
    metavar="A,..",
    help="alpha_D of the relic targets.  [default: that of the scans]",
)
@click.option(
    "--thermal-ratio",
    metavar="R,..",
    help="m_mediator/m_chi of the relic targets.  [default: that of the scans]",
)
@names_option(
    "--bound",
    "bounds",
    names=_bounds,
    multiple=True,
    help="Bound from elsewhere in a plane: {names}; repeatable.",
)
@normalisation_option
@appearance_options
@trust_option
@tables_option
@output_option(f"{{figures}}, or {PAGE_SUFFIX} for a browser, whole and to zoom into")
def command(
    files: tuple[str, ...],
    overlays: tuple[str, ...],
    moments: tuple[str, ...],
    ratio_panel: bool,
    plane: str | None,
    thermal: str | None,
    thermal_alpha_d: str | None,
    thermal_ratio: str | None,
    bounds: tuple[str, ...],
    normalisation: str | None,
    looks: Looks,
    trust: bool,
    tables: Any,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Draw limits: scans and planes of them, bands, published curves, relic targets, bounds.

    Or results of relic, yields, width, cross-section, track-length or breakdown, those of one
    kind in a figure.
    """
    from na64.limits.cli.output import check_outputs, write_outputs
    from na64.models.errors import InputError

    if not outputs:
        raise click.UsageError("no output: give -o FILE.pdf or -o FILE.png")
    check_outputs(outputs, force, (*FIGURE_SUFFIXES, PAGE_SUFFIX))
    if "none" in overlays and len(overlays) > 1:
        raise InputError("--overlay none excludes other overlays")
    relics = _names(thermal)

    documents = read_documents(files)
    if no_limits(documents):
        of_limits = {
            "--overlay": overlays, "--g-2": moments, "--ratio-panel": ratio_panel,
            "--plane": plane, "--thermal": thermal, "--thermal-alpha-d": thermal_alpha_d,
            "--thermal-ratio": thermal_ratio, "--bound": bounds, "--normalisation": normalisation,
        }  # fmt: skip
        write_outputs(draw_documents(documents, (files, outputs), looks, of_limits, trust), force)
        return

    from na64.limits.figures.overlays import Beside, default_overlays
    from na64.limits.figures.thermal import thermal_notes

    results, names = read_limits(documents, files, trust), names_of(files)
    options: dict[str, Any] = {"normalisation": normalisation}
    converted = [found.plane for found in results if not found.plane.is_coupling]
    if plane is None and converted:  # the others follow the first that is in a plane
        plane, options = converted[0].name, dict(converted[0].options)
    if plane is not None:
        results, names = _in_plane(results, names, plane, relics, options, tables)
        if results[0].plane.excluded_below:
            relics = ()  # these are the limits themselves
    chosen = () if "none" in overlays else overlays or default_overlays(results[0])
    if ratio_panel and not chosen and not overlays:
        search = results[0].specification.search
        the_console().warning(f"no published curve of {search}: no ratio panel")
        ratio_panel = False
    beside = Beside(
        overlays=chosen,
        thermal=relics,
        thermal_alpha_d=_numbers(thermal_alpha_d, "alpha_D"),
        thermal_ratio=_numbers(thermal_ratio, "ratios"),
        bounds=bounds,
        moments=moments,
    )
    for note in thermal_notes(results, relics, beside.thermal_alpha_d, beside.thermal_ratio):
        the_console().warning(note)
    drawn = {
        "beside": beside,
        "appearance": looks.appearance(names, [*chosen, *bounds, *moments]),
        "ratio_panel": ratio_panel,
        "names": names,
    }
    with the_console().progress("figure"):
        written = _drawn(outputs, results, drawn)
    write_outputs(written, force)


def _drawn(
    outputs: tuple[str, ...], results: list[Limit], drawn: Mapping[str, Any]
) -> dict[str, str | bytes]:
    """Return what the files hold, by their suffixes."""
    from na64.limits.figures.figure import figure
    from na64.limits.figures.interactive import html_figure
    from na64.limits.figures.style import figure_bytes

    files: dict[str, str | bytes] = {}
    pages = [name for name in outputs if Path(name).suffix == PAGE_SUFFIX]
    if others := [name for name in outputs if name not in pages]:
        made = figure(results, **drawn)
        files = {name: figure_bytes(made, name) for name in others}
    if pages:
        page = html_figure(results, **drawn)
        files.update(dict.fromkeys(pages, page))
    return files


def _in_plane(
    results: list[Limit],
    files: list[str],
    plane: str,
    relics: tuple[str, ...],
    options: Mapping[str, Any],
    tables: Any,
) -> tuple[list[Limit], list[str]]:
    """Convert what is no plane yet; return the limits and for each the file it comes from.

    In a plane of relics there is one limit for every relic that is named.
    """
    from na64.limits.planes.transforms import find_plane

    of_relics = find_plane(plane).transform is not None
    chosen = [{"dark_matter": name} for name in relics if of_relics] or [{}]
    limits: list[Limit] = []
    names: list[str] = []
    notes: dict[str, None] = {}
    with the_console().progress("planes") as progress:
        for result, file in zip(results, files, strict=True):
            if not result.plane.is_coupling:
                limits.append(result)
                names.append(file)
                continue
            for relic in chosen:
                made = result.to_plane(
                    plane,
                    tables=tables,
                    progress=progress,
                    **{**options, **relic},
                )
                limits.append(made)
                names.append(file)
                notes.update(
                    dict.fromkeys(note for note in made.warnings if note not in result.warnings)
                )
    for note in notes:
        the_console().note(f"note: {note}")
    return limits, names


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(","))


def _numbers(text: str | None, what: str) -> tuple[float, ...]:
    """Return numbers that a text lists, the largest first."""
    from na64.limits.scanning.grids import parse_grid

    return () if text is None else tuple(parse_grid(text, what, "no unit")[::-1].tolist())
