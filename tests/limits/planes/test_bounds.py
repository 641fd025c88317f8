"""Bounds from elsewhere: Landau poles, the microwave background, light elements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.limits.planes.bounds import (
    CMB_LIMIT_CM3_S_GEV,
    MASS_FLOORS,
    cmb_limit,
    landau_pole,
)
from na64.models.constants import PLANCK_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import VectorMediator, dark_photon
from na64.models.relic.targets import thermal_target
from na64.models.relic.thermal_average import X_MAX, ThermalAverage

PORTAL = dark_photon()
DIRAC = DarkSector(DarkMatter.DIRAC, 0.1, 3.0)
MASSES = np.array([0.001, 0.01, 0.1, 1.0])


@pytest.mark.parametrize(
    ("species", "scale", "quoted"),
    [
        # as quoted by NA64 with one digit (pole above 1 TeV, above the Planck mass)
        (DarkMatter.SCALAR, 1e3, 0.8),
        (DarkMatter.PSEUDO_DIRAC, 1e3, 0.2),
        (DarkMatter.SCALAR, PLANCK_MASS_GEV, 0.2),
        (DarkMatter.PSEUDO_DIRAC, PLANCK_MASS_GEV, 0.05),
    ],
)
def test_landau_poles_as_quoted(species: DarkMatter, scale: float, quoted: float) -> None:
    assert landau_pole(species, scale) == pytest.approx(quoted, rel=0.05)


def test_majorana_landau_pole_is_between() -> None:
    # one bound, 0.2 and 0.05, is quoted for all fermions: for Majorana it is on the safe side
    assert 0.2 < landau_pole(DarkMatter.MAJORANA, 1e3) < 0.3
    assert 0.05 < landau_pole(DarkMatter.MAJORANA) < 0.07


def test_a_majorana_fermion_screens_half_as_much_as_a_dirac_one_and_a_scalar_a_quarter() -> None:
    dirac, majorana, scalar = (
        landau_pole(species, higgs_charge=0.0)
        for species in (DarkMatter.DIRAC, DarkMatter.MAJORANA, DarkMatter.SCALAR)
    )
    assert majorana == pytest.approx(2.0 * dirac, rel=1e-12)
    assert scalar == pytest.approx(4.0 * dirac, rel=1e-12)


def test_landau_pole_solves_the_running() -> None:
    # integrate d alpha/d ln mu = b alpha^2/(2 pi) up to the pole
    for species, slope in ((DarkMatter.DIRAC, 4 / 3), (DarkMatter.SCALAR, 1 / 3)):
        start = landau_pole(species, 1e3, mediator_mass_gev=0.1, higgs_charge=0.0)
        alpha, step = start, 1e-4
        for _ in range(int(0.98 * math.log(1e4) / step)):
            middle = alpha + 0.5 * step * slope * alpha**2 / (2.0 * math.pi)
            alpha += step * slope * middle**2 / (2.0 * math.pi)
        assert start / alpha == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(("mass", "scale"), [(1.0, 1.0), (2.0, 1.0), (0.0, 1.0), (-1.0, 1.0)])
def test_landau_pole_bad_input(mass: float, scale: float) -> None:
    with pytest.raises(InputError, match="must be above the mass"):
        landau_pole(DarkMatter.DIRAC, scale, mediator_mass_gev=mass)


def test_cmb_excludes_symmetric_dirac_below_a_gev() -> None:
    # even if only a tenth of the energy is deposited (Planck 2018, arXiv:1807.06209)
    thermal = thermal_target(PORTAL, DIRAC, MASSES).coupling
    assert np.all(cmb_limit(PORTAL, DIRAC, MASSES, deposited_fraction=0.1) < 0.3 * thermal)


def test_cmb_limit_is_where_the_rate_is() -> None:
    limit = cmb_limit(PORTAL, DIRAC, MASSES[1:3], deposited_fraction=0.5)
    for mass, coupling in zip(MASSES[1:3], limit, strict=True):
        average = ThermalAverage(PORTAL, DIRAC, np.array([mass]))(X_MAX, coupling)[0, 0]
        rate = 0.5 * average * 1.1673e-17 / mass  # GeV^-2 to cm^3/s
        assert rate == pytest.approx(CMB_LIMIT_CM3_S_GEV, rel=0.01)


def test_cmb_spares_the_others() -> None:
    for sector in (
        DarkSector(DarkMatter.SCALAR, 0.1, 3.0),
        DarkSector(DarkMatter.MAJORANA, 0.1, 3.0),
        DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.1),
    ):
        assert np.all(np.isnan(cmb_limit(PORTAL, sector, MASSES)))
    # without a splitting pseudo-Dirac is Dirac; below the electron mass annihilation is closed
    degenerate = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0)
    assert cmb_limit(PORTAL, degenerate, MASSES) == pytest.approx(cmb_limit(PORTAL, DIRAC, MASSES))
    assert np.isnan(cmb_limit(PORTAL, DIRAC, 3e-4)[0])


def test_cmb_does_not_see_neutrinos() -> None:
    invisible = VectorMediator("nu", "g", {"nu_e": 1.0})
    assert np.all(np.isnan(cmb_limit(invisible, DIRAC, MASSES)))


def test_cmb_bad_input() -> None:
    for fraction in (0.0, -0.1, 1.1, math.nan):
        with pytest.raises(InputError, match="deposited fraction"):
            cmb_limit(PORTAL, DIRAC, MASSES, deposited_fraction=fraction)
    with pytest.raises(InputError, match="masses must be positive"):
        cmb_limit(PORTAL, DIRAC, [0.1, -0.1])


def test_mass_floors_name_their_source() -> None:
    assert MASS_FLOORS["bbn"].mass_gev == 0.4e-3
    assert MASS_FLOORS["bbn+cmb"].mass_gev == 3.7e-3
    for floor in MASS_FLOORS.values():
        assert "arXiv:1910.01649" in floor.source
        assert floor.confidence
        assert floor.valid_for
