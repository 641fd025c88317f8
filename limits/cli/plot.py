"""``na64-limits plot``: figures of scans."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import output_option

if TYPE_CHECKING:
    from na64.limits.plotting import Overlay
    from na64.limits.result import Exclusion

#: published curves of searches whose name is not that of the curve
PUBLISHED: Final = {
    "na64e-2016-2018": "na64e-2021-fermion",
    "na64e-alp-2016-2018": "na64-alp-2020",
    "na64e-visible-2017-2018": "na64-visible-2020",
}


@click.command("plot", cls=Command)
@click.argument("files", metavar="SCAN.json|-...", nargs=-1, required=True)
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
@output_option(".pdf, .png or .svg")
def command(
    files: tuple[str, ...],
    overlays: tuple[str, ...],
    moments: tuple[str, ...],
    ratio_panel: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Draw scans: coupling against mass, bands, published curves."""
    from na64.limits.cli.output import check_outputs
    from na64.models.errors import InputError

    if not outputs:
        raise click.UsageError("no output: give -o FILE.pdf or -o FILE.png")
    check_outputs(outputs, force, (".pdf", ".png", ".svg"))

    from na64.limits.result import Exclusion

    if list(files).count("-") > 1:
        raise InputError("stdin ('-') is given twice")
    scans = [Exclusion.read(sys.stdin if name == "-" else name) for name in files]
    curves = _overlays(overlays, scans[0])
    if ratio_panel and not [curve for curve in curves if not curve.region] and not overlays:
        the_console().warning(f"no published curve of {scans[0].search}: no ratio panel")
        ratio_panel = False

    from na64.limits.moments import moment_bands
    from na64.limits.plotting import Overlay, exclusion_figure, save_figure

    bands = [
        Overlay(band.label, band.masses_gev, band.couplings, region=band.closed, compared=False)
        for band in moment_bands(moments, scans[0])
    ]

    with the_console().progress("figure"):
        figure = exclusion_figure(scans, [*curves, *bands], ratio_panel=ratio_panel)
        for name in outputs:
            save_figure(figure, name, force=force)
            the_console().note(f"wrote {name}")


def _overlays(names: tuple[str, ...], first: Exclusion) -> list[Overlay]:
    """Return the curves to draw; by default that of the search, if it fits."""
    import numpy as np

    from na64.limits.plotting import Overlay
    from na64.models.errors import InputError
    from na64.workspaces.curves import CurveKind, available_curves, load_curve

    if "none" in names:
        if len(names) > 1:
            raise InputError("--overlay none excludes other overlays")
        return []
    published = PUBLISHED.get(first.search, first.search)
    asked = names or tuple(name for name in available_curves() if name == published)
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
        reference = curve.reference.arxiv and f" (arXiv:{curve.reference.arxiv})"
        overlays.append(
            Overlay(
                f"{curve.label}{reference}",
                np.array(curve.x),
                np.array(curve.y),
                region=curve.kind is CurveKind.REGION,
            )
        )
    return overlays
