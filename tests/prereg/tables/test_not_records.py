"""If this failed, a preview of a survey or a row of means would be taken for a person's answer."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from prereg.errors import RatifyError
from prereg.tables.reader import read_table

QUESTIONS = "Status,Finished,ResponseId,DistributionChannel,warm\n"
IDS = ",".join(['"{""ImportId"":""x""}"'] * 5) + "\n"
ANSWERS = (
    "IP Address,True,R1,anonymous,5\n"
    "Survey Preview,True,R2,preview,1\n"
    "IP Address,False,R3,anonymous,\n"
    "IP Address,True,R4,preview,2\n"
    "IP Address,True,R5,anonymous,odd\n"
)


def written(tmp_path: Path, text: str, name: str = "q.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("below", "first"), [("", 2), ("Response,Q1,Q2,Q3,Q4\n" + IDS, 4)])
def test_previews_are_left_out_and_unfinished_answers_are_counted(
    tmp_path: Path, below: str, first: int
) -> None:
    table = read_table(written(tmp_path, QUESTIONS + below + ANSWERS))
    assert [row["ResponseId"] for row in table.rows] == ["R1", "R3", "R5"]
    assert table.notes[-2:] == (
        "q.csv: 2 rows of previews of the survey were left out (Status is Survey Preview or "
        f"DistributionChannel is preview; the first is row {first + 1})",
        "q.csv: 1 row is of people who did not finish (Finished is False; the first is "
        f"row {first + 2}): it is kept",
    )
    with pytest.raises(RatifyError, match=rf"row {first + 4}, column warm: is not a number"):
        table.number(4, "warm")


def test_a_survey_of_previews_only_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match="no rows"):
        read_table(written(tmp_path, "Status,warm\nSurvey Preview,3\n"))


def test_the_same_words_elsewhere_mean_something_else(tmp_path: Path) -> None:
    text = "Finished,status,warm\nFalse,Survey Preview,1\nTrue,preview,2\n"
    table = read_table(written(tmp_path, text))
    assert len(table.rows) == 2
    assert table.notes == ()


@pytest.mark.parametrize(
    ("last", "row"),
    [
        ("Mean,4.5,3", 4),
        ("TOTAL:,9,6", 4),
        ("Grand total,,6", 4),
        ('average,"4,5",50%', 4),
        ("Mean,4.5,3\nSD,0.5,\nN,2,2\nMax,5,4", 4),
        ("Min,4,2\nMedian,4.5,3", 4),
    ],
)
def test_a_row_of_means_or_totals_is_refused(tmp_path: Path, last: str, row: int) -> None:
    path = written(tmp_path, f"item_id,warm,clear\na,5,4\nb,4,2\n{last}\n")
    with pytest.raises(RatifyError) as caught:
        read_table(path)
    word = last.partition(",")[0]
    assert str(caught.value).startswith(
        f"{path}, row {row}, column item_id: looks like a row of means or totals below the table"
    )
    assert f"got {word!r}" in str(caught.value)


def test_a_row_of_means_in_a_sheet_is_refused_at_its_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for record in (["n", "item_id", "warm"], [1, "a", 5], [2, "b", 4], [None, "Mean", 4.5]):
        book.active.append(record)
    path = tmp_path / "s.xlsx"
    book.save(path)
    with pytest.raises(RatifyError, match="row 4, column item_id: looks like a row of means"):
        read_table(path)


@pytest.mark.parametrize(
    "rows",
    [
        "Mean,4.5,3\nb,4,2",  # above other records
        "b,4,2\nMax,3,4",  # a person's name
        "b,4,2\nmean,a word,4",  # an item with a text
        "b,4,2\nMean,,",  # nothing but the word
        "b,4,2\nMeaning,4,4",
    ],
)
def test_records_that_only_look_like_it_are_kept(tmp_path: Path, rows: str) -> None:
    table = read_table(written(tmp_path, f"item_id,warm,clear\na,5,4\n{rows}\n"))
    assert len(table.rows) == 3
