"""If this failed, a plan with a mistake would be locked, or its author could not find it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.plan.file import load_plan, parse_plan
from prereg.plan.partial import read_partial

WORKED = (resources.files("prereg") / "worked" / "pairwise_preference" / "plan.yaml").read_text()


def test_the_worked_plan_is_the_published_design() -> None:
    plan = parse_plan(WORKED, file="plan.yaml")
    assert (plan.design.raters, plan.design.trials) == (150, 10)
    assert plan.judge("lexical").pairs is not None
    assert plan.judge("lexical").pairs.per_scenario == 10_000
    assert plan.measures.dimensions[0] == "validating_emotions"
    assert [a.kind for a in plan.analyses].count("logit") == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed: 20261121", "seed: lucky", ["plan.yaml", "seed", "'lucky'"]),
        ("seed: 20261121", "seed: -1", ["seed", "-1"]),
        (
            "seed: 20261121",
            "seed: 1\nseed: 2",
            ["plan.yaml", "'seed' occurs more than once", "line"],
        ),
        ("  raters: 150", "  raters: 150\n  raters: 15", ["'raters' occurs more than once"]),
        ("  raters: 150", "  ratters: 150", ["design.ratters", "unknown key", "raters_per"]),
        ("side: balanced", "side: left", ["design.side", "'left'", "'balanced'"]),
        ("  trials: 10\n", "", ["design.trials", "is missing"]),
        ("{min: 1, max: 5}", "{min: 5, max: 1}", ["measures.scale", "min must be below max"]),
        ("kind: rank_correlation", "kind: rank", ["analyses.0.kind", "'rank'", "rank_correlation"]),
        ("    score: elo\n", "", ["analyses.0", "judge and score go together"]),
        (
            "judge: lexical\n    score: elo",
            "judge: gpt\n    score: elo",
            ["0.judge", "'gpt'", "lexical"],
        ),
        (
            "judge: lexical\n    score: elo",
            "judge: length\n    score: elo",
            ["0.judge", "no ranking"],
        ),
        ("hypothesis: H1", "hypothesis: H9", ["analyses.0.hypothesis", "'H9'", "H1, H2"]),
        ("rule: incomplete_session", "rule: boring", ["exclusions.0.rule", "'boring'"]),
        ("rule: incomplete_session", "rule: too_fast", ["exclusions.0", "needs min_median_ms"]),
        ("k: 32}\n  - id", "kk: 32}\n  - id", ["judges.0.pairs.kk", "start, k"]),
        ("select_higher ~ gap + C", "select_best ~ gap + C", ["formula", "select_higher ~"]),
        ("[4, 6]", "[2, 6]", ["bins", "do not overlap"]),
        ("[4, 6]", "[3, 6]", ["bins", "do not overlap"]),
        ("[4, 6]", "[4, null]", ["bins", "only the last"]),
        ("[13, 24]", "[13, .inf]", ["bins"]),
        ("at_least: 0.5", "at_least: .nan", ["gate.0.at_least"]),
        ("id: same_trials", "id: gate", ["analyses.5.id", "'gate'", "every report has"]),
        ("[lexical, length]", "[length, length]", ["analyses.5.judges.1", "named more than once"]),
        ("{analysis: select_higher", "{analysis: nothing", ["gate.1.analysis", "'nothing'"]),
        ("items: items.csv", "items: ../items.csv", ["materials.items", "inside the study"]),
        ("id: H2\n", "id: H1\n", ["hypotheses.1.id", "occurs more than once", "'H1'"]),
        ("gap + C(scenario)", "gapp + C(scenario)", ["analyses.2.formula", "'gapp'", "gap, sce"]),
        ("gap + C(scenario)", "gap + C(mood)", ["analyses.2.formula", "'mood'"]),
        ("quantity: spearman", "quantity: pearson", ["gate.0.quantity", "'pearson'", "spearman"]),
        ("quantity: gap", "quantity: Intercept", ["gate.1.quantity", "'Intercept'", "gap"]),
        ("schema: 1", "schema: [", ["not YAML", "line"]),
    ],
)
def test_a_mistake_is_named_in_one_line(old: str, new: str, says: list[str]) -> None:
    assert old in WORKED
    with pytest.raises(RatifyError) as caught:
        parse_plan(WORKED.replace(old, new, 1), file="plan.yaml")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("plan.yaml")
    for words in says:
        assert words in line


@pytest.mark.parametrize(
    "right",
    [
        "gap * C(scenario, Treatment(reference='job_loss'))",
        "gap + I(gap ** 2) + np.log(position)",
        "diff_validating_emotions + diff_advice_giving + gap",
        "gap",
    ],
)
def test_formulas_of_every_kind_are_understood(right: str) -> None:
    text = WORKED.replace("select_higher ~ gap + C(scenario)", f"select_higher ~ {right}")
    assert parse_plan(text, file="plan.yaml").analyses


def test_a_plan_that_is_not_a_mapping_is_refused() -> None:
    with pytest.raises(RatifyError, match="is not a plan"):
        parse_plan("- a list", file="plan.yaml")


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match=r"plan\.yaml.*no such plan.*ratify new"):
        load_plan(tmp_path)


def test_every_default_is_written_out_for_the_hash() -> None:
    plan = parse_plan(WORKED.replace("  ridge: 0.02\n", ""), file="plan.yaml")
    assert plan.to_json() == parse_plan(WORKED, file="plan.yaml").to_json()


def test_all_faults_of_a_plan_are_found_at_once_and_name_their_part(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    codes = "{completed: A, screened_out: B, failed_attention: C}"
    text = WORKED.replace("{completed: HEARD-10}", codes)
    text = text.replace("judge: lexical\n    score: elo", "judge: lexicon\n    score: elo")
    path.write_text(text.replace("quantity: gap", "quantity: gaps"), encoding="utf-8")
    said = [str(fault) for fault in read_partial(path).faults]
    assert [line.split(": ")[0].split(", ")[1] for line in said] == [
        "recruitment.codes.screened_out",
        "recruitment.codes.failed_attention",
        "analyses.0.judge (people_and_judge_elo)",
        "gate.1.quantity",
    ]
    with pytest.raises(RatifyError, match=r"recruitment\.codes\.screened_out"):
        load_plan(path)
    path.write_text(text.replace("raters: 150", "raters: 0").replace("trials: 10", "trials: x"))
    # a wrong part is set aside, and the rest is still compared
    assert [fault.column for fault in read_partial(path).faults] == [
        "design.raters",
        "design.trials",
        "recruitment.codes.screened_out",
        "recruitment.codes.failed_attention",
        "analyses.0.judge",
    ]
    path.write_text(WORKED, encoding="utf-8")
    assert read_partial(path).faults == []
