"""If this failed, a new kind of analysis would need more than a model, a runner and two lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from analysis.evidence.evidence import Evidence
from analysis.gate import judge_results
from analysis.registered.finding import Finding, stamp
from analysis.registered.registry import RUNNERS
from analysis.report.page import write_report
from analysis.results.quantities import Quantity
from analysis.run import analyze_study
from analysis.tables import columns
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.registry import ANALYSES
from prereg.errors import RatifyError
from prereg.files import sha256
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.strict import Identifier, Text
from tests.support.other_kinds import make_study


class MeanMood(AnyAnalysis):
    """The mean of one column of a diary."""

    kind: Literal["mean_mood"]
    diary: Identifier
    mood: Text = "mood"

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the number it will report."""
        return ["mean"]

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return (self.diary,)


def run_mean_mood(analysis: MeanMood, evidence: Evidence) -> Finding:
    """Return the mean as the one quantity."""
    moods = columns.numbers(evidence.table(analysis.diary), analysis.mood)
    mean = Quantity(
        name="mean",
        label="Mean mood",
        estimate=float(np.mean(moods)),
        n=len(moods),
        unit_of_n="days",
        clusters=None,
        method="mean",
        unit="points",
        **stamp(analysis, evidence),
    )
    return Finding(sentence=f"The mean mood is {mean.estimate:.1f}.", quantities=[mean])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a study that registers the toy kind, which is known as long as the test runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ANALYSES, "mean_mood", MeanMood)
        patch.setitem(RUNNERS, "mean_mood", run_mean_mood)
        Plan.model_rebuild(force=True)
        folder = make_study(
            tmp_path_factory.mktemp("toy") / "study",
            "best_response",
            analyses=[{"id": "mood", "kind": "mean_mood", "diary": "days"}],
            gate=[{"analysis": "mood", "quantity": "mean", "field": "estimate", "at_least": 3}],
            sensitivity={"on": "everybody"},
        )
        (folder / "data" / "days.csv").write_text("day,mood\n1,3\n2,4\n3,5\n")
        yield folder
    Plan.model_rebuild(force=True)


def test_a_toy_analysis_goes_from_the_plan_to_the_report(study: Path) -> None:
    assert "The mean mood is 4.0." in analyze_study(study, mode="live").headline
    results = json.loads((study / "results" / "results.json").read_text())
    found = {q["analysis"]: q for q in results["quantities"]}
    assert found["mood"]["estimate"] == found["mood.everybody"]["estimate"] == 4
    assert found["mood"]["status"] == "confirmatory"
    diary = study / "data" / "days.csv"
    assert results["meta"]["inputs"]["days.csv"] == sha256(diary.read_bytes())
    assert judge_results(study).passed
    assert "numbers_mood" in write_report(study / "results").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("diary: days", "diry: days", r"analyses\.0\.diry \(mood\): unknown key .*diary, mood"),
        ("quantity: mean", "quantity: median", r"gate\.0\.quantity.*'median' \(allowed: mean\)"),
        ("kind: mean_mood", "kind: mood", r"analyses\.0\.kind.*explained, mean_mood\)"),
    ],
)
def test_a_plan_of_the_toy_kind_is_checked_as_any_other(
    study: Path, tmp_path: Path, right: str, wrong: str, says: str
) -> None:
    text = (study / "plan.yaml").read_text(encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(RatifyError, match=says):
        load_plan(tmp_path)
