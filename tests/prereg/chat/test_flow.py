"""If these failed, a report would say another number of participants than were analysed."""

from __future__ import annotations

from prereg.chat.flow import ANALYSED, BEGAN, NOTHING, TALKS, UNDER_WAY, flow_rows
from tests.prereg.chat.test_joined import person, plan_of, talk


def test_everybody_who_began_is_in_one_step() -> None:
    plan = plan_of()
    first, *_, last = [rule.rule for rule in plan.exclusions]
    people = [
        person("a"),
        person("b", excluded_by=first),
        person("c", excluded_by=last, condition="control"),
        person("d", status="active", excluded_by=first),
        person("e"),
        person("f", mode="pilot"),
    ]
    talks = [talk(one, turn) for one in "abcdf" for turn in (1, 2)]
    rows = flow_rows(plan, talks, people, mode="live")
    assert list(dict.fromkeys(row["step"] for row in rows)) == [
        BEGAN,
        UNDER_WAY,
        *(rule.rule for rule in plan.exclusions),
        NOTHING,
        ANALYSED,
        TALKS,
    ]
    found = {(row["step"], row["condition"]): int(row["n"]) for row in rows}
    assert {step: n for (step, arm), n in found.items() if arm == "coach" and n} == {
        BEGAN: 4,
        UNDER_WAY: 1,
        first: 1,
        NOTHING: 1,
        ANALYSED: 1,
        TALKS: 2,
    }
    assert (found[BEGAN, "control"], found[last, "control"]) == (1, 1)
    parts = sum(n for (step, _), n in found.items() if step not in (BEGAN, TALKS))
    assert parts == sum(n for (step, _), n in found.items() if step == BEGAN)
