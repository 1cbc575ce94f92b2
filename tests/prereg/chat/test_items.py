"""If these failed, an item would tell its condition, or not be derived again byte for byte."""

from __future__ import annotations

import random
from typing import Any

from prereg.chat.items import item_id, item_rows

HASH = "f" * 64


def conversation(name: str, session: str, turn: int, **changes: str) -> dict[str, str]:
    return {
        "conversation_id": name,
        "session_id": session,
        "condition": "combined",
        "round": str(turn),
        "scenario": "job",
        "status": "over",
        "messages": "2",
        "mode": "live",
        **changes,
    }


def person(session: str, **changes: str) -> dict[str, str]:
    return {"session_id": session, "status": "finished", "excluded_by": "", **changes}


def message(name: str, position: int, speaker: str, text: str, **changes: str) -> dict[str, str]:
    return {
        "conversation_id": name,
        "position": str(position),
        "speaker": speaker,
        "source": "opening" if position == 1 else "llm" if speaker == "partner" else "typed",
        "text": text,
        "shown_at": "2030-01-01T00:00:00Z",
        **changes,
    }


def said(name: str) -> list[dict[str, str]]:
    return [
        message(name, 1, "partner", f"Hello from {name}.", shown_at=""),
        message(name, 2, "supporter", "Tell me.", shown_at=""),
        message(name, 3, "partner", "It is bad."),
        message(name, 4, "supporter", "Oh."),
        message(name, 5, "partner", "Nobody saw this.", shown_at=""),
    ]


def made(conversations: list[dict[str, str]], people: list[dict[str, str]], **more: Any) -> Any:
    messages = [one for row in conversations for one in said(row["conversation_id"])]
    return item_rows(
        HASH,
        conversations=conversations,
        messages=more.get("messages", messages),
        participants=people,
        mode="live",
    )


def test_an_item_has_what_was_read_and_its_hidden_columns() -> None:
    (row,) = made([conversation("a", "s1", 2)], [person("s1")])
    assert row["text"] == (
        "Seeker: Hello from a.\nSupporter: Tell me.\nSeeker: It is bad.\nSupporter: Oh."
    )
    assert (row["condition"], row["round"], row["scenario"]) == ("combined", "2", "job")
    shown = row["item_id"] + row["rater"]
    assert "s1" not in shown.replace(row["rater"], "")
    assert row["item_id"] == item_id(HASH, "a") != item_id("e" * 64, "a")


def test_the_order_of_the_tables_and_of_time_does_not_show() -> None:
    talks = [conversation(f"t{n}", f"s{n % 4}", n // 4 + 1) for n in range(12)]
    people = [person(f"s{n}") for n in range(4)]
    rows = made(talks, people)
    messages = [one for row in talks for one in said(row["conversation_id"])]
    for table in (talks, people, messages):
        random.Random(1).shuffle(table)
    assert made(talks, people, messages=messages) == rows
    assert [row["item_id"] for row in rows] == sorted(row["item_id"] for row in rows)
    assert [row["round"] for row in rows] != sorted(row["round"] for row in rows)


def test_what_is_not_over_or_excluded_or_of_another_mode_is_left_out() -> None:
    talks = [
        conversation("open", "s1", 1, status="open"),
        conversation("silent", "s1", 2, messages="0"),
        conversation("bot", "s1", 3, mode="bot"),
        conversation("excluded", "s2", 1),
        conversation("still_there", "s3", 1),
        conversation("kept", "s1", 4),
    ]
    people = [person("s1"), person("s2", excluded_by="admitted_ai"), person("s3", status="active")]
    assert [row["item_id"] for row in made(talks, people)] == [item_id(HASH, "kept")]
