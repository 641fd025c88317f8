"""Shells of an atom: how many electrons each holds, and how fast they move.

Slater's rules give any neutral atom a screened charge Z - s and an effective quantum number n*
for each of its shells. A full hydrogenic shell of the charge Z_s and the quantum number n has
the density of momenta of a 1s state of the charge Z_s/n (Fock): one number describes a shell,
its momentum q = alpha Z_s/n* in units of the electron's mass,

    n(k) = 8 q^5/(pi^2 (k^2 + q^2)^4),    <k^2> = q^2,    <k_z^2> = q^2/3.

The kinetic energies q^2/2 of all electrons sum up to the binding energy of the atom, as the virial
theorem demands: within 2.5 %. Inner shells of heavy atoms are relativistic, q = 0.6 in lead. The
density used is therefore that of the 1s state of Dirac's equation: exact for the K shell, the above
where q is small, and with the slower fall at k > 1 of states that are singular at the nucleus.

References
----------
Slater, Phys. Rev. 36, 57 (1930): the rules. Fock, Z. Phys. 98, 145 (1935): the density of a shell.
Bethe and Salpeter, Quantum Mechanics of One- and Two-Electron Atoms (1957), section 14: the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma as gamma_function

from na64.models.arrays import FloatArray
from na64.models.constants import ALPHA
from na64.models.errors import InputError

__all__ = ["Shell", "atomic_shells", "momentum_density"]

_LARGEST_Z: Final = 118
# n* for n = 1 to 7; Slater stops at 6, the last one goes on by the same step
_EFFECTIVE_N: Final = (1.0, 2.0, 3.0, 3.7, 4.0, 4.2, 4.4)
# what an electron of the same group, of the shell below, and of those beneath it screens
_SAME_GROUP: Final = 0.35
_SAME_GROUP_1S: Final = 0.30
_SHELL_BELOW: Final = 0.85


@dataclass(frozen=True, slots=True)
class Shell:
    """A group of electrons with the same screening.

    Attributes
    ----------
    n
        Principal quantum number.
    letters
        ``sp``, ``d`` or ``f``: Slater's groups within it.
    electrons
        How many there are.
    momentum
        q = alpha Z_s/n*, the root mean square of their momentum but for relativity, in units of
        the electron's mass.
    """

    n: int
    letters: str
    electrons: int
    momentum: float


def _filling() -> Iterator[tuple[int, int, int]]:
    """Subshells (n, l, places) in the order in which they fill: n + l, then n."""
    pairs = ((total - n, n) for total in range(1, 9) for n in range(1, total + 1))
    for angular, n in sorted(pairs, key=lambda pair: (pair[0] + pair[1], pair[1])):
        if angular < min(n, 4):
            yield n, angular, 2 * (2 * angular + 1)


@cache
def atomic_shells(z: int) -> tuple[Shell, ...]:
    """Return the shells of a neutral atom in its regular ground state, innermost first.

    Parameters
    ----------
    z
        Atomic number, 1 to 118.

    Raises
    ------
    InputError
        For another one.
    """
    if not 1 <= z <= _LARGEST_Z:
        raise InputError(f"shells are known of atoms with Z from 1 to {_LARGEST_Z}, not Z = {z}")
    groups: dict[tuple[int, str], int] = {}
    left = z
    for n, angular, places in _filling():
        if left == 0:
            break
        key = n, ("sp", "sp", "d", "f")[angular]
        groups[key] = groups.get(key, 0) + min(left, places)
        left -= min(left, places)
    shells: list[Shell] = []
    for n, letters in sorted(groups, key=lambda key: (key[0], ("sp", "d", "f").index(key[1]))):
        electrons = groups[n, letters]
        screening = (electrons - 1) * (_SAME_GROUP_1S if n == 1 else _SAME_GROUP)
        for inner in shells:
            partial = letters == "sp" and inner.n == n - 1
            screening += inner.electrons * (_SHELL_BELOW if partial else 1.0)
        momentum = ALPHA * (z - screening) / _EFFECTIVE_N[n - 1]
        shells.append(Shell(n, letters, electrons, momentum))
    return tuple(shells)


def momentum_density(shell_momentum: float, momentum: ArrayLike) -> FloatArray:
    """Return n(k) of a Dirac 1s state, with int d^3k n(k) = 1.

    Its radial functions are g = r^(gamma - 1) exp(-q r) and f = -[(1 - gamma)/(1 + gamma)]^1/2 g,
    gamma = (1 - q^2)^1/2; the density is the sum of the squares of their Fourier transforms.

    Parameters
    ----------
    shell_momentum
        q of the state, above 0 and below 1, in units of the electron's mass.
    momentum
        k in the same units, positive, any shape.

    Returns
    -------
    ndarray
        In units of m_e^-3, of the shape of ``momentum``.
    """
    q, k = shell_momentum, np.asarray(momentum, float)
    power = np.sqrt((1.0 - q) * (1.0 + q))
    small = (1.0 - power) / (1.0 + power)
    angle, radius = np.arctan2(k, q), np.hypot(k, q)
    # int dr r^2 j_0(k r) g and int dr r^2 j_1(k r) g over Gamma(gamma + 1)
    even = np.sin((power + 1.0) * angle) / (k * radius ** (power + 1.0))
    odd = np.sin(power * angle) / (power * k**2 * radius**power)
    odd -= np.cos((power + 1.0) * angle) / (k * radius ** (power + 1.0))
    norm = (2.0 * q) ** (2.0 * power + 1.0) / gamma_function(2.0 * power + 1.0) / (1.0 + small)
    norm *= gamma_function(power + 1.0) ** 2 / (2.0 * np.pi**2)
    return np.asarray(norm * (even**2 + small * odd**2))
