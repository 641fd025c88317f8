"""Selections of the searches for particles that decay in flight, and for invisible mesons.

One frozen window per topology. Distances are measured along the beam from the front of the
target, which is where a cascade makes its most energetic particles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from na64.models.arrays import FloatArray
from na64.models.decays.in_flight import decay_probability, survival_probability
from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError
from na64.models.setup import Beam, Target, shower_problems

__all__ = ["DisplacedWindow", "DumpWindow", "MesonWindow", "refuse"]


def _start(where: str) -> Any:
    return declare(help=f"{where}, from the front of the target", unit="cm", example=147.0)


def _end(where: str) -> Any:
    return declare(
        help=f"{where}, from the front of the target", unit="cm", above=0.0, example=400.0
    )


def _energy(what: str, example: float) -> Any:
    return declare(help=f"least energy of {what}", unit="GeV", above=0.0, example=example)


def _check_volume(window: DisplacedWindow | DumpWindow) -> None:
    check_declared(window)
    if window.decay_end_cm <= window.decay_start_cm:
        raise InputError(
            f"decay volume must end beyond its start at {window.decay_start_cm:g} cm, ends at "
            f"{window.decay_end_cm} cm"
        )


def _volume_problems(target: Target, start_cm: float) -> Iterator[tuple[str, str]]:
    if math.isfinite(target.length_cm) and target.length_cm > start_cm:
        yield (
            "decay_start_cm",
            f"must not lie inside the target, which is {target.length_cm:.4g} cm long, is "
            f"{start_cm:g} cm",
        )


def _energy_problems(beam: Beam, **energies: float) -> Iterator[tuple[str, str]]:
    for key, energy in energies.items():
        if energy >= beam.energy_gev:
            yield (
                key,
                f"must be below the beam energy of {beam.energy_gev:g} GeV, is {energy:g}",
            )


def refuse(problems: Iterable[tuple[str, str]]) -> None:
    """Raise InputError for the first of a window's problems, if there are any."""
    for key, message in problems:
        raise InputError(f"{key} {message}".lstrip())


@dataclass(frozen=True, slots=True)
class DisplacedWindow:
    """Decays behind an active target and a veto, inside or beyond the detector.

    Two signal regions: the particle deposits its energy in the detector behind the veto, or
    leaves the detector and its energy is missing.
    """

    decay_start_cm: float = _start("where a decay begins to be seen behind the veto")
    decay_end_cm: float = _end("end of the detector")
    decay_energy_gev: float = _energy("a decay that is seen", 15.0)
    missing_energy_gev: float = _energy("what is missing", 50.0)

    def __post_init__(self) -> None:
        _check_volume(self)

    def seen(self, length_cm: FloatArray) -> FloatArray:
        """Return the probability of a decay in the detector, by mean decay length in cm."""
        return decay_probability(self.decay_start_cm, self.decay_end_cm, length_cm)

    def missing(self, length_cm: FloatArray) -> FloatArray:
        """Return the probability of a decay beyond the detector, by mean decay length in cm."""
        return survival_probability(self.decay_end_cm, length_cm)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from shower_problems(beam, target)
        yield from _volume_problems(target, self.decay_start_cm)
        yield from _energy_problems(
            beam,
            decay_energy_gev=self.decay_energy_gev,
            missing_energy_gev=self.missing_energy_gev,
        )


@dataclass(frozen=True, slots=True)
class DumpWindow:
    """Decays to e+ e- between a dump and a calorimeter."""

    decay_start_cm: float = _start("where a decay begins to count, behind the dump and its veto")
    decay_end_cm: float = _end("where a decay ceases to count, in front of the calorimeter")
    boson_energy_gev: float = _energy("the boson", 45.0)

    def __post_init__(self) -> None:
        _check_volume(self)

    def seen(self, length_cm: FloatArray) -> FloatArray:
        """Return the probability of a decay in the volume, by mean decay length in cm."""
        return decay_probability(self.decay_start_cm, self.decay_end_cm, length_cm)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from shower_problems(beam, target)
        yield from _volume_problems(target, self.decay_start_cm)
        yield from _energy_problems(beam, boson_energy_gev=self.boson_energy_gev)


@dataclass(frozen=True, slots=True)
class MesonWindow:
    """Disappearance of a hadron's energy by charge exchange to a neutral meson."""

    interaction_length_cm: float = declare(
        help="attenuation length of the beam in the target", unit="cm", above=0.0, example=33.8
    )

    def __post_init__(self) -> None:
        if not math.isinf(self.interaction_length_cm):  # a beam that is not attenuated
            check_declared(self)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        if math.isinf(target.length_cm) and math.isinf(self.interaction_length_cm):
            yield (
                "interaction_length_cm",
                "must be finite for a target without an end; give the target's length otherwise",
            )
