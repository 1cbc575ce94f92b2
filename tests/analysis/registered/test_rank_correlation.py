"""If this failed, a headline would give one correlation and leave open whose errors are in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.evidence.evidence import Evidence
from analysis.evidence.judges import JudgeEvidence
from analysis.ranking import bradley_terry, elo
from analysis.registered import people
from analysis.registered.finding import Finding
from analysis.registered.rank_correlation import run_rank_correlation
from analysis.registered.ranking import run_ranking
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.plan.model import RankingSettings


def choices(
    truth: np.ndarray, n: int, raters: int, rng: np.random.Generator, sharp: float = 1.0
) -> pd.DataFrame:
    """Return n random comparisons of items whose order is `truth`."""
    left = rng.integers(len(truth), size=n)
    right = (left + rng.integers(1, len(truth), size=n)) % len(truth)
    won = rng.random(n) < expit(sharp * (truth[left] - truth[right]))
    names = np.array([f"i{k:02d}" for k in range(len(truth))])
    return pd.DataFrame(
        {
            "left_id": names[left],
            "right_id": names[right],
            "choice": np.where(won, "left", "right"),
            "scenario": "s",
            "rater_id": [f"r{k % raters}" for k in range(n)],
        }
    )


def found(
    *,
    people: int,
    judge: int = 600,
    score: str = "elo",
    scheme: str = "random",
    seed: int = 1,
    penalty: str = "ridge",
    ties: int = 0,
) -> Finding:
    """Return what the registered analysis finds with this many choices of 30 items."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=30)
    own = choices(truth, people, 20, rng)
    pairs = choices(truth, judge, 1, rng)
    pairs.loc[: ties - 1, "choice"] = "tie"
    scores = (
        elo(pairs, tie="tie")
        .frame[["item_id", "scenario", "score"]]
        .rename(columns={"score": "elo"})
    )
    bt = bradley_terry(pairs, tie="tie").frame.set_index("item_id")["score"]
    scores = scores.assign(bradley_terry=scores["item_id"].map(bt), overall=scores["elo"] / 9)
    one = JudgeEvidence(
        judge_id="m", trials=pairs, scores=scores, ranking=elo(pairs, tie="tie"), pairs=pairs
    )
    sampling = SimpleNamespace(scheme=scheme)
    plan = SimpleNamespace(
        ranking=RankingSettings(),
        measures="some",
        judge=lambda name: SimpleNamespace(pairs=sampling),
    )
    evidence: Any = SimpleNamespace(
        people=own,
        ranked=bradley_terry(own),
        judges={"m": one},
        silent=[],
        plan=plan,
        items=scores,
        simulated=False,
        raters="people",
        raters_own="People's",
        status="confirmatory",
        rng=lambda purpose: np.random.default_rng(len(purpose)),
    )
    analysis = RankCorrelation(
        id="order",
        kind="rank_correlation",
        judge="m",
        score=cast(Any, score),
        resamples=200,
        draws=100,
        penalty=cast(Any, penalty),
    )
    return run_rank_correlation(analysis, cast(Evidence, evidence))


@pytest.mark.parametrize("score", ["elo", "bradley_terry"])
def test_the_sentence_gives_both_numbers_and_says_which_is_which(score: str) -> None:
    got = found(people=600, score=score)
    observed, _, corrected = got.quantities
    assert observed.estimate is not None
    assert corrected.estimate is not None
    assert corrected.low is not None
    assert observed.estimate < corrected.estimate
    assert f"observed Spearman {observed.estimate:.2f} [" in got.sentence
    assert f"corrected for both scores' errors {corrected.estimate:.2f} [" in got.sentence
    assert corrected.label.endswith("corrected for both scores' errors")
    assert corrected.note.count("Reliability of") == 2


@pytest.mark.parametrize("score", ["elo", "bradley_terry"])
def test_a_judge_whose_ranking_has_ties_is_corrected_for_too(score: str) -> None:
    got = found(people=600, score=score, ties=60)
    corrected = got.quantities[2]
    assert corrected.label.endswith("corrected for both scores' errors")
    assert corrected.estimate is not None
    assert corrected.note.count("Reliability of") == 2


def test_five_judgments_an_item_are_not_corrected_and_it_says_why() -> None:
    got = found(people=75)
    corrected = got.quantities[2]
    assert (corrected.estimate, corrected.low, corrected.high) == (None, None, None)
    why = "not corrected: the reliability of people's scores is not shown to be above 0"
    assert got.sentence.endswith(f", {why}.")
    assert corrected.label.endswith(why)
    assert corrected.note.startswith("Not corrected: the reliability of people's scores")


@pytest.mark.parametrize(
    ("score", "scheme", "judge", "why"),
    [
        ("overall", "random", 600, "it was given once an item"),
        ("elo", "elo_neighbours", 300, "20 answers an item are fewer than 60"),
    ],
)
def test_an_error_that_is_not_known_is_named(score, scheme, judge, why) -> None:
    got = found(people=600, judge=judge, score=score, scheme=scheme)
    assert "corrected for the error of people's scores only 0." in got.sentence
    assert why in got.quantities[2].note
    assert "counts as none" in got.quantities[2].note


def test_pairs_chosen_by_answers_are_corrected_for_where_there_are_enough() -> None:
    assert "both scores' errors" in found(people=600, judge=900, scheme="information").sentence


def test_with_firths_penalty_scores_of_few_judgments_have_errors_too() -> None:
    ridge, firth = (found(people=150, penalty=name) for name in ("ridge", "firth"))
    assert "only because of the ridge" in str(ridge.quantities[0].note)
    assert "only because of the penalty" in str(firth.quantities[0].note)
    known = [f.quantities[2].note.rpartition(" over ")[0] for f in (ridge, firth)]
    assert "over 30 items" in known[1]
    assert known[0] != known[1]


def test_a_ranking_with_firths_penalty_has_an_interval_for_every_item() -> None:
    rng = np.random.default_rng(3)
    truth = np.append(5.0, rng.normal(size=7))
    people = choices(truth, 200, 20, rng)
    evidence: Any = SimpleNamespace(
        people=people,
        plan=SimpleNamespace(ranking=RankingSettings()),
        simulated=False,
        raters="people",
        raters_own="People's",
        status="confirmatory",
        rng=lambda purpose: np.random.default_rng(len(purpose)),
    )
    loser = people["right_id"].where(people["choice"] == "left", people["left_id"])
    assert not loser.eq("i00").any()  # the best item is never beaten
    tables = {}
    for penalty in ("ridge", "firth"):
        analysis = RankingAnalysis(id="a", kind="ranking", resamples=100, penalty=penalty)
        tables[penalty] = run_ranking(analysis, cast(Evidence, evidence)).tables[0].frame
    best = {name: frame.set_index("item_id").loc["i00"] for name, frame in tables.items()}
    assert pd.isna(best["ridge"]["rank_low"])
    assert best["firth"]["rank_low"] == 1
    assert best["firth"]["score_low"] < best["firth"]["score"] < best["firth"]["score_high"]
    assert "score_low" not in tables["ridge"]


@pytest.mark.parametrize("kind", [RankingAnalysis, RankCorrelation])
def test_a_plan_without_the_penalty_keeps_its_hash(kind: Any) -> None:
    words = {"id": "a", "kind": kind.model_fields["kind"].annotation.__args__[0]}
    if kind is RankCorrelation:
        words |= {"column": "quality"}
    assert "penalty" not in kind(**words).model_dump()
    assert kind(**words, penalty="firth").model_dump()["penalty"] == "firth"
    with pytest.raises(ValueError, match="'ridge' or 'firth'"):
        kind(**words, penalty="lasso")


def test_a_report_says_why_no_advantage_of_a_side_is_given() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (f"a{k % 3}", f"b{k % 4}", rng.choice(["left", "right"]), "s", f"r{k % 8}")
        for k in range(96)
    ]
    names = ["left_id", "right_id", "choice", "scenario", "rater_id"]
    evidence: Any = SimpleNamespace(
        people=pd.DataFrame(rows, columns=names), plan=SimpleNamespace(ranking=RankingSettings())
    )
    common = {"analysis": "people", "n": 96, "unit_of_n": "judgments"}
    found_side = people._left_side(cast(Evidence, evidence), common)
    assert found_side.estimate is None
    assert found_side.note.startswith("the judgments cannot show an advantage of the left side")
    # a report gives no advantage that the ridge alone makes, and says what a given one rests on
    wins = pd.DataFrame(
        [("a", "b", "left"), ("b", "a", "right"), ("a", "b", "left")], columns=names[:3]
    )
    evidence.people = wins.assign(scenario="s", rater_id=["r1", "r2", "r3"])
    found_side = people._left_side(cast(Evidence, evidence), common)
    assert found_side.estimate is None
    assert found_side.note == "These judgments set no limit to an advantage of the left side."
    once = [
        (a, b, c, "s", f"r{k}")
        for k in range(9)
        for a, b in ("ab", "bc", "ac")
        for c in ("left", "right")
    ]
    evidence.people = pd.DataFrame(once, columns=names)
    found_side = people._left_side(cast(Evidence, evidence), common)
    assert found_side.estimate == pytest.approx(0, abs=1e-6)
    assert found_side.note.startswith("0 of 3 pairs were shown both ways round: the advantage of")
