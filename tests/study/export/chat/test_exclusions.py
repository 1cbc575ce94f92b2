"""If this failed, people would be left out by another rule than the plan's first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.export.chat.exclusions import Stands, excluded_by
from tests.support.chat import small_chat

PASTED = {"rule": "pasted_most", "share": 0.5}
ADMITTED = {"rule": "admitted_ai", "question": "used_ai", "values": ["yes it did"]}
GOOD: dict[str, Any] = {"status": "finished", "ended_because": "", "rounds_done": 2}


@pytest.mark.parametrize(
    ("rule", "differs"),
    [
        ({"rule": "incomplete_session"}, {"rounds_done": 1}),
        ({"rule": "partner_failure"}, {"status": "partner_failure"}),
        ({"rule": "partner_failure"}, {"ended_because": "partner_failure"}),
        ({"rule": "stopped_for_safety"}, {"status": "stopped"}),
        (PASTED, {"pasted_share": 0.51}),
        (ADMITTED, {"answers": {"used_ai": ["yes it did"]}}),
    ],
)
def test_each_rule_leaves_out_whom_it_names(
    tmp_path: Path, rule: dict[str, Any], differs: dict[str, Any]
) -> None:
    plan = small_chat(tmp_path, exclusions=[rule]).plan
    assert excluded_by(plan, Stands(**GOOD)) is None
    assert excluded_by(plan, Stands(**(GOOD | differs))) == rule["rule"]
    none = small_chat(tmp_path, exclusions=[]).plan
    assert excluded_by(none, Stands(**(GOOD | differs))) is None


def test_the_first_rule_of_the_plan_is_named(tmp_path: Path) -> None:
    visit = Stands(**GOOD, pasted_share=0.9, answers={"used_ai": ["yes it did"]})
    assert excluded_by(small_chat(tmp_path, exclusions=[PASTED, ADMITTED]).plan, visit) == (
        "pasted_most"
    )
    assert excluded_by(small_chat(tmp_path, exclusions=[ADMITTED, PASTED]).plan, visit) == (
        "admitted_ai"
    )


def test_half_is_not_most(tmp_path: Path) -> None:
    plan = small_chat(tmp_path, exclusions=[PASTED]).plan
    assert excluded_by(plan, Stands(**GOOD, pasted_share=0.5)) is None
    assert excluded_by(plan, Stands(**GOOD, pasted_share=None)) is None
