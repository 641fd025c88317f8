"""Thermal targets beside limits: lines of the observed relic density, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.figures.drawn import Drawn, Kind, Look
from na64.limits.figures.style import (
    ALPHA_COLOURS,
    SPECIES,
    SPECIES_COLOURS,
    THERMAL_DASHES,
    THERMAL_WIDTH,
)
from na64.limits.figures.typeset import typeset
from na64.limits.figures.words import assumed, ratio_words
from na64.limits.planes.alpha_d import solved_coupling
from na64.limits.planes.transforms import PLANES
from na64.limits.planes.y import Normalisation, y_from_coupling
from na64.limits.results.limit import Limit
from na64.models.decays.hadrons import NARROW_RESONANCES_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkMatter, DarkSector, dark_matter
from na64.models.relic.targets import mass_range_gev, thermal_target, validity_notes
from na64.models.relic.thermal_average import THRESHOLDS_GEV
from na64.workspaces.io.curves import Curve

__all__ = [
    "in_plane",
    "log_masses",
    "published_target",
    "refuse_target",
    "sector_of",
    "shown_masses",
    "thermal_line",
    "thermal_lines",
    "thermal_notes",
]

FloatArray = NDArray[np.float64]

#: masses of a thermal line per decade: the phi at m_chi = 0.5 GeV needs them
_DENSITY: Final = 150


def sector_of(limit: Limit) -> DarkSector | None:
    """Return the dark sector that a limit holds for; that of a relic has no alpha_D of its own."""
    found = assumed(limit)
    if found.dark_matter is None or found.ratio is None:
        return None
    alpha_d = {} if found.alpha_d is None else {"alpha_d": found.alpha_d}
    return DarkSector(
        DarkMatter(found.dark_matter), ratio=found.ratio, splitting=found.splitting, **alpha_d
    )


def in_plane(
    like: Limit,
    masses_gev: FloatArray,
    couplings: FloatArray,
    sector: DarkSector | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return points in (mediator mass, coupling) in the plane of a limit.

    Parameters
    ----------
    like
        The limit; its mediator has the couplings.
    masses_gev, couplings
        Points, shape (N,).
    sector
        Dark sector for the conversion; that of the limit if None.
    """
    if like.plane.is_coupling:
        return masses_gev, couplings
    kind, made = PLANES[like.plane.name], like.specification
    if kind.convert is None:
        raise InputError(f"a coupling has no value of its own in the plane of {like.plane.name}")
    dark = sector or made.dark_sector
    y = kind.convert(like.plane.options, made.mediator, dark, masses_gev, couplings)
    return (masses_gev / dark.ratio if kind.dark_matter and dark else masses_gev), y


def refuse_target(like: Limit, what: str) -> None:
    """Refuse what belongs to dark matter in a plane that has no place for it."""
    if like.plane.is_coupling:
        return
    kind = PLANES[like.plane.name]
    if kind.transform is not None:
        raise InputError(
            f"no {what}: in the plane of {kind.name} the limit itself is that of a thermal relic; "
            "choose its species when converting to it"
        )
    if not kind.targets:
        raise InputError(f"no {what} in the plane of {kind.name}")


def thermal_line(sector: DarkSector, like: Limit, masses_gev: FloatArray) -> Drawn:
    """Return the relic target of a dark sector in the plane of a limit.

    Parameters
    ----------
    sector
        Dark matter.
    like
        The limit, whose plane and mediator are used.
    masses_gev
        Masses on the axis of that plane, shape (M,).
    """
    chi = masses_gev if like.x.name == "m_chi" else masses_gev / sector.ratio
    low, high = mass_range_gev(like.specification.mediator, sector)
    chi = chi[(chi >= low) & (chi <= high)]
    if not chi.size:
        raise InputError(
            f"no thermal target in this figure: they are known for m_chi in {low:g}-{high:g} GeV"
        )
    coupling = solved_coupling(thermal_target(like.specification.mediator, sector, chi))
    x, y = in_plane(like, chi * sector.ratio, coupling, sector)
    return Drawn("", x, y, Kind.TARGET)


def thermal_lines(
    limits: Sequence[Limit],
    species: Sequence[str],
    alphas: Sequence[float] = (),
    ratios: Sequence[float] = (),
    *,
    span: tuple[float, float] | None = None,
) -> list[Drawn]:
    """Return the relic targets of several species, alpha_D and ratios; see `Beside`.

    Parameters
    ----------
    limits, species, alphas, ratios
        Limits of one variable, and for which dark sectors.
    span
        Ends of the axis of masses in GeV; those of the limits if None.
    """
    if not species:
        return []
    sectors = _sectors(limits, species, alphas, ratios)
    masses = shown_masses(limits, span)
    made = []
    for sector in sectors:
        special = _special_masses(sector, limits[0], masses)
        line = _without_forbidden(
            thermal_line(sector, limits[0], np.union1d(masses, special)), sector, limits[0]
        )
        look = _look(sector, sectors, limits)
        text = _text(sector, sectors, limits)
        kind = sector.species.value
        several = sum(other.species is sector.species for other in sectors) > 1
        own = f" alpha_D={sector.alpha_d:g} ratio={sector.ratio:g}" if several else ""
        names: dict[str, Any] = {"name": f"relic {kind}{own}", "text": text}
        label = f"relic density: {text}"
        made.append(replace(line, label=label, look=look, **names))
    return made


def _without_forbidden(line: Drawn, sector: DarkSector, like: Limit) -> Drawn:
    """Return a relic target without its rise below the lightest threshold.

    Dark matter lighter than the lightest charged particle annihilates by the tail of its thermal
    energies alone: the target rises by decades within a small part of the axis. A mediator that
    has other final states, neutrinos, has no such rise.
    """
    factor = 0.5 if like.x.name == "m_chi" else 0.5 * sector.ratio
    threshold = factor * float(THRESHOLDS_GEV.min())
    above = line.x >= threshold
    if not above.any():
        return line
    lowest = float(line.y[above][0])
    kept = above | (line.y <= lowest)
    # what is left of the line goes on from the last mass that rises
    rising = np.flatnonzero(~kept)
    start = int(rising[-1]) + 1 if rising.size else 0
    return replace(line, x=line.x[start:], y=line.y[start:])


def _special_masses(sector: DarkSector, like: Limit, masses: FloatArray) -> FloatArray:
    """Return masses inside of the axis where a relic target bends.

    Where dark matter at rest reaches the threshold of a pair of particles or a narrow resonance.
    """
    energies = np.array([*THRESHOLDS_GEV, *(mass for mass, _ in NARROW_RESONANCES_GEV)])
    factor = 0.5 if like.x.name == "m_chi" else 0.5 * sector.ratio
    found = factor * energies
    return np.asarray(found[(found > masses[0]) & (found < masses[-1])])


def thermal_notes(
    limits: Sequence[Limit],
    species: Sequence[str],
    alphas: Sequence[float] = (),
    ratios: Sequence[float] = (),
) -> tuple[str, ...]:
    """Return what a reader of thermal targets must know, each thing once."""
    if not species:
        return ()
    masses, first = shown_masses(limits), limits[0]
    against_chi = first.x.name == "m_chi"
    notes = [
        note
        for sector in _sectors(limits, species, alphas, ratios)
        for note in validity_notes(
            sector, first.specification.mediator, masses / (1.0 if against_chi else sector.ratio)
        )
    ]
    return tuple(dict.fromkeys(notes))


def published_target(curve: Curve, like: Limit) -> Drawn:
    """Return a thermal line from elsewhere; it is not recomputed, so y is all that it can be."""
    if (curve.x_axis.name, curve.y_axis.name) != ("m_chi", "y") or like.y.name != "y":
        raise InputError(
            f"curve {curve.name} is a thermal target in y: convert the limit to the plane of y"
        )
    unit = DarkSector()
    factor = y_from_coupling(1.0, unit, Normalisation(like.plane.options["normalisation"]))
    factor = factor / y_from_coupling(1.0, unit)
    words = curve.label.lower()
    named = [kind for kind, text in SPECIES.items() if text.lower() in words]
    colour = SPECIES_COLOURS[max(named, key=len)] if named else "#555555"
    look = Look(colour, THERMAL_DASHES[2], THERMAL_WIDTH, order=3.0)
    label = typeset(curve.label)
    y = factor * np.array(curve.y)
    return Drawn(label, np.array(curve.x), y, Kind.TARGET, look=look, name=curve.name)


def shown_masses(limits: Sequence[Limit], span: tuple[float, float] | None = None) -> FloatArray:
    """Return dense masses between the ends of the axis, that of the limits if there is no other."""
    low = min(float(item.masses_gev[0]) for item in limits)
    high = max(float(item.masses_gev[-1]) for item in limits)
    return log_masses(*(span or (low, high)))


def log_masses(low: float, high: float, density: int = _DENSITY) -> FloatArray:
    """Return masses with so many per decade, both ends among them."""
    count = max(2, round(density * np.log10(high / low)))
    return np.clip(np.geomspace(low, high, count), low, high)


def _sectors(
    limits: Sequence[Limit],
    species: Sequence[str],
    alphas: Sequence[float],
    ratios: Sequence[float],
) -> list[DarkSector]:
    """The dark sectors whose targets are drawn, in this order."""
    first = limits[0]
    refuse_target(first, "thermal target")
    known = [assumed(item) for item in limits]
    chosen_alphas = tuple(alphas) or _own([item.alpha_d for item in known])
    chosen_ratios = tuple(ratios) or _own([item.ratio for item in known])
    if not (chosen_alphas and chosen_ratios):
        raise InputError("the limit has no dark matter: say for which alpha_D and mass ratio")
    return [
        DarkSector(kind, alpha, ratio, known[0].splitting if kind is DarkMatter.PSEUDO_DIRAC else 0)
        for kind in (dark_matter(name) for name in dict.fromkeys(species))
        for ratio in chosen_ratios
        for alpha in chosen_alphas
    ]


def _own(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _look(sector: DarkSector, every: Sequence[DarkSector], limits: Sequence[Limit]) -> Look:
    """Colour by species, dashes by ratio and alpha_D; of one species colour by alpha_D."""
    ratios = sorted({other.ratio for other in every}, reverse=True)
    alphas = sorted({other.alpha_d for other in every}, reverse=True)
    colour = SPECIES_COLOURS[sector.species]
    if len({other.species for other in every}) == 1 and len(alphas) > 1:
        colour = ALPHA_COLOURS[alphas.index(sector.alpha_d) % len(ALPHA_COLOURS)]
        own = [assumed(item).alpha_d for item in limits]
        if len(set(own)) == len(own) > 1 and sector.alpha_d in own:
            # that of the limit with the same one
            colour = ALPHA_COLOURS[own.index(sector.alpha_d) % len(ALPHA_COLOURS)]
    place = ratios.index(sector.ratio)
    if len({other.species for other in every}) > 1:
        place = place * len(alphas) + alphas.index(sector.alpha_d)
    return Look(colour, THERMAL_DASHES[place % len(THERMAL_DASHES)], THERMAL_WIDTH, order=3.0)


def _text(sector: DarkSector, every: Sequence[DarkSector], limits: Sequence[Limit]) -> str:
    """Name a thermal line by what tells it from the others and from the limits."""
    known = [assumed(item) for item in limits]
    parts = [SPECIES[sector.species]]
    alphas = {other.alpha_d for other in every} | {item.alpha_d for item in known}
    ratios = {other.ratio for other in every} | {item.ratio for item in known}
    if len(alphas - {None}) > 1:
        parts.append(rf"$\alpha_D = {sector.alpha_d:g}$")
    if len(ratios - {None}) > 1:
        parts.append(ratio_words(limits[0], sector.ratio))
    if sector.splitting:
        parts.append(rf"$\Delta = {sector.splitting:g}$")
    return ", ".join(parts)
