"""Texts as figures write them: what is recognised, what is left alone, and that nothing raises."""

from __future__ import annotations

import tomllib

import pytest
from matplotlib.figure import Figure

from na64.limits.figures.style import drawing_style
from na64.limits.figures.typeset import split_parts, typeset, with_remark
from tests.shared import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9.37e11 electrons", r"$9.37\times10^{11}$ electrons"),
        ("9.37 x 10^11 and 10^-3", r"$9.37\times10^{11}$ and $10^{-3}$"),
        ("1e9", "$10^{9}$"),
        ("X to e+ e-, e+e-, mu+ mu-", r"X to $e^+e^-$, $e^+e^-$, $\mu^+\mu^-$"),
        ("eta and eta', K_S", r"$\eta$ and $\eta'$, $K_S$"),
        ("K+ -> pi+ A'", r"$K^+$ $\to$ $\pi^+$ $A'$"),
        ("pi0, pi-, K-, K0, J/psi", r"$\pi^0$, $\pi^-$, $K^-$, $K^0$, $J/\psi$"),
        ("m_A' = 3 m_chi, alpha_D = 0.1", r"$m_{A'} = 3\,m_\chi$, $\alpha_D = 0.1$"),
        ("Z' of L_mu - L_tau, B-L", r"$Z'$ of $L_\mu - L_\tau$, $B - L$"),
        ("NA64mu 2022, nu-Cal I", r"NA64$\mu$ 2022, $\nu$-Cal I"),
        ("(g-2)_mu of 2021, g_agg", r"$(g-2)_\mu$ of 2021, $g_{a\gamma\gamma}$"),
        (r"mine, $\epsilon^2$ of 1e3", r"mine, $\epsilon^2$ of $10^{3}$"),
    ],
)
def test_numbers_particles_and_symbols(text: str, expected: str) -> None:
    assert typeset(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "na64mu-2e13-projection",
        "a_b_c.json",
        "x_y.json",
        "mu-2021",
        "BaBar 2017",
        "NA64e",
        "e-mail",
        "Al-Eta",
        "muon, gammas",
        "",
    ],
)
def test_names_are_left_alone(text: str) -> None:
    assert typeset(text) == text


@pytest.mark.parametrize(
    "text",
    ["_^", "$", "$$", "a$b", "\\", r"\frac", r"$\frac$", "$_^$", r"\$5", "a\\", "{}", "$x$ and $",
     "$x\n$", "%", "^", "e+e", r"$\undefined$", "m_A'' = 3", "1e99999", "<=$", "$a, b$, c", "#&~"],
)  # fmt: skip
def test_hostile_texts_are_drawn_as_they_are(text: str) -> None:
    with drawing_style():
        figure = Figure()
        figure.text(0.0, 0.0, typeset(text)).get_window_extent()
        for part in split_parts(typeset(text)):
            figure.text(0.0, 0.0, typeset(with_remark(part, "a $"))).get_window_extent()


def test_no_card_and_no_curve_shows_a_raw_exponent_or_index() -> None:
    found = 0
    for path in sorted(ROOT.glob("workspaces/c*s/*.toml")):
        document = tomllib.loads(path.read_text())
        for key in ("title", "label", "assumptions"):
            words = typeset(document.get(key, ""))
            outside = " ".join(words.split("$")[::2])
            assert not any(mark in outside for mark in ("_", "^", "e11", "e+", "'")), (path, words)
            found += words.count("$") // 2
    assert found > 50


def test_commas_of_formulas_part_nothing() -> None:
    assert split_parts("a, $b, c$, d") == ["a", "$b, c$", "d"]
    assert with_remark("LDMX (projection)", "median") == "LDMX (projection, median)"
    assert with_remark("", "observed") == "observed"
