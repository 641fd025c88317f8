"""Cards with simulated efficiencies and yields: files beside them, numbers in them, refusals."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.cards.schema import card_schema
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.cards.topologies import TOPOLOGIES
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.toml import parse_toml
from tests.shared import CARD_HEAD

TABLE = "mass_gev,passed,generated\n0.01,40,100\n0.1,55,100\n"
REST = """
[[bins]]
name = "all"
exposure = { value = 1e11, source = "test" }
background = { value = 0.5, source = "test" }
observed = { value = 0, source = "test" }
"""
FILE = 'efficiency = { file = "table.csv", source = "toy" }\n'
COUNTS = "masses_gev = [0.01, 0.1], passed = [4, 5], generated = [9, 9]"


def write(folder: Path, text: str, table: str = TABLE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "table.csv").write_text(table)
    path = folder / "card.toml"
    path.write_text(CARD_HEAD + REST + text)
    return path


def efficiency(path: Path, *settings: str) -> Any:
    return load_card(path, settings).bins[0].efficiency


def test_the_file_is_beside_the_card_wherever_one_stands(tmp_path, monkeypatch):
    path = write(tmp_path / "cards", FILE)
    monkeypatch.chdir(tmp_path)
    found = efficiency(path)
    assert (found.masses_gev, found.passed) == ((0.01, 0.1), (40.0, 55.0))
    assert efficiency(Path("cards/card.toml")) == found
    monkeypatch.chdir(tmp_path / "cards")
    assert efficiency(Path("card.toml")) == found


def test_a_file_of_which_nothing_passes_is_refused(tmp_path):
    path = write(tmp_path, FILE, TABLE.replace(",40,", ",0,").replace(",55,", ",0,"))
    with pytest.raises(InputError, match=r"table\.csv: nothing passes at any mass"):
        load_card(path)


def test_the_file_of_a_base_is_beside_the_base(tmp_path):
    write(tmp_path / "base", FILE)
    other = tmp_path / "other.toml"
    other.write_text('extends = "base/card.toml"\nname = "other"\n')
    assert efficiency(other).passed == (40.0, 55.0)


def test_a_resolved_card_has_numbers_and_sha256_and_needs_no_file(tmp_path):
    path = write(tmp_path, FILE)
    card = load_card(path)
    text = canonical_json(card.to_dict())
    (tmp_path / "table.csv").unlink()
    again = parse_card(text, "resolved", json=True, files=False)
    assert again == card
    assert again.digest == card.digest
    assert str(tmp_path) not in text
    other = write(tmp_path, FILE, TABLE + "0.2,1,2\n")
    assert load_card(other).digest != card.digest
    (tmp_path / "table.csv").unlink()
    with pytest.raises(InputError, match=r"table\.csv: No such file"):
        load_card(path)


def test_settings_on_top(tmp_path):
    path = write(tmp_path, FILE)
    assert efficiency(path, "bins.0.efficiency*=0.5").largest == pytest.approx(0.275)
    assert efficiency(path, "bins.0.efficiency=0.3").value == 0.3
    (tmp_path / "other.csv").write_text(TABLE.replace("55", "66"))
    found = efficiency(path, f"bins.0.efficiency.file={tmp_path / 'other.csv'}")
    assert found.passed == (40.0, 66.0)
    inline = write(tmp_path, f'efficiency = {{ {COUNTS}, source = "toy" }}\n')
    assert efficiency(inline, "bins.0.efficiency*=0.5").scale == 0.5


def test_a_correction_multiplies_and_leaves_relative_errors(tmp_path):
    path = write(
        tmp_path,
        FILE + 'efficiency_correction = { value = 0.9, uncertainty = 0.1, source = "dimuons" }\n',
    )
    (item,) = load_card(path).bins
    found, plain = item.corrected_efficiency, item.efficiency
    assert isinstance(found, SimulatedEfficiency)
    assert isinstance(plain, SimulatedEfficiency)
    assert found.at([0.05]) == pytest.approx(0.9 * plain.at([0.05]))
    assert found.known_at([0.05]).up == pytest.approx(plain.known_at([0.05]).up)


def test_a_yield_from_one_coupling_in_a_column(tmp_path):
    text = (
        'efficiency = { value = 1, source = "in it" }\nyield = { file = "table.csv", '
        'model = "dark-photon", coupling = "c", source = "toy" }\n'
    )
    path = write(tmp_path, text, "mass_gev,c,passed,generated\n0.1,1e-3,5,1e9\n0.2,1e-3,4,1e9\n")
    found = load_card(path).bins[0].simulated_yield
    assert isinstance(found, SimulatedYield)
    assert (found.at_coupling, found.couplings) == (1e-3, ())
    assert found.values == (5e-9, 4e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('efficiency = { file = "tabel.csv", source = "t" }', "bins[0].efficiency: "),
        ('efficiency = { files = [], source = "t" }', "give `file`, or `files` with one per mass"),
        ('efficiency = { file = "table.csv" }', "bins[0].efficiency.source: missing"),
        ('efficiency = { file = "table.csv", masss = "m", source = "t" }', "did you mean 'mass'?"),
        ('efficiency = { file = "table.csv", value = "v", source = "t" }', "are given together"),
        ('efficiency = { file = "table.csv", weight = "w", source = "t" }', "is for trees: give"),
        (
            'efficiency = { file = "table.csv", statistics = "normal", source = "t" }',
            "unknown name 'normal'",
        ),
        (
            'efficiency = { file = "table.csv", cuts = [{ column = "x" }], source = "t" }',
            "give `low`, `high` or both, or `equals`",
        ),
        (
            'efficiency = { file = "table.csv", scale = 10, source = "t" }',
            "the efficiency must be at most 1, is 5.5",
        ),
        (
            "efficiency = { masses_gev = [1, 2], passed = [3, 1], generated = [2, 2], "
            'source = "t" }',
            "at 1 GeV 3 passed out of 2 generated",
        ),
        (
            "efficiency = { masses_gev = [2, 1], passed = [1, 1], generated = [2, 2], "
            'source = "t" }',
            "masses must be positive and increase",
        ),
        (
            'efficiency = { masses_gev = [1, 2], passed = [1], generated = [2, 2], source = "t" }',
            "every point has one of each, there are 2 masses_gev, 1 passed, 2 generated",
        ),
        (
            f'efficiency = {{ {COUNTS}, couplings = [1, 2], source = "t" }}',
            "every mass have the same couplings",
        ),
        (
            'efficiency = { value = 1, source = "t" }\nyield = { file = "table.csv", '
            'model = "dark-photon", source = "t" }',
            "give the coupling that was simulated",
        ),
        (
            'efficiency = { value = 1, source = "t" }\nedges_gev = [50, 60]\nyield = { file = '
            '"table.csv", model = "dark-photon", at_coupling = 1, source = "t" }',
            "bins[0].yield: is one number, and the bin counts in intervals",
        ),
        (
            'edges_gev = [50, 60]\nefficiency = { file = "table.csv", statistics = "staterror", '
            'source = "t" }',
            "bins[0].efficiency: is one for all intervals",
        ),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, text, message):
    with pytest.raises(InputError) as raised:
        load_card(write(tmp_path, text + "\n"))
    assert message in str(raised.value)


def test_cards_with_files_and_with_numbers_fit_the_schema(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(card_schema())
    path = write(tmp_path, FILE)
    named = parse_toml(path.read_text(), "card")
    assert not list(validator.iter_errors(named))
    resolved = json.loads(canonical_json(load_card(path).to_dict()))
    assert not list(validator.iter_errors(resolved))
    resolved["bins"][0]["efficiency"]["passed"] = [-1.0]
    assert list(validator.iter_errors(resolved))


def test_topologies_whose_signal_takes_couplings_are_those_without_a_power():
    for row in TOPOLOGIES.values():
        takes = "couplings" in inspect.signature(row.signal()).parameters
        assert takes == (row.power is None), row.name
