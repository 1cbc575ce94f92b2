"""If these fail, a source is said to be picked more often than chance when it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from analysis.sources.shares import best_worst_shares
from prereg.errors import RatifyError

SOURCES = ("a", "b", "c", "d")


def study(seed: int = 1, raters: int = 25, trials: int = 4, pull: float = 0.0):
    """Return best-worst trials in which each source is shown once, and their items."""
    rng = np.random.default_rng(seed)
    items = pd.DataFrame(
        {"item_id": [f"{s}{k}" for k in range(10) for s in SOURCES], "source": [*SOURCES] * 10}
    )
    rows = []
    for rater in range(raters):
        for trial in range(trials):
            scene = rng.integers(10)
            liking = rng.gumbel(size=4) + pull * np.arange(4)
            rows += [
                {
                    "trial_id": f"{rater}-{trial}",
                    "rater_id": f"r{rater}",
                    "item_id": f"{source}{scene}",
                    "picked": "most"
                    if at == liking.argmax()
                    else "least"
                    if at == liking.argmin()
                    else "",
                }
                for at, source in enumerate(SOURCES)
            ]
    return pd.DataFrame(rows), items


@pytest.fixture(scope="module")
def data():
    return study(pull=0.7)


@pytest.fixture(scope="module")
def found(data):
    return best_worst_shares(*data)


def row(table, **where):
    mask = np.logical_and.reduce([table[column] == value for column, value in where.items()])
    assert mask.sum() == 1
    return table[mask].iloc[0]


def test_shares_are_counts_over_showings(data, found):
    trials, items = data
    table = trials.merge(items, on="item_id")
    for picked in ("most", "least"):
        counts = table[table["picked"] == picked].groupby("source").size() / 100
        mine = found.shares[found.shares["picked"] == picked].set_index("source")
        assert mine["estimate"].to_dict() == pytest.approx(
            counts.reindex(SOURCES).fillna(0).to_dict()
        )
        assert mine["estimate"].sum() == pytest.approx(1)
        assert set(mine["chance"]) == {0.25}
        assert set(mine["n"]) == {100}
    net = found.shares[found.shares["picked"] == "net"]
    assert net["estimate"].sum() == pytest.approx(0)
    assert (found.n_trials, found.n_raters, found.n_items) == (100, 25, 40)
    best = row(found.contrasts, picked="most", contrast="a - d")
    ends = [row(found.shares, picked="most", source=s)["estimate"] for s in "ad"]
    assert best["estimate"] == pytest.approx(ends[0] - ends[1])
    assert best["high"] < 0


def test_one_trial_a_rater_is_wilsons_interval():
    trials, items = study(3, raters=60, trials=1)
    got = best_worst_shares(trials, items, cluster="rater")
    mine = row(got.shares, picked="most", source="b")
    # CR2 takes n - 1 for n; the quantile is t's
    level = 2 * stats.norm.cdf(stats.t.ppf(0.975, 59)) - 1
    low, high = proportion_confint(mine["estimate"] * 59, 59, 1 - level, method="wilson")
    assert (mine["low"], mine["high"]) == pytest.approx((low, high))
    z = (mine["estimate"] - 0.25) / np.sqrt(0.25 * 0.75 / 59)
    assert mine["p"] == pytest.approx(2 * stats.t.sf(abs(z), 59 - 1), rel=0.02)


def test_the_test_of_chance_and_the_interval_agree(found):
    shares = found.shares[found.shares["picked"] != "net"]
    outside = (shares["low"] > shares["chance"]) | (shares["high"] < shares["chance"])
    assert outside.tolist() == (shares["p"] < 0.05).tolist()
    assert outside.any()


def test_families_are_chance_net_and_each_kind_of_contrast(found):
    shares = found.shares
    chance = shares[shares["picked"] != "net"]
    theirs = multipletests(chance["p"], method="holm")[1]
    assert chance["p_adjusted"].to_numpy() == pytest.approx(theirs)
    for _, part in found.contrasts.groupby("picked"):
        assert len(part) == 6
        theirs = multipletests(part["p"], method="holm")[1]
        assert part["p_adjusted"].to_numpy() == pytest.approx(theirs)


def test_never_picked_is_a_share_with_an_upper_end(data):
    trials, items = data
    never = trials.assign(picked="")
    never["picked"] = np.tile(["", "most", "least", ""], 100)
    got = best_worst_shares(never, items).shares
    zero, whole = row(got, picked="most", source="a"), row(got, picked="most", source="b")
    assert (zero["estimate"], zero["low"], zero["note"]) == (0, 0, "picked always or never")
    assert 0.2 < zero["high"] < 0.45  # as of 10 picks: there are 10 items
    assert (whole["estimate"], whole["high"]) == (1, 1)
    assert whole["p"] < 0.001


def test_swapping_best_and_worst_swaps_the_answer(data, found):
    trials, items = data
    swapped = trials.assign(picked=trials["picked"].replace({"most": "least", "least": "most"}))
    got = best_worst_shares(swapped.sample(frac=1, random_state=1), items)
    for source in SOURCES:
        one = row(found.shares, picked="most", source=source)
        two = row(got.shares, picked="least", source=source)
        keys = ["estimate", "low", "high", "p"]
        assert one[keys].to_numpy(float) == pytest.approx(two[keys].to_numpy(float), abs=1e-9)
        net, ten = (row(t.shares, picked="net", source=source) for t in (found, got))
        assert net["estimate"] == pytest.approx(-ten["estimate"])


def test_chance_is_by_the_options_a_source_was_shown_with(data):
    trials, items = data
    first = trials["trial_id"].unique()[:50]
    fewer = trials[~(trials["trial_id"].isin(first) & trials["item_id"].str.startswith("d"))]
    whole = fewer.groupby("trial_id")["picked"].transform(lambda p: {"most", "least"} <= set(p))
    fewer = fewer[whole.to_numpy(bool)]
    got = best_worst_shares(fewer, items).shares
    options = fewer.groupby("trial_id")["item_id"].transform("size")
    mine = fewer["item_id"].str.startswith("a")
    assert row(got, picked="most", source="a")["chance"] == pytest.approx(
        (1 / options[mine]).mean()
    )
    assert row(got, picked="most", source="d")["chance"] == 0.25


def test_wrong_trials_end_in_one_line(data):
    trials, items = data
    with pytest.raises(RatifyError, match=r"row 2.*exactly one option picked as most"):
        best_worst_shares(trials.iloc[:4].assign(picked=["", "", "", "least"]), items)
    with pytest.raises(RatifyError, match="exactly one option picked as least"):
        best_worst_shares(trials.iloc[:4].assign(picked=["most", "", "", ""]), items)
    with pytest.raises(RatifyError, match=r"not a pick.*best.*most, least or empty"):
        best_worst_shares(trials.assign(picked="best"), items)
    with pytest.raises(RatifyError, match="several raters"):
        best_worst_shares(trials.assign(rater_id=[f"r{k}" for k in range(len(trials))]), items)
    with pytest.raises(RatifyError, match="no best-worst answers"):
        best_worst_shares(trials.iloc[:0], items)
