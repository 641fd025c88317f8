"""Substances that a card defines itself: numbers, estimates of what is left out, problems."""

from __future__ import annotations

import re

import pytest

from na64.models.errors import InputError
from na64.models.materials import MATERIALS, Material, material
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.cards.reference import blank_card
from na64.workspaces.io.jsonio import canonical_json
from tests.shared import ROOT

DOCS = ROOT / "docs" / "run-cards.md"
#: the example of the documentation
PBWO4 = re.search(r"\[materials\.pbwo4\]\n.*?(?=```)", DOCS.read_text(encoding="utf-8"), re.DOTALL)[
    0
]  # type: ignore[index]


def target(entry: str, materials: str = PBWO4, topology: str = "missing-energy") -> Material:
    text = blank_card(topology).replace('material = "ecal"', entry) + materials
    return parse_card(text, "test").setups["default"].target.material


def test_radiation_length_of_lead_tungstate() -> None:
    # 0.8904 cm, Particle Data Group, Atomic and Nuclear Properties of Materials
    assert target('material = "pbwo4"').radiation_length_cm == pytest.approx(0.8904, rel=1e-3)


def test_a_given_radiation_length() -> None:
    given = PBWO4 + "radiation_length_cm = 0.9\n"
    assert target('material = "pbwo4"', given).radiation_length_cm == pytest.approx(0.9)
    layers = target("layers_mm = { pbwo4 = 1.0, lead = 3.0 }", given)
    expected = 1.0 / (0.25 / 0.9 + 0.75 / material("lead").radiation_length_cm)
    assert layers.radiation_length_cm == pytest.approx(expected)


def test_layers_of_own_and_known_substances() -> None:
    layers = target("layers_mm = { scintillator = 1.0, pbwo4 = 3.0 }")
    assert [(part.name, volume) for part, volume in layers.parts] == [
        ("pbwo4", 0.75),
        ("scintillator", 0.25),
    ]


def test_a_known_substance_again() -> None:
    own = """
    [materials.my-lead]
    density_g_cm3 = 11.35
    z = 82
    a = 207.2
    symbol = "Pb"
    mean_excitation_ev = 823.0
    sternheimer = [6.2018, 0.3776, 3.8073, 0.09359, 3.1608]
    source = "as lead"
    """
    mine, lead = target('material = "my-lead"', own), material("lead")
    assert mine.number_densities_cm3 == lead.number_densities_cm3
    assert mine.radiation_length_cm == lead.radiation_length_cm
    assert muon_energy_loss_gev_cm(100.0, mine) == muon_energy_loss_gev_cm(100.0, lead)


def test_estimates_of_the_collision_loss() -> None:
    # tabulated: Particle Data Group, as the built-in substances
    for name, known in MATERIALS.items():
        if len(known.parts) > 1:
            continue
        part = known.parts[0][0]
        composition = [
            f"{{ z = {element.z}, a = {element.a}, mass_fraction = {fraction} }}"
            for element, fraction in part.mass_fractions
        ]
        own = (
            f"[materials.own]\ndensity_g_cm3 = {part.density_g_cm3}\n"
            f"composition = [{', '.join(composition)}]\nsource = 'x'\n"
        )
        ratio = muon_energy_loss_gev_cm([10.0, 160.0], target("material = 'own'", own))
        ratio /= muon_energy_loss_gev_cm([10.0, 160.0], known)
        # at 10 GeV the loss still depends on I; the density effect takes that away above
        assert ratio == pytest.approx([1.0, 1.0], abs=0.015), name
        assert ratio[1] == pytest.approx(1.0, abs=0.001), name


def test_a_resolved_card_holds_its_substances() -> None:
    text = blank_card("missing-energy").replace('material = "ecal"', 'material = "pbwo4"') + PBWO4
    card = parse_card(text, "test")
    again = parse_card(canonical_json(card.to_dict()), "again", json=True)
    assert again.digest == card.digest
    assert again.setups["default"].physics == card.setups["default"].physics


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("density_g_cm3 = 8.30", "", "materials.pbwo4.density_g_cm3: missing"),
        ("density_g_cm3 = 8.30", "density_g_cm3 = 0", "density_g_cm3: must be positive"),
        ("0.4553", "0.5", "mass fractions of composition must add to 1, add to 1.04"),
        ("z = 82", "z = 182", r"composition\[0\].z: must be at most 118"),
        ("z = 82", "z = 0", r"composition\[0\].z: must be 1 or more, is 0"),
        ("z = 82, ", "", r"composition\[0\].z: missing"),
        ("source =", "z = 82\na = 207.2\nsource =", "z and a of a pure element, or composition"),
        ("source =", "z = 82\nsource =", "z and a of a pure element, or composition"),
        ("source =", "sternheimer = [1, 2]\nsource =", "sternheimer must be five numbers"),
        ("materials.pbwo4", "materials.lead", "'lead' is known already"),
        ("materials.pbwo4", 'materials."a b"', "'a b' is not allowed; it must match"),
        ("materials.pbwo4", "materials.pbwo", "did you mean 'pbwo'"),
    ],
)
def test_problems(old: str, new: str, path: str) -> None:
    assert old in PBWO4
    with pytest.raises(InputError, match=path):
        target('material = "pbwo4"', PBWO4.replace(old, new, 1))
