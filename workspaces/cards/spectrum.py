"""BackgroundSpectrum: expected background below an energy, from a table of a run card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError
from na64.workspaces.cards.quantity import covered, rising, source

__all__ = ["BackgroundSpectrum"]


@dataclass(frozen=True, slots=True)
class BackgroundSpectrum:
    """Expected background events with less energy in the calorimeter than given.

    Between the points the logarithm of the events is linear in the energy, as for a spectrum that
    falls exponentially towards low energies; outside them there is no value.

    Raises
    ------
    InputError
        For numbers that are not as described.
    """

    energies_gev: tuple[float, ...] = declare(
        help="cuts on the energy in the calorimeter, increasing, two or more",
        unit="GeV",
        above=0.0,
        fewest=2,
        example=(40.0, 50.0, 60.0),
    )
    events_below: tuple[float, ...] = declare(
        help="background events of all bins with less energy, not decreasing",
        above=0.0,
        fewest=2,
        example=(0.1, 0.5, 3.0),
    )
    relative_uncertainty: float = declare(
        help="standard uncertainty divided by the value, common to all energies", absent=0.0
    )
    source: str = source()

    def __post_init__(self) -> None:
        if len(self.energies_gev) != len(self.events_below):
            raise InputError(
                f"{len(self.energies_gev)} energies but {len(self.events_below)} numbers of events"
            )
        if len(self.energies_gev) < 2:
            raise InputError("a spectrum needs two energies or more")
        if not rising(self.energies_gev):
            raise InputError("energies must be positive and increasing")
        events = np.asarray(self.events_below, float)
        if not (np.all(np.isfinite(events)) and events[0] > 0.0 and np.all(np.diff(events) >= 0.0)):
            raise InputError("events below an energy must be positive and not decrease with it")
        check_declared(self)

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
        energies = covered(energy_gev, self.energies_gev, "", "background spectrum")
        logs = np.interp(energies, self.energies_gev, np.log(self.events_below))
        return np.asarray(np.exp(logs), float)
