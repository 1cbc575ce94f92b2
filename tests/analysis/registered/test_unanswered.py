"""If this failed, a judge that was never asked would stop or falsify the analysis of people."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from analysis.evidence.evidence import Evidence
from analysis.gate import judge_results
from analysis.registered.unanswered import of_others
from analysis.run import analyze_study
from prereg.analyses.choices import ChoiceAgreement
from prereg.errors import RatifyError
from tests.support import other_kinds, written_study

GPT = {
    "id": "gpt",
    "kind": "llm",
    "model": "some-model",
    "base_url": "http://127.0.0.1:9/v1",
    "key_variable": None,
    "pairs": {"scheme": "random", "per_scenario": 6},
}
LENGTH = {"id": "length", "kind": "baseline"}
PAIRS = [
    {"id": "own", "kind": "rank_correlation", "judge": "gpt", "score": "bradley_terry"},
    {"id": "scores", "kind": "rank_correlation", "judge": "length", "score": "overall"},
    {"id": "same", "kind": "choice_agreement", "judges": ["gpt", "length"]},
    {
        "id": "match",
        "kind": "logit",
        "judge": "gpt",
        "formula": "select_match ~ gap",
        "cluster": "rater_id",
        "term": "gap",
    },
    {"id": "order", "kind": "ranking", "of": "gpt"},
]


def test_a_judge_that_was_never_asked_stops_nothing(tmp_path: Path) -> None:
    gate = [{"analysis": "own", "quantity": "spearman", "field": "low", "at_least": 0.5}]
    folder = written_study.make_study(
        tmp_path / "study", judges=[GPT, LENGTH], analyses=PAIRS, gate=gate
    )
    results = analyze_study(folder, mode="live")
    found = {(q.analysis, q.name): q for q in results.quantities}
    for key in (("own", "spearman"), ("same", "gpt: agreement"), ("match", "gap")):
        assert found[key].estimate is None
        assert "gpt has not answered" in found[key].note
    assert found["own", "coverage"].estimate == 0
    assert found["own", "coverage"].n == 12
    assert found["same", "gpt: coverage"].estimate == 0
    assert found["order", "coverage"].estimate == 0
    for key in (("scores", "spearman"), ("same", "length: agreement"), ("people", "reliability")):
        assert found[key].estimate is not None
    assert "gpt: no answers yet." in results.verdict.sentences
    assert [c.why for c in results.verdict.cells if c.judge == "gpt"] == ["no answers yet"]
    assert any("'gpt' has not answered" in note for note in results.meta["notes"])
    verdict = judge_results(folder)
    assert not verdict.passed
    assert "low = missing: gpt has not answered" in verdict.conditions[0].line()
    assert "answered 0 of 12" in verdict.conditions[0].line()


@pytest.mark.parametrize("kind", ["empathy_rating", "best_response"])
def test_nor_in_plans_of_other_kinds(tmp_path: Path, kind: str) -> None:
    rating = kind == "empathy_rating"
    what = "agreement" if rating else "choice_agreement"
    analyses = [
        {"id": "a", "kind": what, "judges": ["lexical", "length"]},
        {"id": "b", "kind": what, "judges": ["lexical"]},
    ]
    judges = [{"id": name, "kind": "baseline"} for name in ("lexical", "length")]
    folder = other_kinds.make_study(
        tmp_path / "study", kind, judges=judges, analyses=analyses, gate=[]
    )
    path = folder / "data" / ("ratings.csv" if rating else "best_worst.csv")
    table = pd.read_csv(path, dtype=str)
    kept = table[table["rater_id"] != "lexical"]
    assert len(kept) < len(table)
    kept.to_csv(path, index=False)
    results = analyze_study(folder, mode="live")
    found = [q for q in results.quantities if q.name.startswith("lexical: ")]
    assert {q.analysis for q in found} >= {"a", "b"}
    assert all(q.estimate == 0 for q in found if "coverage" in q.name or "answered" in q.name)
    assert all(q.estimate is None for q in found if q.name.startswith("lexical: kappa"))
    numbers = [q.estimate for q in results.quantities if q.name.startswith("length: kappa")]
    assert numbers
    assert None not in numbers
    assert "lexical: no answers yet." in results.verdict.sentences
    assert any(c.judge == "lexical" and c.why == "no answers yet" for c in results.verdict.cells)


def test_a_judge_without_pairs_is_said_to_have_no_ranking(tmp_path: Path) -> None:
    judges = [LENGTH | {"pairs": GPT["pairs"]}]
    analyses = [PAIRS[0] | {"judge": "length"}]
    gate = [{"analysis": "own", "quantity": "spearman", "field": "low", "at_least": 0.5}]
    folder = written_study.make_study(
        tmp_path / "study", judges=judges, analyses=analyses, gate=gate
    )
    results = analyze_study(folder, mode="live")
    [missing] = [q for q in results.quantities if q.name == "spearman"]
    assert "length answered 0 of 12 pairs, so it has no ranking" in missing.note
    line = judge_results(folder).conditions[0].line()
    assert "missing: length answered 0 of 12 pairs" in line
    assert "how much was answered is missing" not in line


def test_several_silent_judges_are_listed_as_in_a_sentence() -> None:
    names = ("gpt", "length", "lexical")
    analysis = ChoiceAgreement(id="same", kind="choice_agreement", judges=names)
    evidence = cast(Evidence, SimpleNamespace(silent=list(names), plan=None))
    with pytest.raises(RatifyError, match=r"^gpt, length and lexical have not answered"):
        of_others(analysis, evidence)
