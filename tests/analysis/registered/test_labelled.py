"""If these failed, a number that was not registered could count as one that was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from analysis.evidence.status import Standing
from analysis.registered import labelled
from analysis.registered.finding import Finding
from analysis.registered.hypotheses import NOT_SUPPORTED, OPEN, SUPPORTED, decided
from analysis.registered.labelled import label, run_all
from analysis.results.quantities import Quantity, ResultFigure, ResultTable, Status
from analysis.results.verdict import Cell, Verdict
from prereg.analyses.registry import Analysis
from prereg.analyses.regression import Regression
from prereg.plan.model import Hypothesis

HYPOTHESIS = Hypothesis(id="H1", text="It is.", direction="positive")
REGISTERED = Quantity(
    analysis="a",
    name="x",
    label="x",
    estimate=1.0,
    p_value=0.9,
    n=9,
    unit_of_n="items",
    method="m",
    unit="points",
    hypothesis="H1",
    status="confirmatory",
)
MORE = replace(REGISTERED, analysis="b", p_value=0.001, status="exploratory")


def test_exploratory_numbers_decide_nothing_beside_registered_ones() -> None:
    assert decided(HYPOTHESIS, [REGISTERED]).verdict == NOT_SUPPORTED
    assert decided(HYPOTHESIS, [REGISTERED, MORE]) == decided(HYPOTHESIS, [REGISTERED])


def test_alone_they_are_called_exploratory_where_others_are_confirmatory() -> None:
    other = replace(REGISTERED, hypothesis="")
    assert decided(HYPOTHESIS, [other, MORE]).verdict == f"{SUPPORTED} (exploratory)"
    assert decided(HYPOTHESIS, [MORE]).verdict == SUPPORTED  # the limits say it of everything
    assert decided(HYPOTHESIS, []).verdict == OPEN


def found() -> Finding:
    common: dict[str, Any] = {"title": "T", "caption": "C.", "status": "confirmatory"}
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="50pt" viewBox="0 0 90 50">'
        "</svg>"
    )
    return Finding(
        sentence="It is so.",
        quantities=[MORE],
        tables=[ResultTable(name="t", frame=pd.DataFrame({"a": [1]}), **common)],
        figures=[ResultFigure(name="f", alt="", svg=svg, **common)],
        verdict=Verdict(
            sentences=("It may.",), cells=(Cell(judge="j", dimension="d", word="agrees"),)
        ),
    )


def test_a_label_stays_with_every_part() -> None:
    marked = label(found(), Standing("exploratory", "it changed"))
    assert marked.sentence == "Exploratory: It is so."
    assert marked.verdict.sentences == ("Exploratory: It may.",)
    assert marked.verdict.cells[0].why == "exploratory"
    for part in (*marked.tables, *marked.figures):
        assert (part.status, part.title) == ("exploratory", "Exploratory: T")
        assert part.caption == "C. Exploratory: it changed."
    assert ">Exploratory</" in marked.figures[0].svg
    assert 'viewBox="0 -16 90 66"' in marked.figures[0].svg


def test_what_is_confirmatory_or_exploratory_with_the_whole_study_is_left() -> None:
    for status in ("confirmatory", "exploratory"):
        one = found()
        assert label(one, Standing(status)) is one


def test_tests_are_corrected_with_those_of_their_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def analysis(name: str) -> Analysis:
        return Regression(
            id=name,
            kind="regression",
            model="ols",
            data="own",
            outcomes=("y",),
            predictors="x",
            errors="HC3",
            distribution="t",
            terms=("x",),
            family={"over": "shared", "name": "f", "correction": "bonferroni"},
        )

    def fake(one: Analysis, evidence: Any) -> Finding:
        name = one.quantity_names(None)[0]  # type: ignore[index]
        number = replace(REGISTERED, analysis=one.id, name=name, p_value=0.01)
        return Finding(quantities=[replace(number, status=evidence.status)])

    monkeypatch.setattr(labelled, "run_registered", fake)
    monkeypatch.setattr(labelled, "replace", _replaced)
    analyses = [analysis("a"), analysis("b"), analysis("late")]
    standing = {
        "a": Standing("confirmatory"),
        "b": Standing("confirmatory"),
        "late": Standing("exploratory", "it was added"),
    }
    made = run_all(analyses, _Evidence("confirmatory"), standing)  # type: ignore[arg-type]
    assert [q.p_value for one in made for q in one.quantities] == [0.02, 0.02, 0.01]
    assert [t.name for one in made for t in one.tables] == ["families", "families.amended"]
    assert [t.status for one in made for t in one.tables] == ["confirmatory", "exploratory"]


class _Evidence:
    def __init__(self, status: Status) -> None:
        self.status = status


def _replaced(thing: Any, **changes: Any) -> Any:
    return _Evidence(**changes) if isinstance(thing, _Evidence) else replace(thing, **changes)
