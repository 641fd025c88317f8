"""What a search expects of a reference process, and data over simulation of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.options import names_option
from na64.limits.cli.report import Report, tabled
from na64.limits.cli.settings import SignalRequest

if TYPE_CHECKING:
    from na64.limits.design.reference_process import ReferenceCorrection, ReferenceYields

__all__ = ["ReferenceRequest", "reference_options", "reference_report"]


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """Options of a reference process, None where not given.

    Attributes
    ----------
    reference
        Its name.
    pair_energy, muon_energy
        Least energies in GeV of a pair and of either muon.
    reference_efficiency
        Of the detector for pairs.
    reference_uncertainty
        Relative uncertainty of the expected pairs.
    observed_pairs
        Numbers of observed pairs, as typed.
    """

    reference: str | None
    pair_energy: float | None
    muon_energy: float | None
    reference_efficiency: float | None
    reference_uncertainty: float | None
    observed_pairs: str | None

    def refuse_alone(self) -> None:
        """Raise InputError if any option but the name is given."""
        from na64.models.errors import InputError

        for item in fields(self):
            if item.name != "reference" and getattr(self, item.name) is not None:
                option = item.name.replace("_", "-")
                raise InputError(f"--{option} is for a reference process: give --reference with it")


def reference_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `ReferenceRequest`; the function receives one as ``reference``."""

    @wraps(function)
    def run(**given: Any) -> Any:
        words = {item.name: given.pop(item.name) for item in fields(ReferenceRequest)}
        return function(reference=ReferenceRequest(**words), **given)

    def names() -> Any:
        from na64.limits.design.reference_process import REFERENCE_PROCESSES

        return REFERENCE_PROCESSES

    def number(name: str, metavar: str, help: str) -> Any:
        return click.option(name, metavar=metavar, type=float, help=help)

    made: Callable[..., Any] = run
    for option in (
        click.option(
            "--observed-pairs",
            metavar="N,N,...",
            help="Observed pairs, one number per bin or their sum: print data over simulation.",
        ),
        number(
            "--reference-uncertainty",
            "U",
            "Relative uncertainty of the expected pairs.  [default: that of the rate, 0.04]",
        ),
        number(
            "--reference-efficiency",
            "E",
            "Efficiency of the detector for pairs.  [default: 1]",
        ),
        number(
            "--muon-energy",
            "GEV",
            "Least energy of either muon.  [default: to cross both calorimeters]",
        ),
        number("--pair-energy", "GEV", "Least energy of a pair.  [default: 40]"),
        names_option(
            "--reference",
            names=names,
            help="Expect a reference process instead of a signal: {names}.",
        ),
    ):
        made = option(made)
    return made


def reference_report(request: SignalRequest, coupling: float, wanted: ReferenceRequest) -> Report:
    """Return what a card expects of a reference process.

    Raises
    ------
    InputError
        For options of a signal, and values that are not allowed.
    """
    from na64.limits.cli.inputs import read_card
    from na64.limits.design.reference_process import reference_yields
    from na64.models.signals.dimuons import DimuonSelection

    assert wanted.reference is not None
    _refuse_signal(request, coupling)
    card = read_card(request.search, request.overrides)
    usual = DimuonSelection()
    pair = usual.pair_energy_gev if wanted.pair_energy is None else wanted.pair_energy
    efficiency = 1.0 if wanted.reference_efficiency is None else wanted.reference_efficiency
    with the_console().progress("cascade"):
        found = reference_yields(
            card,
            wanted.reference,
            selection=DimuonSelection(pair, wanted.muon_energy),
            efficiency=efficiency,
            inelastic=request.settings.get("inelastic") is not False,
        )
    compared, data = None, None
    if wanted.observed_pairs is not None:
        data = _numbers(wanted.observed_pairs)
        compared = found.compare(data, simulation_uncertainty=wanted.reference_uncertainty)
    elif wanted.reference_uncertainty is not None:
        from na64.models.errors import InputError

        raise InputError("--reference-uncertainty is that of a ratio: give --observed-pairs too")
    return _report(card.name, found, data, compared)


def _refuse_signal(request: SignalRequest, coupling: float) -> None:
    from na64.models.errors import InputError

    given = {
        "--masses": request.masses is not None,
        "--model": request.model is not None,
        "--charges": request.charges is not None,
        "--combine": bool(request.combine),
        "--shared": bool(request.shared),
        "--coupling": coupling != 1.0,
        **{
            name: value is not None
            for name, value in request.settings.items()
            if name != "inelastic"
        },
    }
    for name, is_given in given.items():
        if is_given:
            raise InputError(f"{name} is for a signal and has no effect on a reference process")


def _numbers(text: str) -> list[float]:
    from na64.models.declaration import checked_number
    from na64.models.errors import InputError

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--observed-pairs {text}: must be a comma list, one number per bin, or their sum"
        ) from None
    return [checked_number(number, f"--observed-pairs {text}") for number in numbers]


def _report(
    search: str,
    found: ReferenceYields,
    observed: list[float] | None,
    compared: ReferenceCorrection | None,
) -> Report:
    from na64.limits.design.reference_process import REFERENCE_PROCESSES
    from na64.limits.results.tables import Table

    ways = REFERENCE_PROCESSES[found.process].processes
    expected = found.expected.tolist()
    document: dict[str, Any] = {
        "schema": "na64-limits/reference/1",
        "search": search,
        "reference": found.process,
        "pair_energy_gev": {name: rates.pair_energy_gev for name, rates in found.setups.items()},
        "muon_energy_gev": {name: rates.muon_energy_gev for name, rates in found.setups.items()},
        "efficiency": found.efficiency,
        "processes": list(ways),
        "bins": list(found.bins),
        "exposure": found.exposures,
        "events_per_particle": found.per_particle,
        "events": expected,
        "total": found.total,
        "comparison": None,
    }
    columns = ["bin", *(f"{way} [per particle]" for way in ways), "particles", "pairs"]
    rows: list[tuple[Any, ...]] = [
        (name, *rates, exposure, events)
        for name, rates, exposure, events in zip(
            found.bins, found.per_particle.tolist(), found.exposures.tolist(), expected, strict=True
        )
    ]
    after = "".join(
        f"\n\n{'' if len(found.setups) == 1 else f'{name}: '}pairs above "
        f"{rates.pair_energy_gev:g} GeV of muons above {rates.muon_energy_gev:.3g} GeV: "
        f"{rates.events.sum():.3g} per particle on target"
        for name, rates in found.setups.items()
    )
    if len(found.bins) > 1:
        after += f"\nall bins together: {found.total:.6g} pairs"
    if compared is not None and observed is not None:
        entries = compared.card_entries(found.process)
        document["comparison"] = {
            "observed": observed,
            "ratio": compared.ratios,
            "statistical": compared.ratios * compared.statistical,
            "mean": compared.mean,
            "scatter": compared.scatter,
            "common": compared.common,
            "p_value": compared.p_value,
            "card_entries": entries,
        }
        each = len(observed) == len(found.bins)
        names = found.bins if each else ("all bins",)
        if each:
            columns += ["observed", "data / simulation", "statistical"]
            added = zip(
                observed,
                compared.ratios.tolist(),
                (compared.ratios * compared.statistical).tolist(),
                strict=True,
            )
            rows = [(*row, *more) for row, more in zip(rows, added, strict=True)]
        for name, ratio, relative in zip(
            names, compared.ratios.tolist(), compared.statistical.tolist(), strict=True
        ):
            after += (
                f"\n{name}: data / simulation = {ratio:.3f} +- {ratio * relative:.3f} (statistics) "
                f"+- {ratio * compared.common:.3f} (common)"
            )
        after += "\n\nfor a run card, a line in each bin:\n" + "\n".join(entries)
    return tabled(document, Table(tuple(columns), rows), after=after)
