"""Optional dependencies: imported where they are used, and named with their extra if missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from na64.models.errors import InputError

__all__ = ["need"]


def need(module: str, *, extra: str, purpose: str = "") -> ModuleType:
    """Return a module that only an extra of the distribution installs.

    Parameters
    ----------
    module
        Its full name, ``"bokeh.embed"``.
    extra
        The extra of the distribution that has it, ``"web"``.
    purpose
        For what it is needed, in front of the message: ``"figures as HTML"``.

    Returns
    -------
    types.ModuleType
        The module itself, not the package at its top.

    Raises
    ------
    InputError
        If the package is not installed: one line that says which extra has it. What else fails
        within an installed package is not hidden.

    Examples
    --------
    >>> need("json.decoder", extra="web").__name__
    'json.decoder'
    >>> need("no_such_package", extra="web", purpose="figures as HTML")
    Traceback (most recent call last):
        ...
    na64.models.errors.InputError: figures as HTML: needs no_such_package, which is not installed: \
pip install 'na64-limits[web]'
    """
    top = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        said = f"{purpose}: needs" if purpose else "needs"
        raise InputError(
            f"{said} {top}, which is not installed: pip install 'na64-limits[{extra}]'"
        ) from error
