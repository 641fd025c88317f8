"""Binding of cards to signal functions, over one or several setups."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.response.windows import MissingEnergyWindow
from na64.models.signals.rates import SignalRates, side_by_side
from na64.models.signals.settings import SignalSettings
from na64.models.targets import Beam, Target
from na64.workspaces.cards.binding import signal_rates
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.cards.topologies import TOPOLOGIES, topology
from na64.workspaces.pyhf.template import Template
from tests.shared import CARD_HEAD

HEAD = (
    CARD_HEAD
    + """
[setups.low]
beam = { energy_gev = 60, source = "test" }
window = { missing_energy_gev = 30, source = "test" }
[setups.same]
beam = { energy_gev = 100, source = "the default in other words" }
"""
)


def bin_text(name: str, setup: str) -> str:
    return f"""
[[bins]]
name = "{name}"
setup = "{setup}"
exposure = {{ value = 1e10, source = "test" }}
efficiency = {{ value = 0.5, source = "test" }}
background = {{ value = 0.1, source = "test" }}
observed = {{ value = 0, source = "test" }}
"""


class Recorder:
    """A signal function that returns the beam energy and notes how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Beam, Target, MissingEnergyWindow, dict[str, object]]] = []

    def __call__(
        self,
        beam: Beam,
        target: Target,
        window: MissingEnergyWindow,
        mediator: object,
        masses_gev: np.ndarray,
        **options: object,
    ) -> SignalRates:
        self.calls.append((beam, target, window, options))
        if beam.energy_gev < 50.0:
            raise InputError("no signal below 50 GeV")
        return SignalRates(
            "dark-photon",
            "epsilon",
            masses_gev,
            np.ones(1),
            ("emission", "annihilation"),
            ("missing-energy",),
            np.full((len(masses_gev), 1, 2, 1), beam.energy_gev),
            2.0,
        )


def test_the_default_setup_alone_has_plain_regions() -> None:
    signal = Recorder()
    card = load_card("na64e-2016-2022")
    rates = signal_rates(
        card, None, [0.01, 0.1], settings=SignalSettings(production="ww"), signal=signal
    )
    assert rates.regions == ("missing-energy",)
    assert len(signal.calls) == 1
    beam, target, window, options = signal.calls[0]
    assert beam == Beam("e-", 100.0, momentum_spread=0.01)
    assert target.material.name == "ecal"
    assert window == MissingEnergyWindow(50.0, 0.5, resolution_stochastic=0.082)
    assert options == {"settings": SignalSettings(production="ww"), "tables": None}


def test_setups_stand_side_by_side() -> None:
    signal = Recorder()
    text = HEAD + bin_text("a", "low") + bin_text("b", "default") + bin_text("c", "same")
    card = parse_card(text, "test")
    rates = signal_rates(card, None, 0.1, signal=signal)
    assert rates.regions == (
        "low/missing-energy", "default/missing-energy", "same/missing-energy",
    )  # fmt: skip
    assert len(signal.calls) == 2, "the same physics is computed once"
    assert rates.events[0, 0, 0] == pytest.approx([60.0, 100.0, 100.0])
    events = Template.from_card(card).signal_events(rates)
    assert events[0, 0, 0] == pytest.approx(np.array([60.0, 100.0, 100.0]) * 1e10 * 0.5)


def test_a_setup_that_no_bin_uses_is_not_computed() -> None:
    signal = Recorder()
    card = parse_card(HEAD + bin_text("a", "low"), "test")
    rates = signal_rates(card, None, 0.1, signal=signal)
    assert [call[0].energy_gev for call in signal.calls] == [60.0]
    assert rates.regions == ("low/missing-energy",)
    assert Template.from_card(card).signal_events(rates).shape == (1, 1, 2, 1)


def test_errors_name_the_setup() -> None:
    text = HEAD.replace("energy_gev = 60", "energy_gev = 40") + bin_text("a", "low")
    with pytest.raises(InputError, match=r"^no signal below 50 GeV$"):
        signal_rates(parse_card(text, "test"), None, 0.1, signal=Recorder())
    with pytest.raises(InputError, match=r"^setup low: no signal below 50 GeV$"):
        signal_rates(
            parse_card(text + bin_text("b", "default"), "test"), None, 0.1, signal=Recorder()
        )


def test_rates_that_do_not_fit_are_not_joined() -> None:
    signal = Recorder()
    setup = load_card("na64e-2016").setups["default"]
    first = signal(*setup.physics, None, np.array([0.1]))
    second = signal(*setup.physics, None, np.array([0.2]))
    with pytest.raises(InputError, match="a and b have different masses"):
        side_by_side({"a": first, "b": second}, ("a/one", "b/one"))


def test_topologies() -> None:
    assert topology("missing-energy").window is MissingEnergyWindow
    with pytest.raises(InputError, match="unknown topology 'missing'"):
        topology("missing")
    assert all(name == row.name for name, row in TOPOLOGIES.items())


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_every_topology_has_its_signal_function(name: str) -> None:
    assert callable(TOPOLOGIES[name].signal())
