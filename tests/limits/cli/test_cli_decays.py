"""Searches for decays in flight on the command line: options, messages, exit codes."""

from __future__ import annotations

import pytest

SEMI = ("scan", "na64e-semi-visible-2016-2018", "--dark-matter", "pseudo-dirac")


def test_primakoff_cross_section(call) -> None:
    words = ("cross-section", "primakoff", "--masses", "0.001", "--energy", "100", "--json")
    done = call(*words, "--unit", "gev-2", "--elastic-only")
    # 87.56 g^2 on lead, an independent integration of the same form factors
    assert done.data["cross_section"][0] == pytest.approx(87.56, rel=1e-3)
    assert done.data["model"] == "alp"
    weak = call(*words, "--unit", "gev-2", "--elastic-only", "--coupling", "1e-4")
    assert weak.data["cross_section"][0] == pytest.approx(87.56e-8, rel=1e-3)


def test_closed_region_in_json(call) -> None:
    data = call("scan", "na64e-alp-2016-2018", "--masses", "0.03,0.09", "--json").data
    assert data["parameter"] == {"name": "g_agg", "power": None}
    ((low, high),) = data["regions"][0]
    # arXiv:2005.02710 at 30 MeV, read off the figure: 2.23e-4 to 2.61e-3
    assert low == pytest.approx(2.23e-4, rel=0.1)
    assert high == pytest.approx(2.61e-3, rel=0.25)
    assert data["regions"][1] == []
    assert data["status"] == ["ok", "no-exclusion"]


def test_invisible_branching_opens_the_region(call) -> None:
    words = ("scan", "na64e-alp-2016-2018", "--masses", "0.09", "--invisible-branching", "0.3")
    data = call(*words, "--json").data
    assert data["regions"][0][-1][1] is None
    assert data["specification"]["signal"]["invisible_branching"] == 0.3


def test_branching_ratios_of_mesons(call) -> None:
    data = call("scan", "na64h-2022", "--json").data
    assert data["parameter"] == {"name": "br", "power": 1.0}
    # arXiv:2406.01990: 1.1e-4 and 2.1e-4, here with a production known to 20 %
    assert data["observed"] == pytest.approx([1.1e-4, 2.1e-4], rel=0.12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*SEMI, "--splitting", "0.4", "--masses", "0.005,0.1"), "not above 2 m_e"),
        ((*SEMI, "--splitting", "0", "--masses", "0.1"), "with a mass splitting"),
        (("scan", SEMI[1], "--dark-matter", "dirac", "--masses", "0.1"), "pseudo-dirac"),
        (
            ("scan", "na64e-visible-2017-2018", "--masses", "0.001"),
            "not above the threshold of e+ e-",
        ),
        (
            ("scan", "na64e-visible-2017-2018", "--set", "window.decay_start_cm=5"),
            "must not lie inside the target",
        ),
        (
            ("scan", "na64e-visible-2017-2018", "--set", "window.decay_start_cm=-5"),
            "must not be negative",
        ),
        (
            ("scan", "na64e-visible-2017-2018", "--set", "window.decay_end_cm=20"),
            "must end beyond its start",
        ),
        (("scan", "na64e-visible-2017-2018", "--model", "alp"), "does not couple to"),
        (
            ("scan", "na64e-alp-2016-2018", "--invisible-branching", "1.2", "--masses", "0.01"),
            "invisible_branching must be at most 1",
        ),
        (
            ("scan", "na64e-2016-2022", "--invisible-branching", "0.2", "--masses", "0.01"),
            "--invisible-branching has no effect",
        ),
        (("scan", "na64h-2022", "--masses", "0.3"), "no neutral meson has a mass of 0.3 GeV"),
        (
            ("cross-section", "primakoff", "--masses", "0.1", "--energy", "9", "--model", "scalar"),
            "does not couple to photons",
        ),
        (("cross-section", "primakoff", "--masses", "10", "--energy", "9"), "below"),
        (
            ("cross-section", "primakoff", "--masses", "1", "--energy", "9", "--target", "ecal"),
            "mixture",
        ),
    ],
)
def test_refused(call, words: tuple[str, ...], message: str) -> None:
    done = call(*words)
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("process", "model"),
    [("primakoff", "alp"), ("emission", "dark-photon"), ("annihilation", "dark-photon")],
)
def test_help_names_the_model_that_is_used(call, process: str, model: str) -> None:
    words = ("cross-section", process, "--masses", "0.1", "--energy", "50", "--json")
    assert call(*words).data["model"] == model
    shown = " ".join(call("cross-section", process, "--help").out.split())
    assert f"{model} if not given" in shown
