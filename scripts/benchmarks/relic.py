"""Time of a relic density per mass, against Hazma where the physics overlaps.

Hazma (arXiv:1907.11846, package ``hazma`` of the benchmark extra) solves for the abundance of
Dirac dark matter at a given coupling: a semi-analytic mode and a Radau solution. It counts the
particle alone, so its Omega is doubled here; its mediator width is fixed on the mass shell, as
ours cannot be, which matters near the pole only.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

import numpy as np

from na64.models.mediators.dark_sector import DarkMatter, DarkSector
from na64.models.mediators.vectors import dark_photon
from na64.models.relic.targets import relic_abundance, thermal_target

__all__ = ["main"]

ALPHA_D, RATIO, EPSILON = 0.1, 3.0, 1e-4
OVERLAP_GEV = (0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25)


def best_time(call: Callable[[], object], repeat: int) -> float:
    """Return the shortest of ``repeat`` wall times in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def hazma_omega(mass_gev: float, semi_analytic: bool) -> float:
    """Return Hazma's Omega h^2 of particle and antiparticle."""
    from hazma.relic_density import relic_density
    from hazma.vector_mediator import KineticMixing

    model = KineticMixing(
        mx=1e3 * mass_gev,
        mv=1e3 * RATIO * mass_gev,
        gvxx=math.sqrt(4.0 * math.pi * ALPHA_D),
        eps=EPSILON,
    )
    return 2.0 * float(relic_density(model, semi_analytic=semi_analytic))


def main(argv: list[str] | None = None) -> int:
    """Print times and agreement; exit code 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masses", type=int, default=200, help="masses solved at once")
    parser.add_argument("--repeat", type=int, default=5, help="best of this many runs")
    options = parser.parse_args(argv)

    portal = dark_photon()
    grid = np.geomspace(1e-3, 1.0, options.masses)
    dirac = DarkSector(DarkMatter.DIRAC, ALPHA_D, RATIO)
    scalar = DarkSector(DarkMatter.SCALAR, ALPHA_D, RATIO)
    failed = False

    def per_mass(call: Callable[[], object]) -> float:
        return best_time(call, options.repeat) / len(grid)

    target = per_mass(lambda: thermal_target(portal, scalar, grid))
    forward = per_mass(lambda: relic_abundance(portal, dirac, grid, EPSILON))
    print(f"{options.masses} masses, 1 MeV - 1 GeV, per mass:")
    print(f"  thermal coupling (scalar)   {1e3 * target:8.3f} ms   required <= 1 ms")
    print(f"  abundance at a coupling     {1e3 * forward:8.3f} ms")
    failed |= target > 1e-3

    try:
        hazma_omega(OVERLAP_GEV[0], semi_analytic=True)
    except ImportError:
        print("hazma is not installed: pip install 'hazma==2.2.0' for the comparison")
        return int(failed)
    semi = best_time(lambda: [hazma_omega(m, True) for m in OVERLAP_GEV], options.repeat)
    full = best_time(lambda: [hazma_omega(m, False) for m in OVERLAP_GEV], 1)
    semi, full = semi / len(OVERLAP_GEV), full / len(OVERLAP_GEV)
    for name, reference, wanted in (("semi-analytic", semi, 5.0), ("ODE", full, 100.0)):
        print(
            f"  hazma, {name:13s}        {1e3 * reference:8.3f} ms   {reference / forward:6.1f} x "
            f"(abundance), {reference / target:6.1f} x (coupling)   required >= {wanted:g} x"
        )
        failed |= reference < wanted * max(forward, target)

    ours = relic_abundance(portal, dirac, OVERLAP_GEV, EPSILON)
    print("\nDirac, alpha_D = 0.1, R = 3, epsilon = 1e-4: Omega h^2")
    print("  m_chi [MeV]       ours   hazma ODE/ours   hazma semi-analytic/ours")
    for mass, omega in zip(OVERLAP_GEV, ours, strict=True):
        ode, quick = hazma_omega(mass, False) / omega, hazma_omega(mass, True) / omega
        print(f"  {1e3 * mass:11g} {omega:10.4g} {ode:16.3f} {quick:26.3f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
