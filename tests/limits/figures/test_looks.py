"""Looks are told apart: by the colour-blind, in grey, and thermal targets from experiments."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from na64.limits.figures.colours import ink, lab, linear_rgb
from na64.limits.figures.drawn import Drawn, Kind, styled
from na64.limits.figures.style import (
    SCAN_COLOURS,
    SPECIES_COLOURS,
    THERMAL_DASHES,
    drawing_style,
)

#: deuteranopia of full strength in linear sRGB, Machado et al. (2009), table of matrices
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def looks(kind: Kind, count: int) -> list[Any]:
    points = np.array([1.0, 2.0])
    return [
        item.look for item in styled([Drawn(f"{n}", points, points, kind) for n in range(count)])
    ]


def seen(colour: str) -> Any:
    """Return CIELAB as deuteranopes see it."""
    return lab(np.clip(DEUTERANOPIA @ linear_rgb(colour), 0.0, 1.0))


def test_lightness_is_that_of_the_standard() -> None:
    """Known values of sRGB in CIELAB with D65: white, black, middle grey and pure red."""
    for colour, values in (
        ("#ffffff", (100.0, 0.0, 0.0)),
        ("#000000", (0.0, 0.0, 0.0)),
        ("#777777", (50.03, 0.0, 0.0)),
        ("#ff0000", (53.24, 80.09, 67.20)),
    ):
        np.testing.assert_allclose(lab(linear_rgb(colour)), values, atol=0.05)


def test_a_dozen_lines_are_all_different() -> None:
    found = looks(Kind.LINE, 12)
    assert len({(look.colour, look.dashes) for look in found}) == 12
    for one, other in itertools.pairwise(found):
        assert one.dashes != other.dashes
        # 2.3 is just noticeable; a print in grey has about ten steps
        assert abs(lab(linear_rgb(one.colour))[0] - lab(linear_rgb(other.colour))[0]) > 12.0
        assert np.linalg.norm(seen(one.colour) - seen(other.colour)) > 20.0
    for one, other in itertools.combinations(found, 2):
        close = np.linalg.norm(seen(one.colour) - seen(other.colour)) < 5.0
        assert not close or one.dashes != other.dashes


def test_a_dozen_limits_of_others_are_all_different() -> None:
    found = looks(Kind.LIMIT, 12)
    assert len({(look.shade, look.hatch) for look in found}) == 12
    for one, other in itertools.pairwise(found):
        grey = abs(lab(linear_rgb(one.shade))[0] - lab(linear_rgb(other.shade))[0])
        assert grey > 8.0
        assert np.linalg.norm(seen(one.shade) - seen(other.shade)) > 8.0
    for look in found:  # labels in the colour of the edge can be read on the shade
        assert lab(linear_rgb(look.shade))[0] - lab(linear_rgb(look.colour))[0] > 30.0


def test_no_experiment_has_the_dashes_of_a_thermal_target() -> None:
    experiments = {look.dashes for kind in Kind for look in looks(kind, 12) if kind != Kind.TARGET}
    assert not experiments & set(THERMAL_DASHES)
    # dots between dashes: more than two lengths, with a short one, of which no experiment has any
    assert all(len(pattern) >= 4 and min(pattern[::2]) <= 1.2 for _, pattern in THERMAL_DASHES)
    for look in experiments - {"-"}:
        pattern = look[1]
        assert len(pattern) == 2 or min(pattern[::2]) > 1.2


@pytest.mark.parametrize("kind", [Kind.LINE, Kind.LIMIT])
def test_on_a_dark_ground_lines_are_light_and_shades_dark(kind: Kind) -> None:
    with drawing_style("dark"):
        found = looks(kind, 12)
        assert ink("#000000") == "#ffffff"
    for look in found:
        assert lab(linear_rgb(look.colour))[0] > 60.0
        assert not look.shade or lab(linear_rgb(look.shade))[0] < 46.0
    assert ink("#000000") == "#000000"


def test_no_thermal_target_has_the_colour_of_a_limit_of_ours() -> None:
    """Dashes are not all: a dash-dotted line in the blue of a limit is taken for that limit's."""
    for target in SPECIES_COLOURS.values():
        for limit in SCAN_COLOURS:
            apart = lab(linear_rgb(target)) - lab(linear_rgb(limit))
            assert np.linalg.norm(apart) > 15.0
    for one, other in itertools.combinations(SPECIES_COLOURS.values(), 2):
        assert np.linalg.norm(lab(linear_rgb(one)) - lab(linear_rgb(other))) > 20.0
