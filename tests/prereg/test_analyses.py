"""If this failed, a plan could be locked with analyses that its data cannot answer."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
import yaml

from prereg.analyses.registry import ANALYSES
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from tests.support.paths import WORKED

CHANGE = {
    "id": "a",
    "kind": "change",
    "table": "visits",
    "value": "score",
    "control": "video",
    "treatments": ["coach"],
    "baseline_rounds": [1],
    "post_rounds": [2, 3],
}
REGRESSION = {
    "id": "a",
    "kind": "regression",
    "model": "ols",
    "data": "visits",
    "outcomes": ["score"],
    "predictors": "condition",
    "cluster": "person_id",
    "terms": ["condition[T.coach]"],
}
SOURCES = {"id": "a", "kind": "source_ratings", "sources": ["x", "y"]}
THEMES = {"id": "a", "kind": "themes", "texts": "letters", "columns": ["relief"]}
AGREEMENT = {"id": "a", "kind": "agreement", "judges": ["length"]}
RANKING = {"id": "a", "kind": "ranking"}


def plan_with(worked: str, *analyses: dict[str, Any], **changes: Any) -> str:
    plan = yaml.safe_load((WORKED / worked / "plan.yaml").read_text(encoding="utf-8"))
    return yaml.safe_dump(plan | {"analyses": list(analyses), "gate": []} | changes)


@pytest.mark.parametrize(
    ("worked", "analysis"),
    [
        ("pairwise_preference", RANKING),
        ("best_response", RANKING),
        ("empathy_rating", AGREEMENT),
        ("empathy_rating", SOURCES),
        ("best_response", {"id": "a", "kind": "best_worst_shares"}),
        *[
            (worked, one)
            for one in (CHANGE, REGRESSION, THEMES)
            for worked in ("pairwise_preference", "empathy_rating", "best_response")
        ],
    ],
)
def test_what_a_plan_of_each_kind_may_register(worked: str, analysis: dict[str, Any]) -> None:
    plan = parse_plan(plan_with(worked, analysis), file="plan.yaml")
    names = plan.analyses[0].quantity_names(plan)
    assert names is None or (names and len(set(names)) == len(names))


@pytest.mark.parametrize(
    ("worked", "analysis", "says"),
    [
        ("pairwise_preference", AGREEMENT, r"analyses\.0\.kind.*kind rating"),
        ("empathy_rating", RANKING, r"analyses\.0\.kind.*pairwise or best_worst"),
        ("empathy_rating", {"id": "a", "kind": "best_worst_shares"}, r"kind best_worst"),
        ("pairwise_preference", RANKING | {"of": "nobody"}, r"analyses\.0\.of.*people, lexical"),
        ("pairwise_preference", RANKING | {"ridge": 1}, r"analyses\.0\.ridge.*resamples"),
        ("empathy_rating", AGREEMENT | {"judges": ["gpt"]}, r"judges\.0.*lexical, length"),
        ("empathy_rating", AGREEMENT | {"dimensions": ["charm"]}, r"dimensions\.0.*charm"),
        (
            "empathy_rating",
            AGREEMENT | {"cuts": [{"at": 4, "sight": 1}]},
            r"cuts\.0\.sight \(a\): unknown key.*side",
        ),
        (
            "empathy_rating",
            AGREEMENT | {"cuts": [{"at": 4, "dimensions": ["charm"]}]},
            r"cuts\.0\.dimensions\.0",
        ),
        ("empathy_rating", SOURCES | {"reference": "z"}, "reference must be one of the sources"),
        (
            "empathy_rating",
            REGRESSION | {"data": "ratings", "outcomes": ["charm"]},
            r"outcomes\.0.*charm",
        ),
        (
            "empathy_rating",
            REGRESSION | {"data": "trials", "judge": "length"},
            r"analyses\.0\.data.*kind pairwise",
        ),
        (
            "pairwise_preference",
            REGRESSION | {"data": "ratings"},
            r"analyses\.0\.data.*kind rating",
        ),
        (
            "pairwise_preference",
            REGRESSION | {"sd": {"of": "whole", "value": 1}},
            "takes no column",
        ),
        (
            "pairwise_preference",
            REGRESSION | {"sd": {"off": "whole"}},
            r"sd\.off \(a\): unknown key",
        ),
        ("pairwise_preference", CHANGE | {"control": "coach"}, "names a condition more than once"),
        ("pairwise_preference", CHANGE | {"norm": {"mean": 3}}, r"norm\.mean \(a\): unknown key"),
        ("pairwise_preference", CHANGE | {"id": "a.everybody"}, r"analyses\.0\.id.*every report"),
        ("pairwise_preference", CHANGE | {"id": "families"}, r"analyses\.0\.id.*every report"),
        ("pairwise_preference", THEMES | {"labels": "codes"}, "either labels"),
    ],
)
def test_a_mistake_is_named_by_its_field(worked: str, analysis: dict[str, Any], says: str) -> None:
    with pytest.raises(RatifyError, match=says) as caught:
        parse_plan(plan_with(worked, analysis), file="plan.yaml")
    assert "\n" not in str(caught.value)


def test_one_family_has_one_correction() -> None:
    shared = {"over": "shared", "name": "everything"}
    first = REGRESSION | {"family": shared | {"correction": "holm"}}
    second = REGRESSION | {"id": "b", "family": shared | {"correction": "benjamini_hochberg"}}
    with pytest.raises(RatifyError, match=r"analyses\.1\.family\.correction.*holm"):
        parse_plan(plan_with("pairwise_preference", first, second), file="plan.yaml")
    other = second | {"family": second["family"] | {"name": "others"}}
    parse_plan(plan_with("pairwise_preference", first, other), file="plan.yaml")


def test_the_gate_knows_what_an_analysis_reports() -> None:
    gate = {"analysis": "a", "quantity": "coach - video: improved", "at_least": 0.1}
    parse_plan(plan_with("empathy_rating", CHANGE, gate=[gate]), file="plan.yaml")
    with pytest.raises(RatifyError, match=r"gate\.0\.quantity.*coach: improved"):
        wrong = gate | {"quantity": "coach less video"}
        parse_plan(plan_with("empathy_rating", CHANGE, gate=[wrong]), file="plan.yaml")
    # only the data show which sources there are
    parse_plan(
        plan_with("empathy_rating", {"id": "a", "kind": "source_ratings"}, gate=[gate]),
        file="plan.yaml",
    )


def test_a_field_that_is_called_as_a_kind_keeps_its_path() -> None:
    with pytest.raises(RatifyError, match=r"ranking\.ridge"):
        parse_plan(plan_with("pairwise_preference", ranking={"ridge": -1}), file="plan.yaml")


def test_the_sensitivity_analysis_is_part_of_the_plan() -> None:
    plan = parse_plan(plan_with("pairwise_preference", sensitivity={}), file="plan.yaml")
    assert plan.sensitivity is not None
    assert plan.sensitivity.on == "everybody"
    with pytest.raises(RatifyError, match=r"sensitivity\.who: unknown key"):
        parse_plan(plan_with("pairwise_preference", sensitivity={"who": 1}), file="plan.yaml")


CORRELATION = {"id": "a", "kind": "rank_correlation", "judge": "length", "score": "overall"}
LOGIT = {
    "id": "a",
    "kind": "logit",
    "judge": "length",
    "formula": "select_higher ~ gap",
    "cluster": "rater_id",
    "term": "gap",
}
GAPS = {"id": "a", "kind": "selection_by_gap", "judge": "length", "bins": [[1, 2]]}
CHOICES = {"id": "a", "kind": "choice_agreement", "judges": ["length"]}


@pytest.mark.parametrize(
    ("analysis", "key", "default", "other"),
    [
        (CORRELATION, "resamples", 2000, 300),
        (CORRELATION, "draws", 500, 300),
        *((kind, "level", 0.95, 0.9) for kind in (CORRELATION, LOGIT, GAPS, CHOICES, AGREEMENT)),
        (AGREEMENT, "fewest_common", 10, 5),
        (AGREEMENT, "false_discovery", 0.05, 0.1),
    ],
)
def test_a_key_added_later_changes_the_hash_only_where_it_is_used(
    analysis: dict[str, Any], key: str, default: float, other: float
) -> None:
    worked = "empathy_rating" if analysis is AGREEMENT else "pairwise_preference"

    def written(**keys: float) -> dict[str, Any]:
        text = plan_with(worked, analysis | keys)
        return parse_plan(text, file="plan.yaml").to_json()["analyses"][0]

    # the hash of 0.4.0 had no such key
    assert key not in written()
    assert written(**{key: default}) == written()
    assert written(**{key: other}) == written() | {key: other}


def test_the_registry_calls_each_kind_by_the_name_its_model_reads() -> None:
    for kind, model in ANALYSES.items():
        assert get_args(model.model_fields["kind"].annotation) == (kind,)


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RatifyError) as caught:
        parse_plan(plan_with("pairwise_preference", RANKING | {"kind": "rankin"}), file="plan.yaml")
    assert caught.value.column == "analyses.0.kind"
    assert caught.value.value == "rankin"
    assert caught.value.allowed == ", ".join(ANALYSES)
    del (nameless := dict(RANKING))["kind"]
    with pytest.raises(RatifyError, match=r"analyses\.0\.kind: is missing"):
        parse_plan(plan_with("pairwise_preference", nameless), file="plan.yaml")


def test_words_of_the_results_are_no_names_of_scales() -> None:
    text = plan_with("empathy_rating", AGREEMENT)
    plan = parse_plan(text, file="plan.yaml")
    with pytest.raises(RatifyError, match=r"analyses\.0.*the mean over dimensions, got 'all'"):
        parse_plan(re.sub(rf"\b{plan.scales[0].id}\b", "all", text), file="plan.yaml")


@pytest.mark.parametrize("name", ["people", "humans"])
@pytest.mark.parametrize("worked", ["empathy_rating", "pairwise_preference"])
def test_a_judge_is_not_called_like_people_together(worked: str, name: str) -> None:
    text = plan_with(worked, AGREEMENT if worked == "empathy_rating" else RANKING)
    judge = parse_plan(text, file="plan.yaml").judges[0].id
    said = rf"judges\.0\.id: .*people together, got '{name}' \(allowed: another id\)"
    with pytest.raises(RatifyError, match=said):
        parse_plan(re.sub(rf"\b{judge}\b", name, text), file="plan.yaml")
