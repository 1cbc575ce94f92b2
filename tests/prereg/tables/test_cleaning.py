"""If this failed, two cells that look the same could be two ids, or a missing value a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.tables.cleaning import clean
from prereg.tables.numbers import numbers_of, suspicious
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


def read(tmp_path: Path, text: str, reading: Reading | None = None) -> Table:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, reading or Reading())


@pytest.mark.parametrize(
    ("cell", "same"),
    [
        (" a ", "a"),
        ("a\u200b", "a"),
        ("\u200ea\u202c", "a"),
        ("a\u00a0b", "a b"),
        ("a\tb", "a b"),
        ("cafe\u0301", "caf\u00e9"),
        ("\ufeffa\u00ad", "a"),
        ("a\u200db", "ab"),
        ("\u200d" + FAMILY + "\u200c", FAMILY),
        (PERSIAN, PERSIAN),
        ("grief\n", "grief"),
        ("\x07a", "a"),
        ("a  b", "a  b"),
        ("  two\n lines ", "  two\n lines "),
    ],
)
def test_cells_that_look_the_same_are_the_same(cell: str, same: str) -> None:
    assert clean(cell) == same
    assert clean(same) == same


def test_what_was_changed_is_said_and_free_text_is_kept(tmp_path: Path) -> None:
    text = "\u200bid ,text,age\n a,  x ,NA\nb\u200b, y,3\n"
    table = read(tmp_path, text, Reading(verbatim=("text",)))
    assert table.rows == [
        {"id": "a", "text": "  x ", "age": ""},
        {"id": "b", "text": " y", "age": "3"},
    ]
    assert table.notes == (
        "t.csv: 2 cells of column id had spaces around them or unusual or invisible characters: "
        "they were cleaned",
        "t.csv: 1 cell of column age is a missing-value word ('NA')",
    )
    assert table.written == [
        {"\u200bid": " a", "text": "  x ", "age": "NA"},
        {"\u200bid": "b\u200b", "text": " y", "age": "3"},
    ]
    with pytest.raises(RatifyError, match=r"row 2, column age: is empty \('NA' is a missing"):
        table.require_filled("age")


def test_two_ids_or_names_that_become_one_are_refused_and_it_is_said_why(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match=r"row 3.*already in row 2, once the spaces"):
        read(tmp_path, "id,x\na,1\na ,2\n").require_unique("id")
    with pytest.raises(RatifyError, match=r"two columns are called 'x', once the spaces"):
        read(tmp_path, "x,x \n1,2\n")


def test_labels_that_differ_in_case_or_inner_spaces_are_kept_and_named(tmp_path: Path) -> None:
    table = read(tmp_path, "theme\nGrief\ngrief\nno  hope\nno hope\n")
    assert len({row["theme"] for row in table.rows}) == 4
    assert "'Grief' and 'grief'" in table.notes[0]
    assert "kept apart" in table.notes[0]


def test_a_mapping_gives_columns_our_names(tmp_path: Path) -> None:
    how = Reading(columns={"item_id": "Gespräch", "value": "note"})
    assert read(tmp_path, "Gespräch,note\nc1,4\n", how).rows == [{"item_id": "c1", "value": "4"}]
    with pytest.raises(RatifyError, match=r"no column 'note'.*item_id, points"):
        read(tmp_path, "Gespräch,points\nc1,4\n", how)
    with pytest.raises(RatifyError, match="there is another 'value'"):
        read(tmp_path, "Gespräch,note,value\nc1,4,5\n", how)


def test_decimal_commas_are_read_where_they_are_declared_and_named_elsewhere(
    tmp_path: Path,
) -> None:
    text = "who_id;x;pair\n1,2;3,5;a,b\n2,1;1.234,25;b,c\n2,2;-4;c,a\n"
    table = read(tmp_path, text, Reading(decimal=","))
    assert [table.number(row, "x") for row in (2, 3, 4)] == [3.5, 1234.25, -4.0]
    assert [row["pair"] for row in table.rows] == ["a,b", "b,c", "c,a"]
    assert table.rows[0]["who_id"] == "1,2"
    with pytest.raises(RatifyError, match=r"row 2, column x: .*decimal comma.*--decimal ,"):
        read(tmp_path, text).number(2, "x")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1 - Not at all", "2", "5: Very", "4 (often)", "3 = so"], [1, 2, 5, 4, 3]),
        (["TRUE", "no", "Yes"], [1, 0, 1]),
        (["5 %", "12%"], [5, 12]),
        (["1 234", "1,234,567", "1'234.5"], [1234, 1234567, 1234.5]),
        (["\uff11\uff12", "\u0663", "\u22123", "1e3"], [12, 3, -3, 1000]),
    ],
)
def test_what_can_be_read_in_one_way_is_read(cells: list[str], values: list[float]) -> None:
    found = numbers_of(cells)
    assert [found.known[cell] for cell in cells] == values
    assert len(found.notes("f.csv", "c", cells)) == 1


@pytest.mark.parametrize(
    "cells", [["5 %", "6"], ["yes", "2"], ["1,234"], ["5-Jun"], ["25 km"], ["1_0"], ["inf"]]
)
def test_what_can_be_read_in_two_ways_is_refused(cells: list[str]) -> None:
    assert cells[0] in numbers_of(cells).faults


def test_ranges_are_categories_and_numbers_with_something_are_not() -> None:
    assert not any(map(suspicious, ["18-24", "65+", "<18", "coach", "1-2"]))
    assert all(map(suspicious, ["3,5", "5 - agree", "25 km", "10mg"]))
