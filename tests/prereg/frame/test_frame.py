"""If these failed, a frame with a fault would be sampled, or a fault of it named wrongly."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from prereg.errors import RatifyError
from prereg.frame.labelled import read_labelled
from prereg.frame.reading import read_frame, read_units
from prereg.frame.sampling import draw_sample, item_rows
from prereg.frame.scores import judge_scores, people_scores, write_scores
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.tables.reader import read_table, write_csv
from ratify import main
from tests.support.causal_studies import causal_study, units, write_frame
from tests.support.plans import edited_plan

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return causal_study(tmp_path_factory.mktemp("causal") / "study")


@pytest.fixture
def plan(made: Path) -> Plan:
    return load_plan(made)


def read(tmp_path: Path, plan: Plan, rows: Rows) -> Any:
    write_frame(tmp_path, rows)
    return read_frame(tmp_path, plan)


def test_a_long_id_stays_text_and_scores_are_numbers(made: Path, plan: Plan) -> None:
    frame = read_frame(made, plan)
    assert frame.ids[:2] == ["10000000000000000000", "10000000000000000001"]
    assert frame.treatment.tolist() == [row["judge_empathy"] for row in units()]
    assert frame.outcome.tolist() == [row["judge_attachment"] for row in units()]


@pytest.mark.parametrize("empty", ["", "NA"])
def test_units_without_a_score_are_left_out_and_counted(
    tmp_path: Path, plan: Plan, empty: str
) -> None:
    rows = units()
    rows[0]["judge_empathy"] = rows[1]["judge_attachment"] = empty
    frame = read(tmp_path, plan, rows)
    assert frame.unscored == 2
    assert len(frame.ids) == len(rows) - 2
    assert rows[0]["item_id"] not in frame.ids


@pytest.mark.parametrize("cell", ["NaN", "nan", " -nan "])
def test_nan_is_no_missing_score(tmp_path: Path, plan: Plan, cell: str) -> None:
    with pytest.raises(RatifyError, match=r"frame\.csv, row 5 .*column judge_empathy: is NaN"):
        read(tmp_path, plan, changed(3, judge_empathy=cell))


def test_nan_of_a_parquet_file_is_told_from_an_empty_cell(made: Path, tmp_path: Path) -> None:
    plan = plan_of(made, tmp_path, "frame.parquet")
    columns: dict[str, Any] = {name: [row[name] for row in units()] for name in units()[0]}
    columns["local_hour"] = [None if hour == "" else hour for hour in columns["local_hour"]]
    scores = [None, *map(float, columns["judge_empathy"][1:])]
    columns["judge_empathy"] = pa.array(scores, pa.float64())
    pq.write_table(pa.table(columns), tmp_path / "frame.parquet")
    assert read_frame(tmp_path, plan).unscored == 1
    scores[6] = float("nan")
    columns["judge_empathy"] = pa.array(scores, pa.float64())
    pq.write_table(pa.table(columns), tmp_path / "frame.parquet")
    with pytest.raises(RatifyError, match=r"record 7, column judge_empathy: is NaN"):
        read_frame(tmp_path, plan)


def changed(at: int, **cells: object) -> Rows:
    rows = units()
    rows[at] |= cells
    return rows


def same_pair() -> Rows:
    rows = units()
    return changed(9, **{name: rows[4][name] for name in ("prompt", "reply", "next_turn")})


def without(column: str) -> Rows:
    return [{name: cell for name, cell in row.items() if name != column} for row in units()]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (without("user_id"), r"no column 'user_id'"),
        (without("judge_empathy"), r"no column 'judge_empathy'"),
        (without("local_hour"), r"no column 'local_hour'"),
        (without("model"), r"no column 'model'"),
        (changed(2, user_id=""), r"row 4 .*column user_id: is empty"),
        (changed(2, text=" "), r"row 4 .*column text: is empty"),
        (
            changed(7, item_id="10000000000000000003"),
            r"row 9 .*column item_id: this item_id is "
            "already in row 5",
        ),
        (changed(7, item_id="1e+19"), r"row 9 .*column item_id: was rounded"),
        (
            same_pair(),
            r"row 11 .*column item_id: has the same prompt, reply and next_turn as row 6",
        ),
        (
            changed(3, judge_empathy=8),
            r"row 5 .*column judge_empathy: is outside the scale, got "
            r"'8' \(allowed: 1 to 7, or empty\)",
        ),
        (changed(3, judge_attachment="high"), r"row 5 .*column judge_attachment: .*got 'high'"),
        (
            changed(3, local_hour=24),
            r"row 5 .*column local_hour: is not an hour of a day, got '24'",
        ),
        ([row | {"judge_empathy": ""} for row in units()], "no unit has both scores"),
        (
            [row | {"user_id": "u1"} for row in units()],
            r"user_id: 1 user cannot be split into 5 folds, got 1 \(allowed: 5 users or more\)",
        ),
        (
            [row | {"judge_attachment": 3} for row in units()],
            "judge_attachment: the judge gave every unit the same score of the outcome, got 3",
        ),
    ],
)
def test_a_fault_of_the_frame_is_one_line_with_its_place(
    tmp_path: Path, plan: Plan, rows: Rows, said: str
) -> None:
    with pytest.raises(RatifyError, match=said) as caught:
        read(tmp_path, plan, rows)
    assert str(tmp_path / "frame.csv") in str(caught.value)


def turned(write: Callable[[int], str]) -> Rows:
    """Return a frame whose confounder `turn` is written in another way."""
    return [row | {"turn": write(at)} for at, row in enumerate(units())]


@pytest.mark.parametrize(
    ("rows", "row", "value", "cells"),
    [
        (turned(lambda at: f"{at % 7},5"), 2, "0,5", "240 of 240"),
        # most are plain numbers, and one is not
        (turned(lambda at: "2,5" if at == 30 else f"{at % 7}.5"), 32, "2,5", "1 of 240"),
        (turned(lambda at: "" if at < 9 else f"1.23{at % 7},5"), 11, "1.232,5", "231 of 231"),
        (turned(lambda at: f"1,23{at % 7}"), 2, "1,230", "240 of 240"),
        (turned(lambda at: f"1 23{at % 7}"), 2, "1 230", "240 of 240"),
        (turned(lambda at: f"{at % 7}%"), 2, "0%", "240 of 240"),
        (turned(lambda at: f"\u2212{at % 7}"), 2, "\u22120", "240 of 240"),
        (turned(lambda at: chr(0x0660 + at % 7)), 2, "\u0660", "240 of 240"),
        # every second cell is a word, and one more is a number than not
        (turned(lambda at: "none" if 2 <= at < 121 else f"{at % 7},5"), 2, "0,5", "121 of 240"),
    ],
)
def test_numbers_of_a_confounder_in_another_notation_are_refused(
    tmp_path: Path, plan: Plan, rows: Rows, row: int, value: str, cells: str
) -> None:
    assert plan.causal is not None and "turn" in plan.causal.confounders.columns
    with pytest.raises(RatifyError, match=f"as {cells} filled cells do") as caught:
        read(tmp_path, plan, rows)
    error = caught.value
    assert error.file == str(tmp_path / "frame.csv")
    assert (error.column, error.value) == ("turn", value)
    assert f"row {row}" in str(error)
    assert "plain numbers with a decimal point" in str(error.allowed)


@pytest.mark.parametrize(
    "write",
    [
        lambda at: f"{at % 7}.5",
        lambda at: f"{18 + at % 7}-{24 + at % 7}",
        lambda at: ("4o", "4o mini", "3.5.1", "18+")[at % 4],
        lambda at: "2024-01-02",
        # half of the cells are words
        lambda at: "1,5" if at % 2 else "other",
        lambda at: "",
    ],
)
def test_plain_numbers_and_categories_of_a_confounder_are_read(
    tmp_path: Path, plan: Plan, write: Callable[[int], str]
) -> None:
    assert read(tmp_path, plan, turned(write)).unscored == 0


def test_decimal_commas_are_read_where_the_plan_says_so(made: Path, tmp_path: Path) -> None:
    study = Path(shutil.copytree(made, tmp_path / "study"))
    write_frame(study, turned(lambda at: f"{at % 7},5"))
    done = CliRunner().invoke(main, ["check", str(study)])
    assert done.exit_code == 2
    assert "frame.csv, row 2" in done.output
    assert "column turn: looks like a number in another notation" in done.output
    with edited_plan(study) as plan:
        plan["data"] = {"decimal": ","}
    frame = read_frame(study, load_plan(study))
    assert frame.table.rows[3]["turn"] == "3.5"


@pytest.mark.parametrize("key", ["placebo", "negative_control"])
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (lambda at: "" if at == 3 else at % 2, r"row 5 .*column test: is empty"),
        (lambda at: "high" if at == 3 else at % 2, r"row 5 .*column test: is not a number"),
        (lambda _: 1, r"test: is the same for all units"),
    ],
)
def test_a_column_that_is_to_show_nothing_holds_numbers_that_differ(
    tmp_path: Path, plan: Plan, key: str, cells: Any, said: str
) -> None:
    assert plan.causal is not None
    causal = plan.causal.model_copy(update={key: "test"})
    rows = [row | {"test": cells(at)} for at, row in enumerate(units())]
    with pytest.raises(RatifyError, match=said):
        read(tmp_path, plan.model_copy(update={"causal": causal}), rows)


def test_a_frame_that_is_not_there_is_named(tmp_path: Path, plan: Plan) -> None:
    with pytest.raises(RatifyError, match=r"frame\.csv: no such file.*ratify turns"):
        read_frame(tmp_path, plan)


def test_the_sample_is_read_back_as_it_was_drawn(tmp_path: Path, plan: Plan) -> None:
    frame = read(tmp_path, plan, units())
    sample = draw_sample(plan, frame)
    rows = item_rows(plan, frame, sample)
    write_csv(tmp_path / "items.csv", list(rows[0]), rows)
    found = read_labelled(tmp_path, plan, frame)
    assert sorted(found.units.tolist()) == sample.labelled.nonzero()[0].tolist()
    assert found.probability.tolist() == sample.probability.tolist()
    assert found.sampled_for == tuple(sample.sampled_for(unit) for unit in found.units.tolist())
    assert found.strata.names == sample.strata.names


def test_raters_do_not_read_the_prompt_twice(made: Path, plan: Plan) -> None:
    frame = read_frame(made, plan)
    rows = item_rows(plan, frame, draw_sample(plan, frame))
    assert set(rows[0]) == {
        *("item_id", "scenario", "text", "user_id", "model", "turn", "timestamp", "local_hour"),
        *("judge_empathy", "judge_attachment", "stratum", "sampled_for", "inclusion_probability"),
    }


def items_of(plan: Plan, tmp_path: Path) -> Rows:
    frame = read(tmp_path, plan, units())
    return item_rows(plan, frame, draw_sample(plan, frame))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("inclusion_probability", "", r"row 2, column inclusion_probability: is empty"),
        ("inclusion_probability", "0", r"row 2, column inclusion_probability: is no probability"),
        ("inclusion_probability", "0.5", r"row 2, .*is not the probability of its stratum"),
        (
            "sampled_for",
            "judge",
            r"row 2, column sampled_for: is not known here, got 'judge' "
            r"\(allowed: estimate, gate, both\)",
        ),
        ("stratum", "S9 Y9", r"row 2, column stratum: is not the stratum of this unit"),
        ("item_id", "u1", r"row 2, column item_id: is no unit with both scores in frame\.csv"),
    ],
)
def test_a_sample_that_does_not_follow_from_its_frame_is_refused(
    tmp_path: Path, plan: Plan, column: str, value: str, said: str
) -> None:
    rows = items_of(plan, tmp_path)
    rows[0][column] = value
    write_csv(tmp_path / "items.csv", list(rows[0]), rows)
    with pytest.raises(RatifyError, match=said):
        read_labelled(tmp_path, plan, read_frame(tmp_path, plan))


def test_a_stratum_without_labels_is_named(tmp_path: Path, plan: Plan) -> None:
    rows = items_of(plan, tmp_path)
    gone = rows[0]["stratum"]
    kept = [row for row in rows if row["stratum"] != gone]
    write_csv(tmp_path / "items.csv", list(rows[0]), kept)
    with pytest.raises(RatifyError, match=f"no unit of the stratum '{gone}' was drawn"):
        read_labelled(tmp_path, plan, read_frame(tmp_path, plan))


@pytest.mark.parametrize("column", ["inclusion_probability", "stratum", "sampled_for"])
def test_items_that_nobody_drew_lack_a_column(tmp_path: Path, plan: Plan, column: str) -> None:
    rows = [{n: c for n, c in row.items() if n != column} for row in items_of(plan, tmp_path)]
    write_csv(tmp_path / "items.csv", list(rows[0]), rows)
    with pytest.raises(RatifyError, match=rf"items\.csv, {column}: there is no such column"):
        read_labelled(tmp_path, plan, read_frame(tmp_path, plan))


@pytest.mark.parametrize("score", [3, 5])
def test_an_arm_that_the_judge_left_empty_is_refused(
    tmp_path: Path, plan: Plan, score: int
) -> None:
    empty = "treated" if score == 3 else "control"
    frame = read(tmp_path, plan, [row | {"judge_empathy": score} for row in units()])
    with pytest.raises(RatifyError, match=f"the judge called no unit {empty}"):
        draw_sample(plan, frame)


def rating(item: str, dimension: str, value: object, **more: object) -> dict[str, object]:
    given = {"rater_id": "model_a", "rater_kind": "llm", "item_id": item, "dimension": dimension}
    return given | {"value": value, "scale_min": 1, "scale_max": 7, "plan_hash": ""} | more


def scores_of(rows: Rows) -> list[dict[str, object]]:
    return [
        rating(row["item_id"], name, row[f"judge_{name}"])
        for row in rows
        for name in ("empathy", "attachment")
    ]


def ratings(path: Path, rows: list[dict[str, object]]) -> Path:
    write_csv(path, list(rows[0]), rows)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_scores_of_a_judge_become_columns_and_nothing_else_changes(
    made: Path, tmp_path: Path, kind: str
) -> None:
    rows = units()
    bare = [{n: c for n, c in row.items() if not n.startswith("judge_")} for row in rows]
    plan = plan_of(made, tmp_path, f"frame.{kind}")
    if kind == "csv":
        write_frame(tmp_path, bare)
    else:
        columns = {name: [row[name] for row in bare] for name in bare[0]}
        columns["turn"] = pa.array(columns["turn"], pa.int8())
        columns["local_hour"] = [None if hour == "" else hour for hour in columns["local_hour"]]
        pq.write_table(pa.table(columns), tmp_path / "frame.parquet")
    table = read_units(tmp_path, plan, without=("judge_empathy", "judge_attachment"))
    people = rating(rows[0]["item_id"], "empathy", 1, rater_id="r1", rater_kind="human")
    given = [*scores_of(rows)[2:], people, rating("another", "empathy", 2)]
    path = ratings(tmp_path / "ratings.csv", given)
    write_scores(table, judge_scores([path], plan, [row["item_id"] for row in table.rows]))
    frame = read_frame(tmp_path, plan)
    assert frame.unscored == 1, "the judge left out the first unit"
    assert frame.treatment.tolist() == [row["judge_empathy"] for row in rows[1:]]
    assert frame.outcome.tolist() == [row["judge_attachment"] for row in rows[1:]]
    for before, after in zip(bare, frame.table.rows, strict=True):
        assert {name: after[name] for name in before} == {n: str(c) for n, c in before.items()}
    if kind == "parquet":
        assert pq.read_schema(tmp_path / "frame.parquet").field("turn").type == pa.int8()


def plan_of(made: Path, folder: Path, frame: str) -> Plan:
    """Return a study's plan with another frame."""
    text = (made / "plan.yaml").read_text(encoding="utf-8")
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    with edited_plan(folder) as plan:
        plan["causal"]["frame"] = frame
    return load_plan(folder)


def test_scores_that_are_there_stay_and_others_are_refused(tmp_path: Path, plan: Plan) -> None:
    rows = units()
    write_frame(tmp_path, changed(0, judge_empathy=""))
    ids = [row["item_id"] for row in rows]
    path = ratings(tmp_path / "ratings.csv", scores_of(rows))
    table = read_units(tmp_path, plan)
    write_scores(table, judge_scores([path], plan, ids))
    assert read_frame(tmp_path, plan).unscored == 0
    other = scores_of(changed(1, judge_empathy=rows[1]["judge_empathy"] % 7 + 1))
    found = judge_scores([ratings(tmp_path / "o.csv", other)], plan, ids)
    with pytest.raises(RatifyError, match=r"row 3 .*column judge_empathy: is not the score"):
        write_scores(read_units(tmp_path, plan), found)


def test_two_judges_on_one_scale_need_the_word_of_the_plan(tmp_path: Path, plan: Plan) -> None:
    rows = units()
    both = [*scores_of(rows), *(r | {"rater_id": "model_b"} for r in scores_of(rows))]
    path = ratings(tmp_path / "ratings.csv", both)
    ids = [row["item_id"] for row in rows]
    with pytest.raises(RatifyError, match=r"2 judges scored empathy.*causal\.treatment\.judge"):
        judge_scores([path], plan, ids)
    assert plan.causal is not None
    named = {
        key: part.model_copy(update={"judge": judge})
        for (key, part), judge in zip(
            plan.causal.scores.items(), ("model_a", "model_b"), strict=True
        )
    }
    chosen = plan.model_copy(update={"causal": plan.causal.model_copy(update=named)})
    assert len(judge_scores([path], chosen, ids)["judge_attachment"]) == len(rows)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            rating("10000000000000000000", "empathy", 2),
            "model_a scored empathy of this item already",
        ),
        (rating("10000000000000000000", "empathy", 9), "column value: is outside the scale"),
        (rating("10000000000000000000", "empathy", "x"), "column value: .*got 'x'"),
    ],
)
def test_a_wrong_score_is_named(
    tmp_path: Path, plan: Plan, more: dict[str, object], said: str
) -> None:
    path = ratings(tmp_path / "ratings.csv", [*scores_of(units()), more])
    with pytest.raises(RatifyError, match=said):
        judge_scores([path], plan, [row["item_id"] for row in units()])


def test_scores_of_other_items_are_no_scores(tmp_path: Path, plan: Plan) -> None:
    path = ratings(tmp_path / "ratings.csv", scores_of(units()))
    with pytest.raises(RatifyError, match="no score of empathy is of an item of the frame"):
        judge_scores([path], plan, ["elsewhere"])


def test_a_pilot_is_what_people_said_and_nobody_else(tmp_path: Path, plan: Plan) -> None:
    def human(item: str, dimension: str, value: int, **more: object) -> dict[str, object]:
        who = {"rater_kind": "human", "mode": "live", "is_attention_check": "false"}
        return rating(item, dimension, value, **who) | more

    given = [
        human("a", "empathy", 5, rater_id="r1"),
        human("a", "empathy", 2, rater_id="r2"),
        human("a", "attachment", 4, rater_id="r3"),
        human("b", "empathy", 5, rater_id="r1"),  # nobody rated its attachment
        human("a", "attachment", 1, rater_id="r9", mode="bot"),
        human("a", "attachment", 7, rater_id="r3", is_attention_check="true"),
        human("a", "empathy", 7, rater_kind="llm"),
    ]
    path = ratings(tmp_path / "pilot.csv", given)
    assert people_scores(path, plan) == {"a": (3.5, 4.0)}


def test_a_pilot_of_another_frame_is_refused(tmp_path: Path, plan: Plan) -> None:
    frame = read(tmp_path, plan, units())
    rows = [rating("elsewhere", name, 5, rater_kind="human") for name in ("empathy", "attachment")]
    path = ratings(tmp_path / "pilot.csv", rows)
    said = re.escape("people called 0 of 0 units treated: too few for a spread (0 of 1 rated items")
    with pytest.raises(RatifyError, match=said):
        draw_sample(plan, frame, pilot=path)


def test_the_sample_follows_the_pilot(tmp_path: Path, plan: Plan) -> None:
    frame = read(tmp_path, plan, units())
    # people agree with the judge but in one stratum, where their outcome scores are far apart
    wide = frame.strata(plan.causal).names[-1]  # type: ignore[arg-type]
    strata = frame.strata(plan.causal)  # type: ignore[arg-type]
    given = []
    for at, row in enumerate(units()):
        name = strata.names[strata.of_unit[at]]
        outcome = (1 if at % 2 else 7) if name == wide else row["judge_attachment"]
        given.append(rating(row["item_id"], "empathy", row["judge_empathy"], rater_kind="human"))
        given.append(rating(row["item_id"], "attachment", outcome, rater_kind="human"))
    path = ratings(tmp_path / "pilot.csv", given)
    with_pilot, without = draw_sample(plan, frame, pilot=path), draw_sample(plan, frame)
    assert with_pilot.labels[-1] > without.labels[-1]
    assert with_pilot.labels.sum() == without.labels.sum() == 60


def test_the_order_of_the_frame_does_not_change_the_items(tmp_path: Path, plan: Plan) -> None:
    first = items_of(plan, tmp_path)
    frame = read(tmp_path, plan, units()[::-1])
    assert item_rows(plan, frame, draw_sample(plan, frame)) == first


def test_ids_of_users_may_look_like_missing_values(tmp_path: Path, plan: Plan) -> None:
    read(tmp_path, plan, changed(0, user_id="NA"))
    assert read_table(tmp_path / "frame.csv").rows[0]["user_id"] == ""
    assert read_units(tmp_path, plan).rows[0]["user_id"] == "NA"
