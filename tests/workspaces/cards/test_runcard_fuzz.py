"""Cards and curves with anything anywhere: a clear error or a sound result, never a crash."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from na64.models.errors import InputError
from na64.workspaces.cards.overrides import apply_overrides
from na64.workspaces.cards.reader import card_text, parse_card
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.io.problems import FileProblemsError
from na64.workspaces.pyhf.template import Template

CARD = tomllib.loads(card_text("na64e-2016"))
CARD["defaults"]["dark_sector"] = {"dark_matter": "pseudo-dirac", "ratio": 4.0, "splitting": 0.1}
CARD["materials"] = {
    "own": {
        "density_g_cm3": 8.3,
        "composition": [{"z": 82, "a": 207.2, "mass_fraction": 1.0, "symbol": "Pb"}],
        "source": "x",
    }
}
CARD["target"] = {"layers_mm": {"own": 1.0, "lead": 2.0}, "length_x0": 40.0, "source": "x"}
del CARD["bins"][2]["background"]
CARD["bins"][2]["backgrounds"] = [{"name": "upstream", "value": 0.1, "source": "x"}]
CARD["setups"] = {"low": {"beam": {"energy_gev": 60.0, "source": "x"}}}
CARD["uncertainties"] = [{"name": "theory", "relative_uncertainty": 0.1, "source": "x"}]
CARD["background_spectrum"] = {
    "energies_gev": [40.0, 50.0],
    "events_below": [0.1, 0.5],
    "source": "x",
}
CARD["bins"][1]["efficiency_correction"] = {"value": 0.92, "uncertainty": 0.04, "source": "x"}
CARD["bins"][0]["efficiency"] = {"masses_gev": [0.01, 1.0], "values": [0.5, 0.4], "source": "x"}


def paths(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every entry of a nested structure."""
    children: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    found = [path] if path else []
    for key, child in children:
        found += paths(child, (*path, key))
    return found


PATHS = paths(CARD)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**400) | st.text(max_size=6)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["value", "source", "name", "uncertainty", "x"]), inner, max_size=3
    ),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANYTHING), min_size=1, max_size=3))
def test_cards(changes: list[tuple[tuple[str | int, ...], object]]) -> None:
    card: Any = copy.deepcopy(CARD)
    for path, value in changes:
        node = card
        try:
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    try:
        text = canonical_json(card)
    except (OverflowError, ValueError):
        return  # no JSON
    try:
        parsed = parse_card(text, "fuzz", json=True)
    except FileProblemsError as error:
        messages = [problem.message for problem in error.problems]
    except InputError as error:  # numbers of JSON have a range, before anything is a card
        messages = [str(error)]
        assert "fuzz: $" in messages[0]  # where it stands
    else:
        assert len(parsed.digest) == len(Template.from_card(parsed).digest) == 64
        return
    assert messages
    assert all(messages)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["bins", "0", "*", "2016-low", "exposure", "value", "efficiency", "99",
                         "backgrounds", "background", "upstream", "window", "source", "x"]),
        min_size=1, max_size=5,
    ),
    st.sampled_from(["=", "*=", " = ", ""]),
    st.sampled_from(["1", "-1", "1e13", "nan", "text", "[1, 2]", "{value = 1}", "", "1979-05-27"]),
)  # fmt: skip
def test_settings(keys: list[str], sign: str, value: str) -> None:
    setting = ".".join(keys) + sign + value
    before = copy.deepcopy(CARD)
    message = f"setting {setting}: "
    try:
        apply_overrides(CARD, [setting])
    except InputError as error:
        message = str(error)
    assert f"setting {setting}: " in message
    assert before == CARD
