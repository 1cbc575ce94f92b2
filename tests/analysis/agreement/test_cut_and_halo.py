"""If this failed, who finds the cases at a cut, or whose errors go together, would be wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from analysis.agreement.cut import MEDIAN, OTHERS, PERSON, at_cut, to_frame
from analysis.agreement.halo import PEOPLE, halo
from analysis.agreement.panel import panel
from prereg.errors import RatifyError
from tests.analysis.agreement.test_alternative_annotator import ratings

TABLE = ratings({"p1": 0.7, "p2": 0.7, "p3": 0.9, "m": 0.8}, items=60)
WIDE = TABLE.pivot(index="item_id", columns=["dimension", "rater_id"], values="value")["warmth"]
HUMANS = ["p1", "p2", "p3"]


def share(rows, **where):
    [row] = [r for r in rows if all(getattr(r, name) == value for name, value in where.items())]
    return row


@pytest.mark.parametrize(("side", "cut"), [("at_least", 4), ("at_most", 2)])
def test_shares_are_recall_and_precision(side, cut):
    rows = at_cut(panel(TABLE, scale=(1, 5)), cut=cut, side=side, dimensions=["warmth"])

    def beyond(v):
        return v >= cut if side == "at_least" else v <= cut

    truth, found = beyond(WIDE[HUMANS].median(axis=1)), beyond(WIDE["m"])
    expected = {
        "sensitivity": recall_score(truth, found),
        "specificity": recall_score(~truth, ~found),
        "positive_predictive": precision_score(truth, found),
        "negative_predictive": precision_score(~truth, ~found),
    }
    for measure, value in expected.items():
        row = share(rows, annotator="m", reference=MEDIAN, measure=measure)
        assert row.estimate == pytest.approx(value)
        low, high = proportion_confint(round(value * row.cases), row.cases, method="wilson")
        assert (row.low, row.high) == pytest.approx((low, high))


def test_person_and_judge_face_the_same_people_left_out():
    rows = at_cut(panel(TABLE, scale=(1, 5)), cut=4, dimensions=["warmth"])
    hits, judge_hits, cases = 0, 0, 0
    for human in HUMANS:
        truth = WIDE[[h for h in HUMANS if h != human]].median(axis=1) >= 4
        cases += truth.sum()
        hits += (truth & (WIDE[human] >= 4)).sum()
        judge_hits += (truth & (WIDE["m"] >= 4)).sum()
        alone = share(rows, annotator=human, reference=OTHERS, measure="sensitivity")
        assert alone.estimate == pytest.approx((truth & (WIDE[human] >= 4)).sum() / truth.sum())
    for annotator, n in ((PERSON, hits), ("m", judge_hits)):
        row = share(rows, annotator=annotator, reference=OTHERS, measure="sensitivity")
        assert (row.estimate, row.cases) == (pytest.approx(n / cases), cases)
        assert 0 <= row.low < row.estimate < row.high <= 1


def test_the_cut_turned_round_is_the_cut():
    up = to_frame(at_cut(panel(TABLE, scale=(1, 5)), cut=4))
    turned = TABLE.assign(value=6 - TABLE["value"])
    down = to_frame(at_cut(panel(turned, scale=(1, 5)), cut=2, side="at_most"))
    pd.testing.assert_frame_equal(up.drop(columns="cut"), down.drop(columns="cut"))


def test_a_cut_without_cases_has_no_share():
    low = TABLE.assign(value=TABLE["value"].clip(upper=4))
    row = share(
        at_cut(panel(low, scale=(1, 5)), cut=5, dimensions=["warmth"]),
        annotator="m",
        reference=MEDIAN,
        measure="sensitivity",
    )
    assert row.cases == 0
    assert np.isnan([row.estimate, row.low, row.high]).all()


@pytest.mark.parametrize(("cut", "side"), [(1, "at_least"), (6, "at_least"), (5, "at_most")])
def test_a_cut_outside_the_scale_is_refused(cut, side):
    with pytest.raises(RatifyError, match="one side of the cut"):
        at_cut(panel(TABLE, scale=(1, 5)), cut=cut, side=side)


# --- halo ------------------------------------------------------------------------------------


def errors_of(rater, human):
    """Return both dimensions' errors of a rater from the people but this one."""
    wide = TABLE.pivot(index="item_id", columns=["dimension", "rater_id"], values="value")
    others = [h for h in HUMANS if h != human]
    return [wide[d, rater] - wide[d][others].mean(axis=1) for d in ("advice", "warmth")]


def test_a_persons_halo_is_the_correlation_of_their_errors():
    found = halo(panel(TABLE, scale=(1, 5)))
    for human in HUMANS:
        [row] = found.of(human)
        assert row.correlation.value == pytest.approx(np.corrcoef(*errors_of(human, human))[0, 1])


def test_the_judge_is_held_against_the_same_others():
    found = halo(panel(TABLE, scale=(1, 5)))
    for who, [row] in ((PEOPLE, found.of(PEOPLE)), ("m", found.of("m"))):
        pairs = [errors_of(h if who == PEOPLE else "m", h) for h in HUMANS]
        x, y = (np.concatenate([p[at] - p[at].mean() for p in pairs]) for at in (0, 1))
        assert row.correlation.value == pytest.approx(np.corrcoef(x, y)[0, 1])
    [judge], [people] = found.of("m"), found.of(PEOPLE)
    assert judge.difference.value == pytest.approx(
        judge.correlation.value - people.correlation.value
    )
    low, high = judge.difference.interval
    assert low < judge.difference.value < high


def test_a_judge_whose_errors_go_together_shows():
    rng = np.random.default_rng(1)
    spill = pd.Series(rng.integers(-1, 2, 60), index=sorted(TABLE["item_id"].unique()))
    of_judge = TABLE["rater_id"] == "m"
    value = (TABLE["value"] + TABLE["item_id"].map(spill).where(of_judge, 0)).clip(1, 5)
    [before], [after] = (
        halo(panel(t, scale=(1, 5))).of("m") for t in (TABLE, TABLE.assign(value=value))
    )
    assert after.difference.value > before.difference.value + 0.15
    assert after.difference.interval[0] > 0


def test_few_items_or_one_dimension_give_no_halo():
    few = halo(panel(TABLE[TABLE["item_id"] < "i009"], scale=(1, 5))).to_frame()
    assert few["correlation"].isna().all()
    with pytest.raises(RatifyError, match="two dimensions"):
        halo(panel(TABLE[TABLE["dimension"] == "warmth"], scale=(1, 5)))
