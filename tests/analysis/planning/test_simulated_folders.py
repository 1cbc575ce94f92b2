"""If these fail, power analyses other numbers than the study itself would: its promise is void.

Each simulated study is analysed twice: from memory, as `ratify power` does it, and from the CSV
tables of a locked folder, as `ratify analyze` does it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.planning.analysed import analysed, behind_the_gate, evidence_of_study
from analysis.registered.hypotheses import decided
from analysis.results.figure_style import nothing_drawn
from analysis.run import analyze_study
from prereg.plan.file import load_plan
from prereg.tables.items import read_items
from tests.support.simulated_studies import collected, frame_of, write_folder

H1 = [{"id": "H1", "text": "It is so."}]
PAIRWISE: dict[str, Any] = {
    "design": {"raters": 24, "raters_per_sequence": 2, "trials": 6, "ties": "offered"},
    "hypotheses": H1,
    "attention_checks": [
        {"after": 2, "texts": ["Choose this.", "Not this."], "expected": {"choice": "left"}}
    ],
    "exclusions": [
        {"rule": "incomplete_session"},
        {"rule": "failed_attention", "max_failed": 0},
        {"rule": "duplicate_sequence"},
        {"rule": "too_fast", "min_median_ms": 1500},
    ],
    "measures": {
        "scale": {"min": 1, "max": 5},
        "adds": ["validating_emotions"],
        "subtracts": ["advice_giving"],
    },
    "judges": [
        {"id": "length", "kind": "baseline"},
        {"id": "lexical", "kind": "baseline", "pairs": {"scheme": "random", "per_scenario": 60}},
        {"id": "both", "kind": "panel", "of": ["length", "lexical"], "rule": "mean"},
    ],
    "analyses": [
        {"id": "scores", "kind": "rank_correlation", "judge": "length", "score": "overall"}
        | {"hypothesis": "H1", "resamples": 200, "draws": 100},
        {"id": "elo", "kind": "rank_correlation", "judge": "lexical", "score": "elo"}
        | {"resamples": 200, "draws": 100},
        {"id": "same", "kind": "choice_agreement", "judges": ["length", "both"]},
        {"id": "order", "kind": "ranking", "resamples": 100},
    ],
    "gate": [{"analysis": "scores", "quantity": "spearman", "at_least": 0.1}],
    "assumptions": {"raters": {"careless": 0.2, "drop_out": 0.2, "no_shows": 0.1}},
}
RATING: dict[str, Any] = {
    "design": {"raters": 20, "trials": 6},
    "hypotheses": H1,
    "scales": [
        {"id": "warm", "question": "Warm?", "min": 1, "max": 5, "labels": {1: "no", 5: "yes"}},
        {"id": "kind", "question": "What?", "labels": ["comfort", "advice", "other"]},
    ],
    "comprehension": None,
    "recruitment": {"platform": "generic", "codes": {"completed": "DONE-1"}},
    "attention_checks": [
        {"after": 2, "texts": ["Say two."], "expected": {"warm": 2, "kind": "advice"}}
    ],
    "judges": [{"id": "given", "kind": "table", "ratings": "given.csv"}],
    "analyses": [
        {"id": "sources", "kind": "source_ratings", "dimensions": ["warm"], "hypothesis": "H1"},
        {"id": "spread", "kind": "generalizability", "dimensions": ["warm"]},
        {"id": "labels", "kind": "agreement", "judges": ["given"], "dimensions": ["kind"]}
        | {"weights": "none", "metric": "accuracy", "fewest_common": 2, "fewest_items": 2},
        {"id": "scale", "kind": "regression", "model": "ols", "data": "ratings"}
        | {"outcomes": ["warm"], "predictors": "C(source)", "cluster": "rater_id"}
        | {"terms": ["C(source)[T.second]"]},
    ],
    "assumptions": {"raters": {"careless": 0.2, "drop_out": 0.2, "reliability": 0.6}},
}
BEST: dict[str, Any] = {
    "design": {"raters": 15, "trials": 4},
    "judges": [{"id": "length", "kind": "baseline"}],
    "attention_checks": [
        {"after": 1, "texts": ["a", "b", "c", "d"], "expected": {"most": 2, "least": 3}}
    ],
    "exclusions": [{"rule": "failed_attention", "max_failed": 0}],
    "analyses": [
        {"id": "shares", "kind": "best_worst_shares"},
        {"id": "same", "kind": "choice_agreement", "judges": ["length"]},
    ],
    "assumptions": {"raters": {"careless": 0.3}},
}
OWN: dict[str, Any] = {
    "design": {"raters": 20, "trials": 3},
    "hypotheses": H1,
    "analyses": [
        {"id": "change", "kind": "change", "table": "scores", "value": "score"}
        | {"control": "none", "treatments": ["coach"], "baseline_rounds": [1], "post_rounds": [2]}
        | {"hypothesis": "H1"}
    ],
    "data": {"decimal": ",", "columns": {"scores": {"score": "punkte"}}},
    "assumptions": {"effects": {"change": {"people": 60, "effect": {"coach": 2.0}}}},
}
POINTS: dict[str, Any] = {
    "design": {"raters": 6, "raters_per_sequence": 3, "trials": 12},
    "hypotheses": [*H1, {"id": "H2", "text": "It is reliable."}],
    "scales": [
        {"id": name, "question": "How?", "min": 1, "max": 7, "labels": {1: "no", 7: "yes"}}
        for name in ("warm", "kind")
    ],
    "comprehension": None,
    "recruitment": {"platform": "generic", "codes": {"completed": "DONE-1"}},
    "attention_checks": [],
    "exclusions": [{"rule": "incomplete_session"}],
    "judges": [
        {"id": "given", "kind": "table", "ratings": "given.csv"},
        {"id": "other", "kind": "table", "ratings": "given.csv"},
        {"id": "both", "kind": "panel", "of": ["given", "other"], "rule": "mean"},
    ],
    "analyses": [
        {"id": "agree", "kind": "agreement", "judges": ["given", "other", "both"]}
        | {"hypothesis": "H1", "epsilon": 0.1, "cuts": [{"at": 4}], "fewest_items": 5},
        {"id": "near", "kind": "equivalence", "hypothesis": "H2", "margin": 0.4}
        | {"of": {"analysis": "agree", "quantity": "given: difference all"}},
        {"id": "closer", "kind": "equivalence", "hypothesis": "H2", "margin": 0.1}
        | {"of": {"analysis": "agree", "quantity": "given: advantage kind"}, "reference": 0.5}
        | {"side": "not_worse", "better": "higher"},
    ],
    "gate": [
        {"analysis": "agree", "quantity": "given: difference all", "at_least": -0.1},
        {"analysis": "agree", "quantity": "other: kappa_single warm", "field": "low"}
        | {"at_least": 0.1},
        {"analysis": "agree", "quantity": "other: advantage kind", "at_least": 0.4},
        {"analysis": "agree", "quantity": "other: crowd_difference warm", "at_least": -0.5},
        {"analysis": "near", "quantity": "shown", "field": "estimate"} | {"at_least": 1},
    ],
    "assumptions": {"raters": {"reliability": 0.6}, "judges": {"good": 0.9}},
}
STUDIES = {
    "points": ("empathy_rating", POINTS),
    "pairs": ("pairwise_preference", PAIRWISE),
    "ratings": ("empathy_rating", RATING),
    "best": ("best_response", BEST),
    "own": ("pairwise_preference", OWN),
}


@pytest.mark.parametrize("name", STUDIES)
def test_power_analyses_what_the_study_would(name: str, tmp_path: Path) -> None:
    worked, changes = STUDIES[name]
    folder = tmp_path / "study"
    if name in {"ratings", "points"}:
        folder.mkdir()
        kind = "3" if name == "points" else "advice"
        (folder / "given.csv").write_text(
            f"item_id,dimension,value\njob-0,warm,3\njob-0,kind,{kind}\n"
        )
    write_folder(folder, worked, **changes)
    study = collected(folder, np.random.default_rng(5))
    with nothing_drawn():
        results = analyze_study(folder, mode="live")
    plan, items = load_plan(folder), read_items(folder / "items.csv")
    found = analysed(plan, evidence_of_study(plan, frame_of(items), study))
    assert not found.failed
    some = analysed(
        plan, evidence_of_study(plan, frame_of(items), study), only=behind_the_gate(plan)
    )
    assert some.gate.reasons == found.gate.reasons
    for one, other in zip(some.gate.conditions, found.gate.conditions, strict=True):
        assert one.value == _about(other.value)
        assert replace(one, value=other.value) == other
    written = {(q.analysis, q.name): q for q in results.quantities}
    for key, estimate in found.estimates.items():
        one = written[key]
        assert estimate == _about(one.estimate), key
        ends = (one.low, one.high)
        assert found.widths[key] == _about(None if None in ends else ends[1] - ends[0]), key
    assert found.verdicts == {h.id: decided(h, results.quantities).verdict for h in plan.hypotheses}
    gate = next(table for table in results.tables if table.name == "gate")
    assert [c.holds for c in found.gate.conditions] == list(gate.frame["holds"])


def _about(value: float | None) -> Any:
    # items are drawn with weights of 32 bits, whose sums depend on what else is computed with them
    return value if value is None else pytest.approx(value, rel=1e-6)
