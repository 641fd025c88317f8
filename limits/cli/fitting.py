"""What the commands that fit a workspace share: its options, and the data that are fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from na64.limits.cli.options import measurement_option

if TYPE_CHECKING:
    from na64.limits.inference.data import Data
    from na64.limits.inference.result import FitResult
    from na64.limits.likelihood.compiled import CompiledLikelihood, SignalBatch

__all__ = ["FitQuestion", "asimov_options", "fit_options", "parameter_rows", "read_fit_question"]

_mu = click.option(
    "--mu", metavar="MU", type=float, help="Hold the signal strength.  [default: it is fitted]"
)
_asimov = click.option(
    "--asimov",
    metavar="MU",
    type=float,
    help="Fit the expected data of this signal strength instead of the observed ones.",
)
_nuisances = click.option(
    "--nuisances",
    metavar="NAME",
    default="nominal",
    show_default=True,
    help="Nuisance parameters of expected data: nominal, or fitted to the observed ones.",
)


def asimov_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--measurement``, ``--asimov`` and ``--nuisances``."""
    return measurement_option(_asimov(_nuisances(function)))


def fit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--measurement``, ``--mu``, ``--asimov`` and ``--nuisances``."""
    return _mu(asimov_options(function))


@dataclass(frozen=True, slots=True)
class FitQuestion:
    """A workspace and the data to fit."""

    document: dict[str, Any]
    compiled: CompiledLikelihood
    batch: SignalBatch
    data: Data
    #: of the document
    digest: str

    @property
    def facts(self) -> dict[str, str]:
        """What the provenance of the answer says."""
        return {"workspace_digest": self.digest}

    def head(self, schema: str, fit: FitResult) -> dict[str, Any]:
        """Return what every answer begins with."""
        from na64.limits.cli.output import nulls

        return {
            "schema": f"na64-limits/{schema}/1",
            "measurement": self.compiled.model.measurement,
            "parameter": self.compiled.poi,
            "data": self.data.described(),
            "mu": fit.mu,
            "mu_error": nulls(fit.mu_error),
            "mu_state": fit.states[-1],
        }


def read_fit_question(
    file: str, measurement: str | None, asimov: float | None, nuisances: str
) -> FitQuestion:
    """Read a workspace and make the data.

    Raises
    ------
    InputError
        For what is no workspace, data that are not allowed, and nuisance parameters of Asimov data
        where these are not asked for.
    """
    from na64.limits.cli.inputs import read_workspace
    from na64.limits.inference.data import NUISANCES, asimov_data, observed_data
    from na64.models.errors import InputError
    from na64.workspaces.io.jsonio import digest

    if asimov is None and nuisances != NUISANCES[0]:
        raise InputError("--nuisances are those of expected data: give --asimov with it")
    document, compiled = read_workspace(file, measurement)
    batch = compiled.batch()
    data = observed_data(batch) if asimov is None else asimov_data(batch, asimov, nuisances)
    return FitQuestion(document, compiled, batch, data, digest(document))


def parameter_rows(fit: FitResult, order: Sequence[int]) -> list[dict[str, Any]]:
    """Return what documents say of parameters, one object each."""
    from na64.limits.cli.output import nulls

    columns: dict[str, Any] = {
        "value": fit.values,
        "error": fit.errors,
        "pre_fit": fit.centres,
        "pre_fit_error": fit.widths,
        "pull": fit.pulls,
        "constraint": fit.constraints,
    }
    if fit.lower_errors is not None and fit.upper_errors is not None:
        columns |= {"lower_error": fit.lower_errors, "upper_error": fit.upper_errors}
    plain = {key: nulls(values) for key, values in columns.items()}
    return [
        {
            "name": fit.names[p],
            "state": fit.states[p],
            **{key: values[p] for key, values in plain.items()},
        }
        for p in order
    ]
