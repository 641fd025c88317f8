"""Which couplings mean something: what is accepted, and where the assumptions of a limit end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import Regions
from na64.models.constants import LEPTON_MASSES_GEV
from na64.models.decays.invisible import invisible_branching_at
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.response.preshower import is_simulated
from na64.models.response.windows import DisplacedWindow, MissingEnergyWindow
from na64.workspaces.cards.card import RunCard

__all__ = [
    "card_notes",
    "largest_perturbative",
    "limit_warnings",
    "limit_with_visible_decays",
    "nonperturbative_note",
    "toys_note",
    "trigger_note",
    "visible_decay_note",
]

#: visible share of decays at a limit that is worth a word: half of that in the coupling
_VISIBLE_SHARE: Final = 0.01


def largest_perturbative(mediator: Mediator) -> float:
    """Return the free coupling at which the largest coupling to a lepton is sqrt(4 pi).

    Returns
    -------
    float
        Infinite for a mediator that does not couple to leptons.
    """
    # induced couplings depend on the momentum transfer, weakly: 1 GeV^2 stands for all
    strengths = [abs(float(mediator.coupling(name, 1.0))) for name in LEPTON_MASSES_GEV]
    return math.sqrt(4.0 * math.pi) / max(strengths) if any(strengths) else math.inf


def nonperturbative_note(
    mediator: Mediator, masses_gev: NDArray[np.float64], regions: Sequence[Regions]
) -> str:
    """Say at which masses all excluded couplings are beyond perturbation theory.

    Parameters
    ----------
    mediator
        The mediator.
    masses_gev
        Its masses, shape (M,).
    regions
        Excluded intervals of the coupling, one tuple per mass.

    Returns
    -------
    str
        Empty if there are none.
    """
    bound = largest_perturbative(mediator)
    beyond = [
        mass
        for mass, found in zip(masses_gev.tolist(), regions, strict=True)
        if found and found[0][0] > bound
    ]
    if not beyond:
        return ""
    return (
        f"at {_range(beyond)} GeV the limit is above {mediator.parameter} = {bound:.3g}, where the "
        "coupling is sqrt(4 pi): computed at lowest order, it means nothing"
    )


def visible_decay_note(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: NDArray[np.float64],
    regions: Sequence[Regions],
) -> str:
    """Say where a limit assumes invisible decays that the mediator has not at that coupling.

    The events of a search for invisible decays go with coupling^2 BR(coupling). Limits are made
    with a branching ratio of 1 to dark matter, and are too strong where visible decays count.

    Parameters
    ----------
    mediator, sector
        The mediator and its dark matter.
    masses_gev
        Its masses, shape (M,).
    regions
        Excluded intervals of the coupling, one tuple per mass, upper limits of such a search.

    Returns
    -------
    str
        Empty where visible decays are below 1 % at all limits.
    """
    limit = np.array([found[0][0] if found else 0.0 for found in regions])
    branching = invisible_branching_at(mediator, masses_gev, sector, limit)
    concerned = 1.0 - branching > _VISIBLE_SHARE
    if not concerned.any():
        return ""
    note = (
        f"at {_range(masses_gev[concerned].tolist())} GeV the limit assumes invisible decays alone,"
        f" but at its coupling their branching ratio is down to {branching.min():.2g}"
    )
    counted = limit_with_visible_decays(mediator, sector, masses_gev, limit)
    weaker = np.where(concerned & np.isfinite(counted), counted / np.where(limit, limit, 1.0), 0.0)
    if weaker.any():
        note += f"; with visible decays it is up to {weaker.max():.3g} times weaker"
    nothing = concerned & np.isnan(counted)
    if nothing.any():
        where = _range(masses_gev[nothing].tolist())
        note += f"; with visible decays no coupling is excluded at {where} GeV"
    return note


def limit_with_visible_decays(
    mediator: Mediator,
    sector: DarkSector,
    masses_gev: NDArray[np.float64],
    limit: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the limit on the coupling that follows from one made for invisible decays alone.

    Solves g^2 BR(g) = limit^2, BR the branching ratio to dark matter and neutrinos.

    Parameters
    ----------
    mediator, sector
        The mediator and its dark matter.
    masses_gev
        Its masses, shape (M,).
    limit
        Upper limits on the free coupling for a branching ratio of 1, shape (..., M).

    Returns
    -------
    ndarray
        Shape (..., M); NaN where g^2 BR(g) stays below the limit for any g: nothing is excluded.
    """
    unit = mediator.partial_widths(masses_gev)
    neutrinos = np.asarray(unit.get("neutrinos", 0.0), float)
    dark = sector.width_gev(masses_gev, masses_gev, mediator.kind)
    square = limit**2
    # (dark + x neutrinos) x = limit^2 (dark + x total), a quadratic equation in x = g^2 whose one
    # root is positive
    half = 0.5 * (dark - square * np.sum(list(unit.values()), axis=0))
    root = np.sqrt(half**2 + square * dark * neutrinos)
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = np.where(half > 0.0, square * dark / (root + half), (root - half) / neutrinos)
    return np.asarray(np.sqrt(np.where(np.isfinite(solved), solved, np.nan)))


def limit_warnings(
    mediator: Mediator,
    sector: DarkSector | None,
    power: float | None,
    masses_gev: NDArray[np.float64],
    regions: Sequence[Regions],
) -> list[str]:
    """Return what a reader of limits must know about the couplings at which they are.

    Parameters
    ----------
    mediator, sector
        The mediator and its dark matter, None if there is none.
    power
        With which power of the coupling events go, None for decays in flight.
    masses_gev
        Masses of the mediator, shape (M,).
    regions
        Excluded intervals, one tuple per mass.
    """
    notes = [nonperturbative_note(mediator, masses_gev, regions)]
    if sector is not None and power is not None:
        notes.append(visible_decay_note(mediator, sector, masses_gev, regions))
    return [note for note in notes if note]


def card_notes(cards: Sequence[RunCard]) -> list[str]:
    """Return what a reader must know about the cards of a result."""
    notes = [trigger_note(cards), *(card.projection_note for card in cards)]
    return [note for note in notes if note]


def trigger_note(cards: Sequence[RunCard]) -> str:
    """Say where a trigger on the preshower is a step, because its distribution is not known."""
    names = []
    for card in cards:
        for name in card.used_setups:
            setup = card.setups[name]
            window, material = setup.window, setup.target.material
            if not isinstance(window, MissingEnergyWindow | DisplacedWindow):
                continue
            if window.preshower_energy_gev > 0.0 and not is_simulated(material):
                names.append(f"{card.name}, target {material.name}")
    if not names:
        return ""
    where = "; ".join(dict.fromkeys(names))
    return (
        f"the trigger asks for its threshold in all that is left in the target ({where}): "
        "how much of it is in the preshower is known for the lead-scintillator calorimeter alone"
    )


def toys_note(used: Sequence[str], messages: Sequence[str]) -> str:
    """Say at how many masses a calculator that chooses has thrown toys, and why at the first.

    Parameters
    ----------
    used, messages
        As of `na64.limits.results.limit.Limit`.
    """
    rows = [row for row, name in enumerate(used) if "toys" in name]
    if not rows:
        return ""
    return f"limits at {len(rows)} of {len(used)} masses are from toys: {messages[rows[0]]}"


def _range(masses: Sequence[float]) -> str:
    return f"{masses[0]:.4g}" + (f" to {masses[-1]:.4g}" if len(masses) > 1 else "")
