"""If these failed, a lock could not be finished, or a judge could stop the export of answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from prereg.tables.reader import read_table, write_csv
from ratify import main
from study.export.files import export
from study.judges.wanted.probes import probed_items, rewrites
from study.opening import lock_study, open_study
from study.store.database import open_store
from tests.support.collecting import open_places, take_part
from tests.support.llm_studies import make_llm_study
from tests.support.plans import edited_plan

HERE = "http://127.0.0.1:9/v1"
BARE = {
    "lookalikes": "أشعر بالوحدة اليوم",
    "misspelling": "no / ok",
    "leetspeak": "123 456",
    "repeated_letters": "🙂 a",
}


def make(folder: Path, **habits: Any) -> Path:
    return make_llm_study(
        folder,
        HERE,
        locked=False,
        texts={f"job-{n}": text for n, text in enumerate(BARE.values(), start=1)},
        habits={"items": 16, "perturbations": ["lookalikes"], **habits},
    )


@pytest.mark.parametrize("name", BARE)
def test_a_text_that_a_rewrite_leaves_as_it_is_is_named_before_the_lock(
    tmp_path: Path, name: str
) -> None:
    folder = make(tmp_path / "s", perturbations=[name])
    stuck = f"job-{[*BARE].index(name) + 1}"
    with pytest.raises(RatifyError, match=f"'{name}' leaves item.*'{stuck}'.*leave_out") as found:
        lock_study(folder)
    assert "items.csv" in str(found.value)
    shown = CliRunner().invoke(main, ["check", str(folder)])
    assert shown.exit_code == 2
    assert f"'{stuck}'" in shown.output
    with edited_plan(folder) as plan:
        plan["judges"][0]["habits"]["leave_out"] = [f"job-{n}" for n in range(1, 5)]
    study, _ = lock_study(folder)
    habits = study.plan.llms[0].habits
    assert habits is not None
    assert len(probed_items(study, habits)) == len(list(rewrites(study, habits))) == 12
    assert CliRunner().invoke(main, ["check", str(folder)]).exit_code == 0


@pytest.mark.parametrize(
    ("habits", "says"),
    [
        ({"leave_out": ["nobody"]}, r"habits\.leave_out\.0: is not the id of an item"),
        (
            {"own": {"column": "scenario", "values": ["job", "jbo"]}},
            r"own\.values\.1.*'jbo'.*'job'",
        ),
        ({"own": {"column": "mood", "values": ["job"]}}, "no column 'mood'"),
        ({"perturbations": ["casual"]}, "no column 'casual'"),
        ({"pairs": 2, "wordings": ["prompts/none.yaml"]}, r"none\.yaml: no such prompt"),
    ],
)
def test_what_a_judge_could_not_do_later_is_refused(
    tmp_path: Path, habits: dict[str, Any], says: str
) -> None:
    folder = make_llm_study(
        tmp_path / "s",
        HERE,
        locked=False,
        habits={"items": 4, "perturbations": ["lookalikes"]} | habits,
    )
    with pytest.raises(RatifyError, match=says):
        lock_study(folder)


def test_a_supplied_rewrite_must_differ_from_the_text(tmp_path: Path) -> None:
    folder = make_llm_study(tmp_path / "s", HERE, locked=False)
    table = read_table(folder / "items.csv")
    for number, row in enumerate(table.rows):
        row["casual"] = ["hey", "", row["text"]][min(number, 2) if number < 3 else 0]
    write_csv(folder / "items.csv", [*table.columns, "casual"], table.rows)
    with edited_plan(folder) as plan:
        plan["judges"][0]["habits"] = {"items": 16, "perturbations": ["casual"]}
    second, third = (row["item_id"] for row in table.rows[1:3])
    with pytest.raises(RatifyError, match=f"'{second}', '{third}'.*'casual'"):
        lock_study(folder)


def test_a_scenario_without_a_pair_is_refused(tmp_path: Path) -> None:
    folder = make_llm_study(
        tmp_path / "s",
        HERE,
        locked=False,
        raters=1,
        trials=1,
        pairs={"scheme": "random", "per_scenario": 9},
    )
    with pytest.raises(RatifyError, match="has no item in the sequences, which makes no pair"):
        lock_study(folder)


def answered(folder: Path) -> int:
    """Return how many answers by people an export has."""
    study = open_study(folder, same_judges=False)
    store = open_store(folder, None)
    try:
        done = export(store, study)
    finally:
        store.close()
    rows = read_table(done.folder / "judgments.csv").rows
    return sum(row["rater_kind"] == "human" for row in rows)


def test_nothing_of_a_judge_stops_the_export_of_peoples_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_llm_study(
        tmp_path / "s",
        HERE,
        raters=2,
        trials=3,
        locked=False,
        prompts=["prompts/mine.yaml"],
        habits={"items": 2, "perturbations": ["misspelling"]},
    )
    mine = folder / "prompts" / "mine.yaml"
    mine.parent.mkdir()
    packaged = Path(__file__).parents[3] / "study" / "judges" / "prompts"
    shutil.copy(packaged / "pairwise.yaml", mine)
    with edited_plan(folder) as plan:
        plan["judges"][0]["prompts"] += ["six_behaviours"]
        plan["judges"].append({"id": "given", "kind": "table", "ratings": "scores.csv"})
    rows = [
        {"item_id": row["item_id"], "value": n}
        for n, row in enumerate(read_table(folder / "items.csv").rows)
    ]
    write_csv(folder / "scores.csv", list(rows[0]), rows)
    study, _ = lock_study(folder)
    store = open_store(folder, None)
    open_places(store, study, "live")
    take_part(store, study, "live", "somebody")
    store.close()
    assert answered(folder) == 3
    (folder / "scores.csv").unlink()  # a table that is gone
    mine.write_text("not: [a prompt")  # a broken prompt
    assert answered(folder) == 3
    mine.unlink()  # a prompt that is gone
    assert answered(folder) == 3

    def fails(*arguments: object, **options: object) -> None:
        raise RatifyError("this rewrite fails")

    monkeypatch.setattr("study.judges.wanted.perturbations._rewritten", fails)
    assert answered(folder) == 3
    whole = (folder / "plan.yaml").read_text()
    with edited_plan(folder) as plan:  # a judge that is no judge any more
        plan["judges"][0]["model"] = ""
    assert answered(folder) == 3
    (folder / "plan.yaml").write_text(whole)
    with edited_plan(folder) as plan:  # a judge that is gone, although an analysis names it
        plan["judges"] = plan["judges"][1:]
    assert answered(folder) == 3
    with pytest.raises(RatifyError):
        open_study(folder)
    (folder / "plan.yaml").write_text(whole.replace("seed: 2026", "seed: 1026"))
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: plan"):
        answered(folder)  # what people were promised may still not change


def test_a_judge_of_an_old_lock_leaves_out_what_it_cannot_rewrite(tmp_path: Path) -> None:
    folder = make(tmp_path / "s")
    study = open_study(folder)
    judge = study.plan.llms[0]
    assert isinstance(judge, LLMJudge)
    assert judge.habits is not None
    assert {one.item_id for one in rewrites(study, judge.habits)} == set(study.items) - {
        "job-1",
        "job-3",
    }
