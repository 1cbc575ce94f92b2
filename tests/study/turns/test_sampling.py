"""If these failed, the judge would read a sample whose probabilities are not those it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.tables.reader import read_table
from study.turns.pairs import SCHEMA
from study.turns.sampling import FRAME_SCHEMA, Sample, allocate, draw_sample

SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=20)


@given(SIZES, st.data())
def test_every_stratum_gets_one_and_none_more_than_it_has(sizes: list[int], data: Any) -> None:
    total = data.draw(st.integers(len(sizes), sum(sizes) + 10))
    drawn = allocate(np.array(sizes), total)
    assert drawn.sum() == min(total, sum(sizes))
    assert (drawn >= 1).all()
    assert (drawn <= np.array(sizes)).all()


@given(SIZES, st.data())
def test_the_rest_is_dealt_in_proportion(sizes: list[int], data: Any) -> None:
    """Each stratum is within one of its share of what is left after the first of each."""
    total = data.draw(st.integers(len(sizes), sum(sizes)))
    drawn, left = allocate(np.array(sizes), total) - 1, np.array(sizes) - 1
    share = left * (total - len(sizes)) / max(left.sum(), 1)
    assert (np.abs(drawn - share) < 1 + 1e-9).all()


def test_a_known_allocation() -> None:
    assert allocate(np.array([901, 91, 11, 1]), 104).tolist() == [91, 10, 2, 1]


def pairs_file(path: Path, count: int, *, group: int = 1_000) -> Path:
    """Write turn-pairs of three models at several turns and hours."""
    hours = [None, 2, 9, 14, 22]
    rows = [
        {
            "item_id": f"id-{at}",
            "model": ("gpt-4", "gpt-3.5", "gpt-3.5")[at % 3],
            "turn": 1 + at % 7,
            "local_hour": hours[at % 5],
        }
        for at in range(count)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, row_group_size=group)
    return path


def drawn(folder: Path, source: Path, size: int, seed: int = 1) -> tuple[Sample, pa.Table]:
    target = folder / f"{source.stem}-{size}-{seed}.parquet"
    sample = draw_sample(source, target, size=size, seed=seed)
    return sample, pq.read_table(target)


def test_the_frame_says_its_stratum_and_its_probability(tmp_path: Path) -> None:
    source = pairs_file(tmp_path / "turns.parquet", 1_000)
    sample, frame = drawn(tmp_path, source, 200)
    assert frame.schema.equals(FRAME_SCHEMA)
    assert (sample.size, sample.of, sample.by) == (200, 1_000, ("model", "turn", "local_hour"))
    assert len(sample.strata) == 2 * 4 * 5
    assert "gpt-3.5 | turn 3-5 | hours 0-5" in sample.strata
    assert "gpt-4 | turn 6+ | hour unknown" in sample.strata
    rows = frame.to_pylist()
    counts = Counter(row["judge_stratum"] for row in rows)
    assert counts == {name: took for name, (took, _) in sample.strata.items()}
    for row in rows:
        took, there = sample.strata[row["judge_stratum"]]
        assert row["judge_inclusion_probability"] == took / there
    numbers = [int(row["item_id"][3:]) for row in rows]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 200
    # weighted by its probability, the sample stands for all pairs
    weights = [1 / row["judge_inclusion_probability"] for row in rows]
    assert sum(weights) == pytest.approx(1_000)


def test_the_same_seed_draws_the_same_whatever_the_row_groups(tmp_path: Path) -> None:
    source = pairs_file(tmp_path / "a.parquet", 700)
    _, frame = drawn(tmp_path, source, 100)
    _, again = drawn(tmp_path, pairs_file(tmp_path / "b.parquet", 700, group=9), 100)
    assert again.equals(frame)
    _, other = drawn(tmp_path, source, 100, seed=2)
    assert other.column("item_id") != frame.column("item_id")


def test_strata_of_one_size_are_drawn_apart(tmp_path: Path) -> None:
    rows = [{"item_id": str(at), "model": "ab"[at % 2], "turn": 1} for at in range(200)]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), tmp_path / "a.parquet")
    _, frame = drawn(tmp_path, tmp_path / "a.parquet", 40)
    ids = [int(one) for one in frame.column("item_id").to_pylist()]
    places = [{one // 2 for one in ids if one % 2 == odd} for odd in range(2)]
    assert [len(one) for one in places] == [20, 20]
    assert places[0] != places[1]


def test_within_a_stratum_every_pair_is_drawn_as_often(tmp_path: Path) -> None:
    source = pairs_file(tmp_path / "a.parquet", 60)
    times: Counter[str] = Counter()
    for seed in range(150):
        sample, frame = drawn(tmp_path, source, 5, seed=seed)
        times.update(frame.column("item_id").to_pylist())
    assert sample.by == ("model",)
    shares = np.array([times[f"id-{at}"] for at in range(60)]) / 150
    # 20 of gpt-4 and 40 of gpt-3.5; their first one each, then 1 and 2 in proportion
    wanted = np.array([sample.strata[("gpt-4", "gpt-3.5", "gpt-3.5")[at % 3]] for at in range(60)])
    chance = wanted[:, 0] / wanted[:, 1]
    error = np.sqrt(chance * (1 - chance) / 150)
    assert (np.abs(shares - chance) < 4 * error).all()


@pytest.mark.parametrize(
    ("size", "by"),
    [(40, ("model", "turn", "local_hour")), (39, ("model", "turn")), (7, ("model",)), (1, ())],
)
def test_strata_are_coarser_where_there_are_too_many(
    tmp_path: Path, size: int, by: tuple[str, ...]
) -> None:
    sample, frame = drawn(tmp_path, pairs_file(tmp_path / "a.parquet", 500), size)
    assert sample.by == by
    assert frame.num_rows == size
    if not by:
        assert set(sample.strata) == {"all"}


def test_a_sample_of_more_than_there_are_takes_all(tmp_path: Path) -> None:
    sample, frame = drawn(tmp_path, pairs_file(tmp_path / "a.parquet", 30), 100)
    assert (sample.size, frame.num_rows) == (30, 30)
    assert set(frame.column("judge_inclusion_probability").to_pylist()) == {1.0}
    sample, frame = drawn(tmp_path, pairs_file(tmp_path / "b.parquet", 0), 100)
    assert (sample.size, frame.num_rows) == (0, 0)


def test_the_house_reads_the_frame(tmp_path: Path) -> None:
    source = pairs_file(tmp_path / "a.parquet", 50)
    draw_sample(source, tmp_path / "frame.parquet", size=20, seed=1)
    table = read_table(tmp_path / "frame.parquet")
    table.require(*FRAME_SCHEMA.names)
    assert 0 < (table.number(2, "judge_inclusion_probability") or 0) <= 1
