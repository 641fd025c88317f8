"""``na64-limits plot``: figures of scans, and of limits in the planes of dark matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import cache_option, normalisation_option, output_option

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.figures.figure import Overlay
    from na64.limits.results.limit import Exclusion
    from na64.limits.results.plane_limit import PlaneLimit


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
@click.option(
    "--g-2",
    "moments",
    metavar="NAME",
    multiple=True,
    help="Band of a measured anomalous moment: mu-2021, mu-2025, e-lkb-2020 or e-berkeley-2018; "
    "repeatable.",
)
@click.option("--ratio-panel", is_flag=True, help="Also the first scan divided by the curves.")
@click.option(
    "--plane",
    metavar="NAME",
    help="Convert the scans, as `to-plane` does: y, alpha-d, g or epsilon.",
)
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
@click.option(
    "--bound",
    "bounds",
    metavar="NAME",
    multiple=True,
    help="Bound from elsewhere in a plane: landau-tev, landau-planck, cmb, bbn, bbn+cmb; "
    "repeatable.",
)
@normalisation_option
@cache_option
@output_option(".pdf, .png or .svg")
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
    normalisation: str,
    no_cache: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Draw scans: coupling against mass, bands, published curves.

    With --plane, or for files of `to-plane`: y, alpha_D or a coupling with relic targets and
    bounds from elsewhere.
    """
    from na64.limits.cli.output import check_outputs, write_outputs
    from na64.models.errors import InputError

    if not outputs:
        raise click.UsageError("no output: give -o FILE.pdf or -o FILE.png")
    check_outputs(outputs, force, (".pdf", ".png", ".svg"))

    from na64.limits.cli.inputs import read_results
    from na64.limits.results.limit import Exclusion

    if "none" in overlays and len(overlays) > 1:
        raise InputError("--overlay none excludes other overlays")
    results = read_results(files)
    scans = [result for result in results if isinstance(result, Exclusion)]
    if plane is None and len(scans) == len(results):
        _only_in_planes(thermal, thermal_alpha_d, thermal_ratio, bounds)
        figure = _figure_of_scans(scans, files, overlays, moments, ratio_panel)
    else:
        if moments or ratio_panel:
            raise InputError("--g-2 and --ratio-panel are for figures of scans without --plane")
        limits, names = _in_plane(results, files, plane, thermal, normalisation, no_cache)
        figure = _figure_of_planes(
            limits, names, overlays, thermal, thermal_alpha_d, thermal_ratio, bounds
        )

    from na64.limits.figures.style import figure_bytes

    write_outputs({name: figure_bytes(figure, name) for name in outputs}, force)


def _only_in_planes(*given: object) -> None:
    from na64.models.errors import InputError

    if any(given):
        raise InputError(
            "relic targets and bounds need a plane: give --plane y, epsilon, g or alpha-d"
        )


def _figure_of_scans(
    scans: list[Exclusion],
    files: tuple[str, ...],
    overlays: tuple[str, ...],
    moments: tuple[str, ...],
    ratio_panel: bool,
) -> Figure:
    """Coupling against the mediator's mass."""
    curves = _overlays(overlays, scans[0])
    if ratio_panel and not [curve for curve in curves if not curve.region] and not overlays:
        the_console().warning(f"no published curve of {scans[0].search}: no ratio panel")
        ratio_panel = False

    from na64.limits.figures.figure import Overlay, exclusion_figure
    from na64.limits.figures.moments import moment_bands

    bands = [
        Overlay(band.label, band.masses_gev, band.couplings, region=band.closed, compared=False)
        for band in moment_bands(moments, scans[0])
    ]
    with the_console().progress("figure"):
        if all(found.parameter == "br" for found in scans):
            from na64.limits.figures.bars import branching_figure

            return branching_figure(scans, curves, names=files)
        return exclusion_figure(scans, [*curves, *bands], ratio_panel=ratio_panel, names=files)


def _overlays(names: tuple[str, ...], first: Exclusion) -> list[Overlay]:
    """Return the curves to draw; by default that of the search, if it fits."""
    import numpy as np

    from na64.limits.figures.figure import Overlay
    from na64.limits.figures.published import curve_label, published_curve
    from na64.models.errors import InputError
    from na64.workspaces.io.curves import CurveKind, load_curve

    if "none" in names:
        return []
    published = published_curve(first.search)
    asked = names or ((published,) if published is not None else ())
    overlays = []
    for name in asked:
        curve = load_curve(name)
        axes = (curve.x_axis.name, curve.y_axis.name)
        wanted = (first.mass_parameter, first.parameter)
        masses = all(name.startswith("m_") and name != "m_chi" for name in (axes[0], wanted[0]))
        if axes != wanted and not (masses and axes[1] == wanted[1]):
            if not names:
                continue
            raise InputError(
                f"curve {name} is {axes[1]} against {axes[0]}, the scan {wanted[1]} against "
                f"{wanted[0]}"
            )
        if curve.x_axis.unit != "GeV":
            raise InputError(f"curve {name} has masses in {curve.x_axis.unit}, not GeV")
        overlays.append(
            Overlay(
                curve_label(curve, first),
                np.array(curve.x),
                np.array(curve.y),
                region=curve.kind is CurveKind.REGION,
            )
        )
    return overlays


def _in_plane(
    results: list[Exclusion | PlaneLimit],
    files: tuple[str, ...],
    plane: str | None,
    thermal: str | None,
    normalisation: str,
    no_cache: bool,
) -> tuple[list[PlaneLimit], list[str]]:
    """Convert the scans, and check that the other files are in the same plane.

    Returns the limits and for each the file that it comes from.
    """
    from na64.limits.planes.transforms import to_plane
    from na64.limits.results.plane_limit import Plane, PlaneLimit, find_plane
    from na64.models.errors import InputError
    from na64.workspaces.io.cache import TableCache

    found = [result.plane for result in results if isinstance(result, PlaneLimit)]
    chosen = find_plane(plane) if plane is not None else found[0]
    if any(other is not chosen for other in found):
        raise InputError(
            f"a file is in the plane of {next(o for o in found if o is not chosen).value}, not in "
            f"that of {chosen.value}"
        )
    relics: list[str | None] = [None]
    if chosen is Plane.ALPHA_D and thermal:
        relics = list(_names(thermal))
    limits: list[PlaneLimit] = []
    names: list[str] = []
    with the_console().progress("planes") as progress:
        for result, file in zip(results, files, strict=True):
            if isinstance(result, PlaneLimit):
                limits.append(result)
                names.append(file)
                continue
            names += [file] * len(relics)
            limits += [
                to_plane(
                    result,
                    chosen,
                    dark_matter=relic,
                    normalisation=normalisation,
                    tables=TableCache(enabled=not no_cache),
                    progress=progress,
                )
                for relic in relics
            ]
    for note in dict.fromkeys(note for limit in limits for note in limit.notes):
        the_console().note(f"note: {note}")
    return limits, names


def _figure_of_planes(
    limits: list[PlaneLimit],
    files: list[str],
    overlays: tuple[str, ...],
    thermal: str | None,
    alphas: str | None,
    ratios: str | None,
    bounds: tuple[str, ...],
) -> Figure:
    from na64.limits.figures.plane_overlays import default_overlays, draw_planes, thermal_notes
    from na64.limits.results.plane_limit import Plane
    from na64.models.errors import InputError

    first = limits[0]
    names = () if "none" in overlays else overlays or default_overlays(first)
    relics = () if first.plane is Plane.ALPHA_D else _names(thermal)
    if (alphas or ratios) and not relics:
        raise InputError(
            "--thermal-alpha-d and --thermal-ratio are for the targets of --thermal in the planes "
            "of y, epsilon and g"
        )
    chosen_alphas, chosen_ratios = _numbers(alphas, "alpha_D"), _numbers(ratios, "ratios")
    for note in thermal_notes(limits, relics, chosen_alphas, chosen_ratios):
        the_console().warning(note)
    with the_console().progress("figure"):
        return draw_planes(
            limits,
            thermal=relics,
            thermal_alpha_d=chosen_alphas,
            thermal_ratio=chosen_ratios,
            overlays=names,
            bounds=bounds,
            names=files,
        )


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(","))


def _numbers(text: str | None, what: str) -> tuple[float, ...]:
    """Return numbers that a text lists, the largest first."""
    from na64.limits.scanning.grids import parse_grid

    return () if text is None else tuple(parse_grid(text, what, "no unit")[::-1].tolist())
