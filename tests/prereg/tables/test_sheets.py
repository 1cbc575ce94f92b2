"""If this failed, a formula without its value or a percentage would be misread without a word."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from analysis.audit.annotators import read_annotators
from analysis.ranking.from_table import rank_table
from analysis.tables import columns
from analysis.tables.tidy import read_other
from prereg.errors import RatifyError
from prereg.tables.items import import_items
from prereg.tables.reader import read_table
from prereg.tables.reading import Reading

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="S">
<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p>
</table:table-cell><table:table-cell office:value-type="string"><text:p>x</text:p>
</table:table-cell><table:table-cell office:value-type="string"><text:p>y</text:p>
</table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string">
<text:p>a</text:p></table:table-cell><table:table-cell office:value-type="percentage"
 office:value="0.45"><text:p>45%</text:p></table:table-cell>
<table:table-cell table:formula="of:=1+1"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""

MANIFEST = """<?xml version="1.0" encoding="UTF-8"?><manifest:manifest
 xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Ids, shares as percentages, and a column of formulas of which openpyxl saves no value."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(["my ratings"])
    page.append(["id", "share", "score"])
    for name, share, score in (("a", 0.45, 3), ("b", 0.5, "=B4*10"), ("c", 1, "=B5*10")):
        page.append([name, share, score])
        page.cell(page.max_row, 2).number_format = "0.0%" if name == "a" else "0%"
    page.delete_rows(1)
    page["D2"].number_format = '0 "%"'
    path = tmp_path / "s.xlsx"
    book.save(path)
    return path


def test_a_formula_without_a_value_is_said_and_refused_where_it_is_used(sheet: Path) -> None:
    table = read_table(sheet)
    assert [row["score"] for row in table.rows] == ["3", "", ""]
    assert (
        "s.xlsx: 2 cells of column score are formulas without a saved value, read as empty "
        "(the first is in row 3)" in table.notes
    )
    assert table.number(2, "score") == 3
    says = r"s\.xlsx, row 3, column score: is a formula, and the file does not hold its value"
    with pytest.raises(RatifyError, match=says):
        table.number(3, "score")
    with pytest.raises(RatifyError, match=says):
        table.require_filled("score")
    with pytest.raises(RatifyError, match=says):
        table.require("id", "score")
    with pytest.raises(RatifyError, match=says):
        import_items(sheet, id_column="score", text_column="id", scenario_column=None)
    table.require_filled("id", "share")


def test_a_saved_formula_is_a_value_also_if_it_is_an_empty_text(sheet: Path) -> None:
    with zipfile.ZipFile(sheet) as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    name = "xl/worksheets/sheet1.xml"
    cells = content[name].replace(b"<f>B4*10</f><v />", b"<f>B4*10</f><v>5</v>")
    cells = cells.replace(b'<c r="C4"><f>B5*10</f><v />', b'<c r="C4" t="str"><f>B5*10</f><v />')
    assert cells.count(b't="str"') == 1
    assert cells.count(b"<v>5</v>") == 1
    with zipfile.ZipFile(sheet, "w") as parts:
        for part, text in (content | {name: cells}).items():
            parts.writestr(part, text)
    table = read_table(sheet)
    assert [row["score"] for row in table.rows] == ["3", "5", ""]
    assert table.number(4, "score") is None
    assert not [note for note in table.notes if "formula" in note]


def test_a_sheet_without_references_says_that_it_was_not_looked_through(sheet: Path) -> None:
    with zipfile.ZipFile(sheet) as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    name = "xl/worksheets/sheet1.xml"
    bare = re.sub(rb'(<c) r="[A-Z]+[0-9]+"', rb"\1", content[name])
    with zipfile.ZipFile(sheet, "w") as parts:
        for part, text in (content | {name: bare}).items():
            parts.writestr(part, text)
    said = "s.xlsx: formulas without a saved value and percentages could not be looked for"
    assert said in read_table(sheet).notes


def test_rows_and_columns_of_formulas_only_are_not_taken_for_blank(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "x"], ["a", 1], ["=A2", "=B2"]):
        book.active.append(row)
    path = tmp_path / "f.xlsx"
    book.save(path)
    table = read_table(path)
    assert len(table.rows) == 2
    with pytest.raises(RatifyError, match="row 3, column id: is a formula"):
        table.require_filled("id")
    book.active["B1"] = '="x"'
    book.save(path)
    with pytest.raises(RatifyError, match="row 1, column the header: is a formula"):
        read_table(path)


def test_a_percentage_is_read_as_its_number_and_said(sheet: Path) -> None:
    table = read_table(sheet)
    assert [row["share"] for row in table.rows] == ["0.45", "0.5", "1"]
    assert (
        "s.xlsx: 3 cells of column share shown as percentages, such as 45%: read as the numbers "
        "that the sheet holds, such as 0.45" in table.notes
    )
    assert len([note for note in table.notes if "percent" in note]) == 1


def test_both_are_found_in_an_opendocument_sheet(tmp_path: Path) -> None:
    path = tmp_path / "s.ods"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        parts.writestr("content.xml", ODS.replace("\n", ""))
        parts.writestr("META-INF/manifest.xml", MANIFEST)
    table = read_table(path)
    assert [row["x"] for row in table.rows] == ["0.45", "0.45"]
    assert "2 cells of column x shown as percentages, such as 45%" in " ".join(table.notes)
    with pytest.raises(RatifyError, match="row 2, column y: is a formula"):
        table.number(2, "y")


def saved(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("cells", [["=1+1", "=2+1"], [3, "=2+1"]])
def test_an_audit_refuses_scores_that_are_formulas_without_values(
    tmp_path: Path, cells: list[object]
) -> None:
    rows: list[list[object]] = [["item_id", "warm", "note"]]
    path = saved(
        tmp_path / "j.xlsx", [*rows, *([f"i{n}", cell, "=1"] for n, cell in enumerate(cells))]
    )
    people = tmp_path / "p.csv"
    people.write_text("item_id,warm\ni0,1\ni1,2\n")
    with pytest.raises(RatifyError, match=r"j\.xlsx, row \d, column warm: is a formula"):
        read_annotators([str(people)], [str(path)], id_column="item_id", scale=(1, 5))


@pytest.mark.parametrize("column", ["left_id", "choice", "rater_id", "scenario"])
def test_a_ranking_refuses_formulas_without_values(tmp_path: Path, column: str) -> None:
    row: dict[str, object] = {
        "left_id": "a",
        "right_id": "b",
        "choice": "left",
        "rater_id": "r",
        "scenario": "s",
    }
    wrong = row | {column: "=A1"}
    path = saved(tmp_path / "j.xlsx", [list(row), list(row.values()), list(wrong.values())])
    with pytest.raises(RatifyError, match=rf"j\.xlsx, row 3, column {column}: is a formula"):
        rank_table(path)


def test_a_tidy_table_refuses_formulas_without_values(tmp_path: Path) -> None:
    path = saved(tmp_path / "t.xlsx", [["person", "age"], ["a", 30], ["b", "=B2"]])
    frame = read_other(path, Reading())
    with pytest.raises(RatifyError, match=r"row 3, column age: is a formula"):
        columns.numbers(frame, "age")
