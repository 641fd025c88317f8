"""The probability that a missing energy is selected: a cut, smeared, and a trigger."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.response.preshower import is_simulated, preshower_probability
from na64.models.targets import Beam, Target

__all__ = ["MissingEnergyAcceptance"]

# how far from the cut, in standard deviations, a missing energy may be taken for another
_TAIL_SIGMAS: Final = 4.0


@dataclass(frozen=True, slots=True)
class MissingEnergyAcceptance:
    """Probability that an event with a given missing energy passes the cut and the trigger.

    The energy seen in the target must be below the beam's nominal energy less the cut. It is
    smeared by the resolution of the target, and by the spread of the beam's momentum, of which
    the cut knows nothing.

    Attributes
    ----------
    beam, target
        What hits what.
    missing_energy_gev
        The cut.
    stochastic, constant
        Terms of the relative resolution, at 1 GeV and at high energy.
    preshower_energy_gev
        Least energy in the preshower.
    """

    beam: Beam
    target: Target
    missing_energy_gev: float
    stochastic: float
    constant: float
    preshower_energy_gev: float

    def spread_gev(self, missing_gev: FloatArray | float) -> FloatArray:
        """Return the standard deviation of a missing energy as measured, GeV."""
        visible = np.maximum(self.beam.energy_gev - np.asarray(missing_gev, float), 0.0)
        calorimeter = np.hypot(self.stochastic * np.sqrt(visible), self.constant * visible)
        return np.hypot(calorimeter, self.beam.momentum_spread * self.beam.energy_gev)

    @property
    def cut_edges_gev(self) -> tuple[float, float]:
        """Missing energies between which the cut is neither closed nor open; alike if sharp."""
        cut = self.missing_energy_gev
        reach = _TAIL_SIGMAS * float(self.spread_gev(cut))
        low = max(cut - reach, 0.1 * cut)
        return low, min(cut + reach, 0.5 * (cut + self.beam.energy_gev))

    @property
    def largest_gev(self) -> float:
        """Missing energy above which the trigger is closed; the beam energy if it closes softly."""
        if is_simulated(self.target.material):
            return self.beam.energy_gev
        return self.beam.energy_gev - self.preshower_energy_gev

    def before_spread(self) -> MissingEnergyAcceptance:
        """Return the acceptance to use before a spectrum is convolved with the beam's spread s.

        The convolution smears a cut at c by s c; what is left of the spread s E0 is kept.
        """
        left = math.sqrt(1.0 - (self.missing_energy_gev / self.beam.energy_gev) ** 2)
        beam = replace(self.beam, momentum_spread=self.beam.momentum_spread * left)
        return replace(self, beam=beam)

    def cut(self, missing_gev: FloatArray) -> FloatArray:
        """Return the probability to pass the cut on the energy in the target."""
        # whoever reads a card only does not wait for it
        from scipy.special import ndtr

        missing = np.asarray(missing_gev, float)
        spread = self.spread_gev(missing)
        excess = missing - self.missing_energy_gev
        with np.errstate(divide="ignore", invalid="ignore"):
            # rounding must not push what is at a sharp cut below it
            sharp = excess >= -1e-9 * self.missing_energy_gev
            return np.asarray(np.where(spread > 0.0, ndtr(excess / spread), sharp), float)

    def trigger(self, missing_gev: FloatArray) -> FloatArray:
        """Return the probability to pass the trigger on what is left in the target."""
        rest = self.beam.energy_gev - np.asarray(missing_gev, float)
        return preshower_probability(rest, self.preshower_energy_gev, self.target.material)

    def __call__(self, missing_gev: FloatArray) -> FloatArray:
        """Return the probability to be selected, of the shape of the missing energies in GeV."""
        return np.asarray(self.cut(missing_gev) * self.trigger(missing_gev))
