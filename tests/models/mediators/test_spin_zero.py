"""Spin-zero mediators and dark-sector widths of every kind of mediator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.constants import MUON_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.protocol import Mediator, MediatorKind
from na64.models.mediators.spin_zero import SpinZeroMediator, pseudoscalar, scalar

KINDS = (
    MediatorKind.VECTOR,
    MediatorKind.AXIAL,
    MediatorKind.SCALAR,
    MediatorKind.PSEUDOSCALAR,
)


def test_widths_to_leptons() -> None:
    mass = 0.3
    beta = math.sqrt(1.0 - 4.0 * MUON_MASS_GEV**2 / mass**2)
    unit = mass / (8.0 * math.pi)
    assert isinstance(scalar(), Mediator)
    assert float(scalar().partial_widths(mass)["mu mu"]) == pytest.approx(unit * beta**3)
    assert float(pseudoscalar().partial_widths(mass)["mu mu"]) == pytest.approx(unit * beta)
    assert float(scalar().coupling("e", 0.1)) == 1.0
    assert float(scalar().coupling("nu_e")) == 0.0


def test_neutrinos_and_quarks() -> None:
    boson = SpinZeroMediator("x", MediatorKind.SCALAR, "g", {"nu_mu": 2.0, "s": 0.5})
    widths = boson.partial_widths(np.array([0.5, 3.0]))
    assert widths["neutrinos"][1] == pytest.approx(4.0 * 3.0 / (8.0 * math.pi))
    assert widths["hadrons"][0] == 0.0  # below 2 m_K
    assert widths["hadrons"][1] == pytest.approx(3.0 * 0.25 * 3.0 / (8.0 * math.pi), rel=0.2)


def test_a_spin_zero_mediator_is_no_vector() -> None:
    with pytest.raises(InputError, match="scalar or pseudoscalar, not vector"):
        SpinZeroMediator("x", MediatorKind.VECTOR, "g", {"e": 1.0})
    with pytest.raises(InputError, match="unknown fermion 'electron'"):
        SpinZeroMediator("x", MediatorKind.SCALAR, "g", {"electron": 1.0})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("species", list(DarkMatter))
def test_dark_width_opens_at_threshold_and_runs(kind: MediatorKind, species: DarkMatter) -> None:
    sector = DarkSector(species, 0.1, 3.0)
    if kind is MediatorKind.PSEUDOSCALAR and species is DarkMatter.SCALAR:
        with pytest.raises(InputError, match="parity"):
            sector.width_gev(1.0, 1.0, kind)
        return
    width = sector.width_gev(np.array([0.6, 0.7, 1.0, 50.0]), 1.0, kind)
    assert width[0] == 0.0
    assert np.all(width[1:] > 0.0)
    # the width of a field with a dimensionless coupling rises with sqrt(s)
    trilinear = kind is MediatorKind.SCALAR and species is DarkMatter.SCALAR
    assert (width[3] < width[2]) if trilinear else (width[3] > 40.0 * width[2])


@given(alpha=st.floats(1e-4, 1.0), ratio=st.floats(2.05, 100.0))
@settings(max_examples=200, deadline=None)
def test_pseudo_dirac_without_splitting_is_dirac_and_majorana_is_half(
    alpha: float, ratio: float
) -> None:
    for kind in KINDS:
        dirac, twin, half = (
            float(DarkSector(species, alpha, ratio).width_gev(0.5, 0.5, kind))
            for species in (DarkMatter.DIRAC, DarkMatter.PSEUDO_DIRAC, DarkMatter.MAJORANA)
        )
        assert twin == pytest.approx(dirac, rel=1e-12)
        # a vector's Majorana current is axial: beta^2/(1 + 2 r) less
        if kind is MediatorKind.VECTOR:
            r = ratio**-2
            half *= (1.0 + 2.0 * r) / (1.0 - 4.0 * r)
        assert half == pytest.approx(0.5 * dirac, rel=1e-9)


def test_dark_widths_by_hand() -> None:
    sector, beta = DarkSector(DarkMatter.DIRAC, 0.1, 4.0), math.sqrt(0.75)
    assert float(sector.width_gev(2.0, 2.0, MediatorKind.SCALAR)) == pytest.approx(0.1 * beta**3)
    assert float(sector.width_gev(2.0, 2.0, MediatorKind.PSEUDOSCALAR)) == pytest.approx(0.1 * beta)
    assert float(sector.width_gev(3.0, 3.0, MediatorKind.AXIAL)) == pytest.approx(0.1 * beta**3)
    scalars = DarkSector(DarkMatter.SCALAR, 0.1, 4.0)
    assert float(scalars.width_gev(4.0, 4.0, MediatorKind.SCALAR)) == pytest.approx(0.1 * beta)
    # twice the energy: half the width of a trilinear coupling, but for phase space
    far = float(scalars.width_gev(8.0, 4.0, MediatorKind.SCALAR))
    assert far == pytest.approx(0.05 * math.sqrt(1.0 - 1.0 / 16.0))


def test_splitting_closes_the_heavier_pair_of_a_diagonal_current() -> None:
    # m_2 = 1.4 m_1: the pair of heavier states is closed at R = 2.5
    split = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 2.5, splitting=0.4)
    light = DarkSector(DarkMatter.MAJORANA, 0.1, 2.5)
    for kind in KINDS[1:]:
        assert float(split.width_gev(1.0, 1.0, kind)) == float(light.width_gev(1.0, 1.0, kind))


def test_a_photon_coupled_mediator_has_no_dark_width() -> None:
    with pytest.raises(InputError, match="photon-coupled"):
        DarkSector().width_gev(1.0, 1.0, MediatorKind.PHOTON_COUPLED)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alpha_d": 0.0}, "alpha_D must be above 0"),
        ({"alpha_d": math.nan}, "alpha_D"),
        ({"alpha_d": 13.0}, "perturbative"),
        ({"ratio": 2.0}, "ratio m_mediator/m_chi must be above 2"),
        ({"splitting": -0.1}, "splitting"),
        ({"splitting": 0.1}, "pseudo-dirac"),
    ],
)
def test_bad_dark_sector(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DarkSector(**values)
