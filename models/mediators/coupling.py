"""Which values of a free coupling anything is computed for."""

from __future__ import annotations

import math
from typing import Final

from na64.models.errors import InputError

__all__ = ["LARGEST_COUPLING", "check_coupling"]

#: far above every coupling for which a signal is a small correction; in 1/GeV for those with a
#: dimension
LARGEST_COUPLING: Final = 1e6
_SMALLEST_COUPLING: Final = 1e-100  # its square is a number still


def check_coupling(coupling: float) -> None:
    """Refuse a coupling at which nothing can be computed.

    Raises
    ------
    InputError
        For one that is not positive or not finite, above `LARGEST_COUPLING`, or so small that
        events underflow.
    """
    if not 0.0 < coupling < math.inf:
        raise InputError(f"the coupling must be positive and finite, is {coupling:g}")
    if not _SMALLEST_COUPLING <= coupling <= LARGEST_COUPLING:
        raise InputError(
            f"the coupling must be in {_SMALLEST_COUPLING:g} to {LARGEST_COUPLING:g}, is "
            f"{coupling:g}"
        )
