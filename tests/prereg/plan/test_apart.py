"""If these failed, old hashes would change, or a plan promise scales apart that cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.parts import sequence_columns
from prereg.plan.model import Plan
from tests.prereg.plan.test_collection import parsed, worked

APART = "empathy_attachment"
TOLD = {"instructions": "Look at the reply."}


def plan(name: str = APART, *, scales: Any = None, **design: Any) -> Plan:
    content = worked(name)
    content.pop("causal", None)
    content["design"] |= design
    if scales is not None:
        content["scales"] = scales
    return parsed(content)


def scales(**first: Any) -> list[dict[str, Any]]:
    """Return the worked plan's scales, the first of them changed."""
    one, *others = worked(APART)["scales"]
    return [{key: value for key, value in (one | first).items() if value is not None}, *others]


def test_scales_are_asked_together_by_default_and_no_hash_changes() -> None:
    plain = plan("empathy_rating")
    assert plain.to_json() == plan("empathy_rating", apart=False).to_json()
    assert "apart" not in plain.to_json()["design"]
    assert all("instructions" not in scale for scale in plain.to_json()["scales"])
    assert "dimension" not in sequence_columns(plain)
    assert plain.asked_at_once == len(plain.scales) > 1
    assert plan().to_json()["design"]["apart"] is True
    assert sequence_columns(plan())[-2:] == ("dimension", "is_attention_check")
    assert plan().asked_at_once == 1


def test_a_rater_meets_a_plan_of_one_scale() -> None:
    whole = plan()
    for scale in whole.scales:
        own = whole.of_scale(scale.id)
        assert own.scales == (scale,)
        assert [check.expected for check in own.attention_checks] == [{scale.id: 6}]
        others = [other for other in whole.scales if other.id != scale.id]
        for other in others:
            assert other.question not in str(own.to_json())
            assert str(other.instructions) not in str(own.to_json())


@pytest.mark.parametrize(
    ("design", "says"),
    [
        ({"raters": 90, "raters_per_sequence": 4}, "raters.*multiple of raters_per_sequence"),
        (
            {"raters": 177},
            r"design\.raters: cannot be split evenly: each rater answers one of 2 scales and 3 "
            r"answer each sequence, got 177 \(allowed: a multiple of 6, such as 174 or 180\)",
        ),
        (
            {"raters": 1, "raters_per_sequence": 1},
            r"one of 2 scales, got 1 \(allowed: a multiple of 2, such as 2\)",
        ),
        ({"apart": "sometimes"}, r"design\.apart"),
    ],
)
def test_raters_are_split_evenly(design: dict[str, Any], says: str) -> None:
    with pytest.raises(RatifyError, match=says) as caught:
        plan(**design)
    assert "\n" not in str(caught.value)


def test_only_two_scales_or_more_can_be_apart() -> None:
    with pytest.raises(RatifyError, match=r"design\.apart: belongs to plans of kind rating"):
        plan("pairwise_preference", apart=True)
    content = worked(APART)
    content |= {"analyses": [], "gate": [], "hypotheses": [], "scales": content["scales"][:1]}
    content["attention_checks"][0]["expected"] = {"empathy": 6}
    with pytest.raises(RatifyError, match=r"design\.apart: .*one scale.*two scales or more"):
        parsed(content)


def test_a_check_has_an_answer_for_the_raters_of_every_scale() -> None:
    content = worked(APART)
    content["attention_checks"][0]["expected"] = {"attachment": 6}
    with pytest.raises(
        RatifyError,
        match=r"attention_checks\.0\.expected: has no right answer for the raters of empathy.*"
        r"allowed: an answer for each of empathy, attachment",
    ):
        parsed(content)
    content["design"]["apart"] = False
    content["scales"] = scales(instructions=None)
    content["scales"][1].pop("instructions")
    assert parsed(content).attention_checks[0].expected == {"attachment": 6}


def test_instructions_of_a_scale_are_for_its_raters_alone() -> None:
    with pytest.raises(
        RatifyError, match=r"scales\.0\.instructions.*: every rater answers every scale"
    ):
        plan(apart=False)
    labels = {"id": "topic", "question": "What about?", "labels": ["work", "home"], **TOLD}
    content = worked(APART)
    content |= {"scales": [labels, content["scales"][0]], "analyses": [], "gate": []}
    content.pop("causal")
    content |= {"hypotheses": [], "attention_checks": [], "exclusions": content["exclusions"][:1]}
    content["recruitment"].pop("replace")
    content["recruitment"]["codes"].pop("failed_attention")
    assert parsed(content).scales[0].instructions == TOLD["instructions"]


@pytest.mark.parametrize(
    ("text", "what"),
    [("# Title", "a title"), ("![a cat](cat.png)", "an image"), ("<b>Look</b>", "raw HTML")],
)
def test_instructions_of_a_scale_are_plain_markdown(text: str, what: str) -> None:
    with pytest.raises(RatifyError, match=rf"scales\.0\.instructions.*: holds {what}"):
        plan(scales=scales(instructions=text))
