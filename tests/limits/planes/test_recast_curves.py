"""Published curves for other mediators: Darkcast's recasts, scaling laws, and what is refused."""

from __future__ import annotations

import dataclasses
import math
import re
import runpy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from na64.limits import recast_curve
from na64.limits.planes.displaced import edges_of, islands
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import AxialMediator, VectorMediator
from na64.models.recasting.channels import FinalState, Lifetime, Production
from na64.workspaces.io.curves import Axis, Curve, CurveKind, CurveSource, load_curve
from tests.shared import ROOT

DARK = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "make_recasting_table"))


def curve(points: Sequence[tuple[float, float]], process: str, state: str, **more: Any) -> Curve:
    """A curve of the dark photon in one process."""
    return dataclasses.replace(
        Curve(
            name="test",
            title="test",
            label="test",
            kind=CurveKind.LIMIT,
            x_axis=Axis("m_A'", "GeV"),
            y_axis=Axis("epsilon", "1"),
            confidence_level=0.9,
            reference=CurveSource("none"),
            provenance="made up",
            model="dark-photon",
            production=(Production(process),),
            final_state=(FinalState(state),),
            points=tuple(points),
        ),
        **more,
    )


@pytest.fixture(scope="module")
def rows() -> list[Any]:
    found: list[Any] = SCRIPT["compared"]()
    return found


def test_darkcast_behind_a_shield(rows: list[Any]) -> None:
    # 1 % is what three digits give; more where hadronic widths are those of other fits, at most
    # 10 %. Darkcast finds nothing where we find nothing: the eta' makes a ninth of the bosons
    assert len(rows) > 35
    for row in rows:
        place = f"{row.process} at {row.mass_gev:g} GeV"
        if row.within == "none":
            assert row.ours is None, place
        elif row.within != "open":
            assert float(row.within) <= 0.1
            assert row.ours == pytest.approx(row.theirs, rel=float(row.within)), place


def test_islands_are_drawn_apart() -> None:
    # nu-Cal in the boson of B-L, which has no rho: a region below 0.3 GeV and one at the omega
    made = recast_curve(load_curve("nucal-2019"), "b-minus-l")
    whole = np.array(made.x), np.array(made.y)
    parts = islands(*whole)
    assert len(parts) == 2
    assert max(parts[0][0]) < 0.35 < 0.6 < min(parts[1][0])
    for x, y in parts:
        assert (x[0], y[0]) == (x[-1], y[-1])
    own = load_curve("e137-visible")
    assert len(islands(np.array(own.x), np.array(own.y))) == 1


def test_what_disagrees_with_darkcast_is_of_three_pions(rows: list[Any]) -> None:
    # a boson without rho and with few leptons, between two pions and the excited states: its
    # widths are pi pi by rho-omega mixing and 3 pi with their threshold and omega-phi interference
    apart = [row for row in rows if row.within == "open"]
    assert {row.boson for row in apart} == {"b-boson"}
    assert all(0.28 < row.mass_gev < 1.3 for row in apart)
    ratios = [np.divide(row.ours, row.theirs) for row in apart]
    assert np.all((np.array(ratios) > 0.5) & (np.array(ratios) < 1.8))


def test_the_table_of_the_page_is_current() -> None:
    page = (ROOT / "docs" / "recasting-curves.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- begin: darkcast -->\n(.*?)\n<!-- end: darkcast -->", page, re.DOTALL)
    assert found is not None
    assert found[1] == SCRIPT["table"]()


@pytest.mark.parametrize(
    ("name", "model", "rows"),
    [
        # recast/limits/B-L_boson and Lmu-Ltau_boson: BaBar_Lees2017lec, LEP_Fox2011fx,
        # NA62_CortinaGil2019nuo, NA64_NA642019imj
        ("babar-invisible", "b-minus-l", [(0.1, 2.87e-4), (0.5, 2.89e-4), (1.4, 2.94e-4)]),
        ("babar-invisible", "l-mu-l-tau", [(0.1, 6.30e-2), (0.26, 5.04e-2), (1.0, 8.96e-2)]),
        ("lep-monophoton", "b-minus-l", [(10.0, 1.19e-2), (30.0, 1.11e-2)]),
        ("na62-pi0-invisible-2019", "b-minus-l", [(0.0682, 1.41e-4), (0.106, 4.87e-4)]),
        ("na64e-2019", "b-minus-l", [(0.001, 2.27e-6), (0.01, 9.97e-6), (0.1, 1.05e-4)]),
    ],
)
def test_darkcast_invisible(name: str, model: str, rows: list[tuple[float, float]]) -> None:
    # Darkcast gives every boson 99 % of invisible decays, as dark matter does here; 10 % for the
    # curves, which were read off the same figures by others
    made = recast_curve(load_curve(name), model, DARK)
    masses, couplings = np.transpose(rows)
    assert made.at(masses) == pytest.approx(couplings, rel=0.1)
    assert (made.model, made.y_axis.name, made.x_axis.name) == (model, "g", "m_Z'")


def test_darkcast_dimuons_at_lhcb() -> None:
    # recast/limits/Lmu-Ltau_boson/LHCb_Aaij2019bvg_prompt, geometric means over 6 % in mass as in
    # the curve. Made by quarks through the loops, it decays to muons by half
    made = recast_curve(load_curve("lhcb-prompt-2019-low"), "l-mu-l-tau")
    assert made.at([0.297, 0.378]) == pytest.approx([1.41e-2, 1.82e-2], rel=0.1)


def test_a_limit_on_y_is_one_on_the_coupling() -> None:
    y = load_curve("belle2-invisible-projection")
    made = recast_curve(y, "b-minus-l", DARK)
    assert (y.alpha_d, y.ratio) == (0.1, 3.0)
    coupling = math.sqrt(float(y.at(0.1)) * 3.0**4 / 0.1)
    assert made.at(0.3) == pytest.approx(ELEMENTARY_CHARGE * coupling, rel=1e-3)


def test_without_dark_matter_neutrinos_are_what_is_invisible() -> None:
    # three Dirac neutrinos take 3/4 of the decays between 2 m_e and 2 m_mu
    flat = curve([(0.02, 1e-3), (0.1, 1e-3)], "e+ e- -> gamma X", "invisible")
    made = recast_curve(flat, "b-minus-l")
    assert made.at(0.05) == pytest.approx(1e-3 * ELEMENTARY_CHARGE / math.sqrt(0.75), rel=1e-3)
    assert recast_curve(flat, "b-minus-l", DARK).at(0.05) == pytest.approx(
        1e-3 * ELEMENTARY_CHARGE, rel=1e-3
    )
    # a width to dark matter of the size of the visible one: v (D + v S) = signal (D + v T)
    weak = DarkSector(DarkMatter.DIRAC, 1e-8, 3.0)
    coupling = float(recast_curve(flat, "b-minus-l", weak).at(0.05))
    low, high = (float(recast_curve(flat, "b-minus-l", one).at(0.05)) for one in (DARK, None))
    assert low < coupling < high


@pytest.mark.parametrize("charges", [{"e": 2.0}, {"e": -0.3, "mu": 1.0, "nu_e": 0.2}])
def test_scaling_and_the_way_back(charges: dict[str, float]) -> None:
    new = VectorMediator("other", "g", charges)
    points = [(0.02, 1e-3), (0.05, 2e-3), (0.2, 1e-3)]
    seen = curve(points, "e+ e- -> gamma X", "any")
    made = recast_curve(seen, new)
    assert made.at([0.02, 0.2]) == pytest.approx(
        1e-3 * ELEMENTARY_CHARGE / abs(charges["e"]),
        rel=1e-5,  # six digits
    )
    # prompt pairs: times the root of the branching ratio
    prompt = curve(points, "e+ e- -> gamma X", "e+ e-", lifetime=Lifetime.PROMPT)
    share = charges["e"] ** 2 / (charges["e"] ** 2 + 0.5 * charges.get("nu_e", 0.0) ** 2)
    assert recast_curve(prompt, new).at(0.05) == pytest.approx(
        2e-3 * ELEMENTARY_CHARGE / abs(charges["e"]) / math.sqrt(share), rel=1e-4
    )
    # to B-L and to the dark photon again
    for one in (seen, prompt):
        there = recast_curve(one, "b-minus-l")
        back = recast_curve(there, "dark-photon")
        assert back.at([0.02, 0.05, 0.2]) == pytest.approx(one.at([0.02, 0.05, 0.2]), rel=1e-4)


def test_the_way_back_of_a_region() -> None:
    region = curve(
        [(0.01, 1.66e-7), (0.2, 3.80e-8), (0.2, 1.47e-5), (0.01, 3.56e-4)],
        "proton bremsstrahlung",
        "charged",
        kind=CurveKind.REGION,
        lifetime=Lifetime.DISPLACED,
        decay_volume=0.7,
    )
    back = recast_curve(recast_curve(region, "b-minus-l"), "dark-photon")
    masses = np.array([0.011, 0.05, 0.15])
    for found, meant in zip(edges_of(back, masses), edges_of(region, masses), strict=True):
        # B-L to dark photon and back, each along straight lines between 40 points per decade
        assert found == pytest.approx(meant, rel=2e-3)


def test_two_corners_of_a_region_enclose_nothing() -> None:
    # pi0 -> gamma X is closed from 135 MeV: of a triangle there are its two corners below, or three
    corners = [(0.1345, 1e-5), (0.4, 3e-5), (0.1345, 1e-4)]
    region = {"kind": CurveKind.REGION, "lifetime": Lifetime.PROMPT}
    with pytest.raises(InputError, match="cannot be recast to b-minus-l"):
        recast_curve(curve(corners, "pi0 -> gamma X", "e+ e-", **region), "b-minus-l")
    more = [(0.1340, 3e-5), *corners]
    made = recast_curve(curve(more, "pi0 -> gamma X", "e+ e-", **region), "b-minus-l")
    assert len(made.points) == 3
    # a limit needs no more than its two ends
    line = curve(
        [(0.1340, 1e-5), (0.1345, 1e-5), (0.4, 3e-5)],
        "pi0 -> gamma X",
        "e+ e-",
        lifetime=Lifetime.PROMPT,
    )
    assert len(recast_curve(line, "b-minus-l").points) == 2


def test_the_least_factor_of_several_processes_counts() -> None:
    # B-L: all of the bosons of the pi0, a quarter of those of the eta, at the square of g = e
    both = (Production.PI0_TO_GAMMA, Production.ETA_TO_GAMMA)
    seen = curve([(0.01, 1e-3), (0.5, 1e-3)], "pi0 -> gamma X", "any", production=both)
    made, eta = (
        recast_curve(one, "b-minus-l")
        for one in (seen, dataclasses.replace(seen, production=both[1:]))
    )
    assert made.at([0.02, 0.4]) == pytest.approx(eta.at([0.02, 0.4]))
    assert made.at(0.01) == pytest.approx(2e-3 * ELEMENTARY_CHARGE, rel=1e-3)
    # above the mass of the pi0 its decay is no longer there to count
    pion = dataclasses.replace(seen, production=both[:1])
    assert max(recast_curve(pion, "b-minus-l").x) < 0.135
    with pytest.raises(InputError, match="not made by pi0 -> gamma X, as its couplings vanish"):
        recast_curve(seen, VectorMediator("electron", "g", {"e": 1.0}))


def test_exchange_and_axial_vectors() -> None:
    trident = curve(
        [(0.01, 1e-3), (1.0, 1e-2)],
        "neutrino trident",
        "virtual",
        model="l-mu-l-tau",
        y_axis=Axis("g", "1"),
    )
    assert recast_curve(trident, "b-minus-l").at(0.1) == pytest.approx(trident.at(0.1))
    with pytest.raises(InputError, match="another sign"):
        recast_curve(
            trident, VectorMediator("odd", "g", {"mu": 1.0, "nu_mu": -1.0, "nu_tau": -1.0})
        )
    # arXiv:2206.08563: axial vectors are made as vectors where the electron's mass does not count
    axial = AxialMediator("axial-e", "g", {"e": 1.0})
    made = recast_curve(curve([(0.001, 1e-3), (1.0, 1e-3)], "e+ e- -> gamma X", "any"), axial)
    assert min(made.x) >= 0.01
    assert made.at(0.1) == pytest.approx(1e-3 * ELEMENTARY_CHARGE)


LIMIT = [(0.01, 1e-3), (0.1, 1e-3)]
GAMMA, BREMS = "e+ e- -> gamma X", "electron bremsstrahlung"


@pytest.mark.parametrize(
    ("made", "new", "message"),
    [
        (curve(LIMIT, "muon bremsstrahlung", "invisible"), "scalar", "is scalar, and rates are"),
        (curve(LIMIT, GAMMA, "invisible"), "vector", "no invisible decay: it needs dark matter"),
        (curve(LIMIT, "B -> K X", "any"), "b-minus-l", "rate of B -> K X is not known"),
        (curve(LIMIT, "K+ -> pi+ X", "any"), "b-minus-l", "ratio of their charges only"),
        (curve(LIMIT, "proton bremsstrahlung", "any"), "vector", "not made by proton brems"),
        (curve(LIMIT, GAMMA, "recoil"), "b-minus-l", "what dark matter scatters off"),
        (curve(LIMIT, "muon bremsstrahlung", "any"), "axial", "vector couplings only"),
        (
            curve(
                LIMIT,
                "neutrino-electron scattering",
                "virtual",
                model="b-minus-l",
                y_axis=Axis("g", "1"),
            ),
            "l-mu-l-tau",
            "does not couple to all of them alike",
        ),
        (
            curve(LIMIT, BREMS, "e+ e-", lifetime=Lifetime.DISPLACED),
            "b-minus-l",
            "needs both edges and the decay_volume",
        ),
        (
            curve(
                LIMIT,
                BREMS,
                "invisible",
                production=(Production.RESONANT_ANNIHILATION,),
                alpha_d=0.1,
                ratio=3.0,
            ),
            "b-minus-l",
            "annihilation holds for alpha_D = 0.1 and m_A' = 3 m_chi",
        ),
        (curve([(50.0, 1e-3), (70.0, 1e-3)], GAMMA, "any"), "b-minus-l", "those of the Z above"),
        (
            curve(LIMIT, GAMMA, "e+ e-", lifetime=Lifetime.PROMPT),
            "l-mu-l-tau",
            "beyond perturbation theory",
        ),
        (curve(LIMIT, GAMMA, "any", model=""), "b-minus-l", "its file names no model"),
        (curve(LIMIT, GAMMA, "any", production=()), "b-minus-l", "its file names no production"),
        (curve(LIMIT, GAMMA, "any", y_axis=Axis("y", "1")), "b-minus-l", "it is y against m_A'"),
        (curve(LIMIT, GAMMA, "any", kind=CurveKind.THERMAL), "b-minus-l", "computed, not recast"),
    ],
)
def test_what_cannot_be_recast_says_why(made: Curve, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        recast_curve(made, new)
    assert "\n" not in str(refused.value)


def test_a_curve_of_the_mediator_stays() -> None:
    own = load_curve("babar-invisible")
    assert recast_curve(own, "dark-photon") is own
