"""Whatever pyhf reads is read as pyhf reads it: ln L at random points of random workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyhf
from hypothesis import given, settings
from hypothesis import strategies as st

from na64.limits.likelihood.compiled import CompiledLikelihood, compile_workspace
from na64.limits.likelihood.interpolation import HISTOSYS_CODES, NORMSYS_CODES

Workspace = dict[str, Any]
Generator = np.random.Generator


def _events(generator: Generator, bins: int) -> np.ndarray:
    return np.asarray(generator.uniform(0.5, 8.0, bins) * generator.choice([1.0, 30.0]))


def _modifiers(
    generator: Generator, channel: int, sample: str, rates: np.ndarray, *, statistics: str
) -> list[dict[str, Any]]:
    """Return modifiers of every type, names shared by chance; absolute ones on any rates."""
    bins, chance = len(rates), generator.random
    found: list[dict[str, Any]] = []
    if chance() < 0.6:
        hi, lo = generator.uniform(0.7, 1.5, 2).tolist()
        name = f"n{generator.integers(3)}"
        found.append({"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}})
    if chance() < 0.5:
        data = {
            key: (rates + generator.uniform(-0.2, 0.2, bins)).tolist()
            for key in ("hi_data", "lo_data")
        }
        name = f"n{generator.integers(3)}" if chance() < 0.5 else "h"
        found.append({"name": name, "type": "histosys", "data": data})
    if chance() < 0.4:
        own = np.abs(rates) * generator.uniform(0.05, 0.5, bins)
        own[generator.random(bins) < 0.2] = 0.0
        name = f"shape_{channel}_{sample}"
        found.append({"name": name, "type": "shapesys", "data": own.tolist()})
    if statistics:
        own = rates * generator.uniform(0.0, 0.3, bins)  # negative for negative rates
        own[generator.random(bins) < 0.2] = 0.0
        found.append({"name": statistics, "type": "staterror", "data": own.tolist()})
    if chance() < 0.3:
        found.append({"name": f"free{generator.integers(2)}", "type": "normfactor", "data": None})
    if chance() < 0.3:
        found.append({"name": f"factor_{bins}", "type": "shapefactor", "data": None})
    if chance() < 0.3:
        found.append({"name": "lumi", "type": "lumi", "data": None})
    return found


def _configuration(
    generator: Generator, name: str, kind: str, size: int, *, poi: bool
) -> dict[str, Any]:
    """Return what a measurement may say of a parameter."""
    chance, around = generator.random, 0.0 if kind in ("normsys", "histosys") else 1.0
    entry: dict[str, Any] = {"name": name}
    if chance() < 0.5:
        entry["inits"] = (around + generator.uniform(-0.3, 0.3, size)).tolist()
    if chance() < 0.5:
        entry["bounds"] = [[around - 0.9, around + 4.0]] * size
    if chance() < 0.3:  # pyhf takes an explicit false for bins without uncertainty as well
        entry["fixed"] = True
    if kind in ("normsys", "histosys", "staterror") and chance() < 0.5:
        entry["auxdata"] = (around + generator.uniform(-0.2, 0.2, size)).tolist()
    if kind == "staterror" and chance() < 0.5:
        entry["sigmas"] = generator.uniform(0.05, 0.4, size).tolist()
    if kind == "shapesys" and chance() < 0.5:
        entry["auxdata"] = generator.uniform(1.0, 30.0, size).tolist()
    if kind == "shapesys" and chance() < 0.5:
        entry["factors"] = generator.uniform(1.0, 30.0, size).tolist()
    return {"name": name} if poi and entry.get("fixed") else entry


def _anything(seed: int) -> Workspace:
    """Return a random workspace with every type of modifier, and two measurements of it."""
    generator = np.random.default_rng(seed)
    chance = generator.random
    everywhere = chance() < 0.4  # one staterror of all channels
    carriers = {sample: chance() < 0.5 for sample in ("signal", "b0", "b1", "negative")}
    channels: list[dict[str, Any]] = []
    observations: list[dict[str, Any]] = []
    for c in range(int(generator.integers(1, 4))):
        bins = int(generator.integers(1, 4))
        b0 = _events(generator, bins)
        rates = {
            "signal": generator.uniform(0.2, 2.0, bins),
            "b0": b0,
            "b1": _events(generator, bins) * (generator.random(bins) > 0.2),
            "negative": -b0 * generator.uniform(0.05, 0.4, bins),
        }
        if bins > 1 and chance() < 0.4:
            rates["signal"][0] *= -0.1
        if chance() < 0.3:
            rates["negative"][-1] = 0.0
        samples: list[dict[str, Any]] = []
        for sample, data in rates.items():
            if sample in ("b1", "negative") and not everywhere and chance() < 0.3:
                continue
            statistics = ""
            if carriers[sample]:
                statistics = "mc" if everywhere else f"mc_{c}"
            modifiers = _modifiers(generator, c, sample, data, statistics=statistics)
            # mu on the signal, here and there on a background as well
            if sample == "signal" or (sample == "b1" and chance() < 0.2):
                modifiers.append({"name": "mu", "type": "normfactor", "data": None})
            samples.append({"name": sample, "data": data.tolist(), "modifiers": modifiers})
        # names in another order than that of the document
        name = f"channel_{'cab'[c]}"
        channels.append({"name": name, "samples": samples})
        total = np.sum([sample["data"] for sample in samples], axis=0)
        observations.append({"name": name, "data": generator.poisson(total).tolist()})
    sizes: dict[str, tuple[str, int]] = {}
    for channel in channels:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                kind, name = modifier["type"], modifier["name"]
                binned = kind in ("shapesys", "staterror", "shapefactor")
                sizes[name] = (kind, len(sample["data"]) if binned else 1)
    if "mc" in sizes:
        total_bins = sum(len(observation["data"]) for observation in observations)
        sizes["mc"] = ("staterror", total_bins)
    lumi = {
        "name": "lumi",
        "auxdata": [1.1],
        "sigmas": [0.03],
        "inits": [1.05],
        "bounds": [[0.5, 1.5]],
    }
    measurements = []
    for name in ("first", "second"):
        parameters: list[dict[str, Any]] = [lumi]
        for parameter, (kind, size) in sizes.items():
            if parameter != "lumi" and chance() < 0.5:
                poi = parameter == "mu"
                parameters.append(_configuration(generator, parameter, kind, size, poi=poi))
        measurements.append({"name": name, "config": {"poi": "mu", "parameters": parameters}})
    return {
        "channels": channels,
        "observations": observations,
        "measurements": measurements,
        "version": "1.0.0",
    }


def _pyhf_model(
    workspace: Workspace, measurement: str, codes: tuple[str, str]
) -> tuple[Any, list[float]]:
    """Return pyhf's model and data; its schema has been checked elsewhere, and is slow."""
    config = next(m["config"] for m in workspace["measurements"] if m["name"] == measurement)
    interpolation = {
        kind: {"interpcode": code}
        for kind, code in zip(("normsys", "histosys"), codes, strict=True)
    }
    spec = {"channels": workspace["channels"], "parameters": config["parameters"]}
    model = pyhf.Model(
        spec, poi_name=config["poi"], validate=False, modifier_settings=interpolation
    )
    observed = {entry["name"]: entry["data"] for entry in workspace["observations"]}
    data = [count for channel in model.config.channels for count in observed[channel]]
    return model, data + model.config.auxdata


def _spread(workspace: Workspace, likelihood: CompiledLikelihood, seed: int) -> float:
    """Return by how much our -ln L and pyhf's ln L differ between three random points.

    Constants of the data and of what does not move drop out. Points where a background is
    negative, or a signal that is positive nominally, are left out: pyhf goes on there until the
    sum is zero, the floors of this project do not. In units of a value of 1e4, if there is one so
    large: doubles have 2e-12 there.
    """
    generator = np.random.default_rng(seed)
    tables = likelihood.model
    codes = (tables.normsys_code, tables.histosys_code)
    model, data = _pyhf_model(workspace, tables.measurement, codes)
    batch = likelihood.batch()
    at = batch.points(np.zeros(1, dtype=int), likelihood.observed[:, None])
    evaluator = likelihood.fitter.problem(False).evaluator
    start = np.array(model.config.suggested_init())
    order = sorted(range(len(likelihood.bins)), key=lambda b: likelihood.bins[b])  # pyhf's
    nominal = np.zeros(len(order))
    signal = tables.is_signal
    np.add.at(nominal, tables.component_bin[signal], tables.nominal[signal])
    subtracted = nominal[order] < 0.0
    is_mu = np.arange(len(start)) == model.config.poi_index
    sums: list[float] = []
    largest = 1.0
    # beyond one standard deviation pyhf's code2 leaves out hi - nominal, and jumps
    widest = 1.0 if tables.histosys_code == "code2" else 2.0
    for _ in range(40):
        theta = np.array(
            [
                generator.uniform(-widest, widest)
                if p.name[0] in "nh"
                else generator.uniform(0.6, 1.4)
                for p in likelihood.model.parameters
            ]
        )
        mu = generator.uniform(0.1, 3.0)
        ours: Mapping[str, float] = dict(zip(likelihood.parameter_names, theta, strict=True))
        x = np.array([ours.get(n, s) for n, s in zip(model.config.par_names, start, strict=True)])
        background = model.expected_actualdata(np.where(is_mu, 0.0, x))
        x[is_mu] = mu
        rates = model.expected_actualdata(x)
        # far enough above a floor, where there is one
        if np.any((rates < 0.05) | (background < 0.05) | ~subtracted & (rates < background)):
            continue
        value = evaluator.value(theta[:, None], np.array([mu]) * batch.events, at)[0]
        sums.append(float(value) + float(model.logpdf(x, data)[0]))
        largest = max(largest, abs(value) / 1e4)
        if len(sums) == 3:
            return float(np.ptp(sums) / largest)
    raise AssertionError("no point with positive rates")


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    measurement=st.sampled_from(["first", "second"]),
    normsys=st.sampled_from(NORMSYS_CODES),
    histosys=st.sampled_from(HISTOSYS_CODES),
)
def test_every_modifier_and_configuration(seed, measurement, normsys, histosys):
    """Only by rounding."""
    workspace = _anything(seed)
    likelihood = compile_workspace(
        workspace, measurement, normsys_code=normsys, histosys_code=histosys, validate=False
    )
    assert _spread(workspace, likelihood, seed) < 1e-8


def test_the_generator_reaches_everything():
    """What the random workspaces are for is in them."""
    seen: set[str] = set()
    for seed in range(60):
        workspace = _anything(seed)
        likelihood = compile_workspace(workspace, validate=seed % 20 == 0)
        model = likelihood.model
        seen |= {
            name
            for name, there in {
                "negative background": np.any(model.nominal[~model.is_signal] < 0.0),
                "negative signal": np.any(model.nominal[model.is_signal] < 0.0),
                "shapefactor": any(p.name.startswith("factor") for p in model.parameters),
                "staterror of all channels": any(p.group == "mc" for p in model.parameters),
                "mu on a background": "b1" in likelihood.signal_names,
            }.items()
            if there
        }
        seen |= {
            f"configured {key}"
            for entry in workspace["measurements"][0]["config"]["parameters"]
            for key in entry
            if entry["name"] != "lumi"
        }
    keys = ("name", "inits", "bounds", "fixed", "auxdata", "sigmas", "factors")
    assert seen == {f"configured {key}" for key in keys} | {
        "negative background",
        "negative signal",
        "shapefactor",
        "staterror of all channels",
        "mu on a background",
    }
