"""``na64-limits track-length``: the electromagnetic cascade in a target."""

from __future__ import annotations

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import number_option, target_option
from na64.limits.cli.report import Report, reporting, tabled


@click.command("track-length", cls=Command)
@click.option(
    "--beam",
    metavar="PARTICLE",
    default="e-",
    show_default=True,
    help="What enters the target: e-, e+ or gamma.",
)
@number_option("--energy", metavar="GEV", default=100.0, help="Its energy.")
@target_option
@click.option(
    "--threshold",
    metavar="GEV,..",
    help="Energies above which the track length is summed.  [default: half of the energy]",
)
@reporting("{data} (tables: the spectrum)")
def command(beam: str, energy: float, target: str, threshold: str | None) -> Report:
    """Track length of electrons, positrons and photons in a thick target.

    In radiation lengths of the target, above thresholds (table) and per GeV (JSON, CSV).
    """
    import numpy as np

    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid
    from na64.models.errors import InputError
    from na64.models.materials import material
    from na64.models.showers.cascade import SPECIES, cascade

    if not 0.0 < energy < float("inf"):
        raise InputError(f"the energy must be positive and finite, is {energy:g} GeV")
    thresholds = np.array([0.5 * energy])
    if threshold is not None:
        thresholds = parse_grid(threshold, "thresholds")
    if thresholds[-1] >= energy:
        raise InputError(
            f"a threshold of {thresholds[-1]:g} GeV is not below the energy of {energy:g} GeV"
        )
    with the_console().progress("cascade"):
        shower = cascade(material(target), beam, energy)
        above = shower.above(thresholds)
        energies = shower.energies_gev[::-1]
        spectra = shower.spectrum(energies)
    document = {
        "schema": "na64-limits/track-length/1",
        "beam": beam,
        "energy_gev": energy,
        "target": target,
        "energies_gev": energies,
        **dict(zip(SPECIES, spectra, strict=True)),
        "thresholds_gev": thresholds,
        "above": dict(zip(SPECIES, above, strict=True)),
    }
    return tabled(
        document,
        Table(
            ("above [GeV]", *(f"{name} [X0]" for name in SPECIES)),
            np.column_stack([thresholds, above.T]).tolist(),
        ),
        rows=Table(
            ("energy_gev", *(f"{name}_x0_per_gev" for name in SPECIES)),
            np.column_stack([energies, spectra.T]).tolist(),
        ),
    )
