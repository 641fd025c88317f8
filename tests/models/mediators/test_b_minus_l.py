"""B-L, L_mu - L_tau and the four kinds of boson in electron and positron searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits import scan
from na64.models.anomalies import anomalous_moment
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.decays.invisible import invisible_branching
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.gauge_bosons import loop_mixing
from na64.models.mediators.protocol import MediatorKind
from na64.models.mediators.registry import mediator
from na64.models.response.windows import MissingEnergyWindow
from na64.models.signals.missing_energy import missing_energy_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target

MASSES = np.array([0.002, 0.02, 0.1, 0.18, 0.5])
KINDS = ("vector", "axial", "scalar", "pseudoscalar")


@pytest.mark.parametrize(
    ("model", "light"),
    [
        ("b-minus-l", 3 / 4),
        ("b-minus-l-left-handed", 3 / 5),
        ("b-minus-l-heavy-neutrinos", 0.680),
    ],
)
def test_b_minus_l_is_the_dark_photon_over_the_root_of_its_branching(
    model: str, light: float
) -> None:
    options: dict[str, Any] = {"masses_gev": MASSES, "annihilation": False, "method": "asymptotic"}
    photon = scan("na64e-2016-2021", **options)
    boson = scan("na64e-2016-2021", model=model, **options)
    branching = invisible_branching(mediator(model), MASSES, None)
    assert branching[1] == pytest.approx(light, abs=1e-3)
    expected = photon.observed * ELEMENTARY_CHARGE / np.sqrt(branching)
    np.testing.assert_allclose(boson.observed, expected, rtol=1e-9)


def test_l_mu_l_tau_off_electrons_follows_the_loop() -> None:
    options: dict[str, Any] = {"masses_gev": MASSES, "annihilation": False, "method": "asymptotic"}
    photon = scan("na64e-2016-2022", **options).observed
    boson = scan("na64e-2016-2022", model="l-mu-l-tau", dark_matter="dirac", **options).observed
    np.testing.assert_allclose(boson, photon / np.abs(loop_mixing(MASSES**2)), rtol=1e-9)


def test_spins_on_the_resonance() -> None:
    """Narrow: (2 J + 1) Gamma_ee, so that a scalar is half of a vector, and parity is nothing."""
    masses = np.array([0.25, 0.3])
    found = {
        kind: missing_energy_rates(
            Beam("e+", 100.0),
            Target(material("ecal")),
            MissingEnergyWindow(50.0),
            mediator(kind),
            masses,
            settings=SignalSettings(dark_sector=DarkSector(alpha_d=1e-5)),
        ).events[:, 0, 1, 0]
        for kind in KINDS
    }
    np.testing.assert_allclose(found["axial"], found["vector"], rtol=2e-3)
    np.testing.assert_allclose(found["scalar"], 0.5 * found["vector"], rtol=2e-3)
    np.testing.assert_allclose(found["pseudoscalar"], found["scalar"], rtol=2e-3)


def test_four_kinds_down_to_a_kev() -> None:
    masses = np.array([1e-6, 1.6e-6, 1e-5, 1e-3, 0.022, 0.05, 0.09, 0.3, 1.0])
    limits = {kind: scan("na64e-2016-2022", model=kind, masses_gev=masses) for kind in KINDS}
    for limit in limits.values():
        assert limit.complete
        assert np.all(np.isfinite(limit.observed))
    vector, axial, scalar, pseudoscalar = (limits[kind].observed for kind in KINDS)
    # emission of a light axial vector is that of a pseudoscalar of g 2 m_e/M
    light = masses < 2e-6
    np.testing.assert_allclose(
        axial[light], pseudoscalar[light] * masses[light] / (2.0 * 0.511e-3), rtol=0.01
    )
    heavy = (masses > 0.02) & (masses < 0.1)  # the wings of the resonance know the parity
    np.testing.assert_allclose(scalar[heavy], pseudoscalar[heavy], rtol=5e-3)
    np.testing.assert_allclose(axial[heavy], vector[heavy], rtol=5e-3)
    assert np.all(scalar[heavy] > 1.4 * vector[heavy])


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_to_the_moment_of_the_electron(kind: str) -> None:
    """At the limits of 2.84e11 electrons |Delta a_e| is 1e-15 to 1e-13 (arXiv:2102.01885)."""
    masses = np.array([1e-3, 3e-3, 0.01, 0.03, 0.1])
    limit = scan(
        "na64e-2016-2018",
        model=kind,
        masses_gev=masses,
        annihilation=False,  # as in that search
        method="asymptotic",
    )
    moved = anomalous_moment(MediatorKind(kind), masses, "e", limit.observed)
    assert np.all((np.abs(moved) > 1e-15) & (np.abs(moved) < 1e-13))
    assert np.all((moved > 0.0) == (kind in ("vector", "scalar")))
