"""Bands of the anomalous magnetic moments, to draw beside limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from na64.limits.figures.drawn import Drawn, Kind
from na64.limits.figures.thermal import in_plane
from na64.limits.figures.words import mediator_words
from na64.limits.results.limit import Limit
from na64.models.anomalies import MEASUREMENTS, coupling_band
from na64.models.errors import InputError, unknown_name
from na64.models.kinds import kind_row

__all__ = ["moment_band", "moment_bands"]

#: half width of the bands that NA64 draws, in standard deviations
SIGMAS: Final = 2.0
_SYMBOLS: Final = {"e": "e", "mu": r"\mu"}


def moment_bands(name: str, limits: Sequence[Limit]) -> list[Drawn]:
    """Return the band of every mediator that limits are on, which its label names if they differ.

    Mediators that have none are left out.

    Raises
    ------
    InputError
        As `moment_band`, if no mediator has one.
    """
    each = {item.specification.mediator.name: item for item in reversed(limits)}
    found, refused = [], []
    for model, item in reversed(each.items()):
        try:
            band = moment_band(name, item)
        except InputError as error:
            refused.append(error)
            continue
        label = band.label
        if len(each) > 1:
            label = f"{label}, {mediator_words(item.specification)}"
        found.append(replace(band, label=label, name=name if len(each) == 1 else f"{name} {model}"))
    if not found:
        raise refused[0]
    return found


def moment_band(name: str, like: Limit, *, sigmas: float = SIGMAS) -> Drawn:
    """Return the couplings of a limit's mediator that explain a measured moment.

    Parameters
    ----------
    name
        A measurement of `na64.models.anomalies.MEASUREMENTS`: ``mu-2021``, ``mu-2025``,
        ``e-lkb-2020``, ``e-berkeley-2018``.
    like
        The limit; its mediator, masses and plane are used.
    sigmas
        Half width in standard deviations.

    Returns
    -------
    Drawn
        A closed path around the band, or the line of the limit that it becomes where no new boson
        at all is within it.

    Raises
    ------
    InputError
        For an unknown measurement, a mediator without a coupling to the lepton, or one whose
        contribution has the wrong sign.
    """
    if name not in MEASUREMENTS:
        raise unknown_name("measurement of g-2", name, MEASUREMENTS)
    measurement = MEASUREMENTS[name]
    boson, masses = like.specification.mediator, like.specification.masses_gev
    # the loop is dominated by small space-like momenta, where a coupling that runs is that at 0
    strength = float(boson.coupling(measurement.lepton))
    row = kind_row(boson.kind, "the contribution to g-2")
    if row.moment is None and strength != 0.0:
        raise InputError(
            f"the contribution of a {boson.kind} boson to g-2 is not computed: no band of "
            f"'{name}' for the model '{boson.name}'"
        )
    if row.moment is None or strength == 0.0:
        raise InputError(
            f"model '{boson.name}' does not couple to the lepton of '{name}', "
            f"'{measurement.lepton}': it has no such band"
        )
    band = coupling_band(measurement, boson.kind, masses, relative_coupling=strength, sigmas=sigmas)
    possible = np.isfinite(band.upper)
    if not possible.any():
        raise InputError(
            f"the boson of '{boson.name}' ({boson.kind}) moves the moment of '{name}' away from "
            "its measurement: there is no band to draw"
        )
    whose = " ".join(
        part.upper() if len(part) <= 3 else part.capitalize() for part in name.split("-")[1:]
    )
    words = rf"$(g-2)_{_SYMBOLS[measurement.lepton]}$ {whose}, {sigmas:g}$\sigma$"
    masses, lower, upper = masses[possible], band.lower[possible], band.upper[possible]
    if not np.all(lower > 0.0):
        return Drawn(f"{words} limit", *in_plane(like, masses, upper))
    x, above = in_plane(like, masses, upper)
    below = in_plane(like, masses, lower)[1]
    around = np.concatenate([x, x[::-1], x[:1]])
    return Drawn(words, around, np.concatenate([above, below[::-1], above[:1]]), Kind.REGION)
