"""Files of charges: a user's own mediator, and every problem of a file with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from na64.limits import scan
from na64.models.errors import InputError
from na64.models.mediators.data import mediator_to_dict
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.registry import mediator
from na64.workspaces.cards.charges import charges_text, load_charges, parse_charges
from tests.shared import ROOT

B_MINUS_L = """
name = "my-b-minus-l"
kind = "vector"
neutrinos = "dirac"
references = ["a lecture"]
[charges]
e = -1
mu = -1
tau = -1
nu_e = -1
nu_mu = -1
nu_tau = -1
u = 0.333333333333333333
d = 0.333333333333333333
s = 0.333333333333333333
c = 0.333333333333333333
b = 0.333333333333333333
"""


def test_a_table_of_charges_is_the_built_in_model_again() -> None:
    mine, built_in = parse_charges(B_MINUS_L), mediator("b-minus-l")
    masses = np.array([0.01, 0.3, 1.0])
    found, expected = mine.partial_widths(masses), built_in.partial_widths(masses)
    assert found.keys() == expected.keys()
    for name, width in expected.items():
        np.testing.assert_allclose(found[name], width, rtol=1e-14)
    assert mine.citations == ("a lecture",)


@pytest.mark.parametrize("kind", ["vector", "axial", "scalar", "pseudoscalar"])
def test_kinds(kind: str) -> None:
    text = f'name = "x"\nkind = "{kind}"\nparameter = "kappa"\n[charges]\ne = 2.0\n'
    found = parse_charges(text)
    assert found.kind is MediatorKind(kind)
    assert found.parameter == "kappa"
    assert float(found.coupling("e")) == 2.0


@pytest.mark.parametrize("kind", ["vector", "axial", "scalar", "pseudoscalar"])
def test_a_mediator_is_written_and_read(kind: str) -> None:
    """Also one whose neutrinos are Dirac; a boson that is more than charges is refused."""
    text = f'name = "x"\nkind = "{kind}"\nparameter = "kappa"\n[charges]\ne = 2.0\nmu = -0.5\n'
    for made in (parse_charges(text), parse_charges(B_MINUS_L)):
        # to the 12 digits of files
        assert mediator_to_dict(parse_charges(charges_text(made))) == mediator_to_dict(made)
    with pytest.raises(InputError, match="more than a file of charges can say"):
        charges_text(mediator("alp"))


def test_a_file_can_be_scanned(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(B_MINUS_L)
    masses = np.array([0.02])
    mine = scan("na64e-2016", model=load_charges(path), masses_gev=masses)
    assert mine.specification.mediator.name == "my-b-minus-l"
    assert mine.specification.dark_sector is None
    built_in = scan("na64e-2016", model="b-minus-l", masses_gev=masses)
    assert mine.observed[0] == pytest.approx(built_in.observed[0], rel=1e-12)


def test_every_problem_is_reported_with_its_place() -> None:
    text = """
    name = "Not Good"
    kind = "vektor"
    unit = 3
    [charges]
    muon = 1.0
    e = "one"
    tau = inf
    """
    with pytest.raises(InputError) as caught:
        parse_charges(text, "bad.toml")
    message = str(caught.value)
    for part in (
        "bad.toml has 6 problems",
        "name: 'Not Good' is not allowed",
        "kind: unknown name 'vektor' (did you mean 'vector'?)",
        "unit: unknown key",
        "charges.muon: unknown key (did you mean 'mu'?)",
        "charges.e: must be a number",
        "charges.tau: must be finite",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not TOML"),
        ('name = "x"\nkind = "axial"', "charges: missing"),
        ('name = "x"\nkind = "axial"\n[charges]\nnu_e = 1', "no charged lepton has a charge"),
        ('name = "x"\nkind = "axial"\n[charges]\ne = 0', "no charged lepton has a charge"),
        (
            'name = "x"\nkind = "scalar"\nneutrinos = "dirac"\n[charges]\ne=1\nnu_e=1',
            "for a vector",
        ),
        ('name = "x"\nkind = "vector"\nneutrinos = "dirac"\n[charges]\ne = 1', "no neutrino has"),
        ('name = "x"\nkind = "photon-coupled"\n[charges]\ne = 1', "kind: unknown name"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_charges(text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_charges(tmp_path / "nothing.toml")


def test_a_beam_whose_lepton_is_neutral_is_refused() -> None:
    muonic = parse_charges('name = "muonic"\nkind = "scalar"\n[charges]\nmu = 1.0')
    with pytest.raises(InputError, match="'muonic' does not couple to the electrons of this beam"):
        scan("na64e-2016", model=muonic, masses_gev=np.array([0.1]))


def test_the_example_of_the_documentation() -> None:
    page = (ROOT / "docs" / "mediators.md").read_text()
    example = page.partition("```toml\n")[2].partition("```")[0]
    found = parse_charges(example, "docs/mediators.md")
    assert found.name == "my-boson"
    assert float(found.coupling("nu_e")) == 0.5
