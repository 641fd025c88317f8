"""``--patchset`` of ``limit`` and ``cls``: the same question to every signal of a publication."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from na64.limits.cli.application import the_console
from na64.limits.cli.editing import read_patches, verified
from na64.limits.cli.report import Report, tabled
from na64.limits.figures import FIGURE_SUFFIXES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.calculators.protocol import Calculator
    from na64.limits.calculators.table import ClsTable, LimitTable
    from na64.limits.scanning.patches import PatchedResults, PatchResult
    from na64.workspaces.pyhf.patchsets import Patchset

__all__ = ["PatchRequest", "cls_of_patches", "limits_of_patches", "patch_options", "refuse_figure"]


#: patches without a result that are named on stderr; the table has all
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class PatchRequest:
    """Which patches of which file are meant.

    Attributes
    ----------
    file
        The workspace of the background.
    patchset
        File of the patchset.
    wanted
        Names and patterns, separated by commas; all patches if there is none.
    unverified
        Whether digests are left alone.
    measurement
        Name of the measurement, or None for the first.
    """

    file: str
    patchset: str
    wanted: tuple[str, ...]
    unverified: bool
    measurement: str | None

    def read(self) -> tuple[dict[str, Any], Patchset, list[str]]:
        """Return the workspace, the patches that are meant, and what to warn of."""
        from na64.limits.cli.inputs import read_document
        from na64.models.errors import InputError

        if self.file == "-" == self.patchset:
            raise InputError("stdin ('-') is given twice")
        patchset = read_patches(self.patchset)
        names = [name.strip() for words in self.wanted for name in words.split(",")]
        if names:
            patchset = patchset.take(names)
        document = read_document(self.file)
        return document, patchset, verified(patchset, document, self.unverified)

    def how(self) -> dict[str, Any]:
        """Return the keywords of `na64.limits.scanning.patches` that say so."""
        # `read` has verified what it returns
        return {"measurement": self.measurement, "verify": False}


def patch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--patchset``, ``--patches`` and ``--unverified``; the function receives a ``request``.

    It is None where the workspace is asked for itself.
    """

    @wraps(function)
    def run(
        *, patchset: str | None, patches: tuple[str, ...], unverified: bool, **given: Any
    ) -> Any:
        if patchset is None:
            if patches or unverified:
                raise click.UsageError("--patches and --unverified need a --patchset")
            return function(request=None, **given)
        request = PatchRequest(given["file"], patchset, patches, unverified, given["measurement"])
        return function(request=request, **given)

    for option in (
        click.option(
            "--unverified",
            is_flag=True,
            help="Patch another workspace than the one whose digest the patchset has.",
        ),
        click.option(
            "--patches",
            metavar="NAME,..",
            multiple=True,
            help="These patches only; names, or patterns such as 'ERJR_1*'; repeatable.",
        ),
        click.option(
            "--patchset",
            metavar="PATCHSET.json|-",
            help="The same for each patch of a pyhf patchset of the workspace.",
        ),
    ):
        run = option(run)
    return run


def refuse_figure() -> None:
    """Refuse an output that is a figure, where there is none to draw.

    Raises
    ------
    InputError
        If the running command is to write one.
    """
    from na64.models.errors import InputError

    for name in click.get_current_context().params["outputs"]:
        if Path(name).suffix in FIGURE_SUFFIXES:
            raise InputError(
                f"output '{name}': figures are of the limits of a patchset (`limit --patchset`) "
                f"and of the CLs of one workspace (`cls`)"
            )


def limits_of_patches(
    request: PatchRequest, settings: Mapping[str, Any], confidence_level: float, jobs: int
) -> Report:
    """Return the report of the limits of all patches.

    Parameters
    ----------
    request
        Which patches.
    settings
        Of the calculator, as the options give them.
    confidence_level, jobs
        As in `na64.limits.scanning.patches.patch_limits`.
    """
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import make_calculator
    from na64.limits.figures.patches import check_drawable, patch_figure
    from na64.limits.results.tables import Table
    from na64.limits.scanning.patches import patch_limits

    calculator = make_calculator(settings)
    with the_console().progress("patchset") as progress:
        document, patchset, warnings = request.read()
        if any(Path(name).suffix in FIGURE_SUFFIXES for name in _outputs()):
            check_drawable(patchset)
        found = patch_limits(
            document,
            patchset,
            jobs=jobs,
            progress=progress,
            calculator=calculator,
            confidence_level=confidence_level,
            **request.how(),
        )
    entries = [_limit_entry(each) for each in found]
    bands = [f"expected {order:+d} sigma" for order in BAND_ORDER]
    numbers = [(each["observed"], *each["expected"]) for each in entries]
    ends = [(each["observed_events"], each["status"], each["message"]) for each in entries]
    values = [(each.name, *each.values) for each in found]
    short = [
        (*head, number[0], *number[2:5], end[1])
        for head, number, end in zip(values, numbers, ends, strict=True)
    ]
    full = [(*head, *number, *end) for head, number, end in zip(values, numbers, ends, strict=True)]
    result = {
        **_head("patch-limits", patchset, calculator, warnings),
        "confidence_level": confidence_level,
        "band_order": list(BAND_ORDER),
        "patches": entries,
        **_contours(found),
    }

    def drawn() -> Figure:
        return patch_figure(found, patchset.description)

    return tabled(
        result,
        Table(("patch", *found.labels, "observed", *bands[1:4], "status"), short),
        rows=Table(
            ("patch", *found.labels, "observed", *bands, "observed events", "status", "message"),
            full,
            notes=_notes(patchset, f"upper limits on mu at {confidence_level:g} CL", calculator),
        ),
        facts=_facts(document),
        figure=drawn,
        **_said(found, warnings, "limit"),
    )


def cls_of_patches(
    request: PatchRequest, settings: Mapping[str, Any], strengths: str, jobs: int
) -> Report:
    """Return the report of CLs of all patches.

    Parameters
    ----------
    request
        Which patches.
    settings
        Of the calculator, as the options give them.
    strengths
        Signal strengths as the option gives them.
    jobs
        As in `na64.limits.scanning.patches.patch_cls`.
    """
    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.inputs import make_calculator
    from na64.limits.results.tables import Table
    from na64.limits.scanning.grids import parse_strengths
    from na64.limits.scanning.patches import patch_cls

    refuse_figure()
    mu = parse_strengths(strengths)
    calculator = make_calculator(settings)
    with the_console().progress("patchset") as progress:
        document, patchset, warnings = request.read()
        found = patch_cls(
            document,
            patchset,
            mu,
            jobs=jobs,
            progress=progress,
            calculator=calculator,
            **request.how(),
        )
    entries = [
        {
            **_entry(each),
            "observed": [numbers[0] for numbers in _rows(each.answer, len(mu))],
            "expected": [
                [numbers[1 + band] for numbers in _rows(each.answer, len(mu))]
                for band in range(len(BAND_ORDER))
            ],
            "message": message,
        }
        for each, message in zip(found, _messages(found), strict=True)
    ]
    rows = [
        (each.name, *each.values, strength, *numbers, message)
        for each, message in zip(found, _messages(found), strict=True)
        for strength, numbers in zip(mu.tolist(), _rows(each.answer, len(mu)), strict=True)
    ]
    bands = [f"expected {order:+d} sigma" for order in BAND_ORDER]
    columns = ("patch", *found.labels, "mu", "CLs observed", *bands)
    result = {
        **_head("patch-cls", patchset, calculator, warnings),
        "mu": mu,
        "band_order": list(BAND_ORDER),
        "patches": entries,
    }
    return tabled(
        result,
        Table(columns, [row[:-1] for row in rows]),
        rows=Table((*columns, "message"), rows, notes=_notes(patchset, "CLs", calculator)),
        facts=_facts(document),
        **_said(found, warnings, "CLs"),
    )


def _rows(answer: ClsTable | None, count: int) -> list[list[float | None]]:
    """Return observed and expected CLs at each strength, None where there are none."""
    import numpy as np

    from na64.limits.calculators.status import BAND_ORDER
    from na64.limits.cli.output import nulls

    if answer is None:
        return [[None] * (1 + len(BAND_ORDER))] * count
    both = np.vstack([answer.observed[None, :, 0], np.asarray(answer.expected)[:, :, 0]])
    return [list(nulls(column)) for column in both.T]


def _outputs() -> Sequence[str]:
    return tuple(click.get_current_context().params["outputs"])


def _head(
    schema: str, patchset: Patchset, calculator: Calculator, warnings: list[str]
) -> dict[str, Any]:
    """Return what both documents begin with."""
    from na64.limits.calculators.registry import described

    return {
        "schema": f"na64-limits/{schema}/1",
        **described(calculator),
        "labels": patchset.labels,
        "patchset": {
            "description": patchset.description,
            "references": patchset.references,
            "digests": patchset.digests,
            "verified": not warnings,
        },
    }


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    from na64.workspaces.pyhf.write import pyhf_digest

    return {"background_digest": pyhf_digest(document)}


def _notes(patchset: Patchset, what: str, calculator: Calculator) -> tuple[str, ...]:
    """Return the lines in front of a CSV table."""
    text = " ".join(patchset.description.split())
    return (text, f"{what}, {calculator.name}") if text else (f"{what}, {calculator.name}",)


def _entry(each: PatchResult[Any]) -> dict[str, Any]:
    return {
        "name": each.name,
        "values": each.values,
        "measurement": each.measurement or None,
        "parameter": each.parameter or None,
    }


def _limit_entry(each: PatchResult[LimitTable]) -> dict[str, Any]:
    """Return the limits of one patch as plain data."""
    from na64.limits.calculators.status import BAND_ORDER, Status
    from na64.limits.cli.output import coupling_limits, nulls

    table = each.answer
    if table is None:
        nothing = [None] * len(BAND_ORDER)
        return {
            **_entry(each),
            "observed": None,
            "expected": nothing,
            "observed_events": None,
            "expected_events": nothing,
            "status": Status.FAILED.value,
            "expected_status": [Status.FAILED.value] * len(BAND_ORDER),
            "message": each.problem,
        }
    values = [nulls(table.observed)[0], *nulls(table.expected[:, 0])]
    return {
        **_entry(each),
        "observed": values[0],
        "expected": values[1:],
        "observed_events": nulls(table.observed_events)[0],
        "expected_events": nulls(table.expected_events[:, 0]),
        "status": table.status[0].value,
        "expected_status": [states[0].value for states in table.expected_status],
        "message": table.messages[0],
        **coupling_limits(each.measurement, values),
    }


def _contours(found: PatchedResults[LimitTable]) -> dict[str, Any]:
    """Return the contours of patches with two numbers each."""
    from na64.limits.scanning.contours import exclusion_contours
    from na64.limits.scanning.patches import limits_or_infinity

    if len(found.labels) != 2 or any(isinstance(x, str) for each in found for x in each.values):
        return {}
    observed, *expected = [
        exclusion_contours(found.points, limits) for limits in limits_or_infinity(found)
    ]
    return {"contours": {"observed": observed, "expected": expected}}


def _messages(found: PatchedResults[Any]) -> list[str]:
    problems = found.problems
    return [problems.get(each.name, "") for each in found]


def _said(found: PatchedResults[Any], warnings: list[str], what: str) -> dict[str, Any]:
    """Return warnings and exit code: 1 if nothing came out, 3 if some is missing."""
    problems = found.problems
    shown = [f"{name}: {problem}" for name, problem in list(problems.items())[:_SHOWN]]
    said = list(warnings)
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        said.append(
            f"no {what} for {len(problems)} of {len(found)} patches: {'; '.join(shown)}{more}"
        )
    code = 0 if not problems else 1 if len(problems) == len(found) else 3
    return {"warnings": said, "code": code}
