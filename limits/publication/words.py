"""What records of HEPData say of a result beside its numbers: qualifiers and keywords."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.settings import SIGNAL
from na64.models.constants import (
    CHARGED_KAON_MASS_GEV,
    CHARGED_PION_MASS_GEV,
    ELECTRON_MASS_GEV,
    LEPTON_MASSES_GEV,
    NUCLEON_MASS_GEV,
)
from na64.models.declaration import in_words
from na64.models.signals.mesons import meson_of_mass
from na64.models.signals.settings import uses
from na64.models.targets import BEAM_PARTICLES, Beam
from na64.workspaces.cards.topologies import topology

__all__ = ["Qualifier", "keywords", "mesons", "papers", "qualifiers", "sqrt_s_gev"]

#: reactions by process, in HEPData's notation; {beam} and {x} are filled in
_REACTIONS: Final[Mapping[str, str]] = {
    "emission": "{beam} NUCLEUS --> {beam} NUCLEUS {x}",
    "annihilation": "E+ E- --> {x}",
    "primakoff": "GAMMA NUCLEUS --> {x} NUCLEUS",
    "production": "GAMMA NUCLEUS --> {x} NUCLEUS",
    "charge-exchange": "{beam} NUCLEUS --> {x} NUCLEUS",
}
_HADRON_MASSES_GEV: Final = {"pi-": CHARGED_PION_MASS_GEV, "K-": CHARGED_KAON_MASS_GEV}


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A fact that holds for all values of a column.

    Attributes
    ----------
    name
        What it is, in capitals as in records of HEPData.
    value
        Text or number.
    units
        Unit of a number; empty for none.
    """

    name: str
    value: str | float
    units: str = ""


def sqrt_s_gev(beam: Beam, at_rest_gev: float = NUCLEON_MASS_GEV) -> float:
    """Return the energy of a beam particle and a particle at rest in their centre of mass.

    sqrt(m_b^2 + m^2 + 2 E m).

    Parameters
    ----------
    beam
        Particle and its total energy.
    at_rest_gev
        Mass m of what is hit, in GeV; a nucleon of a nucleus by default.

    Returns
    -------
    float
        In GeV.
    """
    mass = _HADRON_MASSES_GEV.get(beam.particle)
    if mass is None:
        mass = LEPTON_MASSES_GEV[BEAM_PARTICLES[beam.particle]]
    return math.sqrt(mass**2 + at_rest_gev**2 + 2.0 * beam.energy_gev * at_rest_gev)


def qualifiers(limit: Limit) -> list[Qualifier]:
    """Return what holds for all numbers of a result: search, beam, model, plane, statistics."""
    made = limit.specification
    signal = _signal_words(made)
    plane = f"{limit.y.name} against {limit.x.name}"
    found = [
        Qualifier("SEARCH", made.title),
        *_beams(made),
        Qualifier("MODEL", made.mediator.name),
        Qualifier("PLANE", plane),
        *_sector(limit),
        *([Qualifier("SIGNAL", signal)] if signal else []),
        Qualifier("CL", 100.0 * made.confidence_level, "%"),
        Qualifier("METHOD", _method_words(limit)),
    ]
    if made.expected_only:
        projection = any(card.projection for card in made.cards)
        found.append(Qualifier("DATA", "none: a projection" if projection else "not used"))
    return found


def keywords(limit: Limit, observables: tuple[str, ...]) -> dict[str, list[str | float]]:
    """Return keywords of a table by kind: ``observables``, ``reactions``, ``phrases``, energies.

    Energies are those of a beam particle and a nucleon at rest, and for annihilation those of a
    beam particle's full energy with an electron at rest: what a fixed target has as ``cmenergies``.

    Parameters
    ----------
    limit
        The result.
    observables
        What the table holds.
    """
    made = limit.specification
    beams = _distinct_beams(made)
    bosons = mesons(limit) or [made.mediator.name]
    reactions = [
        _REACTIONS[process].format(beam=beam.particle.upper(), x=boson.upper())
        for beam in beams
        for process in limit.yields
        for boson in bosons
        if process in _REACTIONS
    ]
    energies = [sqrt_s_gev(beam) for beam in beams]
    if any("annihilation" in name for name in limit.yields):
        energies += [sqrt_s_gev(beam, ELECTRON_MASS_GEV) for beam in beams]
    phrases = [
        *(card.topology for card in made.cards),
        made.mediator.name,
        str(made.mediator.kind),
        *([] if made.dark_sector is None else ["dark matter"]),
        "fixed target",
        "limits",
        *(["projection"] if any(card.projection for card in made.cards) else []),
    ]
    return {
        "observables": list(dict.fromkeys(observables)),
        "reactions": list(dict.fromkeys(reactions)),
        "phrases": list(dict.fromkeys(phrases)),
        "cmenergies": list(dict.fromkeys(float(f"{energy:.4g}") for energy in energies)),
    }


def mesons(limit: Limit) -> list[str]:
    """Return the meson of each mass of a limit on branching ratios; none of any other limit."""
    if limit.y.name != "br":
        return []
    return [meson_of_mass(float(mass)).name for mass in limit.masses_gev]


def papers(made: Specification) -> dict[str, str]:
    """Return addresses of the papers of cards and mediator that have an arXiv number, with them."""
    found: dict[str, str] = {}
    texts = [text for card in made.cards for text in card.references]
    for text in (*texts, *made.mediator.citations):
        for number in re.findall(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+/\d{7})", text):
            found.setdefault(f"https://arxiv.org/abs/{number}", text)
    return found


def _distinct_beams(made: Specification) -> list[Beam]:
    beams = [card.setups[name].beam for card in made.cards for name in card.used_setups]
    return list({(beam.particle, beam.energy_gev): beam for beam in beams}.values())


def _beams(made: Specification) -> Iterator[Qualifier]:
    for beam in _distinct_beams(made):
        yield Qualifier("BEAM", f"{beam.particle}, {beam.energy_gev:g} GeV")
        yield Qualifier("SQRT(S) OF BEAM AND NUCLEON", float(f"{sqrt_s_gev(beam):.4g}"), "GeV")


def _method_words(limit: Limit) -> str:
    """The calculator with its settings, and which one it chose where it chooses."""
    settings = limit.specification.calculator.to_dict()
    name = str(settings.pop("name"))
    used = "+".join(dict.fromkeys(filter(None, limit.used)))
    words = ", ".join(f"{key} {value}" for key, value in settings.items())
    return f"{name}{f', which used {used}' if used else ''}{f' ({words})' if words else ''}"


def _signal_words(made: Specification) -> str:
    """The approximation of production, and settings of the signal that are not as usual."""
    known = frozenset().union(*(uses(topology(card.topology).signal()) for card in made.cards))
    values = {name: getattr(made.settings, name) for name in SIGNAL if name in known}
    unusual = [
        in_words(SIGNAL[name], value)
        for name, value in values.items()
        if name != "production" and value != SIGNAL[name].default
    ]
    production = [f"production {values['production']}"] if "production" in values else []
    return ", ".join([*production, *unusual])


def _sector(limit: Limit) -> Iterator[Qualifier]:
    """The dark sector that the numbers hold for; in a plane of relics that of the relic."""
    sector, options = limit.specification.dark_sector, limit.plane.options
    if sector is None and "dark_matter" not in options:
        return
    mass = limit.specification.mass_parameter
    ratio = options.get("ratio", None if sector is None else sector.ratio)
    splitting = options.get("splitting", 0.0 if sector is None else sector.splitting)
    species = options.get("dark_matter", None if sector is None else sector.species.value)
    yield Qualifier("DARK MATTER", str(species))
    yield Qualifier(f"{mass}/m_chi", float(ratio))
    if splitting:
        yield Qualifier("MASS SPLITTING", float(splitting))
    if sector is not None and not limit.plane.excluded_below:
        yield Qualifier("ALPHA_D", sector.alpha_d)
