"""If this failed, the wrong sheet would be audited, or a table would be refused without help."""

from __future__ import annotations

import subprocess
from pathlib import Path

import openpyxl
import pytest

from prereg.errors import RatifyError
from prereg.tables.absent_columns import per_respondent
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.items import import_items
from prereg.tables.reader import read_table
from prereg.tables.reading import MISSING_WORDS, Reading, missing_words
from tests.test_commands import Run, refused, write

RATERS = ["Anna", "Ben", "GPT"]
BY_RATER = ["--human-columns", "Anna,Ben", "--judge-columns", "GPT", "--scale", 1, 5]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook with a sheet for each dimension, and an empty one."""
    made = openpyxl.Workbook()
    for place, name in enumerate(("warmth", "good advice")):
        sheet = made.active if place == 0 else made.create_sheet()
        sheet.title = name
        sheet.append(["item_id", *RATERS])
        for row in range(12):
            sheet.append([f"t{row}", 1 + row % 5, 1 + (row + place) % 5, 5 - (row % 4)])
    made.create_sheet("empty")
    path = tmp_path / "ratings.xlsx"
    made.save(path)
    return path


def _audit(
    ratify: Run, file: str | Path, dimension: str, out: Path
) -> subprocess.CompletedProcess[str]:
    files = ("--human", file, "--judge", file, *BY_RATER)
    return ratify("audit", *files, "--dimension", dimension, "--out", out)


@pytest.mark.parametrize("name", ["good advice", "Good  Advice"])
def test_a_dimension_that_is_another_sheet_is_refused(
    ratify: Run, book: Path, tmp_path: Path, name: str
) -> None:
    done = _audit(ratify, book, name, tmp_path / "out")
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "is another sheet of this workbook, and only sheet 'warmth' was read" in last
    assert "'ratings.xlsx#good advice'" in last
    assert not (tmp_path / "out").exists()


def test_a_sheet_is_chosen_behind_the_file(ratify: Run, book: Path, tmp_path: Path) -> None:
    first = _audit(ratify, book, "warmth", tmp_path / "one")
    assert first.returncode == 0, first.stderr
    assert "only sheet 'warmth' was read, not 'good advice', 'empty'" in first.stderr
    second = _audit(ratify, f"{book}#good advice", "good advice", tmp_path / "two")
    assert second.returncode == 0, second.stderr
    assert "only sheet" not in second.stderr
    for out, one in (("one", "warmth"), ("two", "good advice")):
        assert f'"{one}"' in (tmp_path / out / "results.json").read_text()


def test_a_sheet_is_read_by_name_or_said_not_to_be_there(book: Path, tmp_path: Path) -> None:
    table = read_table(f"{book}#GOOD advice")
    assert (table.sheet, table.sheets) == ("good advice", ("warmth", "empty"))
    assert [row["Ben"] for row in table.rows[:2]] == ["2", "3"]
    with pytest.raises(RatifyError, match=r"no such sheet, got 'x' \(allowed: warmth, good"):
        read_table(f"{book}#x")
    with pytest.raises(RatifyError, match="this sheet has no cell"):
        read_table(f"{book}#empty")
    plain = write(tmp_path / "a.csv", "id,x\n1,2\n")
    with pytest.raises(RatifyError, match="has no sheets, got 'x'"):
        read_table(f"{plain}#x")
    odd = write(tmp_path / "a#b.csv", "id,x\n1,2\n")
    assert file_and_sheet(odd) == (odd, None)
    assert read_table(odd).columns == ("id", "x")


def test_rank_and_new_read_a_chosen_sheet(ratify: Run, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["nothing here"])
    for name, rows in (
        ("choices", [("left_id", "right_id", "choice"), ("a", "b", "left"), ("b", "a", "left")]),
        ("texts", [("item_id", "text"), *((f"t{n}", f"Text {n}.") for n in range(60))]),
    ):
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(tmp_path / "b.xlsx")
    ranked = ratify("rank", f"{tmp_path}/b.xlsx#choices")
    assert ranked.returncode == 0, ranked.stderr
    made_study = ratify("new", tmp_path / "s", "--items", f"{tmp_path}/b.xlsx#texts")
    assert made_study.returncode == 0, made_study.stderr
    assert len(read_table(tmp_path / "s" / "items.csv").rows) == 60


def test_a_column_that_is_another_sheet_is_refused_everywhere(book: Path) -> None:
    with pytest.raises(RatifyError, match=r"another sheet .*'ratings\.xlsx#good advice'"):
        read_table(book).require("good advice")
    with pytest.raises(RatifyError, match="another sheet"):
        read_table(book, Reading(columns={"value": "good advice"}))
    with pytest.raises(RatifyError, match=r"'mood'.*only sheet 'warmth' was read.*xlsx#SHEET'"):
        read_table(book).require("mood")


def test_the_message_names_the_option_that_would_help(ratify: Run, tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", "Text,warm\na,1\nb,2\n")
    audit = ("audit", "--human", own, "--judge", own, "--scale", 1, 5, "--out", tmp_path / "out")
    refused(ratify(*audit), "the columns are Text, warm", "--id COLUMN", "--map item_id=COLUMN")
    wanted = (*audit, "--id", "Text", "--dimension", "cold")
    refused(ratify(*wanted), "no column 'cold'", "--map cold=COLUMN")
    lacking = (*audit, "--human-columns", "h1", "--judge-columns", "warm", "--dimension", "warmth")
    refused(ratify(*lacking, "--id", "Text"), "no column 'h1'", "--human-columns")
    refused(ratify("new", tmp_path / "s", "--items", own), "the columns are", "--id COLUMN")
    new = ("new", tmp_path / "s", "--items", own, "--id", "Text")
    refused(ratify(*new), "no column 'text'", "--text COLUMN")
    refused(ratify(*new, "--text", "warm", "--scenario", "x"), "no column 'x'", "--scenario")
    refused(ratify("rank", own), "the columns are", "--left, --right, --choice")
    good = write(tmp_path / "good.csv", "item_id,a,b\n1,1,2\n2,2,3\n3,3,1\n4,5,5\n")
    other = write(tmp_path / "j.csv", "item_id,a,b\n1,2,2\n2,2,3\n3,3,3\n4,4,5\n")
    full = ("audit", "--human", good, "--judge", other, "--scale", 1, 5, "--items", own)
    refused(ratify(*full, "--out", tmp_path / "out"), "own.csv", "no column 'item_id'", "--id")
    refused(
        ratify(*full, "--id", "item_id", "--map", "mood=nope", "--out", tmp_path),
        "no file has a column 'nope': the columns are item_id, a, b",
    )
    long = write(tmp_path / "l.csv", "item_id,rater_id,Response\n1,x,2\n1,y,3\n2,x,3\n2,y,1\n")
    refused(
        ratify(
            "audit", "--human", long, "--judge", other, "--scale", 1, 5, "--out", tmp_path / "o"
        ),
        "l.csv has several rows per item_id",
        "dimension and value",
        "--map",
    )


def test_at_most_ten_columns_are_named(tmp_path: Path) -> None:
    names = [f"column {letter}" for letter in "abcdefghijkl"]
    wide = write(tmp_path / "w.csv", f"{','.join(names)}\n{','.join('1' * 12)}\n")
    with pytest.raises(
        RatifyError, match=r"column j and 2 more \(allowed: .*--id COLUMN"
    ) as caught:
        import_items(wide, id_column="id", text_column="text", scenario_column=None)
    assert "column k" not in str(caught.value)


@pytest.mark.parametrize("form", ["T{0:02}_{1}", "{1}_T{0:02}", "Q{0} {1}"])
def test_one_row_per_respondent_is_said_not_to_be_read(
    ratify: Run, tmp_path: Path, form: str
) -> None:
    names = [form.format(text, asked) for text in range(20) for asked in ("warm", "clear")]
    people = write(
        tmp_path / "q.csv",
        f"ResponseId,{','.join(names)}\n"
        + "".join(f"R{n},{','.join('34' * 20)}\n" for n in (1, 2)),
    )
    judge = write(tmp_path / "j.csv", "item_id,warm\nT01,3\nT02,4\n")
    audit = ("audit", "--human", people, "--judge", judge, "--scale", 1, 5, "--out", tmp_path / "o")
    says = ("q.csv", "one row per respondent", "docs/audit.md", names[0])
    done = ratify(*audit)
    refused(done, *says)
    assert names[12] not in done.stderr
    done = ratify(*audit, "--map", "item_id=ResponseId")
    refused(done, *says)
    assert names[12] not in done.stderr


@pytest.mark.parametrize(
    "columns",
    [
        ["item_id", "h1", "h2", "h3", "h4", "gpt"],
        ["item_id", "warmth", "good_advice", "text", "created_at"],
        ["item_id", "q_1", "q_2", "q_3", "q_4", "q_5"],
        [],
    ],
)
def test_other_layouts_are_not_taken_for_respondents(columns: list[str]) -> None:
    assert per_respondent(columns) == ""


def test_all_bad_words_of_a_column_are_named_with_the_files_own_name(
    ratify: Run, tmp_path: Path
) -> None:
    cells = ["3", "missing", "don't know", "4", "odd", "refused", "later", "never", "NA", "2"]
    long = write(
        tmp_path / "long.csv",
        "who,item_id,dimension,Response\n"
        + "".join(f"{who},{n},warm,{cell}\n" for who in "ab" for n, cell in enumerate(cells)),
    )
    judge = write(
        tmp_path / "j.csv", "item_id,warm\n" + "".join(f"{n},{n % 5}\n" for n in range(10))
    )
    audit = ("audit", "--human", long, "--judge", judge, "--scale", 0, 5, "--out", tmp_path / "out")
    audit = (*audit, "--map", "rater_id=who,value=Response")
    last = ratify(*audit).stderr.strip().splitlines()[-1]
    for word in (
        "row 3, column Response: is not a number",
        "neither are \"don't know\", 'odd', 'refused', 'later' and 1 more in other rows",
        "got 'missing'",
        '--missing "+missing,don\'t know,odd,refused,later"',
        "{missing: [+, missing, don't know, odd, refused, later]}",
    ):
        assert word in last
    # without the plus, the words are used instead of the default, and NA is a word like others
    words = "missing,don't know,odd,refused,later,never"
    last = ratify(*audit, "--missing", words).stderr.strip().splitlines()[-1]
    assert "got 'NA'" in last
    done = ratify(*audit, "--missing", f"+{words}")
    assert done.returncode == 0, done.stderr


def test_a_leading_plus_adds_to_the_missing_words() -> None:
    assert missing_words(["+refused", "9"]) == (*MISSING_WORDS, "refused", "9")
    assert missing_words(["+", "9"]) == (*MISSING_WORDS, "9")
    assert missing_words(["refused", "+"]) == ("refused", "+")
    assert missing_words([]) == ()
