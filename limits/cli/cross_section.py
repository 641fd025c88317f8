"""``na64-limits cross-section``: production of a mediator, for inspection."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.options import (
    coupling_option,
    masses_option,
    model_option,
    number_option,
    target_option,
)
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SettingsCommand

#: settings of a process for the document, and its cross-sections in GeV^-2, shape (M,)
Answer = tuple[dict[str, Any], Any]


def _process(default_model: str) -> Callable[[Callable[..., Answer]], Callable[..., Any]]:
    """Make the command of a process, with the model that is meant if none is given."""

    def decorate(function: Callable[..., Answer]) -> Callable[..., Any]:
        @wraps(function)
        def run(
            *,
            model: str | None,
            charges: str | None,
            masses: str,
            coupling: float,
            unit: str,
            **given: Any,
        ) -> Report:
            import numpy as np

            from na64.limits.cli.inputs import read_model
            from na64.limits.results.tables import Table
            from na64.limits.scanning.grids import parse_grid
            from na64.models.constants import GEV2_TO_PB
            from na64.models.errors import unknown_name
            from na64.models.mediators.coupling import check_coupling

            if unit not in ("pb", "gev-2"):
                raise unknown_name("unit", unit, ("pb", "gev-2"))
            check_coupling(coupling)
            chosen = read_model(model, charges) or default_model
            grid = parse_grid(masses)
            with the_console().progress("cross-section"):
                settings, sigma = function(chosen, grid, coupling=coupling, **given)
            label = "sigma [GeV^-2]"
            if unit == "pb":
                sigma, label = sigma * GEV2_TO_PB, "sigma [pb]"
            document = {
                "schema": "na64-limits/cross-section/1",
                "process": function.__name__,
                "model": chosen if isinstance(chosen, str) else chosen.name,
                **settings,
                "coupling": coupling,
                "masses_gev": grid,
                "cross_section": sigma,
                "unit": unit,
            }
            rows = np.column_stack([grid, sigma]).tolist()
            return tabled(document, Table(("mass [GeV]", label), rows))

        made: Callable[..., Any] = reporting()(run)
        for option in (
            click.option(
                "--unit",
                metavar="NAME",
                default="pb",
                show_default=True,
                help="Unit of the cross-section: pb or gev-2.",
            ),
            coupling_option("--epsilon", "--coupling", default=1.0),
            masses_option(required=True),
            model_option(default_model),
        ):
            made = option(made)
        return made

    return decorate


@click.group("cross-section", cls=Group)
def command() -> None:
    """Production cross-sections of a mediator."""


@command.command("emission", cls=SettingsCommand, settings=("production", "inelastic"))
@_process("dark-photon")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the beam.")
@click.option(
    "--beam",
    metavar="PARTICLE",
    default="e-",
    show_default=True,
    help="Beam particle: e-, e+, mu- or mu+.",
)
@number_option(
    "--x-min",
    metavar="X",
    default=0.0,
    help="Smallest fraction of the beam energy that the mediator carries.",
)
@target_option
def emission(
    chosen: Any,
    masses: Any,
    *,
    energy: float,
    beam: str,
    x_min: float,
    target: str,
    production: str | None,
    inelastic: bool | None,
    coupling: float,
) -> Answer:
    """Emission by a lepton in the field of a nucleus, per nucleus."""
    from na64.limits.scanning.request import find_mediator
    from na64.models.inspection import production_by_emission
    from na64.models.production.process import best_approximation
    from na64.models.signals.settings import SignalSettings
    from na64.models.targets import Beam

    settings = SignalSettings(
        production=production or best_approximation(find_mediator(chosen).kind),
        inelastic=inelastic is not False,
    )
    sigma = production_by_emission(
        chosen,
        masses,
        beam=Beam(beam, energy),
        target=target,
        x_min=x_min,
        settings=settings,
        coupling=coupling,
    )
    return {
        "beam": beam,
        "energy_gev": energy,
        "target": target,
        "x_min": x_min,
        "production": settings.production,
        "elastic_only": not settings.inelastic,
    }, sigma


@command.command("annihilation", cls=SettingsCommand, settings=("dark_matter", "alpha_d", "ratio"))
@_process("dark-photon")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the positron.")
def annihilation(
    chosen: Any, masses: Any, *, energy: float, coupling: float, **sector_words: Any
) -> Answer:
    """Annihilation e+ e- -> X -> invisible on an electron at rest, per electron."""
    from na64.limits.cli.inputs import make_dark_sector
    from na64.limits.cli.output import sector_facts
    from na64.models.inspection import production_by_annihilation

    sector = make_dark_sector(chosen, sector_words)
    sigma = production_by_annihilation(
        chosen, masses, energy_gev=energy, coupling=coupling, dark_sector=sector
    )
    return {"energy_gev": energy, **sector_facts(sector)}, sigma


@command.command("primakoff", cls=SettingsCommand, settings=("inelastic",))
@_process("alp")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the photon.")
@target_option
def primakoff(
    chosen: Any, masses: Any, *, energy: float, target: str, inelastic: bool | None, coupling: float
) -> Answer:
    """Production by a photon in the field of a nucleus, per nucleus; coupling in 1/GeV."""
    from na64.models.inspection import production_by_primakoff

    elastic = inelastic is False
    sigma = production_by_primakoff(
        chosen,
        masses,
        energy_gev=energy,
        target=target,
        elastic_only=elastic,
        coupling=coupling,
    )
    return {"energy_gev": energy, "target": target, "elastic_only": elastic}, sigma
