"""Bosons that the photons of an absorbed cascade make in the field of the nuclei.

Per particle on target, at unit coupling: sum over nuclei n X0 int T_gamma(E) sigma(E) dE, the
boson taking all of the photon's energy. For a boson that electrons emit too, such as one of spin 2:
one that photons alone make has a search of its own, `na64.models.signals.alp`.
"""

from __future__ import annotations

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.kinds import kind_row
from na64.models.mediators.protocol import Mediator
from na64.models.production.primakoff import primakoff_cross_section
from na64.models.response.acceptance import MissingEnergyAcceptance
from na64.models.showers.cascade import Cascade
from na64.models.signals.settings import SignalSettings

__all__ = ["PROCESS", "made_by_photons"]

#: name of the process
PROCESS = "primakoff"


def _share_above(energies: FloatArray, threshold: float) -> FloatArray:
    """Part of each node's cell in ln E above an energy; nodes descend, cells end half-way."""
    log = np.log(energies)
    half_way = 0.5 * (log[1:] + log[:-1])
    # the first cell begins at the beam energy; the floor cuts the last one in half
    upper = np.concatenate([log[:1], half_way])
    lower = np.concatenate([half_way, 2.0 * log[-1:] - half_way[-1:]])
    return np.asarray(np.clip((upper - np.log(threshold)) / (upper - lower), 0.0, 1.0))


def made_by_photons(
    shower: Cascade,
    acceptance: MissingEnergyAcceptance,
    mediator: Mediator,
    masses: FloatArray,
    settings: SignalSettings,
) -> FloatArray:
    """Return the mediators made and selected per particle on target, at unit coupling.

    Parameters
    ----------
    shower
        The cascade, followed down to the lower edge of the cut.
    acceptance
        Cut and trigger, and with them the target.
    mediator
        One that photons make.
    masses
        Its masses in GeV, shape (M,).
    settings
        Of these whether inelastic scattering is included.

    Returns
    -------
    ndarray
        Shape (M,).
    """
    energies, material = shower.energies_gev, acceptance.target.material
    low, sure = acceptance.cut_edges_gev
    # steps cut cells in two; what is smooth is taken at the nodes, which lie no further apart
    selected = _share_above(energies, low)
    if sure > low:
        selected = selected * acceptance.cut(energies)
    if acceptance.largest_gev < shower.energy_gev:
        selected = selected * (1.0 - _share_above(energies, acceptance.largest_gev))
    else:
        selected = selected * acceptance.trigger(energies)
    track = selected * np.maximum(shower.weights[2], 0.0)
    probability = primakoff_cross_section(energies, masses, material, inelastic=settings.inelastic)
    factor = kind_row(mediator.kind, "the production").primakoff or 0.0
    # one sum per mass along contiguous memory, in an order that the other masses do not change
    return np.asarray(factor * np.ascontiguousarray(track * probability.T).sum(axis=1))
