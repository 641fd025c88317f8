"""Form factors: limits, normalisation, and the two nuclear models against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.form_factors import (
    NuclearModel,
    g2_elastic,
    g2_inelastic,
    nuclear_scale_gev2,
    screening_length,
)
from na64.models.materials import Element

LEAD = Element("Pb", 82, 207.2)
CARBON = Element("C", 6, 12.011)


def test_scales_of_lead() -> None:
    """1/a = 20 keV and sqrt(d) = 68 MeV, the atom and the nucleus."""
    assert 1.0 / screening_length(LEAD) == pytest.approx(2.0e-5, rel=0.01)
    assert np.sqrt(nuclear_scale_gev2(LEAD)) == pytest.approx(0.0684, rel=0.01)


@pytest.mark.parametrize("nuclear", list(NuclearModel))
@pytest.mark.parametrize("element", [LEAD, CARBON])
def test_elastic_limits(element: Element, nuclear: NuclearModel) -> None:
    """Neutral seen from afar, Z^2 between atom and nucleus, nothing beyond."""
    a2 = screening_length(element) ** 2
    far = g2_elastic([1e-3 / a2, 2e-3 / a2], element, nuclear)
    assert far[1] / far[0] == pytest.approx(4.0, rel=5e-3)
    middle = np.sqrt(nuclear_scale_gev2(element) / a2)
    assert g2_elastic(middle, element, nuclear) == pytest.approx(element.z**2, rel=5e-3)
    assert g2_elastic(4.0, element, nuclear) < 1e-2
    assert g2_elastic(0.0, element, nuclear) == 0.0


def test_dipole_is_a_half_power_at_its_scale() -> None:
    scale = nuclear_scale_gev2(LEAD)
    assert g2_elastic(scale, LEAD) == pytest.approx(82**2 / 4.0, rel=1e-5)


def test_charge_radii() -> None:
    """<r^2> = -3 d ln G2/dt: Helm has lead's radius, 5.5 fm; the dipole sqrt(6/d) = 7.06 fm."""
    t = np.array([1e-6, 1e-5])  # far above screening
    for nuclear, radius_fm in ((NuclearModel.HELM, 5.5), (NuclearModel.DIPOLE, 7.06)):
        screening = (screening_length(LEAD) ** 2 * t / (1.0 + screening_length(LEAD) ** 2 * t)) ** 2
        shape = np.log(g2_elastic(t, LEAD, nuclear) / screening)
        slope = (shape[1] - shape[0]) / (t[1] - t[0])
        assert np.sqrt(-3.0 * slope) * 0.1973269804 == pytest.approx(radius_fm, rel=0.02)


def test_helm_series_joins_the_closed_form() -> None:
    """Around q R = 0.05 the function has no step."""
    t = np.linspace(1.5e-6, 5e-6, 400)
    values = np.log(g2_elastic(t, LEAD, NuclearModel.HELM))
    second = np.diff(values, 3)
    assert np.all(np.abs(second) < 1e-7)


def test_inelastic_counts_protons() -> None:
    """Z far above the screening and below 0.71 GeV^2, and Rosenbluth's combination at 1 GeV^2."""
    assert g2_inelastic(1e-4, LEAD) == pytest.approx(82.0, rel=2e-3)
    tau = 1.0 / (4.0 * 0.93827209**2)
    rosenbluth = (1.0 + 2.79**2 * tau) / (1.0 + tau) / (1.0 + 1.0 / 0.71) ** 4
    assert g2_inelastic(1.0, LEAD) == pytest.approx(82.0 * rosenbluth, rel=1e-5)


@settings(max_examples=200, deadline=None)
@given(
    t=st.floats(-14.0, 1.0).map(lambda p: 10.0**p),
    z=st.integers(1, 92),
    nuclear=st.sampled_from(list(NuclearModel)),
)
def test_bounded_by_the_point_charge(t: float, z: int, nuclear: NuclearModel) -> None:
    element = Element("X", z, 2.4 * z)
    assert 0.0 <= g2_elastic(t, element, nuclear) <= z**2
    assert 0.0 <= g2_inelastic(t, element) <= 1.01 * z
