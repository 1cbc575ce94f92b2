"""If these failed, the flow would be wrong, or pairs would be chosen by what a study measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from study.turns.filters import Filters
from study.turns.flow import FILTERS
from study.turns.pairs import rows_of
from study.turns.shards import Batch
from study.turns.unfolding import unfold
from tests.support.wildchat import SCHEMA_1M, small_talk, talk

FINE = [("I feel low.", "I hear you."), ("Thanks.", "Any time."), ("It helps.", "Good.")]


def run(*batches: Sequence[Mapping[str, Any]]) -> tuple[list[str], Filters]:
    """Filter conversations batch by batch; return the ids that pass."""
    filters, kept = Filters(), []
    for talks in batches:
        (rows,) = pa.Table.from_pylist(list(talks), schema=SCHEMA_1M).to_batches()
        unfolded = unfold(Batch(Path("x"), 0, rows))
        table = rows_of(unfolded, filters.passed(unfolded))
        kept += table.column("item_id").to_pylist()
    return kept, filters


def removed(filters: Filters) -> dict[str, tuple[int, int]]:
    """Return what each filter removed that removed something: conversations, turn-pairs."""
    found: dict[str, list[int]] = {}
    for row in filters.flow.rows():
        assert row["before"] - row["removed"] == row["after"]
        found.setdefault(row["filter"], []).append(row["removed"])
    return {name: (a, b) for name, (a, b) in found.items() if a or b}


@pytest.mark.parametrize(
    ("one", "name", "gone"),
    [
        (small_talk(3, language="German"), "english", (1, 2)),
        (small_talk(3, language=None), "complete", (1, 2)),
        (small_talk(3, toxic=True), "not_toxic", (1, 2)),
        (small_talk(3, toxic=None), "complete", (1, 2)),
        (small_talk(3, redacted=None), "complete", (1, 2)),
        (small_talk(3, redacted=True), "not_redacted", (1, 2)),
        (small_talk(2), "three_turns", (1, 1)),
        (small_talk(1), "three_turns", (1, 0)),
        (talk([("Write a poem.", "Roses."), *FINE]), "no_code_or_instruction", (0, 1)),
        (talk([("", "Hello?"), *FINE]), "not_empty", (0, 1)),
        (talk([(" \n", "a"), ("\t", "b"), ("c", "d")]), "not_empty", (1, 2)),
        (talk([("a", ""), *FINE]), "not_empty", (0, 1)),
    ],
)
def test_each_filter_removes_and_counts_its_own(
    one: dict[str, Any], name: str, gone: tuple[int, int]
) -> None:
    kept, filters = run([one, small_talk(3, first=100)])
    assert removed(filters) == {name: gone}
    assert kept[-2:] == ["0123456789ab-1-100", "0123456789ab-2-101"]
    assert len(kept) == filters.flow.left


def test_a_filter_that_removes_nothing_is_shown_with_0() -> None:
    _, filters = run([small_talk()])
    rows = list(filters.flow.rows())
    assert [row["filter"] for row in rows[::2]] == list(FILTERS)
    assert {row["removed"] for row in rows} == {0}
    assert FILTERS["not_toxic"] == "Toxic"


def test_what_is_missing_is_counted_by_its_column_and_not_as_toxic() -> None:
    _, filters = run([small_talk(3, toxic=None, language=None), small_talk(3, first=9, toxic=None)])
    assert removed(filters) == {"complete": (2, 4)}
    assert filters.flow.to_json()["missing"] == {"language": 1, "toxic": 2, "redacted": 0}
    _, filters = run([small_talk(3, toxic=None)], [small_talk(3, toxic=None)])
    assert filters.flow.missing["toxic"] == 1, "a conversation that left before lacks nothing"


def test_a_round_that_is_repeated_in_its_conversation_is_counted() -> None:
    one = small_talk(4)
    said = one["conversation"]
    one["conversation"] = [*said[:4], *said[2:4], *said[4:], said[0]]
    kept, filters = run([one], [small_talk(3, first=50)])
    assert len(kept) == 5
    flow = filters.flow.to_json()
    assert flow["read"] == {"conversations": 2, "turn_pairs": 6}
    assert removed(filters) == {"not_repeated": (0, 1)}
    assert flow["repeated_within_conversations"] == {"utterances": 3, "rounds": 1}
    one["conversation"] = [*said, *said[6:]]
    kept, filters = run([one])
    assert (len(kept), removed(filters)) == (3, {"not_repeated": (0, 1)}), "the last round"
    one["conversation"] = [said[0], said[0], *said[1:4], said[3], *said[4:]]
    kept, filters = run([one])
    assert (len(kept), removed(filters)) == (3, {}), "single utterances are no round"


def test_the_filters_count_in_their_order() -> None:
    """What fails two filters leaves at the first."""
    _, filters = run([small_talk(2, language="German", toxic=True, redacted=True)])
    assert removed(filters) == {"english": (1, 1)}
    _, filters = run([small_talk(2, toxic=True, redacted=True)])
    assert removed(filters) == {"not_toxic": (1, 1)}


def test_code_counts_for_what_comes_after_it_and_an_instruction_only_for_itself() -> None:
    code = [("Can you fix my code?", "Sure."), *FINE]
    kept, filters = run([talk(code)])
    assert kept == []
    assert filters.flow.by_rule["code_asked"] == 3
    later = [*FINE, ("Look: \n```\nx\n```", "I see."), ("ok", "ok"), ("bye", "bye")]
    kept, filters = run([talk(later)])
    assert [name.split("-")[1] for name in kept] == ["1", "2", "3"]
    assert filters.flow.by_rule["code_block"] == 2
    order = [FINE[0], ("Translate this: hola", "hello"), *FINE]
    kept, filters = run([talk(order)])
    assert [name.split("-")[1] for name in kept] == ["1", "3", "4"]
    assert {rule: n for rule, n in filters.flow.by_rule.items() if n} == {"instruction_task": 1}


def test_no_pair_is_chosen_by_its_reply_or_by_what_the_user_said_next() -> None:
    """They are the treatment and the outcome of a study."""
    reply = [("I feel low.", "Here:\n```\nprint(1)\n```"), ("Write a poem.", "Roses."), *FINE]
    kept, _ = run([talk(reply)])
    assert [name.split("-")[1] for name in kept] == ["1"], "later pairs follow code"
    told = [("I feel low.", "In Python code, use a function."), *FINE]
    assert len(run([talk(told)])[0]) == 3, "only a user names a language"


def test_code_of_one_conversation_does_not_count_in_the_next() -> None:
    code = talk([("Fix my code", "```\nx\n```"), *FINE], first=1)
    kept, _ = run([code, talk(FINE, first=50), code | {"conversation_hash": "b" * 32}])
    assert [name.split("-")[2] for name in kept] == ["50", "51"]


def test_repeated_rounds_are_kept_once_across_batches() -> None:
    one, branch = small_talk(4, first=1), small_talk(5, first=1, hash_="f" * 32)
    kept, filters = run([one], [one, branch], [small_talk(4, first=20)])
    assert removed(filters) == {"not_repeated": (1, 6)}
    assert [name.split("-")[2] for name in kept] == ["1", "2", "3", "4", "20", "21", "22"]
    assert kept[3] == "ffffffffffff-4-4", "its fourth round had no next turn before"


def test_a_conversation_of_one_round_that_is_repeated_leaves() -> None:
    _, filters = run([small_talk(1)], [small_talk(1)])
    assert removed(filters) == {"not_repeated": (1, 0), "three_turns": (1, 0)}
