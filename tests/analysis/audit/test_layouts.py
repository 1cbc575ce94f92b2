"""If this failed, an audit would count a column as rated that is not, or misread another layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.audit.annotators import Annotators, read_annotators
from analysis.audit.audit import audit
from prereg.errors import RatifyError
from prereg.tables.reading import Reading

PEOPLE, JUDGE = ("ann", "ben", "cat"), "gpt"
ITEMS = [f"c{n:02d}" for n in range(20)]


def truth() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    base = rng.integers(1, 6, size=len(ITEMS))
    columns = {
        name: np.clip(base + rng.integers(-1, 2, size=len(ITEMS)), 1, 5)
        for name in (*PEOPLE, JUDGE)
    }
    return pd.DataFrame({"item_id": ITEMS, **columns})


def files(folder: Path, **beside: Any) -> tuple[list[str], list[str]]:
    """Write one wide file per annotator, with more columns beside the ratings."""
    table, paths = truth(), []
    for number, name in enumerate((*PEOPLE, JUDGE)):
        wide = pd.DataFrame({"item_id": ITEMS, "warmth": table[name]})
        for column, make in beside.items():
            wide[column] = make(number)
        paths.append(str(folder / f"{name}.csv"))
        wide.to_csv(paths[-1], index=False)
    return paths[:3], paths[3:]


def read(humans: list[str], judges: list[str], **settings: Any) -> Annotators:
    settings = {"id_column": "item_id", "scale": (1, 5)} | settings
    return read_annotators(humans, judges, **settings)


def test_what_is_the_same_for_all_or_one_value_each_is_not_rated(tmp_path: Path) -> None:
    found = read(
        *files(
            tmp_path,
            part=lambda _: [n % 5 + 1 for n in range(20)],  # the same for all
            desk=lambda number: number + 1,  # one value each
            always=lambda _: 2,
        )
    )
    assert found.dimensions == ("warmth",)
    said = " ".join(found.said)
    assert "part (all annotators have the same value on every item)" in said
    assert "desk (each annotator has one value throughout)" in said
    assert "always (" in said
    assert "--dimension" in said


@pytest.mark.parametrize(
    "name",
    "fold,lead_time,annotator,createdAt,batch_id,version,Response Time,index,annotation_id,count,"
    "n,2024,prompt tokens,time".split(","),
)
def test_names_of_counters_times_and_ids_are_not_rated(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(1)
    humans, judges = files(tmp_path, **{name: lambda _: rng.integers(1, 6, size=20)})
    assert read(humans, judges).dimensions == ("warmth",)
    chosen = read(humans, judges, dimensions=["warmth", name])
    assert chosen.dimensions == ("warmth", name)
    assert chosen.said == ()


@pytest.mark.parametrize(
    "name", ["session_quality", "time_management", "note", "orderliness", "value", "ageism"]
)
def test_names_of_ratings_are_rated(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(1)
    humans, judges = files(tmp_path, **{name: lambda _: rng.integers(1, 6, size=20)})
    assert read(humans, judges).dimensions == ("warmth", name)


def test_a_judge_with_all_of_a_persons_ratings_is_said_and_can_be_named(tmp_path: Path) -> None:
    humans, _ = files(tmp_path)
    same = f"judge={humans[0]}"
    with pytest.raises(RatifyError, match=r"same ratings as 'ann'.*--dimension"):
        read(humans[:1], [same])
    found = read(humans[:1], [same], dimensions=["warmth"])
    assert "ann and judge gave exactly the same ratings" in " ".join(found.warnings)


def test_nothing_that_looks_like_a_rating_is_one_line(tmp_path: Path) -> None:
    humans, judges = files(tmp_path, fold=lambda _: [n % 5 + 1 for n in range(20)])
    for path in (*humans, *judges):
        pd.read_csv(path)[["item_id", "fold"]].to_csv(path, index=False)
    with pytest.raises(RatifyError, match=r"no numeric column looks like a rating: fold \("):
        read(humans, judges)


def test_every_layout_gives_the_same_ratings(tmp_path: Path) -> None:
    humans, judges = files(tmp_path)
    expected = read(humans, judges).to_frame()
    table = truth()
    table.rename(columns={"item_id": "conversation"}).to_csv(tmp_path / "wide.csv", index=False)
    wide = str(tmp_path / "wide.csv")
    by_column = read(
        [wide],
        [wide],
        human_columns=PEOPLE,
        judge_columns=[JUDGE],
        dimensions=["warmth"],
        reading=Reading(columns={"item_id": "conversation"}),
    )
    long = table.melt(["item_id"], var_name="annotator", value_name="score")
    long["question"] = "warmth"
    names = {"rater_id": "annotator", "dimension": "question", "value": "score"}
    human, judge = str(tmp_path / "human.csv"), str(tmp_path / "judge.csv")
    long[long["annotator"] != JUDGE].to_csv(human, index=False)
    long[long["annotator"] == JUDGE].to_csv(judge, index=False)
    by_row = read([human], [judge], reading=Reading(columns=names))
    mixed = read([human], judges, reading=Reading(columns=names))
    key = ["rater_id", "item_id"]
    for found in (by_column, by_row, mixed):
        frame = found.to_frame().sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(frame, expected.sort_values(key, ignore_index=True))


def test_several_judges_in_one_wide_file(tmp_path: Path) -> None:
    humans, judges = files(tmp_path)
    one = pd.read_csv(judges[0]).assign(model="gpt")
    two = one.assign(model="claude", warmth=one["warmth"].to_numpy()[::-1])
    pd.concat([one, two]).to_csv(tmp_path / "both.csv", index=False)
    found = read(humans, [str(tmp_path / "both.csv")], rater_column="model")
    assert [judge.name for judge in found.judges] == ["gpt", "claude"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"human_columns": ["ann", "ben"]}, "--dimension warmth"),
        ({"human_columns": ["x"], "dimensions": ["warmth"]}, "no column 'x'"),
        ({"human_columns": ["ann", "ann"], "dimensions": ["warmth"]}, "named twice"),
        ({"reading": Reading(columns={"value": "points"})}, "no file has a column 'points'"),
    ],
)
def test_a_layout_that_does_not_fit_is_one_line(
    tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    truth().to_csv(tmp_path / "wide.csv", index=False)
    _, judges = files(tmp_path)
    with pytest.raises(RatifyError, match=says):
        read([str(tmp_path / "wide.csv")], judges, **settings)


@pytest.mark.parametrize("judge", ["people", "humans", "median(humans)"])
def test_a_word_of_the_report_is_no_name_of_a_judge(tmp_path: Path, judge: str) -> None:
    humans, judges = files(tmp_path)
    with pytest.raises(RatifyError, match="is a word of the report"):
        read(humans, [f"{judge}={judges[0]}"])


@pytest.mark.parametrize("name", ["people", "humans", "median(humans)"])
def test_a_word_of_the_report_is_no_name_of_a_person(tmp_path: Path, name: str) -> None:
    """Wherever the name stands: a cell of a long or a wide file, a column, a file, an option."""
    humans, judges = files(tmp_path)
    long, wide = tmp_path / "long.csv", tmp_path / "wide.csv"
    rows = [
        (item, who, (n + len(who)) % 5 + 1) for who in ("ann", name) for n, item in enumerate(ITEMS)
    ]
    table = pd.DataFrame(rows, columns=["item_id", "rater_id", "value"])
    table.assign(dimension="warmth").to_csv(long, index=False)
    table.rename(columns={"value": "warmth"}).to_csv(wide, index=False)
    table.pivot_table(index="item_id", columns="rater_id").droplevel(0, axis=1).to_csv(
        tmp_path / "each.csv"
    )
    alone = tmp_path / f"{name}.csv"
    table.iloc[:20][["item_id", "value"]].set_axis(["item_id", "warmth"], axis=1).to_csv(
        alone, index=False
    )
    called = f"a human cannot be called '{name}', which is a word of the report"
    each: dict[str, Any] = {"human_columns": ["ann", name], "dimensions": ["warmth"]}
    for spec, where, more in (
        (long, "long.csv, row 22, column rater_id", {}),
        (wide, "wide.csv, row 22, column rater_id", {}),
        (tmp_path / "each.csv", f"each.csv, {name}:", each),
        (alone, f"{name}.csv", {}),
        (f"{name}={humans[0]}", "ann.csv", {}),
    ):
        with pytest.raises(RatifyError) as error:
            read([str(spec)], judges, **more)
        assert called in str(error.value), spec
        assert where in str(error.value), spec
    assert read([f"crowd={long}"], judges).humans[1].name == f"crowd:{name}"


def test_a_dimension_called_all_is_not_taken_for_the_mean(tmp_path: Path) -> None:
    humans, judges = files(tmp_path, all=lambda number: np.roll([1, 2, 3, 4, 5] * 4, number))
    with pytest.raises(RatifyError, match="mean over dimensions"):
        read(humans, judges)
    renamed = read(humans, judges, reading=Reading(columns={"everything": "all"}))
    assert renamed.dimensions == ("warmth", "everything")


def test_single_ratings_of_a_crowd_leave_no_warning(tmp_path: Path) -> None:
    """Warnings are errors here; an empty mean would be one."""
    table = truth()
    rows = [f"r{n % 5},{item},warmth,{table['ann'][n]}" for n, item in enumerate(ITEMS)]
    header = "rater_id,item_id,dimension,value\n"
    (tmp_path / "crowd.csv").write_text(header + "\n".join(rows) + "\n")
    _, judges = files(tmp_path)
    results = audit([str(tmp_path / "crowd.csv")], judges, id_column="item_id", scale=(1, 5))
    assert "no yardstick" in " ".join(results.headline)
