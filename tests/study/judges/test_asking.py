"""If this failed, a judge would be asked something else than the plan says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.plan.collection import RatingScale
from prereg.plan.file import parse_plan
from prereg.plan.judging import Habits, LLMJudge
from prereg.plan.model import Measures, Plan, Scale
from study.judges.prompts.chosen import (
    JudgePrompts,
    ask_best_worst,
    ask_pairwise,
    ask_rating,
    packaged_prompts,
    prompts_of,
)
from tests.support.prompting import (
    NOWHERE,
    RUBRICS,
    SIX,
    fenced,
    item,
    own,
    packaged,
    questions_of,
    system,
    user,
)

PAIRS, BEST, RATES = "pairwise_preference", "best_response", "empathy_rating"


def plan_of(name: str, judge: LLMJudge, **changes: Any) -> Plan:
    text = (resources.files("prereg") / "worked" / name / "plan.yaml").read_text()
    return parse_plan(text, file="plan.yaml").model_copy(update={"judges": (judge,), **changes})


def judge_with(*prompts: str, wordings: tuple[str, ...] = ()) -> LLMJudge:
    habits = Habits(pairs=5, wordings=wordings) if wordings else None
    return LLMJudge(id="gpt", kind="llm", model="m", prompts=prompts, habits=habits)


def asked(plan_name: str, *prompts: str, folder: Path = NOWHERE, **changes: Any) -> JudgePrompts:
    judge = judge_with(*prompts, wordings=changes.pop("wordings", ()))
    return prompts_of(plan_of(plan_name, judge, **changes), judge, folder)


def refused(plan_name: str, *prompts: str, folder: Path = NOWHERE, **changes: Any) -> str:
    with pytest.raises(RatifyError) as caught:
        asked(plan_name, *prompts, folder=folder, **changes)
    line = str(caught.value)
    assert "\n" not in line
    return line


# ---- What is sent -------------------------------------------------------------------------------


def test_a_pairwise_question() -> None:
    question = ask_pairwise(packaged("pairwise"), "Which one listens?", item("L"), item("R"))
    assert [message["role"] for message in question.messages] == ["system", "user"]
    assert "Which one listens?" in user(question)
    assert fenced(user(question)) == {"conversation A": "L", "conversation B": "R"}
    assert question.letters == ("A", "B")
    assert question.schema == {
        "type": "object",
        "properties": {"choice": {"type": "string", "enum": ["A", "B"]}},
        "required": ["choice"],
        "additionalProperties": False,
    }
    assert question.read('{"choice": "B"}') == {"choice": "right"}
    assert question.read("Conversation A") == {"choice": "left"}


def test_a_best_worst_question() -> None:
    options = [item(f"text {n}", "I lost my job.") for n in range(4)]
    question = ask_best_worst(packaged("best_worst"), "Which helps?", options)
    found = fenced(user(question))
    assert found.pop("context") == "I lost my job."
    assert found == {f"response {letter}": f"text {n}" for n, letter in enumerate("ABCD")}
    assert question.letters == ("A", "B", "C", "D")
    assert question.schema["properties"]["least"]["enum"] == ["A", "B", "C", "D"]
    assert question.read('{"most": "D", "least": "B"}') == {"most": 4, "least": 2}


def test_a_rating_question_asks_for_the_named_dimensions_only() -> None:
    some = ["advice_giving", "validating_emotions"]
    question = ask_rating(packaged("six_behaviours"), item("Seeker: hi"), some)
    assert list(question.schema["properties"]) == question.schema["required"] == some
    assert question.schema["properties"]["advice_giving"] == {
        "type": "integer",
        "enum": [1, 2, 3, 4, 5],
    }
    assert question.letters == ()
    assert "self_oriented" not in user(question)
    assert user(question).index("advice_giving") < user(question).index("validating_emotions")
    assert question.read('{"advice_giving": 2, "validating_emotions": 5}') == {
        "advice_giving": 2,
        "validating_emotions": 5,
    }


def test_a_rubric_is_sent_with_every_level_and_example() -> None:
    for name in RUBRICS:
        rubric = packaged(name).rubric
        sent = user(ask_rating(packaged(name), item("hi"), list(rubric)))
        for key, dimension in rubric.items():
            assert f'"{key}", from {dimension.min} to {dimension.max}' in sent
            for level, text in dimension.levels.items():
                assert f"{level} = {text}" in sent
            for level, text in dimension.examples.items():
                assert f"Rated {level}: {text}" in sent


def test_what_the_texts_answer_to_is_shown_once_or_each_its_own() -> None:
    ask = packaged("pairwise")
    same = ask_pairwise(ask, "Q", item("L", "before"), item("R", "before"))
    assert fenced(user(same)) == {"context": "before", "conversation A": "L", "conversation B": "R"}
    other = ask_pairwise(ask, "Q", item("L", "one"), item("R", "two"))
    assert list(fenced(user(other)).items()) == [
        ("context of conversation A", "one"),
        ("conversation A", "L"),
        ("context of conversation B", "two"),
        ("conversation B", "R"),
    ]
    only = ask_pairwise(ask, "Q", item("L"), item("R", "two"))
    assert "context of conversation A" not in fenced(user(only))
    assert "context" not in user(ask_pairwise(ask, "Q", item("L", " "), item("R", "")))


def test_nothing_of_an_item_but_its_texts_is_sent() -> None:
    for name in packaged_prompts():
        for question in questions_of(packaged(name), [item("one"), item("two")]):
            assert "SECRET" not in json.dumps(question.messages)


def test_a_question_with_braces_stays_what_it_is() -> None:
    question = ask_pairwise(
        packaged("pairwise"), "{texts} or {answer}?", item("{answer}"), item("y")
    )
    assert "{texts} or {answer}?" in user(question)
    assert fenced(user(question))["conversation A"] == "{answer}"


def test_what_precedes_the_texts_is_the_same_for_every_item() -> None:
    for name in (*RUBRICS, "pairwise", "best_worst"):
        for one, two in zip(
            questions_of(packaged(name), [item("one"), item("two")]),
            questions_of(packaged(name), [item("three"), item("four")]),
            strict=True,
        ):
            assert system(one) == system(two)
            assert user(one).partition("<<<")[0] == user(two).partition("<<<")[0]


def test_sides_exchanged_change_nothing_but_the_sides() -> None:
    one = ask_pairwise(packaged("pairwise"), "Q", item("L"), item("R"))
    two = ask_pairwise(packaged("pairwise"), "Q", item("R"), item("L"))
    assert user(one).replace("\nL\n", "\n?\n").replace("\nR\n", "\nL\n").replace(
        "\n?\n", "\nR\n"
    ) == user(two)


def test_a_prompt_is_asked_its_own_task_only() -> None:
    with pytest.raises(ValueError, match="for rating"):
        ask_pairwise(packaged("empathy"), "Q", item("L"), item("R"))
    with pytest.raises(ValueError, match="for pairwise"):
        ask_rating(packaged("pairwise"), item("L"), ["empathy"])
    with pytest.raises(ValueError, match="warmth"):
        ask_rating(packaged("empathy"), item("L"), ["warmth"])
    with pytest.raises(ValueError, match="nothing"):
        ask_rating(packaged("empathy"), item("L"), [])
    with pytest.raises(ValueError, match="13 texts"):
        ask_best_worst(packaged("best_worst"), "Q", [item("x")] * 13)


def test_every_schema_is_within_what_strict_output_takes() -> None:
    for name in packaged_prompts():
        for question in questions_of(packaged(name), [item("one"), item("two")]):
            schema = json.loads(json.dumps(question.schema))
            assert set(schema) == {"type", "properties", "required", "additionalProperties"}
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False
            for rule in schema["properties"].values():
                assert set(rule) == {"type", "enum"}


# ---- Which prompts a plan needs -----------------------------------------------------------------


def names(prompts: JudgePrompts) -> list[str]:
    return [prompt.name for prompt in prompts]


def scale(name: str, low: int = 1, high: int = 5, **labels: str) -> Mapping[str, Any]:
    return {
        "id": name,
        "question": f"How {name} is it?",
        "min": low,
        "max": high,
        "labels": {low: "not at all", high: "fully"},
    }


def rating_plan(*scales: Mapping[str, Any]) -> dict[str, Any]:
    return {"scales": tuple(RatingScale.model_validate(s) for s in scales)}


def measured(*adds: str, low: int = 1, high: int = 5) -> dict[str, Any]:
    return {"measures": Measures(scale=Scale(min=low, max=high), adds=adds)}


def test_without_a_list_the_packaged_prompts_are_asked() -> None:
    assert names(asked(PAIRS)) == ["pairwise", "six_behaviours"]
    assert names(asked(BEST)) == ["best_worst"]
    rating = asked(RATES)
    assert names(rating) == ["six_behaviours"]
    assert rating.comparison is None
    assert list(rating.rubrics[0].rubric) == list(SIX)


def test_a_rubric_is_narrowed_to_what_the_plan_wants_in_its_order() -> None:
    wanted = ("dismissing_emotions", "validating_emotions")
    (rubric,) = asked(PAIRS, **measured(*wanted)).rubrics
    assert tuple(rubric.rubric) == wanted
    assert rubric.digest == packaged("six_behaviours").digest


def test_dimensions_of_two_rubrics_are_two_requests() -> None:
    found = asked(PAIRS, **measured("attachment", "empathy", high=7))
    assert [list(rubric.rubric) for rubric in found.rubrics] == [["attachment"], ["empathy"]]


def test_a_list_names_the_comparison_or_the_rubrics_or_both() -> None:
    assert names(asked(PAIRS, "pairwise_terse")) == ["pairwise_terse", "six_behaviours"]
    assert names(asked(PAIRS, "six_behaviours")) == ["pairwise", "six_behaviours"]
    both = ("six_behaviours", "pairwise_reader")
    assert names(asked(PAIRS, *both)) == ["pairwise_reader", "six_behaviours"]


def test_rubrics_of_ones_own_stand_beside_packaged_ones(tmp_path: Path) -> None:
    (tmp_path / "warm.yaml").write_text(own("rating"))
    found = asked(
        PAIRS,
        "support_functions",
        "warm.yaml",
        folder=tmp_path,
        **measured("cognitive", "warmth", high=3),
    )
    assert names(found) == ["pairwise", "support_functions", "warm.yaml"]
    assert [list(rubric.rubric) for rubric in found.rubrics] == [["cognitive"], ["warmth"]]


def test_wordings_are_comparisons_in_other_words() -> None:
    found = asked(PAIRS, wordings=("pairwise_terse", "pairwise_reader"))
    assert [w.name for w in found.wordings] == ["pairwise_terse", "pairwise_reader"]
    assert names(found)[-2:] == ["pairwise_terse", "pairwise_reader"]


def test_a_plans_own_scales_are_asked_in_its_own_words() -> None:
    changes = rating_plan(scale("warm"), scale("wise", 0, 10))
    found = asked(RATES, **changes)
    assert names(found) == ["plan_scale:warm", "plan_scale:wise"]
    question = ask_rating(found.rubrics[1], item("Seeker: hi"), ["wise"])
    sent = user(question)
    assert "How much does the supporter do each of these?" in sent
    for words in ('"wise", from 0 to 10: How wise is it?', "0 = not at all", "10 = fully"):
        assert words in sent
    assert "warm" not in sent
    assert question.schema["properties"]["wise"]["enum"] == list(range(11))
    assert question.read('{"wise": 10}') == {"wise": 10}
    assert found.rubrics[0].digest != found.rubrics[1].digest


def test_a_plans_own_scale_has_its_words_in_the_digest() -> None:
    def digest(**changes: Any) -> str:
        return asked(RATES, **rating_plan({**scale("warm"), **changes})).rubrics[0].digest

    digests = {
        digest(),
        digest(question="How cold is it?"),
        digest(labels={1: "never", 5: "fully"}),
        digest(max=6, labels={1: "not at all", 6: "fully"}),
    }
    assert len(digests) == 4


def test_a_scale_that_a_rubric_knows_otherwise_is_asked_as_the_plan_says() -> None:
    found = asked(RATES, **rating_plan(scale("empathy", 1, 5), scale("attachment", 1, 7)))
    assert names(found) == ["plan_scale:empathy", "attachment"]


def test_the_plans_own_words_can_be_asked_for() -> None:
    found = asked(RATES, "plan_scale")
    assert names(found) == [f"plan_scale:{name}" for name in SIX]
    found = asked(
        RATES, "plan_scale", "six_behaviours", **rating_plan(scale("warm"), scale(SIX[0]))
    )
    assert names(found) == ["plan_scale:warm", "six_behaviours"]


def test_a_template_of_ones_own_asks_the_plans_scales(tmp_path: Path) -> None:
    text = own("rating").partition("dimensions:")[0].replace("{scales}", "{question} {scales}")
    (tmp_path / "mine.yaml").write_text(text)
    found = asked(RATES, "mine.yaml", folder=tmp_path)
    assert names(found) == [f"mine.yaml:{name}" for name in SIX]


@pytest.mark.parametrize(
    ("plan", "prompts", "changes", "says"),
    [
        (PAIRS, ("best_worst",), {}, ["judges.0.prompts.0", "'best_worst'", "pairwise"]),
        (BEST, ("pairwise",), {}, ["judges.0.prompts.0", "'pairwise'", "best_worst"]),
        (RATES, ("pairwise",), {}, ["judges.0.prompts.0", "rating prompts"]),
        (
            PAIRS,
            ("pairwise", "pairwise_terse"),
            {},
            ["prompts.1", "'pairwise_terse'", "pairwise alone", "habits.wordings"],
        ),
        (PAIRS, ("pairwise", "pairwise"), {}, ["prompts.1", "more than once"]),
        (PAIRS, ("nothing",), {}, ["prompts.0", "no such prompt", "'nothing'"]),
        (PAIRS, ("../x.yaml",), {}, ["prompts.0", "inside the study folder"]),
        (
            PAIRS,
            (),
            measured("validating_emotions", "warmth"),
            ["measures.adds.1", "'warmth'", "advice_giving"],
        ),
        (
            PAIRS,
            ("six_behaviours",),
            measured("validating_emotions", "empathy"),
            ["measures.adds.1", "'empathy'", "one more rubric"],
        ),
        (
            PAIRS,
            (),
            measured("validating_emotions", high=7),
            ["measures.scale", "'1 to 7'", "allowed: 1 to 5"],
        ),
        (
            PAIRS,
            ("empathy",),
            measured("empathy", high=5),
            ["measures.scale", "empathy", "'1 to 5'", "allowed: 1 to 7"],
        ),
        (RATES, ("empathy",), rating_plan(scale("empathy")), ["scales.0", "allowed: 1 to 7"]),
        (
            RATES,
            ("six_behaviours",),
            rating_plan(scale(SIX[0]), scale("warm")),
            ["scales.1.id", "'warm'", "or plan_scale"],
        ),
        (PAIRS, ("six_behaviours", "empathy"), {}, ["prompts.1", "'empathy'", "nothing"]),
        (PAIRS, ("plan_scale",), {}, ["measures.adds.0", "validating_emotions"]),
        (BEST, ("empathy",), {}, ["prompts.0", "'empathy'", "no rating prompt"]),
        (RATES, ("plan_scale", "empathy"), {}, ["prompts.1", "'empathy'", "nothing"]),
        (
            PAIRS,
            (),
            {"wordings": ("best_worst",)},
            ["judges.0.habits.wordings.0", "'best_worst'", "pairwise"],
        ),
        (PAIRS, (), {"wordings": ("empathy",)}, ["habits.wordings.0", "'empathy'"]),
        (PAIRS, (), {"wordings": ("pairwise",)}, ["wordings.0", "asked anyway"]),
        (PAIRS, (), {"wordings": ("x",)}, ["wordings.0", "no such prompt"]),
        (RATES, (), {"wordings": ("pairwise",)}, ["wordings.0", "compares nothing"]),
    ],
)
def test_prompts_that_do_not_fit_the_plan_are_named(
    plan: str, prompts: tuple[str, ...], changes: dict[str, Any], says: list[str]
) -> None:
    line = refused(plan, *prompts, **dict(changes))
    assert line.startswith("nowhere/plan.yaml")
    for words in says:
        assert words in line


def test_a_dimension_that_two_prompts_ask_for_is_refused(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(own("rating"))
    line = refused(PAIRS, "one.yaml", "two.yaml", folder=tmp_path, **measured("warmth", high=3))
    assert "measures.adds.0" in line
    assert "one.yaml or two.yaml" in line


def test_a_fault_in_a_prompts_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(own("pairwise").replace("Compare.", "Compare {texts}"))
    line = refused(PAIRS, "mine.yaml", folder=tmp_path)
    assert line.startswith(f"{tmp_path}/mine.yaml, system")


def test_a_judge_that_stands_in_no_plan_is_named_all_the_same() -> None:
    plan = plan_of(PAIRS, judge_with())
    with pytest.raises(RatifyError, match=r"judge\.prompts\.0"):
        prompts_of(plan, replace_id(judge_with("nothing")), NOWHERE)


def replace_id(judge: LLMJudge) -> LLMJudge:
    return judge.model_copy(update={"id": "another"})


def test_a_prompt_can_be_a_key() -> None:
    one = packaged("empathy")
    assert len({one, packaged("empathy"), replace(one, version=2)}) == 2
