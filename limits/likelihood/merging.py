"""Bins that differ in nothing but their size, and the likelihood with each such group as one bin.

Bins i and j are equivalent for a signal when every component of i has a counterpart in j with the
same responses, and all rates, shifts and signals of j are those of i times one number r. Their
rates are then in the ratio r at every value of all parameters, and

    ln L = n_i ln(lambda) + n_j ln(r lambda) - (1 + r) lambda
         = (n_i + n_j) ln[(1 + r) lambda] - (1 + r) lambda + terms of the data alone:

the sum of the counts is sufficient, and a Poisson variable of its own. Likelihood ratios, their
distributions and all limits are those of the merged bin exactly. A nuisance parameter of one bin
alone makes that bin equivalent to no other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch
from na64.limits.likelihood.model import WorkspaceModel

__all__ = ["equivalent_bins", "merge_bins"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: relative difference of ratios that counts as rounding
_SAME: Final = 1e-10


def equivalent_bins(batch: SignalBatch) -> list[tuple[Index, tuple[tuple[int, ...], ...]]]:
    """Group masses by which bins are equivalent for their signals.

    Parameters
    ----------
    batch
        Signals of M masses.

    Returns
    -------
    list
        Indices of masses, and the groups of bins that are equivalent, every bin in one group.
    """
    parts = _Description(batch.likelihood.model)
    labels = np.repeat(np.arange(len(batch.likelihood.bins))[:, None], len(batch), axis=1)
    for bins in parts.same:
        parts.label(bins, batch.shape, labels)
    if not len(batch):
        return []
    if not np.any(labels != np.arange(len(labels))[:, None]):
        return [(np.arange(len(batch)), tuple((b,) for b in range(len(labels))))]
    kinds, which = np.unique(labels, axis=1, return_inverse=True)
    answer = []
    for i, kind in enumerate(kinds.T.tolist()):
        groups = tuple(
            tuple(b for b, label in enumerate(kind) if label == first)
            for first in sorted(set(kind))
        )
        answer.append((np.flatnonzero(which.ravel() == i), groups))
    return answer


class _Description:
    """What acts on each bin of a model."""

    def __init__(self, model: WorkspaceModel) -> None:
        self.model = model
        self.signal_place = np.cumsum(model.is_signal) - 1
        shifts: dict[int, list[tuple[int, float, float]]] = {}
        for shift in model.shifts:
            shifts.setdefault(shift.component, []).append((shift.parameter, shift.up, shift.down))
        keys: list[list[tuple[object, ...]]] = [[] for _ in model.bins]
        self.components: list[list[int]] = [[] for _ in model.bins]
        self.sizes: list[list[float]] = [[] for _ in model.bins]
        order = sorted(
            range(len(model.nominal)),
            key=lambda k: (bool(model.is_signal[k]), tuple(sorted(model.factors[k]))),
        )
        for k in order:
            b = int(model.component_bin[k])
            moved = sorted(shifts.get(k, ()))
            keys[b].append(
                (
                    bool(model.is_signal[k]),
                    tuple(sorted(model.factors[k])),
                    tuple(p for p, _, _ in moved),
                )
            )
            self.components[b].append(k)
            own = [] if model.is_signal[k] else [float(model.nominal[k])]
            self.sizes[b] += own + [x for _, up, down in moved for x in (up, down)]
        same: dict[tuple[tuple[object, ...], ...], list[int]] = {}
        for b, key in enumerate(keys):
            same.setdefault(tuple(key), []).append(b)
        #: bins that the same parameters act on in the same way, up to sizes
        self.same = list(same.values())

    def label(self, bins: list[int], shape: Array, labels: NDArray[np.int64]) -> None:
        """Give bins of the same kind that are equivalent for a signal the label of the first.

        Parameters
        ----------
        bins
            Bins of the same kind.
        shape
            Rates of the signal components, shape (Ks, M).
        labels
            Changed in place, shape (B, M).
        """
        rows = []
        for b in bins if len(bins) > 1 else ():
            mine = [self.signal_place[k] for k in self.components[b] if self.model.is_signal[k]]
            fixed = np.repeat(np.array(self.sizes[b])[:, None], shape.shape[1], axis=1)
            rows.append(np.concatenate([fixed, shape[mine]]))
        for j, second in enumerate(rows):
            for i, first in enumerate(rows[:j]):
                alone = (labels[bins[j]] == bins[j]) & (labels[bins[i]] == bins[i])
                same = alone & _proportional(first, second)
                labels[bins[j], same] = bins[i]


def _proportional(first: Array, second: Array) -> NDArray[np.bool_]:
    """Tell whether columns are the same up to a positive factor, shape (M,)."""
    a, b = np.abs(first).max(axis=0, initial=0.0), np.abs(second).max(axis=0, initial=0.0)
    nothing = (a == 0.0) | (b == 0.0)
    x, y = first / np.where(nothing, 1.0, a), second / np.where(nothing, 1.0, b)
    close = np.all(np.abs(x - y) <= _SAME * np.abs(x), axis=0)
    return np.asarray(np.where(nothing, a == b, close))


def merge_bins(
    batch: SignalBatch, counts: Array, groups: tuple[tuple[int, ...], ...]
) -> tuple[SignalBatch, Array]:
    """Return the same signals and data with each group of bins as one.

    Parameters
    ----------
    batch
        Signals for all of which the bins of a group are equivalent.
    counts
        Counts, shape (B,).
    groups
        As from `equivalent_bins`.
    """
    model = batch.likelihood.model
    if all(len(group) == 1 for group in groups):
        return batch, counts
    parts = _Description(model)
    place = np.cumsum(model.is_signal) - 1
    kept = sorted(k for group in groups for k in parts.components[group[0]])
    into = {k: row for row, k in enumerate(kept)}
    for group in groups:
        for other in group[1:]:
            pairs = zip(parts.components[group[0]], parts.components[other], strict=True)
            into.update({k: into[first] for first, k in pairs})
    target = np.array([into[k] for k in range(len(model.nominal))], dtype=np.intp)
    bin_of = {b: i for i, group in enumerate(groups) for b in group}
    nominal = np.zeros(len(kept))
    np.add.at(nominal, target, model.nominal)
    shifts: dict[tuple[int, int], tuple[float, float]] = {}
    for shift in model.shifts:
        key = (shift.parameter, int(target[shift.component]))
        up, down = shifts.get(key, (0.0, 0.0))
        shifts[key] = (up + shift.up, down + shift.down)
    first_shift = {(s.parameter, s.component): s for s in reversed(model.shifts)}
    merged = replace(
        model,
        bins=tuple(model.bins[group[0]] for group in groups),
        observed=np.array([model.observed[list(group)].sum() for group in groups]),
        component_bin=np.array([bin_of[int(model.component_bin[k])] for k in kept], dtype=np.intp),
        is_signal=model.is_signal[kept],
        nominal=nominal,
        cell_bin=np.array([bin_of[int(b)] for b in model.cell_bin], dtype=np.intp),
        cell_component=target[model.cell_component],
        factors=tuple(model.factors[k] for k in kept),
        shifts=tuple(
            replace(first_shift[parameter, kept[row]], component=row, up=up, down=down)
            for (parameter, row), (up, down) in shifts.items()
        ),
    )
    rows = np.cumsum(merged.is_signal) - 1
    shape = np.zeros((int(merged.is_signal.sum()), len(batch)))
    for k in np.flatnonzero(model.is_signal).tolist():
        shape[rows[target[k]]] += batch.shape[place[k]]
    new = SignalBatch(CompiledLikelihood(merged), shape, batch.events, batch.keys, batch.auxiliary)
    return new, np.array([counts[list(group)].sum() for group in groups])
