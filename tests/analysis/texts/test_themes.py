"""If these fail, a theme is said to come up more often when it does not, or texts go missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from analysis.texts.themes import theme_change, theme_labels
from prereg.errors import RatifyError

THEMES = ("relief", "anger", "advice")


def study(seed: int = 1, people: int = 60, same: bool = True):
    """Return texts, some without any theme, and their labels; the same people twice, or others."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for at, time in enumerate(("before", "after")):
        for number in range(people):
            person = f"p{number + (0 if same else at * people)}"
            text = f"{person}-{time}"
            texts.append({"text_id": text, "person_id": person, "time": time})
            chance = (0.2 + 0.3 * at, 0.4, 0.3 - 0.1 * at)
            labels += [
                {"text_id": text, "person_id": person, "time": time, "theme": theme}
                for theme, p in zip(THEMES, chance, strict=True)
                if rng.random() < p
            ]
    return pd.DataFrame(texts), pd.DataFrame(labels)


@pytest.fixture(scope="module")
def data():
    return study()


@pytest.fixture(scope="module")
def found(data):
    return theme_change(*data)


def row(table, **where):
    mask = np.logical_and.reduce([table[column] == value for column, value in where.items()])
    assert mask.sum() == 1
    return table[mask].iloc[0]


def counts(labels, theme):
    mine = labels[labels["theme"] == theme]
    return [int((mine["time"] == time).sum()) for time in ("after", "before")]


def test_two_proportions_are_statsmodels_own_with_their_correction(data, found):
    _, labels = data
    p_values = {}
    for theme in sorted(THEMES):
        got = row(found.changes, theme=theme, test="two_proportions")
        z, p_values[theme] = proportions_ztest(counts(labels, theme), [60, 60])
        assert (got["statistic"], got["p"]) == pytest.approx((z, p_values[theme]))
        after, before = counts(labels, theme)
        assert got["estimate"] == pytest.approx((after - before) / 60)
        assert got["low"] < got["estimate"] < got["high"]
    mine = found.changes[found.changes["test"] == "two_proportions"].set_index("theme")
    theirs = multipletests(list(p_values.values()), method="fdr_bh")[1]
    assert mine.loc[list(p_values), "p_adjusted"].to_numpy() == pytest.approx(theirs)
    assert "Benjamini-Hochberg" in found.method


def test_paired_people_are_mcnemars(data, found):
    _, labels = data
    has = {
        time: set(labels[(labels["theme"] == "relief") & (labels["time"] == time)]["person_id"])
        for time in ("before", "after")
    }
    gained, lost = len(has["after"] - has["before"]), len(has["before"] - has["after"])
    table = row(found.pairs, theme="relief")
    assert (table["gained"], table["lost"]) == (gained, lost)
    assert table[["both", "gained", "lost", "neither"]].sum() == 60
    got = row(found.changes, theme="relief", test="paired")
    assert got["p"] == pytest.approx(binomtest(gained, gained + lost).pvalue)
    assert got["n"] == 60
    assert "60 of 60 people have texts at both times" in found.notes[0]


def test_the_clustered_error_knows_who_wrote_twice(data):
    texts, labels = data
    alone = theme_change(*study(same=False))
    assert alone.notes == ()
    assert row(alone.pairs, theme="relief")[["both", "gained", "lost", "neither"]].sum() == 0
    nobody = row(alone.changes, theme="relief", test="paired")
    assert np.isnan(nobody["p"])
    assert nobody["note"] == "nobody has texts at both times"
    # everybody's text again and again: no surer, though the z test believes so
    many = pd.concat([texts.assign(text_id=texts["text_id"] + f"/{k}") for k in range(4)])
    more = pd.concat([labels.assign(text_id=labels["text_id"] + f"/{k}") for k in range(4)])
    once, four = theme_change(texts, labels), theme_change(many, more)
    for test, ratio in (("clustered", 1.0), ("two_proportions", 0.5), ("paired", 1.0)):
        wide, narrow = (row(each.changes, theme="relief", test=test) for each in (once, four))
        assert narrow["estimate"] == pytest.approx(wide["estimate"])
        assert (narrow["high"] - narrow["low"]) / (wide["high"] - wide["low"]) == pytest.approx(
            ratio, abs=0.02
        )


def test_texts_without_a_theme_count(data, found):
    texts, labels = data
    here = row(found.incidence, theme="anger", time="before")
    assert (here["n"], here["people"]) == (60, 60)
    assert here["texts"] == counts(labels, "anger")[1]
    silent = theme_change(texts, labels, themes=[*THEMES, "joy"])
    assert row(silent.incidence, theme="joy", time="after")["estimate"] == 0
    never = row(silent.changes, theme="joy", test="two_proportions")
    assert np.isnan(never["p"])
    assert never["estimate"] == 0


def test_long_and_wide_and_person_tables_say_the_same(data, found):
    texts, labels = data
    wide = texts.assign(
        **{t: texts["text_id"].isin(labels[labels["theme"] == t]["text_id"]) for t in THEMES}
    )
    again = theme_labels(wide.astype(dict.fromkeys(THEMES, int)).astype(str), THEMES)
    by_person = labels.drop(columns="text_id")
    twice = pd.concat([labels, labels])
    for other in (again, by_person, twice):
        got = theme_change(texts.sample(frac=1, random_state=2), other)
        pd.testing.assert_frame_equal(got.changes, found.changes)
    assert theme_labels(wide.assign(relief=0), ["relief"]).empty
    with pytest.raises(RatifyError, match=r"anger.*not a flag"):
        theme_labels(wide.assign(anger=2), ["anger"])


def test_before_and_after_exchanged_turn_the_sign(data, found):
    texts, labels = data
    back = theme_change(texts, labels, before="after", after="before")
    for one, two in zip(
        found.changes.to_dict("records"), back.changes.to_dict("records"), strict=True
    ):
        assert two["estimate"] == pytest.approx(-one["estimate"])
        assert (two["low"], two["high"]) == pytest.approx((-one["high"], -one["low"]), abs=1e-9)
        assert two["p"] == pytest.approx(one["p"])


def test_other_times_are_left_out_and_counted(data, found):
    texts, labels = data
    later = pd.DataFrame({"text_id": ["x"], "person_id": ["p1"], "time": ["later"]})
    got = theme_change(pd.concat([texts, later]), pd.concat([labels, later.assign(theme="relief")]))
    pd.testing.assert_frame_equal(got.changes, found.changes)
    assert got.notes[-1] == "1 texts of other times are left out."


def test_wrong_tables_end_in_one_line(data):
    texts, labels = data
    with pytest.raises(RatifyError, match=r"no text is of this time.*after, before"):
        theme_change(texts, labels, after="week 2")
    with pytest.raises(RatifyError, match="no text in the table of texts"):
        theme_change(texts.iloc[1:], pd.concat([texts.iloc[:1].assign(theme="relief"), labels]))
    with pytest.raises(RatifyError, match=r"is not a theme.*relief"):
        theme_change(texts, labels, themes=["relief"])
    with pytest.raises(RatifyError, match="occurs more than once"):
        theme_change(pd.concat([texts, texts]), labels)
    several = pd.concat([texts, texts.assign(text_id=texts["text_id"] + "/2")])
    with pytest.raises(RatifyError, match="several texts at one time"):
        theme_change(several, labels.drop(columns="text_id"))
    with pytest.raises(RatifyError, match="one text per person and time"):
        theme_change(several.drop(columns="text_id"), labels.drop(columns="text_id"))
