"""What tests of several rooms use: the folder of the repository, and the text of a toy card."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["CARD_HEAD", "ROOT"]

ROOT: Final = Path(__file__).resolve().parents[1]

#: a search for missing energy: everything but its bins
CARD_HEAD: Final = """
name = "toy"
topology = "missing-energy"
defaults = { model = "dark-photon", masses = { low_gev = 0.01, high_gev = 0.5, points = 3 } }
beam = { particle = "e-", energy_gev = 100, source = "test" }
target = { material = "ecal", source = "test" }
window = { missing_energy_gev = 50, source = "test" }
"""
