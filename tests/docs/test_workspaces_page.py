"""docs/workspaces.md names what there is."""

from __future__ import annotations

import re

from na64.limits.likelihood.modifiers import MODIFIERS
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "workspaces.md").read_text(encoding="utf-8")


def test_every_modifier_is_in_the_table() -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)) == sorted(MODIFIERS)
