"""Recast: the limit on another mediator from the yields that a scan stored, without a new scan.

Emission goes with the square of the beam lepton's coupling at q^2 = M^2 and with the invisible
branching ratio; so does annihilation into a resonance whose shape stays the same. The limit on the
number of events stays what it was if the signal keeps its distribution over the bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.results.limit import Exclusion, Regions
from na64.limits.scanning.signal import NO_DARK_MATTER, Settings
from na64.limits.scanning.validity import limit_warnings
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.errors import InputError
from na64.models.mediators.dark_sector import DarkSector
from na64.models.mediators.naming import mass_name
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.registry import mediator
from na64.models.setup import BEAM_PARTICLES
from na64.models.signals.missing_energy import invisible_branching

__all__ = ["NotCarriedError", "recast"]

FloatArray = NDArray[np.float64]

#: topologies whose signal is proportional to the square of one coupling of the beam lepton
_TOPOLOGIES: Final = ("missing-energy", "muon")
#: share of annihilation that may be dropped where the resonance changes its shape: half of that
#: in the coupling
_SMALL_SHARE: Final = 0.01
#: relative change of a ratio of couplings over the resonance that still counts as none
_CONSTANT: Final = 1e-6
#: steps in sqrt(s) in which that is checked
_STEPS: Final = 60


class NotCarriedError(InputError):
    """The stored yields cannot carry a recast that a new scan could make."""


def recast(
    exclusion: Exclusion,
    model: str | Mediator,
    *,
    original: Mediator | None = None,
    dark_matter: str | None = None,
    alpha_d: float | None = None,
    ratio: float | None = None,
    splitting: float | None = None,
    leave_out: bool = False,
) -> Exclusion:
    """Return the limit on another mediator that follows from a scan.

    Parameters
    ----------
    exclusion
        The scan, of a search for missing energy off electrons, positrons or muons, or of several
        with the same beam lepton.
    model
        The other mediator or its name; of the same kind (vector, axial, ...).
    original
        The mediator of the scan, if it is neither built in nor installed.
    dark_matter, alpha_d, ratio, splitting
        Dark sector of the other mediator, as in `na64.limits.scan`. Where None that of the scan;
        but a mediator that decays to neutrinos has no dark matter unless it is named, and another
        species than that of the scan no splitting.
    leave_out
        Whether masses at which the stored yields cannot carry the recast are left out of the
        result, rather than refused.

    Returns
    -------
    Exclusion
        Its provenance names the scan. Away from the resonance of a changed dark sector, what is
        left of annihilation (less than 1 % of the events) is dropped.

    Raises
    ------
    NotCarriedError
        For a scan of another topology, and for masses at which annihilation would change its
        shape; the message names the scan to run.
    InputError
        For a mediator of another kind or that does not couple to the beam lepton.
    """
    cards = _cards(exclusion)
    old = mediator(exclusion.model) if original is None else original
    if old.name != exclusion.model:
        raise InputError(f"the scan is of the model '{exclusion.model}', not of '{old.name}'")
    new = mediator(model) if isinstance(model, str) else model
    old_sector = _old_sector(exclusion)
    settings = _settings(new, old_sector, dark_matter, alpha_d, ratio, splitting)
    sector = settings.dark_sector()
    run = _advice(exclusion, new, settings)
    if new.kind != old.kind:
        raise InputError(
            f"'{new.name}' is {new.kind} and '{old.name}' is {old.kind}: their cross-sections "
            f"differ by more than a factor; {run}"
        )
    masses = exclusion.masses_gev
    emission = _emission_factor(cards, old, new, masses) * (
        invisible_branching(new, masses, sector) / invisible_branching(old, masses, old_sector)
    )
    carried = _resonance_is_carried(cards, old, new, old_sector, sector)
    factors, sound = _factors(exclusion, cards, emission, carried, sector, old_sector)
    if not sound.all():
        if not leave_out or not sound.any():
            lost = masses[~sound]
            raise NotCarriedError(
                f"annihilation contributes at {lost[0]:.4g}-{lost[-1]:.4g} GeV and changes its "
                f"shape with the dark sector or the running coupling: the stored yields cannot "
                f"carry that; {run}, or leave these masses out (--leave-out)"
            )
        return recast(
            _at(exclusion, np.flatnonzero(sound)),
            new,
            original=old,
            dark_matter=settings.dark_matter,
            alpha_d=settings.alpha_d,
            ratio=settings.ratio,
            splitting=settings.splitting,
        )
    return _rescaled(exclusion, new, factors, settings, sector)


def _cards(exclusion: Exclusion) -> list[Mapping[str, Any]]:
    """The resolved cards of the scan, checked."""
    card = exclusion.provenance.get("card")
    if not isinstance(card, Mapping):
        raise InputError("the scan does not hold its card: nothing to recast from")
    cards: list[Mapping[str, Any]] = list(card.get("combination", [card]))
    for part in cards:
        if part["topology"] not in _TOPOLOGIES:
            raise NotCarriedError(
                f"a recast is for searches for missing energy; {part['name']} has the topology "
                f"'{part['topology']}', whose signal depends on the lifetime: run a scan"
            )
    return cards


def _beams(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    others = card.get("setups", {}).values()
    return [card["beam"], *({**card["beam"], **setup.get("beam", {})} for setup in others)]


def _old_sector(exclusion: Exclusion) -> DarkSector | None:
    if exclusion.dark_matter is None:
        return None
    return Settings(
        dark_matter=exclusion.dark_matter,
        alpha_d=float(exclusion.alpha_d or 0.0),
        ratio=float(exclusion.ratio or 0.0),
        splitting=float(exclusion.options.get("splitting", 0.0)),
    ).dark_sector()


def _settings(
    new: Mediator,
    old: DarkSector | None,
    dark_matter: str | None,
    alpha_d: float | None,
    ratio: float | None,
    splitting: float | None,
) -> Settings:
    """The dark sector that is asked for, the rest of it as in the scan."""
    start = old or DarkSector()
    found = Settings(
        dark_matter=dark_matter,
        alpha_d=start.alpha_d if alpha_d is None else alpha_d,
        ratio=start.ratio if ratio is None else ratio,
    ).for_mediator(new)
    if dark_matter is None and found.dark_matter != NO_DARK_MATTER:
        found = replace(found, dark_matter=start.species.value)
    kept = start.splitting if found.dark_matter == start.species.value else 0.0
    return replace(found, splitting=kept if splitting is None else splitting)


def _advice(exclusion: Exclusion, new: Mediator, settings: Settings) -> str:
    search = exclusion.search.replace("+", " + ")
    words = f"run a scan of {search} with --model {new.name} --dark-matter {settings.dark_matter}"
    if settings.dark_sector() is not None:
        words += f" --alpha-d {settings.alpha_d:g} --ratio {settings.ratio:g}"
    if settings.splitting:
        words += f" --splitting {settings.splitting:g}"
    return words


def _emission_factor(
    cards: Sequence[Mapping[str, Any]], old: Mediator, new: Mediator, masses: FloatArray
) -> FloatArray:
    """Ratio of the squared couplings of the beam lepton, which all beams must agree on."""
    leptons = sorted({BEAM_PARTICLES[beam["particle"]] for card in cards for beam in _beams(card)})
    found = []
    for lepton in leptons:
        strength = new.coupling(lepton, masses**2)
        if not np.any(strength):
            name = {"e": "electrons", "mu": "muons"}.get(lepton, lepton)
            raise InputError(f"model '{new.name}' does not couple to the {name} of this beam")
        found.append(np.asarray((strength / old.coupling(lepton, masses**2)) ** 2))
    if not all(np.allclose(item, found[0], rtol=_CONSTANT, atol=0.0) for item in found):
        raise InputError(
            f"'{new.name}' couples to {' and '.join(leptons)} in another proportion than "
            f"'{old.name}': scan the combination for it"
        )
    return found[0]


def _resonance_is_carried(
    cards: Sequence[Mapping[str, Any]],
    old: Mediator,
    new: Mediator,
    old_sector: DarkSector | None,
    sector: DarkSector | None,
) -> bool:
    """Whether annihilation changes by the same factor as emission, at every mass."""
    if old_sector != sector:
        return False
    if sector is None:
        return True  # narrow: only the point s = M^2 counts
    # broad: the entrance width must keep its shape from threshold to the beam energy
    top = max(float(beam["energy_gev"]) for card in cards for beam in _beams(card))
    s = np.linspace(0.0, 2.0 * ELECTRON_MASS_GEV * top, _STEPS)
    ratio = new.coupling("e", s) / old.coupling("e", s)
    return bool(np.ptp(ratio) <= _CONSTANT * np.abs(ratio).max())


def _factors(
    exclusion: Exclusion,
    cards: Sequence[Mapping[str, Any]],
    emission: FloatArray,
    carried: bool,
    sector: DarkSector | None,
    old_sector: DarkSector | None,
) -> tuple[Mapping[str, FloatArray], NDArray[np.bool_]]:
    """Factor of each process, and the masses at which it is known."""
    factors = dict.fromkeys(exclusion.yields, emission)
    sound = np.ones(len(exclusion.masses_gev), bool)
    annihilated = exclusion.yields.get("annihilation")
    off = exclusion.options.get("annihilation") is False
    if carried or annihilated is None or off:
        return factors, sound
    factors["annihilation"] = np.zeros_like(emission)
    others = sum(v for name, v in exclusion.yields.items() if name != "annihilation")
    # off the resonance it goes with the dark width: leave room for a wider one
    wider = 1.0
    if sector is not None and old_sector is not None:
        m = np.array([1.0])
        # the width at twice the mass stands for the wings, far from the threshold
        wider = float((sector.width_gev(2.0 * m, m) / old_sector.width_gev(2.0 * m, m)).item())
    share = annihilated * max(wider, 1.0) / np.where(others > 0.0, others, 1.0)
    sound = np.asarray(share < _SMALL_SHARE)
    for card in cards:
        sound &= ~_on_resonance(card, exclusion.masses_gev)
    return factors, sound


def _on_resonance(card: Mapping[str, Any], masses: FloatArray) -> NDArray[np.bool_]:
    """Masses at which positrons of a card can meet electrons at s = M^2."""
    inside = np.zeros(len(masses), bool)
    if card["topology"] != "missing-energy":
        return inside
    windows = [card["window"]]
    windows += [{**card["window"], **s.get("window", {})} for s in card.get("setups", {}).values()]
    for beam, window in zip(_beams(card), windows, strict=True):
        low, high = (
            2.0 * ELECTRON_MASS_GEV * float(energy)
            for energy in (window["missing_energy_gev"], beam["energy_gev"])
        )
        inside |= (masses**2 > low) & (masses**2 < high)
    return inside


def _rescaled(
    exclusion: Exclusion,
    new: Mediator,
    factors: Mapping[str, FloatArray],
    settings: Settings,
    sector: DarkSector | None,
) -> Exclusion:
    yields = {name: values * factors[name] for name, values in exclusion.yields.items()}
    before = np.sum(list(exclusion.yields.values()), axis=0)
    after = np.sum(list(yields.values()), axis=0)
    power = float(exclusion.power or 2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (before / after) ** (1.0 / power)
    regions = _scaled(exclusion.regions, scale)
    expected_regions = _scaled(exclusion.expected_regions, scale)
    shown = expected_regions if exclusion.expected_only else regions
    warnings = limit_warnings(new, sector, power, exclusion.masses_gev, shown) if shown else []
    return replace(
        exclusion,
        model=new.name,
        parameter=new.parameter,
        mass_parameter=mass_name(new, _cards(exclusion)[0]["mass_parameter"]),
        alpha_d=None if sector is None else sector.alpha_d,
        ratio=None if sector is None else sector.ratio,
        dark_matter=None if sector is None else sector.species.value,
        regions=regions,
        expected=exclusion.expected * scale,
        expected_regions=expected_regions,
        yields=yields,
        options={**exclusion.options, "splitting": settings.splitting},
        provenance={
            **exclusion.provenance,
            "warnings": warnings,
            "recast": {"model": exclusion.model, "content_digest": exclusion.content_digest},
        },
    )


def _scaled(regions: Sequence[Regions], scale: FloatArray) -> tuple[Regions, ...]:
    if not regions:  # results need not have any
        return ()
    return tuple(
        tuple((low * k, None if high is None else high * k) for low, high in found)
        for found, k in zip(regions, scale.tolist(), strict=True)
    )


def _at(exclusion: Exclusion, rows: NDArray[np.intp]) -> Exclusion:
    """The scan at some of its masses."""
    return replace(
        exclusion,
        masses_gev=exclusion.masses_gev[rows],
        regions=tuple(exclusion.regions[row] for row in rows),
        expected_regions=tuple(
            exclusion.expected_regions[row] for row in rows if exclusion.expected_regions
        ),
        expected=exclusion.expected[:, rows],
        events_limit=exclusion.events_limit[rows],
        yields={name: values[rows] for name, values in exclusion.yields.items()},
        status=tuple(exclusion.status[row] for row in rows),
    )
