"""pyhf workspaces of a template: one of a signal, or the background with a patch per mass.

The JSON follows pyhf's schema 1.0.0. Signal samples carry the normfactor ``mu``, the parameter of
interest. Relative uncertainties u are normsys modifiers with hi = 1 + u and lo = 1/(1 + u).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64.models.errors import InputError
from na64.models.signals.rates import SignalRates
from na64.workspaces.io import jsonio
from na64.workspaces.pyhf.modifiers import POI, background_samples, signal_samples
from na64.workspaces.pyhf.template import Template, TemplateBin

__all__ = [
    "POI",
    "SignalPoint",
    "background_workspace",
    "is_projection",
    "parse_measurement",
    "patchset",
    "pyhf_digest",
    "signal_workspace",
    "workspace",
]

Array = NDArray[np.float64]

_VERSION: Final = "1.0.0"
_BACKGROUND_ONLY: Final = "background-only"
#: last word of the name of a measurement that has no data
_PROJECTION: Final = "projection"
#: pyhf's patchset schema demands an INSPIRE number; this one says that there is none
_NO_HEPDATA: Final = "ins0000000"


@dataclass(frozen=True, slots=True)
class SignalPoint:
    """What mu = 1 means in a workspace.

    Attributes
    ----------
    mass_gev
        Mass of the mediator.
    parameter
        Name of the coupling.
    coupling
        Coupling at mu = 1.
    power
        Signal events are proportional to coupling^power; None where they are not, and mu then
        scales the events at ``coupling`` only.
    projection
        Whether the observations are medians of the background that stand in for data.
    """

    mass_gev: float
    parameter: str
    coupling: float
    power: float | None
    projection: bool = False

    def coupling_at(self, mu: float) -> float:
        """Return the coupling of a signal strength: coupling * mu^(1/power).

        Raises
        ------
        InputError
            Where the signal is no power of the coupling.
        """
        if self.power is None:
            raise InputError(
                f"the signal is no power of {self.parameter}: mu does not give a coupling"
            )
        return float(self.coupling * mu ** (1.0 / self.power))

    @property
    def measurement(self) -> str:
        """Name of the measurement, from which `parse_measurement` reads the point again."""
        name = f"mass_gev={self.mass_gev:.12g} {self.parameter}={self.coupling:.12g}"
        name += "" if self.power is None else f" power={self.power:g}"
        return f"{name} {_PROJECTION}" if self.projection else name


def parse_measurement(name: str) -> SignalPoint | None:
    """Return the signal point of a measurement's name; None for a name of another origin."""
    number = r"[0-9.eE+-]+"
    match = re.fullmatch(
        rf"mass_gev=({number}) (\S+?)=({number})(?: power=({number}))?( {_PROJECTION})?", name
    )
    if match is None:
        return None
    try:
        return SignalPoint(
            float(match[1]),
            match[2],
            float(match[3]),
            None if match[4] is None else float(match[4]),
            match[5] is not None,
        )
    except ValueError:
        return None


def is_projection(measurement: str) -> bool:
    """Tell whether a measurement's name says that its observations stand in for data to come."""
    point = parse_measurement(measurement)
    return point is not None and point.projection


def workspace(
    template: Template,
    signals: ArrayLike,
    processes: Sequence[str],
    *,
    measurement: str = "measurement",
) -> dict[str, object]:
    """Return the pyhf workspace with the given signal at mu = 1.

    Parameters
    ----------
    template
        Bins, backgrounds, nuisances.
    signals
        Accepted events, shape (P, B): process, bin; finite and not negative.
    processes
        Names of the P processes; their samples are called ``signal_<process>``.
    measurement
        Name of the measurement.

    Raises
    ------
    InputError
        For a shape that does not fit, or negative signals.
    """
    events = np.asarray(signals, float)
    shape = (len(processes), len(template.bins))
    if events.shape != shape:
        raise InputError(f"signals have shape {events.shape}, expected (processes, bins) {shape}")
    if not (np.all(np.isfinite(events)) and np.all(events >= 0.0)):
        raise InputError("signals must be finite and not negative")
    channels: list[dict[str, object]] = [
        {
            "name": name,
            "samples": [
                *signal_samples(bins, events[:, places], processes),
                *background_samples(bins),
            ],
        }
        for name, places, bins in _channels(template)
    ]
    return _document(template, channels, measurement)


def background_workspace(template: Template) -> dict[str, object]:
    """Return the workspace without signal, to which `patchset` adds one."""
    channels: list[dict[str, object]] = [
        {"name": name, "samples": background_samples(bins)} for name, _, bins in _channels(template)
    ]
    return _document(template, channels, _BACKGROUND_ONLY)


def signal_workspace(
    template: Template, rates: SignalRates, mass_index: int, coupling_index: int = 0
) -> tuple[dict[str, object], SignalPoint]:
    """Return the workspace of one mass and the meaning of its mu.

    Where the signal is a power of the coupling it is scaled so that mu = 1 is one event in all
    bins together, and the reference coupling with it; a limit on mu is then of order one. Where
    it is not, mu = 1 is the signal at the coupling of the rates.

    Parameters
    ----------
    template
        Bins, backgrounds, nuisances.
    rates
        Events per particle on target.
    mass_index, coupling_index
        Which mass and coupling of the rates.

    Raises
    ------
    InputError
        Where no signal is expected: its strength then has no meaning.
    """
    all_events = template.signal_events(rates)
    events = all_events[mass_index, coupling_index]
    point, events = _scaled(template, rates, events, mass_index, coupling_index)
    template = template.at_mass(rates, mass_index, all_events)
    return workspace(template, events, rates.processes, measurement=point.measurement), point


def patchset(
    template: Template, rates: SignalRates, *, inspire: int | None = None
) -> dict[str, object]:
    """Return a pyhf patchset with one patch for each mass and coupling with a signal.

    Applied to `background_workspace`, a patch gives the same workspace as `signal_workspace`.

    Parameters
    ----------
    template
        Bins, backgrounds, nuisances.
    rates
        Events per particle on target.
    inspire
        Number in INSPIRE of the paper that it belongs to, which is that of its HEPData record;
        None if there is none yet.

    Raises
    ------
    InputError
        If no mass has a signal, or for a number that has more than seven digits or is not positive.
    """
    if inspire is not None and not 0 < inspire < 10**7:
        raise InputError(f"a number in INSPIRE has at most seven digits, is {inspire}")
    all_events = template.signal_events(rates)
    patches = []
    for mass, coupling in np.ndindex(all_events.shape[:2]):
        if not np.any(all_events[mass, coupling] > 0.0):
            continue
        point, events = _scaled(template, rates, all_events[mass, coupling], mass, coupling)
        patches.append(
            {
                "metadata": {
                    "name": f"mass_{mass}_coupling_{coupling}",
                    "values": [point.mass_gev, point.coupling],
                },
                "patch": [
                    {
                        "op": "replace",
                        "path": "/measurements/0/name",
                        "value": point.measurement,
                    },
                    *_additions(template.at_mass(rates, mass, all_events), events, rates.processes),
                ],
            }
        )
    if not patches:
        raise InputError(f"no signal of {rates.mediator} at any mass: there is nothing to patch")
    document = {
        "version": _VERSION,
        "metadata": {
            "references": {"hepdata": _NO_HEPDATA if inspire is None else f"ins{inspire:07d}"},
            "digests": {"sha256": pyhf_digest(background_workspace(template))},
            "labels": ["mass_gev", re.sub(r"[^A-Za-z0-9_]", "_", rates.parameter)],
            "description": f"Signal of {rates.mediator} in {template.name}",
            "publications": list(template.references),
        },
        "patches": patches,
    }
    return cast(dict[str, object], jsonio.plain(document))


def pyhf_digest(document: object) -> str:
    """Return the sha256 by which pyhf's patchsets name a workspace."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _scaled(
    template: Template,
    rates: SignalRates,
    events: Array,
    mass_index: int,
    coupling_index: int,
) -> tuple[SignalPoint, Array]:
    mass = float(rates.masses_gev[mass_index])
    coupling = float(rates.couplings[coupling_index])
    total = float(events.sum())
    if total <= 0.0:
        raise InputError(
            f"{template.name} expects no signal of {rates.mediator} at a mass of {mass:.6g} GeV"
        )
    if rates.power is None:
        point = SignalPoint(mass, rates.parameter, coupling, None, template.projection)
        return point, events
    reference = coupling * math.exp(-math.log(total) / rates.power)
    point = SignalPoint(mass, rates.parameter, reference, rates.power, template.projection)
    return point, events / total


def _document(
    template: Template, channels: list[dict[str, object]], measurement: str
) -> dict[str, object]:
    # Wide enough for any limit on a total signal of one event at mu = 1.
    largest = template.most_events
    document = {
        "channels": channels,
        "observations": [
            {"name": name, "data": [item.observed for item in bins]}
            for name, _, bins in _channels(template)
        ],
        "measurements": [
            {
                "name": measurement,
                "config": {
                    "poi": POI,
                    "parameters": [{"name": POI, "inits": [1.0], "bounds": [[0.0, largest]]}],
                },
            }
        ],
        "version": _VERSION,
    }
    return cast(dict[str, object], jsonio.plain(document))


def _channels(template: Template) -> Iterator[tuple[str, list[int], list[TemplateBin]]]:
    """Yield name, places and bins of each channel."""
    for name, places in template.channels.items():
        yield name, list(places), [template.bins[place] for place in places]


def _additions(
    template: Template, events: ArrayLike, processes: Sequence[str]
) -> list[dict[str, object]]:
    columns = np.asarray(events, float)
    return [
        {"op": "add", "path": f"/channels/{index}/samples/{place}", "value": sample}
        for index, (_, places, bins) in enumerate(_channels(template))
        for place, sample in enumerate(signal_samples(bins, columns[:, places], processes))
    ]
