"""``na64-limits cross-section``: production of a mediator, for inspection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Group, the_console
from na64.limits.cli.options import (
    json_option,
    masses_option,
    model_option,
    output_option,
    target_option,
)
from na64.limits.cli.settings import SettingsCommand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _shared(default_model: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of every process, with the model that is meant if none is given."""
    options = (
        output_option(),
        json_option,
        click.option(
            "--unit",
            metavar="NAME",
            default="pb",
            show_default=True,
            help="Unit of the cross-section: pb or gev-2.",
        ),
        click.option(
            "--epsilon",
            "--coupling",
            "coupling",
            metavar="G",
            type=float,
            default=1.0,
            show_default=True,
            help="Free coupling of the model.",
        ),
        masses_option(required=True),
        model_option(default_model),
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in options:
            function = option(function)
        return function

    return decorate


@click.group("cross-section", cls=Group)
def command() -> None:
    """Production cross-sections of a mediator."""


@command.command("emission", cls=SettingsCommand, settings=("production", "inelastic"))
@_shared("dark-photon")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the beam.")
@click.option(
    "--beam",
    metavar="PARTICLE",
    default="e-",
    show_default=True,
    help="Beam particle: e-, e+, mu- or mu+.",
)
@click.option(
    "--x-min",
    metavar="X",
    type=float,
    default=0.0,
    show_default=True,
    help="Smallest fraction of the beam energy that the mediator carries.",
)
@target_option()
def emission(
    model: str | None,
    charges: str | None,
    masses: str,
    coupling: float,
    unit: str,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    energy: float,
    beam: str,
    x_min: float,
    target: str,
    production: str | None,
    inelastic: bool | None,
) -> None:
    """Emission by a lepton in the field of a nucleus, per nucleus."""
    _prepare(unit, coupling, outputs, force)

    from na64.limits.cli.inputs import read_model
    from na64.limits.scanning.grids import parse_grid
    from na64.models.inspection import production_by_emission
    from na64.models.production.process import Approximation
    from na64.models.setup import Beam
    from na64.models.signals.settings import SignalSettings

    chosen = read_model(model, charges) or "dark-photon"
    grid = parse_grid(masses)
    settings = SignalSettings(
        production=production or Approximation.ETL, inelastic=inelastic is not False
    )
    with the_console().progress("cross-section"):
        sigma = production_by_emission(
            chosen,
            grid,
            beam=Beam(beam, energy),
            target=target,
            x_min=x_min,
            settings=settings,
            coupling=coupling,
        )
    document = {
        "process": "emission",
        "model": chosen if isinstance(chosen, str) else chosen.name,
        "beam": beam,
        "energy_gev": energy,
        "target": target,
        "x_min": x_min,
        "production": settings.production,
        "elastic_only": not settings.inelastic,
        "coupling": coupling,
    }
    _finish(document, grid, sigma, unit, as_json, outputs, force)


@command.command("annihilation", cls=SettingsCommand, settings=("dark_matter", "alpha_d", "ratio"))
@_shared("dark-photon")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the positron.")
def annihilation(
    model: str | None,
    charges: str | None,
    masses: str,
    coupling: float,
    unit: str,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    energy: float,
    **sector_words: Any,
) -> None:
    """Annihilation e+ e- -> X -> invisible on an electron at rest, per electron."""
    _prepare(unit, coupling, outputs, force)

    from na64.limits.cli.inputs import make_dark_sector, read_model
    from na64.limits.scanning.grids import parse_grid
    from na64.models.inspection import production_by_annihilation

    grid = parse_grid(masses)
    chosen = read_model(model, charges) or "dark-photon"
    sector = make_dark_sector(chosen, sector_words)
    sigma = production_by_annihilation(
        chosen, grid, energy_gev=energy, coupling=coupling, dark_sector=sector
    )
    document = {
        "process": "annihilation",
        "model": chosen if isinstance(chosen, str) else chosen.name,
        "energy_gev": energy,
        "alpha_d": None if sector is None else sector.alpha_d,
        "ratio": None if sector is None else sector.ratio,
        "dark_matter": None if sector is None else sector.species.value,
        "coupling": coupling,
    }
    _finish(document, grid, sigma, unit, as_json, outputs, force)


@command.command("primakoff", cls=SettingsCommand, settings=("inelastic",))
@_shared("alp")
@click.option("--energy", metavar="GEV", type=float, required=True, help="Energy of the photon.")
@target_option()
def primakoff(
    model: str | None,
    charges: str | None,
    masses: str,
    coupling: float,
    unit: str,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
    energy: float,
    target: str,
    inelastic: bool | None,
) -> None:
    """Production by a photon in the field of a nucleus, per nucleus; coupling in 1/GeV."""
    _prepare(unit, coupling, outputs, force)

    from na64.limits.cli.inputs import read_model
    from na64.limits.scanning.grids import parse_grid
    from na64.models.inspection import production_by_primakoff

    chosen = read_model(model, charges) or "alp"
    grid = parse_grid(masses)
    sigma = production_by_primakoff(
        chosen,
        grid,
        energy_gev=energy,
        target=target,
        elastic_only=inelastic is False,
        coupling=coupling,
    )
    document = {
        "process": "primakoff",
        "model": chosen if isinstance(chosen, str) else chosen.name,
        "energy_gev": energy,
        "target": target,
        "elastic_only": inelastic is False,
        "coupling": coupling,
    }
    _finish(document, grid, sigma, unit, as_json, outputs, force)


def _prepare(unit: str, coupling: float, outputs: tuple[str, ...], force: bool) -> None:
    from na64.limits.cli.output import check_outputs
    from na64.models.errors import unknown_name
    from na64.models.mediators.coupling import check_coupling

    check_outputs(outputs, force)
    if unit not in ("pb", "gev-2"):
        raise unknown_name("unit", unit, ("pb", "gev-2"))
    check_coupling(coupling)


def _finish(
    document: dict[str, Any],
    masses: NDArray[np.float64],
    sigma_gev2: NDArray[np.float64],
    unit: str,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    import numpy as np

    from na64.limits.cli.output import emit
    from na64.limits.results.tables import Table
    from na64.models.constants import GEV2_TO_PB

    sigma = sigma_gev2 * GEV2_TO_PB if unit == "pb" else sigma_gev2
    complete = {
        "schema": "na64-limits/cross-section/1",
        **document,
        "masses_gev": masses,
        "cross_section": sigma,
        "unit": unit,
    }
    label = {"pb": "sigma [pb]", "gev-2": "sigma [GeV^-2]"}[unit]
    table = Table(("mass [GeV]", label), np.column_stack([masses, sigma]).tolist())
    emit(complete, table, as_json=as_json, outputs=outputs, force=force)
