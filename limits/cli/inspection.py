"""What ``na64-limits workspace inspect`` says of a workspace or a patchset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["patchset_summary", "workspace_summary"]


def workspace_summary(document: Mapping[str, Any], where: str) -> tuple[dict[str, Any], str]:
    """Return what a workspace holds, for JSON and for people.

    Parameters
    ----------
    document
        The workspace, valid by pyhf's schema, with or without signal.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For what cannot be compiled.
    """
    from na64.limits.cli.editing import background_likelihood, has_signal
    from na64.models.errors import InputError
    from na64.workspaces.io.jsonio import digest
    from na64.workspaces.pyhf.write import pyhf_digest

    try:
        compiled = background_likelihood(document)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    observations = {item["name"]: item["data"] for item in document["observations"]}
    summary: dict[str, Any] = {
        "channels": [
            {
                "name": channel["name"],
                "observed": observations[channel["name"]],
                "samples": [_sample(sample) for sample in channel["samples"]],
            }
            for channel in document["channels"]
        ],
        "measurements": [item["name"] for item in document["measurements"]],
        "poi": compiled.poi,
        "signal_samples": list(compiled.signal_names) if has_signal(document) else [],
        "nuisances": list(compiled.parameter_names),
        "digest": digest(document),
        "pyhf_digest": pyhf_digest(document),
    }
    return summary, _workspace_text(summary)


def patchset_summary(document: object, where: str) -> tuple[dict[str, Any], str]:
    """Return what a patchset holds, for JSON and for people.

    Parameters
    ----------
    document
        What the file holds.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        For what is no patchset.
    """
    from na64.limits.results.tables import Table
    from na64.workspaces.pyhf.patchsets import read_patchset

    patchset = read_patchset(document, where)
    summary: dict[str, Any] = {
        "description": patchset.description,
        "references": patchset.references,
        "labels": patchset.labels,
        "digests": patchset.digests,
        "patches": [
            {
                "name": patch.name,
                "values": patch.values,
                "operations": len(patch.operations),
                "channels": patch.channels,
            }
            for patch in patchset.patches
        ],
    }
    rows = [
        (patch["name"], *patch["values"], patch["operations"], len(patch["channels"]))
        for patch in summary["patches"]
    ]
    archives = ", ".join(f"{name} {number}" for name, number in patchset.references.items())
    lines = [
        Table(("patch", *patchset.labels, "operations", "channels"), rows).text(),
        f"\npatches      {len(patchset)}",
        f"description  {' '.join(patchset.description.split())}",
        f"reference    {archives}",
        *(f"{f'{name} of':12} background {value}" for name, value in patchset.digests.items()),
    ]
    return summary, "\n".join(lines)


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": sample["name"],
        "events": sample["data"],
        "modifiers": [f"{item['name']} ({item['type']})" for item in sample["modifiers"]],
    }


def _workspace_text(summary: Mapping[str, Any]) -> str:
    from na64.limits.results.tables import Table
    from na64.workspaces.pyhf.write import parse_measurement

    rows = [
        (
            channel["name"],
            " ".join(f"{count:g}" for count in channel["observed"]),
            sample["name"],
            " ".join(f"{count:.4g}" for count in sample["events"]),
            ", ".join(sample["modifiers"]),
        )
        for channel in summary["channels"]
        for sample in channel["samples"]
    ]
    lines = [Table(("channel", "observed", "sample", "events", "modifiers"), rows).text()]
    for name in summary["measurements"]:
        lines.append(f"\nmeasurement  {name}")
        point = parse_measurement(name)
        if point is not None:
            lines.append(
                f"             mu = 1 is {point.parameter} = {point.coupling:.4g} at a mass of "
                f"{point.mass_gev:.6g} GeV"
            )
            if point.projection:
                words = "a projection: medians of the background stand in for what is observed"
                lines.append(f"             {words}")
    carriers = ", ".join(summary["signal_samples"]) or "no sample: the background only"
    lines += [
        f"parameter    {summary['poi']}, on {carriers}",
        f"nuisances    {', '.join(summary['nuisances']) or 'none'}",
        f"digest       {summary['digest']}",
        f"pyhf digest  {summary['pyhf_digest']}",
    ]
    return "\n".join(lines)
