"""Mediators by name: the built-in ones, and those of other installed packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from na64.models.errors import InputError, unknown_name
from na64.models.mediators.alp import alp
from na64.models.mediators.gauge_bosons import (
    b_minus_l,
    b_minus_l_heavy_neutrinos,
    b_minus_l_left_handed,
    l_mu_l_tau,
)
from na64.models.mediators.mesons import invisible_mesons
from na64.models.mediators.protocol import Mediator
from na64.models.mediators.spin_two import spin_two
from na64.models.mediators.spin_zero import pseudoscalar, scalar
from na64.models.mediators.vectors import axial, dark_photon, vector

__all__ = ["BUILT_IN", "ENTRY_POINT_GROUP", "available_mediators", "entry_point_of", "mediator"]

#: group under which another package registers a function that returns its mediator
ENTRY_POINT_GROUP: Final = "na64.mediators"

#: the project's own mediators
BUILT_IN: Final[Mapping[str, Callable[[], Mediator]]] = {
    "dark-photon": dark_photon,
    "b-minus-l": b_minus_l,
    "b-minus-l-left-handed": b_minus_l_left_handed,
    "b-minus-l-heavy-neutrinos": b_minus_l_heavy_neutrinos,
    "l-mu-l-tau": l_mu_l_tau,
    "vector": vector,
    "axial": axial,
    "scalar": scalar,
    "pseudoscalar": pseudoscalar,
    "alp": alp,
    "spin-2": spin_two,
    "invisible-meson": invisible_mesons,
}


def available_mediators() -> tuple[str, ...]:
    """Return the names of all mediators, built in and installed, sorted."""
    installed = entry_points(group=ENTRY_POINT_GROUP).names
    return tuple(sorted({*BUILT_IN, *installed}))


def entry_point_of(name: str) -> EntryPoint | None:
    """Return the entry point of another package's mediator of a name, if one is installed."""
    return next(iter(entry_points(group=ENTRY_POINT_GROUP, name=name)), None)


def mediator(name: str) -> Mediator:
    """Return a mediator by name.

    Built-in names win; installed packages are only looked at for other names.

    Raises
    ------
    InputError
        For a name that nobody provides, or an installed object that is no mediator or has
        another name.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    found = entry_point_of(name)
    if found is None:
        raise unknown_name("model", name, available_mediators())
    made = found.load()()
    if not isinstance(made, Mediator):
        raise InputError(
            f"entry point '{found.value}' for the model '{name}' does not return a mediator"
        )
    if made.name != name:
        raise InputError(
            f"entry point '{found.value}' for the model '{name}' returns one named '{made.name}': "
            "the two names must be the same"
        )
    return made
