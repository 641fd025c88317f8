"""A specification restated: what `specify` would have to be asked to return it again."""

from __future__ import annotations

from typing import Any

import numpy as np

from na64.limits.calculators.registry import CALCULATORS, settings_of
from na64.limits.results.specification import Specification
from na64.limits.scanning.request import NO_DARK_MATTER, specify
from na64.limits.scanning.settings import SIGNAL
from na64.models.errors import ComputationError
from na64.models.mediators.dark_sector import DarkSector

__all__ = ["restated", "sector_words"]


def restated(specification: Specification) -> dict[str, Any]:
    """Return the keywords with which `specify` makes a specification of its cards.

    Parameters
    ----------
    specification
        Any specification.

    Returns
    -------
    dict
        Keywords of `specify`, only those that its cards and the defaults do not give:
        ``masses_gev``, ``model`` (a mediator), ``shared``, ``confidence_level``,
        ``expected_only``, ``method`` and settings.

    Raises
    ------
    ComputationError
        If what they make is not the specification: one built by hand of parts that `specify`
        would not put together.
    """
    made = specification
    words: dict[str, Any] = {
        **({"shared": made.shared} if made.shared else {}),
        **({} if made.confidence_level == 0.9 else {"confidence_level": made.confidence_level}),
        **_calculator_words(made),
    }
    if made.expected_only and not any(card.projection for card in made.cards):
        words["expected_only"] = True
    if {card.model for card in made.cards} != {made.mediator.name} or (
        specify(made.cards).mediator != made.mediator
    ):
        words["model"] = made.mediator
    words |= _setting_words(made, words)
    usual = specify(made.cards, **words)
    if not np.array_equal(usual.masses_gev, made.masses_gev):
        words["masses_gev"] = made.masses_gev
    if specify(made.cards, **words) != made:
        raise ComputationError(
            f"the specification of {made.search} with the model '{made.mediator.name}' cannot be "
            "asked for by settings of a scan"
        )
    return words


def sector_words(sector: DarkSector | None) -> dict[str, Any]:
    """Return a dark sector as the keywords of a scan that name it."""
    if sector is None:
        return {"dark_matter": NO_DARK_MATTER}
    words = {
        "dark_matter": sector.species.value,
        "alpha_d": sector.alpha_d,
        "ratio": sector.ratio,
    }
    return {**words, "splitting": sector.splitting} if sector.splitting else words


def _setting_words(made: Specification, words: dict[str, Any]) -> dict[str, Any]:
    """Settings of the signal that differ from those that cards and mediator bring with them."""
    usual = specify(made.cards, **words).settings
    wanted = made.settings
    found = {
        name: getattr(wanted, name)
        for name in SIGNAL
        if getattr(wanted, name) != getattr(usual, name)
    }
    if wanted.dark_sector != usual.dark_sector:
        found |= sector_words(wanted.dark_sector)
    return found


def _calculator_words(made: Specification) -> dict[str, Any]:
    settings = made.calculator.to_dict()
    method = str(settings.pop("name"))
    usual = settings_of(method)
    changed = {name: value for name, value in settings.items() if value != usual[name]}
    return changed if method == next(iter(CALCULATORS)) else {"method": method, **changed}
