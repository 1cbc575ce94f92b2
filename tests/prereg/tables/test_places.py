"""If this failed, a message would name another record than the one that is wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from analysis.audit.annotators import read_annotators
from analysis.tables.tidy import read_ratings
from prereg.errors import RatifyError
from prereg.tables.items import import_items
from prereg.tables.places import BELOW_HEADER, COUNTED, Places
from prereg.tables.reader import read_table

RECORDS = [
    {"id": "a", "text": "one\ntwo", "x": "1"},
    {"id": "b", "text": "three", "x": "odd"},
    {"id": "a", "text": "four", "x": "2"},
]


def flat(records: list[dict[str, str]]) -> list[dict[str, str]]:
    return [record | {"text": record["text"].replace("\n", " ")} for record in records]


def csv_of(
    records: list[dict[str, str]], path: Path, above: str = "", below: str = "", end: str = "\n"
) -> None:
    text = pd.DataFrame(records).to_csv(index=False, lineterminator=end)
    path.write_text(above + text.replace("one\ntwo", f"one{end}two") + below, newline="")


def sheet(records: list[dict[str, str]], path: Path) -> None:
    book = openpyxl.Workbook()
    rows = [[], list(records[0]), *(list(record.values()) for record in records)]
    for row in rows:
        book.active.append(row)
    book.save(path)


def lines(records: list[dict[str, str]], path: Path) -> None:
    first, *rest = map(json.dumps, records)
    path.write_text("\n".join(["", first, "", *rest, ""]))


CASES: dict[str, tuple[str, Callable[[Path], None], str, str]] = {
    "csv": ("t.csv", lambda path: csv_of(flat(RECORDS), path), "row 2", "row 3"),
    "csv of texts": ("t.csv", lambda path: csv_of(RECORDS, path), "row 2", "row 3 (line 4)"),
    "csv from Windows": (
        "t.csv",
        lambda path: csv_of(RECORDS, path, end="\r\n"),
        "row 2",
        "row 3 (line 4)",
    ),
    "csv with Excel's own line": (
        "t.csv",
        lambda path: csv_of(flat(RECORDS), path, above="sep=,\n"),
        "row 2 (line 3)",
        "row 3 (line 4)",
    ),
    "csv with blank lines at the end": (
        "t.csv",
        lambda path: csv_of(flat(RECORDS), path, below="\n\n"),
        "row 2",
        "row 3",
    ),
    "xlsx": ("t.xlsx", lambda path: sheet(RECORDS, path), "row 3", "row 4"),
    "jsonl": ("t.jsonl", lambda path: lines(RECORDS, path), "line 2", "line 4"),
    "json": (
        "t.json",
        lambda path: path.write_text(json.dumps(RECORDS, indent=1)),
        "record 1",
        "record 2",
    ),
    "parquet": (
        "t.parquet",
        lambda path: pd.DataFrame(RECORDS).to_parquet(path),
        "record 1",
        "record 2",
    ),
    "feather": (
        "t.feather",
        lambda path: pd.DataFrame(RECORDS).to_feather(path),
        "record 1",
        "record 2",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_message_names_the_place_that_the_user_sees(tmp_path: Path, case: str) -> None:
    name, write, first, second = CASES[case]
    path = tmp_path / name
    write(path)
    table = read_table(path)
    with pytest.raises(RatifyError) as caught:
        table.number(3, "x")
    assert str(caught.value).startswith(f"{path}, {second}, column x: is not a number, got 'odd'")
    with pytest.raises(RatifyError) as caught:
        table.require_unique("id")
    assert f"this id is already in {first}, got" in str(caught.value)
    with pytest.raises(RatifyError) as caught:
        import_items(path, id_column="id", text_column="text", scenario_column=None)
    assert f"this id is already in {first}, got" in str(caught.value)


def test_a_line_that_is_no_record_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('id,text\na,"one\ntwo"\nb,x,y\n')
    with pytest.raises(RatifyError, match=r"row 3 \(line 4\): has 3 cells"):
        read_table(path)
    path = tmp_path / "t.jsonl"
    path.write_text('\n{"id": 1}\n{"id": }\n')
    with pytest.raises(RatifyError, match=r"t\.jsonl, line 3: is not JSON"):
        read_table(path)


def test_other_readers_name_it_alike(tmp_path: Path) -> None:
    ratings = tmp_path / "r.jsonl"
    rows = [{"item_id": "a", "warm": 1}, {"item_id": "b", "warm": 9}]
    ratings.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(RatifyError, match=r"r\.jsonl, line 2, column warm: is outside the scale"):
        read_annotators([str(ratings)], [str(ratings)], id_column="item_id", scale=(1, 5))
    tidy = [
        {"rater_id": "r", "rater_kind": "llm", "item_id": item, "dimension": "warm", "value": 9}
        | {"scale_min": 1, "scale_max": high, "plan_hash": ""}
        for item, high in (("a", 9), ("b", 5))
    ]
    path = tmp_path / "ratings.parquet"
    pd.DataFrame(tidy).to_parquet(path)
    with pytest.raises(RatifyError, match=r"ratings\.parquet, record 2, column value: is outside"):
        read_ratings(path)


def test_places_are_not_copied_and_need_no_end() -> None:
    places = Places([3, 7], further=[0, 2])
    assert copy.deepcopy(places) is places
    assert [places.words(at) for at in range(3)] == ["row 3", "row 7 (line 9)", "row 4"]
    assert places.only([1]).words(0) == "row 7 (line 9)"
    assert BELOW_HEADER.place(0) == 2
    assert COUNTED.only([5]).words(0) == "record 6"
