"""If this failed, how a program wrote a table would change the numbers of an audit or a ranking."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.audit.annotators import read_annotators
from analysis.ranking.from_table import rank_table
from prereg.errors import RatifyError
from prereg.tables.reading import MISSING_WORDS

Rows = list[list[str]]
ITEMS = [f"c{n:02d}" for n in range(12)]
INVISIBLE = ("\u200b", "\u200e", "\u2060", "\ufeff", "\u00a0", " ", "\u202a")

dialects = st.tuples(
    st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)


def ratings() -> Rows:
    rng = np.random.default_rng(2)
    rows = [["rater_id", "item_id", "warmth", "clarity"]]
    for rater in ("ann", "ben", "cat"):
        rows += [[rater, item, *map(str, rng.integers(1, 6, size=2))] for item in ITEMS]
    rows[3][2] = rows[9][3] = ""  # two ratings are missing
    return rows


def judgments() -> Rows:
    rng = np.random.default_rng(3)
    rows = [["left_id", "right_id", "choice", "rater_id"]]
    for n in range(60):
        one, two = rng.choice(5, size=2, replace=False)
        side = "left" if rng.random() < 1 / (1 + np.exp(two - one)) else "right"
        rows.append([f"i{one}", f"i{two}", side, f"r{n % 6}"])
    return rows


def spoiled(rows: Rows, dice: random.Random, numbers: tuple[str, ...] = ()) -> Rows:
    """Return the same table as some program would write it."""
    header, *records = [list(row) for row in rows]
    for record in records:
        for place, name in enumerate(header):
            cell = record[place]
            if not cell and name in numbers:
                record[place] = dice.choice(["", *MISSING_WORDS])
            elif dice.random() < 0.1:
                mark = dice.choice(INVISIBLE)
                record[place] = dice.choice([mark + cell, cell + mark, f" {cell}  "])
    dice.shuffle(records)
    order = list(range(len(header)))
    dice.shuffle(order)
    return [[row[place] for place in order] for row in [header, *records]]


def write(path: Path, rows: Rows, separator: str, encoding: str) -> Path:
    text = "\r\n".join(separator.join(row) for row in rows) + "\r\n"
    path.write_bytes(text.encode(encoding))
    return path


def frame(human: Path, judge: Path) -> pd.DataFrame:
    found = read_annotators([str(human)], [f"gpt={judge}"], id_column="item_id", scale=(1, 5))
    table = found.to_frame()[["rater_id", "item_id", "dimension", "value"]]
    return table.sort_values(list(table.columns)).reset_index(drop=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    write(folder / "human.csv", ratings(), ",", "utf-8")
    judge = [row[1:] for row in ratings()[:13]]
    judge[5][1] = judge[6][2] = "4"
    write(folder / "judge.csv", judge, ",", "utf-8")
    write(folder / "judgments.csv", judgments(), ",", "utf-8")
    return folder


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), dialect=dialects)
def test_an_audit_is_the_same_however_its_tables_are_written(
    plain: Path, seed: int, dialect: tuple[str, str]
) -> None:
    rows = spoiled(ratings(), random.Random(seed), ("warmth", "clarity"))
    path = write(plain / "spoiled.csv", rows, *dialect)
    expected = frame(plain / "human.csv", plain / "judge.csv")
    pd.testing.assert_frame_equal(frame(path, plain / "judge.csv"), expected)


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), dialect=dialects)
def test_a_ranking_is_the_same_however_its_table_is_written(
    plain: Path, seed: int, dialect: tuple[str, str]
) -> None:
    path = write(plain / "spoiled.csv", spoiled(judgments(), random.Random(seed)), *dialect)
    columns = ["item_id", "rank", "score", "low", "high", "n", "wins", "losses"]
    expected = rank_table(plain / "judgments.csv").table[columns]
    pd.testing.assert_frame_equal(rank_table(path).table[columns], expected)


@settings(max_examples=15)
@given(
    place=st.integers(1, 36),
    column=st.sampled_from([2, 3]),
    word=st.sampled_from(["high", "3,5", "6", "inf", "4 or 5", "0x3"]),
)
def test_a_cell_that_is_no_rating_is_named(plain: Path, place: int, column: int, word: str) -> None:
    rows = ratings()
    rows[place][column] = word
    path = write(plain / "spoiled.csv", rows, "\t", "utf-8")
    with pytest.raises(RatifyError) as caught:
        frame(path, plain / "judge.csv")
    assert caught.value.file == str(path)
    assert (caught.value.row, caught.value.column) == (place + 1, rows[0][column])
    assert caught.value.value == word


@settings(max_examples=15)
@given(
    place=st.integers(1, 60),
    column=st.sampled_from([0, 1, 2, 3]),
    word=st.sampled_from(["", "NA", "-", "\u200b"]),
)
def test_a_judgment_without_a_cell_is_named(
    plain: Path, place: int, column: int, word: str
) -> None:
    rows = judgments()
    rows[place][column] = word
    path = write(plain / "spoiled.csv", rows, ";", "utf-8")
    with pytest.raises(RatifyError) as caught:
        rank_table(path)
    assert (caught.value.row, caught.value.column) == (place + 1, rows[0][column])
