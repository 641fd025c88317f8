"""Workspaces with parts left out or renamed, as pyhf's ``prune`` and ``rename`` make them.

A workspace here is a document that is valid by pyhf's schema; the result is a new one.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from na64.models.errors import InputError, unknown_name

__all__ = ["effect_sizes", "prune", "rename", "workspace_names"]

Document = dict[str, Any]

#: modifiers whose effect on the rates of a sample at one standard deviation is in the workspace
_SIZED: Final = ("normsys", "histosys")


def workspace_names(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a workspace holds, by kind, each name once and in the order of the document.

    Returns
    -------
    dict
        Names by ``channel``, ``sample``, ``modifier``, ``modifier type`` and ``measurement``.
    """
    samples = [sample for channel in document["channels"] for sample in channel["samples"]]
    modifiers = [modifier for sample in samples for modifier in sample["modifiers"]]
    every: dict[str, Iterable[str]] = {
        "channel": (channel["name"] for channel in document["channels"]),
        "sample": (sample["name"] for sample in samples),
        "modifier": (modifier["name"] for modifier in modifiers),
        "modifier type": (modifier["type"] for modifier in modifiers),
        "measurement": (measurement["name"] for measurement in document["measurements"]),
    }
    return {kind: list(dict.fromkeys(names)) for kind, names in every.items()}


def prune(
    document: Mapping[str, Any],
    *,
    channels: Collection[str] = (),
    samples: Collection[str] = (),
    modifiers: Collection[str] = (),
    modifier_types: Collection[str] = (),
    measurements: Collection[str] = (),
) -> Document:
    """Return a workspace without some of its parts.

    Parameters
    ----------
    document
        The workspace.
    channels
        Names of channels, which go with their observations.
    samples
        Names of samples, in every channel.
    modifiers
        Names of modifiers, on every sample, which go with their settings in the measurements.
    modifier_types
        Types of modifiers, such as ``staterror``; what measurements say of them stays.
    measurements
        Names of measurements.

    Raises
    ------
    InputError
        For a name that the workspace does not have, and where no channel, no measurement or, in
        a channel, no sample would be left.
    """
    _check_known(
        document,
        {
            "channel": channels,
            "sample": samples,
            "modifier": modifiers,
            "modifier type": modifier_types,
            "measurement": measurements,
        },
    )
    result = copy.deepcopy(dict(document))
    result["channels"] = _without(result["channels"], channels)
    result["observations"] = _without(result["observations"], channels)
    result["measurements"] = _without(result["measurements"], measurements)
    for kind in ("channel", "measurement"):
        if not result[f"{kind}s"]:
            raise InputError(f"no {kind} would be left of the workspace")
    for channel in result["channels"]:
        channel["samples"] = _without(channel["samples"], samples)
        if not channel["samples"]:
            raise InputError(
                f"no sample would be left in channel '{channel['name']}'; the channel has to go "
                "as well"
            )
        for sample in channel["samples"]:
            sample["modifiers"] = [
                modifier
                for modifier in _without(sample["modifiers"], modifiers)
                if modifier["type"] not in modifier_types
            ]
    for measurement in result["measurements"]:
        config = measurement["config"]
        config["parameters"] = _without(config["parameters"], modifiers)
    return result


def rename(
    document: Mapping[str, Any],
    *,
    channels: Mapping[str, str] | None = None,
    samples: Mapping[str, str] | None = None,
    modifiers: Mapping[str, str] | None = None,
    measurements: Mapping[str, str] | None = None,
) -> Document:
    """Return a workspace with other names.

    Parameters
    ----------
    document
        The workspace.
    channels, samples, modifiers, measurements
        New names by old ones; all take effect at once, so that two names can be exchanged. The
        observation of a channel, and the parameter of a modifier in the measurements, are renamed
        with it. A modifier that takes the name of another becomes one parameter with it: the
        two are fully correlated.

    Raises
    ------
    InputError
        For a name that the workspace does not have, an empty new one, and one that would make two
        channels, measurements, samples of a channel, modifiers of one type on a sample, or settings
        of a parameter have the same name.
    """
    new = {
        "channel": channels or {},
        "sample": samples or {},
        "modifier": modifiers or {},
        "measurement": measurements or {},
    }
    _check_known(document, new)
    for kind, names in new.items():
        for old, name in names.items():
            if not name:
                raise InputError(f"the new name of {kind} '{old}' is empty")
    result = copy.deepcopy(dict(document))
    for kind in ("channel", "measurement"):
        _rename(result[f"{kind}s"], new[kind])
        _check_single(f"{kind}s", [item["name"] for item in result[f"{kind}s"]])
    _rename(result["observations"], new["channel"])
    for channel in result["channels"]:
        within = f"in channel '{channel['name']}'"
        _rename(channel["samples"], new["sample"])
        _check_single(f"samples {within}", [item["name"] for item in channel["samples"]])
        for sample in channel["samples"]:
            _rename(sample["modifiers"], new["modifier"])
            _check_single(
                f"modifiers {within}, sample '{sample['name']}'",
                [f"{item['name']} ({item['type']})" for item in sample["modifiers"]],
            )
    for measurement in result["measurements"]:
        config = measurement["config"]
        config["poi"] = new["modifier"].get(config["poi"], config["poi"])
        _rename(config["parameters"], new["modifier"])
        _check_single(
            f"settings of parameters in measurement '{measurement['name']}'",
            [item["name"] for item in config["parameters"]],
        )
    return result


def effect_sizes(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest effect of each modifier on any sample.

    The size of a modifier is the largest relative change, up or down at one standard deviation, of
    the rate of any sample in any bin of any channel: max(|hi - 1|, |lo - 1|) of a normsys,
    max |hi_i - n_i|/n_i and the same of lo of a histosys with rates n_i. It is infinite where a bin
    without events gets some. Where rates are not negative, the relative change of their sum over
    samples is not larger.

    Returns
    -------
    dict
        Sizes by name, not negative, in the order of the document. Names that any sample uses for
        another type of modifier (free factors, statistics of the simulation, luminosity) are left
        out: they have no such size.
    """
    sizes: dict[str, float] = {}
    for channel in document["channels"]:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                size = _size(modifier, sample["data"])
                sizes[modifier["name"]] = max(sizes.get(modifier["name"], 0.0), size)
    others = {
        modifier["name"]
        for channel in document["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
        if modifier["type"] not in _SIZED
    }
    return {name: size for name, size in sizes.items() if name not in others}


def _size(modifier: Mapping[str, Any], rates: list[float]) -> float:
    """Size of one modifier on one sample; what has no size counts as nothing here."""
    data = modifier["data"]
    if modifier["type"] == "normsys":
        return float(max(abs(data["hi"] - 1.0), abs(data["lo"] - 1.0)))
    if modifier["type"] != "histosys":
        return 0.0
    changes = [
        (abs(varied - rate), abs(rate))
        for side in ("hi_data", "lo_data")
        for varied, rate in zip(data[side], rates, strict=False)
    ]
    return max(
        (change / rate if rate else math.inf if change else 0.0 for change, rate in changes),
        default=0.0,
    )


def _check_known(document: Mapping[str, Any], wanted: Mapping[str, Iterable[str]]) -> None:
    """Refuse names that the workspace does not have."""
    names = workspace_names(document)
    for kind, some in wanted.items():
        for name in some:
            if name not in names[kind]:
                raise unknown_name(kind, name, names[kind])


def _without(items: list[Document], names: Collection[str]) -> list[Document]:
    return [item for item in items if item["name"] not in names]


def _rename(items: Iterable[Document], names: Mapping[str, str]) -> None:
    for item in items:
        item["name"] = names.get(item["name"], item["name"])


def _check_single(what: str, names: list[str]) -> None:
    """Refuse a name that is there twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"two {what} would have the name '{twice[0]}'")
