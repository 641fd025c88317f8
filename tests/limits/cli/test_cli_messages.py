"""Messages name arguments in Python and options on the command line, and what leads on."""

from __future__ import annotations

import click
import pytest

from na64.limits import scan
from na64.limits.cli.application import in_options
from na64.limits.cli.entry import cli
from na64.models.errors import InputError, did_you_mean
from na64.workspaces.cards.reader import available_cards

PARAMETERS = [
    click.Option(["--alpha-d", "alpha_d"]),
    click.Option(["--recompute"], is_flag=True),
    click.Option(["--masses"]),
    click.Argument(["files"]),
]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`alpha_d` has no effect", "--alpha-d has no effect"),
        ("give `alpha_d=0.5`", "give --alpha-d 0.5"),
        ("or `policy=recompute`", "or --recompute"),
        ("give `masses_gev`", "give --masses"),
        # what the command does not take keeps its name, and so do arguments and texts of users
        ("give `policy=refuse` or `ratio`", "give policy=refuse or ratio"),
        ("`files` `a b` `x.json`", "files `a b` `x.json`"),
    ],
)
def test_arguments_become_options(message: str, shown: str) -> None:
    assert in_options(message, PARAMETERS) == shown


def test_the_same_message_in_both_languages(call) -> None:
    words = "has no effect on the signal of the model 'invisible-meson'"
    with pytest.raises(InputError, match=f"^`alpha_d` {words}"):
        scan("na64h-2022", alpha_d=0.3)
    assert call("scan", "na64h-2022", "--alpha-d", "0.3").err.startswith(
        f"error: --alpha-d {words}"
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("na64e-2022", "'na64e-2016-2022' or 'na64e-positron-2022'"),
        ("na64e-alp", "'na64e-alp-5e12' or 'na64e-alp-2016-2018'"),
        ("na64mu-2023", "'na64mu-2023-2024'"),
        ("na64e-2016-2O22", "'na64e-2016-2022'"),
    ],
)
def test_the_nearest_search_has_the_words_that_were_given(name: str, nearest: str) -> None:
    assert did_you_mean(name, available_cards()) == f" (did you mean {nearest}?)"


def test_a_model_that_the_beam_does_not_make_names_searches_for_it(call) -> None:
    for words in (("scan", "--model", "alp"), ("yields", "na64mu-2022", "--model", "alp")):
        outcome = call(*words)
        assert outcome.code == 2
        assert "does not couple to the" in outcome.err
        assert "searches for it are na64e-alp-2016-2018, na64e-alp-5e12" in outcome.err


def test_advice_leads_somewhere(call) -> None:
    assert call("scan", "--masses", "0.1", "--method", "asymptotic", "-o", "eps.json").code == 0
    plane = call("to-plane", "eps.json", "--plane", "g-agg")
    assert "that plane is for the model alp, which needs a scan of its own" in plane.err
    assert "recast" not in plane.err
    recast = call("recast", "eps.json", "--model", "alp", "--recompute")
    assert recast.code == 2
    assert "searches for it are na64e-alp-2016-2018" in recast.err
    drawn = call("plot", "eps.json", "--plane", "g-agg", "-o", "eps.png")
    assert "that plane is for the model alp" in drawn.err


def test_backticks_are_of_arguments_alone() -> None:
    """Arguments that messages of the library name are parameters of some command."""
    known = {"masses_gev": "masses", "policy": "recompute"}
    with click.Context(cli) as context:
        names = {
            param.name
            for command in cli.list_commands(context)
            for param in (cli.get_command(context, command) or cli).get_params(context)
        }
    for argument in ("alpha_d", "dark_matter", "model", "masses_gev", "policy"):
        assert known.get(argument, argument) in names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--ylim", "1e-300:1e300"), "--ylim must be two positive numbers between 1e-90 and"),
        (("--xlim", "1:0.1"), "--xlim must increase, is 1 to 0.1"),
        (("--label-at", "eps.json=nan,1"), "--label-at of 'eps.json' must be two positive"),
        (("--label-at", "eps.json=1e9,1e9"), "is outside of the axes"),
        (("--legend", "lowerleft"), "did you mean 'lower-left'"),
        (("--mass-unit", "mev"), "did you mean 'MeV'"),
    ],
)
def test_looks_are_refused_in_the_words_of_options(call, words, message) -> None:
    scan("na64e-2016", masses_gev=[0.1, 0.2], method="asymptotic").write("eps.json")
    outcome = call("plot", "eps.json", *words, "-o", "eps.png")
    assert outcome.code == 2
    assert message in outcome.err
