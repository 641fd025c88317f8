"""Published curves for other mediators: Darkcast's recasts, scaling laws, and what is refused.

The tables of Darkcast are points of its files (arXiv:1801.04847; repository darkcast, reach/ and
recast/), three digits: SHiP's projections of arXiv:2011.05115 by process, and that of
arXiv:2009.11155. Its B-L has left-handed neutrinos only.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from na64.limits import recast_curve
from na64.limits.planes.displaced import edges_of
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import AxialMediator, VectorMediator
from na64.models.recasting.channels import FinalState, Lifetime, Production
from na64.workspaces.io.curves import Axis, Curve, CurveKind, CurveSource, load_curve

B_MINUS_L = mediator("b-minus-l-left-handed")
#: Darkcast's boson of baryon number: kinetic mixing of a loop, (e/4 pi)^2, with leptons
BARYONIC = VectorMediator(
    "b-boson",
    "g",
    dict.fromkeys("udscb", 1 / 3)
    | dict.fromkeys(("e", "mu", "tau"), -((ELEMENTARY_CHARGE / (4.0 * math.pi)) ** 2)),
)
ELECTRON_MUON = VectorMediator("le-lmu", "g", {"e": 1.0, "mu": -1.0, "nu_e": 1.0, "nu_mu": -1.0})
DARK = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)

Rows = Sequence[tuple[float, float, float, float, float]]


def curve(points: Sequence[tuple[float, float]], process: str, state: str, **more: object) -> Curve:
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


def behind_a_shield(rows: Rows, process: str, state: str, volume: float) -> Curve:
    path = [(row[0], row[1]) for row in rows] + [(row[0], row[2]) for row in reversed(rows)]
    return curve(
        path,
        process,
        state,
        kind=CurveKind.REGION,
        lifetime=Lifetime.DISPLACED,
        decay_volume=volume,
    )


# mass in GeV, lower and upper edge of the dark photon in epsilon, of the other boson in g
DARKCAST: list[tuple[str, str, float, Mediator, float, Rows]] = [
    (
        "pi0 -> gamma X",
        "e+ e-",
        0.7,
        B_MINUS_L,
        0.01,
        [(0.002, 2.88e-4, 4.93e-2, 8.71e-5, 8.83e-3), (0.05, 1.35e-4, 6.79e-3, 4.10e-5, 1.20e-3)],
    ),
    (
        "eta -> gamma X",
        "charged",
        0.7,
        B_MINUS_L,
        0.01,
        [
            (0.005, 3.41e-4, 2.01e-2, 1.47e-4, 3.34e-3),
            (0.1, 1.63e-4, 4.78e-3, 7.14e-5, 7.58e-4),
            (0.3, 1.26e-4, 2.17e-3, 5.75e-5, 4.06e-4),
            (0.45, 1.51e-4, 1.64e-3, 7.75e-5, 3.12e-4),
        ],
    ),
    (
        "proton bremsstrahlung",
        "charged",
        0.7,
        B_MINUS_L,
        0.06,
        [
            (0.01, 1.66e-7, 3.56e-4, 5.04e-8, 6.58e-5),
            (0.2, 3.80e-8, 1.47e-5, 1.15e-8, 2.68e-6),
            (0.7, 1.48e-8, 1.36e-6, 6.08e-9, 5.77e-7),
            (0.8, 1.32e-8, 1.01e-6, 4.54e-9, 3.40e-7),
            (1.0, 2.15e-8, 1.23e-6, 7.16e-9, 3.36e-7),
            (1.4, 3.77e-8, 7.00e-7, 1.24e-8, 1.91e-7),
            (2.0, 8.57e-8, 2.83e-7, 2.97e-8, 7.52e-8),
        ],
    ),
    # a boson that barely couples to leptons: pi0 gamma through the omega rules its lifetime
    (
        "eta -> gamma X",
        "charged",
        0.7,
        BARYONIC,
        0.06,
        [
            (0.005, 3.41e-4, 2.01e-2, 6.06e-3, 1.49e1),
            (0.1, 1.63e-4, 4.78e-3, 2.89e-3, 3.74),
            (0.2, 1.40e-4, 3.27e-3, 2.50e-3, 1.02),
            (0.25, 1.27e-4, 2.59e-3, 2.28e-3, 0.478),
        ],
    ),
    (
        "proton bremsstrahlung",
        "charged",
        0.7,
        BARYONIC,
        0.1,
        [
            (1.4, 3.77e-8, 7.00e-7, 1.73e-8, 5.39e-7),
            (1.6, 4.73e-8, 4.82e-7, 1.98e-8, 3.12e-7),
            (2.0, 8.57e-8, 2.83e-7, 3.45e-8, 2.10e-7),
        ],
    ),
    (
        "Drell-Yan",
        "charged",
        0.7,
        B_MINUS_L,
        0.08,
        [
            (1.5, 2.88e-8, 5.30e-7, 1.24e-8, 1.48e-7),
            (2.0, 3.41e-8, 3.52e-7, 1.45e-8, 9.12e-8),
            (2.7, 4.62e-8, 1.85e-7, 2.31e-8, 4.00e-8),
        ],
    ),
    (
        "electron bremsstrahlung",
        "e+ e-",
        40.0,
        B_MINUS_L,
        0.01,
        [
            (0.00112, 1.32e-8, 7.59e-4, 3.99e-9, 1.17e-4),
            (0.00858, 6.92e-9, 5.75e-5, 2.10e-9, 1.07e-5),
            (0.0736, 2.51e-8, 4.37e-6, 7.64e-9, 7.76e-7),
        ],
    ),
    (
        "electron bremsstrahlung",
        "e+ e-",
        40.0,
        ELECTRON_MUON,
        0.01,
        [
            (0.00185, 6.92e-9, 2.09e-4, 2.10e-9, 4.33e-5),
            (0.0158, 1.32e-8, 3.02e-5, 3.99e-9, 6.27e-6),
        ],
    ),
]


@pytest.mark.parametrize(
    ("process", "state", "volume", "new", "close", "rows"),
    DARKCAST,
    ids=[f"{row[0]}, {row[3].name}" for row in DARKCAST],
)
def test_darkcast_behind_a_shield(
    process: str, state: str, volume: float, new: Mediator, close: float, rows: Rows
) -> None:
    # 1 % is what three digits give; more where the hadronic widths are of other fits, at most 10 %
    made = recast_curve(behind_a_shield(rows, process, state, volume), new)
    x, low, high = edges_of(made, np.array([row[0] for row in rows]))
    assert x.tolist() == [row[0] for row in rows]
    assert low == pytest.approx([row[3] for row in rows], rel=close)
    assert high == pytest.approx([row[4] for row in rows], rel=close)


def test_darkcast_finds_nothing_where_we_find_nothing() -> None:
    # the eta' makes a ninth of the bosons at small masses: the region of SHiP ends at 50 MeV and
    # begins again at the omega
    rows = [
        (0.002, 8.24e-4, 3.36e-2, 6.92e-4, 4.45e-3),
        (0.05, 3.71e-4, 6.62e-3, 4.17e-4, 6.07e-4),
        (0.5, 2.06e-4, 1.39e-3, math.nan, math.nan),
        (0.75, 2.15e-4, 6.32e-4, math.nan, math.nan),
        (0.8, 2.45e-4, 6.08e-4, 8.13e-5, 2.07e-4),
        (0.88, 3.80e-4, 5.66e-4, 1.04e-4, 2.04e-4),
    ]
    made = recast_curve(behind_a_shield(rows, "eta' -> gamma X", "charged", 0.7), B_MINUS_L)
    x, low, high = edges_of(made, np.array([row[0] for row in rows]))
    assert x.tolist() == [0.002, 0.05, 0.8, 0.88]
    expected = [row for row in rows if row[3] == row[3]]
    assert low == pytest.approx([row[3] for row in expected], rel=0.02)
    assert high == pytest.approx([row[4] for row in expected], rel=0.08)  # the omega's fall


@pytest.mark.parametrize(
    ("name", "model", "rows"),
    [
        # recast/limits/B-L_boson and Lmu-Ltau_boson: BaBar_Lees2017lec, NA64_NA642019imj
        ("babar-invisible", "b-minus-l", [(0.1, 2.87e-4), (0.5, 2.89e-4), (1.4, 2.94e-4)]),
        ("babar-invisible", "l-mu-l-tau", [(0.1, 6.30e-2), (0.26, 5.04e-2), (1.0, 8.96e-2)]),
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
    rows = [(0.01, 1.66e-7, 3.56e-4, 0.0, 0.0), (0.2, 3.80e-8, 1.47e-5, 0.0, 0.0)]
    region = behind_a_shield(rows, "proton bremsstrahlung", "charged", 0.7)
    back = recast_curve(recast_curve(region, "b-minus-l"), "dark-photon")
    masses = np.array([0.011, 0.05, 0.15])
    for found, meant in zip(edges_of(back, masses), edges_of(region, masses), strict=True):
        # B-L to dark photon and back, each along straight lines between 40 points per decade
        assert found == pytest.approx(meant, rel=2e-3)


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
        (curve(LIMIT, "proton bremsstrahlung", "any"), "vector", "as its couplings vanish"),
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
                "any",
                production=(Production.ELECTRON_BREMSSTRAHLUNG, Production.ETA_TO_GAMMA),
            ),
            "b-minus-l",
            "change by different factors",
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
