"""Selections of the searches: one frozen window per topology, which knows nothing but its cuts.

Distances are measured along the beam from the front of the target, which is where a cascade makes
its most energetic particles. ``problems`` of a window yields pairs (key, what is wrong) where beam,
target and window do not fit together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.decays.in_flight import decay_probability, survival_probability
from na64.models.declaration import check_declared, declare
from na64.models.errors import InputError
from na64.models.materials import MATERIALS
from na64.models.response.acceptance import MissingEnergyAcceptance
from na64.models.response.preshower import preshower_probability
from na64.models.targets import Beam, Target

__all__ = [
    "DisplacedWindow",
    "DumpWindow",
    "MesonWindow",
    "MissingEnergyWindow",
    "MuonWindow",
    "Selection",
    "refuse",
]

#: least energy of a boson in GeV, and the probability of an energy above it to be selected
Selection = tuple[float, Callable[[FloatArray], FloatArray]]


def _start(where: str) -> Any:
    return declare(help=f"{where}, from the front of the target", unit="cm", example=147.0)


def _end(where: str) -> Any:
    return declare(
        help=f"{where}, from the front of the target", unit="cm", above=0.0, example=400.0
    )


def _energy(what: str, example: float) -> Any:
    return declare(help=f"least energy of {what}", unit="GeV", above=0.0, example=example)


def _stochastic() -> Any:
    return declare(
        0.0,
        help="stochastic term of the energy resolution of the target, sigma/E at 1 GeV",
        at_most=1.0,
    )


def _constant() -> Any:
    return declare(0.0, help="constant term of the energy resolution, in quadrature", at_most=1.0)


def _preshower() -> Any:
    return declare(
        0.0,
        help="least energy in the preshower, the first 4 radiation lengths of the target; of a "
        "target other than `ecal` least energy that the rest of the event leaves in it",
        unit="GeV",
    )


def _preshower_problems(
    beam: Beam, preshower: float, missing_energy: float
) -> Iterator[tuple[str, str]]:
    if 0.0 < beam.energy_gev - missing_energy <= preshower:
        yield (
            "preshower_energy_gev",
            f"leaves nothing of the beam energy of {beam.energy_gev:g} GeV above a missing "
            f"energy of {missing_energy:g} GeV, is {preshower:g}",
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


def shower_problems(beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
    """Yield pairs ("", what is wrong) where a signal of an absorbed cascade cannot be made."""
    if wrong := target.why_not_absorbing():
        yield "", wrong
    if beam.lepton != "e":
        yield "", f"this selection is for an e- or e+ beam, not for {beam.particle}"


def _acceptance(
    window: MissingEnergyWindow | DisplacedWindow, beam: Beam, target: Target
) -> MissingEnergyAcceptance:
    return MissingEnergyAcceptance(
        beam,
        target,
        window.missing_energy_gev,
        window.resolution_stochastic,
        window.resolution_constant,
        window.preshower_energy_gev,
    )


@dataclass(frozen=True, slots=True)
class MissingEnergyWindow:
    """Selection of a search for missing energy in an active target.

    Attributes
    ----------
    missing_energy_gev
        The beam energy less the cut on the energy seen in the calorimeter.
    preshower_energy_gev
        Threshold of the trigger; see `na64.models.response.preshower`.
    resolution_stochastic, resolution_constant
        sigma/E = stochastic/sqrt(E/GeV) and constant, added in quadrature; 0 for a sharp cut.
    """

    missing_energy_gev: float = declare(
        help="least energy that the invisible particle carries away; from 0.05 GeV on, a tenth of "
        "which showers are followed to",
        unit="GeV",
        above=0.0,
        at_least=0.05,
        example=50.0,
    )
    preshower_energy_gev: float = _preshower()
    resolution_stochastic: float = _stochastic()
    resolution_constant: float = _constant()

    def __post_init__(self) -> None:
        check_declared(self)

    def acceptance(self, beam: Beam, target: Target) -> MissingEnergyAcceptance:
        """Return the probability of a missing energy to be selected."""
        return _acceptance(self, beam, target)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from shower_problems(beam, target)
        yield from _energy_problems(beam, missing_energy_gev=self.missing_energy_gev)
        yield from _preshower_problems(beam, self.preshower_energy_gev, self.missing_energy_gev)

    def resonance_edges_gev(self, beam_energy_gev: float) -> tuple[float, float]:
        """Return the mediator masses between which e+ e- annihilation at rest contributes.

        sqrt(2 m_e E) at the missing-energy cut and at the beam energy.
        """
        return (
            math.sqrt(2.0 * ELECTRON_MASS_GEV * self.missing_energy_gev),
            math.sqrt(2.0 * ELECTRON_MASS_GEV * beam_energy_gev),
        )


@dataclass(frozen=True, slots=True)
class MuonWindow:
    """Selection of a search for missing energy with muons that cross an active target.

    Attributes
    ----------
    recoil_energy_max_gev, recoil_energy_min_gev
        Band of energies of the muon behind the target, where a magnet and counters accept it.
    target_energy_max_gev
        What the muon may leave in the target on its way through. Beyond that the energy is seen
        and not missing.
    """

    recoil_energy_max_gev: float = declare(
        help="largest energy of the muon behind the target", unit="GeV", above=0.0, example=80.0
    )
    recoil_energy_min_gev: float = declare(
        0.0, help="smallest energy of the muon at which it is still measured", unit="GeV"
    )
    target_energy_max_gev: float = declare(
        10.0,
        help="largest energy that the muon may leave in the target, where it is seen",
        unit="GeV",
        above=0.0,
        at_most=30.0,
    )

    def __post_init__(self) -> None:
        check_declared(self)
        if self.recoil_energy_min_gev >= self.recoil_energy_max_gev:
            raise InputError(
                "recoil_energy_min_gev must be below recoil_energy_max_gev, is "
                f"{self.recoil_energy_min_gev:g}"
            )

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        if beam.lepton != "mu":
            yield "", f"this selection is for a mu- or mu+ beam, not for {beam.particle}"
        yield from _energy_problems(beam, recoil_energy_max_gev=self.recoil_energy_max_gev)
        if not math.isfinite(target.length_cm):
            yield "", "a muon beam crosses the target: the target needs a length"


class _DecayVolume:
    """What windows with a stretch of the beam line for decays do alike."""

    __slots__ = ()
    decay_start_cm: float
    decay_end_cm: float

    def __post_init__(self) -> None:
        check_declared(self)
        if self.decay_end_cm <= self.decay_start_cm:
            raise InputError(
                f"decay volume must end beyond its start at {self.decay_start_cm:g} cm, ends at "
                f"{self.decay_end_cm} cm"
            )

    def seen(self, length_cm: FloatArray) -> FloatArray:
        """Return the probability of a decay in the volume, by mean decay length in cm."""
        return decay_probability(self.decay_start_cm, self.decay_end_cm, length_cm)

    def _volume_problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        yield from shower_problems(beam, target)
        if math.isfinite(target.length_cm) and target.length_cm > self.decay_start_cm:
            yield (
                "decay_start_cm",
                f"must not lie inside the target, which is {target.length_cm:.4g} cm long, is "
                f"{self.decay_start_cm:g} cm",
            )


@dataclass(frozen=True, slots=True)
class DisplacedWindow(_DecayVolume):
    """Decays behind an active target and a veto, inside or beyond the detector.

    Two signal regions: the particle deposits its energy in the detector behind the veto, or
    leaves the detector and its energy is missing.
    """

    decay_start_cm: float = _start("where a decay begins to be seen behind the veto")
    decay_end_cm: float = _end("end of the detector")
    decay_energy_gev: float = _energy("a decay that is seen", 15.0)
    missing_energy_gev: float = _energy("what is missing", 50.0)
    preshower_energy_gev: float = _preshower()
    resolution_stochastic: float = _stochastic()
    resolution_constant: float = _constant()

    def selections(self, beam: Beam, target: Target) -> tuple[Selection, Selection]:
        """Return the least energy of a boson and its probability to pass, by region.

        The energy of a decay has a sharp cut, that of missing energy has the resolution.
        """
        acceptance = _acceptance(self, beam, target)
        return (
            (self.decay_energy_gev, acceptance.trigger),
            (acceptance.cut_edges_gev[0], acceptance),
        )

    def missing(self, length_cm: FloatArray) -> FloatArray:
        """Return the probability of a decay beyond the detector, by mean decay length in cm."""
        return survival_probability(self.decay_end_cm, length_cm)

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from self._volume_problems(beam, target)
        yield from _energy_problems(
            beam,
            decay_energy_gev=self.decay_energy_gev,
            missing_energy_gev=self.missing_energy_gev,
        )
        # either region needs what is left beside the boson, of the lower of the two energies
        least = min(self.decay_energy_gev, self.missing_energy_gev)
        yield from _preshower_problems(beam, self.preshower_energy_gev, least)


@dataclass(frozen=True, slots=True)
class DumpWindow(_DecayVolume):
    """Decays to e+ e- between a dump and a calorimeter.

    Attributes
    ----------
    decay_start_cm, decay_end_cm
        Where a decay begins and ceases to count, from the front of the dump.
    boson_energy_gev
        Least energy of the boson.
    preshower_energy_gev
        Threshold of the trigger; see `trigger`.
    """

    decay_start_cm: float = _start("where a decay begins to count, behind the dump and its veto")
    decay_end_cm: float = _end("where a decay ceases to count, in front of the calorimeter")
    boson_energy_gev: float = _energy("the boson", 45.0)
    preshower_energy_gev: float = declare(
        0.0,
        help="least energy in the preshower, the first 4 radiation lengths of the dump",
        unit="GeV",
    )

    def trigger(self, boson_gev: FloatArray, beam: Beam) -> FloatArray:
        """Return the probability that the rest of the event passes the trigger, by the boson.

        The energy in the first 4 radiation lengths is distributed as in the lead-scintillator
        calorimeter; see `na64.models.response.preshower`. For tungsten this is an assumption:
        showers are alike in radiation lengths.
        """
        rest = beam.energy_gev - boson_gev
        return preshower_probability(rest, self.preshower_energy_gev, MATERIALS["ecal"])

    def problems(self, beam: Beam, target: Target) -> Iterator[tuple[str, str]]:
        """Yield pairs (key, what is wrong) where beam, target and window do not fit."""
        yield from self._volume_problems(beam, target)
        yield from _energy_problems(beam, boson_energy_gev=self.boson_energy_gev)
        yield from _preshower_problems(beam, self.preshower_energy_gev, self.boson_energy_gev)


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
