"""If this failed, a crowd of whom few rate any one item would be no yardstick, or a false one."""

from __future__ import annotations

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.formula.api as smf

from analysis.agreement.crowd import crowd
from analysis.agreement.crowd_alpha import alpha_of, counts_of, icc1_copies, with_each_left_out
from analysis.agreement.panel import panel
from prereg.errors import RatifyError
from tests.reference.coefficients import cohen_kappa

OTHER_PACKAGES = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def sparse(items=40, raters=30, seed=2):
    """Return items by raters, 2 to 11 ratings an item, NaN elsewhere."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, (items, 1))
    values = np.clip(np.round(truth + rng.normal(0, 1, (items, raters))), 1, 5)
    place = rng.random((items, raters)).argsort(axis=1).argsort(axis=1)
    return np.where(place < rng.integers(2, 12, (items, 1)), values, np.nan)


VALUES = sparse()


def tidy(values, judge=None, dimension="warmth"):
    rows = [
        (f"p{r:02d}", "human", f"i{i:03d}", dimension, values[i, r])
        for i, r in np.argwhere(~np.isnan(values))
    ]
    if judge is not None:
        rows += [("m", "llm", f"i{i:03d}", dimension, v) for i, v in enumerate(judge)]
    return pd.DataFrame(rows, columns=["rater_id", "rater_kind", "item_id", "dimension", "value"])


JUDGE = np.clip(np.round(np.nanmean(VALUES, axis=1)), 1, 5)
TABLE = tidy(VALUES, JUDGE)


@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_alpha_with_missing_ratings_is_krippendorffs(level):
    for values in (VALUES, np.where(np.arange(40)[:, None] < 5, VALUES, np.nan), VALUES[:, :9]):
        reference = krippendorff.alpha(values.T, level_of_measurement=level)
        assert alpha_of(values, level) == pytest.approx(reference, abs=1e-12)


def test_an_item_left_out_is_an_item_not_there():
    counts, grid = counts_of(VALUES)
    for what in ("ordinal", "interval", "icc1"):
        found = with_each_left_out(counts, grid, what)
        without, its_grid = counts_of(np.delete(VALUES, 7, axis=0))
        assert found[8] == pytest.approx(with_each_left_out(without, its_grid, what)[0])


@OTHER_PACKAGES
def test_icc1_of_equal_groups_is_pingouins():
    rng = np.random.default_rng(1)
    values = np.clip(np.round(rng.normal(3, 1, (30, 1)) + rng.normal(0, 1, (30, 4))), 1, 5)
    counts, grid = counts_of(values)
    long = pd.DataFrame(values).reset_index().melt("index")
    icc = pingouin.intraclass_corr(long, targets="index", raters="variable", ratings="value")
    expected = icc.set_index("Type").loc["ICC(1,1)", "ICC"]
    found = icc1_copies(counts, grid, np.ones((1, len(counts))))[0]
    assert found == pytest.approx(expected, abs=1e-9)


def test_icc1_of_unequal_groups_is_near_the_mixed_models():
    counts, grid = counts_of(VALUES)
    fit = smf.mixedlm("value ~ 1", TABLE[TABLE["rater_id"] != "m"], groups="item_id").fit(reml=True)
    between = float(fit.cov_re.iloc[0, 0])
    found = icc1_copies(counts, grid, np.ones((1, len(counts))))[0]
    assert found == pytest.approx(between / (between + fit.scale), abs=0.03)


def by_hand(values, judge):
    """Return every rating, its item's other mean, the judge's rating and a weight of 1 / count."""
    rows = []
    for i in range(len(values)):
        own = values[i, ~np.isnan(values[i])]
        rows += [
            (own[k], np.delete(own, k).mean(), judge[i], 1 / len(own)) for k in range(len(own))
        ]
    return np.array(rows).T


def lin(x, y, w):
    mx, my = np.average(x, weights=w), np.average(y, weights=w)
    vx, vy = np.average((x - mx) ** 2, weights=w), np.average((y - my) ** 2, weights=w)
    return 2 * np.average((x - mx) * (y - my), weights=w) / (vx + vy + (mx - my) ** 2)


def test_a_person_and_the_judge_face_the_same_others():
    found = crowd(panel(TABLE, scale=(1, 5)))
    own, rest, judged, weight = by_hand(VALUES, JUDGE)
    people, judge = found.people[1], found.judges[1]
    assert people["person"].value == pytest.approx(lin(own, rest, weight))
    assert judge["judge"].value == pytest.approx(lin(judged, rest, weight))
    difference = judge["judge"].value - judge["person"].value
    assert judge["difference"].value == pytest.approx(difference)
    mean = cohen_kappa(JUDGE, np.nanmean(VALUES, axis=1), weights="quadratic")
    assert judge["with_mean"].value == pytest.approx(mean)
    assert (people.fewest, people.most) == (2, 11)
    assert people.ratings == (~np.isnan(VALUES)).sum()


def test_the_mean_over_dimensions_stands_first_and_order_is_nothing():
    two = pd.concat([TABLE, tidy(sparse(seed=8), JUDGE, "advice")])
    found = crowd(panel(two, scale=(1, 5)))
    whole, *parts = found.people
    assert whole["person"].value == pytest.approx(np.mean([p["person"].value for p in parts]))
    again = crowd(panel(two.sample(frac=1, random_state=4), scale=(1, 5)))
    pd.testing.assert_frame_equal(found.to_frame(), again.to_frame())


def test_items_rated_once_count_for_nothing():
    more = pd.concat(
        [
            TABLE,
            pd.DataFrame(
                [("p00", "human", "lone", "warmth", 5), ("m", "llm", "lone", "warmth", 1)],
                columns=TABLE.columns,
            ),
        ]
    )
    for name in ("person", "judge", "alpha_ordinal", "icc1"):
        one, other = (crowd(panel(t, scale=(1, 5))).to_frame()[name] for t in (TABLE, more))
        pd.testing.assert_series_equal(one, other)


def test_without_variation_there_is_nothing_to_agree_on():
    found = crowd(panel(tidy(np.where(np.isnan(VALUES), np.nan, 3.0), JUDGE * 0 + 3), scale=(1, 5)))
    assert found.to_frame()[["person", "alpha_ordinal", "icc1", "judge"]].isna().all(axis=None)


def test_one_person_is_refused():
    with pytest.raises(RatifyError, match="nobody to be compared with"):
        crowd(panel(tidy(VALUES[:, :1], JUDGE), scale=(1, 5)))
    with pytest.raises(RatifyError, match="no ratings by people"):
        panel(TABLE[TABLE["rater_id"] == "m"], scale=(1, 5))
