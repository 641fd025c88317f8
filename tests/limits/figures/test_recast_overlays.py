"""Overlays of other mediators are recast to that of the figure; bare tables have its axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from na64.limits.figures.overlays import Beside, default_overlays, things_beside
from na64.limits.planes.y import y_from_coupling
from na64.models.constants import ELEMENTARY_CHARGE
from na64.models.errors import InputError
from na64.workspaces.io.curves import load_curve
from tests.limits.figures.toys import DIRAC, card, toy


def test_a_dark_photon_in_a_figure_of_b_minus_l() -> None:
    babar = load_curve("babar-invisible")
    for sector, share in ((DIRAC, 1.0), (None, 0.75)):  # dark matter, or neutrinos alone
        limit = toy(model="b-minus-l", sector=sector)
        (drawn,) = things_beside([limit], Beside(overlays=("babar-invisible",)))
        at = float(np.exp(np.interp(np.log(0.1), np.log(drawn.x), np.log(drawn.y))))
        assert at == pytest.approx(
            ELEMENTARY_CHARGE * float(babar.at(0.1)) / np.sqrt(share), rel=1e-3
        )
        assert "recast" in drawn.label
    # in the figure of its own mediator it stays what it is
    (own,) = things_beside([toy()], Beside(overlays=("babar-invisible",)))
    assert own.y.tolist() == list(babar.y)
    assert "recast" not in own.label


def test_in_the_plane_of_y() -> None:
    limit = toy(model="b-minus-l").to_plane("y")
    (drawn,) = things_beside([limit], Beside(overlays=("babar-invisible",)))
    coupling = ELEMENTARY_CHARGE * float(load_curve("babar-invisible").at(0.3))
    at = float(np.exp(np.interp(np.log(0.1), np.log(drawn.x), np.log(drawn.y))))  # m_chi = M/3
    assert at == pytest.approx(float(y_from_coupling(coupling, DIRAC)), rel=1e-3)


def test_what_is_drawn_by_default_is_what_can_be_recast() -> None:
    # heavy neutrinos to light ones: a limit on the same coupling, with other branching ratios
    search = card(name="na64e-b-minus-l-2022")
    assert default_overlays(toy(cards=(search,), model="b-minus-l", sector=None)) == (
        "na64e-b-minus-l-2022",
    )
    assert default_overlays(toy(cards=(search,), model="scalar")) == ()
    with pytest.raises(InputError, match=r"recast to scalar: scalar is scalar, and rates are"):
        things_beside([toy(model="scalar")], Beside(overlays=("babar-invisible",)))


def test_tables_have_the_axes_of_the_figure(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("mass [MeV],g\n10,1e-4\n100,1e-3\n")
    for limit in (toy(), toy(model="b-minus-l"), toy().to_plane("y")):
        (drawn,) = things_beside([limit], Beside(overlays=(file,)))
        assert drawn.label == "mine"
        assert drawn.x.tolist() == pytest.approx([0.01, 0.1])
        assert drawn.y.tolist() == [1e-4, 1e-3]
