"""The likelihood of a result as it is published: a background workspace and a pyhf patchset."""

from __future__ import annotations

import numpy as np

from na64.limits.publication import LIKELIHOOD_FILES
from na64.limits.results.limit import Limit
from na64.limits.scanning.signal import ExpectedSignal
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.pyhf.write import background_workspace, patchset

__all__ = ["largest_difference", "likelihood_files"]


def likelihood_files(signal: ExpectedSignal, *, inspire: int | None = None) -> dict[str, str]:
    """Return the JSON of the background workspace and of the patchset by the names of files.

    Parameters
    ----------
    signal
        Expected signal: one patch for each mass, and each coupling where the signal is no power
        of it.
    inspire
        Number of the paper in INSPIRE, by which the patchset names its record; none if None.
    """
    documents = (
        background_workspace(signal.template),
        patchset(signal.template, signal.rates, inspire=inspire),
    )
    return {
        name: canonical_json(document, indent=1) + "\n"
        for name, document in zip(LIKELIHOOD_FILES, documents, strict=True)
    }


def largest_difference(limit: Limit, signal: ExpectedSignal) -> float:
    """Return by how much the events of a signal differ from the yields of a result, relatively.

    Both are sums of processes at a coupling of one, at the masses where the result has any; 0
    where the result has yields at its limits alone, which are no property of the signal.
    """
    if limit.power is None or signal.rates.power is None:
        return 0.0
    own = np.sum(list(limit.yields.values()), axis=0)
    events = signal.at_coupling(1.0).sum(axis=(1, 2))
    known = (own > 0.0) & ~limit.left_out
    return float(np.max(np.abs(events[known] / own[known] - 1.0), initial=0.0))
