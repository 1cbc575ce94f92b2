"""If this failed, a report would promise reliability that more raters or more items do not buy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.facets import by_dimension as facets
from analysis.facets.components import components
from analysis.facets.figures import plot_decision
from analysis.facets.generalizability import generalizability
from analysis.facets.grid import grid_of
from analysis.results.figure_style import svg
from prereg.errors import RatifyError
from tests.reference.facets import GONE, LME4, PAIRS, PSYCH, RATINGS, long

FOUND = generalizability(grid_of(long()))


def crossed(rng, items=50, raters=4, *, item=1.0, rater=0.3, residual=0.6):
    """Return normal ratings with these variance components."""
    return (
        rng.normal(0, math.sqrt(item), (items, 1))
        + rng.normal(0, math.sqrt(rater), (1, raters))
        + rng.normal(0, math.sqrt(residual), (items, raters))
    )


def test_components_are_those_of_lme4():
    # lmer's optimiser stops at about three millionths
    assert (FOUND.item, FOUND.rater, FOUND.residual) == pytest.approx(LME4, rel=1e-5)
    assert FOUND.components_frame()["share"].sum() == pytest.approx(1)


def test_coefficients_are_the_intraclass_correlations_of_psych():
    for value, name in (
        (FOUND.absolute(1), "ICC2"),
        (FOUND.relative(1), "ICC3"),
        (FOUND.absolute(3), "ICC2k"),
        (FOUND.relative(3), "ICC3k"),
    ):
        assert value[0] == pytest.approx(PSYCH[name], rel=1e-7)
        assert value[1] < value[0] < value[2]


def test_components_of_an_incomplete_table_are_those_of_pairs_counted_in_r():
    found = components(grid_of(long(gone=GONE)))
    assert [one[0] for one in (found.item, found.rater, found.residual)] == pytest.approx(PAIRS)


def test_each_item_is_left_out_in_turn():
    table = long(gone=GONE)
    whole = components(grid_of(table))
    items = sorted(table["item_id"].unique())
    for at, name in enumerate(items, start=1):
        rest = components(grid_of(table[table["item_id"] != name]))
        for part in ("item", "rater", "residual"):
            assert getattr(whole, part)[at] == pytest.approx(getattr(rest, part)[0]), name


@pytest.mark.parametrize("absent", [0.0, 0.5])
def test_known_components_come_out(absent):
    rng = np.random.default_rng(11)
    found = []
    for _ in range(150):
        values = crossed(rng, items=40, raters=5)
        values[rng.random(values.shape) < absent] = np.nan
        one = components(grid_of(long(values)))
        found.append([one.item[0], one.rater[0], one.residual[0]])
    errors = np.std(found, axis=0) / math.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - [1.0, 0.3, 0.6]) < 3 * errors)


def test_raters_of_one_item_each_have_no_severity_of_their_own():
    table = long(np.random.default_rng(3).normal(size=(20, 3)) + np.arange(20)[:, None] / 5)
    table["rater_id"] = table["rater_id"] + table["item_id"]
    found = generalizability(grid_of(table))
    assert found.nested
    assert math.isnan(found.rater)
    assert math.isnan(found.relative(3)[0])
    values = table["value"].to_numpy().reshape(3, 20).T
    between, within = 3 * values.mean(axis=1).var(ddof=1), values.var(axis=1, ddof=1).mean()
    assert found.absolute(1)[0] == pytest.approx((between - within) / (between + 2 * within))
    assert list(found.components_frame()["source"]) == ["items", "raters and residual"]


def test_the_number_of_raters_is_the_one_that_reaches_the_target():
    for target in (0.7, 0.85, 0.95):
        needed, low, high = FOUND.raters_for(target)
        assert FOUND.absolute(needed)[0] >= target
        assert needed == 1 or FOUND.absolute(needed - 1)[0] < target
        assert low <= needed <= high
    assert FOUND.raters_for(0.9, absolute=False)[0] <= FOUND.raters_for(0.9)[0]


def test_errors_of_means_are_those_of_simulated_means():
    rng = np.random.default_rng(5)
    values = crossed(rng, items=12, raters=6)
    one = generalizability(grid_of(long(values)))
    parts = {"item": one.item, "rater": one.rater, "residual": one.residual}
    means = [crossed(rng, 8, 3, **parts).mean() for _ in range(4000)]
    assert one.error_of_mean(8, 3) == pytest.approx(np.std(means), rel=0.04)
    own = [np.mean([crossed(rng, 1, 3, **parts).mean() for _ in range(8)]) for _ in range(1500)]
    assert one.error_of_mean(8, 3, same=False) == pytest.approx(np.std(own), rel=0.06)


def test_labels_order_and_units_do_not_matter():
    table = long(gone=GONE)
    one = generalizability(grid_of(table))
    shuffled = table.sample(frac=1, random_state=1)
    shuffled["rater_id"] = shuffled["rater_id"].map({"r0": "z", "r1": "a", "r2": "m"})
    other = generalizability(grid_of(shuffled.assign(value=7 - 2 * shuffled["value"])))
    for raters in (1, 3):
        assert other.absolute(raters) == pytest.approx(one.absolute(raters))
        assert other.relative(raters) == pytest.approx(one.relative(raters))
    assert other.error(3) == pytest.approx(2 * one.error(3))


def test_people_who_do_not_tell_items_apart_have_no_reliability():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(30, 3))
    values -= values.mean(axis=1, keepdims=True)
    found = facets.by_dimension(long(values), raters=["r0", "r1", "r2"], dimensions=["warmth"])
    one = found.found["warmth"]
    assert one.item == 0
    assert one.absolute(3)[0] == 0
    assert math.isinf(one.raters_for(0.8)[0])
    assert "no number of raters is enough" in facets.sentences(found)[0]
    [needed] = [
        q
        for q in facets.quantities(found, name="{what}", who="People's", analysis="g")
        if q.name == "raters_needed"
    ]
    assert needed.estimate is None
    assert "No number of raters" in needed.note


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (RATINGS[:, :1], "only one rater"),
        (RATINGS[:4], "too few items"),
        (np.full((12, 3), 2.0), "all ratings are the same"),
        (np.where(np.arange(12)[:, None] % 3 == np.arange(3), RATINGS, np.nan), "no item has two"),
    ],
)
def test_ratings_that_cannot_tell_are_refused(values, says):
    with pytest.raises(RatifyError, match=says):
        generalizability(grid_of(long(values)))


def test_an_item_rated_twice_by_one_rater_is_refused():
    with pytest.raises(RatifyError, match=r"item_id.*rated twice.*i00"):
        grid_of(pd.concat([long(), long().head(1)]))


def test_what_is_said_and_drawn_is_what_was_found():
    both = pd.concat([long(), long(gone=GONE).assign(dimension="advice_giving")])
    found = facets.by_dimension(
        both, raters=["r0", "r1", "r2"], dimensions=["warmth", "advice_giving", "none"], items=(5,)
    )
    assert found.why_not == {"none": "there are no ratings"}
    warmth, advice = facets.sentences(found)
    assert "mean of 3 raters per item" in warmth
    assert "0.84" in warmth
    assert "raters per item (harmonic mean)" in advice
    assert "none (there are no ratings)" in facets.limits(found)[0]
    assert set(found.items_frame()["items"]) == {5}
    axes = plot_decision(found.decision_frame(), now={"warmth": 3.0}, target=0.8)
    assert "advice giving" in svg(axes)
    line = next(one for one in axes.lines if one.get_gid() == "decision warmth")
    assert np.asarray(line.get_ydata())[2] == pytest.approx(FOUND.absolute(3)[0])


def notes(values: np.ndarray, *, level: float = 0.95, gone: tuple = ()) -> dict[str, str]:
    table = long(values, gone=gone)
    raters = sorted(table["rater_id"].unique())
    found = facets.by_dimension(table, raters=raters, dimensions=["warmth"], level=level)
    told = facets.quantities(found, name="{what}", who="People's", analysis="g")
    return {q.name: q.note for q in told if q.low is None}


def test_an_interval_beside_its_estimate_is_not_blamed_on_an_item():
    """Corrected for bias, a narrow interval does not contain the estimate; no item is at fault."""
    said = notes(RATINGS, level=0.02)
    for name in ("relative", "variance_items", "variance_residual"):
        assert said[name].startswith("No interval at 0.02: corrected for bias, it lies beside")
    assert notes(RATINGS) == {}


def test_the_item_without_which_nothing_differs_is_the_reason():
    one_apart = np.tile([3.0, 3.0, 4.0], (12, 1))
    one_apart[0] = 7.0, 7.0, 6.0
    said = notes(one_apart)
    assert said["relative"] == (
        "No interval: without one of the items, items and raters' severity explain every rating."
    )
    same = np.random.default_rng(2).normal(size=(30, 3))
    same -= same.mean(axis=1, keepdims=True)
    assert notes(same)["absolute"] == "No interval: people do not tell items apart."
    alone = np.random.default_rng(3).normal(size=(30, 3)) - 0.01
    alone[0] += 3
    assert notes(alone)["relative"] == (
        "No interval: without one of the items, people do not tell items apart."
    )
    told = notes(RATINGS, gone=GONE)
    assert told["variance_raters"] == (
        "No interval of raters' variance: not every rater rated every item."
    )


def test_dimensions_of_one_dependability_are_no_range():
    assert facets._range({"warmth": 0.931, "care": 0.934}) == "0.93 on each dimension"
    assert facets._range({"warmth": 0.91, "care": 0.934}) == "0.91 (warmth) to 0.93 (care)"
