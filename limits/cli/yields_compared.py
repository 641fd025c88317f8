"""What ``yields --compare`` shows: events of a simulation beside those that are computed."""

from __future__ import annotations

import math

from na64.limits.cli.application import the_console
from na64.limits.cli.report import Report, tabled
from na64.limits.cli.settings import SignalRequest

__all__ = ["comparison_report"]


def comparison_report(request: SignalRequest, coupling: float) -> Report:
    """Return the report of `na64.limits.design.simulated_yields.compare_yields`."""
    from na64.limits.cli.output import projection_notes, sector_facts
    from na64.limits.design.simulated_yields import compare_yields
    from na64.limits.results.tables import Table
    from na64.models.mediators.coupling import check_coupling

    check_coupling(coupling)
    with the_console().progress("card") as progress:
        made = request.specify()
        found = compare_yields(made, coupling, tables=request.tables, progress=progress)
    ratio = [[None if math.isnan(x) else x for x in row] for row in found.ratio.tolist()]
    axes = ["mass", "bin"]
    names = ("simulated", "computed", "simulated_over_computed", "up", "down", "interpolation")
    document = {
        "schema": "na64-limits/yields-comparison/1",
        "search": made.search,
        "model": found.model,
        "parameter": found.parameter,
        "coupling": coupling,
        "production": made.settings.production,
        **sector_facts(made.dark_sector),
        "masses_gev": found.masses_gev,
        "bins": list(found.bins),
        "axes": dict.fromkeys(names, axes),
        "simulated": found.simulated,
        "computed": found.computed,
        "simulated_over_computed": ratio,
        "up": found.up,
        "down": found.down,
        "interpolation": found.interpolation,
    }
    places = [
        (m, b, mass, name)
        for m, mass in enumerate(found.masses_gev.tolist())
        for b, name in enumerate(found.bins)
    ]
    people = Table(
        ("mass [GeV]", "bin", "simulated [events]", "computed [events]", "ratio", "statistics"),
        [
            (
                mass,
                name,
                float(found.simulated[m, b]),
                float(found.computed[m, b]),
                ratio[m][b],
                f"+{100 * (found.up[m, b] - 1):.2g} -{100 * (1 - found.down[m, b]):.2g} %",
            )
            for m, b, mass, name in places
        ],
    )
    rows = Table(
        ("mass_gev", "bin", *names),
        [
            (
                mass,
                name,
                float(found.simulated[m, b]),
                float(found.computed[m, b]),
                ratio[m][b],
                float(found.up[m, b]),
                float(found.down[m, b]),
                float(found.interpolation[m, b]),
            )
            for m, b, mass, name in places
        ],
    )
    return tabled(
        document,
        people,
        rows=rows,
        facts={"digest": made.digest},
        notes=projection_notes(made.cards),
    )
