"""What the controls of the page say: data that an address holds, and that asks for a scan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from na64.limits.results.axes import COUPLING
from na64.models.declaration import checked_number, declared
from na64.models.errors import InputError, unknown_name
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.topologies import topology

__all__ = ["State", "cut_of"]

#: a text in an address may not be longer
_LONGEST: Final = 200
#: digits of a number, as files keep them
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class State:
    """The position of all controls.

    Attributes
    ----------
    search
        Name of a search.
    model
        Mediator; that of the card if empty.
    dark_matter
        Species, or ``none``; by default that of a scan if empty.
    alpha_d, ratio
        Of the dark sector; those of the card if None.
    exposure, background
        Factors on the exposures and backgrounds of all bins.
    cut
        Value of the first cut of the card's selection, GeV; that of the card if None.
    confidence_level
        Between 0 and 1.
    plane
        ``coupling``, or a plane of `na64.limits.planes`.

    Raises
    ------
    InputError
        For a number that is none, or that the setting cannot have.
    """

    search: str
    model: str = ""
    dark_matter: str = ""
    alpha_d: float | None = None
    ratio: float | None = None
    exposure: float = 1.0
    background: float = 1.0
    cut: float | None = None
    confidence_level: float = 0.9
    plane: str = COUPLING

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float):
                if not math.isfinite(value) or value <= 0.0:
                    name = item.name.replace("_", " ")
                    raise InputError(f"{name} must be positive and finite, is {value:g}")
                object.__setattr__(self, item.name, float(f"{value:.{_DIGITS}g}"))

    def to_query(self) -> dict[str, str]:
        """Return the state as the query of an address: what is not as usual, and the search."""
        usual = State(self.search)
        found = {"search": self.search}
        for item in fields(self):
            value = getattr(self, item.name)
            if value != getattr(usual, item.name):
                written = f"{value:.{_DIGITS}g}" if isinstance(value, float) else value
                found[_key(item.name)] = written
        return found

    @classmethod
    def from_query(cls, query: Mapping[str, str], search: str) -> State:
        """Return the state that the query of an address describes.

        Parameters
        ----------
        query
            Texts by their keys; nothing in it is trusted.
        search
            The search that is meant where none is named.

        Raises
        ------
        InputError
            For an unknown key, a text that is no number, and as the class.
        """
        names = {_key(item.name): item for item in fields(cls)}
        given: dict[str, Any] = {"search": search}
        for key, text in query.items():
            if key not in names:
                raise unknown_name("setting in the address", key[:_LONGEST], names)
            if len(text) > _LONGEST:
                raise InputError(f"{key} in the address is longer than {_LONGEST} characters")
            item = names[key]
            given[item.name] = _number(key, text) if "float" in str(item.type) else text
        return cls(**given)

    def at(self, **changes: Any) -> State:
        """Return the state with other positions; another search has its own model and cut."""
        if changes.get("search", self.search) != self.search:
            changes = {"model": "", "dark_matter": "", "cut": None, "plane": COUPLING, **changes}
        return replace(self, **changes)

    def overrides(self, card: RunCard) -> tuple[str, ...]:
        """Return the settings on top of the card of the search.

        Parameters
        ----------
        card
            The card as it is, which says what its cut is called.

        Raises
        ------
        InputError
            For a cut of a search that has none.
        """
        found = []
        if self.exposure != 1.0:
            found.append(f"bins.*.exposure*={self.exposure:.{_DIGITS}g}")
        if self.background != 1.0:
            found.append(f"bins.*.background*={self.background:.{_DIGITS}g}")
        if self.cut is not None:
            known = cut_of(card)
            if known is None:
                raise InputError(f"{card.name} has no cut on an energy: leave it out")
            found.append(f"window.{known[0]}={self.cut:.{_DIGITS}g}")
        return tuple(found)

    def settings(self) -> dict[str, Any]:
        """Return what `na64.limits.specify` takes beside the card, where it is not as usual."""
        given = {
            "model": self.model or None,
            "dark_matter": self.dark_matter or None,
            "alpha_d": self.alpha_d,
            "ratio": self.ratio,
        }
        return {
            **{name: value for name, value in given.items() if value is not None},
            "confidence_level": self.confidence_level,
        }


def cut_of(card: RunCard) -> tuple[str, float, float] | None:
    """Return the first cut of a card's usual selection: its key, its value and the largest, GeV.

    None for a selection without an energy that every card must name.
    """
    window = topology(card.topology).window
    for item in declared(window):
        if item.key.unit == "GeV" and item.mandatory:
            setup = card.setups[card.used_setups[0]]
            value = float(getattr(setup.window, item.field))
            return item.name, value, setup.beam.energy_gev
    return None


def _key(name: str) -> str:
    return {"confidence_level": "cl"}.get(name, name.replace("_", "-"))


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise InputError(f"{key} in the address must be a number, is '{text}'") from None
    if not math.isfinite(number):  # what takes no such number says what it takes
        return number
    return checked_number(number, f"{key} in the address")
