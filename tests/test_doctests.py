"""Every example in a docstring of the project runs, imported by its installed name."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest


def modules() -> Iterator[str]:
    for top in ("na64.models", "na64.workspaces", "na64.limits"):
        package = importlib.import_module(top)
        yield top
        for found in pkgutil.walk_packages(package.__path__, prefix=f"{top}."):
            if not found.name.endswith(".__main__"):
                yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    outcome = doctest.testmod(
        module,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
        raise_on_error=False,
    )
    assert outcome.failed == 0
