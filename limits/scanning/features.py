"""Masses at which a limit changes fast: resonances of a beam, thresholds of decays.

They follow from the search and the mediator alone, before anything is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.models.constants import CHARGED_PION_MASS_GEV, LEPTON_MASSES_GEV
from na64.models.decays.hadrons import NARROW_RESONANCES_GEV
from na64.models.decays.widths import sum_of_widths
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.protocol import Mediator
from na64.models.response.windows import MissingEnergyWindow
from na64.workspaces.cards.card import RunCard

__all__ = ["decay_masses_gev", "resonance_intervals_gev"]

#: a pair opens like a power of its velocity: steps above its threshold, relative
_ABOVE: Final = (0.0, 0.01, 0.03, 0.07, 0.15)
#: points across a resonance of hadrons, in units of its half width
_ACROSS: Final = (-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0)
#: branching ratio, or its change, below which there is nothing to see
_SEEN: Final = 0.01
#: how far from a threshold its effect is looked for
_REACH: Final = 0.1


def resonance_intervals_gev(cards: Sequence[RunCard]) -> list[tuple[float, float]]:
    """Return the intervals of mass around e+ e- resonances, 12 % wider than their kinematic edges.

    Where positrons of a shower annihilate the limit changes within a few per cent of the mass.
    """
    intervals = []
    for card in cards:
        for name in card.used_setups:
            setup = card.setups[name]
            if isinstance(setup.window, MissingEnergyWindow) and setup.beam.lepton == "e":
                low, high = setup.window.resonance_edges_gev(setup.beam.energy_gev)
                intervals.append((low / 1.12, high * 1.12))
    return intervals


def decay_masses_gev(
    mediator: Mediator, sector: DarkSector | None, low: float, high: float
) -> NDArray[np.float64]:
    """Return the masses between two others at which branching ratios have a kink or a peak.

    Thresholds of lepton and pion pairs, with a few masses above each, and masses across omega,
    phi and heavier vector mesons; those of them at which the branching ratio to these states is,
    or changes by, more than 1 %. For pseudo-Dirac matter that is split, thresholds of
    chi_2 -> chi_1 l l.

    Parameters
    ----------
    mediator
        The mediator.
    sector
        Dark matter. With it the mediator decays to nothing else, and only a splitting has
        thresholds.
    low, high
        Range of masses in GeV.

    Returns
    -------
    numpy.ndarray
        Shape (K,), increasing, above ``low`` and below ``high``.
    """
    if sector is None:
        found = [*_thresholds(mediator), *_peaks(mediator)]
    elif sector.splitting > 0.0:
        # m_chi2 - m_chi1 = splitting * m / ratio
        pairs = [
            2.0 * mass * sector.ratio / sector.splitting for mass in LEPTON_MASSES_GEV.values()
        ]
        found = [edge * (1.0 + step) for edge in pairs for step in _ABOVE]
    else:
        found = []
    masses = np.unique(np.array(found, float))
    return np.asarray(masses[(masses > low) & (masses < high)])


def _thresholds(mediator: Mediator) -> Iterator[float]:
    pairs = {f"{name} {name}": mass for name, mass in LEPTON_MASSES_GEV.items()}
    for channel, mass in {**pairs, "hadrons": CHARGED_PION_MASS_GEV}.items():
        edge = 2.0 * mass
        if _share(mediator, channel, edge * (1.0 + _REACH)) > _SEEN:
            yield from (edge * (1.0 + step) for step in _ABOVE)


def _peaks(mediator: Mediator) -> Iterator[float]:
    for mass, half_width in NARROW_RESONANCES_GEV:
        beside = _share(mediator, "hadrons", mass - 4.0 * half_width)
        if abs(_share(mediator, "hadrons", mass) - beside) > _SEEN:
            yield from (mass + steps * half_width for steps in _ACROSS)


def _share(mediator: Mediator, channel: str, mass: float) -> float:
    """Return the branching ratio to a final state, 0 where the mediator has no decays at all."""
    widths = mediator.partial_widths(mass)
    total = float(sum_of_widths(widths, ()))
    return float(widths.get(channel, np.zeros(()))) / total if total > 0.0 else 0.0
