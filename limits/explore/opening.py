"""The page for a result: the controls where the result was computed."""

from __future__ import annotations

from na64.limits.explore.state import State
from na64.limits.results.axes import COUPLING
from na64.limits.results.limit import Limit
from na64.limits.scanning.request import NO_DARK_MATTER, specify
from na64.models.errors import InputError
from na64.workspaces.cards.reader import available_cards

__all__ = ["state_of"]


def state_of(limit: Limit, where: str) -> State:
    """Return the positions of the controls for a result.

    Parameters
    ----------
    limit
        A result of one search.
    where
        Names its file in messages.

    Raises
    ------
    InputError
        For a combination, and a result of another card than the shipped one of that name: the
        page computes from cards, and its command lines name them.
    """
    made = limit.specification
    card, *others = made.cards
    if others:
        raise InputError(f"{where}: a combination of {made.search}; the page has one search")
    if card.name not in available_cards() or specify(card.name).cards[0] != card:
        raise InputError(
            f"{where}: was computed from a card that is not the shipped '{card.name}', perhaps "
            "with settings on top; name the file of that card instead"
        )
    sector = made.dark_sector
    return State(
        card.name,
        model="" if made.mediator.name == card.model else made.mediator.name,
        dark_matter=NO_DARK_MATTER if sector is None else sector.species.value,
        alpha_d=None if sector is None else sector.alpha_d,
        ratio=None if sector is None else sector.ratio,
        confidence_level=made.confidence_level,
        plane=COUPLING if limit.plane.is_coupling else limit.plane.name,
    )
