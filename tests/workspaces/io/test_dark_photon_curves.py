"""Shipped curves of dark photons: what abstracts say, kinematics, lifetimes and exposures.

Numbers of papers are those of their abstracts, unless said otherwise. Most curves were read off
figures by others, which is good to some percent on a logarithmic axis; a wider tolerance says why.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from na64.models.constants import (
    ALPHA,
    CHARGED_PION_MASS_GEV,
    ELECTRON_MASS_GEV,
    HBAR_C_GEV_CM,
    MUON_MASS_GEV,
    NEUTRAL_PION_MASS_GEV,
)
from na64.models.decays.hadrons import OMEGA_MASS_GEV
from na64.workspaces.io.curves import (
    Curve,
    CurveKind,
    load_curve,
    selected_curves,
)

FloatArray = NDArray[np.float64]

#: reading a logarithmic axis
READ = 0.05
DARK_PHOTONS = selected_curves(model="dark-photon")
NAMES = tuple(curve.name for curve in DARK_PHOTONS)
#: those whose provenance says that they have three digits, or are means with three digits
SHORT = tuple(
    curve.name
    for curve in DARK_PHOTONS
    if "to three digits:" in curve.provenance or "geometric means" in curve.provenance
)
REGIONS = tuple(curve.name for curve in DARK_PHOTONS if curve.kind is CurveKind.REGION)

# energy of the beam in GeV and length of the shield in m, the latter of Darkcast (arXiv:1801.04847)
DUMPS = {
    "e137-visible": (20.0, 179.0),
    "e141-visible": (9.0, 0.12),
    "e774-visible": (275.0, 0.3),
    "orsay-visible": (1.6, 1.0),
    "kek-visible": (2.5, 2.4),
    "nucal-pi0": (70.0, 64.0),
    "nucal-bremsstrahlung": (70.0, 64.0),
    "nucal-2019": (70.0, 64.0),
    "charm-visible": (400.0, 480.0),
    "charm-2019": (400.0, 480.0),
    "nomad-visible": (450.0, 835.0),
    "faser-2023": (6800.0, 480.0),
    "na64-visible-2018": (100.0, 1.0),
}


def edges(curve: Curve, mass: float) -> tuple[float, float]:
    """Return the lowest and the highest coupling of a region at a mass."""
    path = np.log(np.array([*curve.points, curve.points[0]]))
    at = math.log(mass)
    found = [
        y0 + (y1 - y0) * (at - x0) / (x1 - x0)
        for (x0, y0), (x1, y1) in itertools.pairwise(path)
        if (x0 - at) * (x1 - at) <= 0.0 and x0 != x1
    ]
    return math.exp(min(found)), math.exp(max(found))


def dips(curve: Curve) -> list[float]:
    """Return the masses at which a curve is lower than at both neighbours."""
    return [
        x
        for (_, before), (x, y), (_, after) in zip(
            curve.points, curve.points[1:], curve.points[2:], strict=False
        )
        if y < before and y < after
    ]


def mean_log(curve: Curve, other: Curve, low: float, high: float) -> float:
    """Return the mean of the logarithm of the ratio of two curves."""
    masses = np.geomspace(low, high, 200)
    return float(np.mean(np.log(curve.at(masses) / other.at(masses))))


@pytest.mark.parametrize("name", SHORT)
def test_three_digits(name: str) -> None:
    curve = load_curve(name)
    for number in itertools.chain(curve.x, curve.y):
        assert number == float(f"{number:.3g}")


@pytest.mark.parametrize("name", NAMES)
def test_units_of_dark_photons(name: str) -> None:
    curve = load_curve(name)
    assert (curve.x_axis.unit, curve.y_axis.unit) == ("GeV", "1")
    axes = (curve.x_axis.name, curve.y_axis.name)
    assert axes in {("m_A'", "epsilon"), ("m_X", "epsilon"), ("m_chi", "y")}
    assert 2.0 * ELECTRON_MASS_GEV * 0.97 < min(curve.x) < max(curve.x) <= 200.0
    if curve.y_axis.name == "y":  # it holds for one alpha_D and ratio
        assert curve.alpha_d in (0.1, 0.5)
        assert curve.ratio == 3.0
        assert 1e-15 < min(curve.y) <= max(curve.y) < 1e-6
    elif not curve.projection:
        assert 1e-8 < min(curve.y) <= max(curve.y) < 0.2


def test_there_are_many() -> None:
    assert len(NAMES) >= 60
    assert len(SHORT) >= 55


def test_kinematics() -> None:
    for name in NAMES:
        curve = load_curve(name)
        made, seen = set(map(str, curve.production)), set(map(str, curve.final_state))
        if made == {"pi0 -> gamma X"} and curve.y_axis.name == "epsilon":
            # nu-Cal's list ends 6 % above the mass of the pion, as its figure was read
            assert max(curve.x) < NEUTRAL_PION_MASS_GEV * (1.06 if name == "nucal-pi0" else 1.0)
        if made == {"phi -> eta X"}:
            assert max(curve.x) < 1.01946 - 0.54786
        if seen == {"mu+ mu-"}:
            assert min(curve.x) > 2.0 * MUON_MASS_GEV * 0.995
        if "pi+ pi-" in seen and "mu+ mu-" not in seen:
            assert min(curve.x) > 2.0 * CHARGED_PION_MASS_GEV


@pytest.mark.parametrize("name", DUMPS)
def test_upper_edge_of_a_dump_is_a_lifetime(name: str) -> None:
    # exp(-n) of those of energy E pass the shield, with n = L Gamma m/(E hbar c) and
    # Gamma = alpha epsilon^2 m/3. At the edge n is the logarithm of the number made: below that of
    # the 1e20 of a beam, and above about one, or half of it where E is that of the beam and mesons
    # have less. So epsilon falls as 1/m or a little faster. epsilon^2 for epsilon or MeV for GeV
    # would be wrong by orders of magnitude
    energy, length = DUMPS[name]
    curve = load_curve(name)
    low, high = 1.5 * min(curve.x), min(0.5 * max(curve.x), 0.2)
    masses = np.geomspace(low, high, 9)
    upper = np.array([edges(curve, mass)[1] for mass in masses])
    width = ALPHA * upper**2 * masses / 3.0
    lengths = 100.0 * length * width * masses / (energy * HBAR_C_GEV_CM)
    assert np.all(lengths > 0.5)
    assert np.all(lengths < math.log(1e20))
    slope = math.log(upper[-1] / upper[0]) / math.log(masses[-1] / masses[0])
    assert -1.4 < slope < -1.0


@pytest.mark.parametrize("name", REGIONS)
def test_regions_are_no_lines(name: str) -> None:
    curve = load_curve(name)
    middle = math.sqrt(min(curve.x) * max(curve.x))
    low, high = edges(curve, middle)
    assert high / low > 1.3


def test_kloe() -> None:
    # arXiv:1210.3927: epsilon^2 below 1.7e-5 for 30-400 MeV and below 8e-6 for 50-210 MeV. The
    # curve is the smoothed line of arXiv:1603.06086, which is above the former up to 40 MeV
    eta = load_curve("kloe-2012")
    assert np.all(eta.at(np.geomspace(0.05, 0.21, 99)) < math.sqrt(8e-6) * (1.0 + READ))
    assert np.all(eta.at(np.geomspace(0.04, 0.4, 99)) < math.sqrt(1.7e-5) * (1.0 + READ))
    # arXiv:1509.00740: 5-520 MeV, 1e-6 to 1e-4 in epsilon^2, orders of magnitude
    electrons = load_curve("kloe-2015")
    assert electrons.x[0] == pytest.approx(0.005, rel=READ)
    assert electrons.x[-1] == pytest.approx(0.52, rel=READ)
    assert 1e-6 < min(electrons.y) ** 2 < max(electrons.y) ** 2 < 3e-4
    # arXiv:1603.06086: 527-987 MeV, better than before above 700 MeV
    pions, muons = load_curve("kloe-2016"), load_curve("kloe-2014")
    assert (pions.x[0], pions.x[-1]) == pytest.approx((0.527, 0.987), rel=0.01)
    masses = np.geomspace(0.7, 0.97, 50)
    assert np.all(pions.at(masses) < muons.at(masses))
    # arXiv:1807.02691: both combined are better than each
    assert np.all(load_curve("kloe-2018").at(masses) < pions.at(masses))


def test_babar_na48_a1_hps_besiii() -> None:
    # arXiv:1406.2980: 0.02-10.2 GeV, at the level of 1e-4 to 1e-3
    babar = load_curve("babar-visible-2014")
    assert (babar.x[0], babar.x[-1]) == pytest.approx((0.02, 10.2), rel=0.02)
    level = np.exp(np.mean(np.log(babar.at(np.geomspace(0.021, 10.2, 300)))))
    assert 1e-4 < level < 1e-3
    # arXiv:1504.00607: better than others for 9-70 MeV
    na48 = load_curve("na48-2-2015")
    assert na48.x[0] == pytest.approx(0.009, rel=0.01)
    for other in ("babar-visible-2014", "kloe-2012", "kloe-2015"):
        assert mean_log(na48, load_curve(other), 0.0205, 0.07) < -0.3
    # arXiv:1404.5502: 40-300 MeV, down to 8e-7 in epsilon^2; the curve is averaged over masses
    a1 = load_curve("a1-2014")
    assert (a1.x[0], a1.x[-1]) == pytest.approx((0.04, 0.3), rel=READ)
    assert min(a1.y) ** 2 == pytest.approx(8e-7, rel=0.1)
    # arXiv:1807.11530: 19-81 MeV, 6e-6 in epsilon^2; corrected since
    hps = load_curve("hps-2015")
    assert (hps.x[0], hps.x[-1]) == (0.019, 0.081)
    assert min(hps.y) ** 2 == pytest.approx(6e-6, rel=0.15)
    # arXiv:1705.04265: 1.5-3.4 GeV
    besiii = load_curve("besiii-visible-2017")
    assert (besiii.x[0], besiii.x[-1]) == pytest.approx((1.5, 3.4), rel=0.02)


def test_lhc() -> None:
    # arXiv:1910.06926: from threshold up to 70 GeV, better than BaBar for 214-740 MeV
    low, high = (load_curve(f"lhcb-prompt-2019-{part}") for part in ("low", "high"))
    assert low.x[0] == pytest.approx(0.214, rel=0.01)
    assert high.x[-1] == pytest.approx(70.0, rel=0.01)
    masses = np.geomspace(low.x[0], low.x[-1], 50)
    assert np.all(low.at(masses) < load_curve("babar-visible-2014").at(masses))
    # arXiv:1710.02867: long-lived ones for 214-350 MeV
    lived = load_curve("lhcb-displaced-2017")
    assert 0.214 < min(lived.x) < max(lived.x) < 0.35
    assert max(lived.y) < min(low.y)
    # arXiv:2309.16003: 1.1-2.6 and 4.2-7.9 GeV, 1e-6 in epsilon^2 over most of them
    for part, first, last in (("low", 1.1, 2.6), ("high", 4.2, 7.9)):
        cms = load_curve(f"cms-dimuon-2023-{part}")
        # the list begins at 1.18 GeV
        assert (cms.x[0], cms.x[-1]) == pytest.approx((first, last), rel=0.08)
        assert np.median(np.array(cms.y) ** 2) < 1e-6
    # Phys. Rev. Lett. 124, 131802: 11.5-75 and 110-200 GeV
    for part, first, last in (("low", 11.5, 75.0), ("high", 110.0, 200.0)):
        cms = load_curve(f"cms-dimuon-2020-{part}")
        assert (cms.x[0], cms.x[-1]) == pytest.approx((first, last), rel=0.01)
    # the same muons above 11.5 GeV: both with like luminosities and efficiencies, a factor of two
    assert abs(mean_log(load_curve("cms-dimuon-2020-low"), high, 12.0, 69.0)) < math.log(2.0)


def test_dumps() -> None:
    # arXiv:1311.3870: nu-Cal's bremsstrahlung up to 624 MeV
    assert max(load_curve("nucal-bremsstrahlung").x) == pytest.approx(0.624, rel=0.01)
    # arXiv:2308.05587: 17-70 MeV and 2e-5 to 1e-4
    faser = load_curve("faser-2023")
    low, high = edges(faser, 0.017)
    assert low < 1e-4 < high
    assert edges(faser, 0.07)[1] == pytest.approx(2e-5, rel=0.1)  # one digit
    # arXiv:2303.08666: 215-550 MeV
    muons = load_curve("na62-dimuon-2023")
    assert (min(muons.x), max(muons.x)) == pytest.approx((0.215, 0.55), rel=0.03)
    # arXiv:2312.12055: better than before for 50-600 MeV and 1e-6 to 4e-5, one digit
    dump = load_curve("na62-dump-2025")
    assert edges(dump, 0.05)[1] == pytest.approx(4e-5, rel=0.2)
    assert edges(dump, 0.6)[1] == pytest.approx(1e-6, rel=0.2)
    # another list of Orsay's limit, which has 95 % and arXiv:1209.6083
    assert edges(load_curve("orsay-visible"), 0.0506)[0] == pytest.approx(1.62e-6, rel=READ)


def test_invisible() -> None:
    babar = load_curve("babar-invisible")
    assert babar.x[-1] == 8.0  # arXiv:1702.03327: below 8 GeV
    # arXiv:1903.08767: better than others within 60-110 MeV; with today's others above 47 MeV
    na62 = load_curve("na62-pi0-invisible-2019")
    masses = np.geomspace(0.06, 0.09, 30)
    assert np.all(na62.at(masses) < babar.at(masses))
    assert np.all(na62.at([0.04, 0.11]) > babar.at([0.04, 0.11]))


def test_exposures_of_na64() -> None:
    exposure = (4.3e10, 2.84e11)
    before, after = load_curve("na64e-2016"), load_curve("na64e-2019")
    masses = np.geomspace(0.003, 0.25, 40)
    # without background epsilon^2 falls as the exposure; selections differed a little
    ratio = after.at(masses) / before.at(masses)
    np.testing.assert_allclose(ratio, math.sqrt(exposure[0] / exposure[1]), rtol=0.07)
    first = load_curve("na64e-2016-july")
    assert np.all(first.at(masses) > before.at(masses))
    assert np.all(load_curve("na64e-2016-2022").at(masses[5:]) < after.at(masses[5:]))
    # projections of one detector: 1e14 and 2e13 muons
    more, fewer = (load_curve(f"na64mu-{n}-projection") for n in ("1e14", "2e13"))
    masses = np.geomspace(0.0011, 0.95, 40)
    np.testing.assert_allclose(more.at(masses) / fewer.at(masses), math.sqrt(0.2), rtol=0.05)


def test_resonances_confirm_the_mass_of_the_mediator() -> None:
    # rho and omega in proton bremsstrahlung, in files that give m_chi
    for name in ("miniboone-2018-electron", "miniboone-2018-nucleon", "flare-projection"):
        (dip,) = dips(load_curve(name))
        assert 3.0 * dip == pytest.approx(OMEGA_MASS_GEV, rel=0.03)  # between rho and omega
    found = 3.0 * np.array(dips(load_curve("ship-dark-matter-projection")))
    assert found[:2] == pytest.approx((OMEGA_MASS_GEV, 1.0195), rel=0.01)  # and the phi
    # annihilation of secondary positrons: where NA64 has found it
    (dip,) = dips(load_curve("na64e-1e13-projection"))
    now = load_curve("na64e-2021-fermion")
    assert 3.0 * dip == pytest.approx(min(now.points, key=lambda p: p[1] / p[0] ** 2)[0], rel=0.1)


def test_recoils_of_electrons_and_of_nuclei() -> None:
    # electrons get little, and y grows with m_A'^2 above sqrt(2 m_e E); nucleons and nuclei get
    # much, and y is flat while A' is lighter than that and pi0 decay to it
    def slope(name: str) -> float:
        curve = load_curve(name)
        return math.log(float(curve.at(0.01) / curve.at(0.003))) / math.log(0.01 / 0.003)

    for name in ("lsnd-dark-matter", "e137-dark-matter", "miniboone-2018-electron"):
        assert slope(name) > 1.0
    for name in ("miniboone-2018-nucleon", "coherent-2021", "ccm-2021"):
        assert 0.0 < slope(name) < 0.5
    # arXiv:1702.02688, nucleons: y of about 1e-8 and less for alpha_D = 0.5 and 0.01-0.3 GeV
    nucleon, electron = (load_curve(f"miniboone-2018-{kind}") for kind in ("nucleon", "electron"))
    level = np.exp(np.mean(np.log(nucleon.at(np.geomspace(0.01, 0.3, 200)))))
    assert level == pytest.approx(1e-8, rel=0.3)
    # arXiv:1807.06137: 5-50 MeV not excluded before; LSND is better up to 10 MeV in these lists
    for other in ("lsnd-dark-matter", "e137-dark-matter"):
        assert mean_log(electron, load_curve(other), 0.012, 0.035) < -0.2
