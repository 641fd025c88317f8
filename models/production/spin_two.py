"""The squared amplitude of l gamma -> l G for a massive boson of spin 2 that couples universally.

L = -(c/Lambda) G_{mu nu} T^{mu nu}, with the stress tensors of the lepton and of the photon and
one coupling for both:

    T^{mu nu} = (i/4) lbar (gamma^mu D^nu + gamma^nu D^mu) l + h.c. - F^{mu a} F^nu_a + traces.

Four diagrams: emission before and after the photon is absorbed, the contact of all four, and the
photon that turns to G by an exchanged one. Only their sum is conserved, p_mu T^{mu nu} = 0; then
the sum over the polarisations of G is that of eta alone, and nothing goes as 1/M.

References
----------
Voronchikhin and Kirpichnikov, arXiv:2412.10150 and arXiv:2210.00751: the coupling, the same
process, and, in the second, the amplitude for a massless lepton. Giudice, Rattazzi and Wells,
hep-ph/9811291, appendix: vertices, sum over polarisations, and f fbar -> gamma G, its crossed
process. The amplitude with the mass of the lepton is ours: a symmetric polynomial over
(s u t)^2 with rational coefficients found from traces of explicit Dirac matrices at random
momenta. A test compares it with such traces.
"""

from __future__ import annotations

import numpy as np

from na64.models.arrays import FloatArray

__all__ = ["compton_amplitude"]


def compton_amplitude(
    s: FloatArray, u: FloatArray, t: FloatArray, mass2: FloatArray, lepton2: float
) -> FloatArray:
    """Return the squared amplitude of l(p) gamma(q) -> l(p') G(k), averaged over initial spins.

    With s, u less m^2, P = s u and M the mass of G it is, over e^2 (c/Lambda)^2,

        - (M^4 + t^2 - 2 P) (4 P + M^2 t)/(4 P t)
        + (m^2/2) (M^2 - 4 m^2) (M^2 + 8 m^2/3) (1/s + 1/u)^2
        + m^2 [(2 M^6 - 19/6 M^4 t + M^2 t^2 + 5/6 t^3)/(P t) - (2 M^4 + 4 M^2 t + 6 t^2)/t^2]
        + m^4 (4 M^4 - 8 M^2 t + 28/3 t^2)/(P t).

    Parameters
    ----------
    s, u
        (p + q)^2 - m^2 > 0 and (p - k)^2 - m^2 < 0, GeV^2.
    t
        (p - p')^2 = M^2 - s - u < 0, GeV^2; given by itself, since for quasi-real exchanged
        photons it is far smaller than the others.
    mass2, lepton2
        M^2 and m^2, GeV^2.

    Returns
    -------
    ndarray
        GeV^2, of the shape that the arguments broadcast to.
    """
    m2, b = lepton2, mass2
    product = s * u
    pole = product * t
    massless = -(b * b + t * t - 2.0 * product) * (4.0 * product + b * t) / (4.0 * pole)
    soft = 0.5 * m2 * (b - 4.0 * m2) * (b + 8.0 / 3.0 * m2) * (1.0 / s + 1.0 / u) ** 2
    cubic = 2.0 * b**3 - 19.0 / 6.0 * b * b * t + b * t * t + 5.0 / 6.0 * t**3
    quadratic = m2 * (4.0 * b * b - 8.0 * b * t + 28.0 / 3.0 * t * t)
    exchange = (2.0 * b * b + 4.0 * b * t + 6.0 * t * t) / (t * t)
    return np.asarray(massless + soft + m2 * ((cubic + quadratic) / pole - exchange))
