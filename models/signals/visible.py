"""Bosons that decay to e+ e- between a dump and a calorimeter: the X17 and the dark photon.

Events per particle on target: the flux of bosons out of the cascade, times the probability to
decay in the volume and that what is left of the event passes the trigger on the dump's first
layers, averaged over the boson's energy, times the branching ratio to e+ e-.

References
----------
Banerjee et al. (NA64), arXiv:1803.07748 and arXiv:1912.11389; Depero et al. (NA64),
arXiv:2009.02756; Andreev et al. (NA64), arXiv:2104.13342.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.protocol import Mediator
from na64.models.production.boson_flux import BosonFlux
from na64.models.production.tree_level import TreeLevelGrid
from na64.models.response.windows import DumpWindow, refuse
from na64.models.signals.decay_in_flight import (
    coupling_grid,
    fold,
    mediator_flux,
    total_width,
)
from na64.models.signals.rates import SignalRates, TableStore
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "visible_rates"]

#: order of the region axis
REGIONS: Final = ("decay",)
#: settings that this signal depends on
USES: Final = frozenset({"production", "inelastic"})
#: order of the process axis
PROCESSES: Final = ("emission",)
# At large couplings only the hardest bosons get through the dump. With the default nodes for bosons
# of 5 to 40 MeV the ends of an excluded interval move by 1e-4.
_GRID: Final = TreeLevelGrid(light=80.0)
# epsilon, or the coupling g to electrons
_COUPLINGS: Final = (1e-6, 1.0)


def visible_rates(
    beam: Beam,
    target: Target,
    window: DumpWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    couplings: ArrayLike | None = None,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the decays to e+ e- behind a dump, per particle on target.

    Parameters
    ----------
    beam, target
        An e- or e+ beam, and the dump, which absorbs the whole cascade.
    window, settings, tables
        As for every signal; see `na64.models.signals`.
    mediator
        Vector, axial, scalar or pseudoscalar, coupled to electrons. All of its decays are to
        Standard Model states.
    masses_gev
        Shape (M,), above 2 m_e.
    couplings
        By default 1e-6 to 1.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    if np.any(masses <= 2.0 * ELECTRON_MASS_GEV):
        raise InputError(
            f"mass of {masses.min():g} GeV is not above the threshold of e+ e-, "
            f"{2.0 * ELECTRON_MASS_GEV:.6g} GeV: there is no decay to see"
        )
    if not np.any(mediator.coupling("e", masses**2)):
        raise InputError(f"model '{mediator.name}' does not couple to the beam's electrons")
    grid = coupling_grid(*_COUPLINGS, couplings)
    least = window.boson_energy_gev
    flux = mediator_flux(
        beam, target, mediator, masses, least, settings=settings, grid=_GRID, tables=tables
    )
    # The trigger wants a shower in the first layers of the dump: a boson that takes all of the
    # beam's energy leaves none. Doubling the flux's nodes moves an edge by up to 0.7 % with it.
    passes = window.trigger(flux.energies_gev, beam)
    flux = BosonFlux(flux.energies_gev, flux.weights * passes)
    width = total_width(mediator, masses)
    to_electrons = np.asarray(mediator.partial_widths(masses)["e e"], float) / width
    decays = fold(flux, masses, width, grid, window.seen)
    events = (to_electrons[:, None] * decays)[..., None, None]
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events, couplings=grid)
