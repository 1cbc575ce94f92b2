"""If this failed, a damaged table would be read as if it were whole, or its fault not found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.errors import RatifyError
from prereg.tables.items import import_items, read_items
from prereg.tables.reader import csv_text, read_table

CELLS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("\n,\"'"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"  \n \n", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1\n", "row 2: has 1 cells where the header has 2"),
        (b"a,b\n1,2\n1,2,3\n", "row 3: has 3 cells"),
        (b"a,b\n1,2\n\n3,4\n", "row 3: is a blank line"),
        (b"a,a\n1,2\n", "two columns are called 'a'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is a picture (PNG), not a CSV"),
        (b"a,b\n1,\x00\n", "is not a CSV"),
        (b'a,b\n"1,2\n', "is not a CSV"),
    ],
)
def test_what_is_not_a_table_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(RatifyError) as caught:
        read_table(path)
    assert says in str(caught.value)
    assert "table.csv" in str(caught.value)


def test_blank_lines_at_the_end_are_harmless_and_numbers_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,1_0\n2,x\n3,\n4, 1e1 \n5,nan\n\n\n")
    table = read_table(path)
    assert len(table.rows) == 5
    assert table.number(4, "b") is None
    assert table.number(5, "b") == 10
    assert table.number(6, "b") is None
    for row in (2, 3):
        with pytest.raises(RatifyError, match=rf"row {row}, column b: is not a number"):
            table.number(row, "b")


def test_line_ends_are_one(tmp_path: Path) -> None:
    for ends in ("\n", "\r\n"):
        path = tmp_path / "t.csv"
        path.write_text(f'id,text{ends}1,"a{ends}b"{ends}', newline="")
        assert read_table(path).rows == [{"id": "1", "text": "a\nb"}]
    path.write_text(csv_text(["id", "text"], [{"id": "1", "text": "a\rb"}]), newline="")
    assert read_table(path).rows == [{"id": "1", "text": "a\nb"}]


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match=r"none\.csv: no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(RatifyError, match="is a folder"):
        read_table(tmp_path)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    records = [{"id": f"x{a}", "text": b} for a, b in rows]
    path.write_text(csv_text(["id", "text"], records), encoding="utf-8", newline="")
    assert read_table(path).written == records


def test_ids_of_twenty_digits_and_byte_order_marks_survive(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("\ufeffitem_id,value\n20241031145103738386,1\n", encoding="utf-8")
    assert read_table(path).rows == [{"item_id": "20241031145103738386", "value": "1"}]


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item_id": ["20241031145103738386"], "n": [3], "x": [None]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").rows == [
        {"item_id": "20241031145103738386", "n": "3", "x": ""}
    ]
    (tmp_path / "no.parquet").write_bytes(b"hello")
    with pytest.raises(RatifyError, match="not a Parquet file"):
        read_table(tmp_path / "no.parquet")


def items(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "items.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("item_id,text\n1,a\n", "no column 'scenario'"),
        ("item_id,scenario,text\n1,s,a\n1,s,b\n", "row 3, column item_id: this item_id is already"),
        ("item_id,scenario,text\n1,s,a\n2,s,\n", "row 3, column text: is empty"),
        ("item_id,scenario,text\n1,s,a\n2,t,b\n3,t,c\n", "row 2, column scenario: has a single"),
        ("item_id,scenario,text\n2.0241031124050492e+19,s,a\n2,s,b\n", "row 2, column item_id"),
        ("item_id,scenario,text\n1,s,a\n20241031124050492.0,s,b\n", "row 3, column item_id"),
    ],
)
def test_wrong_items_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RatifyError) as caught:
        read_items(items(tmp_path, text))
    assert says in str(caught.value)


def test_somebodys_columns_become_ours(tmp_path: Path) -> None:
    path = items(tmp_path, ",key,words,length\n0,7,hello,5\n1,8,bye,3\n")
    rows = import_items(path, id_column="key", text_column="words", scenario_column=None).rows
    assert rows[0] == {"item_id": "7", "scenario": "all", "text": "hello", "length": "5"}
    with pytest.raises(RatifyError, match="no column 'nope'"):
        import_items(path, id_column="nope", text_column="words", scenario_column=None)
