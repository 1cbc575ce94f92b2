"""If these failed, a score would be of another conversation, or a mean of other rounds."""

from __future__ import annotations

from typing import Any

import yaml

from prereg.chat.items import item_id
from prereg.chat.joined import joined_tables
from prereg.chat.model import ChatPlan
from tests.support.chat import PLAN, merged
from tests.support.chat_stages import ANALYSES

HASH = "f" * 64
LEXICAL = {
    "validating_emotions": 5,
    "encouraging_elaboration": 4,
    "demonstrating_understanding": 3,
    "advice_giving": 2,
    "self_oriented": 1,
    "dismissing_emotions": 1,
}


def plan_of(**changes: Any) -> ChatPlan:
    more = yaml.safe_load(ANALYSES.read_text(encoding="utf-8"))
    return ChatPlan.model_validate(merged(merged(PLAN, more), changes))


def talk(session: str, turn: int, **cells: str) -> dict[str, str]:
    return {
        "conversation_id": f"{session}-{turn}",
        "session_id": session,
        "rater_id": f"r-{session}",
        "condition": "coach",
        "round": str(turn),
        "status": "over",
        "messages": str(4 + turn),
        "words": "10",
        "mode": "live",
        "self_rating": str(turn),
        **cells,
    }


def person(session: str, **cells: str) -> dict[str, str]:
    return {
        "session_id": session,
        "rater_id": f"r-{session}",
        "condition": "coach",
        "status": "finished",
        "excluded_by": "",
        "mode": "live",
        "care": "3.5",
        "age": "18-39",
        "self_rating": "9",
        **cells,
    }


def rated(judge: str, conversation: str, **scores: int) -> list[dict[str, str]]:
    item = item_id(HASH, conversation)
    return [
        {
            "rater_id": judge,
            "rater_kind": "baseline",
            "item_id": item,
            "dimension": name,
            "value": str(value),
        }
        for name, value in scores.items()
    ]


def joined(plan: ChatPlan, ratings: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    tables = {
        "conversations": [talk(s, turn) for s in ("b", "a", "gone") for turn in (3, 1, 2)],
        "participants": [person("a"), person("b"), person("gone", excluded_by="pasted_most")],
    }
    return joined_tables(plan, HASH, tables, ratings, mode="live")


def test_each_conversation_has_its_scores_and_its_person() -> None:
    ratings = rated("lexical", "a-2", **LEXICAL) + rated(
        "length", "a-2", **{**LEXICAL, "advice_giving": 4}
    )
    rows = joined(plan_of(), ratings)["conversations"]
    assert [(row["session_id"], row["round"], row["post"]) for row in rows] == [
        ("a", "1", "0"),
        ("a", "2", "1"),
        ("a", "3", "1"),
        ("b", "1", "0"),
        ("b", "2", "1"),
        ("b", "3", "1"),
    ]
    row = rows[1]
    assert row["overall"] == row["lexical_overall"] == "8"
    assert (row["validating_emotions"], row["length_overall"]) == ("5", "6")
    assert (row["care"], row["age"]) == ("3.5", "18-39")
    assert row["self_rating"] == "2"  # that of this conversation, not the participant's mean
    assert len({tuple(row) for row in rows}) == 1


def test_a_score_that_lacks_a_dimension_is_missing() -> None:
    scores = {name: value for name, value in LEXICAL.items() if name != "advice_giving"}
    row = joined(plan_of(), rated("lexical", "a-1", **scores))["conversations"][0]
    assert (row["overall"], row["advice_giving"], row["validating_emotions"]) == ("", "", "5")


def test_a_supporter_has_the_first_round_and_the_mean_of_the_later_ones() -> None:
    ratings = rated("lexical", "b-1", **LEXICAL)
    for turn, value in ((2, 3), (3, 4)):
        ratings += rated("lexical", f"b-{turn}", **{**LEXICAL, "validating_emotions": value})
    rows = {row["session_id"]: row for row in joined(plan_of(), ratings)["supporters"]}
    assert rows.keys() == {"a", "b"}
    assert (rows["b"]["overall_first"], rows["b"]["overall_later"]) == ("8", "6.5")
    assert (rows["b"]["messages_first"], rows["b"]["messages_later"]) == ("5", "6.5")
    assert rows["a"]["overall_first"] == ""
    assert rows["b"]["care"] == "3.5"
