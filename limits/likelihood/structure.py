"""What the structure of a likelihood tells without a fit: connected bins, monotony."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.model import WorkspaceModel

__all__ = ["connected_bins", "folded_parameters", "is_monotone"]


Flags = NDArray[np.bool_]


def _touched(model: WorkspaceModel) -> list[list[int]]:
    """Return the components that each parameter acts on."""
    touched: list[set[int]] = [set() for _ in model.parameters]
    for k, factors in enumerate(model.factors):
        for r in factors:
            touched[model.responses[r].parameter].add(k)
    for shift in model.shifts:
        touched[shift.parameter].add(shift.component)
    return [sorted(components) for components in touched]


def connected_bins(model: WorkspaceModel, active: Flags) -> Flags:
    """Find the bins that can say something about the signal.

    A bin without signal counts only if a chain of shared nuisance parameters leads from it to a
    bin with signal; all others drop out of every likelihood ratio.

    Parameters
    ----------
    model
        The likelihood.
    active
        Components with a rate: all backgrounds, and the signals that are there, shape (K,).

    Returns
    -------
    ndarray
        Shape (B,).
    """
    bins_of = [{int(model.component_bin[k]) for k in c if active[k]} for c in _touched(model)]
    reached = set(model.component_bin[model.is_signal & active].tolist())
    grew = True
    while grew:
        grew = False
        for bins in bins_of:
            if bins & reached and not bins <= reached:
                reached |= bins
                grew = True
    answer = np.zeros(len(model.bins), dtype=bool)
    answer[sorted(reached)] = True
    return answer


def is_monotone(model: WorkspaceModel, active: Flags, bins: Flags) -> bool:
    """Tell whether more events in any of the bins always look more like signal.

    This holds for qtilde when every nuisance parameter acts on one bin only, or multiplies the
    whole signal by one factor: bins then meet only through the size of the signal, and every
    rate grows with it. The set {n : qtilde(n) >= q} then has with n all n' <= n. It fails for
    control regions, where more events mean more background elsewhere, and for a signal that is
    negative in a bin.

    Parameters
    ----------
    model, active
        As in `connected_bins`.
    bins
        The bins whose counts vary, shape (B,).
    """
    signal = np.flatnonzero(model.is_signal & active & bins[model.component_bin])
    if np.any(model.nominal[signal] < 0.0):
        return False
    for parameter, components in enumerate(_touched(model)):
        inside = [k for k in components if active[k] and bins[model.component_bin[k]]]
        if len({int(model.component_bin[k]) for k in inside}) <= 1:
            continue
        if any(shift.parameter == parameter for shift in model.shifts):
            return False
        used = {
            tuple(r for r in model.factors[k] if model.responses[r].parameter == parameter)
            for k in signal
        }
        if len(used) != 1 or set(inside) != set(signal.tolist()):
            return False
    return True


def folded_parameters(model: WorkspaceModel) -> list[int]:
    """Find the parameters whose up and down variations move a rate to the same side.

    The likelihood may then have a minimum on either side of zero.
    """
    folded = {r.parameter for r in model.responses if _same_side(r.hi, r.lo)}
    folded |= {s.parameter for s in model.shifts if s.up * s.down < 0.0}
    return sorted(folded)


def _same_side(hi: float | None, lo: float | None) -> bool:
    return hi is not None and lo is not None and (hi - 1.0) * (lo - 1.0) > 0.0
