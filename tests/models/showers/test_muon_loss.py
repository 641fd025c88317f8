"""Losses of muons: single processes against tables, their sum against its moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from na64.models.constants import ELECTRON_MASS_GEV, MUON_MASS_GEV
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.showers.muon_interactions import RADIATION, knock_on, largest_knock_on
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm, radiative_loss_gev_cm
from na64.models.showers.muon_straggling import loss_distribution

ECAL = material("ecal")
LENGTH = 45.0


@pytest.mark.parametrize(
    ("name", "energy", "expected"),
    [
        # MeV cm^2/g of bremsstrahlung, pairs and nuclei, and in all: tables in the format of Groom
        # et al. made with the library PUMAS 1.0 (github.com/niess/pumas-materials, three digits)
        ("lead", 20.1, (0.0794, 0.103, 0.00627, 1.888)),
        ("lead", 100.1, (0.537, 0.791, 0.0305, 3.218)),
        ("lead", 200.1, (1.180, 1.762, 0.0602, 4.922)),
        ("iron", 100.1, (0.222, 0.316, 0.0338, 2.778)),
        ("iron", 1000.1, (2.863, 4.174, 0.348, 9.813)),
    ],
)
def test_mean_loss_by_process(name: str, energy: float, expected: tuple[float, ...]) -> None:
    what = material(name)
    scale = 1e3 / what.density_g_cm3
    found = radiative_loss_gev_cm(energy, what)
    *parts, total = expected
    # nuclei: a later parametrisation there, with more shadowing in lead; 2 to 5 % of the radiation
    for process, value, within in zip(RADIATION, parts, (0.015, 0.01, 0.25), strict=True):
        assert scale * float(found[process]) == pytest.approx(value, rel=within), process
    assert scale * float(muon_energy_loss_gev_cm(energy, what)) == pytest.approx(total, rel=0.01)


@pytest.mark.parametrize(("name", "least"), [("iron", 1.451), ("lead", 1.122)])
def test_minimum_ionisation_is_where_it_is_measured(name: str, least: float) -> None:
    # MeV cm^2/g, Particle Data Group: at p = 0.3 to 0.4 GeV
    what, energy = material(name), np.linspace(0.15, 1.0, 86)
    loss = muon_energy_loss_gev_cm(energy, what) * 1e3 / what.density_g_cm3
    assert loss.min() == pytest.approx(least, rel=5e-3)
    assert 0.3 < energy[loss.argmin()] < 0.42
    # 1/beta^2 is 1.8 times that of the minimum at 0.15 GeV, the logarithm 0.8 times
    assert 1.35 < loss[0] / loss.min() < 1.65


def test_knock_on_electrons_are_those_of_bethe() -> None:
    """Without the radiation off them: the loss above 10 MeV is the logarithm of the formula."""
    lead, energy, least = material("lead"), 100.0, 0.01
    ((element, density),) = lead.number_densities_cm3
    largest = float(largest_knock_on(np.asarray(energy)))
    hard, _ = quad(
        lambda t: float(density * np.exp(2 * t) * knock_on(np.array(energy), np.exp(t), element)),
        np.log(least),
        np.log(largest),
    )
    scale = 2.0 * np.pi * (2.8179403e-13) ** 2 * ELECTRON_MASS_GEV * lead.electron_density_cm3
    bethe = scale * (np.log(largest / least) - 1.0 + 0.25 * (largest / energy) ** 2)
    # the rest is radiated, 7.5 % by the leading logarithms of Groom et al. (the last term of their
    # electronic stopping power), which leave out that the spectrum falls below 1/epsilon^2
    assert 1.04 < hard / bethe < 1.075


def test_no_process_takes_more_than_there_is() -> None:
    lead = material("lead").number_densities_cm3[0][0]
    energies = np.array([1.0, 10.0, 160.0])[:, None]
    losses = energies * np.array([1e-3, 0.1, 0.5, 0.9, 1.0, 1.5])
    for process in (knock_on, *RADIATION.values()):
        spectrum = process(energies, losses, lead)
        assert np.all(np.isfinite(spectrum) & (spectrum >= 0.0))
        assert np.all(spectrum[losses >= energies] == 0.0)


@pytest.mark.parametrize("energy", [0.5, 5.0, 45.0, 160.0])
def test_the_distribution_has_the_mean_loss(energy: float) -> None:
    found = loss_distribution(energy, ECAL, LENGTH)
    assert found.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    assert found.probabilities.min() > -1e-9
    if energy > 1.0:  # a slower one stops
        mean = LENGTH * float(muon_energy_loss_gev_cm(energy, ECAL))
        assert found.mean_gev == pytest.approx(mean, rel=1e-5)


def test_its_variance_is_that_of_single_losses() -> None:
    energy = 160.0
    found = loss_distribution(energy, ECAL, LENGTH)
    variance = found.probabilities @ (found.losses_gev - found.mean_gev) ** 2

    def second(log_loss: float) -> float:
        loss = np.exp(log_loss)
        return float(
            sum(
                density * loss**3 * process(np.array(energy), loss, element)
                for element, density in ECAL.number_densities_cm3
                for process in (knock_on, *RADIATION.values())
            )
        )

    expected, _ = quad(second, np.log(1e-3), np.log(energy), limit=40, epsrel=2e-3)
    assert variance == pytest.approx(LENGTH * expected, rel=0.01)


def test_two_lengths_are_their_convolution() -> None:
    one, two = (loss_distribution(20.0, ECAL, length) for length in (20.0, 40.0))
    assert one.step_gev == two.step_gev
    twice = np.convolve(one.probabilities, one.probabilities)[: len(two.probabilities)]
    apart = np.abs(np.cumsum(twice) - np.cumsum(two.probabilities))
    # the steady loss falls between the steps: the peak is shared out to both
    assert apart.max() < 0.02
    assert apart[one.losses_gev > 1.0].max() < 1e-3


def test_most_probable_loss_is_landaus() -> None:
    """Particle Data Group, passage of particles through matter, most probable loss."""
    energy, lead, length = 10.0, material("lead"), 45.0
    ((substance, _),) = lead.parts
    gamma = energy / MUON_MASS_GEV
    xi = 0.1535e-3 * 82.0 / 207.2 * 11.35 * length
    excitation = substance.mean_excitation_ev * 1e-9
    c, _, x1, a, k = substance.sternheimer
    x = np.log10(gamma)
    delta = 2.0 * np.log(10.0) * x - c + a * (x1 - x) ** k
    expected = xi * (
        np.log(2.0 * ELECTRON_MASS_GEV * gamma**2 / excitation)
        + np.log(xi / excitation)
        + 0.2
        - 1.0
        - delta
    )
    found = loss_distribution(energy, lead, length)
    most = found.losses_gev[found.probabilities.argmax()]
    # one step is 1 % of it, soft radiation and the end of the spectrum another
    assert most == pytest.approx(expected, rel=0.03)
    assert most < 0.85 * found.mean_gev


def test_hard_losses_happen_once() -> None:
    energy = 160.0
    found = loss_distribution(energy, ECAL, LENGTH)
    expected, _ = quad(
        lambda t: float(
            sum(
                density * np.exp(t) * process(np.array(energy), np.exp(t), element)
                for element, density in ECAL.number_densities_cm3
                for process in (knock_on, *RADIATION.values())
            )
        ),
        np.log(20.0),
        np.log(energy),
    )
    # the usual loss of 0.5 GeV comes on top, which lowers the threshold by 2.5 %
    assert float(1.0 - found.below(np.array(20.0))) == pytest.approx(LENGTH * expected, rel=0.06)


def test_nodes_have_the_moments_of_the_distribution() -> None:
    found = loss_distribution(160.0, ECAL, LENGTH)
    kept = found.losses_gev <= 10.0
    losses, chances = found.nodes(3, 10.0)
    for power in range(6):
        direct = found.probabilities[kept] @ found.losses_gev[kept] ** power
        assert chances @ losses**power == pytest.approx(direct, rel=1e-8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.05, 45.0), "energy of a muon must be above its mass, is 0.05"),
        ((160.0, 0.0), "length must be positive and finite, is 0"),
        ((160.0, float("inf")), "length must be positive"),
    ],
)
def test_bad_input(values: tuple[float, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss_distribution(values[0], ECAL, values[1])
