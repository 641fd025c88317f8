"""Limits from simulated efficiencies and yields: known answers, our own yields, scaling laws."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
import pytest

from na64.limits import scan, specify
from na64.limits.calculators.limits import upper_limits
from na64.limits.calculators.registry import calculator
from na64.limits.design.optimise import check_cuts
from na64.limits.likelihood.compiled import compile_workspace
from na64.limits.results.limit import Limit
from na64.limits.results.specification import Specification
from na64.limits.scanning.runner import merge, run
from na64.limits.scanning.signal import expected_signal
from na64.models.errors import InputError
from na64.workspaces.cards.simulated import SimulatedEfficiency, SimulatedYield
from na64.workspaces.io.jsonio import canonical_json
from na64.workspaces.pyhf.patching import apply_patch
from na64.workspaces.pyhf.template import Template
from na64.workspaces.pyhf.write import background_workspace, patchset, signal_workspace
from tests.shared import CARD_HEAD

EXPOSURE = 1e10
#: a detector that turns on at this mass, and sees this many events per particle at coupling 1
TURN_ON, STRENGTH = 0.05, 2e-4
MASSES = np.geomspace(0.01, 0.5, 13)

PLAIN = 'background = { value = 0, source = "test" }\nobserved = { value = 0, source = "test" }\n'
WITH_BACKGROUND = (
    'background = { value = 1.2, relative_uncertainty = 0.3, source = "test" }\n'
    'observed = { value = 1, source = "test" }\n'
)


def card_with(folder: Path, *bins: str) -> Path:
    path = folder / "card.toml"
    head = "".join(f'\n[[bins]]\nname = "{"ab"[k]}"\n{text}' for k, text in enumerate(bins))
    path.write_text(CARD_HEAD + head)
    return path


def a_bin(efficiency='{ value = 1, source = "in the simulation" }', rest="", counts=PLAIN):
    return (
        f'exposure = {{ value = {EXPOSURE:g}, source = "test" }}\n'
        f"efficiency = {efficiency}\n{rest}{counts}"
    )


def yield_of(file="yield.csv", **more):
    words = {"model": '"dark-photon"', "at_coupling": "1e-4", "source": '"toy"', **more}
    return (
        f'yield = {{ file = "{file}", ' + ", ".join(f"{k} = {v}" for k, v in words.items()) + "}\n"
    )


def toy(mass):
    return STRENGTH * np.exp(-TURN_ON / mass)


def write_toy(folder: Path, generated=1e20, masses=MASSES):
    """What passes out of those generated at coupling 1e-4, without fluctuations."""
    lines = [f"{mass:.12g},{generated * 1e-8 * toy(mass):.12g},{generated}" for mass in masses]
    (folder / "yield.csv").write_text("mass_gev,passed,generated\n" + "\n".join(lines) + "\n")


def test_a_toy_with_a_known_limit(tmp_path):
    write_toy(tmp_path)
    card = card_with(tmp_path, a_bin(rest=yield_of()))
    some = MASSES[::4]
    found = scan(card, masses_gev=some)
    # without background and events CLs is exp(-s)
    known = np.sqrt(math.log(10.0) / (EXPOSURE * toy(some)))
    # 1e20 particles on target leave an error of 1e-3 at the lowest mass, which costs its square
    assert found.observed == pytest.approx(known, rel=2e-6)
    assert list(found.yields) == ["simulation"]
    assert found.yields["simulation"] == pytest.approx(EXPOSURE * toy(some))
    assert found.power == 2.0
    # between the points it is as good as the interpolation says
    between = np.sqrt(MASSES[1:] * MASSES[:-1])[::4]
    found = scan(card, masses_gev=between, method="asymptotic")
    point = scan(card, masses_gev=MASSES[4:5], method="asymptotic")
    events = point.events_limit[0]
    expected = np.sqrt(events / (EXPOSURE * toy(between)))
    spread = yield_table(found).known_at(between).spread[:, 0]
    assert np.all(np.abs(np.log(found.observed / expected)) < 0.5 * spread + 1e-3)


def yield_table(found: Limit) -> SimulatedYield:
    table = found.specification.cards[0].bins[0].simulated_yield
    assert table is not None
    return table


def our_own(folder: Path, masses) -> Path:
    """Our yields of the toy card as a table, with negligible errors."""
    signal = expected_signal(specify(card_with(folder, a_bin(counts=PLAIN)), masses_gev=masses))
    rates = signal.per_particle(1.0).sum(axis=(1, 2))
    lines = [f"{m:.12g},{r:.12g},{1e-7 * r:.6g}" for m, r in zip(masses, rates, strict=True)]
    (folder / "yield.csv").write_text("mass_gev,rate,error\n" + "\n".join(lines) + "\n")
    text = a_bin(rest=yield_of(value='"rate"', error='"error"', at_coupling="1.0"))
    (folder / "own").mkdir(exist_ok=True)
    (folder / "own" / "yield.csv").write_text((folder / "yield.csv").read_text())
    return card_with(folder / "own", text)


def test_our_own_yields_give_our_own_limit(tmp_path):
    nodes = np.geomspace(0.02, 0.5, 15)
    between = np.sqrt(nodes[1:] * nodes[:-1])[[0, 4, 6, 8, 9, 10, 12]]
    own = our_own(tmp_path, nodes)
    ours = card_with(tmp_path, a_bin())
    theirs = scan(own, masses_gev=nodes[::5], method="asymptotic")
    assert theirs.observed == pytest.approx(
        scan(ours, masses_gev=nodes[::5], method="asymptotic").observed, rel=1e-9
    )
    found = scan(own, masses_gev=between, method="asymptotic")
    expected = scan(ours, masses_gev=between, method="asymptotic")
    spread = yield_table(found).known_at(between).spread[:, 0]
    # half of the error in events, and its square for the nuisance; the resonance of e+ e- begins
    # above 0.2 GeV, and the interval before it does not know: 0.4 % in the limit
    wrong = np.abs(np.log(found.observed / expected.observed))
    assert np.all(wrong < 0.5 * spread + spread**2 + 4e-3)
    assert np.all(wrong[between < 0.1] < 1e-4)
    assert np.median(wrong) < 0.01


def efficiency_of(passed, generated, more=""):
    return (
        "{ masses_gev = [0.01, 0.1, 0.5], passed = "
        f'{passed}, generated = {generated}, {more} source = "toy" }}'
    )


def test_twice_the_efficiency_is_a_coupling_lower_by_the_root_of_two(tmp_path):
    card = card_with(tmp_path, a_bin(efficiency_of([10, 40, 30], [100] * 3)))
    whole = scan(card, masses_gev=[0.01, 0.05, 0.1], method="asymptotic")
    half = scan(
        card, masses_gev=[0.01, 0.05, 0.1], method="asymptotic",
        overrides=["bins.0.efficiency*=0.5"],
    )  # fmt: skip
    assert half.observed / whole.observed == pytest.approx([math.sqrt(2.0)] * 3, rel=1e-9)
    assert half.events_limit == pytest.approx(whole.events_limit, rel=1e-9)


def test_more_events_of_the_simulation_make_the_limit_better_down_to_that_of_none(tmp_path):
    limits = []
    for scale in (1, 10, 100, 1e6):
        numbers = [(k * scale) for k in (2, 4, 3)]
        card = card_with(tmp_path, a_bin(efficiency_of(numbers, [10 * scale] * 3)))
        limits.append(float(scan(card, masses_gev=[0.1], method="asymptotic").events_limit[0]))
    exact = card_with(tmp_path, a_bin('{ value = 0.4, source = "test" }'))
    assert limits == sorted(limits, reverse=True)
    known = float(scan(exact, masses_gev=[0.1], method="asymptotic").events_limit[0])
    assert limits[-1] == pytest.approx(known, rel=1e-5)
    assert limits[0] > 1.05 * known


@pytest.mark.parametrize("statistics", ["log-normal", "staterror"])
def test_a_scan_and_its_workspaces_agree(tmp_path, statistics):
    text = efficiency_of([10, 40, 30], [100] * 3, f'statistics = "{statistics}",')
    card = card_with(tmp_path, a_bin(text, counts=WITH_BACKGROUND))
    masses = [0.04, 0.1, 0.3]  # emission alone, a point, and with annihilation
    found = scan(card, masses_gev=masses, method="asymptotic")
    signal = expected_signal(found.specification)
    patches: Any = patchset(signal.template, signal.rates)["patches"]
    for row, coupling in enumerate(found.observed):
        spec, point = signal_workspace(signal.template, signal.rates, row)
        batch = compile_workspace(spec).batch()
        table = upper_limits(batch, calculator=calculator("asymptotic"))
        assert point.coupling_at(float(table.observed[0])) == pytest.approx(coupling, rel=1e-7)
        patched = apply_patch(background_workspace(signal.template), patches[row]["patch"], name="")
        assert canonical_json(patched) == canonical_json(spec)
        # and pyhf reads it: CLs at the limit is 0.1
        model = pyhf.Workspace(json.loads(canonical_json(spec))).model()
        data = [*json.loads(canonical_json(spec))["observations"][0]["data"]]
        cls = pyhf.infer.hypotest(
            float(table.observed[0]), data + model.config.auxdata, model, test_stat="qtilde"
        )
        assert float(cls) == pytest.approx(0.1, abs=2e-4)


def test_the_width_of_a_staterror_is_that_of_all_processes_together(tmp_path):
    text = efficiency_of([10, 40, 30], [100] * 3, 'statistics = "staterror",')
    signal = expected_signal(specify(card_with(tmp_path, a_bin(text)), masses_gev=[0.3]))
    spec, _ = signal_workspace(signal.template, signal.rates, 0)
    likelihood = compile_workspace(spec)
    (gamma,) = [p for p in likelihood.model.parameters if "staterror" in p.name]
    efficiency = signal.template.bins[0].efficiency
    assert isinstance(efficiency, SimulatedEfficiency)
    known = efficiency.known_at([0.3])
    up, down = float(known.up[0, 0]), float(known.down[0, 0])
    assert gamma.width == pytest.approx(0.5 * (math.exp(up) - math.exp(-down)))
    assert np.count_nonzero(signal.at_coupling(1.0)) == 2  # emission and annihilation


def poisson_limit(count, method="asymptotic"):
    """The limit with the count of the simulation in the likelihood as what it is, a Poisson."""
    spec = {
        "channels": [
            {
                "name": "a",
                "samples": [
                    {
                        "name": "signal",
                        "data": [1.0],
                        "modifiers": [
                            {"name": "mu", "type": "normfactor", "data": None},
                            {"name": "mc", "type": "shapesys", "data": [1.0 / math.sqrt(count)]},
                        ],
                    },
                    {"name": "background", "data": [1.2], "modifiers": []},
                ],
            }
        ],
        "observations": [{"name": "a", "data": [1]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    table = upper_limits(compile_workspace(spec).batch(), calculator=calculator(method))
    return float(table.observed[0])


def simulated_limit(folder, count, statistics):
    """The same with the simulation of a card."""
    (folder / "yield.csv").write_text(f"mass_gev,passed,generated\n0.1,{count},1e12\n")
    counts = WITH_BACKGROUND.replace("relative_uncertainty = 0.3, ", "")
    text = a_bin(rest=yield_of(statistics=f'"{statistics}"'), counts=counts)
    found = scan(card_with(folder, text), masses_gev=[0.1], method="asymptotic")
    return float(found.events_limit[0])


def test_the_errors_of_few_events_beside_a_poisson_count(tmp_path):
    ratios = {
        (count, name): simulated_limit(tmp_path, count, name) / poisson_limit(count)
        for count in (4, 25, 400)
        for name in ("log-normal", "staterror")
    }
    # the interval of a count is wider than its likelihood: log-normal is on the safe side
    assert 1.0 < ratios[4, "log-normal"] < 1.35
    assert 1.0 < ratios[25, "log-normal"] < 1.05
    assert ratios[400, "log-normal"] == pytest.approx(1.0, abs=0.002)
    assert ratios[400, "staterror"] == pytest.approx(1.0, abs=0.002)
    # a Gaussian factor reaches zero, where no signal can be excluded
    assert ratios[4, "staterror"] > 2.0


def test_bins_with_one_simulation_have_its_error_in_common(tmp_path):
    one = efficiency_of([10, 40, 30], [100] * 3)
    other = efficiency_of([10, 41, 30], [100] * 3)
    same = Template.from_card(specify(card_with(tmp_path, a_bin(one), a_bin(one))).cards[0])
    assert same.nuisances == ("a:efficiency-interpolation", "a:efficiency-statistics")
    apart = Template.from_card(specify(card_with(tmp_path, a_bin(one), a_bin(other))).cards[0])
    assert len(apart.nuisances) == 4
    assert len(apart.without(["b:efficiency-statistics"]).nuisances) == 3
    staterror = efficiency_of([10, 40, 30], [100] * 3, 'statistics = "staterror",')
    card = card_with(tmp_path, a_bin(staterror), a_bin(staterror))
    with pytest.raises(InputError, match="bins a and b have one simulation"):
        scan(card, masses_gev=[0.1])


def test_parts_of_the_masses_give_the_same_bytes(tmp_path):
    card = card_with(
        tmp_path, a_bin(efficiency_of([10, 40, 30], [100] * 3), counts=WITH_BACKGROUND)
    )
    made = specify(card, masses_gev=np.geomspace(0.01, 0.5, 3), method="asymptotic")
    whole = run(made)
    parts = [run(part) for part in made.split(2)]
    together = merge(parts)
    for name in ("observed", "events_limit"):
        assert np.array_equal(getattr(together, name), getattr(whole, name))
    assert together.expected_regions == whole.expected_regions


def test_a_result_has_the_numbers_and_needs_no_file(tmp_path):
    write_toy(tmp_path)
    card = card_with(tmp_path, a_bin(rest=yield_of()))
    found = scan(card, masses_gev=[0.1, 0.2], method="asymptotic")
    text = found.to_json()
    (tmp_path / "yield.csv").unlink()
    document = json.loads(text)
    (kept,) = (item["yield"] for item in document["specification"]["cards"][0]["bins"])
    assert kept["read_from"] == "yield.csv"
    assert len(kept["sha256"]) == 64
    again = run(Specification.from_dict(document["specification"]))
    assert np.array_equal(again.observed, found.observed)
    # another table is another digest, and so is another factor of the same
    write_toy(tmp_path, generated=1.1e20)
    assert specify(card, masses_gev=[0.1, 0.2]).digest != found.specification.digest


def test_a_card_inside_a_result_names_no_file(tmp_path):
    write_toy(tmp_path)
    made = specify(card_with(tmp_path, a_bin(rest=yield_of())), masses_gev=[0.1])
    data = made.to_dict()
    data["cards"][0]["bins"][0]["yield"] = {
        "file": str(tmp_path / "yield.csv"), "model": "dark-photon", "at_coupling": 1.0,
        "source": "elsewhere",
    }  # fmt: skip
    with pytest.raises(InputError, match=r"names the file .*yield\.csv; a card inside a result"):
        Specification.from_dict(data)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"masses_gev": [0.1, 0.6]},
            "yield of bin a: mass 0.6 GeV is outside the simulation, whic",
        ),
        (
            {"masses_gev": [0.1], "model": "b-minus-l"},
            "simulated for the model 'dark-photon', not for",
        ),
        ({"masses_gev": [0.1], "annihilation": False}, "`annihilation` has no effect"),
    ],
)
def test_what_was_not_simulated_is_refused(tmp_path, request_, message):
    write_toy(tmp_path)
    card = card_with(tmp_path, a_bin(rest=yield_of()))
    with pytest.raises(InputError, match=message):
        scan(card, **request_)


def test_bins_that_are_computed_beside_one_that_is_simulated(tmp_path):
    nodes = np.geomspace(0.02, 0.5, 5)
    own = our_own(tmp_path, nodes)
    both = card_with(own.parent, a_bin(), a_bin(rest=yield_of(value='"rate"', error='"error"',
                                                               at_coupling="1.0")))  # fmt: skip
    signal = expected_signal(specify(both, masses_gev=nodes))
    assert signal.rates.processes == ("emission", "annihilation", "simulation")
    events = signal.at_coupling(1e-4).sum(axis=1)
    assert events[:, 0] == pytest.approx(events[:, 1], rel=1e-9)


def test_a_yield_by_coupling_is_no_power_of_it(tmp_path):
    couplings = np.geomspace(1e-5, 1e-2, 16)
    lines = [
        f"{mass:.12g},{c:.12g},{1e22 * c**2 * toy(mass) * math.exp(-c / 3e-3):.12g},1e22"
        for mass in (0.05, 0.1, 0.2)
        for c in couplings
    ]
    (tmp_path / "yield.csv").write_text("mass_gev,c,passed,generated\n" + "\n".join(lines) + "\n")
    text = yield_of(coupling='"c"').replace("at_coupling = 1e-4, ", "")
    card = card_with(tmp_path, a_bin(rest=text))
    found = scan(card, masses_gev=[0.1])
    ((low, high),) = found.regions[0]

    def events(c):
        return EXPOSURE * c**2 * toy(0.1) * math.exp(-c / 3e-3)

    expected = expected_signal(found.specification).at_coupling(2e-3)
    assert expected.sum() == pytest.approx(events(2e-3), rel=5e-3)
    # with five couplings per decade straight lines are 10 % off where the exponential bends; at
    # all couplings there are few events, so that a limit could be there too. It costs the square
    assert math.log(10.0) < events(low) < 1.01 * math.log(10.0)
    assert high is None  # the table ends before the events do
    with pytest.raises(InputError, match=r"couplings from 1e-05 to 0\.01 are tabulated"):
        expected_signal(found.specification).at_coupling(0.1)


def test_decays_in_flight_from_our_own_yields(tmp_path):
    """The two ends of what a search for decays excludes, from a table of its own yields."""
    ours = "na64e-visible-2017-2018"
    made = specify(ours, masses_gev=[0.01], overrides=[])
    signal = expected_signal(made)
    grid = np.geomspace(3e-5, 3e-3, 41)
    text = ["mass_gev,c,rate,error"]
    places = [signal.rates.regions.index(item.region) for item in signal.template.bins]
    events = np.array([signal.per_particle(c)[0].sum(axis=0) for c in grid])
    assert len(places) == events.shape[1]
    card = json.loads(canonical_json(made.cards[0].to_dict()))
    for b, item in enumerate(card["bins"]):
        rows = [
            f"0.01,{c:.12g},{e:.12g},{1e-6 * e:.6g}"
            for c, e in zip(grid, events[:, b], strict=True)
        ]
        name = f"{item['name']}.csv"
        (tmp_path / name).write_text("\n".join([*text, *rows]) + "\n")
        item["yield"] = {
            "file": name, "model": card["defaults"]["model"], "coupling": "c", "value": "rate",
            "error": "error", "source": "our own",
        }  # fmt: skip
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card))
    found, expected = (scan(it, masses_gev=[0.01], method="asymptotic").regions[0]
                       for it in (path, ours))  # fmt: skip
    assert len(found) == len(expected) == 1
    # 20 couplings per decade in place of 40
    assert found[0] == pytest.approx(expected[0], rel=2e-3)


def test_an_efficiency_by_coupling_of_decays_in_flight():
    """Of the same number at all couplings it is that number, between its couplings."""
    number = 'bins.*.efficiency={ value = 0.4, source = "test" }'
    table = (
        "bins.*.efficiency={ masses_gev = [0.008, 0.008, 0.012, 0.012], couplings = [3e-5, 3e-3, "
        "3e-5, 3e-3], passed = [4e11, 4e11, 4e11, 4e11], generated = [1e12, 1e12, 1e12, 1e12], "
        'source = "toy" }'
    )
    plain, simulated = (
        scan(
            "na64e-visible-2017-2018", masses_gev=[0.01], method="asymptotic", overrides=[setting]
        ).regions[0]
        for setting in (number, table)
    )
    assert len(plain) == 1
    # the grid of couplings is another, and 1e12 events have an error of 1e-6
    assert simulated[0] == pytest.approx(plain[0], rel=1e-4)


def test_a_staterror_needs_a_power_of_the_coupling(tmp_path):
    lines = [f"{m},{c},{c * 1e9},1e9" for m in (0.1, 0.2) for c in (1e-4, 1e-3)]
    (tmp_path / "yield.csv").write_text("mass_gev,c,passed,generated\n" + "\n".join(lines) + "\n")
    text = yield_of(coupling='"c"', statistics='"staterror"').replace("at_coupling = 1e-4, ", "")
    with pytest.raises(InputError, match="give statistics = 'log-normal'"):
        scan(card_with(tmp_path, a_bin(rest=text)), masses_gev=[0.1], method="asymptotic")


def test_a_simulated_yield_is_not_recast_and_not_cut_again(tmp_path):
    write_toy(tmp_path)
    card = card_with(tmp_path, a_bin(rest=yield_of()))
    found = scan(card, masses_gev=[0.1, 0.2], method="asymptotic")
    for changes in ({"model": "b-minus-l"}, {"alpha_d": 0.2}):
        with pytest.raises(InputError, match="bin a of toy is from a simulation of the model"):
            found.recast(**changes)
    with pytest.raises(InputError, match="is from a simulation, of one cut"):
        check_cuts(found.specification.cards[0], [40.0])
    # a plane of the dark sector only names it
    assert found.to_plane("y").observed.shape == (2,)
