"""If this failed, a plan could offer ties where nothing ties, or old hashes would change."""

from __future__ import annotations

from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.analysis_rules import faults_of_analyses
from prereg.plan.collection_rules import faults_of_collection
from prereg.plan.model import Plan
from tests.prereg.plan.test_collection import parsed, worked

CHECK = {"after": 1, "texts": ["a", "b"], "expected": {"choice": "left"}}


def plan(name: str = "pairwise_preference", *, analyses: Any = (), **design: Any) -> Plan:
    content = worked(name)
    content["design"] |= design
    if analyses:
        content["analyses"], content["gate"] = list(analyses), []
    return parsed(content)


def faults(one: Plan) -> list[str]:
    return [str(fault) for fault in [*faults_of_collection(one), *faults_of_analyses(one)]]


def test_ties_are_refused_by_default_and_do_not_change_a_hash() -> None:
    plain = plan()
    assert not plain.design.offers_ties
    assert plain.to_json() == plan(ties="refused").to_json()
    assert "ties" not in plain.to_json()["design"]
    assert plan(ties="offered").to_json()["design"]["ties"] == "offered"
    assert kind_of(plain).answers(plain) == {"choice": ["left", "right"]}


def test_a_tie_is_an_answer_where_it_is_offered() -> None:
    offered = plan(ties="offered", tie_answer="Both are bad")
    assert kind_of(offered).answers(offered) == {"choice": ["left", "right", "tie"]}
    assert faults(offered) == []
    content = worked("pairwise_preference")
    content["attention_checks"] = [{**CHECK, "expected": {"choice": "tie"}}]
    with pytest.raises(RatifyError, match=r"expected\.choice.*'tie'.*left, right"):
        parsed(content)


def test_only_pairs_can_tie_and_words_need_an_answer() -> None:
    for kind in ("empathy_rating", "best_response"):
        with pytest.raises(RatifyError, match=r"design\.ties.*belongs to plans of kind pairwise"):
            plan(kind, ties="offered")
    with pytest.raises(RatifyError, match="tie_answer: the plan refuses ties"):
        plan(tie_answer="Both are bad")
    with pytest.raises(RatifyError, match=r"design\.ties.*'offered' or 'refused'"):
        plan(ties="maybe")


def test_a_model_of_ties_needs_ties() -> None:
    ranking = {"id": "order", "kind": "ranking", "tie_model": "davidson"}
    with pytest.raises(RatifyError, match=r"analyses\.0\.tie_model.*'davidson'.*half"):
        plan(analyses=[ranking])
    offered = plan(analyses=[ranking], ties="offered")
    assert offered.analyses[0].quantity_names(offered) == ["reliability", "misfit", "ties"]


def test_agreement_without_ties_is_registered_where_ties_are_offered() -> None:
    same = {"id": "same", "kind": "choice_agreement", "judges": ["lexical"]}
    for ties, more in (("refused", 0), ("offered", 2)):
        one = plan(analyses=[same], ties=ties)
        assert len(one.analyses[0].quantity_names(one) or []) == 2 + more
