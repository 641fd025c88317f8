"""Axion-like particles behind an active target: seen as a decay, or as missing energy.

The beam's shower makes the particle, which flies through the target and the veto behind it.
Decays between the veto and the detector's end deposit its energy there (region ``decay``);
decays beyond leave an energy deficit (region ``missing-energy``); decays before the end of the
veto are lost.

References
----------
Banerjee et al. (NA64), arXiv:2005.02710.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from na64.models.errors import InputError
from na64.models.kinds import kind_row
from na64.models.mediators.protocol import Mediator
from na64.models.production.boson_flux import BosonFlux
from na64.models.production.process import Approximation
from na64.models.response.windows import DisplacedWindow, Selection, refuse
from na64.models.signals.decay_in_flight import (
    coupling_grid,
    fold,
    mediator_flux,
    total_width,
)
from na64.models.signals.rates import SignalRates, TableStore
from na64.models.signals.settings import DEFAULT_SETTINGS, SignalSettings
from na64.models.targets import Beam, Target

__all__ = ["PROCESSES", "REGIONS", "USES", "alp_rates"]

#: order of the region axis
REGIONS: Final = ("decay", "missing-energy")
#: settings that this signal depends on
USES: Final = frozenset({"production", "inelastic", "invisible_branching"})
#: order of the process axis
PROCESSES: Final = ("production",)
# g_agg in 1/GeV, or g of an electron-coupled particle
_COUPLINGS: Final = {True: (1e-6, 100.0), False: (1e-6, 1.0)}


def alp_rates(
    beam: Beam,
    target: Target,
    window: DisplacedWindow,
    mediator: Mediator,
    masses_gev: ArrayLike,
    *,
    settings: SignalSettings = DEFAULT_SETTINGS,
    couplings: ArrayLike | None = None,
    tables: TableStore | None = None,
) -> SignalRates:
    """Return the events of a boson that decays in or beyond the detector.

    Parameters
    ----------
    beam, target
        An e- or e+ beam, and the active target, which absorbs the whole cascade.
    window, tables
        As for every signal; see `na64.models.signals`.
    mediator
        Coupled to photons (Primakoff production), or to electrons (emission; a boson of any
        spin then, such as an electron-coupled axion-like particle).
    masses_gev
        Shape (M,); below the pair threshold an electron-coupled boson is stable and refused.
    settings
        The invisible branching ratio is the same for all couplings: it shortens the lifetime, and
        an invisible decay is missing energy wherever it happens. Primakoff production has the
        approximation ``etl`` only.
    couplings
        By default 1e-6 to 100 GeV^-1, or 1e-6 to 1.
    """
    masses = np.atleast_1d(np.asarray(masses_gev, float))
    refuse(window.problems(beam, target))
    photons = kind_row(mediator.kind, "the production").from_photons
    if photons and "photons" not in mediator.partial_widths(masses):
        raise InputError(f"model '{mediator.name}' does not couple to photons or electrons")
    if photons and settings.production != Approximation.ETL:
        raise InputError(
            f"production {settings.production} is for emission by electrons; Primakoff production "
            f"of the model '{mediator.name}' has no approximations, choose etl"
        )
    grid = coupling_grid(*_COUPLINGS[photons], couplings)
    visible = 1.0 - settings.invisible_branching

    def flux(selection: Selection) -> BosonFlux:
        least, passes = selection
        made = mediator_flux(
            beam, target, mediator, masses, least, settings=settings, tables=tables
        )
        return BosonFlux(made.energies_gev, made.weights * passes(made.energies_gev))

    to_decay, to_miss = window.selections(beam, target)
    missing = flux(to_miss)
    events = np.zeros((len(masses), len(grid), 1, 2))
    if visible > 0.0:
        width = total_width(mediator, masses) / visible
        seen = flux(to_decay)
        events[..., 0, 0] = visible * fold(seen, masses, width, grid, window.seen)
        events[..., 0, 1] = visible * fold(missing, masses, width, grid, window.missing)
    events[..., 0, 1] += settings.invisible_branching * missing.totals[:, None] * grid**2
    return SignalRates.of(mediator, masses, PROCESSES, REGIONS, events, couplings=grid)
