"""Invisible mesons: mesons per pion, limits on branching ratios beside the published ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from na64.limits import scan
from na64.models.errors import InputError
from na64.models.materials import material
from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.mesons import invisible_mesons
from na64.models.mediators.registry import mediator
from na64.models.production.charge_exchange import MESONS
from na64.models.response.windows import MesonWindow
from na64.models.signals.mesons import meson_of_mass, meson_rates
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.quantity import MassTable
from na64.workspaces.cards.reader import load_card
from na64.workspaces.pyhf.template import Template

ETA, ETA_PRIME = MESONS["eta"].mass_gev, MESONS["eta-prime"].mass_gev
CALORIMETER = Target(material("ecal"), 45.0)
WINDOW = MesonWindow(33.8)
SPLIT = DarkSector(DarkMatter.PSEUDO_DIRAC, 0.1, 3.0, 0.4)
# NA64h, arXiv:2406.01990: 2.9e9 pions, no event, 90 % CL; with 2.3 events they imply 2.1e4 eta and
# 1.1e4 eta' that would have been seen
PIONS = 2.9e9
PUBLISHED = {"eta": 1.1e-4, "eta-prime": 2.1e-4}


def test_uncalibrated_prediction() -> None:
    rates = meson_rates(
        Beam("pi-", 50.0), CALORIMETER, WINDOW, invisible_mesons(), [ETA, ETA_PRIME]
    )
    mesons = PIONS * rates.events[:, 0, 0, 0]
    implied = 2.3 / np.array([PUBLISHED["eta"], PUBLISHED["eta-prime"]])
    np.testing.assert_allclose(implied, [2.1e4, 1.1e4], rtol=0.02)
    # what selection and production leave: 0.75 and 0.37, of order one without any tuning
    np.testing.assert_allclose(implied / mesons, [0.75, 0.37], rtol=0.02)


def test_limits_of_the_card() -> None:
    card = load_card("na64h-2022")
    rates = signal_rates(card, invisible_mesons(), [ETA, ETA_PRIME])
    events = Template.from_card(card).signal_events(rates)[:, 0, 0, 0]
    # 2.3 events: no background, no uncertainty
    np.testing.assert_allclose(2.3 / events, [1.1e-4, 2.1e-4], rtol=0.01)
    efficiency = card.bins[0].efficiency
    assert isinstance(efficiency, MassTable)
    assert "calibrated" in efficiency.source


def test_plain_scan_is_above_the_published_limits() -> None:
    # the efficiency is calibrated without the 20 % of the production, and its source says so
    card = load_card("na64h-2022")
    found = scan(card)
    np.testing.assert_allclose(found.observed, [1.22e-4, 2.32e-4], rtol=5e-3)
    efficiency = card.bins[0].efficiency
    assert isinstance(efficiency, MassTable)
    assert "1.22e-4 and 2.32e-4" in efficiency.source


def test_rates_are_linear_in_the_branching_ratio() -> None:
    rates = meson_rates(Beam("pi-", 50.0), CALORIMETER, WINDOW, invisible_mesons(), [ETA])
    assert rates.power == 1.0
    assert rates.parameter == "br"


def test_mesons_of_each_beam() -> None:
    pions, kaons = Beam("pi-", 50.0), Beam("K-", 50.0)
    found = meson_rates(
        pions, CALORIMETER, WINDOW, invisible_mesons(), [MESONS["pi0"].mass_gev, ETA, ETA_PRIME]
    )
    assert np.all(found.events > 0.0)
    kaon = MESONS["K0"].mass_gev
    assert meson_rates(kaons, CALORIMETER, WINDOW, invisible_mesons(), [kaon]).events.item() > 0.0
    with pytest.raises(InputError, match="of K-, not of pi-"):
        meson_rates(pions, CALORIMETER, WINDOW, invisible_mesons(), [kaon])
    with pytest.raises(InputError, match="of pi-, not of e-"):
        meson_rates(Beam("e-", 100.0), CALORIMETER, WINDOW, invisible_mesons(), [ETA])


@pytest.mark.parametrize("model", ["dark-photon", "pseudoscalar", "alp"])
def test_other_mediators_are_no_mesons(model: str) -> None:
    with pytest.raises(InputError, match=f"'{model}' is not made by charge exchange"):
        meson_rates(Beam("pi-", 50.0), CALORIMETER, WINDOW, mediator(model), [ETA])


def test_mesons_are_made_by_pions_alone() -> None:
    # also with a branching ratio to nothing, which needs no lifetime
    signals: dict[str, tuple[str, dict[str, Any]]] = {
        "na64e-2016": ("does not couple to the electrons", {}),
        "na64mu-2022": ("does not couple to the muons", {}),
        "na64e-visible-2017-2018": ("does not couple to the beam's electrons", {}),
        "na64e-alp-2016-2018": ("does not couple to photons", {"invisible_branching": 1.0}),
        "na64e-semi-visible-2016-2018": ("vector", {"dark_sector": SPLIT}),
    }
    for name, (message, options) in signals.items():
        with pytest.raises(InputError, match=message):
            signal_rates(
                load_card(name), invisible_mesons(), [ETA], settings=SignalSettings(**options)
            )


def test_masses_name_the_mesons() -> None:
    assert meson_of_mass(0.548).name == "eta"
    with pytest.raises(
        InputError, match=r"no neutral meson has a mass of 0.3 GeV; there are: .*eta"
    ):
        meson_of_mass(0.3)


def test_bad_windows() -> None:
    with pytest.raises(InputError, match="must be positive"):
        MesonWindow(-1.0)
    with pytest.raises(InputError, match="must be finite"):
        meson_rates(
            Beam("pi-", 50.0),
            Target(material("ecal")),
            MesonWindow(np.inf),
            invisible_mesons(),
            [ETA],
        )
