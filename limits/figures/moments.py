"""Bands of the anomalous magnetic moments, to draw beside the limits of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.results.limit import Exclusion
from na64.models.anomalies import MEASUREMENTS, CouplingBand, coupling_band
from na64.models.errors import InputError, unknown_name
from na64.models.kinds import kind_row
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator

__all__ = ["MomentBand", "moment_band", "moment_bands"]

#: half width of the bands that NA64 draws, in standard deviations
SIGMAS: Final = 2.0
_SYMBOLS: Final = {"e": "e", "mu": r"\mu"}


@dataclass(frozen=True, slots=True)
class MomentBand:
    """A band, or the limit that it becomes where no new boson at all is within it.

    Attributes
    ----------
    label
        Text of a legend.
    masses_gev, couplings
        A closed path around the band, or the points of the limit.
    closed
        Whether it is a band.
    """

    label: str
    masses_gev: NDArray[np.float64]
    couplings: NDArray[np.float64]
    closed: bool


def moment_band(
    name: str,
    exclusion: Exclusion,
    *,
    original: Mediator | None = None,
    sigmas: float = SIGMAS,
) -> MomentBand:
    """Return the couplings of a scan's mediator that explain a measured moment.

    Parameters
    ----------
    name
        A measurement of `na64.models.anomalies.MEASUREMENTS`: ``mu-2021``, ``mu-2025``,
        ``e-lkb-2020``, ``e-berkeley-2018``.
    exclusion
        The scan; its mediator, masses and coupling are used.
    original
        The mediator of the scan, if it is neither built in nor installed.
    sigmas
        Half width in standard deviations.

    Raises
    ------
    InputError
        For an unknown measurement, a mediator without a coupling to the lepton, or one whose
        contribution has the wrong sign.
    """
    if name not in MEASUREMENTS:
        raise unknown_name("measurement of g-2", name, MEASUREMENTS)
    measurement = MEASUREMENTS[name]
    boson = mediator(exclusion.model) if original is None else original
    masses = exclusion.masses_gev
    # the loop is dominated by small space-like momenta, where a coupling that runs is that at 0
    strength = float(boson.coupling(measurement.lepton))
    if kind_row(boson.kind, "the anomalous moment").moment is None or strength == 0.0:
        raise InputError(
            f"model '{boson.name}' does not couple to the lepton of '{name}', "
            f"'{measurement.lepton}': it has no such band"
        )
    band = coupling_band(measurement, boson.kind, masses, relative_coupling=strength, sigmas=sigmas)
    possible = np.isfinite(band.upper)
    if not possible.any():
        raise InputError(
            f"a {boson.kind} boson moves the moment of '{name}' away from its measurement: there "
            "is no band to draw"
        )
    return _path(name, band, possible)


def _path(name: str, band: CouplingBand, possible: NDArray[np.bool_]) -> MomentBand:
    lepton = _SYMBOLS[band.measurement.lepton]
    masses, lower, upper = (v[possible] for v in (band.masses_gev, band.lower, band.upper))
    words = rf"$(g-2)_{lepton}$ {name.split('-', 1)[1]}, {band.sigmas:g}$\sigma$"
    if np.all(lower > 0.0):
        around = np.concatenate([masses, masses[::-1], masses[:1]])
        return MomentBand(
            words, around, np.concatenate([upper, lower[::-1], upper[:1]]), closed=True
        )
    return MomentBand(f"{words} limit", masses, upper, closed=False)


def moment_bands(
    names: Sequence[str], exclusion: Exclusion, *, original: Mediator | None = None
) -> list[MomentBand]:
    """Return the bands of several measurements."""
    return [moment_band(name, exclusion, original=original) for name in names]
