"""How the mass of a mediator is called on an axis and in a result."""

from __future__ import annotations

from typing import Final

from na64.models.kinds import kind_row
from na64.models.mediators.protocol import Mediator

__all__ = ["DARK_PHOTON_MASS", "interaction_words", "mass_name"]

#: the usual name in searches for dark photons, which fits no other mediator
DARK_PHOTON_MASS: Final = "m_A'"

#: what a model is called in a figure, and what its coupling multiplies; ``<X>`` is the boson,
#: ``<g>`` the coupling. Mesons are known by the axes
_WORDS: Final = {
    "dark-photon": "dark photon",
    "invisible-meson": "",
    "alp": "axion-like particle",
    "b-minus-l": "$<X>$ of $B - L$ with light Dirac neutrinos",
    "b-minus-l-left-handed": "$<X>$ of $B - L$ with left-handed neutrinos",
    "b-minus-l-heavy-neutrinos": "$<X>$ of $B - L$ with heavy neutrinos",
    "l-mu-l-tau": r"$<X>$ of $L_\mu - L_\tau$",
    "vector": r"vector boson with $<g>\,\bar\ell\gamma^\mu\ell\,<X>_\mu$",
    "axial": r"axial-vector boson with $<g>\,\bar\ell\gamma^\mu\gamma_5\ell\,<X>_\mu$",
    "scalar": r"scalar with $<g>\,<X>\,\bar\ell\ell$",
    "spin-2": r"spin-2 boson with $(<g>)\,<X>_{\mu\nu}T^{\mu\nu}$",
    "pseudoscalar": r"pseudoscalar with $i<g>\,<X>\,\bar\ell\gamma_5\ell$",
}


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


def interaction_words(mediator: Mediator, boson: str, coupling: str) -> str | None:
    """Return a mediator and its interaction in words and TeX; None for one that is not built in.

    Parameters
    ----------
    mediator
        The mediator.
    boson, coupling
        How boson and coupling are written, in TeX without dollar signs.
    """
    words = _WORDS.get(mediator.name)
    return None if words is None else words.replace("<X>", boson).replace("<g>", coupling)
