"""``na64-limits relic``: thermal targets, and the abundance at a coupling."""

from __future__ import annotations

from typing import Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import masses_option, model_option, normalisation_option
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand


@click.command(
    "relic", cls=SettingsCommand, settings=("sector",), dark_matter="; dirac if not given."
)
@model_option()
@masses_option(
    required=True, help="Masses of dark matter in GeV: N points, log-spaced, or a comma list."
)
@click.option("--omega-h2", metavar="X", type=float, help="Wanted abundance.  [default: 0.12]")
@click.option(
    "--coupling",
    "--epsilon",
    "coupling",
    metavar="G",
    type=float,
    help="Free coupling of the model: tell the abundance that it gives, solve for nothing.",
)
@click.option(
    "--method",
    metavar="NAME",
    default="numeric",
    show_default=True,
    help="numeric (thermal average and Boltzmann equation) or analytic (closed formulae).",
)
@normalisation_option
@reporting()
def command(
    model: str | None,
    charges: str | None,
    masses: str,
    omega_h2: float | None,
    coupling: float | None,
    method: str,
    normalisation: str | None,
    **sector_words: Any,
) -> Report:
    """Couplings at which dark matter has its observed abundance.

    The coupling and y of a portal, against the mass of dark matter; with --coupling the abundance
    instead.
    """
    import numpy as np

    from na64.limits.cli.inputs import make_dark_sector, read_model
    from na64.limits.cli.output import nulls, sector_facts
    from na64.limits.planes.y import Normalisation, find_normalisation, y_axis, y_from_coupling
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_grid
    from na64.models.errors import InputError
    from na64.models.mediators.naming import mass_name
    from na64.models.mediators.registry import mediator
    from na64.models.relic.targets import (
        OMEGA_H2,
        relic_abundance,
        thermal_target,
        validity_notes,
    )

    if coupling is not None and omega_h2 is not None:
        raise InputError("give --coupling or --omega-h2, not both: one follows from the other")
    chosen_y = find_normalisation(normalisation or Normalisation.ALPHA_D)
    words = {**sector_words, "dark_matter": sector_words["dark_matter"] or "dirac"}
    chosen = read_model(model, charges) or "dark-photon"
    sector = make_dark_sector(chosen, words)
    if sector is None:
        raise InputError(
            "without dark matter there is no abundance: choose scalar, majorana, dirac or "
            "pseudo-dirac"
        )
    grid = parse_grid(masses)
    portal = mediator(chosen) if isinstance(chosen, str) else chosen
    with the_console().progress("relic density"):
        if coupling is None:
            wanted = OMEGA_H2 if omega_h2 is None else omega_h2
            target = thermal_target(portal, sector, grid, omega_h2=wanted, method=method)
            solved = np.isfinite(target.coupling)
            couplings = np.where(solved, target.coupling, np.nan)
            abundances = np.where(solved, wanted, np.nan)
            status = list(target.status)
        else:
            abundances = relic_abundance(portal, sector, grid, coupling, method=method)
            couplings = np.full(grid.shape, coupling)
            status = ["ok"] * grid.size
    notes = validity_notes(sector, portal, grid)
    for note in notes:
        the_console().warning(note)
    y = y_from_coupling(couplings, sector, chosen_y)
    lists = nulls(np.stack([couplings, y, abundances]))
    document = {
        "schema": "na64-limits/relic/1",
        "model": portal.name,
        "parameter": portal.parameter,
        "solved_for": "coupling" if coupling is None else "omega_h2",
        **sector_facts(sector),
        "splitting": sector.splitting,
        "method": method,
        "y_definition": y_axis(chosen_y, portal.parameter, mass_name(portal)).definition,
        "masses_gev": grid,
        **dict(zip(("coupling", "y", "omega_h2"), lists, strict=True)),
        "status": status,
        "notes": list(notes),
    }
    rows = list(zip(grid.tolist(), *lists, status, strict=True))
    return tabled(
        document,
        Table(("m_chi [GeV]", portal.parameter, "y", "Omega h^2", "status"), rows),
        rows=Table(("m_chi_gev", portal.parameter, "y", "omega_h2", "status"), rows),
    )
