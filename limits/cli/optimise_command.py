"""``na64-limits optimise``: the cut on the calorimeter's energy with the best expected limit."""

from __future__ import annotations

from dataclasses import replace

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.options import cl_option, json_option, output_option
from na64.limits.cli.sideband import read_spectrum, shape_option
from na64.limits.cli.signal_options import SignalRequest, signal_options


@click.command("optimise", cls=Command)
@signal_options("One mass in GeV.")
@click.option(
    "--cuts",
    metavar="LO:HI:N",
    required=True,
    help="Largest energies in the calorimeter in GeV: log-spaced or a comma list.",
)
@click.option(
    "--sideband",
    metavar="FILE.csv",
    required=True,
    help="Spectrum above the cuts, of the card's exposure: low_gev, high_gev, events.",
)
@shape_option
@click.option(
    "--merit",
    metavar="NAME",
    default="mean",
    show_default=True,
    help="Expected limit: mean or median of experiments without signal.",
)
@click.option(
    "--efficiency-uncertainty",
    metavar="U",
    type=float,
    default=0.1,
    show_default=True,
    help="Relative uncertainty of the signal efficiency.",
)
@cl_option()
@click.option(
    "--method",
    metavar="NAME",
    default="exact",
    show_default=True,
    help="Calculator of the CLs: exact or asymptotic.",
)
@json_option
@output_option(".json or .csv")
def command(
    request: SignalRequest,
    cuts: str,
    sideband: str,
    shape: str,
    merit: str,
    efficiency_uncertainty: float,
    confidence_level: float,
    method: str,
    as_json: bool,
    outputs: tuple[str, ...],
    force: bool,
) -> None:
    """Expected limit against the energy cut of a missing-energy search.

    The signal of each cut is computed, the background extrapolated from the sideband.
    """
    from na64.limits.cli.output import Table, check_outputs, emit

    check_outputs(outputs, force)

    from na64.limits.background import fit_sideband
    from na64.limits.cli.inputs import read_card
    from na64.limits.grids import parse_grid
    from na64.limits.optimise import optimise_cut
    from na64.models.errors import InputError
    from na64.models.setup import MissingEnergyWindow

    energies = parse_grid(cuts, "cuts")
    if request.masses is None or len(parse_grid(request.masses)) != 1:
        raise InputError("the best cut is that of one mass: give --masses with one")
    if request.search == "-":
        raise InputError("give the card by name or file: it is read once per cut")
    card = read_card(request.search, request.overrides)
    setup = card.setups[card.used_setups[0]]
    if len(card.used_setups) > 1 or not isinstance(setup.window, MissingEnergyWindow):
        raise InputError(f"{card.name}: a cut is optimised for one window on the missing energy")
    beam_energy = setup.beam.energy_gev
    if energies[-1] >= beam_energy:
        raise InputError(
            f"a cut of {energies[-1]:g} GeV is not below the beam energy of {beam_energy:g} GeV"
        )
    edges, events = read_spectrum(sideband)
    signals, backgrounds, uncertainties = [], [], []
    coupling = 1.0
    with the_console().progress("background") as progress:
        for energy in energies.tolist():
            fit = fit_sideband(edges, events, box_gev=(0.0, energy), shape=shape)
            backgrounds.append(fit.prediction)
            uncertainties.append(fit.relative_uncertainty)
        for energy in energies.tolist():
            window = f"window.missing_energy_gev={beam_energy - energy!r}"
            changed = replace(request, overrides=(*request.overrides, window))
            signal = changed.compute(progress)
            signals.append(float(signal.at_coupling(coupling).sum()))
        progress("expected limits")
        scan = optimise_cut(
            energies,
            signals,
            backgrounds,
            background_uncertainty=uncertainties,
            efficiency_uncertainty=efficiency_uncertainty,
            confidence_level=confidence_level,
            merit=merit,
            method=method,
        )
    power = signal.rates.power or 1.0
    limits = (scan.expected ** (1.0 / power)) * coupling
    result = {
        "schema": "na64-limits/optimise/1",
        "search": card.name,
        "model": signal.rates.mediator,
        "parameter": signal.rates.parameter,
        "mass_gev": float(signal.rates.masses_gev[0]),
        "confidence_level": confidence_level,
        "method": scan.method,
        "merit": scan.merit,
        "shape": shape,
        "efficiency_uncertainty": efficiency_uncertainty,
        "cuts_gev": scan.cuts,
        "signal": scan.signal,
        "background": scan.background,
        "background_uncertainty": uncertainties,
        "expected_events": scan.events,
        "expected": limits,
        "best_cut_gev": scan.best_cut,
        "interior": scan.interior,
    }
    columns = ("cut [GeV]", "background", "limit [events]", f"{result['parameter']} expected", "")
    rows = [
        (cut, background, limit, float(value), "best" if row == scan.best else "")
        for row, (cut, background, limit, value) in enumerate(
            zip(scan.cuts.tolist(), backgrounds, scan.events.tolist(), limits, strict=True)
        )
    ]
    emit(
        result,
        Table(columns, rows),
        as_json=as_json,
        outputs=outputs,
        force=force,
        facts={"card_digest": card.digest},
    )
    if not scan.interior:
        the_console().warning("the best cut is at the end of the range: give a wider one")
