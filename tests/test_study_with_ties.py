"""If this failed, a study that offers ties would break, or lose them on the way to the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.evidence.against_lock import refuse_ties
from analysis.evidence.evidence import gather
from analysis.gate import judge_results
from analysis.habits.tables import read_habit_tables
from analysis.report.page import write_report
from analysis.run import analyze_study
from analysis.tables.columns import without_ties
from prereg.errors import RatifyError
from prereg.lock import utc_now
from study.export.files import export
from study.export.raters import raters
from study.folder import Study
from study.judges.runs.offline import run_judge
from study.opening import lock_study
from study.store.database import Store
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from tests.support.collecting import open_places
from tests.support.llm_echo import completion, echoing_server
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study
from tests.support.plans import edited_plan

RATERS, TRIALS = 20, 5
HABITS = {
    "pairs": 6,
    "repeats": 2,
    "wordings": ["pairwise_ties_terse"],
    "items": 2,
    "perturbations": ["leetspeak"],
}
RANKINGS = [
    {"id": f"order_{model}", "kind": "ranking", "tie_model": model, "resamples": 100}
    for model in ("half", "davidson", "rao_kupper")
]
ANALYSES = [
    *RANKINGS,
    {"id": "same", "kind": "choice_agreement", "judges": ["fake"]},
    {
        "id": "higher",
        "kind": "logit",
        "judge": "fake",
        "formula": "select_higher ~ gap",
        "term": "gap",
    },
    {"id": "by_gap", "kind": "selection_by_gap", "judge": "fake", "bins": [[1, 6], [7, 24]]},
    {"id": "ranks", "kind": "rank_correlation", "judge": "fake", "score": "bradley_terry"},
    {"id": "its_order", "kind": "ranking", "of": "fake", "resamples": 100},
]
GATE = [{"analysis": "same", "quantity": "fake: agreement without ties", "at_least": -1.0}]


def reply(body: dict[str, Any]) -> bytes:
    """Choose the item of higher quality, or a tie if they are close; A sometimes wins a tie."""
    properties = body["response_format"]["json_schema"]["schema"]["properties"]
    asked = body["messages"][-1]["content"]
    qualities = [float(found) for found in re.findall(r"quality=(-?[\d.]+)", asked)]
    if "choice" not in properties:
        known = qualities[0] if qualities else 0.0
        points = {name: rule["enum"] for name, rule in properties.items()}
        place = min(4, max(0, round(2 + 4 * known)))
        good = ("validating_emotions", "encouraging_elaboration", "demonstrating_understanding")
        said = {name: rule[place if name in good else 4 - place] for name, rule in points.items()}
        return completion(json.dumps(said))
    assert properties["choice"]["enum"] == ["A", "B", "tie"]
    gap = qualities[0] - qualities[1]
    said = "tie" if abs(gap) < 0.2 else "A" if gap > 0 else "B"
    if abs(gap) < 0.05 + 0.1 * (asked.count("number 1") > 1):
        said = "A"
    return completion(json.dumps({"choice": said}))


def answer_everything(store: Store, study: Study) -> None:
    """Have twenty people answer, who see no difference in about a quarter of the pairs."""
    rng = np.random.default_rng(4)
    open_places(store, study, "live")
    for number in range(RATERS):
        place = claim(store, study, "live", Arrival(f"person-{number}"))
        assert place is not None
        for trial in study.sequences[place.sequence_id]:
            texts = [study.shown[name].text for name in trial.item_ids]
            values = [float(re.findall(r"quality=(-?[\d.]+)", text)[0]) for text in texts]
            lead = 3 * (values[0] - values[1]) + rng.logistic()
            said = "tie" if abs(lead) < 0.6 else "left" if lead > 0 else "right"
            given = Given(trial.position, {"choice": said}, 9, 1, shown_at=utc_now())
            outcome = answer(store, study, "live", place.session_id, given)
            assert outcome is not None
            assert outcome.kept
            place = outcome.place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished study with ties by people, by an LLM and by baselines."""
    place = tmp_path_factory.mktemp("ties") / "study"
    with pytest.MonkeyPatch.context() as patch, echoing_server(fake=reply) as url:
        patch.setenv(VARIABLE, KEY)
        make_llm_study(
            place,
            f"{url}/fake",
            raters=RATERS,
            trials=TRIALS,
            locked=False,
            both_orders=True,
            habits=HABITS,
            reply="schema",
            pairs={"scheme": "information", "per_scenario": 30},
        )
        with edited_plan(place) as plan:
            plan["design"]["ties"] = "offered"
            plan["analyses"], plan["gate"] = ANALYSES, GATE
        lock_study(place)
        with lab(place) as study:
            answer_everything(study.store, study.study)
            study.run()
            for judge in study.study.plan.judges[1:]:
                run_judge(study.store, study.study, judge)  # type: ignore[arg-type]
            export(study.store, study.study)
        yield place


@pytest.fixture(scope="module")
def judgments(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "data" / "judgments.csv", dtype=str)


def test_everybody_ties_and_the_table_has_it(folder: Path, judgments: pd.DataFrame) -> None:
    ties = judgments[judgments["choice"] == "tie"]
    assert {"human", "llm", "baseline"} <= set(ties["rater_kind"])
    assert {"trial", "reversed", "ranking"} <= set(ties["purpose"])
    probes = read_habit_tables(folder, mode="live").probes
    assert "tie" in set(probes["choice"])
    with lab(folder) as study:
        assert sum(row.ties for row in raters(study.store, study.study, "live")) == len(
            ties[ties["rater_kind"] == "human"]
        )


def test_every_analysis_report_and_gate_works_and_says_what_it_did(
    folder: Path, judgments: pd.DataFrame
) -> None:
    results = analyze_study(folder, mode="live")
    write_report(folder / "results")
    of = {(q.analysis, q.name): q for q in results.quantities}
    registered = [a["id"] for a in ANALYSES]
    assert {name for name, _ in of} >= set(registered)
    assert not [q for q in results.quantities if "could not be computed" in q.label]
    people = judgments[judgments["rater_kind"] == "human"]
    tied = int((people["choice"] == "tie").sum())
    assert of["same", "fake: agreement"].n == len(people) == RATERS * TRIALS
    without = of["same", "fake: agreement without ties"]
    assert without.n is not None
    assert without.n <= len(people) - tied
    assert f"{tied} of people" in without.note
    assert of["same", "fake: coverage"].estimate == 1
    higher = of["higher", "gap"]
    assert higher.n is not None
    assert higher.n <= len(people) - tied
    for model in ("davidson", "rao_kupper"):
        share = of[f"order_{model}", "ties"]
        assert share.estimate is not None
        assert share.low is not None
        assert share.high is not None
        assert 0 < share.low < share.estimate < share.high < 1
    said = " ".join(results.headline)
    assert f"{tied} of 100 judgments are ties: half a win for each item" in said
    assert f"(ties: {tied} of people" in said
    assert "two equal items tie" in said
    assert f"Based on 100 choices ({tied} of them ties)" in said
    logit = next(table for table in results.tables if table.name == "higher")
    assert f"{tied} of 100 trials are left out, because people chose neither side" in logit.caption
    habits = " ".join(results.methods)
    assert "a tie both times is the same answer" in habits
    assert "in both a tie is half a win" in habits.lower()
    assert judge_results(folder).passed
    assert "tie" in (folder / "results" / "report.html").read_text(encoding="utf-8")


def test_a_plan_that_refuses_ties_refuses_a_table_with_one(folder: Path, tmp_path: Path) -> None:
    with lab(folder) as study:
        plan = study.study.plan
    refusing = plan.model_copy(
        update={"design": plan.design.model_copy(update={"ties": "refused"})}
    )
    table = pd.read_csv(folder / "data" / "judgments.csv", dtype=str)
    refuse_ties(table, plan, tmp_path)
    first = int(table["choice"].eq("tie").to_numpy().argmax()) + 2
    with pytest.raises(RatifyError, match=rf"row {first}, column choice: is a tie") as fault:
        refuse_ties(table, refusing, tmp_path / "judgments.csv")
    assert "ties: offered" in str(fault.value)
    refuse_ties(table[table["choice"] != "tie"], refusing, tmp_path)


def test_a_ranking_by_half_wins_keeps_every_judgment(folder: Path) -> None:
    evidence = gather(folder, mode="live")
    assert evidence.ranked.n_judgments == len(evidence.people) == RATERS * TRIALS
    assert len(without_ties(evidence.people)) < len(evidence.people)
    assert "half a win" in evidence.ranked.method
    assert evidence.judges["fake"].ranking is not None
