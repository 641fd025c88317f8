"""Distribution of the energy that a muon loses in a length of matter.

Single losses epsilon happen at random, with the spectra of `na64.models.showers.muon_interactions`;
the sum over a length L has the characteristic function

    exp(L Int d epsilon n(epsilon) (e^(i k epsilon) - 1)),

evaluated on a grid of losses. Losses below one step are the rest of the mean loss with their
variance. That is Vavilov's theory of straggling with the tail of hard radiation in it; the energy
of the muon is that at the entrance, whatever it has lost so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from na64.models.arrays import ComplexArray, FloatArray
from na64.models.constants import (
    CLASSICAL_ELECTRON_RADIUS_CM,
    ELECTRON_MASS_GEV,
    MUON_MASS_GEV,
)
from na64.models.errors import InputError
from na64.models.materials import Material
from na64.models.production.quadrature import unit_nodes
from na64.models.showers.muon_interactions import RADIATION, knock_on
from na64.models.showers.muon_loss import muon_energy_loss_gev_cm

__all__ = ["LossDistribution", "loss_distribution"]

# steps up to the energy of the muon; as many more keep a sum of losses from coming round
_STEPS: Final = 2048
# energies per e-fold at which spectra are computed: between them they are power laws to 1e-3
_DENSITY: Final = 12
_INSIDE_A_STEP: Final = 3
# and in the last third, where pairs and hadrons end: distances from the end
_TO_THE_END: Final = np.geomspace(1e-3, 1.0, 16)


@dataclass(frozen=True, slots=True)
class LossDistribution:
    """Probabilities of losses 0, h, 2h, ...

    Attributes
    ----------
    step_gev
        h.
    probabilities
        Shape (N,), of sum 1; each stands for the losses within half a step.
    """

    step_gev: float
    probabilities: FloatArray

    @property
    def losses_gev(self) -> FloatArray:
        """The losses, GeV, shape (N,)."""
        return np.asarray(self.step_gev * np.arange(len(self.probabilities)))

    @property
    def mean_gev(self) -> float:
        """Mean loss in GeV."""
        return float(self.losses_gev @ self.probabilities)

    def below(self, loss_gev: FloatArray) -> FloatArray:
        """Return the probability of losing less, in an array of the shape of ``loss_gev``."""
        edges = self.step_gev * (np.arange(len(self.probabilities) + 1) - 0.5)
        reached = np.concatenate([[0.0], np.cumsum(self.probabilities)])
        return np.asarray(np.interp(loss_gev, edges, reached))

    def nodes(self, number: int, at_most_gev: float) -> tuple[FloatArray, FloatArray]:
        """Return losses and probabilities that stand for all losses up to a largest one.

        Gauss nodes of the distribution: exact for polynomials in the loss up to degree
        2 ``number`` - 1, and so for what changes smoothly with the energy of the muon.

        Parameters
        ----------
        number
            How many.
        at_most_gev
            Losses above this one are left out; the probabilities add to that of the rest.

        Returns
        -------
        losses, probabilities
            GeV and 1, each of shape (number,).
        """
        kept = self.losses_gev <= at_most_gev
        at, weight = self.losses_gev[kept], np.maximum(self.probabilities[kept], 0.0)
        # orthogonal polynomials of the distribution by their recurrence; the roots of the last one
        diagonal, beside = np.zeros(number), np.zeros(number)
        last, now = np.zeros_like(at), np.full_like(at, 1.0 / math.sqrt(weight.sum()))
        for n in range(number):
            diagonal[n] = np.sum(weight * at * now**2)
            following = (at - diagonal[n]) * now - beside[n - 1] * last
            beside[n] = math.sqrt(np.sum(weight * following**2))
            last, now = now, following / beside[n]
        jacobi = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
        losses, vectors = np.linalg.eigh(jacobi)
        return losses, weight.sum() * vectors[0] ** 2


@lru_cache(maxsize=256)
def _mean(energy_gev: float, material: Material) -> float:
    return float(muon_energy_loss_gev_cm(energy_gev, material))


def _single_losses(energy_gev: float, material: Material, step_gev: float) -> FloatArray:
    """Losses per cm of 0, h, 2h, ... up to the energy, those of less than one step left out."""
    # photons take up to all of the kinetic energy; pairs and hadrons end before, on a slope
    hardest = max(energy_gev - 1.001 * MUON_MASS_GEV, 2.0 * step_gev)
    number = math.ceil(_DENSITY * math.log(hardest / step_gev))
    at = np.geomspace(step_gev, hardest, max(2, number))
    at = np.unique(np.concatenate([at, hardest - 0.3 * hardest * _TO_THE_END]))
    at = at[at >= step_gev]
    energy = np.asarray(energy_gev)
    spectrum = np.zeros_like(at)
    for element, density in material.number_densities_cm3:
        for one in (knock_on, *RADIATION.values()):
            spectrum += density * one(energy, at, element)
    points, weights = unit_nodes(_INSIDE_A_STEP)
    first = np.arange(1, math.floor(energy_gev / step_gev))
    inside = (first[:, None] + points) * step_gev
    logs = np.log(np.maximum(spectrum, 1e-300))
    between = np.interp(np.log(inside), np.log(at), logs, right=-np.inf)
    rate = step_gev * weights * np.exp(between)
    # number and mean are kept where a loss between two steps is shared out to them
    result = np.zeros(2 * _STEPS)
    result[first] += (rate * (1.0 - points)).sum(axis=1)
    result[first + 1] += (rate * points).sum(axis=1)
    return result


# as many as a window asks for
@lru_cache(maxsize=256)
def _per_cm(energy_gev: float, material: Material, step_gev: float) -> tuple[ComplexArray, float]:
    """Logarithm of the characteristic function and the steady loss in GeV, both per cm."""
    rates = _single_losses(energy_gev, material, step_gev)
    # what is below a step: collisions with n ~ 1/epsilon^2 have the variance n epsilon^2 h
    beta2 = 1.0 - (MUON_MASS_GEV / energy_gev) ** 2
    scale = 2.0 * math.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 * ELECTRON_MASS_GEV
    rates[1] += scale * material.electron_density_cm3 / (beta2 * step_gev)
    steady = _mean(energy_gev, material) - step_gev * float(np.arange(len(rates)) @ rates)
    return np.asarray(np.fft.rfft(rates) - rates.sum()), steady


def loss_distribution(energy_gev: float, material: Material, length_cm: float) -> LossDistribution:
    """Return the distribution of the energy lost by muons of one energy in a length of matter.

    Parameters
    ----------
    energy_gev
        Energy at the entrance, 0.15 to 1000 GeV.
    material
        What they cross.
    length_cm
        How much of it.

    Returns
    -------
    LossDistribution
        Its mean is the length times `muon_energy_loss_gev_cm`.

    Raises
    ------
    InputError
        For an energy below that of a muon at rest or a length that is not positive.

    References
    ----------
    Landau, J. Phys. USSR 8, 201 (1944); Vavilov, Sov. Phys. JETP 5, 749 (1957).
    """
    if not energy_gev > MUON_MASS_GEV:
        raise InputError(f"energy of a muon must be above its mass, is {energy_gev} GeV")
    if not (math.isfinite(length_cm) and length_cm > 0.0):
        raise InputError(f"length must be positive and finite, is {length_cm} cm")
    # a slow muon stops: its loss is what it would be at this energy, and beyond it
    step = max(energy_gev, _mean(energy_gev, material) * length_cm) / _STEPS
    transform, steady = _per_cm(energy_gev, material, step)
    spread = np.fft.irfft(np.exp(length_cm * transform), 2 * _STEPS)
    # the steady loss lies between two steps
    shift, between = divmod(length_cm * steady / step, 1.0)
    lower = np.roll(spread, int(shift))
    return LossDistribution(step, (1.0 - between) * lower + between * np.roll(lower, 1))
