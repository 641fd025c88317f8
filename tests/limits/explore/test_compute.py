"""Answers of the page are those of the command line, whatever was asked before."""

from __future__ import annotations

import shlex

import pytest

from na64.limits.calculators.status import BAND_ORDER
from na64.limits.cli.explore import command_lines
from na64.limits.explore.compute import Answer, Catalogue, Explorer, file_names
from na64.limits.explore.state import State
from na64.models.errors import InputError
from na64.workspaces.io.cache import TableCache
from tests.shared import CARD_HEAD

BIN = """
[[bins]]
name = "one"
exposure = { value = 1e11, relative_uncertainty = 0.05, source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, source = "test" }
background = { value = 0.4, relative_uncertainty = 0.3, source = "test" }
observed = { value = 0, source = "test" }
"""


@pytest.fixture
def toy(tmp_path):
    """A card of the user, far from where the command lines run."""
    folder = tmp_path / "far" / "away"
    folder.mkdir(parents=True)
    file = folder / "toy.toml"
    file.write_text(CARD_HEAD + BIN)
    return file


@pytest.fixture
def explorer(toy) -> Explorer:
    return Explorer(Catalogue([str(toy)]), command_lines, tables=TableCache())


@pytest.mark.parametrize(
    "changes",
    [
        {"alpha_d": 0.3, "ratio": 4.0, "exposure": 2.0, "confidence_level": 0.95},
        {"background": 2.0, "cut": 60.0, "dark_matter": "majorana", "plane": "y"},
    ],
    ids=["coupling", "plane"],
)
def test_files_are_those_that_the_command_lines_write(
    explorer, toy, call, tmp_path, changes
) -> None:
    explorer.answer(State("toy.toml", exposure=3.0))  # something before
    answer = explorer.answer(State("toy.toml", **changes))
    (tmp_path / "toy.toml").write_bytes(toy.read_bytes())
    for words in explorer.lines(answer.state):
        outcome = call(*words[1:])
        assert outcome.code == 0, outcome.err
    for suffix, name in file_names(answer.state).items():
        if suffix != ".sh":
            assert answer.file(name) == (tmp_path / name).read_bytes(), name
    assert answer.limit.provenance["command"] == explorer.lines(answer.state)[0]


def test_no_path_of_the_machine_is_told(explorer, toy) -> None:
    answer = explorer.answer(State("toy.toml"))
    told = [
        answer.file(name) for suffix, name in file_names(answer.state).items() if suffix != ".sh"
    ]
    told += [shlex.join(words).encode() for words in explorer.lines(answer.state)]
    assert not [text for text in told if b"far" in text and b"away" in text]
    with pytest.raises(InputError) as caught:
        explorer.answer(State(str(toy)))  # what is not offered cannot be read by its path
    assert "did you mean" in str(caught.value) or "unknown search" in str(caught.value)


def test_the_observed_limit_comes_early_where_its_bands_take_longer(explorer) -> None:
    early: list[Answer] = []
    whole = explorer.answer(State("toy.toml", confidence_level=0.8), early=early.append)
    (first,) = early
    assert not first.complete
    assert whole.complete
    assert first.limit.regions == whole.limit.regions
    assert not any(found for band in first.limit.expected_regions for found in band)
    assert all(found for found in whole.limit.expected_regions[BAND_ORDER.index(0)])
    # the next step of a slider has nothing to wait for, and a projection nothing to show before
    explorer.answer(State("toy.toml", confidence_level=0.8, alpha_d=0.2), early=early.append)
    explorer.answer(State("toy.toml", exposure=2.0), early=early.append)
    assert len(early) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"search": "na64e-2061"}, "unknown search 'na64e-2061'.*did you mean"),
        ({"model": "dark-foton"}, "did you mean 'dark-photon'"),
        ({"cut": 100.0}, "missing_energy_gev"),
        ({"confidence_level": 1.5}, "confidence level must be between 0 and 1"),
        ({"ratio": 1.5}, "ratio"),
        ({"model": "b-minus-l", "alpha_d": 0.3}, "alpha_d.? has no effect"),
        ({"plane": "g-agg"}, "has no plane of g-agg"),
    ],
)
def test_what_is_impossible_says_why(explorer, changes, said) -> None:
    with pytest.raises(InputError, match=said):
        explorer.answer(State(**{"search": "toy.toml", **changes}))


def test_two_files_of_one_name_are_refused(toy, tmp_path) -> None:
    other = tmp_path / "toy.toml"
    other.write_text(toy.read_text() + "\n")
    with pytest.raises(InputError, match=r"two files are called toy\.toml"):
        Catalogue([str(toy), str(other)])
