"""A simulation in place of our yields from the command line alone: a card and a table."""

import json
import math

import numpy as np
import pytest

from na64.limits.results.schemas import validate
from tests.shared import CARD_HEAD

BIN = """
[[bins]]
name = "{name}"
exposure = {{ value = 1e11, source = "test" }}
efficiency = {{ value = 1, source = "in the simulation" }}
yield = {{ {where}, model = "dark-photon", at_coupling = 1e-3, source = "toy" }}
background = {{ value = 0, source = "test" }}
observed = {{ value = 0, source = "test" }}
"""
MASSES = (0.02, 0.05, 0.1, 0.2)
GENERATED = 1e15


def passed(mass):
    return round(GENERATED * 1e-6 * 1e-4 / (1.0 + (mass / 0.05) ** 2))


@pytest.fixture
def card(tmp_path):
    rows = [
        f"{mass},{name},{passed(mass) // part},{GENERATED}"
        for mass in MASSES
        for name, part in (("one", 1), ("two", 2))
    ]
    (tmp_path / "t.csv").write_text("mass_gev,bin,passed,generated\n" + "\n".join(rows) + "\n")
    where = 'file = "t.csv", cuts = [{{ column = "bin", equals = "{0}" }}]'
    bins = "".join(BIN.format(name=name, where=where.format(name)) for name in ("one", "two"))
    path = tmp_path / "card.toml"
    path.write_text(CARD_HEAD + bins.replace("{{", "{").replace("}}", "}"))
    return path


def test_a_scan_of_a_card_and_a_table(call, card):
    data = call("scan", str(card), "--masses", "0.05,0.1", "--json", "--method", "exact").data
    for mass, limit in zip((0.05, 0.1), data["observed"], strict=True):
        events = 1.5 * 1e11 * 1e6 * passed(mass) / GENERATED
        # no background, no event seen: ln 10; 1e4 to 5e4 simulated events cost their error squared
        assert limit == pytest.approx(math.sqrt(math.log(10.0) / events), rel=2e-4)
    kept = data["specification"]["cards"][0]["bins"][1]["yield"]
    assert kept["read_from"] == "t.csv"
    assert kept["passed"] == [passed(mass) // 2 for mass in MASSES]


def test_the_workspace_has_the_error_of_the_simulation(call, card):
    data = call("workspace", "build", str(card), "--masses", "0.1").data
    modifiers = {
        item["name"]: item.get("data")
        for channel in data["channels"]
        for sample in channel["samples"]
        for item in sample["modifiers"]
    }
    assert set(modifiers) == {"mu", "one:yield-statistics", "two:yield-statistics"}
    relative = 1.0 / math.sqrt(passed(0.1))
    assert modifiers["one:yield-statistics"]["hi"] == pytest.approx(1.0 + relative, rel=1e-4)
    # between the points that were simulated there is that of the interpolation as well
    data = call("workspace", "build", str(card), "--masses", "0.07").data
    assert "one:yield-interpolation" in json.dumps(data)


def test_simulated_beside_computed(call, card, tmp_path):
    words = ("yields", str(card), "--compare", "--epsilon", "1e-4", "--masses", "0.05,0.1")
    data = call(*words, "--json").data
    validate(data, "comparison", "na64-limits/yields-comparison/1", "stdout")
    assert data["bins"] == ["one", "two"]
    simulated = [[1e3 * passed(m) / 1e15 * 1e6, 1e3 * (passed(m) // 2) / 1e15 * 1e6]
                 for m in (0.05, 0.1)]  # fmt: skip
    np.testing.assert_allclose(data["simulated"], simulated, rtol=1e-9)
    computed = call("yields", str(card), "--set", "bins.0.exposure=1e11", "--epsilon", "1e-4",
                    "--masses", "0.05,0.1", "--json").data  # fmt: skip
    assert computed["processes"] == ["simulation"]
    # the computed ones are those of the same card without its yields
    plain = tmp_path / "plain.toml"
    plain.write_text(
        "\n".join(line for line in card.read_text().splitlines() if not line.startswith("yield"))
    )
    ours = call("yields", str(plain), "--epsilon", "1e-4", "--masses", "0.05,0.1", "--json").data
    np.testing.assert_allclose(data["computed"], np.sum(ours["events"], axis=1), rtol=1e-9)
    np.testing.assert_allclose(
        data["simulated_over_computed"], np.array(simulated) / data["computed"], rtol=1e-9
    )
    table = call(*words)
    assert "simulated [events]" in table.out
    out = tmp_path / "cmp.json"
    assert call(*words, "-o", str(out)).code == 0
    assert call("plot", str(out), "-o", "cmp.png").code == 0
    assert (tmp_path / "cmp.png").stat().st_size > 10_000


def test_what_cannot_be_compared_is_refused(call, card):
    for words, message in (
        (("yields", "na64e-2016", "--compare"), "takes its yield from a simulation"),
        (("yields", str(card), "--compare", "--reference", "dimuons"), "--compare or --reference"),
        (("yields", str(card), "--compare", "--masses", "0.5"), "mass 0.5 GeV is outside"),
        (("yields", str(card), "--compare", "--combine", "na64e-2016"), "of one search"),
    ):
        found = call(*words)
        assert found.code == 2
        assert message in " ".join(found.err.split())


def test_trees_and_histograms_of_root_in_place_of_the_table(call, tmp_path):
    uproot = pytest.importorskip("uproot")
    rng = np.random.default_rng(2)
    with uproot.recreate(tmp_path / "sim.root") as file:
        tree = file.mktree("events", {"mass": "f8", "e_ecal": "f8", "weight": "f8"})
        count = 4000
        mass = np.repeat([0.05, 0.1], count)
        energy = rng.uniform(0.0, 100.0, 2 * count)
        tree.extend({"mass": mass, "e_ecal": energy, "weight": np.full(2 * count, 1e-3)})
        file["generated"] = (np.array([1e9, 2e9]), np.array([0.01, 0.07, 0.2]))
    where = (
        'file = "sim.root", tree = "events", mass = "mass", weight = "weight", '
        'cuts = [{ column = "e_ecal", high = 50 }]'
    )
    path = tmp_path / "card.toml"
    path.write_text(CARD_HEAD + BIN.format(name="all", where=where))
    data = call("yields", str(path), "--epsilon", "1e-3", "--masses", "0.05,0.1", "--json").data
    for row, (m, generated) in enumerate(((0.05, 1e9), (0.1, 2e9))):
        expected = 1e11 * 1e-3 * np.count_nonzero((mass == m) & (energy < 50.0)) / generated
        assert data["events"][row][0][0] == pytest.approx(expected)
    found = call("scan", str(path), "--masses", "0.05,0.3")
    assert found.code == 2
    assert "which covers 0.05-0.1 GeV" in found.err
