"""What of a workspace is read, and what is refused with which words."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pyhf
import pytest

from na64.limits.calculators.limits import cls_values, upper_limits
from na64.limits.calculators.registry import Asymptotic, Exact
from na64.limits.calculators.table import ClsTable
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.likelihood.counts import whole_counts
from na64.models.errors import InputError

Workspace = dict[str, Any]
MU = {"name": "mu", "type": "normfactor", "data": None}


def _workspace(
    channels: dict[str, dict[str, tuple[list[float], list[dict[str, Any]]]]],
    observed: dict[str, list[float]],
    parameters: list[dict[str, Any]] | None = None,
    poi: str = "mu",
) -> Workspace:
    return {
        "channels": [
            {
                "name": channel,
                "samples": [
                    {"name": sample, "data": data, "modifiers": modifiers}
                    for sample, (data, modifiers) in samples.items()
                ],
            }
            for channel, samples in channels.items()
        ],
        "observations": [{"name": name, "data": data} for name, data in observed.items()],
        "measurements": [{"name": "m", "config": {"poi": poi, "parameters": parameters or []}}],
        "version": "1.0.0",
    }


def _modifier(kind: str, name: str, data: Any = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "data": data}


def _one_bin(*modifiers: dict[str, Any], **changes: Any) -> Workspace:
    return _workspace(
        {"c": {"signal": ([2.0], [MU]), "background": ([9.0], list(modifiers))}},
        {"c": [8.0]},
        **changes,
    )


def bands(table: ClsTable) -> np.ndarray:
    """Return the five expected CLs of one mass."""
    assert table.expected is not None
    return np.ravel(table.expected)


def _pyhf_cls(workspace: Workspace, mu: float) -> tuple[float, np.ndarray]:
    spec = pyhf.Workspace(workspace)
    model = spec.model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        observed, expected = pyhf.infer.hypotest(
            mu, spec.data(model), model, return_expected_set=True
        )
    return float(observed), np.array([float(e) for e in expected])


# -- observed counts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "meant"),
    [
        (9.99999994e-09, 0.0),
        (-1e-12, 0.0),
        (2.9999999999, 3.0),
        (2.999995, 2.999995),
        (3.0000009, 3.0),
        (0.5, 0.5),
        (20300.001, 20300.0),  # single precision has steps of 0.002 there
        (20300.02, 20300.02),
        (5.0e6 + 0.3, 5.0e6 + 0.3),  # a fraction, though 1e-7 of the count
    ],
)
def test_counts_that_a_file_rounded(published, meant):
    assert whole_counts([published])[0] == meant


def test_rounded_counts_are_exact_counts(counting):
    """The exact calculator takes them, from the workspace and as an argument."""
    whole = counting(observed=(0, 1, 0))
    published = counting(observed=(9.99999994e-09, 0.9999999999, -1e-13))
    limits = [upper_limits(compile_workspace(w).batch()) for w in (whole, published)]
    np.testing.assert_array_equal(limits[0].observed, limits[1].observed)
    batch = compile_workspace(counting()).batch()
    given = upper_limits(batch, counts=[1e-9, 1.0000000001, 0.0])
    np.testing.assert_array_equal(given.observed, limits[0].observed)
    fraction = compile_workspace(counting(observed=(0.3, 0.0, 0.0))).batch()
    assert upper_limits(fraction, calculator=Asymptotic()).status[0].value == "ok"
    with pytest.raises(InputError, match="not whole numbers"):
        upper_limits(fraction, calculator=Exact())
    with pytest.raises(InputError, match=r"observed count -0\.001"):
        compile_workspace(counting(observed=(-0.001, 0.0, 0.0)))


# -- free factors per bin --------------------------------------------------------------------


def _control_region(free: list[dict[str, Any]], other: list[dict[str, Any]]) -> Workspace:
    """Return a signal region whose background is measured bin by bin in a control region."""
    return _workspace(
        {
            "signal_region": {"signal": ([6.0, 3.0], [MU]), "background": ([20.0, 12.0], free)},
            "control": {"background": ([100.0, 60.0], other)},
        },
        {"signal_region": [23.0, 11.0], "control": [104.0, 57.0]},
    )


@pytest.mark.parametrize("mu", [0.5, 1.5])
def test_shapefactor_is_pyhfs(mu):
    shared = [_modifier("shapefactor", "shape")]
    workspace = _control_region(shared, shared)
    found = cls_values(
        compile_workspace(workspace).batch(), mu, calculator=Asymptotic(), expected=True
    )
    observed, expected = _pyhf_cls(workspace, mu)
    assert found.observed[0] == pytest.approx(observed, rel=1e-3)
    np.testing.assert_allclose(bands(found), expected, rtol=1e-3)


def test_shapefactor_is_a_normfactor_per_bin():
    """Bins as channels with normfactors give the same limits, to the rounding."""
    shared = [_modifier("shapefactor", "shape")]
    together = _control_region(shared, shared)
    channels, observed = {}, {}
    for i in range(2):
        own = [_modifier("normfactor", f"shape_{i}")]
        for channel in together["channels"]:
            name = f"{channel['name']}_{i}"
            channels[name] = {
                sample["name"]: (
                    [sample["data"][i]],
                    own if sample["name"] == "background" else [MU],
                )
                for sample in channel["samples"]
            }
        for entry in together["observations"]:
            observed[f"{entry['name']}_{i}"] = [entry["data"][i]]
    apart = _workspace(channels, observed)
    limits = [
        upper_limits(compile_workspace(w, validate=False).batch(), calculator=Asymptotic())
        for w in (together, apart)
    ]
    np.testing.assert_allclose(limits[0].observed, limits[1].observed, rtol=1e-5)
    np.testing.assert_allclose(limits[0].expected, limits[1].expected, rtol=1e-5)


def test_shapefactor_of_channels_of_different_length():
    """Element i is bin i of all channels; pyhf agrees where the first channel is the longest."""
    shared = [_modifier("shapefactor", "shape")]
    workspace = _workspace(
        {
            "region": {"signal": ([2.0], [MU]), "background": ([20.0], shared)},
            "control": {"background": ([50.0, 40.0, 30.0], shared)},
        },
        {"region": [18.0], "control": [54.0, 37.0, 30.0]},
    )
    likelihood = compile_workspace(workspace)
    assert likelihood.parameter_names == ("shape[0]", "shape[1]", "shape[2]")
    model = pyhf.Workspace(workspace).model()
    evaluator = likelihood.fitter.problem(False).evaluator
    theta = np.array([[1.2], [0.7], [1.1]])
    signal = likelihood.batch().shape
    rates = evaluator.rates(theta, np.array([2.6]), signal)[:, 0]
    x = [1.3 if name == "mu" else theta[int(name[6]), 0] for name in model.config.par_names]
    # pyhf sorts channels by their names
    np.testing.assert_allclose(np.roll(rates, -1), model.expected_actualdata(x), rtol=1e-12)


# -- the parameter of interest ---------------------------------------------------------------


def _several_kinds() -> Workspace:
    """Return mu on a signal with uncertainties of its own, and on a background in one channel."""
    histosys = {"hi_data": [4.5, 2.2], "lo_data": [3.4, 1.7]}
    return _workspace(
        {
            "a": {
                "signal": (
                    [4.0, 2.0],
                    [MU, _modifier("normsys", "n", {"hi": 1.1, "lo": 0.92})],
                ),
                "other": (
                    [10.0, 8.0],
                    [_modifier("staterror", "mc", [0.8, 0.7]), _modifier("shapefactor", "s")],
                ),
                "interference": (
                    [1.0, -0.5],
                    [
                        MU,
                        _modifier(
                            "histosys", "h", {"hi_data": [1.2, -0.4], "lo_data": [0.9, -0.6]}
                        ),
                        _modifier("staterror", "mc", [0.1, 0.1]),
                    ],
                ),
            },
            "b": {
                "signal": ([4.0, 2.0], [_modifier("histosys", "h", histosys)]),
                "other": ([50.0, 40.0], [_modifier("shapefactor", "s"), MU]),
            },
        },
        {"a": [12.0, 9.0], "b": [52.0, 44.0]},
    )


def test_parameter_of_interest_on_several_kinds_of_samples():
    """Only where a sample carries mu is it signal."""
    workspace = _several_kinds()
    likelihood = compile_workspace(workspace)
    assert likelihood.signal_names == ("signal", "interference", "other")
    model = likelihood.model
    counted: list[list[int]] = [[], []]
    for component, b in enumerate(model.component_bin.tolist()):
        counted[int(model.is_signal[component])].append(b)
    assert [sorted(set(bins)) for bins in counted] == [[0, 1, 2, 3], [0, 1, 2, 3]]
    for mu in (0.4, 1.3):
        found = cls_values(likelihood.batch(), mu, calculator=Asymptotic(), expected=True)
        observed, expected = _pyhf_cls(workspace, mu)
        assert found.observed[0] == pytest.approx(observed, rel=2e-3)
        np.testing.assert_allclose(bands(found), expected, rtol=2e-3)


def test_what_the_measurement_says_of_mu_does_not_matter(counting):
    """The strength is counted in events from zero up; start, bounds and a hold are pyhf's."""
    plain = upper_limits(compile_workspace(counting()).batch())
    for entry in (
        {"name": "mu", "inits": [0.0], "bounds": [[-5.0, 1.5]]},
        {"name": "mu", "inits": [7.0], "bounds": [[5.0, 8.0]], "fixed": True},
    ):
        spec = counting()
        spec["measurements"][0]["config"]["parameters"] = [entry]
        np.testing.assert_array_equal(
            upper_limits(compile_workspace(spec).batch()).observed, plain.observed
        )
    spec["measurements"][0]["config"]["parameters"] = [{"name": "mu", "auxdata": [1.0]}]
    with pytest.raises(InputError, match=r"modifier 'mu': 'auxdata'.*allowed: inits, bounds"):
        compile_workspace(spec)


def test_a_shapefactor_of_one_bin_is_a_strength():
    workspace = _workspace(
        {"c": {"s": ([2.0], [_modifier("shapefactor", "mu")]), "b": ([9.0], [])}}, {"c": [8.0]}
    )
    wanted = upper_limits(compile_workspace(_one_bin()).batch(), calculator=Asymptotic())
    found = upper_limits(compile_workspace(workspace).batch(), calculator=Asymptotic())
    np.testing.assert_array_equal(found.observed, wanted.observed)


@pytest.mark.parametrize(
    ("modifier", "kind"),
    [
        (_modifier("normsys", "x", {"hi": 1.1, "lo": 0.9}), "normsys or histosys"),
        (_modifier("histosys", "x", {"hi_data": [9.5], "lo_data": [8.0]}), "normsys or histosys"),
        (_modifier("staterror", "x", [0.5]), "staterror"),
        (_modifier("shapesys", "x", [0.5]), "shapesys"),
    ],
)
def test_a_nuisance_parameter_has_no_limit(modifier, kind):
    """pyhf takes these as well; there is no hypothesis without a signal to compare with."""
    message = rf"sample 'background', modifier 'x': the parameter of interest is a {kind}, a nuis"
    with pytest.raises(InputError, match=message):
        compile_workspace(_one_bin(modifier, poi="x"))


def test_a_shapefactor_of_several_bins_is_no_one_parameter():
    workspace = _control_region([_modifier("shapefactor", "x")], [])
    workspace["measurements"][0]["config"]["poi"] = "x"
    with pytest.raises(InputError, match="a shapefactor of 2 parameters; a limit is on one"):
        compile_workspace(workspace)


# -- what is missing or does not fit ---------------------------------------------------------

LUMI = _modifier("lumi", "lumi")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "'auxdata' and 'sigmas'"),
        ({"sigmas": [0.02], "inits": [1.0]}, "'auxdata'"),
        ({"auxdata": [1.0]}, "'sigmas'"),
    ],
)
def test_lumi_says_what_is_missing_and_how_it_is_written(given, missing):
    workspace = _one_bin(LUMI, parameters=[{"name": "lumi", **given}])
    message = (
        rf"channel 'c', sample 'background', modifier 'lumi': a lumi needs {missing} in the "
        r"'parameters' of measurement 'm'.*\"auxdata\": \[1.0\], \"sigmas\": \[0.02\]"
    )
    with pytest.raises(InputError, match=message):
        compile_workspace(workspace)


def test_lumi_without_start_and_bounds():
    """These two have an obvious value; pyhf needs them too."""
    short = _one_bin(LUMI, parameters=[{"name": "lumi", "auxdata": [1.0], "sigmas": [0.02]}])
    full = copy.deepcopy(short)
    full["measurements"][0]["config"]["parameters"][0].update(inits=[1.0], bounds=[[0.0, 10.0]])
    limits = [upper_limits(compile_workspace(w).batch()).observed for w in (short, full)]
    np.testing.assert_array_equal(limits[0], limits[1])


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("2.0.0", r"is of version '2\.0\.0' of the specification; pyhf 0\.7\.\d+ reads 1\.0\.0"),
        (1.0, r"is of version 1\.0 of"),
        (None, "names no version of the specification"),
    ],
)
def test_versions_are_those_of_pyhf(version, message):
    workspace = _one_bin()
    workspace["version"] = version
    if version is None:
        del workspace["version"]
    with pytest.raises(InputError, match=message):
        compile_workspace(workspace)


def _with(name: str, **entry: Any) -> list[dict[str, Any]]:
    return [{"name": name, **entry}]


NORMSYS = _modifier("normsys", "n", {"hi": 1.1, "lo": 0.9})
SHAPE = _modifier("shapesys", "s", [1.0])


@pytest.mark.parametrize(
    ("modifier", "parameters", "message"),
    [
        (NORMSYS, _with("n", inits=[0.0, 0.0]), "'inits' in the parameters of measurement 'm' has"),
        (NORMSYS, _with("n", factors=[2.0]), "'factors' .* allowed: inits, .*, sigmas"),
        (SHAPE, _with("s", sigmas=[2.0]), "'sigmas' .* allowed: inits, .*, factors"),
        (SHAPE, _with("s", auxdata=[-2.0]), "its auxiliary count -2.0 is negative"),
        (SHAPE, _with("s", factors=[0.0]), "the width 0.0 of its constraint"),
        (SHAPE, _with("s", bounds=[[0.0, 1.0, 2.0]]), "must be two numbers, the lower one first"),
        (NORMSYS, _with("n", inits=[3.0], bounds=[[-1.0, 1.0]]), r"3.0 is outside \[-1.0, 1.0\]"),
        (_modifier("shapesys", "s", [-1.0]), [], "uncertainty -1.0 is not allowed"),
        (_modifier("shapesys", "s[0]", [1.0]), [], None),
    ],
)
def test_configurations_that_do_not_fit(modifier, parameters, message):
    workspace = _one_bin(modifier, parameters=parameters)
    if message is None:
        workspace["channels"][0]["samples"][0]["modifiers"].append(
            _modifier("normfactor", "s[0][0]")
        )
        message = r"its parameter 's\[0\]\[0\]' is also a modifier's name"
    with pytest.raises(InputError, match=message):
        compile_workspace(workspace)


def test_a_shapesys_is_of_one_sample():
    workspace = _one_bin(SHAPE)
    workspace["channels"][0]["samples"][0]["modifiers"].append(SHAPE)
    with pytest.raises(InputError, match=r"'s': a shapesys cannot be shared.*sample 'signal'"):
        compile_workspace(workspace)


def test_a_staterror_of_several_channels_has_the_same_samples():
    """As pyhf asserts; it has a parameter per bin of all of them."""
    mc = _modifier("staterror", "mc", [0.5])
    channels = {
        "b": {"signal": ([2.0], [MU]), "one": ([4.0], [mc]), "two": ([4.0], [mc])},
        "a": {"one": ([9.0], [mc]), "two": ([9.0], [mc])},
    }
    workspace = _workspace(channels, {"a": [17.0], "b": [9.0]})
    likelihood = compile_workspace(workspace)
    widths = {p.name: p.width for p in likelihood.model.parameters}
    root = np.sqrt(0.5)
    assert widths == {"mc[0]": pytest.approx(root / 18.0), "mc[1]": pytest.approx(root / 8.0)}
    channels["a"]["two"] = ([9.0], [])
    workspace = _workspace(channels, {"a": [17.0], "b": [9.0]})
    with pytest.raises(InputError, match=r"sample 'two'.*does not have it in channel 'a'"):
        compile_workspace(workspace)


def test_bins_without_uncertainty_keep_their_factor():
    """A staterror of no total, a shapesys of no uncertainty, a histosys that moves nothing."""
    zero = {"hi_data": [0.0, 9.5], "lo_data": [0.0, 8.0]}
    workspace = _workspace(
        {
            "c": {
                "signal": ([2.0, 1.0], [MU]),
                "empty": ([0.0, 3.0], [_modifier("staterror", "mc", [0.5, 0.2])]),
                "background": ([9.0, 8.0], [_modifier("shapesys", "s", [0.0, 1.0])]),
                "shifted": ([0.0, 9.0], [_modifier("histosys", "h", zero)]),
            }
        },
        {"c": [9.0, 18.0]},
    )
    likelihood = compile_workspace(workspace)
    assert likelihood.parameter_names == ("mc[1]", "s[1]", "h")
    assert [s.component for s in likelihood.model.shifts] == [
        k
        for k, b in enumerate(likelihood.model.component_bin.tolist())
        if b == 1 and likelihood.model.nominal[k] == 9.0
    ]
    found = cls_values(likelihood.batch(), 1.0, calculator=Asymptotic(), expected=True)
    observed, _ = _pyhf_cls(workspace, 1.0)
    assert found.observed[0] == pytest.approx(observed, rel=1e-3)


@pytest.mark.parametrize("correlated", [False, True])
def test_models_of_pyhfs_own_tutorial(correlated):
    """Signal and background in two bins, the background's uncertainty apart or together."""
    if correlated:
        model = pyhf.simplemodels.correlated_background(
            signal=[11.0, 9.0], bkg=[48.0, 55.0], bkg_up=[52.0, 58.0], bkg_down=[46.0, 51.0]
        )
    else:
        model = pyhf.simplemodels.uncorrelated_background(
            signal=[11.0, 9.0], bkg=[48.0, 55.0], bkg_uncertainty=[4.0, 6.0]
        )
    spec = pyhf.Workspace.build(model, [51.0, 53.0, *model.config.auxdata])
    found = cls_values(
        compile_workspace(dict(spec)).batch(), 1.0, calculator=Asymptotic(), expected=True
    )
    observed, expected = _pyhf_cls(dict(spec), 1.0)
    assert found.observed[0] == pytest.approx(observed, rel=1e-3)
    np.testing.assert_allclose(bands(found), expected, rtol=1e-3)
