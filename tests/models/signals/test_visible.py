"""Visible decays behind a dump: Monte Carlo, scaling laws, the published region, the X17."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.constants import ALPHA, ELECTRON_MASS_GEV
from na64.models.decays.in_flight import decay_length_cm
from na64.models.decays.widths import vector_to_fermions
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.registry import mediator
from na64.models.mediators.vectors import dark_photon
from na64.models.production.boson_flux import emission_flux
from na64.models.production.emission import emission_spectrum
from na64.models.response.windows import DumpWindow
from na64.models.showers.cascade import cascade
from na64.models.signals.visible import visible_rates
from na64.models.targets import Beam, Target
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import load_card
from na64.workspaces.pyhf.template import Template

BEAM = Beam("e-", 100.0)
DUMP = Target(material("tungsten"), 14.0)
WINDOW = DumpWindow(29.0, 379.0, 30.0)

# NA64, arXiv:1912.11389, figure 5, 90 % CL: mass in GeV, lower and upper edge of epsilon
PUBLISHED = np.array(
    [
        (0.00224, 8.62e-5, 1.00e-2),
        (0.00342, 8.81e-5, 5.78e-3),
        (0.00499, 9.03e-5, 3.51e-3),
        (0.00703, 9.34e-5, 2.23e-3),
        (0.0106, 1.00e-4, 1.29e-3),
        (0.0134, 1.07e-4, 9.24e-4),
        (0.0166, 1.18e-4, 6.70e-4),
        (0.0194, 1.31e-4, 5.10e-4),
        (0.0217, 1.48e-4, 4.01e-4),
    ]
)
PUBLISHED_TIP = 0.0248


def events(
    masses: object,
    couplings: object = None,
    window: DumpWindow = WINDOW,
    model: str = "dark-photon",
) -> np.ndarray:
    found = visible_rates(BEAM, DUMP, window, mediator(model), masses, couplings=couplings)  # type: ignore[arg-type]
    return found.events[:, :, 0, 0]


def edges(counts: np.ndarray, couplings: np.ndarray, limit: float) -> list[float]:
    """Couplings at which the events cross a limit, by interpolation of the logarithms."""
    possible = counts > 1e-100
    y, x = np.log(counts[possible] / limit), np.log(couplings[possible])
    at = np.flatnonzero(np.diff(np.sign(y)))
    return [float(np.exp(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))) for i in at]


@pytest.mark.parametrize("epsilon", [1e-4, 5e-4])
def test_against_decay_vertices(epsilon: float) -> None:
    # leptons from the cascade's nodes, boson energies from dsigma/dE, vertices from an exponential
    mass = 0.0167
    rng = np.random.default_rng(4104)
    shower = cascade(DUMP.material, "e-", 100.0, floor_gev=30.0, step=0.05)
    leptons = shower.energies_gev[:-1]
    track = (shower.weights[0] + shower.weights[1])[:-1]
    left = np.geomspace(2e-5, 0.69, 300)
    total, counted = 0.0, 0.0
    for energy, weight in zip(leptons, track, strict=True):
        bosons = np.sort(energy * (1.0 - left))
        bosons = bosons[bosons > 30.0]
        if len(bosons) < 10:
            continue
        density = emission_spectrum(energy, mass, bosons, DUMP.material)[0, 0]
        cumulative = np.concatenate(
            [[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(bosons))]
        )
        drawn = np.interp(rng.uniform(0.0, cumulative[-1], 4000), cumulative, bosons)
        width = float(vector_to_fermions(mass, ELECTRON_MASS_GEV, ALPHA * epsilon**2))
        vertex = rng.exponential(1.0, len(drawn)) * decay_length_cm(drawn, mass, width)
        inside = np.mean((vertex > 29.0) & (vertex < 379.0))
        counted += weight * cumulative[-1] * inside
        total += weight * cumulative[-1]
    found = events(mass, [epsilon, 1.0])[0, 0] / epsilon**2
    assert total > 0.0
    # statistics 0.5 %, coarse cascade of the test 1 %
    assert found == pytest.approx(counted, rel=0.03)


def test_lower_edge_goes_with_the_fourth_root_of_the_production() -> None:
    # production and decay both go with eps^2 while the decay length is far above the distance
    couplings = np.geomspace(1e-6, 1e-3, 121)
    counts = events(0.002, couplings)[0]
    once, ten = (edges(n * counts, couplings, 1.0)[0] for n in (1e12, 1e13))
    assert once / ten == pytest.approx(10.0**0.25, rel=0.01)


def test_upper_edge_goes_with_the_root_of_the_dump_length() -> None:
    # eps^2 m^2 L/E is fixed up to a logarithm: half a dump, sqrt(2) of the coupling
    couplings = np.geomspace(1e-4, 3e-2, 201)
    short, long = (
        edges(1e10 * events(0.005, couplings, DumpWindow(start, 400.0, 30.0))[0], couplings, 1.0)[
            -1
        ]
        for start in (15.0, 30.0)
    )
    assert short / long == pytest.approx(np.sqrt(2.0), rel=0.08)
    # and ten times the production, which moves the lower edge by 1.78, moves it little
    counts = 1e10 * events(0.005, couplings)[0]
    ratio = edges(10.0 * counts, couplings, 1.0)[-1] / edges(counts, couplings, 1.0)[-1]
    assert 1.0 < ratio < 1.25


def test_published_region() -> None:
    card = load_card("na64e-visible-2017-2018")
    template = Template.from_card(card)
    tips = np.linspace(0.0235, 0.0265, 13)
    found = signal_rates(card, dark_photon(), np.concatenate([PUBLISHED[:, 0], tips]))
    total = template.signal_events(found).sum(axis=(2, 3))
    # 2.36 events exclude at 90 % CL without background and with the card's uncertainties
    crossings = [edges(row, found.couplings, 2.36) for row in total]
    for (_, lower, upper), ours in zip(PUBLISHED, crossings[: len(PUBLISHED)], strict=True):
        assert ours[0] == pytest.approx(lower, rel=0.20)
        assert ours[1] == pytest.approx(upper, rel=0.15)
    excluded = [m for m, ours in zip(tips, crossings[len(PUBLISHED) :], strict=True) if ours]
    assert max(excluded) == pytest.approx(PUBLISHED_TIP, rel=0.05)


def test_x17_slice() -> None:
    # arXiv:1912.11389 excludes 1.2e-4 < epsilon < 6.8e-4 at 16.7 MeV
    card = load_card("na64e-visible-2017-2018")
    found = signal_rates(card, dark_photon(), [0.0167])
    total = Template.from_card(card).signal_events(found).sum(axis=(2, 3))[0]
    low, high = edges(total, found.couplings, 2.36)
    assert low == pytest.approx(1.2e-4, rel=0.2)
    assert high == pytest.approx(6.8e-4, rel=0.05)


def test_future_set_up() -> None:
    # the collaboration's own claim is a reach to epsilon of about 1.3e-3 at 16.7 MeV; our dump of
    # 12 cm, an assumption, gives a fifth more
    card = load_card("na64e-visible-1e12")
    found = signal_rates(card, dark_photon(), [0.0167])
    total = Template.from_card(card).signal_events(found).sum(axis=(2, 3))[0]
    assert edges(total, found.couplings, 2.36)[1] == pytest.approx(1.3e-3, rel=0.25)


@pytest.mark.parametrize("model", ["axial", "scalar", "pseudoscalar"])
def test_other_bosons(model: str) -> None:
    couplings = np.geomspace(1e-6, 1e-2, 81)
    counts = 8.4e10 * 0.48 * events(0.005, couplings, model=model)[0]
    low, high = edges(counts, couplings, 2.36)
    assert low < high
    # widths differ by factors of order one from a vector of the same coupling g = epsilon e
    vector = edges(8.4e10 * 0.48 * events(0.005, couplings / 0.3028)[0], couplings, 2.36)
    assert 0.3 < low / vector[0] < 3.0
    assert 0.3 < high / vector[1] < 3.0


def test_above_two_muons_only_electron_pairs_count() -> None:
    # far below a decay length the number in the volume goes with Gamma_ee alone, not with the
    # total width: the branching ratio cancels
    masses = np.array([0.25])
    found = events(masses, [1e-8, 2e-8])[0]
    widths = dark_photon().partial_widths(masses)
    assert widths["mu mu"][0] > 0.3 * widths["e e"][0]
    flux = emission_flux(DUMP.material, "e-", 100.0, masses, 30.0)
    per_length = 350.0 / decay_length_cm(flux.energies_gev, 0.25, 1e-16 * widths["e e"][0])
    expected = np.sum(flux.weights * per_length) * 1e-16
    assert found[0] == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("mass", [0.5e-3, 2.0 * ELECTRON_MASS_GEV])
def test_mass_below_the_pair_threshold(mass: float) -> None:
    with pytest.raises(InputError, match=r"threshold of e\+ e-"):
        events([0.01, mass])


def test_dump_longer_than_the_start_of_the_decay_volume() -> None:
    with pytest.raises(InputError, match="inside the target"):
        visible_rates(BEAM, Target(material("tungsten"), 30.0), WINDOW, dark_photon(), [0.01])


def test_no_coupling_to_electrons() -> None:
    with pytest.raises(InputError, match="does not couple"):
        visible_rates(BEAM, DUMP, WINDOW, mediator("alp"), [0.01])


def test_lifetimes_that_overflow_give_no_events() -> None:
    counts = events([0.002, 0.03, 0.5], [1e-150, 1e-6, 1.0, 1e3])
    assert np.all(np.isfinite(counts))
    assert np.all(counts[:, [0, 3]] == 0.0)
