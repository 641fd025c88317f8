"""Neutral mesons with an invisible decay, in the form that a scan takes mediators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from na64.models.arrays import FloatArray
from na64.models.mediators.protocol import MediatorKind

__all__ = ["InvisibleMesons", "invisible_mesons"]


@dataclass(frozen=True, slots=True)
class InvisibleMesons:
    """pi0, eta, eta' and K0, told apart by their masses; the free parameter is BR(invisible).

    Attributes are those of `na64.models.mediators.protocol.Mediator`.
    """

    name: str = "invisible-meson"
    parameter: str = "br"
    citations: tuple[str, ...] = ("arXiv:2406.01990",)
    kind: MediatorKind = field(default=MediatorKind.PHOTON_COUPLED, init=False)

    def coupling(self, fermion: str, q2_gev2: ArrayLike = 0.0) -> FloatArray:
        """Return zero: charge exchange makes them, no new coupling does."""
        return np.zeros(np.shape(q2_gev2))

    def partial_widths(self, mass_gev: ArrayLike) -> Mapping[str, FloatArray]:
        """Return nothing: branching ratios are the parameter, not widths."""
        return {}


def invisible_mesons() -> InvisibleMesons:
    """Return the neutral mesons of the search for their invisible decays."""
    return InvisibleMesons()
