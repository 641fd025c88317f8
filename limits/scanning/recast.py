"""Recast: the limit for another mediator or dark sector from the yields that a result holds.

A recast is a change of the specification. Emission goes with the square of the beam lepton's
coupling at q^2 = M^2 and with the invisible branching ratio; so does annihilation into a resonance
whose shape stays the same. The limit on the number of events stays what it was if the signal
keeps its distribution over the bins. What cannot be carried over is refused, left out or computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.status import BAND_ORDER, Regions, Status
from na64.limits.results.axes import coupling_axis, mass_axis
from na64.limits.results.limit import Limit
from na64.limits.results.origin import Origin
from na64.limits.results.specification import Specification
from na64.limits.scanning.known import Known
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.request import (
    NO_DARK_MATTER,
    changed_sector,
    check_produced,
    find_mediator,
)
from na64.limits.scanning.runner import join, method_warnings, run
from na64.limits.scanning.settings import SECTOR
from na64.limits.scanning.validity import card_notes, limit_warnings
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.decays.invisible import invisible_branching
from na64.models.errors import InputError, unknown_name
from na64.models.mediators.protocol import Mediator
from na64.models.response.missing_momentum import MissingMomentumWindow
from na64.models.response.windows import MissingEnergyWindow, MuonWindow
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import Setup

__all__ = ["POLICIES", "Carrier", "carried_to", "carrier", "recast", "recomputed_note"]

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: what becomes of masses that cannot be carried over
POLICIES: Final = ("refuse", "leave-out", "recompute")

#: share of annihilation that may be dropped where the resonance changes its shape: half of that
#: in the coupling
_SMALL_SHARE: Final = 0.01
#: relative change of a ratio of couplings over the resonance that still counts as none
_CONSTANT: Final = 1e-6
#: steps in sqrt(s) in which that is checked
_STEPS: Final = 60


def recast(
    limit: Limit,
    model: str | Mediator | None = None,
    *,
    policy: str = "refuse",
    tables: TableStore | None = None,
    progress: Progress = silent,
    **sector: Any,
) -> Limit:
    """Return the limit on another mediator, or for another dark sector.

    Parameters
    ----------
    limit
        A result in the plane of the coupling.
    model
        The other mediator or its name; that of the result if None.
    policy
        What becomes of masses at which the yields of the result cannot carry the change:
        ``refuse`` (an error that says why), ``leave-out`` (they stay in the result, without a
        limit and with the status ``left-out``) or ``recompute`` (a new scan there).
    tables, progress
        As in `na64.limits.scan`; for what is computed.
    **sector
        ``dark_matter``, ``alpha_d``, ``ratio``, ``splitting`` of the other dark sector. What is
        not named or None stays; but a mediator that decays to neutrinos has no dark matter unless
        it is named, and another species has no splitting.

    Returns
    -------
    Limit
        With the changed specification, and where it came from as ``origin``. Away from the
        resonance of a changed dark sector, what is left of annihilation (less than 1 % of the
        events) is dropped.

    Raises
    ------
    InputError
        For a mediator that does not couple to the beam lepton, for values that are not allowed,
        and where the policy leaves nothing.
    """
    if policy not in POLICIES:
        raise InputError(f"policy must be one of {', '.join(POLICIES)}, is '{policy}'")
    if not limit.plane.is_coupling:
        raise InputError(f"the result is in the plane of {limit.plane.name}: recast the scan")
    made = limit.specification
    new = made.mediator if model is None else find_mediator(model)
    for name in sector:
        if name not in SECTOR:
            raise unknown_name("setting of the dark sector", name, SECTOR)
    check_produced(made.cards, new)
    wanted = {name: value for name, value in sector.items() if value is not None}
    changed = replace(
        made,
        mediator=new,
        settings=replace(made.settings, dark_sector=changed_sector(made, new, wanted)),
    )
    return carried_to(limit, changed, policy, tables=tables, progress=progress)


def carried_to(
    limit: Limit,
    changed: Specification,
    policy: str,
    *,
    tables: TableStore | None = None,
    progress: Progress = silent,
    known: Known | None = None,
) -> Limit:
    """Return a result for a specification that differs in mediator or dark sector.

    Parameters
    ----------
    limit, policy, tables, progress
        As in `recast`.
    changed
        The other specification, at the same masses.
    known
        As in `na64.limits.scan`.
    """
    made = limit.specification
    if changed == made and not (limit.left_out.any() and policy == "recompute"):
        return limit
    way = carrier(limit, changed)
    if policy != "recompute" and ((way.reason and policy == "refuse") or not way.sound.any()):
        raise InputError(f"{way.reason}; {_advice(changed)}")
    masses = made.masses_gev
    lost = ~way.sound
    parts = []
    if way.sound.any():
        parts.append(_rescaled(limit, changed, way))
    warnings: list[str] = []
    if lost.any() and policy == "recompute":
        if limit.origin is not None and limit.origin.given:
            raise InputError(f"{way.reason}; the signal was given and cannot be recomputed")
        parts.append(run(changed.at(masses[lost]), tables=tables, progress=progress, known=known))
        warnings.append(recomputed_note(masses[lost], limit.power if way.sound.any() else None))
    elif lost.any():
        parts.append(_nothing(limit, changed.at(masses[lost]), np.flatnonzero(lost)))
    result = join(parts)
    notes = limit_warnings(
        changed.mediator, changed.dark_sector, result.power, masses, result.shown_regions
    )
    notes += method_warnings([limit, *parts])
    notes += card_notes(changed.cards)
    return replace(
        result,
        specification=changed,
        origin=Origin(made, policy, limit.origin),
        warnings=(*warnings, *notes),
        provenance=limit.provenance,
    )


@dataclass(frozen=True, slots=True)
class Carrier:
    """How the yields of a result become those of another specification.

    Attributes
    ----------
    factors
        Factor of each process, shape (M,).
    sound
        Masses at which they are known, shape (M,).
    reason
        Why they are not known at others; empty if there are none.
    """

    factors: Mapping[str, FloatArray]
    sound: Flags
    reason: str


def carrier(limit: Limit, changed: Specification) -> Carrier:
    """Return how a result is carried over to a specification at the same masses."""
    made = limit.specification
    masses = made.masses_gev
    old, new = made.mediator, changed.mediator
    nowhere = np.zeros(len(masses), bool)
    for card in made.cards:
        for item in card.bins:
            if item.simulated_yield is not None:
                return Carrier(
                    {},
                    nowhere,
                    f"the signal of bin {item.name} of {card.name} is from a simulation of the "
                    f"model '{item.simulated_yield.model}' with the dark sector that it had",
                )
    setups = [card.setups[name] for card in made.cards for name in card.used_setups]
    windows = (MissingEnergyWindow, MissingMomentumWindow, MuonWindow)
    if not all(isinstance(setup.window, windows) for setup in setups) or limit.power is None:
        kinds = ", ".join(dict.fromkeys(card.topology for card in made.cards))
        return Carrier(
            {},
            nowhere,
            "a recast is for searches for missing energy or momentum; the signal of "
            f"{made.search}, of the topology {kinds}, depends on the lifetime",
        )
    if new.kind != old.kind:
        return Carrier(
            {},
            nowhere,
            f"'{new.name}' is {new.kind} and '{old.name}' is {old.kind}: their cross-sections "
            "differ by more than a factor",
        )
    coupled, agree = _emission_factor(setups, old, new, masses)
    if not agree:
        return Carrier(
            {},
            nowhere,
            f"'{new.name}' couples to the beams' leptons in another proportion than '{old.name}'",
        )
    emission = coupled * (
        invisible_branching(new, masses, changed.dark_sector)
        / invisible_branching(old, masses, made.dark_sector)
    )
    factors, sound = _factors(limit, changed, setups, emission)
    if sound.all():
        return Carrier(factors, sound, "")
    lost = masses[~sound]
    if np.array_equal(~sound, limit.left_out):
        where = f"{lost[0]:.4g}-{lost[-1]:.4g} GeV"
        return Carrier(factors, sound, f"the result was left without a limit at {where}")
    return Carrier(
        factors,
        sound,
        f"annihilation contributes at {lost[0]:.4g}-{lost[-1]:.4g} GeV and changes its shape with "
        "the dark sector or the running coupling: the yields of the scan cannot carry that",
    )


def _advice(changed: Specification) -> str:
    sector = changed.dark_sector
    words = f"scan {changed.search.replace('+', ' + ')} for the model {changed.mediator.name}, "
    if sector is None:
        words += f"dark matter {NO_DARK_MATTER}"
    else:
        words += (
            f"dark matter {sector.species.value}, alpha_D = {sector.alpha_d:g}, ratio "
            f"{sector.ratio:g}"
        )
        words += f", splitting {sector.splitting:g}" if sector.splitting else ""
    return (
        f"{words}; or have these masses recomputed (`policy=recompute`) or left out "
        "(`policy=leave-out`)"
    )


def _emission_factor(
    setups: Sequence[Setup], old: Mediator, new: Mediator, masses: FloatArray
) -> tuple[FloatArray, bool]:
    """Ratio of the squared couplings of the beam lepton, and whether all beams agree on it."""
    leptons = sorted({setup.beam.lepton for setup in setups})
    found = []
    for lepton in leptons:
        strength = new.coupling(lepton, masses**2)
        if not np.any(strength):
            name = {"e": "electrons", "mu": "muons"}.get(lepton, lepton)
            raise InputError(f"model '{new.name}' does not couple to the {name} of this beam")
        found.append(np.asarray((strength / old.coupling(lepton, masses**2)) ** 2))
    agree = all(np.allclose(item, found[0], rtol=_CONSTANT, atol=0.0) for item in found)
    return found[0], agree


def _resonance_is_carried(
    made: Specification, changed: Specification, setups: Sequence[Setup]
) -> bool:
    """Whether annihilation changes by the same factor as emission, at every mass."""
    if made.dark_sector != changed.dark_sector:
        return False
    if changed.dark_sector is None:
        return True  # narrow: only the point s = M^2 counts
    # broad: the entrance width must keep its shape from threshold to the beam energy
    top = max(setup.beam.energy_gev for setup in setups)
    s = np.linspace(0.0, 2.0 * ELECTRON_MASS_GEV * top, _STEPS)
    ratio = changed.mediator.coupling("e", s) / made.mediator.coupling("e", s)
    return bool(np.ptp(ratio) <= _CONSTANT * np.abs(ratio).max())


def _factors(
    limit: Limit, changed: Specification, setups: Sequence[Setup], emission: FloatArray
) -> tuple[Mapping[str, FloatArray], Flags]:
    """Factor of each process, and the masses at which it is known."""
    made = limit.specification
    factors = dict.fromkeys(limit.yields, emission)
    sound = ~limit.left_out
    annihilated = limit.yields.get("annihilation")
    if annihilated is None or not made.settings.annihilation:
        return factors, sound
    if _resonance_is_carried(made, changed, setups):
        return factors, sound
    factors["annihilation"] = np.zeros_like(emission)
    others = sum(values for name, values in limit.yields.items() if name != "annihilation")
    # off the resonance it goes with the dark width: leave room for a wider one
    wider = 1.0
    old_sector, sector = made.dark_sector, changed.dark_sector
    if sector is not None and old_sector is not None:
        m = np.array([1.0])
        # the width at twice the mass stands for the wings, far from the threshold
        wider = float((sector.width_gev(2.0 * m, m) / old_sector.width_gev(2.0 * m, m)).item())
    share = annihilated * max(wider, 1.0) / np.where(others > 0.0, others, 1.0)
    sound &= np.asarray(share < _SMALL_SHARE)
    for setup in setups:
        sound &= ~_on_resonance(setup, made.masses_gev)
    return factors, sound


def _on_resonance(setup: Setup, masses: FloatArray) -> Flags:
    """Masses at which positrons of a setup can meet electrons at s = M^2."""
    if not isinstance(setup.window, MissingEnergyWindow):
        return np.zeros(len(masses), bool)
    low, high = setup.window.resonance_edges_gev(setup.beam.energy_gev)
    return np.asarray((masses > low) & (masses < high))


def _rescaled(limit: Limit, changed: Specification, way: Carrier) -> Limit:
    """The part of a result that can be carried over."""
    rows = np.flatnonzero(way.sound)
    kept = limit.take(rows)
    yields = {name: values * way.factors[name][rows] for name, values in kept.yields.items()}
    before = np.sum(list(kept.yields.values()), axis=0)
    after = np.sum(list(yields.values()), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (before / after) ** (1.0 / float(limit.power or 2.0))
    return replace(
        kept,
        specification=changed.at(kept.specification.masses_gev),
        origin=None,
        x=mass_axis(changed.mass_parameter),
        y=coupling_axis(changed.mediator.parameter, changed.mass_parameter),
        regions=_scaled(kept.regions, scale),
        expected_regions=tuple(_scaled(band, scale) for band in kept.expected_regions),
        yields=yields,
        warnings=(),
    )


def _nothing(limit: Limit, changed: Specification, rows: NDArray[np.intp]) -> Limit:
    """The masses that are left out."""
    empty: tuple[Regions, ...] = ((),) * len(rows)
    return replace(
        limit.take(rows),
        specification=changed,
        origin=None,
        x=mass_axis(changed.mass_parameter),
        y=coupling_axis(changed.mediator.parameter, changed.mass_parameter),
        regions=empty,
        expected_regions=(empty,) * len(BAND_ORDER),
        status=(Status.LEFT_OUT,) * len(rows),
        expected_status=limit.expected_status
        and ((Status.LEFT_OUT,) * len(rows),) * len(BAND_ORDER),
        messages=("the yields of the scan cannot carry the change",) * len(rows),
        events_limit=np.full(len(rows), math.nan),
        yields={name: np.zeros(len(rows)) for name in limit.yields},
        warnings=(),
        errors=None if limit.errors is None else np.full((6, len(rows)), math.nan),
    )


def _scaled(regions: Sequence[Regions], scale: FloatArray) -> tuple[Regions, ...]:
    return tuple(
        tuple((low * k, None if high is None else high * k) for low, high in found)
        for found, k in zip(regions, scale.tolist(), strict=True)
    )


def recomputed_note(masses: FloatArray, power: float | None) -> str:
    """Say at which masses something was computed anew, and why."""
    where = f"{masses.size} mediator masses, {masses[0]:.4g}-{masses[-1]:.4g} GeV"
    if masses.size == 1:
        where = f"a mediator mass of {masses[0]:.4g} GeV"
    # decays of the dark matter itself change with all of it
    why = "annihilation changes" if power is not None else "the signal changes"
    return f"scanned anew at {where}, where {why} with what was changed"
