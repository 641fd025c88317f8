"""``relic``: its numbers, its three forms of output, its speed, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from na64.limits.results.schemas import validate

SCALAR = ("relic", "--dark-matter", "scalar")
# m_chi in GeV; y = epsilon^2 alpha_D (m_chi/m_A')^4 at Omega h^2 = 0.120, from an independent
# solution of the Boltzmann equation with its own hadronic cross-section and degrees of freedom
REFERENCE_MASSES = (0.001, 0.01, 0.1, 0.3, 1.0)
REFERENCE = {
    ("scalar", 3.0, 0.1): (1.58e-13, 1.33e-11, 1.64e-9, 4.77e-9, 4.87e-8),
    ("scalar", 2.5, 0.1): (5.9e-15, 7.7e-13, 1.38e-10, 3.79e-10, 8.5e-9),
    ("majorana", 3.0, 0.5): (8.13e-14, 6.70e-12, 8.23e-10, 2.39e-9, 2.44e-8),
    ("pseudo-dirac", 3.0, 0.5): (7.22e-15, 5.43e-13, 5.89e-11, 1.63e-10, 1.46e-9),
}


@pytest.mark.parametrize(("benchmark", "wanted"), REFERENCE.items())
def test_json_has_the_reference_targets(call, benchmark, wanted) -> None:
    species, ratio, alpha_d = benchmark
    words = ("--dark-matter", species, "--ratio", str(ratio), "--alpha-d", str(alpha_d))
    masses = ",".join(str(mass) for mass in REFERENCE_MASSES)
    done = call("relic", *words, "--masses", masses, "--json")
    assert (done.code, done.err) == (0, "")
    data = validate(done.data, "relic", "na64-limits/relic/1", "stdout")
    assert data["masses_gev"] == list(REFERENCE_MASSES)
    # 3 %: hadronic cross-section and degrees of freedom; 5 % at the ends, where the electron's
    # mass and the multi-hadron region matter
    for mass, y, expected in zip(data["masses_gev"], data["y"], wanted, strict=True):
        assert y == pytest.approx(expected, rel=0.03 if 0.01 <= mass <= 0.3 else 0.05)
    coupling = np.array(data["coupling"])
    np.testing.assert_allclose(data["y"], coupling**2 * alpha_d / ratio**4)
    assert data["omega_h2"] == [0.12] * len(REFERENCE_MASSES)
    assert data["status"] == ["ok"] * len(REFERENCE_MASSES)


def test_file_table_and_json_are_the_same_numbers(call) -> None:
    words = (*SCALAR, "--masses", "0.01,0.1")
    data = call(*words, "--json").data
    assert call(*words, "-o", "relic.json", "-o", "relic.csv").out == ""
    written = json.loads(Path("relic.json").read_text())
    assert {**written, "provenance": None} == {**data, "provenance": None}
    rows = list(csv.DictReader(Path("relic.csv").read_text().splitlines()))
    assert [float(row["epsilon"]) for row in rows] == pytest.approx(data["coupling"], rel=1e-11)
    table = call(*words).out.splitlines()
    assert table[0].split("  ")[0] == "m_chi [GeV]"
    assert [float(line.split()[1]) for line in table[1:]] == pytest.approx(
        data["coupling"], rel=1e-3
    )


def test_the_coupling_gives_back_the_abundance(call) -> None:
    target = call(*SCALAR, "--masses", "0.05", "--omega-h2", "0.06", "--json").data
    assert target["solved_for"] == "coupling"
    coupling = repr(target["coupling"][0])
    back = call(*SCALAR, "--masses", "0.05", "--coupling", coupling, "--json").data
    assert back["solved_for"] == "omega_h2"
    assert back["omega_h2"][0] == pytest.approx(0.06, rel=1e-5)


def test_a_coupling_twice_as_large_leaves_about_a_quarter(call) -> None:
    words = (*SCALAR, "--masses", "0.03", "--json", "--coupling")
    one, two = (call(*words, text).data["omega_h2"][0] for text in ("1e-4", "2e-4"))
    # a p wave, Omega ~ x_f^2/sigma: four times the cross-section, and a later freeze-out
    assert 3.0 < one / two < 4.0


def test_y_of_the_other_normalisation_is_four_pi_larger(call) -> None:
    words = ("relic", "--model", "l-mu-l-tau", "--masses", "0.1", "--json", "--normalisation")
    alpha, product = (call(*words, name).data for name in ("alpha-d", "product"))
    assert product["coupling"] == alpha["coupling"]
    assert product["y"][0] / alpha["y"][0] == pytest.approx(4.0 * np.pi)
    assert alpha["y_definition"] == "y = g^2 alpha_D (m_chi/m_mediator)^4"
    assert product["y_definition"] == "y = (g_chi g)^2 (m_chi/m_mediator)^4"


def test_closed_formulae_are_an_option(call) -> None:
    words = (*SCALAR, "--masses", "0.03", "--json", "--method")
    analytic, numeric = (call(*words, name).data["y"][0] for name in ("analytic", "numeric"))
    assert 1.2 < analytic / numeric < 1.6  # the velocity expansion at a ratio of 3


def test_no_coupling_below_one_is_a_result(call) -> None:
    done = call("relic", "--masses", "0.0001,0.01", "--json")
    assert done.code == 0
    assert done.data["status"] == ["no-solution", "ok"]
    assert done.data["coupling"][0] is done.data["y"][0] is done.data["omega_h2"][0] is None
    assert call("relic", "--masses", "0.0001").out.splitlines()[1].split()[1:] == [
        "-",
        "-",
        "-",
        "no-solution",
    ]


def test_early_decoupling_is_warned_of_on_stderr(call) -> None:
    done = call(*SCALAR, "--ratio", "2.2", "--masses", "0.1", "--json")
    assert done.code == 0
    assert done.err.startswith("warning: m_mediator/m_chi = 2.2 is below 2.3")
    assert len(done.data["notes"]) == 1
    assert call(*SCALAR, "--ratio", "2.3", "--masses", "0.1").err == ""


def test_annihilation_to_decoupled_neutrinos_is_warned_of(call) -> None:
    words = ("relic", "--model", "l-mu-l-tau", "--masses")
    done = call(*words, "0.002,0.02", "--json")
    assert done.code == 0
    assert done.err.startswith("warning: below m_chi of about 10 MeV dark matter freezes out after")
    assert f"warning: {done.data['notes'][0]}\n" == done.err
    assert call(*words, "0.02,0.05").err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--ratio", "2"), "mass ratio m_mediator/m_chi must be above 2, is 2"),
        (("--ratio", "1.5"), "mass ratio m_mediator/m_chi must be above 2, is 1.5"),
        (("--ratio", "nan"), "mass ratio m_mediator/m_chi must be above 2, is nan"),
        (("--alpha-d", "0"), "alpha_D must be above 0 and perturbative (below 4 pi), is 0"),
        (("--alpha-d", "-0.1"), "alpha_D must be above 0 and perturbative"),
        (("--alpha-d", "12.6"), "alpha_D must be above 0 and perturbative"),
        (("--masses", "9.9e-5"), "mass must be in 0.0001-10 GeV for a relic abundance"),
        (("--masses", "10.1"), "mass must be in 0.0001-10 GeV for a relic abundance"),
        (("--masses", "0:1:3"), "numbers must be positive"),
        (("--model", "dark-foton"), "unknown model 'dark-foton' (did you mean 'dark-photon'?)"),
        (("--model", "scalar"), "needs a vector mediator, and scalar is scalar"),
        (("--dark-matter", "diracc"), "unknown dark matter 'diracc' (did you mean 'dirac'?)"),
        (("--dark-matter", "none"), "without dark matter there is no abundance"),
        (("--splitting", "0.1"), "a mass splitting is for pseudo-dirac, not dirac"),
        (("--method", "numerical"), "unknown relic method 'numerical' (did you mean 'numeric'?)"),
        (("--normalisation", "produkt"), "unknown normalisation 'produkt'"),
        (("--omega-h2", "0"), "relic abundance must be positive and finite, is 0"),
        (("--coupling", "2"), "coupling must be above 0 and at most 1"),
        (("--coupling", "1e-4", "--omega-h2", "0.12"), "give --coupling or --omega-h2, not both"),
        (("-o", "relic.txt"), "the suffix must be one of .json, .csv"),
    ],
)
def test_what_is_refused(call, words, message) -> None:
    given = () if "--masses" in words else ("--masses", "0.1")
    done = call("relic", *given, *words)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(Path().iterdir())
