"""If these failed, power would be that of raters who answer twice as much as the plan asks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from analysis.planning.points import points_of, setup_of
from analysis.planning.simulated import SimulatedStudy
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import Table
from tests.support.simulated_studies import simulate, write_folder

RATERS, TRIALS = 24, 6
CHECK = {"after": 2, "texts": ["Choose 6."], "expected": {"empathy": 6, "attachment": 5}}
DESIGN = {"raters": RATERS, "raters_per_sequence": 2, "trials": TRIALS}
ASSUMED = {"raters": {"careless": 0.0, "drop_out": 0.0, "no_shows": 0.0}}


def study_of(folder: Path, **assumed: float) -> tuple[Plan, Table, SimulatedStudy]:
    plan, items = write_folder(
        folder,
        "empathy_attachment",
        design=DESIGN,
        attention_checks=[CHECK],
        judges=[{"id": "gpt", "kind": "table", "ratings": "gpt.csv"}],
        assumptions={"raters": ASSUMED["raters"] | assumed},
    )
    return plan, items, simulate(plan, items, np.random.default_rng(5))


def test_simulated_people_answer_the_scale_of_their_sequence(tmp_path: Path) -> None:
    _, _, study = study_of(tmp_path)
    people = study.ratings[study.ratings["rater_kind"] == "human"]
    assert len(people) == RATERS * (TRIALS + 1)
    sequence = study.participants.set_index("rater_id")["sequence_id"]
    for rater, mine in people.groupby("rater_id"):
        first = (int(sequence[rater].removeprefix("S")) % 2) == 1
        assert set(mine["dimension"]) == {"empathy" if first else "attachment"}
        assert len(mine) == TRIALS + 1
        assert mine["position"].astype(float).tolist() == list(range(1, TRIALS + 2))
    trials = people[people["is_attention_check"] == "false"]
    counts = Counter(zip(trials["dimension"], trials["item_id"], strict=True))
    for item in set(trials["item_id"]):
        assert counts["empathy", item] == counts["attachment", item] > 0
    checks = people[people["is_attention_check"] == "true"]
    assert set(checks["passed_check"]) == {"true"}
    right = checks["dimension"].map(CHECK["expected"])  # type: ignore[arg-type]
    assert (checks["value"] == right).all()


def test_the_careless_fail_the_check_of_their_own_scale(tmp_path: Path) -> None:
    _, _, study = study_of(tmp_path, careless=0.9)
    people = study.ratings[study.ratings["rater_kind"] == "human"]
    checks = people[people["is_attention_check"] == "true"]
    right = checks["dimension"].map(CHECK["expected"])  # type: ignore[arg-type]
    assert ((checks["value"] == right) == (checks["passed_check"] == "true")).all()
    assert (checks["passed_check"] == "false").any()


def test_judges_score_every_item_on_every_scale(tmp_path: Path) -> None:
    plan, _, study = study_of(tmp_path)
    scores = study.ratings[study.ratings["rater_id"] == "gpt"]
    used = study.ratings.loc[study.ratings["rater_kind"] == "human", "item_id"]
    items = {name for name in used if not name.startswith("check_")}
    for scale in plan.scales:
        assert set(scores.loc[scores["dimension"] == scale.id, "item_id"]) == items


def test_other_sizes_have_whole_rounds_of_scales(tmp_path: Path) -> None:
    plan, items, _ = study_of(tmp_path)
    points = points_of(plan, items, curves=True)
    sizes = [point.raters for point in points if point.curve == "raters"]
    assert sizes == [12, 48, 76]
    for point in points:
        setup = setup_of(plan, items, point)
        counts = Counter(setup.layout.dimension.tolist())
        assert counts["empathy"] == counts["attachment"] == point.raters / 2
    text = (tmp_path / "plan.yaml").read_text().replace(f"raters: {RATERS}", "raters: 76")
    assert parse_plan(text, file="plan.yaml").design.raters == 76
