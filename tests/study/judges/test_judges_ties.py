"""If this failed, a judge's tie would be lost, or a judge would be asked otherwise than people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan
from prereg.plan.pairs import PairSampling
from prereg.tables.reader import read_table
from study.judges.adaptive.asking import ask_pairs, scheme_of
from study.judges.adaptive.information import InformativePairs
from study.judges.adaptive.posterior import Replies, _log_evidence, prior
from study.judges.baseline import Length, Lexical
from study.judges.prompts.chosen import prompts_of
from study.judges.prompts.files import parse_prompt
from study.judges.prompts.letter_odds import p_left
from study.judges.prompts.questions import ask_pairwise, sealed
from study.judges.prompts.replies import Unreadable, read_choice
from study.tasks.pairwise import PairwiseTask
from tests.prereg.plan.test_ties import plan
from tests.support.given_studies import collect, ids, make_given_study, quality
from tests.support.prompting import item, own, packaged, user

JUDGE = LLMJudge.model_validate({"id": "j", "kind": "llm", "model": "m"})


def asked(one: Plan, *prompts: str, wordings: tuple[str, ...] = ()) -> Any:
    habits = {"pairs": 2, "wordings": list(wordings)} if wordings else None
    judge = JUDGE.model_copy(update={"prompts": prompts})
    if habits:
        judge = LLMJudge.model_validate({**judge.model_dump(exclude_none=True), "habits": habits})
    return prompts_of(one, judge, Path("nowhere"))


def test_the_prompt_offers_the_tie_in_the_plans_words() -> None:
    found = asked(plan(ties="offered", tie_answer="Both are bad")).comparison
    assert found.name == "pairwise_ties"
    question = ask_pairwise(found, "Who listens?", item("x"), item("y"))
    assert '{"choice": "tie"}. The last stands for: Both are bad.' in user(question)
    assert question.schema["properties"]["choice"]["enum"] == ["A", "B", "tie"]
    assert question.letters == ("A", "B")
    assert question.read('{"choice": "tie"}') == {"choice": "tie"}
    other = asked(plan(ties="offered")).comparison
    assert "The last stands for: No difference." in user(
        ask_pairwise(other, "Q", item("x"), item("y"))
    )
    assert other.digest != found.digest, "another answer is another request"


def test_a_plan_in_german_offers_it_in_german() -> None:
    german = plan(ties="offered").model_copy(update={"language": "de"})
    assert asked(german).comparison.tie_answer == "Kein Unterschied"


def test_prompts_that_do_not_fit_the_plan_are_refused() -> None:
    offered, refused = plan(ties="offered"), plan()
    assert asked(refused).comparison.name == "pairwise"
    with pytest.raises(RatifyError, match=r"prompts\.0: this prompt demands a choice.*offered"):
        asked(offered, "pairwise")
    with pytest.raises(RatifyError, match=r"prompts\.0: this prompt offers ties.*refused"):
        asked(refused, "pairwise_ties")
    with pytest.raises(RatifyError, match=r"habits\.wordings\.0.*demands a choice"):
        asked(offered, wordings=("pairwise_terse",))
    (wording,) = asked(offered, wordings=("pairwise_ties_terse",)).wordings
    assert wording.tie_answer == "No difference"


def test_a_prompt_of_ones_own_says_that_it_offers_ties() -> None:
    text = own("pairwise").replace("task: pairwise", "task: pairwise\nties: offered")
    assert parse_prompt(text, name="mine", file="mine.yaml").ties
    with pytest.raises(RatifyError, match=r"mine.yaml, ties: only a pairwise prompt offers ties"):
        rating = own("rating").replace("task: rating", "task: rating\nties: offered")
        parse_prompt(rating, name="mine", file="mine.yaml")


def test_prompts_without_ties_have_the_digest_that_they_had() -> None:
    before = packaged("pairwise")
    assert sealed(before).digest == before.digest
    assert before.digest.startswith("d996af00522e77d1")


@pytest.mark.parametrize(
    "text",
    ['{"choice": "tie"}', '{"choice":"Tie"}', "tie", "Tie.", "**tie**", "Answer: tie", "(tie)"],
)
def test_a_tie_is_read_only_where_it_is_offered(text: str) -> None:
    assert read_choice(text, noun="conversation", ties=True) == {"choice": "tie"}
    with pytest.raises(Unreadable):
        read_choice(text, noun="conversation")


@pytest.mark.parametrize(
    "text",
    [
        "It is a tie.",
        "ties",
        "tie A",
        "no difference",
        '{"choice": "C"}',
        '{"choice": "tie", "final": "A"}',
        '{"choice": "A", "final": "tie"}',
        "I cannot choose: a tie.",
    ],
)
def test_what_is_not_unmistakably_a_tie_is_no_answer(text: str) -> None:
    with pytest.raises(Unreadable):
        read_choice(text, noun="conversation", ties=True)


def test_letters_are_still_letters() -> None:
    assert read_choice('{"choice": "A"}', ties=True) == {"choice": "left"}
    assert read_choice("b", ties=True) == {"choice": "right"}


def listed(**share: float) -> Mapping[str, float]:
    return {name: log(value) for name, value in share.items()}


def test_the_share_of_a_is_among_a_and_b_where_the_reply_is_a_tie() -> None:
    tokens = [('{"choice": "', {}), ("tie", listed(tie=0.8, A=0.15, B=0.05)), ('"}', {})]
    assert p_left(tokens, ties=True) == pytest.approx(0.75)
    assert p_left(tokens) is None
    letter = [('{"choice": "', {}), ("A", listed(tie=0.2, A=0.6, B=0.2)), ('"}', {})]
    assert p_left(letter, ties=True) == pytest.approx(0.75)


# --- judges that are not models ------------------------------------------------------------------


def test_baselines_tie_where_their_scores_are_equal() -> None:
    one = item("Seeker: x\nSupporter: I hear you today.")
    same = item("Seeker: y\nSupporter: You hear me today.")
    more = item("Seeker: y\nSupporter: I hear you, and that sounds hard. Tell me more about it?")
    rng = np.random.default_rng(1)
    offered, refused = PairwiseTask(ties=True), PairwiseTask()
    for judge in (Length(), Lexical()):
        assert judge.equal(one, one)
        assert offered.ask(judge, [one, one], rng) == {"choice": "tie"}
        assert refused.ask(judge, [one, one], rng)["choice"] in {"left", "right"}
        assert offered.ask(judge, [one, more], rng) == {"choice": "right"}
    assert Length().equal(one, same)
    assert offered.read({"choice": "tie"}).answers == {"choice": "tie"}
    assert refused.read({"choice": "tie"}).missing == ("choice",)


SCORES = [{"conversation": one, "score": min(quality(one), 4)} for one in ids()]
COLUMNS = {"item_id": "conversation", "value": "score"}


def test_a_table_of_scores_ties_where_they_are_equal(tmp_path: Path) -> None:
    pairs = {"scheme": "random", "per_scenario": 20}
    judge = {"ratings": "scores.csv", "columns": COLUMNS, "pairs": pairs}
    folder = make_given_study(tmp_path / "s", {"scores.csv": SCORES}, judge)
    plain = {row["choice"] for row in rows(collect(folder).folder)}
    assert plain == {"left", "right"}
    folder = make_given_study(
        tmp_path / "t",
        {"scores.csv": SCORES},
        judge,
        design={"question": "Q?", "raters": 20, "trials": 5, "ties": "offered"},
    )
    found = rows(collect(folder).folder)
    assert len(found) == 100 + 2 * 20, "every trial and every pair has an answer"
    for row in found:
        left, right = (min(quality(row[name]), 4) for name in ("left_id", "right_id"))
        want = "tie" if left == right else "left" if left > right else "right"
        assert row["choice"] == want


def rows(folder: Path) -> list[dict[str, str]]:
    table = read_table(folder / "data" / "judgments.csv").rows
    return [row for row in table if row["rater_id"] == "gpt"]


def test_a_table_of_choices_may_tie_and_may_be_silent(tmp_path: Path) -> None:
    every = [
        {"left_id": a, "right_id": b, "choice": said}
        for a in ids()
        for b in ids()
        if a != b and a.partition("-")[0] == b.partition("-")[0]
        for said in [("tie", "", a)[(quality(a) + quality(b)) % 3]]
    ]
    folder = make_given_study(
        tmp_path / "t",
        {"pairs.csv": every},
        {"judgments": "pairs.csv"},
        design={"question": "Q?", "raters": 20, "trials": 5, "ties": "offered"},
    )
    found = [row for row in rows(collect(folder).folder) if row["purpose"] == "trial"]
    for row in found:
        kind = (quality(row["left_id"]) + quality(row["right_id"])) % 3
        assert row["choice"] == {0: "tie", 2: "left"}[kind]
    assert {row["choice"] for row in found} == {"tie", "left"}
    assert len(found) < 100, "an empty cell is no answer"


# --- which pair next -----------------------------------------------------------------------------


def test_a_tie_moves_elo_by_half_a_win() -> None:
    sampling = PairSampling.model_validate({"scheme": "elo_neighbours", "per_scenario": 30})
    scheme = scheme_of(4, sampling, rng=np.random.default_rng(3))
    before = scheme._rating.copy()  # type: ignore[attr-defined]
    left, right = scheme.next() or (0, 0)
    scheme.record(left, right, 0.5)
    np.testing.assert_allclose(scheme._rating, before)  # type: ignore[attr-defined]
    left, right = scheme.next() or (0, 0)
    scheme.record(left, right, 1)
    first = scheme._rating.copy()  # type: ignore[attr-defined]
    scheme.next()
    assert first[left] > first[right]


@pytest.mark.parametrize("scheme", ["information", "elo_neighbours", "random"])
def test_a_judge_that_often_ties_is_still_ranked(scheme: str) -> None:
    truth = np.linspace(-2, 2, 12)
    rng = np.random.default_rng(5)
    seen = []

    def ask(left: int, right: int) -> float:
        lead = truth[left] - truth[right] + rng.logistic()
        seen.append((left, right))
        return 0.5 if abs(lead) < 0.8 else float(lead > 0)

    sampling = PairSampling.model_validate({"scheme": scheme, "per_scenario": 300})
    ask_pairs(12, sampling, ask, rng=np.random.default_rng(1))
    assert len(seen) == 300


def test_scores_by_information_are_those_of_half_wins() -> None:
    rng = np.random.default_rng(2)
    scheme = InformativePairs(6, 400, None, rng=rng)
    truth = np.linspace(-1, 1, 6)
    told: list[tuple[int, int, float]] = []
    while (pair := scheme.next()) is not None:
        lead = truth[pair[0]] - truth[pair[1]] + rng.logistic()
        won = 0.5 if abs(lead) < 0.7 else float(lead > 0)
        told.append((*pair, won))
        scheme.record(*pair, won)
    assert any(won == 0.5 for *_, won in told)
    scheme._fit()
    score = scheme.scores
    spread = scheme._posterior.spread
    chance = np.array(
        [1 / (1 + np.exp(score[b] - score[a] - scheme._posterior.side)) for a, b, _ in told]
    )
    pull = np.zeros(6)
    for (a, b, won), p in zip(told, chance, strict=True):
        pull[a] += won - p
        pull[b] -= won - p
    np.testing.assert_allclose(pull, score / spread, atol=0.5)
    assert json.dumps(told)


def test_the_spread_is_learned_from_ties_of_either_side() -> None:
    rng = np.random.default_rng(6)
    left = rng.integers(5, size=60)
    right = (left + rng.integers(1, 5, size=60)) % 5
    won = rng.choice([0.0, 0.5, 1.0], size=60)
    straight = Replies(5, left, right, won, np.ones(60, dtype=bool))
    turned = Replies(5, right, left, 1 - won, np.ones(60, dtype=bool))
    found = replace(prior(5), score=rng.normal(size=5), side=0.0)
    assert _log_evidence(straight, found) == pytest.approx(_log_evidence(turned, found))
