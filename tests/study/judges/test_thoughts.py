"""If this failed, what a judge only thought would be taken for its answer, or its answer lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.items import Item
from study.judges.prompts.chosen import Question, ask_pairwise, load_prompt
from study.judges.prompts.replies import Unreadable, read_choice, read_end
from study.judges.prompts.thoughts import covered
from study.llm.bodies import read_body

B = '{"choice": "B"}'
# Every way in which models and servers mark thoughts, around thoughts that name the other text.
MARKED = [
    "<think>A, no: not A.</think>{}",
    "<thinking>\nA?\n</thinking>\n{}",
    "<thought>A</thought>{}",
    "<reasoning>A</reasoning> {}",
    "<seed:think>A</seed:think>{}",
    "[THINK]A[/THINK]{}",
    "[think]A[/think]{}",
    "◁think▷A◁/think▷{}",
    "<|begin_of_thought|>A<|end_of_thought|>{}",
    "A is what comes to mind.</think>{}",  # a server has taken the opening tag
    "<think>A</think>\n<thought>A</thought>{}",
    "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "<|start|>assistant<|channel|>analysis<|message|>A<|end|><|channel|>final "
    "<|constrain|>json<|message|>{}<|return|>",
    "analysisThe first, A, listens.assistantfinal{}",
    '<think>{{"choice": "A"}}</think>{}',
]
# Marks of chat templates that a server should have taken out.
ENDED = ["{}<|im_end|>", "{}</s>", "{}<|eot_id|>", "{}<end_of_turn>\n", "{}<｜end▁of▁sentence｜>"]
BEGUN = ["<|im_start|>assistant\n{}<|im_end|>", "<start_of_turn>model\n{}", "<s>{}</s>"]
NEVER_ENDS = [
    "<think>A",
    "[THINK]B",
    "<|begin_of_thought|>B",
    "<|channel|>analysis<|message|>B",
    "<thought>A</thought> hm <thought>B",
]


@pytest.fixture(scope="module")
def question() -> Question:
    texts = [Item("", "", "I hear you."), Item("", "", "So what?")]
    return ask_pairwise(load_prompt("pairwise", Path()), "Which?", *texts)


@pytest.mark.parametrize("said", [B, "B"])
@pytest.mark.parametrize("way", MARKED + ENDED + BEGUN)
def test_what_is_marked_is_no_answer_and_what_follows_is(way: str, said: str) -> None:
    reply = way.format(said)
    assert read_choice(reply) == {"choice": "right"}
    assert len(covered(reply)) == len(reply), "every character keeps its place"


@pytest.mark.parametrize("reply", NEVER_ENDS)
def test_thoughts_that_do_not_end_are_no_answer(reply: str) -> None:
    with pytest.raises(Unreadable):
        read_choice(reply)


@given(st.text(max_size=60))
def test_a_text_without_marks_stays_as_it_is(text: str) -> None:
    if not any(mark in text for mark in "<[◁") and "assistantfinal" not in text:
        assert covered(text) == text


def sent(question: Question, **message: object) -> dict[str, object]:
    """Read a server's reply as a run does."""
    choice = {"message": {"role": "assistant", **message}, "finish_reason": "stop"}
    reply = read_body(json.dumps({"choices": [choice]}).encode())
    return dict(question.read(reply.text, thoughts=reply.thoughts))


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_an_empty_reply_has_its_answer_at_the_end_of_the_thoughts(
    question: Question, name: str
) -> None:
    for thoughts in (f"A listens. But B asks.\n{B}", f"So:\n```json\n{B}\n```", "Hm.\nB"):
        for nothing in ("", None, "<think></think>\n"):
            assert sent(question, content=nothing, **{name: thoughts}) == {"choice": "right"}


def test_thoughts_are_not_read_where_there_is_a_reply(question: Question) -> None:
    assert sent(question, content="A", reasoning_content=B) == {"choice": "left"}
    with pytest.raises(Unreadable):
        sent(question, content="Neither.", reasoning_content=B)


@pytest.mark.parametrize(
    "thoughts",
    [
        "A listens, and B asks more.",
        f"{B} is what I would say, if not for the end.",
        '{"choice": "A"}\nNo, rather:\n{"choice": "B"}',
        "Either.\nBoth",
    ],
)
def test_thoughts_without_one_clear_answer_at_their_end_are_none(
    question: Question, thoughts: str
) -> None:
    with pytest.raises(Unreadable):
        sent(question, content="", reasoning_content=thoughts)
    with pytest.raises(Unreadable):
        read_end(thoughts, lambda part: read_choice(part))


def test_keys_that_were_not_asked_for_are_left_out_with_a_note(question: Question) -> None:
    notes: list[str] = []
    reply = '{"reason": "It asks back.", "choice": "B", "confidence": 0.9}'
    assert question.read(reply, notes=notes) == {"choice": "right"}
    assert len(notes) == 1
    assert "reason" in notes[0]
    assert "confidence" in notes[0]
