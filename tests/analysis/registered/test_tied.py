"""If this failed, a kappa without a value would stand in a report without its reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from analysis.agreement.choices import choice_agreement
from analysis.evidence.evidence import Evidence
from analysis.registered.choices import run_choice_agreement
from analysis.registered.tied import about_kappa
from prereg.analyses.choices import ChoiceAgreement
from tests.analysis.agreement.test_tied_choices import both

PEOPLE = cast(Evidence, SimpleNamespace(raters="people"))


@pytest.mark.parametrize(
    ("who", "choice", "says"),
    [
        ("judge", "tie", "length answered a tie on every trial"),
        ("people", "tie", "people answered a tie on every trial"),
        ("judge", "left", "length or people answered one and the same side on every trial"),
    ],
)
def test_a_kappa_of_one_answer_says_why_it_is_not_defined(who: str, choice: str, says: str) -> None:
    people, judge = both()
    if who == "judge":
        judge = judge.assign(choice=choice)
    else:
        people = people.assign(choice=choice)
    found = choice_agreement(people, judge, cluster="rater_id")
    assert says in about_kappa(found, "length", PEOPLE)


def test_a_kappa_with_an_interval_has_no_note() -> None:
    assert about_kappa(choice_agreement(*both(), cluster="rater_id"), "length", PEOPLE) == ""


def test_the_note_is_reported_with_a_baseline_that_always_ties() -> None:
    people, judge = both()
    evidence: Any = SimpleNamespace(
        people=people,
        raters="people",
        judges={"length": SimpleNamespace(trials=judge.assign(choice="tie"))},
        plan=SimpleNamespace(design=SimpleNamespace(offers_ties=True), judge=lambda _: None),
        silent={},
        status="confirmatory",
        clusters=None,
    )
    analysis = ChoiceAgreement(
        id="c", kind="choice_agreement", judges=("length",), cluster="rater_id"
    )
    found = {one.name: one for one in run_choice_agreement(analysis, evidence).quantities}
    assert found["length: kappa"].estimate is None
    assert "length answered a tie on every trial" in found["length: kappa"].note
    assert found["length: agreement"].note == ""
