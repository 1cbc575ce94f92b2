"""If these failed, a judge of kind table could pass a gate by not scoring, or only fail it late."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import update

from analysis.gate import judge_results
from analysis.run import analyze_study
from prereg.tables.reader import read_table, write_csv
from study.folder import Study
from study.judges.given.answers import Answering, given_of, store_given
from study.judges.given.planned import gate_warnings, planned_coverage
from study.opening import open_study
from study.store.database import open_store
from study.store.tables import Judgment
from tests.support.given_studies import Row, collect, ids, make_given_study, quality

Run = Callable[..., CompletedProcess[str]]

PAIRS = {"scheme": "random", "per_scenario": 60}
SCORES = {"ratings": "scores.csv"}
LOGIT = {"kind": "logit", "judge": "gpt", "cluster": "rater_id", "term": "gap"}
EVERY: list[dict[str, Any]] = [
    {"id": "elo", "kind": "rank_correlation", "judge": "gpt", "score": "elo"},
    {"id": "overall", "kind": "rank_correlation", "judge": "gpt", "score": "overall"},
    {"id": "higher", **LOGIT, "formula": "select_higher ~ gap"},
    {"id": "match", **LOGIT, "formula": "select_match ~ gap"},
    {"id": "gaps", "kind": "selection_by_gap", "judge": "gpt", "bins": [[1, 4], [5, None]]},
    {"id": "same", "kind": "choice_agreement", "judges": ["gpt"]},
    {"id": "order", "kind": "ranking", "of": "gpt"},
]
NAMED = {"same": "gpt: agreement", "order": "reliability", "gaps": "gap 1-4"}
NAMED |= {"higher": "gap", "match": "gap"}


def gate(*names: str, **parts: Any) -> list[dict[str, Any]]:
    return [
        {
            "analysis": name,
            "quantity": NAMED.get(name, "spearman"),
            "field": "low" if name != "order" else "estimate",
            "at_least": -1,
            **parts,
        }
        for name in names
    ]


def half(**other: Any) -> list[dict[str, Any]]:
    """Return scores of the even half of the items."""
    even = [one for one in ids() if quality(one) % 2 == 0]
    return [{"item_id": one, "value": other.get(one, quality(one))} for one in even]


def study_of(
    folder: Path, table: Sequence[Row], judge: Mapping[str, Any], *analyses: str, **parts: Any
) -> Path:
    name = judge.get("ratings") or judge["judgments"]
    chosen = [one for one in EVERY if one["id"] in analyses]
    return make_given_study(folder, {name: table}, judge, analyses=chosen, **parts)


def coverages(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / "results" / "results.json").read_text())
    found = [q for q in content["quantities"] if q["name"].endswith("coverage")]
    return {q["analysis"]: q for q in found}


def counts(quantity: Mapping[str, Any]) -> tuple[int, int]:
    return round(quantity["estimate"] * quantity["n"]), quantity["n"]


def answering(study: Study) -> Answering:
    judge = study.plan.judge("gpt")
    return Answering(study, judge, given_of(study, judge))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pairs",
    [
        PAIRS,
        PAIRS | {"scheme": "elo_neighbours"},
        PAIRS | {"scheme": "information"},
        {"scheme": "information", "per_scenario": 200, "reliability": 0.7},
    ],
    ids=["random", "elo_neighbours", "information", "information until reliable"],
)
def test_a_ranking_is_of_all_pairs_that_were_drawn(tmp_path: Path, pairs: dict[str, Any]) -> None:
    folder = study_of(
        tmp_path / "s", half(), SCORES | {"pairs": pairs}, "elo", gate=gate("elo"), raters=10
    )
    study = collect(folder)
    analyze_study(folder, mode="live")
    answered, asked = counts(coverages(folder)["elo"])
    rows = read_table(folder / "data" / "judgments.csv").rows
    mine = [row for row in rows if row["rater_id"] == "gpt" and row["purpose"] == "ranking"]
    drawn = answering(study).own_pairs()
    assert (answered, asked) == (len(mine), len(drawn.answered) + drawn.unanswered)
    if "reliability" not in pairs:
        assert asked == 2 * pairs["per_scenario"]
    assert 0.1 < answered / asked < 0.6  # of two items, both have a score in 2 of 9 pairs
    verdict = judge_results(folder)
    assert not verdict.passed
    assert f"answered {answered} of {asked} (needs >= 95%)" in verdict.lines()[1]


def test_one_item_without_a_score_costs_a_ranking_only_its_own_pairs(tmp_path: Path) -> None:
    table = [{"item_id": one, "value": quality(one)} for one in ids()[1:]]
    for scheme in ("random", "elo_neighbours", "information"):
        pairs = PAIRS | {"scheme": scheme}
        folder = study_of(tmp_path / scheme, table, SCORES | {"pairs": pairs}, "elo")
        drawn = answering(open_study(folder)).own_pairs()
        assert len(drawn.answered) + drawn.unanswered == 120
        assert 4 <= drawn.unanswered <= 24, scheme


def test_choices_count_with_ties_and_with_items_that_are_never_compared(tmp_path: Path) -> None:
    def pairs(*numbers: int) -> list[dict[str, Any]]:
        return [
            {"left_id": f"{name}-{a}", "right_id": f"{name}-{b}", "choice": "right"}
            for name in ("job", "home")
            for a in numbers
            for b in numbers
            if a < b
        ]

    judge = {"judgments": "choices.csv"}
    everything = pairs(*range(1, 11))
    for row in everything[::3]:
        row["choice"] = "tie"
    for name, table, of in (
        ("ties", everything, (60, 90)),
        ("half", pairs(*range(1, 6)), (10, 20)),
    ):
        folder = study_of(tmp_path / name, table, judge, "elo", "match", gate=gate("elo"))
        study = collect(folder)
        analyze_study(folder, mode="live")
        found = coverages(folder)
        assert counts(found["elo"]) == of
        assert not judge_results(folder).passed
        assert found["match"]["estimate"] < 0.95
        for analysis in study.plan.analyses:
            planned = planned_coverage(answering(study), analysis, "")
            assert planned
            assert (planned.answered, planned.asked) == counts(found[analysis.id])


def test_what_is_planned_is_what_is_counted_and_each_share_says_of_what(tmp_path: Path) -> None:
    names = [one["id"] for one in EVERY]
    table = [*half(**{"job-4": 2}), {"item_id": "job-1", "value": 1}]
    folder = study_of(tmp_path / "s", table, SCORES | {"pairs": PAIRS}, *names, gate=gate(*names))
    study = collect(folder)
    analyze_study(folder, mode="live")
    found = coverages(folder)
    for number, analysis in enumerate(study.plan.analyses):
        quantity = study.plan.gate[number].quantity
        planned = planned_coverage(answering(study), analysis, quantity)
        assert planned, analysis.id
        assert (planned.answered, planned.asked) == counts(found[analysis.id]), analysis.id
    assert len(gate_warnings(study)) == len(names)
    for name in ("same", "order"):
        assert found[name]["label"] == "Share of the trials that gpt chose a side in"
        assert "Equal scores, or no clear answer, are no choice." in found[name]["note"]
    for name in ("higher", "gaps"):
        assert found[name]["label"] == "Share of the trials with both items scored by gpt"
        assert "Equal scores count here" in found[name]["note"]
    assert counts(found["higher"])[0] > counts(found["same"])[0]


def test_ratings_that_lack_are_planned_as_they_are_counted(tmp_path: Path) -> None:
    ends = {1: "no", 5: "very"}
    scale = {"question": "How?", "min": 1, "max": 5, "labels": ends}
    folder = make_given_study(
        tmp_path / "s",
        {"scores.csv": [{"item_id": one, "warmth": 3, "depth": ""} for one in ids()]},
        SCORES,
        kind="rating",
        measures=None,
        scales=[{"id": name, **scale} for name in ("warmth", "depth")],
        analyses=[{"id": "same", "kind": "agreement", "judges": ["gpt"]}],
        gate=gate("same", quantity="gpt: kappa_single warmth")
        + gate("same", quantity="gpt: kappa_single depth")
        + gate("same", quantity="gpt: kappa_single all"),
    )
    study = open_study(folder)
    used = len(study.used_items())
    first, second = gate_warnings(study)
    assert first.startswith("gate.1 (same / gpt: kappa_single depth)")
    assert f"gives 0 of {used} ratings (0%)" in first
    assert f"gives {used} of {2 * used} ratings (50%)" in second


def test_the_check_and_the_lock_warn_of_a_gate_that_a_table_cannot_pass(
    tmp_path: Path, ratify: Run
) -> None:
    judge = SCORES | {"pairs": PAIRS}
    folder = study_of(tmp_path / "s", half(), judge, "elo", "overall", gate=gate("elo", "overall"))
    drawn = answering(open_study(folder)).own_pairs()
    n = len(drawn.answered)
    of_pairs = (
        "gate.0: gate.0 (elo / spearman) needs a coverage of 95%, but judge 'gpt' chooses in "
        f"{n} of 120 pairs of its ranking ({100 * n / 120:.3g}%), so the gate would not be passed."
    )
    of_items = (
        "gate.1 (overall / spearman) needs a coverage of 95%, but judge 'gpt' scores 10 of 20"
    )
    for command in (["check"], ["lock", "--yes"]):
        done = ratify(*command[:1], folder, *command[1:])
        assert done.returncode == 0, done.stderr
        assert of_pairs in done.stderr
        assert of_items in done.stderr
        assert "judge gpt: it answers" in done.stderr + done.stdout
    assert "plan.yaml: judge gpt: it answers" in done.stderr
    assert ratify("lock", folder).stderr == "", "what is locked already is not warned about"


def test_a_gate_that_a_table_can_pass_is_not_warned_about(tmp_path: Path) -> None:
    judge = SCORES | {"pairs": PAIRS}
    less = gate("elo", coverage=0.1)
    folder = study_of(tmp_path / "less", half(), judge, "elo", gate=less)
    assert gate_warnings(open_study(folder)) == []
    table = [{"item_id": one, "value": quality(one)} for one in ids()]
    names = [one["id"] for one in EVERY]
    full = study_of(tmp_path / "full", table, judge, *names, gate=gate(*names))
    assert gate_warnings(open_study(full)) == []
    path = full / "scores.csv"
    path.write_text(path.read_text().replace("job-4,4", "job-4,four"))
    assert gate_warnings(open_study(full)) == []  # `ratify check` names the fault itself


def test_answers_of_an_earlier_release_are_stored_again(tmp_path: Path) -> None:
    folder = study_of(tmp_path / "s", half(), SCORES | {"pairs": PAIRS}, "elo", raters=4)
    study = collect(folder)
    judge: Any = study.plan.judge("gpt")
    store = open_store(folder, None)
    try:
        assert store_given(store, study, judge).written == 0
        first = (Judgment.rater_id == "gpt", Judgment.purpose == "ranking")
        store.write(
            lambda connection: connection.execute(
                update(Judgment).where(*first).values(position=Judgment.position + 1000)
            )
        )
        assert store_given(store, study, judge).written > 0
        assert store_given(store, study, judge).written == 0
    finally:
        store.close()


def test_a_table_that_was_never_stored_lacks_all_pairs_of_the_plan(tmp_path: Path) -> None:
    folder = study_of(tmp_path / "s", half(), SCORES | {"pairs": PAIRS}, "elo", raters=10)
    collect(folder)
    for name in ("judgments", "ratings"):
        path = folder / "data" / f"{name}.csv"
        table = read_table(path)
        kept = [row for row in table.rows if row["rater_id"] != "gpt"]
        write_csv(path, list(table.columns), kept)
    analyze_study(folder, mode="live")
    assert counts(coverages(folder)["elo"]) == (0, 120)
