"""Probability that a muon which emitted a mediator is accepted behind the target.

The muon loses energy before the emission, which lowers the energy E at which it emits, and after
it: of the energy E_f that the emission leaves it, the window sees what is left at the end. Both
losses have the distributions of `na64.models.showers.muon_straggling`. What is accepted is

    E_min < E_f - loss after < E_max   and   loss before + loss after < what the target may see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.materials import Material
from na64.models.production.quadrature import unit_nodes
from na64.models.response.windows import MuonWindow
from na64.models.showers.muon_straggling import LossDistribution, loss_distribution
from na64.models.targets import Beam, Target

__all__ = ["RecoilAcceptance", "recoil_acceptance"]

# Gauss nodes: along the target; in the loss before the emission, as the energies at which emission
# is computed and as what is left for the loss after it
_DEPTHS: Final = 3
_ENERGIES: Final = 2
_LOSSES: Final = 5
# ratio of the energies of the recoil at which losses are computed: they rise as ln E
_RATIO: Final = 1.35
# a slower muon stops
_LEAST_GEV: Final = 0.2
# the steps of the acceptance are as wide as the usual losses: points of a grid, and how far, GeV
_FINE: Final = np.linspace(0.0, 4.0, 161)


@dataclass(frozen=True, slots=True)
class RecoilAcceptance:
    """What is accepted of the muons that emit at some depth of a target, averaged over it.

    Attributes
    ----------
    energies_gev
        Energies of the muon at the emission that stand for all of them, shape (J,).
    left_gev
        Energies that the emission leaves, shape (G,).
    accepted
        Probabilities, shape (J, G): the sum over J of the spectra at these energies, each times
        its row, is the accepted spectrum. As in a rule of integration, a row may be negative.
    """

    energies_gev: FloatArray
    left_gev: FloatArray
    accepted: FloatArray


def _grid(window: MuonWindow, energy: float) -> FloatArray:
    """Energies left to the recoil among which the acceptance is interpolated."""
    low, high = window.recoil_energy_min_gev, window.recoil_energy_max_gev
    top = min(energy, high + window.target_energy_max_gev)
    least = max(low, _LEAST_GEV)
    number = 8 * math.ceil(math.log(top / least) / math.log(_RATIO)) + 2
    found = np.concatenate([np.geomspace(least, top, number), low + _FINE, high + _FINE])
    return np.unique(found[(found >= least) & (found <= top)])


def _interpolating(nodes: FloatArray, at: FloatArray) -> FloatArray:
    """Values of the polynomials that are 1 at one node and 0 at the others, (J, at)."""
    rows = []
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        rows.append(np.prod((at[None, :] - others[:, None]) / (node - others[:, None]), axis=0))
    return np.array(rows)


def _behind(
    left: FloatArray, material: Material, length: float, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Probability of a loss between ``low`` (G,) and ``high`` (K, G), for recoils of ``left``."""
    ends = math.log(left[0]), math.log(left[-1])
    references = np.linspace(*ends, 2 + math.floor((ends[1] - ends[0]) / math.log(_RATIO)))
    place = np.interp(np.log(left), references, np.arange(len(references)))
    result = np.zeros_like(high)
    for n, reference in enumerate(references):
        share = np.maximum(1.0 - np.abs(place - n), 0.0)
        near = share > 0.0
        losses: LossDistribution = loss_distribution(math.exp(reference), material, length)
        between = losses.below(high[:, near]) - losses.below(low[near])
        result[:, near] += share[near] * np.maximum(between, 0.0)
    return result


@lru_cache(maxsize=64)
def recoil_acceptance(beam: Beam, target: Target, window: MuonWindow) -> RecoilAcceptance:
    """Return the acceptance of a window for the muons of a beam.

    Parameters
    ----------
    beam, target, window
        As of `muon_rates`; they fit together.
    """
    limit = window.target_energy_max_gev
    material, length = target.material, target.length_cm
    depths, weights = unit_nodes(_DEPTHS)
    middle = loss_distribution(beam.energy_gev, material, 0.5 * length)
    nodes, _ = middle.nodes(_ENERGIES, limit)
    left = _grid(window, beam.energy_gev)
    # loss with which the window would see the muon at its upper and at its lower edge
    least, most = (
        left - edge for edge in (window.recoil_energy_max_gev, window.recoil_energy_min_gev)
    )
    accepted = np.zeros((len(nodes), len(left)))
    for depth, weight in zip(depths * length, weights, strict=True):
        before = loss_distribution(beam.energy_gev, material, depth)
        losses, probabilities = before.nodes(_LOSSES, limit)
        seen = np.minimum(most, (limit - losses)[:, None])
        after = _behind(left, material, length - depth, least, seen)
        accepted += weight * (_interpolating(nodes, losses) * probabilities) @ after
    return RecoilAcceptance(beam.energy_gev - nodes, left, accepted)
