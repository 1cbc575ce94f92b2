"""If these fail, one source is called better than another by errors that forget who rated what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.sources.ratings import source_ratings
from analysis.sources.rows import ALL
from prereg.errors import RatifyError

SOURCES = ("gpt", "human", "llama")


def study(seed: int = 1, raters: int = 20, each: int = 6, items: int = 8):
    """Return ratings on two dimensions and an items table with style features."""
    rng = np.random.default_rng(seed)
    n = len(SOURCES) * items
    listed = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(n)],
            "source": [SOURCES[k % 3] for k in range(n)],
            "scenario": ["home" if k < n // 2 else "work" for k in range(n)],
            "post": [f"p{k // 3}" for k in range(n)],
            "words": rng.poisson(60 + 20 * (np.arange(n) % 3)).astype(float),
            "emoji": rng.poisson(1, n).astype(float),
        }
    )
    seen = np.concatenate([rng.choice(n, each, replace=False) for _ in range(raters)])
    rater = np.repeat(np.arange(raters), each)
    quality = 0.02 * listed["words"].to_numpy() + rng.normal(size=n) * 0.4
    parts = [
        pd.DataFrame(
            {
                "rater_id": [f"r{k}" for k in rater],
                "item_id": listed["item_id"].to_numpy()[seen],
                "dimension": dimension,
                "value": np.round(
                    2 + quality[seen] + rng.normal(size=raters)[rater] + rng.normal(size=len(seen)),
                    2,
                ),
            }
        )
        for dimension in ("warmth", "clarity")
    ]
    return pd.concat(parts, ignore_index=True), listed


@pytest.fixture(scope="module")
def data():
    return study()


@pytest.fixture(scope="module")
def found(data):
    ratings, items = data
    style = items[["item_id", "words", "emoji"]]
    return source_ratings(ratings, items, reference="human", domain="scenario", style=style)


def pick(table, **where):
    mask = np.logical_and.reduce([table[column] == value for column, value in where.items()])
    assert mask.sum() == 1
    return table[mask].iloc[0]


def test_means_are_means_of_ratings(data, found):
    ratings, items = data
    table = ratings.merge(items, on="item_id")
    whole = table.groupby(["dimension", "source"])["value"]
    within = table.groupby(["dimension", "scenario", "source"])["value"]
    assert len(found.means) == 2 * 3 * 3
    for row in found.means.to_dict("records"):
        key = (row["dimension"], row["source"])
        if row["domain"] == ALL:
            values = whole.get_group(key)
        else:
            values = within.get_group((key[0], row["domain"], key[1]))
        assert row["estimate"] == pytest.approx(values.mean())
        assert row["n"] == len(values)
        assert row["low"] < row["estimate"] < row["high"]
    one = pick(found.means, dimension="warmth", domain=ALL, source="gpt")
    rated = table[(table["dimension"] == "warmth") & (table["source"] == "gpt")]
    assert (one["raters"], one["items"]) == (rated["rater_id"].nunique(), 8)
    assert (found.n, found.n_dropped, found.n_raters, found.n_items) == (240, 0, 20, 24)


def test_contrasts_at_equal_style_are_those_of_least_squares(data, found):
    ratings, items = data
    table = ratings[ratings["dimension"] == "warmth"].merge(items, on="item_id")
    formula = "value ~ C(source, Treatment('human')) + words + emoji"
    theirs = smf.ols(formula, table.astype({"source": object})).fit()
    for name in ("gpt", "llama"):
        where = {"dimension": "warmth", "domain": ALL, "contrast": f"{name} - human"}
        raw, equal, change = (
            pick(found.contrasts, **where, model=model) for model in ("raw", "adjusted", "change")
        )
        term = f"C(source, Treatment('human'))[T.{name}]"
        assert equal["estimate"] == pytest.approx(theirs.params[term])
        means = table.groupby("source")["value"].mean()
        assert raw["estimate"] == pytest.approx(means[name] - means["human"])
        assert change["estimate"] == pytest.approx(equal["estimate"] - raw["estimate"])
        assert change["low"] < change["estimate"] < change["high"]
    slope = pick(found.style, dimension="warmth", feature="words")
    assert slope["estimate"] == pytest.approx(theirs.params["words"])
    assert slope["low"] < 0.02 < slope["high"]


def test_raters_of_one_rating_are_welchs_test():
    rng = np.random.default_rng(2)
    items = pd.DataFrame({"item_id": ["a", "b", "c"], "source": ["x", "x", "y"]})
    ratings = pd.DataFrame(
        {
            "rater_id": [f"r{k}" for k in range(50)],
            "dimension": "d",
            "item_id": ["a"] * 10 + ["b"] * 10 + ["c"] * 30,
            "value": rng.normal(size=50),
        }
    )
    row = source_ratings(ratings, items, cluster="rater").contrasts.iloc[0]
    welch = stats.ttest_ind(ratings["value"][:20], ratings["value"][20:], equal_var=False)
    assert row["estimate"] / row["se"] == pytest.approx(welch.statistic)
    # one item cannot stand for a source's other items
    both = source_ratings(ratings, items).contrasts.iloc[0]
    assert np.isnan(both["low"])
    assert both["note"] == "rests on a single item: no interval"
    assert both["estimate"] == pytest.approx(row["estimate"])


@pytest.mark.parametrize("family", ["all", "dimension"])
def test_corrections_are_over_the_family_they_name(data, family):
    ratings, items = data
    got = source_ratings(
        ratings,
        items,
        domain="scenario",
        style=items[["item_id", "words"]],
        family=family,
        correction="benjamini_hochberg",
    ).contrasts
    tested = got[got["model"] != "change"]
    keys = [tested["model"], tested["domain"] == ALL]
    sizes = {("raw", True): 6, ("raw", False): 12, ("adjusted", True): 6}
    if family == "dimension":
        keys.append(tested["dimension"])
    for key, part in tested.groupby(keys):
        assert len(part) == sizes[key[:2]] // (1 + (family == "dimension"))
        theirs = multipletests(part["p"], method="fdr_bh")[1]
        assert part["p_adjusted"].to_numpy() == pytest.approx(theirs)
    assert got.loc[got["model"] == "change", "p_adjusted"].isna().all()


@settings(max_examples=6)
@given(st.integers(0, 10_000))
def test_names_order_and_sides_do_not_matter(seed):
    ratings, items = study(seed % 7, raters=12)
    rng = np.random.default_rng(seed)
    plain = source_ratings(ratings, items, correction="none")
    renamed = items.assign(source=items["source"].map({"gpt": "z", "human": "h", "llama": "a"}))
    shuffled = ratings.iloc[rng.permutation(len(ratings))]
    other = source_ratings(shuffled, renamed, correction="none")
    one = pick(plain.contrasts, dimension="warmth", contrast="gpt - llama")
    two = pick(other.contrasts, dimension="warmth", contrast="a - z")
    assert one["estimate"] == pytest.approx(-two["estimate"])
    assert one[["se", "df", "p"]].to_numpy(float) == pytest.approx(
        two[["se", "df", "p"]].to_numpy(float)
    )
    assert (one["low"], one["high"]) == pytest.approx((-two["high"], -two["low"]))


def test_saying_everything_twice_makes_nothing_surer(data):
    ratings, items = data
    once = source_ratings(ratings, items).means
    twice = source_ratings(pd.concat([ratings, ratings], ignore_index=True), items).means
    assert twice["se"].to_numpy() == pytest.approx(once["se"].to_numpy(), rel=1e-9)


def test_responses_to_one_post_may_share_an_error(data):
    ratings, items = data
    got = source_ratings(ratings, items, item_cluster="post").contrasts.iloc[0]
    assert got["items"] == 8


def test_features_that_say_nothing_are_left_out_and_named(data):
    ratings, items = data
    style = items[["item_id", "words"]].assign(
        we=np.nan, fixed=items["source"].map({"gpt": 1, "human": 2, "llama": 3}), twice=0.0
    )
    style["twice"] = 2 * style["words"]
    got = source_ratings(ratings, items, style=style)
    assert set(got.style["feature"]) == {"words"}
    said = " ".join(got.notes)
    assert "we is left out: it cannot be computed" in said
    assert "fixed is left out: within sources it does not vary" in said
    assert "twice is left out" in said
    style.loc[0, "words"] = np.nan
    part = source_ratings(ratings, items, style=style[["item_id", "words"]])
    assert "ratings of texts with a missing feature" in part.notes[0]
    none = source_ratings(ratings, items, style=style[["item_id", "we"]])
    assert none.style.empty
    equal = none.contrasts[none.contrasts["model"] == "adjusted"]
    assert equal["estimate"].isna().all()
    assert set(equal["note"]) == {"no style feature is left to adjust for"}


def test_a_source_that_lacks_a_domain_is_named(data):
    ratings, items = data
    moved = items.assign(scenario=items["scenario"].mask(items["source"].eq("llama"), "work"))
    got = source_ratings(ratings, moved, domain="scenario")
    mean = pick(got.means, dimension="warmth", domain="home", source="llama")
    assert np.isnan(mean["estimate"])
    assert mean["n"] == 0
    row = pick(got.contrasts, dimension="warmth", domain="home", contrast="human - llama")
    assert row["note"] == "no ratings of llama here"
    assert np.isnan(row["p_adjusted"])


def test_wrong_tables_end_in_one_line(data):
    ratings, items = data
    with pytest.raises(RatifyError, match=r"reference|rated source.*gpt, human, llama"):
        source_ratings(ratings, items, reference="claude")
    with pytest.raises(RatifyError, match="no column 'author'"):
        source_ratings(ratings, items, source="author")
    with pytest.raises(RatifyError, match=r"row 2.*item_id.*not in the items table"):
        source_ratings(ratings, items[items["item_id"] != ratings["item_id"][0]])
    with pytest.raises(RatifyError, match="has no source"):
        source_ratings(ratings, items.assign(source=["", *items["source"][1:]]))
    with pytest.raises(RatifyError, match="there is only one source"):
        source_ratings(ratings, items.assign(source="x"))
    with pytest.raises(RatifyError, match="occurs more than once"):
        source_ratings(ratings, pd.concat([items, items]))
    with pytest.raises(RatifyError, match="unknown cluster"):
        source_ratings(ratings, items, cluster="nobody")  # type: ignore[arg-type]
    lacking = ratings.assign(value=ratings["value"].astype(object))
    lacking.loc[3, "value"] = ""
    assert source_ratings(lacking, items).n_dropped == 1
    lacking.loc[3, "value"] = "four"
    with pytest.raises(RatifyError, match=r"row 5.*value.*four"):
        source_ratings(lacking, items)
