"""If this failed, a tie would pass an attention check, or count as the right side was chosen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest

from analysis.evidence.choice_yardstick import PAIRS, beside_people, yardstick_of
from analysis.evidence.evidence import Evidence
from analysis.evidence.kinds import EVIDENCE
from analysis.evidence.raters import rater_quality
from analysis.evidence.trials import failed_checks
from analysis.tables import columns
from prereg.errors import RatifyError
from prereg.plan.reporting import Large


def test_a_tie_fails_an_attention_check_that_expects_a_side() -> None:
    answers = pd.DataFrame(
        {
            "session_id": ["a", "b", "c", "d"],
            "choice": ["left", "tie", "right", ""],
            "expected_choice": "left",
            "is_attention_check": True,
        }
    )
    assert failed_checks(answers).to_dict() == {"b": 1, "c": 1}
    expecting = answers.assign(expected_choice="tie", choice="tie")
    assert failed_checks(expecting).empty
    with pytest.raises(RatifyError, match=r"row 3, column choice.*left, right, tie"):
        failed_checks(answers.replace({"choice": {"tie": "both"}}))


def people(ties: float) -> pd.DataFrame:
    """Forty people who answer the same thirty-six pairs, three quarters alike."""
    rng = np.random.default_rng(3)
    rows = []
    for who in range(40):
        for pair in range(36):
            said = "left" if (rng.random() < 0.75) == (pair % 2 == 0) else "right"
            said = "tie" if rng.random() < ties else said
            rows.append((f"r{who}", "s", f"a{pair:02d}", f"b{pair:02d}", said))
    names = ["rater_id", "scenario", "left_id", "right_id", "choice"]
    return pd.DataFrame(rows, columns=names)


def evidence(choices: pd.DataFrame) -> Evidence:
    plan = SimpleNamespace(ranking=SimpleNamespace(ridge=0.02), large=Large())
    found = SimpleNamespace(people=choices, answers=choices, plan=plan, raters="people")
    return cast(Evidence, found)


def test_the_yardstick_is_that_of_decided_answers() -> None:
    choices = people(0.3)
    decided = choices[choices["choice"] != "tie"].reset_index(drop=True)
    judge = decided.drop_duplicates(["left_id"]).assign(rater_id="judge")
    judge = pd.concat([judge, judge.head(5).assign(choice="tie")], ignore_index=True)
    both = []
    for table in (choices, decided):
        known, what = yardstick_of(evidence(table))
        assert what == PAIRS
        assert len(known) == len(decided)
        found = beside_people(evidence(table), judge, known, what)
        assert found is not None
        both.append(found)
    assert both[0].judge == both[1].judge
    assert both[0].people == both[1].people
    assert both[0].people[0] == pytest.approx(0.75**2 + 0.25**2, abs=0.03)
    assert [one.ties for one in both] == [True, False]


def test_who_never_chooses_is_named_and_sides_are_counted_without_ties() -> None:
    choices = people(0.1)
    lazy = choices["rater_id"] == "r7"
    choices.loc[lazy, "choice"] = "tie"
    found = rater_quality(evidence(choices))
    (one,) = [person for person in found.people if "neither" in person.reason]
    assert one.reason == "chose neither side 36 of 36 times"
    assert not any("left side" in note.says or "right side" in note.says for note in found.notes)
    everybody = rater_quality(evidence(choices.assign(choice="tie")))
    assert len(everybody.people) == 40
    assert any(gap.check == "Sides of people" for gap in everybody.not_run)


def test_choices_are_counted_with_their_ties() -> None:
    choices = people(0.3)
    ties = int((choices["choice"] == "tie").sum())
    assert EVIDENCE["pairwise"].counted(choices) == f"1,440 choices ({ties} of them ties)"
    assert EVIDENCE["pairwise"].counted(people(0)) == "1,440 choices"


def test_shares_of_the_left_side() -> None:
    table = pd.DataFrame({"choice": pd.Categorical(["left", "tie", "right"])})
    assert columns.left_share(table).tolist() == [1, 0.5, 0]
    assert columns.is_tie(table).tolist() == [False, True, False]
    assert columns.without_ties(table)["choice"].tolist() == ["left", "right"]
    plain = table[table["choice"] != "tie"]
    assert columns.without_ties(plain) is plain
    with pytest.raises(RatifyError, match=r"row 2, column choice: is not a choice"):
        columns.left_share(pd.DataFrame({"choice": ["left", None]}).iloc[::-1])
