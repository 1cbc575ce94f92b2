"""If this fails, an auditor's files are misread, or a bad one passes without a clear complaint."""

from __future__ import annotations

import pytest

from analysis.audit.annotators import read_annotators
from prereg.errors import RatifyError

IDS = [f"2024103112405049{n:04d}" for n in range(6)]
NOTHING = {"ids": "", "na": "NA"}


def wide(path, ratings, *, ids=IDS, columns=("warmth", "advice"), id_column="conversation_id"):
    """Write one annotator's file: a row an item."""
    lines = [",".join((id_column, *columns))]
    lines += [",".join((item, *map(str, row))) for item, row in zip(ids, ratings, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def read(humans, judges, **settings):
    settings = {"id_column": "conversation_id", "scale": (1, 5)} | settings
    return read_annotators(humans, judges, **settings)


def refused(humans, judges, **settings):
    with pytest.raises(RatifyError) as caught:
        read(humans, judges, **settings)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def ann(tmp_path):
    return wide(tmp_path / "ann.csv", [(1, 2), (2, 3), (3, 4), (4, 5), (5, 1), (1, 1)])


@pytest.fixture
def bot(tmp_path):
    rows = [(1.0, 2.0), (2.0, 3.0), (3.0, 5.0), (4.0, 5.0), (5.0, 1.0), (2.0, 1.0)]
    return wide(tmp_path / "bot.csv", rows[::-1], ids=IDS[::-1])


def value_of(found, rater, item, dimension):
    frame = found.to_frame()
    keys = (frame["rater_id"] == rater) & (frame["item_id"] == item)
    return frame.loc[keys & (frame["dimension"] == dimension), "value"].item()


def test_wide_files_are_aligned_by_id(ann, bot):
    found = read([ann], [bot])
    assert found.dimensions == ("warmth", "advice")
    assert [one.name for one in (*found.humans, *found.judges)] == ["ann", "bot"]
    assert value_of(found, "ann", IDS[2], "advice") == 4
    assert value_of(found, "bot", IDS[2], "advice") == 5
    assert set(found.to_frame()["item_id"]) == set(IDS)  # all 20 digits
    assert found.warnings == []


def test_index_text_and_line_breaks_are_passed_over(tmp_path, ann):
    path = tmp_path / "judge.csv"
    rows = [
        f'{n},{item},"Seeker: hello,\nSupporter: ""yes""",{n % 5 + 1}.0,,9{n}'
        for n, item in enumerate(IDS)
    ]
    path.write_text("Unnamed: 0,conversation_id,text,warmth,advice,length\n" + "\n".join(rows))
    found = read([ann], [str(path)], dimensions=["warmth", "advice"])
    assert value_of(found, "judge", IDS[3], "warmth") == 4
    assert found.judges[0].missing == 6
    nameless = path.read_text().replace("Unnamed: 0", "")
    path.write_text(nameless)
    found = read([ann], [str(path)])
    assert found.dimensions == ("warmth",)  # advice is empty in this file, and that is said
    assert "advice (only in ann.csv)" in found.warnings[0]
    assert "length (only in judge.csv)" in found.warnings[0]


def test_names_given_on_the_command_line(tmp_path, ann, bot):
    found = read([f"Dr A={ann}"], [f"GPT={bot}"])
    assert [one.name for one in (*found.humans, *found.judges)] == ["Dr A", "GPT"]
    odd = wide(tmp_path / "a=b.csv", [(1, 1)] * 6)
    assert read([odd], [bot]).humans[0].name == "a=b"
    assert "NAME=FILE" in str(refused([f"={ann}"], [bot]))


def test_two_annotators_of_one_name(tmp_path, ann, bot):
    (tmp_path / "other").mkdir()
    twin = wide(tmp_path / "other" / "ann.csv", [(1, 1)] * 6)
    error = refused([ann, twin], [bot])
    assert "two annotators are called 'ann'" in str(error)
    assert "--human NAME=FILE" in str(error)
    assert len(read([ann, f"twin={twin}"], [bot]).humans) == 2


LONG_ROWS = [
    (rater, kind, item, dimension, (place + len(rater)) % 5 + 1)
    for rater, kind in (("p1", "human"), ("p22", "human"), ("m", "llm"))
    for place, item in enumerate(IDS)
    for dimension in ("warmth", "advice")
]


def long_file(path, rows=LONG_ROWS, item="item_id", kind=True):
    header = ["rater_id", *(["rater_kind"] if kind else []), item, "dimension", "value"]
    lines = [[r, *([k] if kind else []), i, d, str(v)] for r, k, i, d, v in rows]
    path.write_text("\n".join(",".join(line) for line in [header, *lines]) + "\n")
    return str(path)


def test_a_long_table_gives_each_rater_and_each_side(tmp_path, bot):
    path = long_file(tmp_path / "ratings.csv")
    found = read([path], [path, bot])
    assert [one.name for one in found.humans] == ["p1", "p22"]
    assert [one.name for one in found.judges] == ["m", "bot"]
    assert value_of(found, "p1", IDS[0], "warmth") == 3
    assert len(found.files) == 2
    assert set(found.to_frame()["rater_kind"]) == {"human", "llm"}


def test_a_long_table_with_the_id_as_named_and_no_kind(tmp_path, bot):
    people = [row for row in LONG_ROWS if row[1] == "human"]
    path = long_file(tmp_path / "crowd.csv", people, item="conversation_id", kind=False)
    assert [one.name for one in read([path], [bot]).humans] == ["p1", "p22"]
    named = read([f"crowd={path}"], [bot])
    assert [one.name for one in named.humans] == ["crowd:p1", "crowd:p22"]


def test_a_long_table_without_the_wanted_side(tmp_path, ann):
    path = long_file(tmp_path / "people.csv", [row for row in LONG_ROWS if row[1] == "human"])
    error = refused([ann], [path])
    assert "people.csv" in str(error)
    assert error.column == "rater_kind"


def test_a_long_table_rates_an_item_once(tmp_path, bot):
    path = long_file(tmp_path / "ratings.csv", [*LONG_ROWS, LONG_ROWS[0]])
    error = refused([path], [bot])
    assert (error.row, error.column) == (len(LONG_ROWS) + 2, "item_id")
    assert "already in row 2" in str(error)


def test_a_rater_without_any_rating_is_left_out_and_said(tmp_path, bot):
    rows = [*LONG_ROWS, *(("mute", "human", item, "warmth", "") for item in IDS)]
    found = read([long_file(tmp_path / "ratings.csv", rows)], [bot])
    assert "mute" not in [one.name for one in found.humans]
    assert "gave no ratings: mute" in " ".join(found.warnings)


def test_partial_overlap_is_said_with_counts(tmp_path, ann):
    rows = [(1, 1)] * 5
    judge = wide(tmp_path / "judge.csv", rows, ids=[*IDS[:4], "elsewhere"])
    found = read([ann], [judge])
    said = " ".join(found.warnings)
    assert "4 were rated by all 2 annotators (1 person and 1 judge)." in said
    assert "ann: 6 items, 4 in common with somebody it is compared with, 2 dropped." in said
    assert "judge: 5 items, 4 in common with somebody it is compared with, 1 dropped." in said


def test_a_judge_is_compared_with_people_only(tmp_path, ann):
    ids = [*IDS[:4], "elsewhere"]
    judges = [wide(tmp_path / f"{name}.csv", [(1, 1)] * 5, ids=ids) for name in ("j", "k")]
    found = read([ann], judges)
    assert [found.common(one) for one in found.judges] == [(4, 1), (4, 1)]
    assert found.common(found.humans[0]) == (4, 2)


def test_a_judge_inside_a_long_table_must_meet_people(tmp_path, ann):
    rows = [row for row in LONG_ROWS if row[0] == "m"]
    rows += [("stray", "llm", f"x{n}", "warmth", 3) for n in range(3)]
    error = refused([ann], [long_file(tmp_path / "judges.csv", rows)], dimensions=["warmth"])
    assert place(error) == ("judges.csv", None, "conversation_id", "x0")
    assert "the people" in str(error)


def place(error):
    return error.file and error.file.rsplit("/", 1)[-1], error.row, error.column, error.value


def test_no_id_column(tmp_path, ann):
    judge = wide(tmp_path / "judge.csv", [(1, 1)] * 6, id_column="id")
    error = refused([ann], [judge])
    assert place(error) == ("judge.csv", None, None, None)
    assert "conversation_id" in str(error)
    assert "id, warmth, advice" in str(error)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [("6", "outside"), ("0.9", "outside"), ("good", "not a number"), ("inf", "not a number")],
)
def test_a_bad_value_is_placed(tmp_path, ann, cell, problem):
    rows = [(1, 1), (2, 2), (3, cell), (4, 4), (5, 5), (1, 1)]
    error = refused([ann], [wide(tmp_path / "judge.csv", rows)])
    assert place(error) == ("judge.csv", 4, "advice", cell)
    assert problem in str(error)


def test_a_number_that_is_no_rating_hints_at_dimension(tmp_path):
    columns, rows = ("warmth", "response_length"), [(1, 114)] * 6
    one = wide(tmp_path / "a.csv", rows, columns=columns)
    two = wide(tmp_path / "b.csv", rows, columns=columns)
    error = refused([one], [two])
    assert error.column == "response_length"
    assert "--dimension" in str(error)
    assert "1 to 5" in str(error)
    assert "--dimension" not in str(refused([one], [two], dimensions=["response_length"]))
    assert read([one], [two], dimensions=["warmth"]).dimensions == ("warmth",)


def test_two_rows_with_one_id(tmp_path, ann):
    judge = wide(tmp_path / "judge.csv", [(1, 1)] * 6, ids=[*IDS[:5], IDS[0]])
    error = refused([ann], [judge])
    assert place(error) == ("judge.csv", 7, "conversation_id", IDS[0])
    assert "already in row 2" in str(error)
    assert "long table" in str(error)


def test_ids_that_do_not_overlap(tmp_path, ann, bot):
    judge = wide(tmp_path / "judge.csv", [(1, 1)] * 6, ids=[f"x{n}" for n in range(6)])
    error = refused([ann], [judge])
    assert place(error) == ("judge.csv", None, "conversation_id", "x0")
    assert "ann.csv" in str(error)
    assert IDS[0] in str(error)
    stranger = wide(tmp_path / "stranger.csv", [(1, 1)] * 6, ids=[f"x{n}" for n in range(6)])
    assert "stranger.csv" in str(refused([ann, stranger], [bot]))


@pytest.mark.parametrize(
    ("content", "column", "how"),
    [
        ("conversation_id,warmth\n{ids}", "warmth", {}),
        ("conversation_id,warmth\n{ids}", "warmth", {"dimensions": ["warmth"]}),
        ("conversation_id,warmth\n{na}", "warmth", {}),
        ("conversation_id,gpt\n{ids}", "gpt", {"dimensions": ["warmth"], "judge_columns": ["gpt"]}),
    ],
)
def test_a_file_without_any_rating_is_named(tmp_path, ann, content, column, how):
    judge = tmp_path / "judge.csv"
    rows = {word: "".join(f"{name},{cell}\n" for name in IDS) for word, cell in NOTHING.items()}
    judge.write_text(content.format(**rows))
    assert str(refused([ann], [str(judge)], **how)) == (
        f"{judge}, {column}: holds no rating: every cell is empty or a missing-value word "
        "(allowed: ratings from 1 to 5)"
    )
    if "judge_columns" not in how:
        error = refused([str(judge)], [ann], **how)
        assert error.file == str(judge), "a person's file is named alike"


def test_a_judge_without_any_rating_beside_another_is_named(tmp_path, ann):
    judge = tmp_path / "judge.csv"
    judge.write_text("conversation_id,gpt,olmo\n" + "".join(f"{name},3,\n" for name in IDS))
    error = refused([ann], [str(judge)], dimensions=["warmth"], judge_columns=["gpt", "olmo"])
    assert str(error).startswith(f"{judge}, olmo: holds no rating by 'olmo': every cell is empty")
    rows = "".join(f"gpt,{n},warmth,3\nolmo,{n},warmth,\n" for n in IDS)
    judge.write_text("rater_id,conversation_id,dimension,value\n" + rows)
    error = refused([ann], [str(judge)], dimensions=["warmth"])
    assert str(error).startswith(f"{judge}, value: holds no rating by 'olmo': every cell is empty")


def test_a_column_of_words_is_named_at_its_first_word(tmp_path, ann):
    judge = wide(tmp_path / "judge.csv", [("good", "fine")] * 6)
    assert place(refused([ann], [judge])) == ("judge.csv", 2, "warmth", "good")


@pytest.mark.parametrize(
    "damaged", ["2.0241031124050492e+19", "2.02E+19", "20241031124050491392.0"]
)
def test_ids_that_went_through_a_float(tmp_path, ann, damaged):
    judge = wide(tmp_path / "judge.csv", [(1, 1)] * 6, ids=[*IDS[:2], damaged, *IDS[3:]])
    error = refused([ann], [judge])
    assert place(error) == ("judge.csv", 4, "conversation_id", damaged)
    assert "digits" in str(error)


def test_ids_that_only_look_like_it_are_kept(tmp_path):
    ids = ["1e5", "12e45", "3.5", "007", "20241031124050491392", "12.0"]
    one = wide(tmp_path / "a.csv", [(1, 1)] * 6, ids=ids)
    two = wide(tmp_path / "b.csv", [(1, 1)] * 6, ids=ids)
    assert set(read([one], [two]).to_frame()["item_id"]) == set(ids)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\xff", "not a CSV"),
        (b"conversation_id,warmth\n", "no rows"),
        (b"conversation_id,warmth\n,3\n", "is empty"),
    ],
)
def test_files_that_are_no_table(tmp_path, ann, content, says):
    path = tmp_path / "judge.csv"
    path.write_bytes(content)
    error = refused([ann], [str(path)])
    assert says in str(error)
    assert "judge.csv" in str(error)


def test_a_missing_file(tmp_path, ann):
    assert "no such file" in str(refused([ann], [str(tmp_path / "none.csv")]))


def test_a_dimension_that_is_not_there(tmp_path, ann, bot):
    assert "'kindness'" in str(refused([ann], [bot], dimensions=["kindness"]))
    path = long_file(tmp_path / "ratings.csv")
    error = refused([path], [path], dimensions=["kindness"])
    assert "warmth, advice" in str(error)
    assert "the id" in str(refused([ann], [bot], dimensions=["conversation_id"]))


def test_no_shared_numeric_column(tmp_path, ann):
    judge = wide(tmp_path / "judge.csv", [(1, "fine")] * 6, columns=("heat", "advice"))
    error = refused([ann], [judge])
    assert "ann.csv: warmth, advice" in str(error)
    assert "judge.csv: heat" in str(error)


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), (1, float("nan")), (1, float("inf"))])
def test_a_scale_without_length(ann, bot, scale):
    assert "scale" in str(refused([ann], [bot], scale=scale))


def test_both_sides_are_needed(ann):
    assert "--judge FILE" in str(refused([ann], []))
    assert "--human FILE" in str(refused([], [ann]))


@pytest.mark.parametrize("first", [0, 1])
def test_ids_that_are_only_row_numbers_are_said(tmp_path, first):
    rows = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 1), (1, 1)]
    numbers = [str(first + n) for n in range(6)]
    people = wide(tmp_path / "crowd.csv", rows, ids=numbers)
    judge = wide(tmp_path / "judge.csv", [(b, a) for a, b in rows], ids=numbers)
    (said,) = (one for one in read([people], [judge]).said if "row numbers" in one)
    assert "crowd.csv and judge.csv" in said
    # in another order than the rows they name an item after all
    sorted_by_text = wide(tmp_path / "other.csv", rows, ids=numbers[::-1])
    assert not any("row numbers" in one for one in read([people], [sorted_by_text]).said)
