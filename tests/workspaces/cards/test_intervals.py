"""Bins divided in missing energy: what a card may say, what is refused, and what it counts."""

from __future__ import annotations

import pytest

from na64.models.errors import InputError
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.overrides import apply_overrides
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.toml import parse_toml
from tests.shared import CARD_HEAD

BIN = """
[[bins]]
name = "run"
exposure = { value = 1e10, source = "test" }
efficiency = { value = 0.5, source = "test" }
"""
SPECTRUM = """
edges_gev = [50, 70, 90, 100]
background = { value = 0.9, shares = [6, 3, 0], shape_uncertainty = 0.3, source = "test" }
observed = { value = 3, counts = [2, 0, 1], source = "test" }
"""
CARD = CARD_HEAD + BIN + SPECTRUM


def read(*changes: tuple[str, str], text: str = CARD) -> RunCard:
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return parse_card(text, "test")


def test_a_spectrum_is_read() -> None:
    card = read()
    (item,) = card.bins
    assert [part.name for part in item.intervals] == ["50-70", "70-90", "90-100"]
    assert item.backgrounds[0].in_intervals(3) == pytest.approx((0.6, 0.3, 0.0))
    assert item.observed_counts == (2, 0, 1)
    assert item.observed == 3
    assert card.rate_regions(item) == tuple(
        f"missing-energy/{name}" for name in ("50-70", "70-90", "90-100")
    )
    again = parse_card(canonical_json(card.to_dict()), "again", json=True)
    assert (again.digest, again.bins) == (card.digest, card.bins)


def test_a_bin_without_edges_is_one_count() -> None:
    card = read(
        ("edges_gev = [50, 70, 90, 100]", ""),
        (", shares = [6, 3, 0], shape_uncertainty = 0.3", ""),
        (", counts = [2, 0, 1]", ""),
    )
    (item,) = card.bins
    assert (item.intervals, item.observed_counts) == ((), (3,))
    assert card.rate_regions(item) == ("missing-energy",)
    assert card.divisions("default") == {}
    # nothing of a spectrum is in a card that has none, nor in its digest
    assert not {"edges_gev", "shares", "shape_uncertainty", "counts"} & set(
        canonical_json(card.to_dict()).replace('"', " ").split()
    )


def test_a_projection_has_the_median_of_every_interval() -> None:
    text = CARD.replace("[[bins]]", "projection = true\n[[bins]]")
    (item,) = read(
        ("observed = { value = 3, counts = [2, 0, 1], source", "#"),
        ("value = 0.9", "value = 9.0"),
        text=text,
    ).bins
    # means 6, 3, 0
    assert item.observed_counts == (6, 3, 0)
    assert item.observed == 9


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[50, 70, 90, 100]", "[40, 70, 90, 100]", "window's missing_energy_gev of 50 GeV or more"),
        ("[50, 70, 90, 100]", "[50, 70, 90, 120]", "at most the beam energy of 100 GeV"),
        ("[50, 70, 90, 100]", "[50, 90, 70, 100]", "must be two or more, and increase"),
        ("[50, 70, 90, 100]", "[50]", "must have 2 entries or more"),
        ("[50, 70, 90, 100]", "[50, 100]", "1 intervals need as many shares"),
        ("[6, 3, 0]", "[6, 3]", "3 intervals need as many shares of the background, there are 2"),
        ("[6, 3, 0]", "[0, 0, 0]", "must not all be zero"),
        ("[6, 3, 0]", "[6, 3, -1]", "must not be negative"),
        ("shares = [6, 3, 0], shape_uncertainty = 0.3, ", "", "3 intervals need shares"),
        ("shares = [6, 3, 0], ", "", "needs the shares of the intervals"),
        ("edges_gev = [50, 70, 90, 100]", "", "between edges"),
        ("counts = [2, 0, 1], ", "", "3 intervals need observed.counts"),
        ("counts = [2, 0, 1]", "counts = [2, 1]", "as many observed.counts, there are 2"),
        ("counts = [2, 0, 1]", "counts = [2, 0, 2]", "counts must add up to 3, are 4"),
        ("counts = [2, 0, 1]", "counts = [2, 0, 0.5]", "must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read((old, new))


VARIED = 'variations = [{ name = "slope", shares = [5, 4, 0], source = "test" }]'


def test_another_spectrum_is_one_standard_deviation_away() -> None:
    (item,) = read(("shape_uncertainty = 0.3", VARIED)).bins
    (background,) = item.backgrounds
    # downwards 36/5 and 9/4, and the whole of 0.9 is kept on both sides
    up, down = background.varied(3)["slope"]
    assert up == pytest.approx((0.5, 0.4, 0.0))
    assert down == pytest.approx((0.9 * 7.2 / 9.45, 0.9 * 2.25 / 9.45, 0.0))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[5, 4, 0]", "[5, 4]", "needs 3 shares, as the background has, there are 2"),
        ("[5, 4, 0]", "[5, 4, 1]", "has shares of 0 elsewhere than the background"),
        ("[5, 4, 0]", "[5, 0, 0]", "has shares of 0 elsewhere than the background"),
        ('"slope"', '"mu"', "is reserved"),
        (', source = "test" }]', " }]", "source: missing"),
    ],
)
def test_what_is_no_other_spectrum_is_refused(old: str, new: str, said: str) -> None:
    assert old in VARIED
    with pytest.raises(InputError, match=said):
        read(("shape_uncertainty = 0.3", VARIED.replace(old, new)))


def test_an_edge_beside_the_trigger_is_refused() -> None:
    window = "window = { missing_energy_gev = 50, source"
    with pytest.raises(
        InputError, match=r"bins\[0\].edges_gev: an edge at 99.8 GeV leaves nothing"
    ):
        read(
            (window, window.replace("50,", "50, preshower_energy_gev = 0.5,")),
            ("90, 100]", "99.8, 100]"),
        )


def test_other_topologies_have_one_count() -> None:
    text = CARD.replace('topology = "missing-energy"', 'topology = "visible"').replace(
        "window = { missing_energy_gev = 50,",
        "window = { decay_start_cm = 50, decay_end_cm = 300, boson_energy_gev = 50,",
    )
    with pytest.raises(InputError, match="region decay of the topology visible is one count"):
        parse_card(text.replace('"ecal"', '"tungsten", length_x0 = 20'), "test")


SECOND = BIN.replace('"run"', '"other"\nperiod = "run"')
LOW = """
edges_gev = [50, 70]
background = { value = 0.6, source = "test" }
observed = { value = 0, source = "test" }
"""


def test_regions_of_one_data_set_count_its_particles_once() -> None:
    high = SPECTRUM.replace("[50, 70,", "[70, 80,")
    card = parse_card(CARD_HEAD + BIN + high + SECOND + LOW, "test")
    assert card.total_exposure == 1e10
    assert [len(item.intervals) for item in card.bins] == [3, 1]
    # beam intensities of a period have the same edges, and particles of their own
    both = parse_card(CARD_HEAD + BIN + SPECTRUM + SECOND + SPECTRUM, "test")
    assert both.total_exposure == 2e10


@pytest.mark.parametrize("edges", ["edges_gev = [60, 100]", ""])
def test_energies_of_one_data_set_that_are_counted_twice_are_refused(edges: str) -> None:
    with pytest.raises(InputError, match="bin run counts some of the same energies"):
        parse_card(
            CARD_HEAD + BIN + SPECTRUM + SECOND + LOW.replace("edges_gev = [50, 70]", edges), "t"
        )


def test_settings_keep_the_spectrum() -> None:
    data = parse_toml(CARD, "test")
    changed = apply_overrides(data, ["bins.run.background=0.3"])
    background = changed["bins"][0]["background"]  # type: ignore[index]
    assert (background["value"], background["shares"]) == (0.3, [6, 3, 0])
    scaled = apply_overrides(data, ["bins.run.background*=2"])["bins"][0]["background"]  # type: ignore[index]
    assert (scaled["value"], scaled["shares"]) == (1.8, [6, 3, 0])


def test_other_edges_leave_data_behind_unless_nothing_was_seen() -> None:
    moved = parse_card(CARD, "test", overrides=["bins.run.edges_gev=[50, 60, 90, 100]"])
    assert moved.projection
    assert moved.projected == ("edges_gev of all bins",)
    empty = CARD.replace("value = 3, counts = [2, 0, 1]", "value = 0")
    assert not parse_card(
        empty, "test", overrides=["bins.run.edges_gev=[50, 60, 90, 100]"]
    ).projection
    # what lies outside of the old edges was not looked at
    part = empty.replace("[50, 70, 90, 100]", "[60, 70, 90, 100]")
    assert parse_card(part, "test", overrides=["bins.run.edges_gev=[50, 60, 90, 100]"]).projection
