"""If this failed, intervals would be too narrow where ratings are alike, or differ by place."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.agreement.crowd import crowd
from analysis.agreement.cut import at_cut
from analysis.agreement.figures import plot_beside_people
from analysis.agreement.intervals import coefficient_intervals
from analysis.agreement.item_draws import DRAWS, IMAGINED, imagined, item_weights, telling
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.pairs import agreement_table
from analysis.agreement.panel import panel
from analysis.agreement.quantities import of_yardstick
from analysis.agreement.rating_table import OTHERS
from analysis.agreement.sample import ABOVE, OPEN, SHORT, Sample, mean_of, readings
from analysis.agreement.sentences import at_cuts
from analysis.agreement.summary import beside_people
from analysis.agreement.yardstick import yardstick
from analysis.audit.sentences import wide_scale
from analysis.inference.families import adjust
from analysis.inference.resampling import drawn_interval, jackknife_interval
from prereg.errors import RatifyError

# how often each of five values is given, from a normal score and its thresholds
SKEWED = stats.norm.ppf(np.cumsum([0.8, 0.1, 0.05, 0.03]))


def skewed(seed: int, items: int = 50, raters: int = 2, shared: float = 0.7) -> np.ndarray:
    """Return ratings of which 80% are 1."""
    rng = np.random.default_rng(seed)
    score = rng.normal(0, np.sqrt(shared), (items, 1))
    return 1.0 + np.searchsorted(
        SKEWED, score + rng.normal(0, np.sqrt(1 - shared), (items, raters))
    )


def tidy(values: np.ndarray, names: str, dimension: str = "warmth") -> pd.DataFrame:
    """Return a table of ratings; a rater whose name begins with m is a judge."""
    rows = [
        (name, "llm" if name.startswith("m") else "human", f"i{i:03d}", dimension, value)
        for column, name in enumerate(names.split())
        for i, value in enumerate(values[:, column])
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["rater_id", "rater_kind", "item_id", "dimension", "value"])


def table_of(ratings: pd.DataFrame, scale=(1, 5)):
    return agreement_table(ratings, scale=scale, rng=np.random.default_rng(1))


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    return float(leave_one_out(a[:, None], b[:, None]).estimate[0])


def test_the_draws_of_a_share_are_the_beta_distribution():
    """Weights of the Bayesian bootstrap: a share of 30 of 50 is Beta(30, 20)."""
    values = np.repeat([1.0, 0.0], [30, 20])
    weights = item_weights([str(n) for n in range(50)])
    shares = weights @ values / weights.sum(axis=1)
    reference = stats.beta(30, 20).ppf([0.025, 0.25, 0.5, 0.75, 0.975])
    assert np.quantile(shares, [0.025, 0.25, 0.5, 0.75, 0.975]) == pytest.approx(
        reference, abs=0.01
    )


def test_a_mean_gets_students_interval():
    x = np.random.default_rng(5).normal(0, 1, 20)
    weights = item_weights([str(n) for n in range(20)])
    low, middle, high = drawn_interval(weights @ x / weights.sum(axis=1), 20)
    expected = stats.ttest_1samp(x, 0).confidence_interval()
    assert (low, high) == pytest.approx(tuple(expected), abs=0.06)
    assert low < middle < high


def test_a_skewed_mean_gets_its_skewness_back():
    """Hall (1992): t's quantiles move by (2 z^2 + 1) / 6 times the skewness over root n."""
    x = np.tile([0.0, 0.0, 0.0, 0.0, 5.0], 20)
    weights = item_weights([str(n) for n in range(100)])
    low, _, high = drawn_interval(weights @ x / weights.sum(axis=1), 100, skewed=True)
    error = x.std(ddof=1) / 10
    t, z = stats.t.ppf(0.975, 99), stats.norm.ppf(0.975)
    move = (2 * z**2 + 1) / 6 * stats.skew(x) / 10 * error
    assert (low, high) == pytest.approx(
        (x.mean() - t * error + move, x.mean() + t * error + move), abs=0.06
    )
    plain = drawn_interval(weights @ x / weights.sum(axis=1), 100)
    assert high > plain[2] + 0.01


def test_intervals_hold_where_most_ratings_are_alike():
    truth = kappa(*skewed(0, items=200_000).T)
    held, before = 0, 0
    for seed in range(1, 101):
        a, b = skewed(seed).T
        found = {one.coefficient: one for one in coefficient_intervals(a, b, scale=(1, 5))}
        one = found["kappa_quadratic"]
        held += one.low <= truth <= one.high
        left = leave_one_out(a[:, None], b[:, None]).kappa[:, 0]
        low, high = jackknife_interval(one.estimate, left, corrected=True, fisher=True)
        before += low <= truth <= high
    assert held >= 92
    assert before < held


@pytest.mark.parametrize("values", [(1.0, 2.0), (1.0, 5.0)])
def test_no_interval_is_without_width_while_ratings_differ(values):
    a = np.resize([values[0]] * 9 + [values[1]], 50)
    for b in (a, a.clip(1, 4) + 0.0, 6 - a):
        for one in coefficient_intervals(a, b, scale=(1, 5)):
            assert one.low < one.high, one
            assert one.low <= one.estimate <= one.high
    by = {one.coefficient: one for one in coefficient_intervals(a * 0 + 2, a * 0 + 3, scale=(1, 5))}
    assert (by["bias"].low, by["bias"].high) == (-1, -1)  # the ratings are constant
    assert np.isnan(coefficient_intervals(a * 0 + 2, a * 0 + 2, scale=(1, 5))[4].low)


def test_order_sides_and_the_scale_do_not_matter():
    a, b = skewed(3).T
    one = coefficient_intervals(a, b, scale=(1, 5))
    order = np.random.default_rng(1).permutation(50)
    again = coefficient_intervals(a[order], b[order], scale=(1, 5))
    swapped = coefficient_intervals(b, a, scale=(1, 5))
    stretched = coefficient_intervals(10 * a, 10 * b, scale=(10, 50))
    for x, y, z, w in zip(one, again, swapped, stretched, strict=True):
        assert (x.low, x.high) == pytest.approx((y.low, y.high)), x.coefficient
        if x.coefficient != "bias":
            assert (x.low, x.high) == pytest.approx((z.low, z.high), abs=1e-6), x.coefficient
        if x.coefficient not in ("bias", "within_one"):
            assert (x.low, x.high) == pytest.approx((w.low, w.high), abs=0.06), x.coefficient


def test_imagined_items_are_of_the_scale_around_what_was_seen():
    assert imagined(np.array([2.0, 2.0, 3.0]), (1, 7)).levels.tolist() == [1, 2, 3, 4]
    assert imagined(np.array([1.0, 5.0]), (1, 5)).levels.tolist() == [1, 2, 3, 4, 5]
    wide = imagined(np.arange(40.0, 90.0), (0, 100)).levels
    assert len(wide) == 11
    assert (wide.min(), wide.max()) == (40, 89)
    unseen = imagined(np.array([1.0, 5.0]), (1, 5))
    assert unseen.weights.shape == (DRAWS, 125)
    assert unseen.weights.sum(axis=1).mean() == pytest.approx(IMAGINED, abs=0.05)
    given = np.column_stack([unseen.ratings(name) for name in ("p", "q")])
    assert (given[:5, 0] == given[:5, 1]).all()
    assert abs(np.corrcoef(given[5:].T)[0, 1]) < 0.3


def test_many_items_need_no_draws_unless_they_are_alike():
    assert telling(999, 200)
    assert not telling(2000, 900)
    assert telling(2000, 1900)
    spread = np.clip(skewed(2, 1500) + np.arange(1500)[:, None] % 3, 1, 5)
    many = table_of(tidy(spread, "p q"))
    assert many.left_out.drawn_kappa is None
    assert table_of(tidy(skewed(2, 1500, shared=0.999), "p q")).left_out.drawn_kappa is None
    assert table_of(tidy(skewed(2, 800), "p q")).left_out.drawn_kappa is not None


def test_one_number_has_one_interval_wherever_it_stands():
    values = skewed(9, raters=3)
    table = table_of(tidy(values, "p q m"))
    bar = yardstick(table)
    people = panel(tidy(values, "p q m"), scale=(1, 5))
    row = table.to_frame().query("annotator_a == 'p' and annotator_b == 'q'").iloc[0]
    cells = table.coefficients_frame().query("annotator_a == 'p' and annotator_b == 'q'").iloc[0]
    summary = bar.to_frame().set_index(["annotator", "dimension"])
    drawn = beside_people(bar, crowd(people)).query("annotator == 'people'")
    quantity = {
        (one.who, one.what, one.dimension): one.sample.interval
        for one in of_yardstick(bar, kappa="quadratic kappa")
    }
    expected = pytest.approx((row["kappa_quadratic_low"], row["kappa_quadratic_high"]), abs=1e-5)
    assert (cells["kappa_quadratic_low"], cells["kappa_quadratic_high"]) == expected
    for name in ("all", "warmth"):
        at = summary.loc[("humans", name)]
        assert (at["humans_low"], at["humans_high"]) == expected
        assert quantity[("humans", "kappa", name)] == expected
        of_figure = drawn[drawn["dimension"] == name].iloc[0]
        assert (of_figure["low"], of_figure["high"]) == expected
    assert (row["spearman_low"], row["spearman_high"]) == (
        cells["spearman_low"],
        cells["spearman_high"],
    )
    assert plot_beside_people(beside_people(bar, crowd(people))) is not None


def test_a_pair_has_one_interval_whoever_else_is_in_the_table():
    values = skewed(9, raters=4)
    ends = []
    for names in ("p q r m", "p q"):
        frame = table_of(tidy(values, "p q r m"), (1, 5)).to_frame()
        one = agreement_table(
            tidy(values, "p q r m"),
            scale=(1, 5),
            rng=np.random.default_rng(2),
            humans=[name for name in names.split() if name != "m"],
            judges=[name for name in names.split() if name == "m"],
        ).to_frame()
        ends.append(one.query("annotator_a == 'p' and annotator_b == 'q'"))
        assert len(frame)
    pd.testing.assert_frame_equal(*ends)


def test_pairs_weigh_what_they_share_and_the_crowd_does_not_answer_again():
    rng = np.random.default_rng(4)
    truth = rng.normal(3, 1, 120)
    values = np.clip(np.round(truth[:, None] + rng.normal(0, [0.5, 0.5, 1.5, 0.7], (120, 4))), 1, 5)
    values[15:, 2] = np.nan  # r shares 15 items with the others
    ratings = tidy(values, "p q r m")
    bar = yardstick(table_of(ratings))
    pairs = [(0, 1), (0, 2), (1, 2)]
    shared = [int((~np.isnan(values[:, a] + values[:, b])).sum()) for a, b in pairs]
    kappas = [kappa(values[:n, a], values[:n, b]) for (a, b), n in zip(pairs, shared, strict=True)]
    assert shared == [120, 15, 15]
    assert bar.humans["warmth"].value == pytest.approx(np.average(kappas, weights=shared))
    found = crowd(panel(ratings, scale=(1, 5)))
    shown = found.to_frame(answered=bar.answered()).set_index(["annotator", "dimension"])
    assert shown[["person", "judge", "difference", "difference_low"]].isna().all(axis=None)
    assert shown.loc[("humans", "warmth"), "alpha_ordinal"] > 0
    assert found.to_frame()["difference"].notna().any()


def test_readings_are_corrected_over_a_judges_dimensions():
    def one(middle: float) -> Sample:
        draws = middle + 0.1 * stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
        left = np.linspace(0, 1, 400)
        return Sample(middle, left, np.ones(400, bool), bound=2.0, draws=draws, compared=True)

    few = [one(0.23), one(-0.4), one(0.0)]
    p_values = [sample.p_value for sample in few]
    assert p_values == pytest.approx(2 * stats.norm.sf(np.abs([2.3, -4, 0]) / 1.005), abs=2e-3)
    assert [said for _, said in readings(few)] == [ABOVE, SHORT, OPEN]
    assert [said for _, said in readings([*few, *[one(0.0)] * 7])][:2] == [OPEN, SHORT]
    assert [p for p, _ in readings(few)] == pytest.approx(list(adjust(p_values, "holm")))
    assert readings([]) == []
    for sample in few:
        low, high = sample.interval
        assert (sample.p_value < 0.05) == (low > 0 or high < 0)


def test_a_mean_of_one_is_that_one():
    left = leave_one_out(*(column[:, None] for column in skewed(1).T))
    sample = left.of_kappa(0, 0.95)
    assert mean_of([sample]).interval == pytest.approx(sample.interval)


@pytest.mark.parametrize(
    ("names", "dimension", "says"),
    [
        ("p q m", "all", "the mean over dimensions"),
        ("p q a_single_person", "warmth", "people together"),
        ("p q m_humans", "warmth", "people together"),
    ],
)
def test_words_of_the_tables_are_no_names(names, dimension, says):
    ratings = tidy(skewed(1, raters=3), names, dimension)
    spelled = {"a_single_person": "a single person", "m_humans": "humans"}
    ratings["rater_id"] = ratings["rater_id"].replace(spelled)
    for read in (table_of, lambda table: panel(table, scale=(1, 5))):
        with pytest.raises(RatifyError, match=says):
            read(ratings)


def test_people_may_be_called_what_only_a_judge_may_not():
    ratings = tidy(skewed(1, raters=3), "p q m").replace({"rater_id": {"p": "people"}})
    assert ("people", "q") in itertools.product(table_of(ratings).humans, repeat=2)


def test_a_scale_far_wider_than_the_ratings_is_named():
    frame = tidy(skewed(1), "p q")
    assert wide_scale(frame, (1, 5)) == []
    [said] = wide_scale(frame, (1, 100))
    low, high = frame["value"].min(), frame["value"].max()
    assert f"All ratings lie between {low:g} and {high:g}, but the scale given is 1 to 100" in said
    values = skewed(1)
    ac2 = [
        next(
            c.estimate
            for c in coefficient_intervals(*values.T, scale=ends)
            if c.coefficient == "ac2"
        )
        for ends in ((1, 100), (low, high))
    ]
    assert f"is {ac2[0]:.2f} on it, and {ac2[1]:.2f} on" in said


def test_what_was_asked_about_a_cut_is_said():
    table = panel(tidy(skewed(4, raters=3), "p q m"), scale=(1, 5))
    rows = at_cut(table, cut=2)
    [said] = at_cuts(rows, ["m"])
    assert said.startswith(
        "At the cut ≥ 2, m (and a single person) finds of the other people's cases"
    )
    [mine] = [
        row.estimate
        for row in rows
        if (row.annotator, row.measure, row.reference) == ("m", "sensitivity", OTHERS)
    ]
    assert f" {mine:.0%} [" in said
    assert at_cuts((), ["m"]) == []
