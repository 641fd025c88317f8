"""Invisible decays of neutral mesons: a hadron turns into a meson that leaves no trace.

The meson of charge exchange takes all but a few hundred MeV of the beam's energy; if it decays
invisibly the whole energy disappears.

References
----------
NA64h, arXiv:2406.01990.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.errors import InputError
from na64.models.mediators.mesons import InvisibleMesons
from na64.models.mediators.protocol import Mediator
from na64.models.production.charge_exchange import MESONS, Meson, mesons_per_hadron
from na64.models.response.windows import MesonWindow, refuse
from na64.models.signals.rates import SignalRates, TableStore
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "meson_of_mass", "meson_rates"]

#: order of the region axis
REGIONS: Final = ("disappearance",)
#: settings that this signal depends on: none
USES: Final = frozenset[str]()
#: order of the process axis
PROCESSES: Final = ("charge-exchange",)
_SAME_MASS: Final = 2e-3


def meson_of_mass(mass_gev: float) -> Meson:
    """Return the neutral meson of a mass, to 0.2 %.

    Raises
    ------
    InputError
        For a mass that no neutral meson has.
    """
    for meson in MESONS.values():
        if abs(mass_gev / meson.mass_gev - 1.0) < _SAME_MASS:
            return meson
    known = ", ".join(f"{meson.mass_gev:g} ({name})" for name, meson in MESONS.items())
    raise InputError(f"no neutral meson has a mass of {mass_gev:g} GeV; there are: {known}")


def meson_rates(
    beam: Beam,
    target: Target,
    window: MesonWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the invisible mesons per hadron on target at a branching ratio of 1.

    Parameters
    ----------
    beam
        pi-, or K- for the K0.
    target, window
        The active target, and the attenuation length of the beam in it.
    mediator
        `na64.models.mediators.mesons.InvisibleMesons`; another one is refused.
    masses_gev
        Masses of mesons that the beam makes, shape (M,): each names one.
    settings, tables
        Not needed: nothing here takes long.
    """
    if not isinstance(mediator, InvisibleMesons):
        raise InputError(
            f"model '{mediator.name}' is not made by charge exchange: a search for mesons that "
            f"vanish is for the model '{InvisibleMesons().name}'"
        )
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    made = []
    for mass in masses:
        meson = meson_of_mass(float(mass))
        if meson.beam != beam.particle:
            raise InputError(
                f"{meson.name} comes from charge exchange of {meson.beam}, not of {beam.particle}"
            )
        made.append(
            mesons_per_hadron(
                meson.name,
                beam.energy_gev,
                target.material,
                target.length_cm,
                window.interaction_length_cm,
            )
        )
    events = np.array(made)[:, None, None, None]
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events, power=1.0)
