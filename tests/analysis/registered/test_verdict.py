"""If this failed, a study's report would misjudge a hypothesis or miss careless answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from analysis.evidence.choice_yardstick import PAIRS, Beside, beside_people, yardstick_of
from analysis.evidence.evidence import Evidence
from analysis.evidence.raters import rater_quality
from analysis.registered.coverage import _quantity
from analysis.registered.hypotheses import NOT_SUPPORTED, OPEN, SUPPORTED, decided
from analysis.registered.ranking import _reliability_quantity
from analysis.registered.ranking import _sentence as _rank_sentence
from analysis.registered.verdict import _choices, _no_yardstick, _ranks, _sentence, _word, _worst
from analysis.results.quantities import Quantity
from analysis.results.verdict import AGREES, NO_YARDSTICK, SHORT, TOO_FEW
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.plan.model import Hypothesis
from prereg.plan.reporting import Large

PASS = "m: winning_rate "


def number(estimate: float, p: float | None, name: str = "gap") -> Quantity:
    return Quantity(
        analysis="a",
        name=name,
        label=name,
        estimate=estimate,
        n=9,
        unit_of_n="judgments",
        method="m",
        unit="u",
        p_value=p,
        hypothesis="H1",
        status="confirmatory",
    )


@pytest.mark.parametrize(
    ("tests", "direction", "verdict"),
    [
        ([number(0.4, 0.001), number(0.2, 0.04)], None, SUPPORTED),
        ([number(0.4, 0.001), number(0.2, 0.4)], None, OPEN),
        ([number(0.4, 0.2)], None, NOT_SUPPORTED),
        ([number(-0.4, 0.001)], None, OPEN),
        ([number(-0.4, 0.001)], "negative", SUPPORTED),
        ([number(-0.4, 0.001)], "positive", NOT_SUPPORTED),
        ([number(0.4, None)], None, OPEN),
        (
            [number(1.0, None, "m: winning_rate x"), number(0.2, None, "m: winning_rate y")],
            None,
            OPEN,
        ),
        ([number(1.0, None, PASS + "x")], None, SUPPORTED),
    ],
)
def test_the_registered_tests_decide_about_a_hypothesis(
    tests: list[Quantity], direction: Any, verdict: str
) -> None:
    hypothesis = Hypothesis(id="H1", text="It matters.", direction=direction)
    found = decided(hypothesis, [*tests, Quantity(**_other())])
    assert found.verdict == verdict
    assert found.how.endswith(".")


def test_a_single_test_is_not_counted() -> None:
    hypothesis = Hypothesis(id="H1", text="It matters.")
    one = decided(hypothesis, [number(0.4, 0.001)]).how
    assert one.startswith("The one registered test finds a positive effect")
    none = decided(hypothesis, [number(0.4, 0.2)]).how
    assert none.startswith("The one registered test does not find a positive effect")
    two = decided(hypothesis, [number(0.4, 0.001), number(0.2, 0.4)]).how
    assert two.startswith("1 of 2 registered tests finds")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ([1] * 15, [15] * 15, "The ranking is not known: for most items, the interval of the rank"),
        ([1] * 8 + [3] * 7, [15] * 8 + [9] * 7, "The ranking is not known"),
        ([2] * 15, [6] * 15, "The interval of an item's rank typically covers 5 of 15 places."),
    ],
)
def test_a_rank_that_may_be_any_is_not_said_to_be_known(
    low: list[int], high: list[int], said: str
) -> None:
    frame = pd.DataFrame({"rank_low": low, "rank_high": high, "of": 15}, dtype="Int64")
    text = _rank_sentence(
        cast(Any, SimpleNamespace(of="people")),
        cast(Evidence, SimpleNamespace(raters_own="People's")),
        cast(Any, SimpleNamespace(frame=frame, n_items=15)),
        cast(Any, SimpleNamespace(estimate=np.nan)),
    )
    assert said in text
    assert "within 15 places of 15" not in text


def test_a_reliability_without_an_interval_has_two_decimals_and_one_item_is_one() -> None:
    analysis = cast(Any, SimpleNamespace(of="people", id="a", hypothesis=None, level=0.95))
    seen = cast(Evidence, SimpleNamespace(raters_own="People's", status="exploratory"))
    scale = cast(Any, SimpleNamespace(estimate=0.1504, low=np.nan, high=np.nan, n=14))
    frame = pd.DataFrame({"score": [0.0] * 15, "rank_low": 1, "rank_high": 15, "of": 15})
    ranks = cast(Any, SimpleNamespace(frame=frame, n_items=15))
    text = _rank_sentence(analysis, seen, ranks, scale)
    assert "has a reliability of 0.15: about 15% of the variance of the items' scores" in text
    errors = SimpleNamespace(
        ranking=SimpleNamespace(frame=frame), known=np.arange(15) > 0, n_clusters=9, method="m"
    )
    found = _reliability_quantity(analysis, seen, cast(Any, errors), scale)
    assert found.note == "1 item without a score or its error is left out."


def test_a_share_of_answers_is_noted_where_it_is_not_whole() -> None:
    notes = [
        _quantity("a", "m", counts, "trials", analysis="a").note for counts in ((9, 9), (8, 9))
    ]
    assert notes == ["", "Answered 8 of 9."]


def test_a_single_person_is_not_counted() -> None:
    people = choices(0.0).drop_duplicates(["left_id", "right_id"]).head(3)
    judge = people.assign(choice=people["choice"].map({"left": "right", "right": "left"}))
    ranked = pd.DataFrame({"item_id": [f"i{n}" for n in range(12)], "score": 0.0})
    seen = cast(
        Evidence,
        SimpleNamespace(
            people=people,
            items=ranked.assign(text="Words."),
            ranking=SimpleNamespace(frame=ranked),
            judges={"m": SimpleNamespace(trials=judge)},
            plan=SimpleNamespace(large=Large()),
        ),
    )
    found = _worst(seen, ["m"])
    assert found
    assert all(one.people.endswith("(one person)") for one in found)


def test_both_shares_of_a_sentence_have_the_same_decimals() -> None:
    wide, narrow = (0.5, 0.38, 0.62), (0.7, 0.68, 0.72)
    found = Beside(wide, narrow, (-0.2, -0.3, -0.1), PAIRS, 300)
    own = cast(Evidence, SimpleNamespace(raters_own="People's"))
    for one in (found, Beside(narrow, wide, found.difference, PAIRS, 300)):
        assert "." not in _sentence(own, "m", one, AGREES, "").rstrip(".")


def test_the_verdict_says_how_scores_and_ranking_follow_peoples_ranking() -> None:
    plans = [
        RankCorrelation(id=f"r{n}", kind="rank_correlation", judge=judge, score=score)
        for n, (judge, score) in enumerate(
            [("m", "overall"), ("m", "elo"), ("other", "overall"), ("silent", "elo")]
        )
    ]
    seen = cast(
        Evidence, SimpleNamespace(raters_own="People's", plan=SimpleNamespace(analyses=plans))
    )
    numbers = [
        Quantity(
            **number(value, None, "spearman").to_json()
            | {"analysis": f"r{n}", "low": value and value - 0.1, "high": value and value + 0.1}
        )
        for n, value in enumerate([0.61, 0.42, -0.2, None])
    ]
    assert _ranks(seen, "m", numbers) == (
        "; its scores and people's ranking have a rank correlation of 0.61 [0.51, 0.71], "
        "its ranking of items and that ranking one of 0.42 [0.32, 0.52]"
    )
    assert "of −0.20 [−0.30, −0.10]" in _ranks(seen, "other", numbers)
    true = number(0.8, None, "spearman_disattenuated").to_json() | {
        "analysis": "r2",
        "low": 0.7,
        "high": 0.9,
        "label": "scores, corrected for both scores' errors",
    }
    assert _ranks(seen, "other", [*numbers, Quantity(**true)]).endswith(
        "[−0.30, −0.10] as observed and 0.80 [0.70, 0.90] corrected for both scores' errors"
    )
    none = true | {"estimate": None, "low": None, "high": None, "label": "scores, not corrected: x"}
    assert _ranks(seen, "other", [*numbers, Quantity(**none)]).endswith(
        "of −0.20 [−0.30, −0.10] as observed (not corrected: x)"
    )
    assert _ranks(seen, "silent", numbers) == _ranks(seen, "unnamed", numbers) == ""
    found = Beside((0.7, 0.6, 0.8), (0.7, 0.6, 0.8), (0.0, -0.1, 0.1), PAIRS, 300)
    said = _sentence(seen, "length", found, AGREES, _ranks(seen, "m", numbers))
    assert said.startswith("length (a baseline that only measures how long a text is) agrees")
    assert said.endswith("one of 0.42 [0.32, 0.52].")


def _other() -> dict[str, Any]:
    return number(9.0, 0.9).to_json() | {"hypothesis": "H2"}


def choices(left: float, people: int = 30, seed: int = 1) -> pd.DataFrame:
    """Return ten choices of each person between twelve items, of which the first is the best."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for _ in range(10):
            a, b = rng.permutation(12)[:2]
            better = "left" if a < b else "right"
            chosen = better if rng.random() > left else "left"
            rows.append((f"id-{person}", f"S{person}", "one", f"i{a}", f"i{b}", chosen, 20_000))
    names = "rater_id sequence_id scenario left_id right_id choice response_ms".split()
    return pd.DataFrame(rows, columns=names)


def evidence(people: pd.DataFrame) -> Evidence:
    plan = SimpleNamespace(large=Large(), ranking=SimpleNamespace(ridge=0.02))
    return cast(
        Evidence, SimpleNamespace(people=people, answers=people, plan=plan, raters="people")
    )


def test_a_side_chosen_too_often_is_a_critical_finding() -> None:
    found = rater_quality(evidence(choices(0.6)))
    side = next(note for note in found.notes if "left side" in note.says)
    assert side.severity == "critical"
    assert "p < 0.001" in side.says
    assert not [n for n in rater_quality(evidence(choices(0.0))).notes if "left side" in n.says]


def test_careless_people_are_flagged_by_their_sequence_and_not_by_their_id() -> None:
    people = choices(0.0)
    people.loc[people["rater_id"] == "id-3", "choice"] = "right"
    people.loc[people["rater_id"] == "id-4", "response_ms"] = 900
    found = rater_quality(evidence(people))
    assert {one.who: one.reason.split(" ")[0] for one in found.people} == {
        "sequence S3": "chose",
        "sequence S4": "median",
    }


def test_a_judge_that_tosses_a_coin_does_not_reach_people() -> None:
    people = choices(0.1)
    known, what = yardstick_of(evidence(people))
    assert what == PAIRS
    coin = choices(0.0, seed=5)
    coin["choice"] = np.random.default_rng(2).choice(["left", "right"], len(coin))
    found = beside_people(evidence(people), coin, known, what)
    assert found is not None
    assert found.difference[2] < 0
    good = beside_people(evidence(people), choices(0.0, seed=7), known, what)
    assert good is not None
    assert good.difference[1] > -0.05


@pytest.mark.parametrize(("margin", "word"), [(0.1, AGREES), (0.05, TOO_FEW)])
def test_how_close_a_judge_must_be_is_a_key_of_the_plan(margin: float, word: str) -> None:
    found = Beside((0.7, 0.6, 0.8), (0.7, 0.65, 0.75), (0.0, -0.08, 0.1), PAIRS, 300)
    assert _word(found, Large(choices=margin).choices) == word
    said = _sentence(cast(Evidence, SimpleNamespace(raters_own="People's")), "m", found, word, "")
    assert ("so its choices may stand in for theirs" in said) == (word == AGREES)
    short = Beside((0.6, 0.5, 0.7), (0.7, 0.65, 0.75), (-0.1, -0.2, -0.05), PAIRS, 300)
    assert _word(short, margin) == SHORT


def test_people_who_agree_only_at_chance_are_no_yardstick() -> None:
    people = choices(0.0)
    people["choice"] = np.random.default_rng(3).choice(["left", "right"], len(people))
    known, what = yardstick_of(evidence(people))
    found = beside_people(evidence(people), choices(0.0, seed=7), known, what)
    assert found is not None
    assert _word(found, 0.1) == NO_YARDSTICK
    said = _no_yardstick(found)
    assert said.severity == "critical"
    assert "do not agree with each other" in said.says
    assert "no yardstick" in _sentence(
        cast(Evidence, SimpleNamespace(raters_own="People's")), "m", found, NO_YARDSTICK, ""
    )
    careful = choices(0.1)
    known, what = yardstick_of(evidence(careful))
    again = beside_people(evidence(careful), choices(0.0, seed=7), known, what)
    assert again is not None
    assert _word(again, 0.1) != NO_YARDSTICK


def test_one_item_in_every_comparison_is_why_the_data_do_not_decide() -> None:
    people = choices(0.1).assign(right_id="anchor", scenario="s")
    judge = choices(0.0, seed=7).assign(right_id="anchor", scenario="s")
    seen = SimpleNamespace(
        people=people,
        judges={"m": SimpleNamespace(trials=judge, answered=True)},
        raters="people",
        raters_own="People's",
        items=pd.DataFrame({"item_id": ["anchor"]}),
        plan=SimpleNamespace(large=Large(), ranking=SimpleNamespace(ridge=0.02), analyses=[]),
    )
    found = _choices(cast(Evidence, seen), [])
    (cell,) = found.cells
    assert cell.word == TOO_FEW
    assert found.not_run[0].why == "rests on a single item: no interval"
