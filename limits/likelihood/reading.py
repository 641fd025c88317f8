"""Reading a pyhf workspace: from JSON to the tables of a `WorkspaceModel`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from na64.limits.likelihood.interpolation import (
    HISTOSYS_CODES,
    NORMSYS_CODES,
    additive_shifts,
    code4_coefficients,
    multiplicative_factors,
)
from na64.limits.likelihood.model import (
    LOWEST_FACTOR,
    Constraint,
    Parameter,
    Response,
    Shift,
    WorkspaceModel,
)
from na64.models.errors import InputError, unknown_name

__all__ = ["KNOWN_MODIFIERS", "read_workspace"]

#: types of modifiers that can be compiled
KNOWN_MODIFIERS = ("normfactor", "normsys", "histosys", "lumi", "shapesys", "staterror")
#: pyhf's default bounds of Gaussian-constrained nuisance parameters, of gammas, of normfactors
_ALPHA_BOUNDS = (-5.0, 5.0)
_GAMMA_BOUNDS = (LOWEST_FACTOR, 10.0)
_NORMFACTOR_BOUNDS = (0.0, 10.0)
#: factor of a rate at one standard deviation beyond which fits only lose digits
_LARGEST_FACTOR = 1e10


def read_workspace(
    spec: Mapping[str, Any],
    measurement: str | None = None,
    *,
    normsys_code: str = "code4",
    histosys_code: str = "code4p",
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
    return _Reader(spec, measurement, normsys_code, histosys_code).read()


class _Reader:
    """State of one reading; every method adds to the tables."""

    def __init__(
        self, spec: Mapping[str, Any], measurement: str | None, normsys: str, histosys: str
    ) -> None:
        self.spec = spec
        self.codes = (normsys, histosys)
        self.measurement = _pick_measurement(spec, measurement)
        config = self.measurement["config"]
        self.poi = str(config.get("poi", ""))
        name = self.measurement["name"]
        if not self.poi:
            raise InputError(f"measurement '{name}' has no parameter of interest")
        self.config: dict[str, Mapping[str, Any]] = {}
        for entry in config.get("parameters", ()):
            if entry["name"] in self.config:
                raise InputError(
                    f"measurement '{name}': parameter '{entry['name']}' is configured twice"
                )
            self.config[entry["name"]] = entry
        self.parameters: list[Parameter] = []
        self.fixed: dict[str, float] = {}  # parameters that do not move, with their values
        self.index: dict[str, int] = {}
        self.kinds: dict[str, tuple[str, int]] = {}
        self.responses: dict[Response, int] = {}
        self.bins: list[tuple[str, int]] = []
        self.signal_samples: list[str] = []
        self.component_bin: list[int] = []
        self.component_sample: list[int] = []
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
                if k in shifted
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
            parameters=tuple(self.parameters[p] for p in live),
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
                    if kind not in KNOWN_MODIFIERS:
                        raise InputError(
                            f"{where}, modifier '{name}': type '{kind}' is not supported; "
                            f"supported: {', '.join(KNOWN_MODIFIERS)}"
                        )
                    if (kind, name) in seen:
                        raise InputError(f"{where}, modifier '{name}': {kind} is there twice")
                    seen.add((kind, name))
                    role = "alpha" if kind in ("normsys", "histosys") else kind
                    size = len(sample["data"]) if kind in ("shapesys", "staterror") else 1
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
                    _check_length(where, modifier["data"], n_bins)
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
        self.nominal += rates
        factors: list[list[int]] = [[] for _ in range(n_bins)]
        scale = [1.0] * n_bins
        for modifier in sample["modifiers"]:
            kind, name = modifier["type"], modifier["name"]
            here = f"{where}, modifier '{name}'"
            if kind == "normfactor" and name == self.poi:
                continue
            if signal and kind in ("shapesys", "staterror", "histosys"):
                self.rigid.append((sample["name"], name))
            if kind == "histosys":
                self._add_histosys(here, modifier, rates, first)
                continue
            elements = self._elements(here, modifier, rates, staterror_widths)
            if kind == "normsys":
                hi, lo = _factors(here, modifier)
            for i, element in enumerate(elements):
                if element is None:
                    continue
                if element in self.fixed:
                    value = self.fixed[element]
                    scale[i] *= self._normsys_at(value, hi, lo) if kind == "normsys" else value
                    continue
                response = (
                    Response(self.index[element], hi, lo)
                    if kind == "normsys"
                    else Response(self.index[element], None, None)
                )
                factors[i].append(self.responses.setdefault(response, len(self.responses)))
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

    def _add_histosys(
        self, here: str, modifier: Mapping[str, Any], rates: Sequence[float], first: int
    ) -> None:
        for side in ("hi_data", "lo_data"):
            _check_length(here, modifier["data"][side], len(rates))
        name = modifier["name"]
        self._define(here, name, name, Constraint.GAUSSIAN, 0.0, 1.0, _ALPHA_BOUNDS, 0)
        for i, rate in enumerate(rates):
            up = float(modifier["data"]["hi_data"][i]) - rate
            down = rate - float(modifier["data"]["lo_data"][i])
            if not (math.isfinite(up) and math.isfinite(down)):
                raise InputError(f"{here}: hi_data and lo_data must be finite")
            if name in self.fixed:
                self.nominal[first + i] += self._histosys_at(self.fixed[name], up, down)
            elif up != 0.0 or down != 0.0:
                self.shifts.append(Shift(self.index[name], first + i, up, down))

    def _elements(
        self,
        here: str,
        modifier: Mapping[str, Any],
        rates: Sequence[float],
        staterror_widths: Mapping[str, Sequence[float]],
    ) -> list[str | None]:
        """Define the modifier's parameters; return the one of each bin (None: no effect)."""
        kind, name, n_bins = modifier["type"], modifier["name"], len(rates)
        if kind == "normfactor":
            self._define(here, name, name, Constraint.FREE, 1.0, 0.0, _NORMFACTOR_BOUNDS, 0)
            return [name] * n_bins
        if kind == "normsys":
            self._define(here, name, name, Constraint.GAUSSIAN, 0.0, 1.0, _ALPHA_BOUNDS, 0)
            return [name] * n_bins
        if kind == "lumi":
            config = self.config.get(name, {})
            if not ("auxdata" in config and "sigmas" in config):
                raise InputError(
                    f"{here}: a lumi modifier needs 'auxdata' and 'sigmas' in the measurement's "
                    f"parameters"
                )
            value = float(config["auxdata"][0])
            self._define(here, name, name, Constraint.GAUSSIAN, value, 1.0, (0.0, 10.0 * value), 0)
            return [name] * n_bins
        _check_length(here, modifier["data"], n_bins)
        elements: list[str | None] = []
        for i, rate in enumerate(rates):
            uncertainty = float(modifier["data"][i])
            if not (math.isfinite(uncertainty) and uncertainty >= 0.0):
                raise InputError(f"{here}: uncertainty {uncertainty} is not allowed")
            element = f"{name}[{i}]"
            if kind == "shapesys":
                if not (rate > 0.0 and uncertainty > 0.0):
                    elements.append(None)  # pyhf fixes these to one
                    continue
                if element in self.index or element in self.fixed:
                    raise InputError(f"{here}: a shapesys cannot be shared between samples")
                tau = (rate / uncertainty) ** 2
                self._define(here, element, name, Constraint.POISSON, 1.0, tau, _GAMMA_BOUNDS, i)
            else:
                width = staterror_widths[name][i]
                if width == 0.0:
                    elements.append(None)  # pyhf fixes these to one
                    continue
                self._define(here, element, name, Constraint.GAUSSIAN, 1.0, width, _GAMMA_BOUNDS, i)
            elements.append(element)
        return elements

    # -- parameters --------------------------------------------------------------------------

    def _define(
        self,
        here: str,
        element: str,
        name: str,
        constraint: Constraint,
        centre: float,
        width: float,
        bounds: tuple[float, float],
        position: int,
    ) -> None:
        """Define a parameter once, with the measurement's configuration on top."""
        if element in self.index or element in self.fixed:
            return
        config = self.config.get(name, {})
        init = centre
        if constraint is Constraint.POISSON:
            width = float(_item(here, config, "factors", position, width))
            centre = float(_item(here, config, "auxdata", position, width))
            init = 1.0
        elif constraint is Constraint.GAUSSIAN:
            centre = float(_item(here, config, "auxdata", position, centre))
            width = float(_item(here, config, "sigmas", position, width))
            init = centre if "auxdata" in config and "inits" not in config else init
            if not (width > 0.0 and math.isfinite(width)):
                raise InputError(f"{here}: the width {width} of its constraint is not positive")
        init = float(_item(here, config, "inits", position, init))
        lower, upper = (float(x) for x in _item(here, config, "bounds", position, bounds))
        if not (lower <= init <= upper):
            raise InputError(f"{here}: initial value {init} is outside [{lower}, {upper}]")
        if config.get("fixed", False) or lower == upper:
            self.fixed[element] = init
            return
        if self.kinds[name][0] != "alpha":
            lower = max(lower, LOWEST_FACTOR)  # a factor is never negative
            init = max(init, lower)
        self.index[element] = len(self.parameters)
        self.parameters.append(
            Parameter(element, name, constraint, init, lower, upper, centre, width)
        )

    def _normsys_at(self, value: float, hi: float, lo: float) -> float:
        high, low = np.array([hi]), np.array([lo])
        coefficients = None
        if self.codes[0] == "code4":
            coefficients = code4_coefficients(high, low)[:, :, None]
        factor, _, _ = multiplicative_factors(
            np.array([[value]]), np.log(high)[:, None], np.log(low)[:, None], coefficients
        )
        return float(factor[0, 0])

    def _histosys_at(self, value: float, up: float, down: float) -> float:
        shift, _, _ = additive_shifts(
            np.array([[value]]), np.array([[up]]), np.array([[down]]), self.codes[1]
        )
        return float(shift[0, 0])


def _factors(where: str, normsys: Mapping[str, Any]) -> tuple[float, float]:
    """Return hi and lo of a normsys modifier."""
    hi, lo = (float(normsys["data"][side]) for side in ("hi", "lo"))
    if not (hi > 0.0 and lo > 0.0 and math.isfinite(hi) and math.isfinite(lo)):
        raise InputError(f"{where}: hi {hi} and lo {lo} must be positive")
    if max(hi, lo, 1.0 / hi, 1.0 / lo) > _LARGEST_FACTOR:
        raise InputError(
            f"{where}: hi {hi:g} and lo {lo:g} must be in {1.0 / _LARGEST_FACTOR:g}-"
            f"{_LARGEST_FACTOR:g}"
        )
    return hi, lo


def _where(channel: str, sample: str) -> str:
    return f"channel '{channel}', sample '{sample}'"


def _check_length(here: str, values: Sequence[float], n_bins: int) -> None:
    if len(values) != n_bins:
        raise InputError(f"{here}: {len(values)} values for {n_bins} bins")


def _item(here: str, config: Mapping[str, Any], key: str, position: int, default: Any) -> Any:
    """Return one element of a configured list, or the default."""
    if key not in config:
        return default
    values = config[key]
    if position >= len(values):
        raise InputError(f"{here}: '{key}' of its configuration has only {len(values)} values")
    return values[position]


def _pick_measurement(spec: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    measurements: dict[str, Mapping[str, Any]] = {m["name"]: m for m in spec["measurements"]}
    if not measurements:
        raise InputError("the workspace has no measurement")
    if name is None:
        return next(iter(measurements.values()))
    if name not in measurements:
        raise unknown_name("measurement", name, measurements)
    return measurements[name]
