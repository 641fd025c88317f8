"""``na64-limits yields``: the signal, or the reference process, that a search expects."""

from __future__ import annotations

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import coupling_option
from na64.limits.cli.reference import ReferenceRequest, reference_options, reference_report
from na64.limits.cli.report import Report, reporting, tabled
from na64.limits.cli.settings import SignalCommand, SignalRequest


@click.command("yields", cls=SignalCommand)
@coupling_option("--epsilon", "--coupling", default=1.0)
@click.option(
    "--compare",
    is_flag=True,
    help="Of bins with a yield from a simulation: beside it what is computed, and the ratio.",
)
@reference_options
@reporting()
def command(
    request: SignalRequest, coupling: float, compare: bool, reference: ReferenceRequest
) -> Report:
    """Expected signal events by mass, process and bin.

    Per particle on target before any efficiency, and after exposure and efficiency. With
    --reference those of a process that is known, and with observed numbers of it the correction of
    the efficiency for a run card.
    """
    if compare:
        from na64.limits.cli.yields_compared import comparison_report

        if reference.reference is not None:
            from na64.models.errors import InputError

            raise InputError("give --compare or --reference, not both")
        reference.refuse_alone()
        return comparison_report(request, coupling)
    if reference.reference is not None:
        return reference_report(request, coupling, reference)
    reference.refuse_alone()
    from na64.limits.cli.output import projection_notes, sector_facts
    from na64.limits.results.tables import Table
    from na64.limits.scanning.signal import expected_signal
    from na64.models.mediators.coupling import check_coupling

    check_coupling(coupling)
    with the_console().progress("card") as progress:
        made = request.specify()
        signal = expected_signal(made, tables=request.tables, progress=progress)
    per_particle = signal.per_particle(coupling)
    accepted = signal.at_coupling(coupling)
    rates, masses = signal.rates, signal.rates.masses_gev.tolist()
    axes = ["mass", "process", "bin"]
    document = {
        "schema": "na64-limits/yields/1",
        "search": made.search,
        "model": rates.mediator,
        "parameter": rates.parameter,
        "coupling": coupling,
        "production": made.settings.production,
        **sector_facts(made.dark_sector),
        "masses_gev": rates.masses_gev,
        "processes": list(rates.processes),
        "bins": list(signal.bins),
        "axes": {"events_per_particle": axes, "events": axes},
        "events_per_particle": per_particle,
        "events": accepted,
    }
    sums = accepted.sum(axis=2)
    # decays in flight have no power law: without the coupling their events mean nothing
    total = f"total at {rates.parameter} = {coupling:g}"
    people = Table(
        ("mass [GeV]", *(f"{name} [events]" for name in rates.processes), total),
        [(mass, *sums[m].tolist(), float(sums[m].sum())) for m, mass in enumerate(masses)],
    )
    rows = Table(
        ("mass_gev", "process", "bin", "events_per_particle", "events"),
        [
            (mass, process, item, float(per_particle[m, p, b]), float(accepted[m, p, b]))
            for m, mass in enumerate(masses)
            for p, process in enumerate(rates.processes)
            for b, item in enumerate(signal.bins)
        ],
    )
    return tabled(
        document,
        people,
        rows=rows,
        facts={"digest": made.digest},
        notes=projection_notes(made.cards),
    )
