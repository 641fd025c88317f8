"""Specification: everything that decides the numbers of a result, as data."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.limits.calculators.protocol import Calculator
from na64.limits.calculators.registry import calculator_from_dict
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.data import PLUG_IN, mediator_from_dict, mediator_to_dict
from na64.models.mediators.naming import mass_name
from na64.models.mediators.protocol import Mediator
from na64.models.signals.settings import SignalSettings
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.reader import parse_card
from na64.workspaces.io.jsonio import canonical_json, plain

__all__ = ["FORMAT", "Specification", "mass_grid"]

#: version of the form in which specifications are written
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Specification:
    """One computation: searches, mediator, signal, statistics, masses.

    All numbers have the digits that files keep, so that a specification that was written and
    read is the same, and so are the numbers computed from it.

    Attributes
    ----------
    cards
        The resolved card of the search, or of several that are combined.
    mediator
        The mediator, as data.
    settings
        What else the signal depends on; the dark sector is part of it.
    calculator
        Calculator of the limits, with its settings.
    masses_gev
        Mediator masses, increasing, shape (M,).
    confidence_level
        Between 0 and 1.
    expected_only
        Whether the data are left alone; always so for a projection.
    shared
        Of a combination: nuisances that are one parameter in all searches that have them.
    digest
        sha256 of `to_dict`; it names the result.

    Raises
    ------
    InputError
        For masses that are not positive or do not increase, a confidence level out of range, no
        card or the same one twice.
    """

    cards: tuple[RunCard, ...]
    mediator: Mediator
    settings: SignalSettings
    calculator: Calculator
    masses_gev: NDArray[np.float64]
    confidence_level: float = 0.9
    expected_only: bool = False
    shared: tuple[str, ...] = ()
    digest: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        masses = mass_grid(self.masses_gev)
        if not 0.0 < self.confidence_level < 1.0:
            raise InputError(
                f"confidence level must be between 0 and 1, is {self.confidence_level:g}"
            )
        _check_cards(self.cards)
        projection = any(card.projection for card in self.cards)
        for name, value in (
            ("cards", tuple(_as_parsed(card) for card in self.cards)),
            ("mediator", _as_read(self.mediator)),
            ("settings", SignalSettings.from_dict(_plain_dict(self.settings.to_dict()))),
            ("masses_gev", masses),
            ("expected_only", self.expected_only or projection),
            ("shared", tuple(sorted(self.shared))),
        ):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "digest", hashlib.sha256(self._text().encode()).hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Specification) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        # to other processes as data: a card has read-only views, which cannot be pickled
        return Specification.from_dict, (_plain_dict(self.to_dict()),)

    @property
    def search(self) -> str:
        """Name of the search, those of a combination joined by ``+``."""
        return "+".join(card.name for card in self.cards)

    @property
    def title(self) -> str:
        """Name of the search for people."""
        if len(self.cards) == 1:
            return self.cards[0].title
        *others, last = (
            f"{card.name} with {', '.join(card.overrides)}" if card.overrides else card.name
            for card in self.cards
        )
        return f"{', '.join(others)} and {last}, combined"

    @property
    def mass_parameter(self) -> str:
        """How the mediator's mass is written."""
        return mass_name(self.mediator, self.cards[0].mass_parameter)

    @property
    def dark_sector(self) -> DarkSector | None:
        """Dark matter of the signal, None where it has none."""
        return self.settings.dark_sector

    def at(self, masses_gev: ArrayLike) -> Specification:
        """Return the same at other masses, in GeV."""
        return replace(self, masses_gev=mass_grid(masses_gev))

    def split(self, parts: int) -> tuple[Specification, ...]:
        """Return the specification in parts of neighbouring masses; no part is empty.

        Parameters
        ----------
        parts
            How many, at least 1; fewer come back where there are fewer masses.
        """
        if parts < 1:
            raise InputError(f"at least one part is needed, not {parts}")
        count = min(parts, len(self.masses_gev))
        if count == 1:
            return (self,)
        return tuple(self.at(masses) for masses in np.array_split(self.masses_gev, count))

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain data."""
        cards = [json.loads(_text_of(card)) for card in self.cards]
        return {"cards": cards, **self._beside_cards()}

    def _text(self) -> str:
        """Return the canonical JSON of `to_dict`, that of the cards as it is known."""
        texts = {key: canonical_json(value) for key, value in self._beside_cards().items()}
        texts["cards"] = f"[{','.join(_text_of(card) for card in self.cards)}]"
        return "{" + ",".join(f'"{key}":{texts[key]}' for key in sorted(texts)) + "}"

    def _beside_cards(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "shared": list(self.shared),
            "mediator": mediator_to_dict(self.mediator),
            "signal": self.settings.to_dict(),
            "calculator": self.calculator.to_dict(),
            "confidence_level": self.confidence_level,
            "expected_only": self.expected_only,
            "masses_gev": self.masses_gev.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "specification") -> Specification:
        """Return the specification that plain data describe.

        Parameters
        ----------
        data
            As from `to_dict`; nothing in it is trusted.
        where
            Place in the file, for messages.

        Raises
        ------
        InputError
            For a key that is missing or unknown, and for everything that is not allowed.
        """
        wanted = {
            "format", "cards", "shared", "mediator", "signal", "calculator", "confidence_level",
            "expected_only", "masses_gev",
        }  # fmt: skip
        if not isinstance(data, Mapping) or set(data) != wanted:
            found = set(data) if isinstance(data, Mapping) else set()
            odd = ", ".join(sorted(wanted ^ found))
            raise InputError(f"{where}: keys missing or unknown: {odd or 'it is no table'}")
        if data["format"] != FORMAT:
            raise InputError(f"{where}.format: this version reads {FORMAT}, is {data['format']}")
        try:
            return cls(
                cards=tuple(_card(card) for card in data["cards"]),
                mediator=mediator_from_dict(data["mediator"], f"{where}.mediator"),
                settings=SignalSettings.from_dict(data["signal"]),
                calculator=calculator_from_dict(data["calculator"]),
                masses_gev=np.asarray(data["masses_gev"], float),
                confidence_level=float(data["confidence_level"]),
                expected_only=bool(data["expected_only"]),
                shared=tuple(str(name) for name in data["shared"]),
            )
        except (TypeError, ValueError) as error:  # a text for a number, a number for a list
            raise InputError(f"{where}: {error}") from error


def _as_read(mediator: Mediator) -> Mediator:
    """Return a mediator as a file gives it back; one of a class of its own stays as it is."""
    data = mediator_to_dict(mediator)
    return mediator if data["type"] == PLUG_IN else _mediator(canonical_json(data))


@lru_cache(maxsize=64)
def _mediator(text: str) -> Mediator:
    """Return the mediator of a text, which cannot change."""
    return mediator_from_dict(json.loads(text))


def _plain_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data as a file would give them back."""
    found = plain(data)
    return found if isinstance(found, dict) else {}


class _Texts:
    """The canonical JSON of cards, of those that were asked for last.

    Many specifications have the same card, which cannot change, and its text takes a hundred times
    as long to make as to read. A card is held with its text: no other one has its identity.
    """

    def __init__(self, most: int = 64) -> None:
        self._kept: OrderedDict[int, tuple[RunCard, str]] = OrderedDict()
        self._lock = Lock()
        self._most = most

    def of(self, card: RunCard) -> str:
        """Return the text of a card."""
        with self._lock:
            kept = self._kept.get(id(card))
            if kept is not None:
                self._kept.move_to_end(id(card))
                return kept[1]
        text = canonical_json(card.to_dict())
        with self._lock:
            self._kept[id(card)] = (card, text)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return text


_text_of: Final = _Texts().of


def _as_parsed(card: RunCard) -> RunCard:
    """Return a card as a file gives it back."""
    return _parsed(_text_of(card), f"card of {card.name}")


def _card(document: Mapping[str, Any]) -> RunCard:
    name = document.get("name") if isinstance(document, Mapping) else None
    try:  # of a file, whose numbers have the digits that they may have
        text = json.dumps(
            document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except (TypeError, ValueError):  # of Python, or of nobody: this one says what is wrong
        text = canonical_json(document)
    return _parsed(text, f"card of {name}")


@lru_cache(maxsize=64)
def _parsed(text: str, where: str) -> RunCard:
    """Return the card of a text; those of many specifications are the same, and cannot change."""
    return parse_card(text, where, json=True, files=False)


def _check_cards(cards: Sequence[RunCard]) -> None:
    if not cards:
        raise InputError("a specification needs a card")
    names = [card.name for card in cards]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{', '.join(twice)}: given twice; data count once")


def mass_grid(masses_gev: ArrayLike) -> NDArray[np.float64]:
    """Return masses with the digits that files keep, or say what is wrong with them."""
    try:
        masses = np.atleast_1d(np.asarray(masses_gev, float))
    except (TypeError, ValueError):
        raise InputError("masses must be a list of numbers, in GeV") from None
    if masses.ndim != 1 or not masses.size:
        raise InputError(f"masses must be a list of numbers, have shape {masses.shape}")
    if not (np.all(np.isfinite(masses)) and np.all(masses > 0.0)):
        raise InputError("masses must be positive and finite")
    rounded = np.asarray(plain(masses), float)
    if np.any(np.diff(rounded) <= 0.0):
        raise InputError("masses must increase, each given once")
    rounded.setflags(write=False)
    return rounded
