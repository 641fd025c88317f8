"""``na64-limits post-fit``: yields of a workspace before and after a fit, beside the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.application import Command, the_console
from na64.limits.cli.fitting import fit_options, read_fit_question
from na64.limits.cli.options import number_option
from na64.limits.cli.report import Report, reporting_with_figure, tabled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from na64.limits.inference.prepost import PrePost, Yields


@click.command("post-fit", cls=Command)
@click.argument("file", metavar="WS.json|-")
@fit_options
@number_option(
    "--pre-fit-mu", metavar="MU", default=1.0, help="Signal strength of the yields before the fit."
)
@click.option("--bins", "by_bin", is_flag=True, help="Table of bins instead of channels.")
@click.option(
    "--draw",
    metavar="NAME",
    default="post-fit",
    show_default=True,
    help="Yields that a figure stacks: post-fit or pre-fit.",
)
@click.option(
    "--channel", "channels", metavar="NAME", multiple=True, help="Draw this one; repeatable."
)
@reporting_with_figure()
def command(
    file: str,
    measurement: str | None,
    mu: float | None,
    asimov: float | None,
    nuisances: str,
    pre_fit_mu: float,
    by_bin: bool,
    draw: str,
    channels: tuple[str, ...],
) -> Report:
    """Pre- and post-fit yields of a pyhf workspace per channel and sample, with the data."""
    from na64.limits.inference.prepost import pre_and_post_fit
    from na64.models.errors import InputError, unknown_name

    if not 0.0 <= pre_fit_mu < float("inf"):
        raise InputError(f"--pre-fit-mu must not be negative, is {pre_fit_mu:g}")
    with the_console().progress("yields"):
        asked = read_fit_question(file, measurement, asimov, nuisances)
        known = [str(channel["name"]) for channel in asked.document["channels"]]
        for name in channels:
            if name not in known:
                raise unknown_name("channel", name, known)
        found = pre_and_post_fit(
            asked.document,
            measurement,
            data=asked.data,
            mu=mu,
            prefit_mu=pre_fit_mu,
            likelihood=asked.compiled,
        )

    def drawn() -> Figure:
        from na64.limits.figures.stacks import yield_figure

        return yield_figure(found, stage=draw, channels=channels)

    from na64.limits.results.tables import Table

    return tabled(
        {
            **asked.head("post-fit", found.fit),
            "pre_fit_mu": pre_fit_mu,
            "channels": [_channel(found, c) for c in range(len(found.channels))],
        },
        Table(
            (
                "bin" if by_bin else "channel",
                "sample",
                "pre-fit",
                "+-",
                "post-fit",
                "+-",
                "observed",
            ),
            _rows(found, by_bin),
        ),
        facts=asked.facts,
        notes=asked.notes,
        figure=drawn,
    )


def _channel(found: PrePost, c: int) -> dict[str, Any]:
    """Return what the document says of a channel."""
    import numpy as np

    name = found.channels[c]
    bins = np.array([i for i, (channel, _) in enumerate(found.bins) if channel == name])

    def side(yields: Yields) -> dict[str, Any]:
        present = [s for s in range(len(found.samples)) if _is_there(found, s, c)]
        return {
            "total": yields.channel_totals[c],
            "error": yields.channel_total_errors[c],
            "bins": yields.totals[bins],
            "bin_errors": yields.total_errors[bins],
            "samples": [
                {
                    "name": found.samples[s],
                    "total": yields.channel_samples[s, c],
                    "error": yields.channel_sample_errors[s, c],
                    "bins": yields.samples[s, bins],
                    "bin_errors": yields.sample_errors[s, bins],
                }
                for s in present
            ],
        }

    return {
        "name": name,
        "observed": found.observed[bins],
        "pre_fit": side(found.before),
        "post_fit": side(found.after),
    }


def _is_there(found: PrePost, s: int, c: int) -> bool:
    return bool(
        found.before.channel_samples[s, c] != 0.0 or found.after.channel_samples[s, c] != 0.0
    )


def _rows(found: PrePost, by_bin: bool) -> list[tuple[Any, ...]]:
    """Return the rows of the table, samples of a channel or bin first, its total last."""
    before, after = found.before, found.after
    rows: list[tuple[Any, ...]] = []
    if by_bin:
        names = [f"{channel}[{i}]" for channel, i in found.bins]
        parts = [(y.samples, y.sample_errors, y.totals, y.total_errors) for y in (before, after)]
        seen = found.observed.tolist()
    else:
        names = list(found.channels)
        parts = [
            (
                y.channel_samples,
                y.channel_sample_errors,
                y.channel_totals,
                y.channel_total_errors,
            )
            for y in (before, after)
        ]
        seen = [
            float(sum(n for n, b in zip(found.observed, found.bins, strict=True) if b[0] == name))
            for name in names
        ]
    (one, one_error, all_one, all_one_error), (two, two_error, all_two, all_two_error) = parts
    for i, name in enumerate(names):
        rows += [
            (name, sample, one[s, i], one_error[s, i], two[s, i], two_error[s, i], None)
            for s, sample in enumerate(found.samples)
            if one[s, i] != 0.0 or two[s, i] != 0.0
        ]
        rows.append(
            (name, "total", all_one[i], all_one_error[i], all_two[i], all_two_error[i], seen[i])
        )
    return rows
