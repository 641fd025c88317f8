"""BackgroundSpectrum: expected background below an energy, from a table of a run card."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError
from na64.workspaces.cards.fields import TableReader

__all__ = ["BackgroundSpectrum", "read_background_spectrum"]


@dataclass(frozen=True, slots=True)
class BackgroundSpectrum:
    """Expected background events with less energy in the calorimeter than given.

    Between the points the logarithm of the events is linear in the energy, as for a spectrum that
    falls exponentially towards low energies; outside them there is no value.

    Attributes
    ----------
    energies_gev
        Increasing positive energies, two or more.
    events_below
        Events of the whole exposure with less energy; positive, not decreasing.
    relative_uncertainty
        Relative standard uncertainty, common to all energies.
    source
        Where the numbers come from.

    Raises
    ------
    InputError
        For numbers that are not as described.
    """

    energies_gev: tuple[float, ...]
    events_below: tuple[float, ...]
    relative_uncertainty: float
    source: str

    def __post_init__(self) -> None:
        if len(self.energies_gev) != len(self.events_below):
            raise InputError(
                f"{len(self.energies_gev)} energies but {len(self.events_below)} numbers of events"
            )
        if len(self.energies_gev) < 2:
            raise InputError("a spectrum needs two energies or more")
        energies, events = (np.asarray(x, float) for x in (self.energies_gev, self.events_below))
        rising = energies[0] > 0.0 and bool(np.all(np.diff(energies) > 0.0))
        if not (rising and np.all(np.isfinite(energies))):
            raise InputError("energies must be positive and increasing")
        if not (np.all(np.isfinite(events)) and events[0] > 0.0 and np.all(np.diff(events) >= 0.0)):
            raise InputError("events below an energy must be positive and not decrease with it")
        if not (math.isfinite(self.relative_uncertainty) and self.relative_uncertainty >= 0.0):
            raise InputError(
                "relative_uncertainty must be finite and not negative, is "
                f"{self.relative_uncertainty}"
            )
        if not self.source.strip():
            raise InputError("source must not be empty")

    def below(self, energy_gev: ArrayLike) -> NDArray[np.float64]:
        """Return the expected events with less energy.

        Parameters
        ----------
        energy_gev
            Energies within the table, any shape.

        Raises
        ------
        InputError
            For an energy outside the table.
        """
        energies = np.asarray(energy_gev, float)
        low, high = self.energies_gev[0], self.energies_gev[-1]
        # a grid's end points carry rounding errors of logarithms
        outside = (energies < low * (1.0 - 1e-9)) | (energies > high * (1.0 + 1e-9))
        if np.any(outside):
            worst = float(energies[outside].flat[0])
            raise InputError(
                f"{worst:.6g} GeV is outside the background spectrum, which covers "
                f"{low:g}-{high:g} GeV"
            )
        logs = np.interp(energies, self.energies_gev, np.log(self.events_below))
        return np.asarray(np.exp(logs), float)

    def to_dict(self) -> dict[str, object]:
        """Return the table as a card has it."""
        data: dict[str, object] = {
            "energies_gev": list(self.energies_gev),
            "events_below": list(self.events_below),
        }
        if self.relative_uncertainty > 0.0:
            data["relative_uncertainty"] = self.relative_uncertainty
        data["source"] = self.source
        return data


def read_background_spectrum(top: TableReader) -> BackgroundSpectrum | None:
    """Read the optional table ``[background_spectrum]`` of a card."""
    table = top.table("background_spectrum", required=False)
    if table is None:
        return None
    energies = table.numbers("energies_gev", positive=True)
    events = table.numbers("events_below", positive=True)
    relative = table.number("relative_uncertainty", default=0.0)
    source = table.text("source")
    table.finish()
    return table.build(BackgroundSpectrum, energies, events, relative, source)
