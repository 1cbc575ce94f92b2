"""If this failed, a number would not be compared with a margin although it has an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.evidence.evidence import Evidence, gather
from analysis.registered import equivalence, held
from analysis.registered.finding import Finding
from analysis.registered.registry import run_registered
from analysis.results.quantities import Quantity
from prereg.analyses.equivalence import SHOWN, Equivalence
from prereg.analyses.units import unit_of
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from tests.support import written_study
from tests.support.other_kinds import make_study

LOGIT = {
    "id": "logit",
    "kind": "logit",
    "judge": "length",
    "formula": "select_higher ~ gap + C(scenario)",
    "term": "gap",
}
COMPARED = [
    LOGIT,
    {**LOGIT, "id": "other", "term": "C(scenario)[T.loss]"},
    {"id": "choices", "kind": "choice_agreement", "judges": ["length"]},
    {"id": "bins", "kind": "selection_by_gap", "judge": "length", "bins": [[1, None]]},
    {"id": "ranks", "kind": "rank_correlation", "judge": "length", "score": "overall"},
]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    base = {"id": "g", "kind": "generalizability"}
    made = make_study(
        tmp_path_factory.mktemp("rated") / "s",
        "empathy_rating",
        analyses=[base],
        hypotheses=[],
        gate=[],
    )
    return gather(made, mode="live")


def test_reliability_is_compared_although_narrow_intervals_lie_beside_it(rated):
    """Corrected for bias, its intervals at low levels do not contain it, and so have no ends."""
    base = rated.plan.analyses[0]
    narrow = run_registered(base.model_copy(update={"level": 0.02}), rated).quantities
    lost = [q for q in narrow if q.note.startswith("No interval at 0.02: corrected for bias")]
    assert len(lost) > 1
    peer = run_registered(base.model_copy(update={"level": 0.9}), rated).quantities
    for number in (lost[0], lost[-1]):  # each takes some seconds
        asked = {
            "of": {"analysis": "g", "quantity": number.name},
            "margin": 0.3 * number.estimate,
            "reference": 1.2 * number.estimate,
        }
        question = Equivalence(id="q", kind="equivalence", **asked)
        found = {q.name: q for q in run_registered(question, rated).quantities}
        own = next(q for q in peer if q.name == number.name)
        assert found["difference"].low == pytest.approx(own.low - 1.2 * number.estimate)
        assert 0 < found[SHOWN].p_value <= 1


def test_a_number_that_has_no_interval_says_the_true_reason(rated):
    asked = {"of": {"analysis": "g", "quantity": "variance_raters advice_giving"}, "margin": 0.1}
    said = run_registered(Equivalence(id="q", kind="equivalence", **asked), rated).sentence
    assert "No interval of raters' variance: not every rater rated every item" in said


def test_a_p_value_that_is_only_bounded_says_so(rated):
    def run(base: Any, evidence: Any) -> Finding:
        half = 0.05 + base.level
        ends = {"low": 0.2 - half, "high": 0.2 + half} if 0.85 < base.level < 0.95 else {}
        one = Quantity(
            analysis="g",
            name="relative advice_giving",
            label="Reliability",
            estimate=0.2,
            n=9,
            unit_of_n="items",
            method="m",
            unit="reliability",
            level=base.level,
            **ends,
        )
        return Finding(quantities=[one])

    question = Equivalence(
        id="q",
        kind="equivalence",
        of={"analysis": "g", "quantity": "relative advice_giving"},
        margin=2,
    )
    held._HELD.clear()
    finding = equivalence.run_equivalence(question, rated, run=run)
    held._HELD.clear()
    shown = next(q for q in finding.quantities if q.name == SHOWN)
    assert shown.estimate == 1
    assert shown.p_value <= 0.05
    why = "because the number has no interval at every level of coverage"
    for said in (shown.note, finding.sentence):
        assert "p_lower is at most 0.02" in said
        assert why in said


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_study.make_study(tmp_path_factory.mktemp("c") / "s", analyses=COMPARED, gate=[])


def test_the_units_that_a_plan_knows_are_those_that_are_reported(compared, rated):
    checked = 0
    for evidence in (gather(compared, mode="live"), rated):
        for analysis in evidence.plan.analyses:
            names = analysis.quantity_names(evidence.plan)
            for number in run_registered(analysis, evidence).quantities:
                if number.name in names and number.unit != "not estimated":
                    assert unit_of(analysis, number.name) == number.unit, number.name
                    checked += 1
    assert checked > 20


def test_the_unit_of_a_slope_is_checked_before_the_lock(compared):
    """Log-odds are not log-odds per point, and nobody should learn it after the study."""
    plan = yaml.safe_load((compared / "plan.yaml").read_text(encoding="utf-8"))
    asked = {
        "id": "q",
        "kind": "equivalence",
        "of": {"analysis": "logit", "quantity": "gap"},
        "margin": 0.1,
        "unit": "log-odds",
    }
    plan["analyses"] = [*COMPARED, asked]
    said = r"analyses\.5\.unit.*gap of logit, got 'log-odds' \(allowed: log-odds per point\)"
    with pytest.raises(RatifyError, match=said):
        parse_plan(yaml.safe_dump(plan), file=compared / "plan.yaml")
    asked["unit"] = "log-odds per point"
    plan["analyses"] = [*COMPARED, asked]
    evidence = gather(compared, mode="live")
    question = parse_plan(yaml.safe_dump(plan), file=compared / "plan.yaml").analyses[-1]
    assert "another unit" not in run_registered(question, evidence).sentence
