"""How the mass of a mediator is called on an axis and in a result."""

from __future__ import annotations

from typing import Final

from na64.models.kinds import kind_row
from na64.models.mediators.protocol import Mediator

__all__ = ["DARK_PHOTON_MASS", "mass_name"]

#: the usual name in searches for dark photons, which fits no other mediator
DARK_PHOTON_MASS: Final = "m_A'"


def mass_name(mediator: Mediator, usual: str = DARK_PHOTON_MASS) -> str:
    """Return the name of the mediator's mass.

    Parameters
    ----------
    mediator
        The mediator.
    usual
        Name that the search uses. It is kept unless it is that of the dark photon and the
        mediator is another one.

    Examples
    --------
    >>> from na64.models.mediators.registry import mediator
    >>> mass_name(mediator("l-mu-l-tau")), mass_name(mediator("scalar"), "m_X")
    ("m_Z'", 'm_X')
    """
    if usual != DARK_PHOTON_MASS or mediator.name == "dark-photon":
        return usual
    return kind_row(mediator.kind, "the name of the mass").mass_name
