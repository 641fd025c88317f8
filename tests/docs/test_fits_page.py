"""docs/fits.md names what there is."""

from __future__ import annotations

import re

from tests.shared import ROOT

PAGE = (ROOT / "docs" / "fits.md").read_text(encoding="utf-8")


def test_the_states_of_parameters_are_those_of_the_code() -> None:
    from na64.limits.inference import result as fit

    named = set(re.findall(r"`([a-z-]+)`", PAGE.split("## Ranking")[0].split("| state |")[1]))
    states = {fit.OK, fit.FIXED, fit.LOWER, fit.UPPER, fit.UNDETERMINED}
    assert states <= named
