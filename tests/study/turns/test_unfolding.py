"""If these failed, a pair would join a prompt with the reply to another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from prereg.errors import RatifyError
from study.turns.pairs import SCHEMA, rows_of
from study.turns.shards import Batch
from study.turns.unfolding import Unfolded, unfold
from tests.support.wildchat import SCHEMA_1M, SCHEMA_4_8M, small_talk, talk

HERE = Path("train.parquet")


def unfolded(talks: Sequence[Mapping[str, Any]], schema: pa.Schema = SCHEMA_1M) -> Unfolded:
    (rows,) = pa.Table.from_pylist(list(talks), schema=schema).to_batches()
    return unfold(Batch(HERE, 10, rows))


def rows(talks: Sequence[Mapping[str, Any]], schema: pa.Schema = SCHEMA_1M) -> list[dict[str, Any]]:
    found = unfolded(talks, schema)
    table = rows_of(found, found.pairs)
    assert table.schema == SCHEMA
    made: list[dict[str, Any]] = table.to_pylist()
    return made


def test_a_pair_is_a_prompt_its_reply_and_the_next_user_turn() -> None:
    said = [("one", "ONE"), ("two\nNote: x", "TWO"), ("three", "THREE")]
    first, second = rows([talk(said, first=7, hash_="a" * 32)])
    assert first == {
        "item_id": "aaaaaaaaaaaa-1-7",
        "text": "User: one\nAssistant: ONE\nUser: two\n Note: x",
        "prompt": "one",
        "reply": "ONE",
        "next_turn": "two\nNote: x",
        "user_id": first["user_id"],
        "model": "gpt-3.5-turbo-0301",
        "turn": 1,
        "turns": 3,
        "timestamp": "2023-06-01T12:30:00Z",
        "local_hour": 13,
        "country": "United Kingdom",
        "state": "England",
        "language": "English",
        "conversation_hash": "a" * 32,
    }
    assert [second[name] for name in ("prompt", "reply", "next_turn", "turn", "timestamp")] == [
        "two\nNote: x",
        "TWO",
        "three",
        2,
        "2023-06-01T12:31:00Z",
    ]


def test_the_last_round_makes_no_pair() -> None:
    assert [len(rows([small_talk(rounds)])) for rounds in (1, 2, 5)] == [0, 1, 4]
    assert rows([talk([])]) == []


def test_the_same_conversation_twice_has_two_ids() -> None:
    twice = rows([small_talk(first=1), small_talk(first=4)])
    assert len({row["item_id"] for row in twice}) == 4
    assert len({row["conversation_hash"] for row in twice}) == 1


def test_an_utterance_that_occurs_again_is_left_out() -> None:
    whole, again = small_talk(4), small_talk(4)
    said = again["conversation"]
    again["conversation"] = [*said[:4], *said[2:4], *said[4:], said[0]]
    assert rows([again]) == rows([whole])
    again["conversation"] = [said[0], said[0], *said[1:]]
    assert rows([again]) == rows([whole])


def test_what_is_not_a_round_makes_no_pair() -> None:
    one = small_talk(5)
    one["conversation"][5]["role"] = "system"  # the third reply
    pairs = rows([one])
    assert [(pair["turn"], pair["next_turn"][-2]) for pair in pairs] == [
        (1, "1"),
        (2, "2"),
        (4, "4"),
    ]
    assert {pair["turns"] for pair in pairs} == {4}


def test_conversations_do_not_run_into_each_other() -> None:
    alone = [rows([small_talk(n, first=10 * n)]) for n in (3, 1, 2)]
    assert rows([small_talk(n, first=10 * n) for n in (3, 1, 2)]) == [*alone[0], *alone[2]]


def test_an_utterance_without_an_identifier_is_refused_with_its_place() -> None:
    bad = small_talk(3)
    bad["conversation"][2]["turn_identifier"] = None
    with pytest.raises(RatifyError) as error:
        unfolded([small_talk(), bad])
    assert str(error.value).startswith(
        "train.parquet, record 12, column conversation.turn_identifier: is empty"
    )


@pytest.mark.parametrize(
    ("column", "cell"),
    [("conversation_hash", None), ("conversation_hash", " "), ("conversation", None)],
)
def test_a_conversation_without_hash_or_utterances_is_refused_with_its_place(
    column: str, cell: str | None
) -> None:
    with pytest.raises(RatifyError) as error:
        unfolded([small_talk(), small_talk() | {column: cell}])
    assert str(error.value).startswith(f"train.parquet, record 12, column {column}: is empty")


def test_times_without_a_zone_of_the_newer_release_are_utc() -> None:
    naive = small_talk(3)
    for said in naive["conversation"]:
        if "timestamp" in said:
            said["timestamp"] = said["timestamp"].replace(tzinfo=None)
    naive["timestamp"] = naive["timestamp"].replace(tzinfo=None)
    assert rows([naive], SCHEMA_4_8M) == rows([small_talk(3)])


def test_what_is_not_known_is_empty() -> None:
    one = small_talk(3, country=None, state=None)
    del one["conversation"][1]["timestamp"]
    first, second = rows([one])
    assert (first["timestamp"], first["local_hour"], first["country"]) == (None, None, None)
    assert (second["timestamp"], second["local_hour"]) == ("2023-06-01T12:31:00Z", None)


def test_a_user_is_an_address_and_a_browser() -> None:
    other = {"accept-language": "en", "user-agent": "Browser 2"}
    none = {"accept-language": "en", "user-agent": None}
    talks = [
        small_talk(first=1),
        small_talk(first=11),
        small_talk(first=21, header=other),
        small_talk(first=31, hashed_ip="cd34"),
        small_talk(first=41, header=none),
        small_talk(first=51, hashed_ip=None),
        small_talk(first=61, hashed_ip=None),
    ]
    found = [row["user_id"] for row in rows(talks)]
    users = found[::2]
    assert users == found[1::2], "a conversation has one user"
    assert users[0] == users[1]
    assert len(set(users)) == 6
    assert [user[0] for user in users] == ["u"] * 5 + ["c"] * 2
    assert all(len(user) == 17 for user in users)


def test_a_user_who_changes_address_stays_one() -> None:
    one = small_talk(4)
    one["conversation"][4]["hashed_ip"] = "elsewhere"
    assert len({row["user_id"] for row in rows([one])}) == 1


def test_the_traps_of_the_schema_are_in_the_made_conversations() -> None:
    """The helper makes what the release has; else the other tests would prove nothing."""
    found = unfolded([small_talk()])
    times = pc.struct_field(found.said, "timestamp")
    countries = pc.struct_field(found.said, "country")
    assert times.is_null().to_pylist() == [True, False] * 3
    assert countries.is_null().to_pylist() == [False, True] * 3
    empty = talk([("", "Hello?"), ("", "Anybody?")])
    assert empty["openai_moderation"][0] == {}
    assert found.by_user.tolist() == [True, False] * 3
