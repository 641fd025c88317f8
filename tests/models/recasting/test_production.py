"""Relative rates of vectors: symmetries, the anomaly, and what is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from na64.models.constants import ALPHA, ELEMENTARY_CHARGE
from na64.models.decays.hadrons import OMEGA_MASS_GEV, pion_photon_ratio
from na64.models.errors import InputError
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import VectorMediator
from na64.models.recasting.channels import FinalState, Production
from na64.models.recasting.decays import seen_width, total_width, widths_known
from na64.models.recasting.mesons import GENERATORS, decay_amplitude, running_breit_wigner
from na64.models.recasting.production import production_rate

PHOTON = GENERATORS["photon"]


def test_mesons_to_two_photons() -> None:
    # the anomaly is tr(T Q Q), 1/6 for the pi0
    for meson in ("pi0", "eta", "eta'"):
        exact = float(np.sum(np.multiply(GENERATORS[meson], np.square(PHOTON))))
        # vector dominance at M = 0: rho, omega and phi, of tr(T T) = 1/2, are complete
        assert 2.0 * abs(decay_amplitude(meson, "photon", PHOTON, 1e-3)) == pytest.approx(
            abs(exact), rel=1e-5
        )


def test_a_protophobic_boson_is_not_made_by_the_pi0() -> None:
    # tr(T_pi Q_gamma Q) vanishes for 2 x_u + x_d = 0 (arXiv:1604.07411), but for rho and omega
    # having different masses; the emission off protons vanishes too
    protophobic = VectorMediator("protophobic", "g", {"u": -1 / 3, "d": 2 / 3, "e": 0.1})
    photon = mediator("dark-photon")
    for process, small in (("pi0 -> gamma X", 1e-6), ("proton bremsstrahlung", 1e-12)):
        rates = [production_rate(Production(process), one, 0.05) for one in (protophobic, photon)]
        assert rates[0] / rates[1] * ELEMENTARY_CHARGE**2 < small


def test_resonances() -> None:
    assert running_breit_wigner("rho", 1e-3) == pytest.approx(1.0, rel=1e-5)
    assert abs(running_breit_wigner("omega", OMEGA_MASS_GEV)) == pytest.approx(
        OMEGA_MASS_GEV / 8.68e-3, rel=0.01
    )
    # the phi alone: only strange quarks count
    bare = decay_amplitude("phi", "eta", (1.0, 1.0, 0.0), 0.3)
    assert bare == 0.0
    assert decay_amplitude("omega", "pi0", (0.5, 0.5, 1.0), 0.3) == 0.0  # the rho alone


def test_pi0_gamma_below_the_omega() -> None:
    # R of pi0 gamma is 2 s Gamma(pi0 -> 2 gamma)/(pi alpha m^3) (1 - m^2/s)^3 |F|^2; half of the
    # amplitude at s = 0 is the omega's. The running width of the omega, fixed at its peak, is
    # within a factor of 1.5 of that far below it
    s, m = 0.3**2, 0.1349768
    anomaly = 2.0 * s * 7.80e-9 / (math.pi * ALPHA * m**3) * (1.0 - m**2 / s) ** 3
    form = OMEGA_MASS_GEV**2 / (OMEGA_MASS_GEV**2 - s)
    assert float(pion_photon_ratio(s)) == pytest.approx(0.25 * anomaly * form**2, rel=0.5)
    # Darkcast has 5.69e-6 there (arXiv:1801.04847, vmd/rf.pi0_gamma.omega.dat)
    assert float(pion_photon_ratio(s)) == pytest.approx(5.69e-6, rel=0.1)


def test_what_is_seen_adds_up() -> None:
    masses = np.array([0.01, 0.3, 0.6, 1.2])
    for name in ("dark-photon", "b-minus-l", "l-mu-l-tau"):
        one = mediator(name)
        visible = seen_width(one, [FinalState.VISIBLE], masses)
        invisible = seen_width(one, [FinalState.NEUTRINOS], masses)
        assert visible + invisible == pytest.approx(total_width(one, masses))
        leptons = seen_width(one, [FinalState.ELECTRONS, FinalState.MUONS], masses)
        hadrons = seen_width(one, [FinalState.HADRONS], masses)
        assert leptons + hadrons == pytest.approx(visible)  # below two taus
        charged = seen_width(one, [FinalState.CHARGED], masses)
        assert np.all(charged <= visible)
        assert charged == pytest.approx(visible, rel=0.1)


def test_pion_pairs_are_of_the_rho() -> None:
    masses = np.array([0.2, 0.5, 0.7])
    photon, b_minus_l = mediator("dark-photon"), mediator("b-minus-l")
    pairs, hadrons = (
        seen_width(photon, [state], masses) for state in (FinalState.PIONS, FinalState.HADRONS)
    )
    assert pairs[0] == 0.0
    assert pairs[1:] == pytest.approx(hadrons[1:], rel=0.02)  # with pi0 gamma and the 3 pi
    # B-L has no rho: what is left is the mixing of the omega with it
    ratio = seen_width(b_minus_l, [FinalState.PIONS], masses)[1:] / pairs[1:]
    assert np.all(ratio * ELEMENTARY_CHARGE**2 < 2e-2)
    assert seen_width(photon, [FinalState.PIONS, FinalState.HADRONS], masses) == pytest.approx(
        hadrons
    )


def test_masses_and_processes_that_are_not_known() -> None:
    assert widths_known(mediator("b-minus-l"), [0.1, 30.0, 60.0]).tolist() == [True, True, False]
    assert widths_known(mediator("vector"), [0.1, 60.0]).all()  # it has no hadrons
    with pytest.raises(InputError, match="rate of supernova is not known"):
        production_rate(Production.SUPERNOVA, mediator("dark-photon"), 0.1)
    with pytest.raises(InputError, match="alp is photon-coupled"):
        production_rate(Production.E_E_TO_GAMMA, mediator("alp"), 0.1)
    # a mixing with the photon is what K+ -> pi+ X is known for
    rates = [
        production_rate(Production.KAON_TO_PION, mediator(name), 0.1)
        / production_rate(Production.E_E_TO_GAMMA, mediator(name), 0.1)
        for name in ("dark-photon", "l-mu-l-tau")
    ]
    assert rates[0] == pytest.approx(4 / 9)
    assert rates[1] == pytest.approx(4 / 9)
