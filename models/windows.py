"""Selections of the searches for particles that decay in flight, and for invisible mesons.

One frozen window per topology. Distances are measured along the beam from the front of the
target, which is where a cascade makes its most energetic particles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from na64.models.errors import InputError
from na64.models.setup import Beam, Target, shower_problems

__all__ = ["DisplacedWindow", "DumpWindow", "MesonWindow", "refuse"]


def _check_volume(start_cm: float, end_cm: float) -> None:
    if not (math.isfinite(start_cm) and start_cm >= 0.0):
        raise InputError(f"decay volume must start at 0 cm or beyond, starts at {start_cm} cm")
    if not (math.isfinite(end_cm) and end_cm > start_cm):
        raise InputError(
            f"decay volume must end beyond its start at {start_cm:g} cm, ends at {end_cm} cm"
        )


def _check_energy(name: str, energy_gev: float) -> None:
    if not (math.isfinite(energy_gev) and energy_gev > 0.0):
        raise InputError(f"{name} must be positive and finite, is {energy_gev} GeV")


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

    Attributes
    ----------
    decay_start_cm, decay_end_cm
        Where a decay begins to be seen behind the veto, and the end of the detector.
    decay_energy_gev
        Smallest energy of a decay that is seen.
    missing_energy_gev
        Smallest energy that is missing.
    """

    decay_start_cm: float
    decay_end_cm: float
    decay_energy_gev: float
    missing_energy_gev: float

    def __post_init__(self) -> None:
        _check_volume(self.decay_start_cm, self.decay_end_cm)
        _check_energy("energy of a decay", self.decay_energy_gev)
        _check_energy("missing energy cut", self.missing_energy_gev)

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
    """Decays to e+ e- between a dump and a calorimeter.

    Attributes
    ----------
    decay_start_cm, decay_end_cm
        Ends of the stretch in which a decay counts: behind the dump and its veto, and in front
        of the calorimeter.
    boson_energy_gev
        Smallest energy of the boson.
    """

    decay_start_cm: float
    decay_end_cm: float
    boson_energy_gev: float

    def __post_init__(self) -> None:
        _check_volume(self.decay_start_cm, self.decay_end_cm)
        _check_energy("energy of the boson", self.boson_energy_gev)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from shower_problems(beam, target)
        yield from _volume_problems(target, self.decay_start_cm)
        yield from _energy_problems(beam, boson_energy_gev=self.boson_energy_gev)


@dataclass(frozen=True, slots=True)
class MesonWindow:
    """Disappearance of a hadron's energy by charge exchange to a neutral meson.

    Attributes
    ----------
    interaction_length_cm
        Attenuation length of the beam in the target.
    """

    interaction_length_cm: float

    def __post_init__(self) -> None:
        if not self.interaction_length_cm > 0.0:
            raise InputError(
                f"interaction length must be positive, is {self.interaction_length_cm} cm"
            )

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        if math.isinf(target.length_cm) and math.isinf(self.interaction_length_cm):
            yield (
                "interaction_length_cm",
                "must be finite for a target without an end; give the target's length otherwise",
            )
