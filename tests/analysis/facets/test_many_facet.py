"""If this failed, a severe person or an erratic judge would pass for a difference of items."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from analysis.facets import many_facet_words as words
from analysis.facets.many_facet import many_facet
from analysis.facets.placed import placed
from analysis.facets.rating_scale import Ratings, Scale, _likelihood, fit
from prereg.errors import RatifyError
from tests.reference.facets import MANY_FACET, RATINGS, long

THRESHOLDS = np.array([-1.5, -0.5, 0.5, 1.5])
NAMES = ("p0", "p1", "p2", "same", "loose")
SEVERITY = np.array([0.7, 0.0, -0.7, 0.5, -0.3])
SLOPES = np.array([1.0, 1.0, 1.0, 1.0, 0.3])


def simulated(rng, items=60, severity=SEVERITY, slopes=SLOPES, spread=1.5, mean=0.3):
    """Return items in logits and ratings from 1 to 5 by the model: items by raters."""
    item = mean + spread * rng.normal(size=items)
    steps, k = np.concatenate([[0.0], np.cumsum(THRESHOLDS)]), np.arange(5)
    score = slopes[:, None] * (k * (item[:, None, None] - severity[:, None]) - steps)
    chance = np.exp(score - score.max(axis=2, keepdims=True))
    chance /= chance.sum(axis=2, keepdims=True)
    drawn = rng.random((items, severity.size, 1)) > chance.cumsum(axis=2)
    return item, drawn.sum(axis=2) + 1.0


def tidy(values, names=NAMES):
    """Return ratings as a tidy table, with these names of raters."""
    table = long(values)
    at = table["rater_id"].str[1:].astype(int)
    return table.assign(rater_id=[names[n] for n in at])


def model(values, names=NAMES, people=3):
    return many_facet(tidy(values, names), humans=names[:people], judges=names[people:])


def as_categories(values):
    item, rater = np.nonzero(~np.isnan(values))
    return Ratings(
        item=item,
        rater=rater,
        category=(values[item, rater] - 1).astype(int),
        n_items=values.shape[0],
        n_raters=values.shape[1],
        n_categories=5,
    )


ITEM, VALUES = simulated(np.random.default_rng(3))
FOUND = model(VALUES)
BY_NAME = {one.name: one for one in FOUND.annotators}


def test_the_model_is_the_one_that_r_fits_by_brute_force():
    found = fit(as_categories(RATINGS))
    scale = found.scale
    assert scale.mean == pytest.approx(MANY_FACET["mean"], abs=2e-4)
    assert scale.spread == pytest.approx(MANY_FACET["spread"], abs=2e-4)
    assert scale.severity == pytest.approx(MANY_FACET["severity"], abs=2e-4)
    assert scale.thresholds == pytest.approx(MANY_FACET["thresholds"], abs=2e-4)
    assert found.log_likelihood == pytest.approx(MANY_FACET["log_likelihood"], abs=1e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors == pytest.approx(MANY_FACET["errors"], rel=1e-4)


def test_the_gradient_is_that_of_the_likelihood():
    data = as_categories(
        np.where(np.random.default_rng(1).random((60, 3)) < 0.3, np.nan, VALUES[:, :3])
    )
    x = np.array([0.1, 0.3, 0.2, -0.3, -1.0, -0.4, 0.2])
    expected = approx_fprime(x, lambda at: _likelihood(data, at)[0], 1e-6)
    assert _likelihood(data, x)[1] == pytest.approx(expected, abs=1e-3)


def test_known_severities_and_discriminations_come_out():
    rng = np.random.default_rng(8)
    rows = []
    for _ in range(25):
        found = model(simulated(rng, items=120)[1])
        by = {one.name: one for one in found.annotators}
        slopes = [by[name].discrimination[0] for name in ("same", "loose")]
        rows.append([*(by[name].severity[0] for name in NAMES[:4]), *slopes, found.spread])
    truth = [*SEVERITY[:4], 1.0, 0.3, 1.5]
    errors = np.std(rows, axis=0) / 5
    # maximum likelihood overstates slopes a little: a few hundredths are allowed
    assert np.all(np.abs(np.mean(rows, axis=0) - truth) < 3 * errors + 0.03)


def test_an_erratic_judge_is_told_from_a_consistent_one():
    loose, same = BY_NAME["loose"], BY_NAME["same"]
    assert loose.discrimination[2] < 1 < same.discrimination[2]
    assert loose.infit > 1.2
    assert loose.outfit > 1.2
    assert same.infit == pytest.approx(1, abs=0.25)
    assert loose.correlation[0] < same.correlation[0] < same.corrected[0]


def test_mean_squares_are_one_on_average_where_the_model_holds():
    rng = np.random.default_rng(15)
    found = [
        (one.infit, one.outfit)
        for _ in range(20)
        for one in model(simulated(rng)[1][:, :4], NAMES[:4]).annotators
    ]
    assert np.mean(found, axis=0) == pytest.approx([1, 1], abs=0.03)


def test_a_judge_does_not_move_the_scale():
    other = model(VALUES[:, :3], NAMES[:3])
    assert np.array_equal(other.place.fair, FOUND.place.fair)
    assert other.annotators == FOUND.annotators[:3]


def test_fair_scores_take_severity_out():
    """Severe people rated one half of the items, mild ones the other half, one everything."""
    rng = np.random.default_rng(6)
    severity = np.array([1.5, 1.5, 0.0, -1.5, -1.5])
    item, values = simulated(rng, 200, severity, np.ones(5))
    values[:100, 3:], values[100:, :2] = np.nan, np.nan
    found = many_facet(tidy(values), humans=NAMES)
    raw = np.corrcoef(np.nanmean(values, axis=1), item)[0, 1]
    order = [int(name[1:]) for name in found.items]
    fair = np.corrcoef(found.place.logits, item[order])[0, 1]
    assert fair > raw + 0.1
    assert np.all((found.place.low <= found.place.fair) & (found.place.fair <= found.place.high))


def test_labels_order_and_direction_do_not_matter():
    table = tidy(VALUES).sample(frac=1, random_state=2)
    table["rater_id"] = table["rater_id"].map(dict(zip(NAMES, "edcba", strict=True)))
    other = many_facet(table.assign(value=8 - table["value"]), humans="cde", judges="ab")
    by = {one.name: one for one in other.annotators}
    for name, letter in zip(NAMES, "edcba", strict=True):
        assert by[letter].severity[0] == pytest.approx(-BY_NAME[name].severity[0], abs=2e-3)
        assert by[letter].infit == pytest.approx(BY_NAME[name].infit, abs=2e-3)
    assert by["b"].discrimination == pytest.approx(BY_NAME["same"].discrimination, rel=5e-3)


def test_a_point_of_severity_is_a_point_of_the_scale():
    expected = np.mean(VALUES[:, :3].mean(axis=1) - VALUES[:, 0])
    assert BY_NAME["p0"].points == pytest.approx(expected, abs=0.15)
    assert BY_NAME["p0"].points > 0 > BY_NAME["p2"].points


def test_a_known_scale_gives_the_likelihood_of_one_judge():
    """With items known exactly, a judge's severity is that of an ordinary logistic regression."""
    item = np.linspace(-2, 2, 41)
    at = np.zeros((41, 51))
    at[np.arange(41), np.arange(41) + 5] = 1
    scale = Scale(mean=0.0, spread=0.5, severity=np.zeros(2), thresholds=np.zeros(1))
    assert scale.items[5:46] == pytest.approx(item)
    chosen = (np.random.default_rng(4).random(41) < 1 / (1 + np.exp(0.4 - item))).astype(int)
    known = fit(as_categories(RATINGS))
    known = type(known)(
        scale=scale, covariance=np.zeros((2, 2)), log_likelihood=0.0, posterior=at, moved=()
    )
    place, (value, low, high) = placed(
        known, chosen, lambda scale, posterior: posterior, free=False, normal=1.96
    )
    expected = 1 / (1 + np.exp(value - item))
    assert (chosen - expected).sum() == pytest.approx(0, abs=1e-4)
    error = 1 / math.sqrt((expected * (1 - expected)).sum())
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=1e-3)
    assert place[0] == value


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (VALUES[:, :1], "fewer than two people"),
        (VALUES[:9], "fewer than two people"),
        (np.full((20, 3), 1.0), "fewer than two people"),
        (VALUES[:, :3] + 0.5, "not whole steps"),
        (np.arange(60.0)[:, None] + np.zeros(3), "too many steps"),
    ],
)
def test_ratings_without_a_model_are_refused(values, says):
    names = NAMES[: values.shape[1]]
    with pytest.raises(RatifyError, match=says):
        many_facet(tidy(values, names), humans=names[:3])


def test_people_and_judges_without_a_place_are_named():
    values = np.column_stack([VALUES, np.full(60, 1.0), VALUES[:, 0] / 2, np.full(60, 5.0)])
    names = (*NAMES, "low", "half", "high")
    found = many_facet(
        tidy(values, names), humans=[*NAMES[:3], "low"], judges=["half", "high", "same"]
    )
    by = {one.name: one for one in found.annotators}
    assert "low" not in by
    assert any(note.startswith("1 of 4 people") for note in found.notes)
    assert "half has no severity: its ratings are not whole steps" in found.notes
    assert any(note.startswith("high has no severity") for note in found.notes)
    assert math.isnan(by["half"].severity[0])
    assert by["half"].correlation[0] > 0.5


def test_what_is_said_is_what_was_found():
    table = pd.concat([tidy(VALUES), tidy(VALUES[:8]).assign(dimension="short")])
    found = words.severities(
        table, humans=NAMES[:3], judges=NAMES[3:], dimensions=["warmth", "short"]
    )
    [said] = words.sentences(found, NAMES[3:])
    assert said.startswith("On warmth, people's severities differ by ")
    assert "loose correlates with the items' fair scores at" in said
    assert "follows them less closely" in said
    assert "short (fewer than two people" in words.limits(found)[0]
    severity, fair = words.tables(found)
    assert list(severity.frame["annotator"]) == [*NAMES]
    assert len(fair.frame) == 60
    few = words.severities(
        table, humans=NAMES[:3], judges=NAMES[3:], dimensions=["warmth"], most=10
    )
    assert not few.found
    assert "more than 10 ratings" in words.limits(few)[0]


def test_no_estimate_is_not_the_reason_for_no_model():
    same = np.repeat(np.clip(VALUES[:, :1], 1, 5), 2, axis=1)
    found = words.severities(
        tidy(same, NAMES[:2]), humans=NAMES[:2], judges=[], dimensions=["warmth"]
    )
    assert words.limits(found) == [
        "No many-facet model of warmth (its likelihood has no maximum on these ratings, as where "
        "people agree on nearly every item)."
    ]


# with this mean of the items, nine ratings in ten are 5
HIGH = {"severity": SEVERITY[:4], "slopes": SLOPES[:4], "mean": 4.64}


def test_intervals_of_a_correlation_hold_where_nine_ratings_in_ten_are_alike():
    """Leaving each item out in turn held the truth in four of five such data sets."""
    big = simulated(np.random.default_rng(2), 20_000, **HIGH)[1]
    assert (big[:, :3] == 5).mean() == pytest.approx(0.9, abs=0.01)
    truth = model(big, NAMES[:4]).annotators[-1]
    rng, held = np.random.default_rng(12), []
    for _ in range(120):
        values = simulated(rng, 40, **HIGH)[1]
        if (np.ptp(values, axis=0) == 0).any():
            continue  # a person who always says 5 has no severity, and a judge no correlation
        judge = model(values, NAMES[:4]).annotators[-1]
        ends = zip(
            (judge.correlation, judge.corrected), (truth.correlation, truth.corrected), strict=True
        )
        held.append([low <= true[0] <= high for (_, low, high), true in ends])
    assert len(held) > 100
    assert np.all(np.mean(held, axis=0) >= 0.93)


def test_the_order_of_the_items_does_not_move_an_interval():
    values = simulated(np.random.default_rng(4), 40, **HIGH)[1]
    ends = [
        np.array([*judge.correlation, *judge.corrected])
        for rows in (values, values[::-1])
        for judge in model(rows, NAMES[:4]).annotators[-1:]
    ]
    assert ends[0] == pytest.approx(ends[1], abs=1e-6)
    assert np.all(ends[0][[1, 4]] < ends[0][[0, 3]])
    assert np.all(ends[0][[0, 3]] <= ends[0][[2, 5]])


def reported(values, judges):
    """Return what is reported about these judges beside three people, by its name."""
    found = words.severities(
        tidy(values, (*NAMES[:3], *judges)), humans=NAMES[:3], judges=judges, dimensions=["warmth"]
    )
    numbers = words.quantities(found, judges=judges, who="People's", analysis="a")
    return {one.name.removesuffix(" warmth"): one for one in numbers}


def test_a_number_without_value_or_interval_says_the_true_reason():
    people = VALUES[:, :3]
    few = np.where(np.arange(60) < 8, VALUES[:, 3], np.nan)
    turned, half, flat = 6 - VALUES[:, 3], VALUES[:, 3] / 2, np.full(60, 3.0)
    table = np.column_stack([people, few, turned, half, flat, np.full(60, 5.0)])
    found = reported(table, ("few", "turned", "half", "flat", "top"))
    note = {name: one.note for name, one in found.items()}
    for what in ("severity", "infit", "outfit", "discrimination"):
        assert "it rated 8 of people's items; 10 are needed" in note[f"few: {what}"]
        assert "its ratings are not whole steps" in note[f"half: {what}"]
        assert "only ratings at one end" in note[f"top: {what}"]
    assert "it rated 8 of people's items" in note["few: fair_correlation"]
    assert "it gave every item the same rating" in note["flat: fair_correlation"]
    assert "it gave every item the same rating" in note["top: fair_correlation_corrected"]
    assert note["half: fair_correlation"] == ""
    assert "the other way round" in note["turned: discrimination"]
    for one in found.values():
        assert (one.low is None) == bool(one.note), one
