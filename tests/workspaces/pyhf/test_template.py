"""Templates: backgrounds and nuisances of a card, and signals injected into them."""

from __future__ import annotations

import numpy as np
import pytest

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.cards.reader import load_card, parse_card
from na64.workspaces.pyhf.samples import factors_of
from na64.workspaces.pyhf.template import Template
from tests.shared import CARD_HEAD

CARD = (
    CARD_HEAD
    + """
references = ["arXiv:1234.56789"]
uncertainties = [
  { name = "theory", relative_uncertainty = 0.1, processes = ["emission"], source = "test" },
  { name = "flux", relative_uncertainty = 0.2, bins = ["b"], source = "test" },
]

[[bins]]
name = "a"
exposure = { value = 1e10, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
efficiency = { value = 0.5, relative_uncertainty = 0.1, source = "test" }
background = { value = 0.3, uncertainty = 0.15, source = "test" }
observed = { value = 1, source = "test" }

[[bins]]
name = "b"
exposure = { value = 3e10, relative_uncertainty = 0.05, correlation = "flux", source = "test" }
efficiency = { masses_gev = [0.01, 1.0], values = [0.6, 0.2], source = "test" }
observed = { value = 0, source = "test" }
backgrounds = [
  { name = "x", value = 0.1, relative_uncertainty = 0.4, correlation = "common", source = "t" },
  { name = "y", value = 0.2, relative_uncertainty = 0.3, correlation = "common", source = "t" },
  { name = "z", value = 0.0, source = "t" },
]
"""
)

PROCESSES = ("emission", "annihilation")


def rates(masses: list[float], events: object, region: str = "missing-energy") -> SignalRates:
    return SignalRates(
        "dark-photon",
        "epsilon",
        np.array(masses),
        np.ones(1),
        PROCESSES,
        (region,),
        np.asarray(events, float).reshape(len(masses), 1, 2, 1),
        2.0,
    )


@pytest.fixture
def template() -> Template:
    return Template.from_card(parse_card(CARD, "test"))


def test_nuisances(template: Template) -> None:
    assert template.nuisances == ("a:background", "a:efficiency", "common", "flux", "theory")
    a, b = template.bins
    # theory acts on emission only; flux acts twice in bin b: 1.05 * 1.2 = 1.26
    assert a.signal_factors("emission") == (
        ("a:efficiency", pytest.approx(0.1)),
        ("flux", pytest.approx(0.05)),
        ("theory", pytest.approx(0.1)),
    )
    assert [name for name, _ in a.signal_factors("annihilation")] == ["a:efficiency", "flux"]
    assert b.signal_factors("annihilation") == (("flux", pytest.approx(0.26)),)
    assert [sample.uncertainties for sample in b.backgrounds] == [
        (("common", pytest.approx(0.4)),),
        (("common", pytest.approx(0.3)),),
        (),
    ]


def test_counts(template: Template) -> None:
    assert template.observations.tolist() == [1, 0]
    assert template.expected_backgrounds == pytest.approx([0.3, 0.3])


def test_factors_multiply_and_are_sorted() -> None:
    assert factors_of([("b", 0.1), ("a", 0.5), ("b", 0.2), ("c", 0.0)]) == (
        ("a", pytest.approx(0.5)),
        ("b", pytest.approx(0.32)),
    )


def test_signal_events(template: Template) -> None:
    events = template.signal_events(rates([0.01, 0.1], [[1e-3, 0.0], [1e-4, 2e-4]]))
    assert events.shape == (2, 1, 2, 2)
    # exposure * efficiency * rate; the table of bin b is half way at 0.1 GeV: 0.4
    assert events[0, 0] == pytest.approx(np.array([[5e6, 1.8e7], [0.0, 0.0]]))
    assert events[1, 0] == pytest.approx(np.array([[5e5, 1.2e6], [1e6, 2.4e6]]))


def test_signal_is_linear_in_the_rates(template: Template) -> None:
    generator = np.random.default_rng(1)
    first, second = generator.uniform(0.0, 1e-3, (2, 3, 2))
    masses = [0.02, 0.1, 0.3]
    total = template.signal_events(rates(masses, first + 2.0 * second))
    parts = template.signal_events(rates(masses, first)) + 2.0 * template.signal_events(
        rates(masses, second)
    )
    assert total == pytest.approx(parts, rel=1e-12)


def test_several_regions_and_couplings() -> None:
    template = Template.from_card(load_card("na64e-2016"))
    events = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    many = SignalRates(
        "x", "g", np.array([0.1, 0.2]), np.array([1e-5, 1e-4, 1e-3]), PROCESSES,
        ("other", "missing-energy"), events, None,
    )  # fmt: skip
    accepted = template.signal_events(many)
    assert accepted.shape == (2, 3, 2, 3)
    exposures = np.array([2.3e10, 1.1e10, 0.9e10])
    assert accepted == pytest.approx(events[..., 1:] * 0.475 * exposures)


def test_refusals(template: Template) -> None:
    with pytest.raises(InputError, match=r"bin a of toy needs .* there are: dark"):
        template.signal_events(rates([0.1], [1.0, 1.0], region="dark"))
    with pytest.raises(InputError, match=r"efficiency of bin b: mass 0\.005 GeV is outside"):
        template.signal_events(rates([0.005], [1.0, 1.0]))


def test_efficiencies(template: Template) -> None:
    assert template.efficiencies([0.01, 0.1, 1.0]) == pytest.approx(
        np.array([[0.5, 0.6], [0.5, 0.4], [0.5, 0.2]])
    )


def test_without_nuisances(template: Template) -> None:
    fewer = template.without(["flux", "common"])
    assert fewer.nuisances == ("a:background", "a:efficiency", "theory")
    assert fewer.bins[1].signal_factors("annihilation") == ()
    assert fewer.expected_backgrounds == pytest.approx(template.expected_backgrounds)
    with pytest.raises(InputError, match=r"no nuisance fluxx in toy; there are: a:background"):
        template.without(["fluxx"])


def test_digest_follows_what_the_likelihood_depends_on(template: Template) -> None:
    def digest(old: str, new: str) -> str:
        assert old in CARD
        return Template.from_card(parse_card(CARD.replace(old, new, 1), "test")).digest

    assert digest('source = "test"', 'source = "another"') == template.digest
    for old, new in (
        ("value = 1e10", "value = 2e10"),
        ("value = 0.3", "value = 0.4"),
        ("value = 1,", "value = 2,"),
        ("values = [0.6", "values = [0.5"),
        ("relative_uncertainty = 0.4", "relative_uncertainty = 0.5"),
        ('correlation = "common", source', "source"),
        ('processes = ["emission"]', 'processes = ["annihilation"]'),
    ):
        assert digest(old, new) != template.digest
