"""If these fail, what a plan registers about sources or themes is not what the report says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.evidence.evidence import Evidence
from analysis.registered.shares import run_best_worst_shares
from analysis.registered.sources import run_source_ratings
from analysis.registered.themes import run_themes
from analysis.results.figure_style import svg
from analysis.sources.figures import plot_best_worst_shares, plot_source_means
from analysis.texts.figures import plot_themes
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.errors import RatifyError

SOURCES = ("gpt", "human", "llama")
SAID = {"gpt": "I hear you! 😊 How are you?", "human": "I was there too.", "llama": "That is hard."}


def ratings(rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        {
            "rater_id": f"r{rater}",
            "item_id": f"i{item}",
            "dimension": dimension,
            "value": float(2 + (item % 3 == 0) + rng.integers(0, 3)),
        }
        for rater in range(15)
        for item in rng.choice(24, 6, replace=False)
        for dimension in ("warmth", "clear_words")
    ]
    return pd.DataFrame(rows)


def picks(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for trial in range(60):
        scene, order = rng.integers(8), rng.permutation(3)
        rows += [
            {
                "trial_id": f"t{trial}",
                "rater_id": f"r{trial % 15}",
                "option": place + 1,
                "item_id": f"i{3 * scene + place}",
                "picked": ["most", "least", ""][order[place]],
            }
            for place in range(3)
        ]
    return pd.DataFrame(rows)


def tables(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    texts = pd.DataFrame(
        [
            {"text_id": f"{p}-{t}", "person_id": f"p{p}", "time": t}
            for p in range(40)
            for t in ("before", "after")
        ]
    )
    themes = {
        "relief": np.where(texts["time"] == "after", 0.7, 0.2),
        "anger": np.full(len(texts), 0.4),
    }
    for name, chance in themes.items():
        texts[name] = (rng.random(len(texts)) < chance).astype(int).astype(str)
    labels = pd.concat(
        [texts.loc[texts[name] == "1", ["text_id"]].assign(theme=name) for name in themes]
    )
    return {"texts": texts, "labels": labels.reset_index(drop=True)}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    rng = np.random.default_rng(5)
    items = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(24)],
            "source": [SOURCES[k % 3] for k in range(24)],
            "scenario": ["home" if k < 12 else "work" for k in range(24)],
            "text": [SAID[SOURCES[k % 3]] + " Yes!" * (k % 4) for k in range(24)],
        }
    )
    tidy = tables(rng)
    plan = SimpleNamespace(language="en", scales=[SimpleNamespace(id="warmth")])
    stand_in = SimpleNamespace(
        plan=plan,
        items=items,
        ratings=ratings(rng),
        best_worst=picks(rng),
        raters="people",
        simulated=True,
        status="confirmatory",
        table=tidy.__getitem__,
        table_path=lambda name: Path(f"{name}.csv"),
    )
    return cast(Evidence, stand_in)


RATED = {
    "id": "rated",
    "kind": "source_ratings",
    "hypothesis": "h1",
    "sources": SOURCES,
    "reference": "human",
    "dimensions": ("warmth", "clear_words"),
    "domain": "scenario",
    "style": ("words", "exclamation_marks", "first_person_plural"),
}
PICKED = {"id": "picked", "kind": "best_worst_shares", "hypothesis": "h1", "sources": SOURCES}
TOLD = {
    "id": "told",
    "kind": "themes",
    "hypothesis": "h1",
    "texts": "texts",
    "labels": "labels",
    "themes": ("relief", "anger", "joy"),
}


@pytest.fixture(scope="module")
def findings(evidence: Evidence) -> dict[str, Any]:
    return {
        "rated": run_source_ratings(SourceRatings(**RATED), evidence),
        "picked": run_best_worst_shares(BestWorstShares(**PICKED), evidence),
        "told": run_themes(Themes(**TOLD), evidence),
    }


@pytest.mark.parametrize(
    "analysis", [SourceRatings(**RATED), BestWorstShares(**PICKED), Themes(**TOLD)]
)
def test_a_plan_knows_the_numbers_that_its_analysis_reports(analysis, findings, evidence):
    found = findings[analysis.id]
    names = [q.name for q in found.quantities]
    assert sorted(names) == sorted(analysis.quantity_names(evidence.plan))
    assert len(set(names)) == len(names)
    for quantity in found.quantities:
        assert quantity.status == "confirmatory"
        assert quantity.hypothesis == "h1"
        assert quantity.method
        if quantity.low is not None:
            assert quantity.low <= quantity.estimate <= quantity.high
    names = [t.name for t in found.tables] + [f.name for f in found.figures]
    assert all(name.startswith(analysis.id) for name in names)


def test_what_is_said_is_what_was_found(findings):
    by_name = {name: {q.name: q for q in finding.quantities} for name, finding in findings.items()}
    best = by_name["rated"]["warmth: gpt"]
    assert f"gpt ({best.estimate:.2f} [{best.low:.2f}, {best.high:.2f}]) highest" in (
        findings["rated"].sentence
    )
    relief = by_name["told"]["relief"]
    assert relief.p_value < 0.01
    low, high = (f"{100 * limit:.0f}" for limit in (relief.low, relief.high))
    said = f"relief {100 * relief.estimate:+.0f} [{low}, {high}] percentage points"
    assert said in findings["told"].sentence
    assert "same people" in findings["told"].sentence
    assert by_name["told"]["joy"].estimate == 0
    share = by_name["picked"]["most: gpt"]
    assert f"gpt {share.estimate:.0%}" in findings["picked"].sentence
    assert "By chance 0.333" in share.note


def test_what_counts_as_changed_follows_the_plans_level(evidence, findings):
    relief = next(q for q in findings["told"].quantities if q.name == "relief")
    beyond = 1 - relief.p_value / 2  # no chance as small as this one's is left to such a test
    strict = run_themes(Themes(**TOLD, level=beyond), evidence)
    assert "in 1 of 3 themes" in findings["told"].sentence
    assert "in 0 of 3 themes" in strict.sentence
    assert {table.level for table in strict.tables} == {beyond}
    rated = run_source_ratings(SourceRatings(**RATED, level=1 - 1e-9), evidence)
    assert "0 of 2 differences beyond chance" in rated.sentence
    assert "0 of 2 differences" not in findings["rated"].sentence


def test_adjusting_comes_with_its_caution(findings):
    found = findings["rated"]
    adjusted = [q for q in found.quantities if q.name.endswith("adjusted for style")]
    assert len(adjusted) == 4
    assert all("Style may be one reason" in q.note for q in adjusted)
    captions = " ".join(t.caption for t in found.tables)
    assert "first_person_plural is left out" in captions
    assert captions.count("first_person_plural is left out") == 2  # contrasts and style
    features = next(t for t in found.tables if t.name == "rated_style").frame["feature"]
    # what is left of the words of one source are its exclamations
    assert set(features) == {"words"}


@pytest.mark.parametrize("name", ["rated", "picked", "told"])
def test_figures_say_that_raters_are_simulated(findings, name):
    (figure,) = findings[name].figures
    text = " ".join(ElementTree.fromstring(figure.svg).itertext())
    assert "Simulated raters" in text
    assert figure.caption.endswith("Simulated raters.")
    for word in {"rated": SOURCES, "picked": SOURCES, "told": ("relief", "anger", "joy")}[name]:
        assert word in text


def test_figures_draw_their_tables(findings):
    means = findings["rated"].tables[0].frame
    ax = plot_source_means(means, sources=SOURCES)
    drawn = next(line for line in ax.lines if line.get_gid() == "means (all)")
    whole = means[means["domain"] == "(all)"]
    assert sorted(drawn.get_xdata()) == pytest.approx(sorted(whole["estimate"]))
    assert {line.get_gid() for line in ax.lines} >= {"means home", "means work"}
    shares = findings["picked"].tables[0].frame
    ax = plot_best_worst_shares(shares)
    drawn = next(line for line in ax.lines if line.get_gid() == "least")
    least = shares[shares["picked"] == "least"]["estimate"]
    assert sorted(drawn.get_xdata()) == pytest.approx(sorted(least))
    incidence = findings["told"].tables[1].frame
    ax = plot_themes(incidence, changed=["relief"])
    drawn = next(line for line in ax.lines if line.get_gid() == "after")
    after = incidence[incidence["time"] == "after"]["estimate"]
    assert sorted(drawn.get_xdata()) == pytest.approx(sorted(after))
    assert svg(ax) == svg(plot_themes(incidence, changed=["relief"]))


def test_wide_themes_and_other_languages(evidence, findings):
    wide = run_themes(
        Themes(id="told", kind="themes", texts="texts", columns=("relief", "anger")), evidence
    )
    one, two = ({q.name: q for q in f.quantities} for f in (wide, findings["told"]))
    assert one["relief"].estimate == two["relief"].estimate
    assert one["relief"].low == two["relief"].low
    german = SourceRatings(
        id="r", kind="source_ratings", style=("first_person_singular",), language="de"
    )
    found = run_source_ratings(german, evidence)
    assert "cannot be computed" in found.tables[1].caption
    adjusted = [q for q in found.quantities if "adjusted" in q.name]
    assert {q.estimate for q in adjusted} == {None}
    assert "No style feature is left" in adjusted[0].note


def test_what_a_plan_names_must_be_there(evidence):
    with pytest.raises(RatifyError, match=r"no response of this source.*claude"):
        run_source_ratings(SourceRatings(**RATED | {"sources": (*SOURCES, "claude")}), evidence)
    with pytest.raises(RatifyError, match=r"nobody rated this dimension.*depth"):
        run_source_ratings(SourceRatings(**RATED | {"dimensions": ("depth",)}), evidence)
    with pytest.raises(RatifyError, match=r"not one of the plan's sources.*llama"):
        run_best_worst_shares(BestWorstShares(**PICKED | {"sources": SOURCES[:2]}), evidence)
    with pytest.raises(RatifyError, match=r"texts.csv or labels.csv.*no text is of this time"):
        run_themes(Themes(**TOLD | {"after": "later"}), evidence)


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        (SourceRatings, RATED | {"reference": "claude"}, "reference must be one of the sources"),
        (SourceRatings, RATED | {"sources": ("gpt", "gpt")}, "names a source more than once"),
        (SourceRatings, RATED | {"style": ("words", "words")}, "names something more than once"),
        (SourceRatings, RATED | {"style": ("hugs",)}, "emoji"),
        (SourceRatings, RATED | {"colour": "red"}, "Extra inputs"),
        (BestWorstShares, PICKED | {"cluster": "nobody"}, "rater_and_item"),
        (Themes, TOLD | {"columns": ("a",)}, "either labels"),
        (Themes, TOLD | {"labels": None}, "either labels"),
        (Themes, TOLD | {"labels": None, "columns": ("a",)}, "leave out themes"),
        (Themes, TOLD | {"after": "before"}, "two different values"),
        (Themes, TOLD | {"themes": ("a", "a")}, "names a theme more than once"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(model, settings, words):
    with pytest.raises(ValidationError, match=words):
        model(**settings)


def test_names_that_the_data_decide_are_not_promised():
    assert SourceRatings(id="r", kind="source_ratings").quantity_names(None) is None
    assert BestWorstShares(id="b", kind="best_worst_shares").quantity_names(None) is None
    assert Themes(id="t", kind="themes", texts="a", labels="b").quantity_names(None) is None
    every = SourceRatings(id="r", kind="source_ratings", sources=("b", "a"))
    plan = SimpleNamespace(scales=[SimpleNamespace(id="warmth")])
    assert every.quantity_names(plan) == ["warmth: b", "warmth: a", "warmth: a - b"]
