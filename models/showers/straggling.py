"""Straggling: the energy that an electron radiates before something happens to it in a thin layer.

Bremsstrahlung is a Poisson process of photons. With n(k) = dN/dk per radiation length, the energy
K radiated up to a depth z has the characteristic function exp{z int dk n(k) (e^(isk) - 1)}; its
mean over depths 0..L is (e^a - 1)/a, a of z = L. Loss makes n(k) that of smaller energies, which
this neglects: it is for electrons that have kept most of their energy, in layers of up to about
one radiation length.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from na64.models.arrays import FloatArray
from na64.models.constants import ELECTRON_MASS_GEV
from na64.models.materials import Material
from na64.models.showers.processes import Processes

__all__ = ["radiated_energy"]

# Cells of the distribution, up to four times the energy, that nothing of the far tail comes round.
_CELLS: Final = 2**13
_REACH: Final = 4.0


def radiated_energy(
    material: Material, energy_gev: float, depth_x0: float
) -> tuple[FloatArray, FloatArray]:
    """Return the distribution of the energy radiated before a depth spread evenly over a layer.

    Parameters
    ----------
    material
        What the layer is made of.
    energy_gev
        Energy of the electron or positron.
    depth_x0
        Thickness of the layer in radiation lengths, positive.

    Returns
    -------
    energies, probabilities
        GeV and the probability of each cell around it, of one length, the first at 0; the
        probabilities sum to one.
    """
    step = _REACH * energy_gev / _CELLS
    k: FloatArray = step * np.arange(_CELLS, dtype=np.float64)
    rate = np.zeros(_CELLS)
    # mean losses of cells: k n(k) is smooth, n(k) is not
    inside = (k > 0.0) & (k < energy_gev - ELECTRON_MASS_GEV)
    rate[inside] = step * Processes(material).bremsstrahlung(np.asarray(energy_gev), k[inside])
    transform = np.fft.rfft(rate)
    exponent = depth_x0 * (transform - transform[0])
    tiny = np.abs(exponent) < 1e-8
    mean = np.where(tiny, 1.0 + 0.5 * exponent, np.expm1(exponent) / np.where(tiny, 1.0, exponent))
    return k, np.fft.irfft(mean, _CELLS)
