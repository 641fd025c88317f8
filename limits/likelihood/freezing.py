"""Models with some nuisance parameters held, at their nominal values or at others.

Nominal is what the auxiliary measurement says, and not where fits begin: a parameter that is known
exactly, the limit of an auxiliary measurement without an uncertainty, has that value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.interpolation import factor_at, shift_at
from na64.limits.likelihood.model import Constraint, Parameter, Shift, WorkspaceModel

__all__ = ["freeze", "nominal_value"]

Array = NDArray[np.float64]


def nominal_value(parameter: Parameter) -> float:
    """Return where the constraint of a parameter has its maximum.

    That is the datum of a Gaussian, and the count over tau of a Poisson mean tau * gamma; without
    a constraint it is where fits begin. Within the bounds of the parameter.
    """
    value = parameter.init
    if parameter.constraint is Constraint.GAUSSIAN:
        value = parameter.centre
    elif parameter.constraint is Constraint.POISSON:
        value = parameter.centre / parameter.width
    return min(max(value, parameter.lower), parameter.upper)


def freeze(
    model: WorkspaceModel, parameters: Collection[int], values: Mapping[int, float] | None = None
) -> tuple[WorkspaceModel, Array]:
    """Return the model with some parameters fixed, at their nominal values unless given.

    Parameters
    ----------
    model
        Tables of a likelihood.
    parameters
        Indices of the parameters to fix.
    values
        Other values of some of them, by index.

    Returns
    -------
    tuple
        The model with the same components and cells, without these parameters; their factors,
        shape (K,), by which its nominal rates and shifts are multiplied.
    """
    frozen = set(parameters)
    kept = [p for p in range(len(model.parameters)) if p not in frozen]
    number = {p: i for i, p in enumerate(kept)}
    given = values or {}
    value = [given.get(p, nominal_value(item)) for p, item in enumerate(model.parameters)]
    factor_of = [
        factor_at(value[r.parameter], r.hi, r.lo, model.normsys_code)
        if r.parameter in frozen
        else 1.0
        for r in model.responses
    ]
    scale = np.array([np.prod([factor_of[r] for r in used]) for used in model.factors], float)
    nominal = model.nominal.copy()
    for shift in model.shifts:
        if shift.parameter in frozen:
            nominal[shift.component] += shift_at(
                value[shift.parameter], shift.up, shift.down, model.histosys_code
            )
    responses = [i for i, r in enumerate(model.responses) if r.parameter not in frozen]
    new_response = {r: i for i, r in enumerate(responses)}
    found = replace(
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
    return found, scale
