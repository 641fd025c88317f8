"""Planes of dark matter: conversions, thermal lines, excluded alpha_D, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from na64.limits.planes.alpha_d import (
    alpha_d_exclusion,
    invisible_coupling,
    solved_coupling,
    thermal_alpha_d,
)
from na64.limits.planes.transforms import PLANES
from na64.limits.planes.y import Normalisation, coupling_from_y, y_axis, y_from_coupling
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.relic.targets import thermal_target, validity_notes

PORTAL = dark_photon()
SCALAR = DarkSector(DarkMatter.SCALAR, 0.1, 3.0)
MEDIATOR_MASSES = np.geomspace(0.01, 0.9, 9)


def thermal(sector: DarkSector, mediator_masses: object) -> NDArray[np.float64]:
    """Thermal coupling of the dark photon; NaN where there is none."""
    masses = np.asarray(mediator_masses, float) / sector.ratio
    return solved_coupling(thermal_target(PORTAL, sector, masses))


def test_y_of_the_published_benchmark() -> None:
    # alpha_D = 0.1, m_A' = 3 m_chi: y = epsilon^2 0.1/81
    assert y_from_coupling(1e-4, SCALAR) == pytest.approx(1e-8 * 0.1 / 81.0)
    product = y_from_coupling(1e-4, SCALAR, Normalisation.PRODUCT)
    assert product == pytest.approx(1e-8 * 4.0 * math.pi * 0.1 / 81.0)


@settings(max_examples=200)
@given(
    coupling=st.floats(min_value=1e-8, max_value=1.0),
    alpha_d=st.floats(min_value=1e-5, max_value=10.0),
    ratio=st.floats(min_value=2.01, max_value=50.0),
    normalisation=st.sampled_from(list(Normalisation)),
)
def test_there_and_back(
    coupling: float, alpha_d: float, ratio: float, normalisation: Normalisation
) -> None:
    sector = DarkSector(DarkMatter.DIRAC, alpha_d, ratio)
    y = y_from_coupling(coupling, sector, normalisation)
    assert coupling_from_y(y, sector, normalisation) == pytest.approx(coupling, rel=1e-12)


def test_y_keeps_shapes_and_gaps() -> None:
    limits = np.outer([0.5, 1.0, 2.0], 1e-3 * MEDIATOR_MASSES)
    limits[1, 3] = np.nan
    y = y_from_coupling(limits, SCALAR)
    assert y.shape == limits.shape
    assert np.isnan(y[1, 3])
    assert np.sum(np.isnan(y)) == 1
    assert y[2] / y[0] == pytest.approx(16.0)


def test_the_axis_of_y_says_how_it_is_normalised() -> None:
    axis = y_axis(Normalisation.ALPHA_D, "epsilon", "m_A'")
    assert axis.definition == "y = epsilon^2 alpha_D (m_chi/m_mediator)^4"
    assert axis.tex == r"y = \epsilon^2\,\alpha_D\,\left(m_\chi/m_{A'}\right)^4"
    product = y_axis(Normalisation.PRODUCT, "g", "m_Z'")
    assert product.definition == "y = (g_chi g)^2 (m_chi/m_mediator)^4"
    assert product.label == r"$y = (g_\chi\,g_{Z'})^2\,\left(m_\chi/m_{Z'}\right)^4$"


def test_g_of_a_fermion() -> None:
    kind = PLANES["g"]
    assert kind.convert is not None
    options = {"fermion": None}
    found = kind.convert(options, PORTAL, None, MEDIATOR_MASSES, np.full(9, 1e-4))
    assert found == pytest.approx(1e-4 * ELEMENTARY_CHARGE)
    assert kind.axis(options, PORTAL, "m_A'").name == "g_e"
    with pytest.raises(InputError, match="does not couple to 'nu_mu'"):
        kind.convert({"fermion": "nu_mu"}, PORTAL, None, MEDIATOR_MASSES, np.full(9, 1e-4))


def test_thermal_lines_agree_in_all_planes() -> None:
    masses = MEDIATOR_MASSES / 3.0
    target = thermal_target(PORTAL, SCALAR, masses)
    coupling = thermal(SCALAR, MEDIATOR_MASSES)
    assert coupling == pytest.approx(target.coupling)
    assert y_from_coupling(coupling, SCALAR) == pytest.approx(target.y)
    # half the abundance of dark matter, about twice the coupling squared
    half = thermal_target(PORTAL, SCALAR, masses, omega_h2=0.06)
    assert half.y / target.y == pytest.approx(2.0, rel=0.15)


def test_thermal_lines_warn_and_leave_gaps() -> None:
    near = validity_notes(DarkSector(DarkMatter.SCALAR, 0.1, 2.1), PORTAL, np.array([0.01 / 2.1]))
    assert "below 2.3" in near[0]
    dirac = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
    assert np.isnan(thermal(dirac, [3e-4, 3e-2])[0])


def test_alpha_d_of_a_known_limit() -> None:
    # a limit that is the thermal coupling at some alpha_D excludes what is below that
    for species in (DarkMatter.SCALAR, DarkMatter.PSEUDO_DIRAC):
        for alpha_d in (0.003, 0.6):
            sector = DarkSector(species, alpha_d, 3.0)
            needed = thermal(sector, MEDIATOR_MASSES)[None]
            limit = invisible_coupling(PORTAL, sector, MEDIATOR_MASSES, needed, np.array([alpha_d]))
            low, high = alpha_d_exclusion(PORTAL, sector, MEDIATOR_MASSES, limit[0])
            # interpolated between alpha_D half a decade apart, on which y changes by the width
            assert high == pytest.approx(alpha_d, rel=0.03)
            assert np.all(low < 0.5 * alpha_d)


def test_alpha_d_scales_with_the_limit() -> None:
    # y of the relic is constant at R = 8, so alpha_D goes as 1/limit^2: the lower, the more
    sector = DarkSector(DarkMatter.SCALAR, 0.1, 8.0)
    masses = MEDIATOR_MASSES[:5]  # couplings are small there, and decays invisible
    limit = thermal(sector, masses)
    _, high = alpha_d_exclusion(PORTAL, sector, masses, limit / 2.0)
    assert high == pytest.approx(0.4, rel=0.02)


def test_a_tiny_alpha_d_is_not_excluded_because_decays_are_visible() -> None:
    masses = np.array([0.3, 0.6])
    limits = np.array([1e-2, 1e-2])
    low, high = alpha_d_exclusion(PORTAL, SCALAR, masses, limits)
    assert np.all((low > 1.1e-6) & (low < 0.1 * high))
    for row, mass in enumerate(masses):
        sector = DarkSector(DarkMatter.SCALAR, float(low[row]), 3.0)
        coupling = thermal(sector, [mass])[0]
        dark = sector.width_gev(mass, mass)
        visible = coupling**2 * sum(PORTAL.partial_widths(np.array(mass)).values())
        branching = dark / (dark + visible)
        assert branching < 0.1
        # 5 %: interpolated between alpha_D half a decade apart
        assert coupling * math.sqrt(branching) == pytest.approx(limits[row], rel=0.05)


def test_alpha_d_ends() -> None:
    alphas = np.geomspace(1e-3, 1.0, 7)
    limits = np.array([1e-9, 1e-1, np.nan, 2e-4])
    masses = np.full(4, 0.03)
    low, high = alpha_d_exclusion(PORTAL, SCALAR, masses, limits, alphas)
    assert low[0] == pytest.approx(1e-3)  # excludes every alpha_D of the grid
    assert math.isinf(high[0])
    assert np.isnan([low[1], high[1]]).all()  # none
    assert np.isnan([low[2], high[2]]).all()  # no limit
    assert low[3] == pytest.approx(1e-3)
    assert 1e-3 < high[3] < 1.0
    # no thermal coupling below one at all: dark matter lighter than the electron
    dark = np.array([3e-4])
    assert np.isnan(alpha_d_exclusion(PORTAL, SCALAR, dark, [1e-4], alphas)).all()


def test_alpha_d_of_a_limit_that_depends_on_it() -> None:
    alphas = np.geomspace(1e-3, 1.0, 9)
    needed = thermal_alpha_d(PORTAL, SCALAR, MEDIATOR_MASSES / 3.0, alphas)
    assert needed.shape == (9, 9)
    # a limit that falls with alpha_D, equal to the thermal coupling at the fifth value
    seen = invisible_coupling(PORTAL, SCALAR, MEDIATOR_MASSES, needed, alphas)
    limit = seen[4] * (alphas[4] / alphas[:, None]) ** 0.25
    _, high = alpha_d_exclusion(PORTAL, SCALAR, MEDIATOR_MASSES, limit, alphas)
    assert high == pytest.approx(alphas[4], rel=1e-6)


def test_neutrinos_of_the_mediator_count_as_invisible() -> None:
    b_minus_l = mediator("b-minus-l")
    masses, alphas = np.array([0.03]), np.array([1e-9])
    seen = invisible_coupling(b_minus_l, SCALAR, masses, np.array([[1e-2]]), alphas)
    # alpha_D is negligible: three neutrinos against one electron, 3/4
    assert seen[0, 0] == pytest.approx(1e-2 * math.sqrt(0.75), rel=1e-3)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (np.full(8, 1e-4), r"must have shape \(9,\) or \(15, 9\), have \(8,\)"),
        (1e-4, r"have \(\)"),
        (np.full(9, -1e-4), "positive"),
        (np.zeros(9), "positive"),
    ],
)
def test_bad_limits(limit: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        alpha_d_exclusion(PORTAL, SCALAR, MEDIATOR_MASSES, limit)  # type: ignore[arg-type]


def test_other_bad_input() -> None:
    good = np.full(9, 1e-4)
    with pytest.raises(InputError, match="dark-matter mass must be in"):
        alpha_d_exclusion(PORTAL, SCALAR, -MEDIATOR_MASSES, good)
    for alphas in ([0.1], [0.2, 0.1], [[0.1, 0.2]]):
        with pytest.raises(InputError, match="increasing"):
            alpha_d_exclusion(PORTAL, SCALAR, MEDIATOR_MASSES, good, alphas)
    for alphas in ([0.0, 0.1], [0.1, 20.0]):
        with pytest.raises(InputError, match="alpha_D must be above 0"):
            alpha_d_exclusion(PORTAL, SCALAR, MEDIATOR_MASSES, good, alphas)
    with pytest.raises(InputError, match="have shape"):
        alpha_d_exclusion(PORTAL, SCALAR, MEDIATOR_MASSES, np.full((3, 9), 1e-4), [0.1, 0.2])
    with pytest.raises(InputError, match="GeV for a relic abundance"):
        thermal(SCALAR, [31.0])
