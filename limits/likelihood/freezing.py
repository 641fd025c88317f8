"""Models with some nuisance parameters held at their nominal values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from na64.limits.likelihood.interpolation import factor_at, shift_at
from na64.limits.likelihood.model import Shift, WorkspaceModel

__all__ = ["freeze"]


def freeze(model: WorkspaceModel, parameters: Collection[int]) -> WorkspaceModel:
    """Return the model with some parameters fixed at their initial values.

    Parameters
    ----------
    model
        Tables of a likelihood.
    parameters
        Indices of the parameters to fix.

    Returns
    -------
    WorkspaceModel
        The same components and cells, without these parameters; their factors are in the
        nominal rates.
    """
    frozen = set(parameters)
    kept = [p for p in range(len(model.parameters)) if p not in frozen]
    number = {p: i for i, p in enumerate(kept)}
    init = [parameter.init for parameter in model.parameters]
    factor_of = [
        factor_at(init[r.parameter], r.hi, r.lo, model.normsys_code)
        if r.parameter in frozen
        else 1.0
        for r in model.responses
    ]
    scale = np.array([np.prod([factor_of[r] for r in used]) for used in model.factors])
    nominal = model.nominal.copy()
    for shift in model.shifts:
        if shift.parameter in frozen:
            nominal[shift.component] += shift_at(
                init[shift.parameter], shift.up, shift.down, model.histosys_code
            )
    responses = [i for i, r in enumerate(model.responses) if r.parameter not in frozen]
    new_response = {r: i for i, r in enumerate(responses)}
    return replace(
        model,
        parameters=tuple(model.parameters[p] for p in kept),
        nominal=nominal * scale,
        cell_factor=model.cell_factor * scale[model.cell_component],
        responses=tuple(
            replace(model.responses[r], parameter=number[model.responses[r].parameter])
            for r in responses
        ),
        factors=tuple(
            tuple(new_response[r] for r in used if r in new_response) for used in model.factors
        ),
        shifts=tuple(
            Shift(
                number[s.parameter],
                s.component,
                s.up * float(scale[s.component]),
                s.down * float(scale[s.component]),
            )
            for s in model.shifts
            if s.parameter not in frozen
        ),
    )
