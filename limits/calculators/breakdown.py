"""Breakdown: the limit without each group of systematic uncertainties.

A group is left out by holding its parameters where their auxiliary measurements are: as if these
had no uncertainty. Values after a fit to the data would make another model of every mass and every
outcome, and count the pull as an uncertainty's effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.status import BAND_ORDER
from na64.limits.calculators.table import LimitTable
from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.freezing import freeze
from na64.limits.likelihood.model import Constraint
from na64.models.errors import InputError, unknown_name

__all__ = ["Breakdown", "break_down", "without_groups"]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Limits with and without groups of nuisance parameters.

    Attributes
    ----------
    full
        Limits with all uncertainties.
    without
        Limits without one group, by its name.
    statistical
        Limits without any constrained nuisance parameter.
    """

    full: LimitTable
    without: Mapping[str, LimitTable]
    statistical: LimitTable

    def changes(self) -> dict[str, NDArray[np.float64]]:
        """Return by how much the limit falls without each group, relative, shape (M,) each.

        Of the observed limit, or of the expected median where there are no data.
        """
        return {
            name: 1.0 - _shown(table) / _shown(self.full) for name, table in self.without.items()
        }


def break_down(
    batch: SignalBatch, groups: Mapping[str, Iterable[str]] | None = None, **settings: Any
) -> Breakdown:
    """Compute the limits without each group of nuisance parameters in turn.

    Parameters
    ----------
    batch
        Signals of M masses.
    groups
        Names of modifiers by name of the group; by default every modifier with a constraint is
        a group of its own. Unconstrained factors cannot be left out.
    settings
        Further arguments of `upper_limits`.

    Returns
    -------
    Breakdown

    Raises
    ------
    InputError
        For a name that no modifier has, or that has no constraint.
    """
    constrained = _constrained(batch.likelihood)
    if groups is None:
        groups = {name: (name,) for name in constrained}
    return Breakdown(
        full=upper_limits(batch, **settings),
        without={
            name: upper_limits(without_groups(batch, members), **settings)
            for name, members in groups.items()
        },
        statistical=upper_limits(without_groups(batch, constrained), **settings),
    )


def without_groups(batch: SignalBatch, names: Iterable[str]) -> SignalBatch:
    """Hold the nuisance parameters of some modifiers where their auxiliary measurements are.

    Parameters
    ----------
    batch
        Signals.
    names
        Names of modifiers.

    Returns
    -------
    SignalBatch
        The same signals on a likelihood without these parameters.

    Raises
    ------
    InputError
        For a name that no modifier has, or that has no constraint.
    """
    likelihood = batch.likelihood
    constrained = _constrained(likelihood)
    wanted = set(names)
    for name in sorted(wanted):
        if name in likelihood.groups and name not in constrained:
            raise InputError(f"modifier '{name}' has no constraint and cannot be left out")
        if name not in constrained:
            raise unknown_name("modifier", name, constrained)
    parameters = likelihood.model.parameters
    chosen = [i for i, p in enumerate(parameters) if p.group in wanted]
    frozen, factors = freeze(likelihood.model, chosen)
    return batch.on(CompiledLikelihood(frozen), factors)


def _shown(table: LimitTable) -> NDArray[np.float64]:
    median = table.expected[BAND_ORDER.index(0)]
    return np.where(np.isnan(table.observed).all(), median, table.observed)


def _constrained(likelihood: CompiledLikelihood) -> list[str]:
    free = {p.group for p in likelihood.model.parameters if p.constraint is Constraint.FREE}
    return [name for name in likelihood.groups if name not in free]
