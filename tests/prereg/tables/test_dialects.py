"""If this failed, a table from Excel, R, Qualtrics or a chat log would be refused or misread."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from prereg.errors import RatifyError
from prereg.tables.conversations import NotAConversationError, conversation
from prereg.tables.items import import_items
from prereg.tables.reader import read_table

ROWS = [{"id": "ä1", "note": "a; b, c | d", "x": "1"}, {"id": "ö2", "note": 'say "hi"', "x": "2"}]


def written(separator: str, ends: str = "\n") -> str:
    frame = pd.DataFrame(ROWS)
    return frame.to_csv(index=False, sep=separator, lineterminator=ends)


@pytest.mark.parametrize("separator", list(",;\t|"))
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_every_dialect_gives_the_same_rows(
    tmp_path: Path, separator: str, encoding: str, said: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(written(separator, "\r\n").encode(encoding))
    table = read_table(path)
    assert table.rows == ROWS
    assert said in " ".join(table.notes)


def test_excels_own_line_and_its_empty_ends_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\r\nid;x;;\r\na;1,5;;\r\nb;2;;\r\n;;;\r\n \r\n", newline="")
    table = read_table(path)
    assert table.columns == ("id", "x")
    assert table.rows == [{"id": "a", "x": "1,5"}, {"id": "b", "x": "2"}]
    path.write_text("id;x\na;1\nb;2;3\n")
    with pytest.raises(RatifyError, match=r"row 3: has 3 cells where the header has 2.*semicolon"):
        read_table(path)


def test_the_header_rows_of_qualtrics_are_left_out_and_rows_keep_their_numbers(
    tmp_path: Path,
) -> None:
    path = tmp_path / "q.csv"
    ids = '"{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"'
    path.write_text(f"rater,warm\nWho?,How warm?\n{ids}\nr1,5\nr2,x\n")
    table = read_table(path)
    assert [row["rater"] for row in table.rows] == ["r1", "r2"]
    assert table.notes == ("q.csv: header rows 2 and 3 of Qualtrics were left out",)
    with pytest.raises(RatifyError, match=r"q\.csv, row 5, column warm: is not a number"):
        table.number(3, "warm")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"PK\x03\x04 nothing", "is a zip file"),
        (b"<!DOCTYPE html><html>Sign in</html>", "is a web page"),
        (b"$FL2@(#) SPSS DATA FILE", "is an SPSS file"),
        (gzip.compress(b"X\n\x00\x00\x00\x03", mtime=0), "is an R object"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        ("имя,оценка\nАнна,5\n".encode("cp1251"), "does not look like Windows-1252"),
        ("id,größe\nä,5\nü".encode() + b"\xff", "does not look like Windows-1252"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "cannot be unpacked"),
        (b'{"a": 1, "a": 2}', "names a key more than once"),
        (b"[1, 2]", "entry 1 is not an object"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(RatifyError) as caught:
        read_table(path)
    assert says in str(caught.value)
    assert "allowed" in str(caught.value)


def test_a_packed_csv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(written(",").encode()))
    assert read_table(path).rows == ROWS


def test_blank_records_at_the_end_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(written(",") + "\n\n")
    assert read_table(path).notes == (), "an empty line is no record"
    path.write_text(written(",") + ",,\n , ,\n")
    assert read_table(path).rows == ROWS
    assert read_table(path).notes == ("t.csv: 2 blank rows at the end left out",)


def test_a_sheet_is_read_as_it_looks(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([None, "id", "x", "day", "flag"])
    sheet.append([None, 101, 2.5, dt.date(2026, 3, 1), True])
    sheet.append([None, "00102", 3, None, False])
    book.create_sheet("notes").append(["other"])
    path = tmp_path / "s.xlsx"
    book.save(path)
    table = read_table(path)
    assert table.rows == [
        {"id": "101", "x": "2.5", "day": "2026-03-01", "flag": "true"},
        {"id": "00102", "x": "3", "day": "", "flag": "false"},
    ]
    assert "only sheet 'Sheet' was read, not 'notes'" in table.notes[0]
    assert len(table.notes) == 1
    sheet.append([" ", "", None])
    book.save(path)
    assert read_table(path).rows == table.rows
    assert "1 blank row at the end left out" in read_table(path).notes[1]
    sheet.delete_rows(4)
    sheet.append([None, 12345678901234567, 1, None, None])
    book.save(path)
    with pytest.raises(RatifyError, match=r"row 4, column id: is a number of more than 15 digits"):
        read_table(path)


TALK = [{"role": "user", "content": "Hi\n there"}, {"role": "assistant", "content": "Note: yes"}]
SHARE = [{"from": "human", "value": "Hi\n there"}, {"from": "gpt", "value": "Note: yes"}]
PARTS = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": " there"}],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "Note: yes"}]},
]
TEXT = "User: Hi\n there\nAssistant: Note: yes"


@pytest.mark.parametrize("talk", [TALK, SHARE, PARTS, {"messages": TALK}])
@pytest.mark.parametrize("form", ["json", "jsonl", "wrapped", "parquet"])
def test_lists_of_messages_become_turns(tmp_path: Path, talk: Any, form: str) -> None:
    rows = [{"id": "12345678901234567890", "talk": talk}, {"id": "b", "talk": talk}]
    path = tmp_path / f"t.{form.replace('wrapped', 'json')}"
    if form == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    else:
        path.write_text(json.dumps(rows if form == "json" else {"data": rows, "version": 1}))
    table = read_table(path)
    assert table.rows == [{"id": row["id"], "talk": TEXT} for row in rows]
    table.require_text("talk")


def test_a_further_line_of_a_message_is_not_a_turn_and_pictures_are_not_text() -> None:
    said = conversation([{"role": "user", "content": "a\nAssistant: no\nb"}])
    assert said == "User: a\n Assistant: no\nb"
    with pytest.raises(NotAConversationError, match="image_url"):
        conversation([{"role": "user", "content": [{"type": "image_url"}]}])


def test_other_nested_values_are_json_and_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame(
        {
            "id": [101.0, 102.0],
            "tags": [["a"], ["b", "c"]],
            "day": [dt.date(2026, 1, 2), None],
            "price": [Decimal("1.50"), None],
        }
    )
    frame.to_parquet(path)
    table = read_table(path)
    assert table.rows[0] == {"id": "101", "tags": '["a"]', "day": "2026-01-02", "price": "1.50"}
    assert table.rows[1]["day"] == ""
    with pytest.raises(RatifyError, match=r"tags: is not text: record 1 holds"):
        table.require_text("tags")


def test_messages_in_the_cells_of_a_csv_become_turns_or_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    own = {"id_column": "id", "text_column": "talk", "scenario_column": None}
    cells = [json.dumps(TALK), str(TALK), "  plain\n  text "]
    pd.DataFrame({"id": ["a ", "b", "c"], "talk": cells}).to_csv(path, index=False)
    found = import_items(path, **own)
    assert [row["text"] for row in found.rows] == [TEXT, TEXT, "  plain\n  text "]
    assert found.rows[0]["item_id"] == "a"
    assert "2 lists of messages in column talk were written as turns" in found.notes[-1]
    path.write_text("id,talk\na,\"[{'role': 'user'}\n {'role': 'bot'}]\"\n")
    with pytest.raises(RatifyError, match=r"row 2, column talk: looks like a list of messages"):
        import_items(path, **own)
    path.write_text("id,talk\nNA,x\n")
    with pytest.raises(RatifyError, match=r"row 2, column id: is empty \('NA'"):
        import_items(path, **own)
