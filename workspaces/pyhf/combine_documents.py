"""Combination of pyhf workspaces as JSON, of this project or of any other origin."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from na64.models.errors import InputError
from na64.workspaces.io import jsonio
from na64.workspaces.pyhf.combine import check_parts, nuisance_renamer
from na64.workspaces.pyhf.write import SignalPoint, parse_measurement

__all__ = ["combine_workspaces"]

#: modifiers whose data are events, and scale with the sample
_EVENTS: Final = ("histosys", "shapesys", "staterror")


def combine_workspaces(
    parts: Mapping[str, Mapping[str, Any]], *, shared: Collection[str] = ()
) -> dict[str, object]:
    """Return one workspace with the channels of several and one signal strength.

    The first measurement of each part counts. If the measurements name a mass and a coupling, as
    those of this project do, they must agree in the mass, and the signals are scaled to the
    smallest coupling of all parts, so that mu is one strength; otherwise mu is taken to mean
    the same in all parts.

    Parameters
    ----------
    parts
        Valid pyhf workspaces by the name of the part, two or more. Channels are called
        ``part:channel`` afterwards.
    shared
        Parameters that are one in all parts that have them; every other one but the parameter
        of interest becomes ``part:parameter``.

    Raises
    ------
    InputError
        For a shared parameter that fewer than two parts have, different masses, couplings
        or parameters of interest, or a ``lumi`` that is not shared (pyhf fixes its name).
    """
    check_parts(parts)
    for part, spec in parts.items():
        if not spec.get("measurements"):
            raise InputError(f"workspace {part} has no measurement")
    pois = {part: spec["measurements"][0]["config"]["poi"] for part, spec in parts.items()}
    poi = next(iter(pois.values()))
    if set(pois.values()) != {poi}:
        listed = ", ".join(f"{part}: {name}" for part, name in pois.items())
        raise InputError(f"the parts have different parameters of interest ({listed})")
    rename = _renamer(parts, poi, shared)
    scales, measurement = _scales(parts)
    document = {
        "version": "1.0.0",
        "channels": [
            _channel(channel, part, poi, scales[part], rename)
            for part, spec in parts.items()
            for channel in spec["channels"]
        ],
        "observations": [
            {"name": f"{part}:{item['name']}", "data": item["data"]}
            for part, spec in parts.items()
            for item in spec["observations"]
        ],
        "measurements": [
            {
                "name": measurement,
                "config": {"poi": poi, "parameters": _parameters(parts, poi, rename)},
            }
        ],
    }
    result = jsonio.plain(document)
    if not isinstance(result, dict):  # for the type checker: plain keeps a mapping a dict
        raise TypeError("a document is a mapping")
    return result


def _renamer(
    parts: Mapping[str, Mapping[str, Any]], poi: str, shared: Collection[str]
) -> Callable[[str, str], str]:
    names = {
        part: {
            modifier["name"]
            for channel in spec["channels"]
            for sample in channel["samples"]
            for modifier in sample["modifiers"]
        }
        - {poi}
        for part, spec in parts.items()
    }
    with_lumi = [part for part, found in names.items() if "lumi" in found]
    if len(with_lumi) > 1 and "lumi" not in shared:
        raise InputError(
            f"lumi is in {', '.join(with_lumi)}; pyhf has one lumi only, so it must be shared"
        )
    inner = nuisance_renamer(names, shared)

    def rename(part: str, name: str) -> str:
        return name if name in (poi, "lumi") else inner(part, name)

    return rename


def _scales(parts: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, float], str]:
    """Return the factor of each part's signal and the name of the common measurement."""
    names = {part: str(spec["measurements"][0]["name"]) for part, spec in parts.items()}
    points = {part: parse_measurement(name) for part, name in names.items()}
    known = {part: point for part, point in points.items() if point is not None}
    if not known:
        return dict.fromkeys(parts, 1.0), "combination"
    missing = [part for part in parts if part not in known]
    if missing:
        raise InputError(
            f"workspace {missing[0]} does not say at which mass and coupling mu is 1, as "
            f"{next(iter(known))} does ('{names[next(iter(known))]}')"
        )
    # The smallest coupling is that of the strongest part: no signal is above one event then.
    first_name, first = min(known.items(), key=lambda item: item[1].coupling)
    # with one projection among the parts there is nothing to observe yet
    common = replace(first, projection=any(point.projection for point in known.values()))
    scales = {part: _scale(first_name, first, part, point) for part, point in known.items()}
    return scales, names[first_name] if common == first else common.measurement


def _scale(first_name: str, first: SignalPoint, name: str, point: SignalPoint) -> float:
    for label, mine, other in (
        ("masses", first.mass_gev, point.mass_gev),
        ("couplings", first.parameter, point.parameter),
        ("powers of the coupling", first.power, point.power),
    ):
        if mine != other:
            raise InputError(f"{first_name} and {name} have different {label}: {mine} and {other}")
    if first.power is not None:
        return float((first.coupling / point.coupling) ** first.power)
    if first.coupling != point.coupling:
        raise InputError(
            f"{first_name} and {name} have different couplings, {first.coupling:g} and "
            f"{point.coupling:g}, and their signals are no powers of it"
        )
    return 1.0


def _channel(
    channel: Mapping[str, Any],
    part: str,
    poi: str,
    scale: float,
    rename: Callable[[str, str], str],
) -> dict[str, object]:
    samples = []
    for sample in channel["samples"]:
        new = copy.deepcopy(dict(sample))
        if scale != 1.0 and any(modifier["name"] == poi for modifier in new["modifiers"]):
            new["data"] = [scale * number for number in new["data"]]
            for modifier in new["modifiers"]:
                if modifier["type"] in _EVENTS:
                    modifier["data"] = _scaled(modifier["data"], scale)
        for modifier in new["modifiers"]:
            modifier["name"] = rename(part, modifier["name"])
        samples.append(new)
    return {"name": f"{part}:{channel['name']}", "samples": samples}


def _scaled(data: object, scale: float) -> object:
    if isinstance(data, dict):
        return {key: _scaled(value, scale) for key, value in data.items()}
    if isinstance(data, list):
        return [scale * number for number in data]
    return data


def _parameters(
    parts: Mapping[str, Mapping[str, Any]], poi: str, rename: Callable[[str, str], str]
) -> list[dict[str, Any]]:
    """Return the settings of all parameters; the widest bounds for the parameter of interest."""
    merged: dict[str, dict[str, Any]] = {}
    for part, spec in parts.items():
        for item in spec["measurements"][0]["config"]["parameters"]:
            name = rename(part, item["name"])
            new = copy.deepcopy(dict(item)) | {"name": name}
            old = merged.setdefault(name, new)
            if name == poi and "bounds" in old and "bounds" in new:
                low = min(old["bounds"][0][0], new["bounds"][0][0])
                high = max(old["bounds"][0][1], new["bounds"][0][1])
                old["bounds"] = [[low, high]]
            elif old != new and name != poi:
                raise InputError(f"shared parameter '{name}' is set differently in {part}")
    return list(merged.values())
