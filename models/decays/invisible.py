"""Branching ratios of mediators to what no detector sees: dark matter and neutrinos."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.decays.widths import sum_of_widths
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator

__all__ = ["invisible_branching", "invisible_branching_at"]


def invisible_branching(
    mediator: Mediator, masses_gev: ArrayLike, dark_sector: DarkSector | None
) -> FloatArray:
    """Return the invisible branching ratio in the limit of a small coupling.

    Parameters
    ----------
    mediator
        The mediator.
    masses_gev
        Its masses, shape (M,).
    dark_sector
        What it decays to besides. Its width does not fall with the coupling: the ratio is then
        1, up to visible decays that are worth about epsilon^2 alpha/alpha_D. That is nothing for
        alpha_D = 0.1, but not for alpha_D below 1e-4 or so, nor for a large coupling as that of
        L_mu - L_tau to an electron beam: see `invisible_branching_at`. With None the mediator's
        own neutrinos count.

    Raises
    ------
    InputError
        Where the mediator has no invisible decay.
    """
    masses = np.asarray(masses_gev, float)
    if dark_sector is not None:
        return np.ones_like(masses)
    widths = mediator.partial_widths(masses)
    invisible = np.asarray(widths.get("neutrinos", np.zeros_like(masses)), float)
    total = sum_of_widths(widths, masses.shape)
    if np.any(invisible <= 0.0):
        raise InputError(
            f"model '{mediator.name}' has no invisible decay at {masses[invisible <= 0][0]:g} GeV: "
            "a search for missing energy does not see it without dark matter"
        )
    return np.asarray(invisible / total)


def invisible_branching_at(
    mediator: Mediator,
    masses_gev: ArrayLike,
    dark_sector: DarkSector,
    coupling: ArrayLike,
) -> FloatArray:
    """Return the branching ratio to dark matter and neutrinos at a coupling.

    Parameters
    ----------
    mediator, masses_gev, dark_sector
        As in `invisible_branching`.
    coupling
        The free coupling, shape (..., M) or a number.
    """
    masses = np.asarray(masses_gev, float)
    square = np.asarray(coupling, float) ** 2
    widths = mediator.partial_widths(masses)
    total = sum_of_widths(widths, masses.shape)
    dark = dark_sector.width_gev(masses, masses, mediator.kind)
    invisible = dark + square * np.asarray(widths.get("neutrinos", 0.0), float)
    return np.asarray(invisible / (dark + square * total))
