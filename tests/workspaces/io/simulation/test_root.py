"""Simulations in ROOT files, written by uproot here."""

import sys
from pathlib import Path

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.workspaces.io.simulation.description import Cut, FileOfMass, SimulationFile
from na64.workspaces.io.simulation.reading import read_rows

uproot = pytest.importorskip("uproot")

EDGES = np.array([0.0, 1.0, 2.0, 4.0])
SIZE = 1000


def weighted(values, squares, edges=EDGES):
    """A histogram of weights, with sums of their squares."""
    from uproot.writing import identify

    inside = np.asarray(values, float)
    axis = identify.to_TAxis("xaxis", "", len(inside), edges[0], edges[-1], fXbins=edges)
    full = [np.concatenate([[0.0], np.asarray(x, float), [0.0]]) for x in (values, squares)]
    total = float(inside.sum())
    return identify.to_TH1x("w", "w", full[0], total, total, total, 0.0, 0.0, full[1], axis)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Histograms, and a tree of a toy detector whose efficiency is exp(-0.5/mass)."""
    path = tmp_path_factory.mktemp("root") / "toy.root"
    rng = np.random.default_rng(7)
    masses = np.repeat([0.5, 1.0, 2.0], SIZE)
    energy = rng.exponential(masses)
    with uproot.recreate(path) as root:
        root["run/passed"] = (np.array([5.0, 20.0, 0.0]), EDGES)
        root["run/generated"] = (np.array([100.0, 200.0, 100.0]), EDGES)
        root["other"] = (np.array([100.0, 200.0]), np.array([0.0, 1.0, 2.0]))
        root["narrow"] = (np.array([1e5, 2e5]), np.array([0.0, 1.0, 2.0]))
        root["empty"] = (np.array([100.0, 0.0, 100.0]), EDGES)
        root["weighted"] = weighted([4.0, -1.0, 0.0], [8.0, 5.0, 0.0])
        root["plane"] = np.histogram2d(
            np.array([0.5, 0.5, 1.5]), np.array([0.1, 0.3, 0.3]), bins=([0, 1, 2], [0, 0.2, 0.4])
        )
        kinds = {"m": "f4", "e": "f8", "w": "f8", "n": "i4", "jagged": ("f8", (2,)), "bad": "f8"}
        tree = root.mktree("events", kinds)
        for _ in range(2):  # in two baskets
            half = slice(None, None, 2) if _ else slice(1, None, 2)
            count = len(masses[half])
            tree.extend(
                {
                    "m": masses[half].astype("f4"),
                    "e": energy[half],
                    "w": np.where(np.arange(count) % 4 == 0, -1.0, 1.0),
                    "n": np.arange(count, dtype="i4"),
                    "jagged": np.zeros((count, 2)),
                    "bad": np.full(count, np.nan),
                }
            )
        root.mktree("none", {"m": "f8"})
        root["ntuple"] = {"m": masses, "e": energy}
    return path


def read(path, *, binomial=True, **said):
    return read_rows(SimulationFile(file=str(path), **said), binomial=binomial)[0]


PAIR = {"passed": "run/passed", "generated": "run/generated"}


def test_a_pair_of_histograms(file):
    found = read(file, **PAIR)
    assert [(row.mass_gev, row.passed, row.generated) for row in found] == [
        (0.5, 5.0, 100.0),
        (1.5, 20.0, 200.0),
        (3.0, 0.0, 100.0),
    ]
    inside = read(file, **PAIR, mass_unit="MeV", cuts=(Cut("mass", low=1.0, high=3.0),))
    assert [row.mass_gev for row in inside] == [0.0015]


def test_weights_of_histograms_are_effective_counts(file):
    found = read(file, passed="weighted", generated="run/generated", cuts=(Cut("mass", high=1.0),))
    assert [(row.value, row.passed) for row in found] == [(0.04, 2.0)]
    with pytest.raises(InputError, match=r"mass 1.5 GeV: the weights that pass add up to -1"):
        read(file, passed="weighted", generated="run/generated")


def test_a_second_axis_is_the_coupling(file):
    found = read(file, passed="plane", generated_number=10.0, coupling="epsilon")
    assert [(row.mass_gev, row.coupling, row.passed) for row in found] == [
        (0.5, pytest.approx(0.1), 1.0),
        (0.5, pytest.approx(0.3), 1.0),
        (1.5, pytest.approx(0.1), 0.0),
        (1.5, pytest.approx(0.3), 1.0),
    ]


def test_a_second_axis_that_the_card_does_not_name_is_refused(file):
    with pytest.raises(InputError, match="'plane' has two axes: give the second a name with"):
        read(file, passed="plane", generated_number=10.0)


TREE = {"tree": "events", "mass": "m", "generated_number": float(SIZE)}


@pytest.mark.parametrize("tree", ["events", "ntuple"])
def test_events_of_a_tree_that_pass_cuts(file, tree):
    found = read(file, **{**TREE, "tree": tree}, cuts=(Cut("e", low=0.5),))
    assert [row.mass_gev for row in found] == [0.5, 1.0, 2.0]
    expected = np.exp(-0.5 / np.array([0.5, 1.0, 2.0]))
    sigma = np.sqrt(expected * (1.0 - expected) / SIZE)
    pulls = (np.array([row.value for row in found]) - expected) / sigma
    assert np.all(np.abs(pulls) < 3.5)
    # low is included, high is not; every event is in one of two ranges that meet
    first, second = (
        read(file, **{**TREE, "tree": tree}, cuts=cuts)
        for cuts in ((Cut("e", high=0.5),), (Cut("e", low=0.5),))
    )
    assert [a.passed + b.passed for a, b in zip(first, second, strict=True)] == [SIZE] * 3


def test_a_mass_whose_events_all_fail_passes_nothing(file):
    found = read(file, **TREE, cuts=(Cut("m", low=0.7),))
    assert [row.passed for row in found] == [0.0, SIZE, SIZE]


def test_what_was_generated_by_mass_from_a_histogram(file):
    found = read(file, tree="events", mass="m", generated="run/generated", cuts=(Cut("n", high=4),))
    assert [row.generated for row in found] == [100.0, 200.0, 100.0]


def test_some_negative_weights_cost_effective_events(file):
    found = read(file, **TREE, weight="w")
    # a quarter is negative: (3/4 - 1/4)^2 of them are left
    assert [row.passed for row in found] == pytest.approx([SIZE / 4.0] * 3, rel=0.02)
    assert [row.value for row in found] == pytest.approx([0.5] * 3, rel=0.02)


def test_net_negative_weights_are_refused(file):
    with pytest.raises(InputError, match=r"mass 0.5 GeV: the weights that pass add up to -2, wh"):
        read(file, **TREE, weight="w", cuts=(Cut("n", low=0.0, high=1.0),))


def test_one_file_per_mass(file):
    files = tuple(
        FileOfMass(file=str(file), mass_gev=mass, generated=6000.0) for mass in (0.3, 0.1)
    )
    said = SimulationFile(files=files, tree="events", cuts=(Cut("m", low=0.7),))
    found, digest = read_rows(said, binomial=True)
    assert [(row.mass_gev, row.passed) for row in found] == [(0.1, 2 * SIZE), (0.3, 2 * SIZE)]
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({**PAIR, "passed": "run/pased"}, r"no histogram 'run/pased' \(did you mean 'run/passed'"),
        ({**PAIR, "passed": "events"}, "'events' is a TTree, not a histogram; there are: run/pass"),
        ({"passed": "run/passed", "generated": "other"}, "'run/passed' and 'other' have different"),
        ({"passed": "run/passed"}, "has no histogram 'generated'"),
        ({"passed": "run/passed", "generated": "empty"}, "mass 1.5 GeV: nothing was generated"),
        ({**PAIR, "bin_centre": "geometric"}, "a geometric mean of edges needs positive ones"),
        ({**PAIR, "cuts": (Cut("x", low=1.0),)}, "cut on 'x' is none on an axis"),
        ({**TREE, "tree": "event"}, r"no tree 'event' \(did you mean 'events'\?\); there are: ev"),
        ({**TREE, "tree": "run/passed"}, "is a TH1D, not a tree"),
        ({**TREE, "mass": "mm"}, r"no branch 'mm'.*; there are: m, e, w, n, jagged, bad"),
        ({**TREE, "mass": "jagged"}, "branch 'jagged' is not one number per event"),
        ({**TREE, "weight": "bad"}, "branch 'bad' has numbers that are not finite"),
        ({**TREE, "cuts": (Cut("e", equals="a"),)}, "has `low` and `high`, no text"),
        ({**TREE, "tree": "none"}, "tree 'none' has no events"),
        ({"tree": "events", "mass": "m", "generated": "narrow"}, "covers masses 0-2 GeV, there a"),
        (
            {"tree": "events", "mass": "m", "generated": "run/generated"},
            "1000 passed, more than th",
        ),
        ({"value": "v", "error": "e"}, "are columns of tables of text"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_name(file, said, message):
    with pytest.raises(InputError, match=message) as raised:
        read(file, **said)
    assert "toy.root" in str(raised.value)


def test_files_that_are_none_or_damaged(file, tmp_path):
    content = file.read_bytes()
    for name, data, message in (
        ("text.root", b"mass,passed\n1,2\n" * 50, "is no ROOT file: it does not begin with 'root'"),
        ("empty.root", b"", "is no ROOT file"),
        ("cut.root", content[:400], "cannot be read"),
        ("noise.root", b"root" + bytes(range(256)) * 20, "cannot be read"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError, match=message) as raised:
            read(path, **PAIR)
        assert str(path) in str(raised.value)
        assert "\n" not in str(raised.value)


def test_damage_is_an_error_of_the_input_or_none(file, tmp_path):
    content = file.read_bytes()
    rng = np.random.default_rng(11)
    path = tmp_path / "damaged.root"
    refused = 0
    # the header, the folder and the histograms are at the beginning
    for place in rng.integers(4, 2000, 60).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            read(path, **PAIR)
        except InputError:
            refused += 1
    assert refused > 0


def test_a_huge_file_is_refused_by_its_size(tmp_path):
    path = tmp_path / "huge.root"
    with path.open("wb") as stream:
        stream.write(b"root")
        stream.truncate(8_000_000_001)  # sparse
    with pytest.raises(InputError, match="has 8000000001 bytes, more than the 8000000000"):
        read(path, **PAIR)


def test_a_branch_that_is_no_simulated_mass(file, monkeypatch):
    monkeypatch.setattr("na64.workspaces.io.simulation.trees.MOST_ROWS", 100)
    with pytest.raises(InputError, match="branch 'e' has more than 100 different values: it is to"):
        read(file, **{**TREE, "mass": "e"})


def test_without_uproot_there_is_one_line(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "uproot", None)
    with pytest.raises(InputError) as raised:
        read(file, **PAIR)
    assert str(raised.value) == (
        f"{file}: reading ROOT files: needs uproot, which is not installed: "
        "pip install 'na64-limits[root]'"
    )
