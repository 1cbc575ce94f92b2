"""If these failed, the turn-pairs would depend on how files are cut, or memory on how many."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from prereg.tables.reader import read_table
from study.turns import shards, writing
from study.turns.flow import FILTERS
from study.turns.making import make_turns
from study.turns.shards import find_shards
from tests.support.paths import ROOT
from tests.support.wildchat import SCHEMA_4_8M, small_talk, talk, write_shard

SAYINGS = ("I feel low.", "Write a poem.", "```\nx = 1\n```", "", "Thanks, that helps.")
ROUND = st.tuples(st.sampled_from(SAYINGS), st.sampled_from(("I hear you.", "~~~\ny", "")))
# Identifiers overlap, so that rounds of different conversations are repeated now and then.
TALK = st.builds(
    lambda said, first, **changed: talk(said, first=first, hash_=f"{first:032x}", **changed),
    st.lists(ROUND, max_size=5),
    st.sampled_from((*range(1, 200, 7), 1, 2)),
    language=st.sampled_from(("English", "English", "English", "German", None)),
    toxic=st.sampled_from((False, False, False, True)),
    redacted=st.sampled_from((False, False, False, True, None)),
)
CODE, ORDER = ("```", "~~~"), "Write"


def by_hand(talks: Sequence[dict[str, Any]]) -> tuple[list[tuple[str, int]], dict[str, list[int]]]:
    """Filter conversations one by one, as docs/turns.md says, without arrays.

    Returns the hash and turn of each pair that is kept, and how many conversations and pairs are
    left after each filter.
    """
    left = {name: [0, 0] for name in FILTERS}
    kept, seen = [], set[tuple[int, bool]]()
    for one in talks:
        said = one["conversation"]
        rounds = [(said[at], said[at + 1]) for at in range(0, len(said), 2)]
        begins = [
            (user["turn_identifier"], at + 1 < len(rounds)) for at, (user, _) in enumerate(rounds)
        ]
        new = [key not in seen for key in begins]
        seen.update(begins)
        pairs = list(range(len(rounds) - 1))
        if rounds and not any(new):
            continue

        def coded(at: int, said: Any = said) -> bool:
            return any(word in past["content"] for past in said[: 2 * at + 1] for word in CODE)

        def plain(at: int, rounds: Any = rounds, coded: Any = coded) -> bool:
            return not coded(at) and not rounds[at][0]["content"].startswith(ORDER)

        def full(at: int, rounds: Any = rounds) -> bool:
            three = (*rounds[at], rounds[at + 1][0])
            return all(part["content"].strip() for part in three)

        steps = {
            "not_repeated": lambda at, new=new: new[at],
            "complete": None not in (one["language"], one["toxic"], one["redacted"]),
            "english": one["language"] == "English",
            "no_code_or_instruction": plain,
            "not_toxic": one["toxic"] is False,
            "not_redacted": one["redacted"] is False,
            "three_turns": len(rounds) >= 3,
            "not_empty": full,
        }
        for name, passes in steps.items():
            if callable(passes):
                had, pairs = bool(pairs), [at for at in pairs if passes(at)]
                stays = bool(pairs) or not had
            else:
                stays = bool(passes)
            if not stays:
                break
            left[name][0] += 1
            left[name][1] += len(pairs)
        else:
            kept += [(one["conversation_hash"], at + 1) for at in pairs]
    return kept, left


def made(folder: Path, parts: Sequence[Sequence[dict[str, Any]]], group: int) -> bytes:
    """Make turn-pairs from shards; return the bytes of both files that must not change."""
    for at, part in enumerate(parts):
        write_shard(folder / "in" / f"{at:02d}.parquet", part, group=group)
    out = folder / "out"
    out.mkdir()
    make_turns(find_shards([folder / "in"]), out)
    return (out / "turns.parquet").read_bytes() + (out / "flow.csv").read_bytes()


@settings(max_examples=30)
@given(st.lists(TALK, min_size=1, max_size=12))
def test_it_keeps_and_counts_what_a_loop_over_conversations_does(talks: list[Any]) -> None:
    with TemporaryDirectory() as place:
        made(Path(place), [talks], 5)
        rows = pq.read_table(Path(place) / "out" / "turns.parquet").to_pylist()
        flow = json.loads((Path(place) / "out" / "flow.json").read_text())
    kept, left = by_hand(talks)
    assert [(row["conversation_hash"], row["turn"]) for row in rows] == kept
    after: dict[str, list[int]] = {}
    for step in flow["filters"]:
        after.setdefault(step["filter"], []).append(step["after"])
    assert after == left
    assert len({row["item_id"] for row in rows}) == len(rows)
    assert flow["left"]["conversations"] == left["not_empty"][0]


@settings(max_examples=15)
@given(st.lists(TALK, min_size=2, max_size=10), st.data())
def test_other_shards_row_groups_and_batches_change_nothing(talks: list[Any], data: Any) -> None:
    cut = data.draw(st.integers(1, len(talks) - 1))
    with TemporaryDirectory() as place:
        whole = made(Path(place) / "a", [talks], 100)
        assert made(Path(place) / "b", [talks[:cut], talks[cut:]], 2) == whole
        before = shards.AT_A_TIME
        try:
            shards.AT_A_TIME = 1
            assert made(Path(place) / "c", [talks], 3) == whole
        finally:
            shards.AT_A_TIME = before


def test_the_newer_release_gives_the_same_pairs(tmp_path: Path) -> None:
    talks = [small_talk(4, first=10 * at) for at in range(1, 4)]
    older = made(tmp_path / "older", [talks], 2)
    for one in talks:
        one["timestamp"] = one["timestamp"].replace(tzinfo=None)
        for said in one["conversation"][1::2]:
            said |= {"timestamp": said["timestamp"].replace(tzinfo=None), "temperature": 1.0}
    write_shard(tmp_path / "newer" / "in" / "00.parquet", talks, schema=SCHEMA_4_8M)
    assert made(tmp_path / "newer", [], 2) == older
    flow = json.loads((tmp_path / "newer" / "out" / "flow.json").read_text())
    assert flow["release"] == "WildChat-4.8M"
    assert "read as UTC" in flow["note"]


def test_row_groups_of_the_output_have_one_size(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(writing, "GROUP", 7)
    made(tmp_path, [[small_talk(4, first=10 * at) for at in range(1, 9)]], 3)
    file = pq.ParquetFile(tmp_path / "out" / "turns.parquet")
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert sizes == [7, 7, 7, 3]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_bytes_do_not_show_the_pieces_in_which_rows_came(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string())])
    rows = pa.table({"text": [f"{at} " * 300 for at in range(3_000)]}, schema=schema)
    written = []
    for step in (3_000, 7):
        path = tmp_path / f"{step}.parquet"
        with writing.PairsFile(path, schema) as file:
            for at in range(0, 3_000, step):
                file.add(rows.slice(at, step))
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_the_house_reads_what_is_written(tmp_path: Path) -> None:
    made(tmp_path, [[small_talk(3), small_talk(3, first=10, country="Atlantis")]], 10)
    table = read_table(tmp_path / "out" / "turns.parquet")
    table.require_unique("item_id")
    table.require_filled("item_id", "text", "prompt", "reply", "next_turn", "user_id", "timestamp")
    assert [row["local_hour"] for row in table.rows] == ["13", "13", "", ""]
    flow = read_table(tmp_path / "out" / "flow.csv")
    assert flow.columns == ("filter", "removes", "unit", "before", "removed", "after")
    assert len(flow.rows) == 2 * len(FILTERS)


def test_the_flow_says_what_was_read_and_what_is_lacking(tmp_path: Path) -> None:
    talks = [small_talk(3), small_talk(3, first=10, country=None, hashed_ip=None)]
    del talks[1]["conversation"][1]["timestamp"]
    made(tmp_path, [talks], 10)
    flow = json.loads((tmp_path / "out" / "flow.json").read_text())
    assert flow["release"] == "WildChat-1M"
    assert flow["files"] == ["00.parquet"]
    assert flow["without"] == {"address": 2, "time": 1, "local_hour": 2}
    assert flow["read"] == {"conversations": 2, "turn_pairs": 4}
    assert flow["rules"]["code_block"] == 0
    assert flow["tzdata"]


_MAKE = """
import sys, pyarrow as pa
from pathlib import Path
from study.turns import shards, writing
from study.turns.making import make_turns
pa.set_cpu_count(1)
shards.AT_A_TIME, writing.GROUP = 50, 100
folder = Path(sys.argv[1])
make_turns(shards.find_shards([folder / "in"]), folder / "out")
print(pa.default_memory_pool().max_memory())
"""
_DRAW = """
import sys, pyarrow as pa
from pathlib import Path
from study.turns.sampling import draw_sample
pa.set_cpu_count(1)
out = Path(sys.argv[1]) / "out"
draw_sample(out / "turns.parquet", out / "frame.parquet", size=50, seed=1)
print(pa.default_memory_pool().max_memory())
"""


def test_memory_does_not_grow_with_the_number_of_conversations(tmp_path: Path) -> None:
    """The most that Arrow ever holds is the same for 200 and for 1,600 conversations."""
    rng = np.random.default_rng(1)

    def most(count: int) -> list[int]:
        folder = tmp_path / str(count)
        for part in range(0, count, 100):
            talks = [
                talk([(rng.bytes(800).hex(), "I hear you.")] * 3, first=3 * at)
                for at in range(part, part + 100)
            ]
            write_shard(folder / "in" / f"{part:04d}.parquet", talks, group=25)
        (folder / "out").mkdir()
        return [
            int(subprocess.check_output([sys.executable, "-c", code, folder], cwd=ROOT))
            for code in (_MAKE, _DRAW)
        ]

    few, many = most(200), most(1_600)
    assert 0 < many[0] < 3 * few[0], (few, many)
    assert 0 < many[1] < 3 * few[1], (few, many)
