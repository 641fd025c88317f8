"""Reading a pyhf workspace: from JSON to the tables of a `WorkspaceModel`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from na64.limits.likelihood.interpolation import (
    HISTOSYS_CODES,
    NORMSYS_CODES,
    factor_at,
    shift_at,
)
from na64.limits.likelihood.model import Response, Shift, WorkspaceModel
from na64.limits.likelihood.modifiers import (
    ABSOLUTE_MODIFIERS,
    BINNED_MODIFIERS,
    MODIFIERS,
    Addition,
    Factor,
    Parameters,
    Place,
    check_length,
)
from na64.models.errors import InputError, unknown_name

__all__ = ["read_workspace"]


def read_workspace(
    spec: Mapping[str, Any],
    measurement: str | None = None,
    *,
    normsys_code: str = "code4",
    histosys_code: str = "code4p",
    merge: bool = True,
) -> WorkspaceModel:
    """Resolve one measurement of a workspace.

    Parameters
    ----------
    spec
        The workspace, valid by pyhf's schema.
    measurement
        Name of the measurement; the first one by default.
    normsys_code, histosys_code
        Interpolation codes; pyhf's defaults are code4 and code4p.
    merge
        Whether samples of one bin with the same factors are one component, which is all that
        a likelihood needs.

    Returns
    -------
    WorkspaceModel

    Raises
    ------
    InputError
        If something in the workspace cannot be used; channel, sample and modifier are named.
    """
    if normsys_code not in NORMSYS_CODES:
        raise unknown_name("normsys interpolation", normsys_code, NORMSYS_CODES)
    if histosys_code not in HISTOSYS_CODES:
        raise unknown_name("histosys interpolation", histosys_code, HISTOSYS_CODES)
    return _Reader(spec, measurement, normsys_code, histosys_code, merge).read()


class _Reader:
    """State of one reading; every method adds to the tables."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        measurement: str | None,
        normsys: str,
        histosys: str,
        merge: bool,
    ) -> None:
        self.spec = spec
        self.merge = merge
        self.codes = (normsys, histosys)
        self.measurement = _pick_measurement(spec, measurement)
        config = self.measurement["config"]
        self.poi = str(config.get("poi", ""))
        name = self.measurement["name"]
        if not self.poi:
            raise InputError(f"measurement '{name}' has no parameter of interest")
        configured: dict[str, Mapping[str, Any]] = {}
        for entry in config.get("parameters", ()):
            if entry["name"] in configured:
                raise InputError(
                    f"measurement '{name}': parameter '{entry['name']}' is configured twice"
                )
            configured[entry["name"]] = entry
        self.parameters = Parameters(configured)
        self.kinds: dict[str, tuple[str, int]] = {}
        self.responses: dict[Response, int] = {}
        self.bins: list[tuple[str, int]] = []
        self.signal_samples: list[str] = []
        self.component_bin: list[int] = []
        self.component_sample: list[int] = []
        self.sample_names: list[str] = []
        self.nominal: list[float] = []
        self.fixed_factor: list[float] = []
        self.factors: list[tuple[int, ...]] = []
        self.shifts: list[Shift] = []
        self.rigid: list[tuple[str, str]] = []

    # -- the whole -------------------------------------------------------------------------

    def read(self) -> WorkspaceModel:
        observed = self._observations()
        self._check_names()
        staterror_widths = self._staterror_widths()
        for channel in self.spec["channels"]:
            first_bin = len(self.bins)
            n_bins = len(observed[channel["name"]])
            self.bins += [(channel["name"], i) for i in range(n_bins)]
            for sample in channel["samples"]:
                self._read_sample(channel["name"], sample, first_bin, n_bins, staterror_widths)
        if not self.signal_samples:
            raise InputError(
                f"no sample carries the parameter of interest '{self.poi}' as a normfactor"
            )
        return self._assemble(
            np.array([c for ch in self.spec["channels"] for c in observed[ch["name"]]], float)
        )

    def _assemble(self, observed: Any) -> WorkspaceModel:
        """Drop what nothing depends on and number the rest."""
        shifted = {shift.component for shift in self.shifts}
        kept = [
            k
            for k in range(len(self.nominal))
            if self.nominal[k] > 0.0 or self.component_sample[k] >= 0 or k in shifted
        ]
        # components of one bin with the same factors and no shifts act as one
        merged: dict[object, int] = {}
        new_component: dict[int, int] = {}
        for k in kept:
            key = (
                k
                if k in shifted or not self.merge
                else (self.component_bin[k], self.component_sample[k] >= 0, self.factors[k])
            )
            new_component[k] = merged.setdefault(key, len(merged))
        first: dict[int, int] = {}
        nominal = np.zeros(len(merged))
        for k in kept:
            first.setdefault(new_component[k], k)
            nominal[new_component[k]] += self.nominal[k]
        heads = [first[i] for i in range(len(merged))]
        cells = [k for k in kept if self.component_sample[k] >= 0]
        responses = list(self.responses)
        used = sorted({r for k in kept for r in self.factors[k]})
        new_response = {r: i for i, r in enumerate(used)}
        live = sorted(
            {responses[r].parameter for r in used} | {shift.parameter for shift in self.shifts}
        )
        new_parameter = {p: i for i, p in enumerate(live)}
        return WorkspaceModel(
            measurement=self.measurement["name"],
            poi=self.poi,
            bins=tuple(self.bins),
            observed=observed,
            parameters=tuple(self.parameters.moving[p] for p in live),
            signal_samples=tuple(self.signal_samples),
            component_bin=np.array([self.component_bin[k] for k in heads], dtype=np.intp),
            is_signal=np.array([self.component_sample[k] >= 0 for k in heads], dtype=bool),
            nominal=nominal,
            cell_sample=np.array([self.component_sample[k] for k in cells], dtype=np.intp),
            cell_bin=np.array([self.component_bin[k] for k in cells], dtype=np.intp),
            cell_component=np.array([new_component[k] for k in cells], dtype=np.intp),
            cell_factor=np.array([self.fixed_factor[k] for k in cells], dtype=np.float64),
            responses=tuple(
                Response(new_parameter[responses[r].parameter], responses[r].hi, responses[r].lo)
                for r in used
            ),
            factors=tuple(tuple(new_response[r] for r in self.factors[k]) for k in heads),
            shifts=tuple(
                Shift(new_parameter[s.parameter], new_component[s.component], s.up, s.down)
                for s in self.shifts
            ),
            sample_names=tuple(self.sample_names[k] for k in heads),
            rigid_signals=tuple(self.rigid),
            normsys_code=self.codes[0],
            histosys_code=self.codes[1],
        )

    # -- checks of the whole ---------------------------------------------------------------

    def _observations(self) -> dict[str, Sequence[float]]:
        observations: dict[str, Sequence[float]] = {}
        for entry in self.spec["observations"]:
            observations[entry["name"]] = entry["data"]
        seen: set[str] = set()
        for channel in self.spec["channels"]:
            name = channel["name"]
            if name in seen:
                raise InputError(f"channel '{name}' is there twice")
            seen.add(name)
            if name not in observations:
                raise InputError(f"channel '{name}' has no observation")
            n_bins = len(observations[name])
            for sample in channel["samples"]:
                if len(sample["data"]) != n_bins:
                    raise InputError(
                        f"channel '{name}', sample '{sample['name']}': {len(sample['data'])} "
                        f"rates for {n_bins} observed counts"
                    )
            for count in observations[name]:
                if not (math.isfinite(count) and count >= 0.0):
                    raise InputError(f"channel '{name}': observed count {count} is not allowed")
        return observations

    def _check_names(self) -> None:
        """Refuse one name in the roles of different parameters, as pyhf does."""
        for channel in self.spec["channels"]:
            names = [sample["name"] for sample in channel["samples"]]
            if len(set(names)) < len(names):
                raise InputError(f"channel '{channel['name']}': a sample name is there twice")
            for sample in channel["samples"]:
                where = _where(channel["name"], sample["name"])
                seen: set[tuple[str, str]] = set()
                for modifier in sample["modifiers"]:
                    kind, name = modifier["type"], modifier["name"]
                    if kind not in MODIFIERS:
                        raise InputError(
                            f"{where}, modifier '{name}': type '{kind}' is not supported; "
                            f"supported: {', '.join(MODIFIERS)}"
                        )
                    if (kind, name) in seen:
                        raise InputError(f"{where}, modifier '{name}': {kind} is there twice")
                    seen.add((kind, name))
                    role = "alpha" if kind in ("normsys", "histosys") else kind
                    size = len(sample["data"]) if kind in BINNED_MODIFIERS else 1
                    known = self.kinds.setdefault(name, (role, size))
                    if known != (role, size):
                        raise InputError(
                            f"{where}, modifier '{name}': the name is already used by a "
                            f"modifier of another type or length"
                        )

    def _staterror_widths(self) -> dict[str, list[float]]:
        """Relative uncertainty per bin of every staterror, over all samples that share it."""
        squares: dict[str, list[float]] = {}
        totals: dict[str, list[float]] = {}
        channels: dict[str, str] = {}
        for channel in self.spec["channels"]:
            for sample in channel["samples"]:
                for modifier in sample["modifiers"]:
                    if modifier["type"] != "staterror":
                        continue
                    name, n_bins = modifier["name"], len(sample["data"])
                    where = f"{_where(channel['name'], sample['name'])}, modifier '{name}'"
                    check_length(where, modifier["data"], n_bins)
                    if channels.setdefault(name, channel["name"]) != channel["name"]:
                        raise InputError(
                            f"{where}: a staterror belongs to one channel, this one is also in "
                            f"'{channels[name]}'"
                        )
                    sums = squares.setdefault(name, [0.0] * n_bins)
                    total = totals.setdefault(name, [0.0] * n_bins)
                    for i in range(n_bins):
                        sums[i] += float(modifier["data"][i]) ** 2
                        total[i] += float(sample["data"][i])
        return {
            name: [
                math.sqrt(square) / total if total > 0.0 else 0.0
                for square, total in zip(squares[name], totals[name], strict=True)
            ]
            for name in squares
        }

    # -- one sample in one channel -----------------------------------------------------------

    def _read_sample(
        self,
        channel: str,
        sample: Mapping[str, Any],
        first_bin: int,
        n_bins: int,
        staterror_widths: Mapping[str, Sequence[float]],
    ) -> None:
        where = _where(channel, sample["name"])
        rates = [float(rate) for rate in sample["data"]]
        for rate in rates:
            if not (math.isfinite(rate) and rate >= 0.0):
                raise InputError(f"{where}: rate {rate} is not allowed")
        signal = any(
            m["type"] == "normfactor" and m["name"] == self.poi for m in sample["modifiers"]
        )
        if signal and sample["name"] not in self.signal_samples:
            self.signal_samples.append(sample["name"])
        first = len(self.nominal)
        self.component_bin += range(first_bin, first_bin + n_bins)
        self.component_sample += [
            self.signal_samples.index(sample["name"]) if signal else -1
        ] * n_bins
        self.sample_names += [sample["name"]] * n_bins
        self.nominal += rates
        factors: list[list[int]] = [[] for _ in range(n_bins)]
        scale = [1.0] * n_bins
        for modifier in sample["modifiers"]:
            kind, name = modifier["type"], modifier["name"]
            if kind == "normfactor" and name == self.poi:
                continue
            if signal and kind in ABSOLUTE_MODIFIERS:
                self.rigid.append((sample["name"], name))
            here = f"{where}, modifier '{name}'"
            place = Place(here, rates, self.parameters, staterror_widths)
            for i, effect in enumerate(MODIFIERS[kind](place, modifier)):
                if isinstance(effect, Addition):
                    self._add(effect, first + i)
                elif isinstance(effect, Factor):
                    scale[i] *= self._multiply(effect, factors[i])
        for i in range(n_bins):
            self.nominal[first + i] *= scale[i]
            self.fixed_factor.append(scale[i])
            self.factors.append(tuple(sorted(factors[i])))
        if any(value != 1.0 for value in scale):
            self.shifts = [
                s
                if s.component < first
                else Shift(
                    s.parameter,
                    s.component,
                    s.up * scale[s.component - first],
                    s.down * scale[s.component - first],
                )
                for s in self.shifts
            ]

    def _add(self, effect: Addition, component: int) -> None:
        """Shift a component, once and for all if the parameter does not move."""
        if effect.element in self.parameters.fixed:
            value = self.parameters.fixed[effect.element]
            self.nominal[component] += shift_at(value, effect.up, effect.down, self.codes[1])
        elif effect.up != 0.0 or effect.down != 0.0:
            parameter = self.parameters.index[effect.element]
            self.shifts.append(Shift(parameter, component, effect.up, effect.down))

    def _multiply(self, effect: Factor, factors: list[int]) -> float:
        """Add a response to the factors; return the factor of a parameter that does not move."""
        if effect.element not in self.parameters.fixed:
            response = Response(self.parameters.index[effect.element], effect.hi, effect.lo)
            factors.append(self.responses.setdefault(response, len(self.responses)))
            return 1.0
        value = self.parameters.fixed[effect.element]
        return factor_at(value, effect.hi, effect.lo, self.codes[0])


def _where(channel: str, sample: str) -> str:
    return f"channel '{channel}', sample '{sample}'"


def _pick_measurement(spec: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    measurements: dict[str, Mapping[str, Any]] = {m["name"]: m for m in spec["measurements"]}
    if not measurements:
        raise InputError("the workspace has no measurement")
    if name is None:
        return next(iter(measurements.values()))
    if name not in measurements:
        raise unknown_name("measurement", name, measurements)
    return measurements[name]
