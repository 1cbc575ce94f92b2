"""If this failed, a judge's reply would be read as an answer that it did not give."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.judges.prompts.letter_odds import p_left
from study.judges.prompts.replies import Unreadable, read_best_worst, read_choice, read_ratings

SCALES = {"warmth": range(1, 6), "advice": range(1, 6)}
LETTERS = ("A", "B", "C", "D")


def unreadable(text: str) -> Unreadable:
    """The same for a question of each kind."""
    with pytest.raises(Unreadable) as caught:
        read_choice(text, noun="conversation")
    with pytest.raises(Unreadable):
        read_ratings(text, SCALES)
    with pytest.raises(Unreadable):
        read_best_worst(text, LETTERS)
    return caught.value


# ---- One of two ---------------------------------------------------------------------------------

SAYS_B = [
    '{"choice": "B"}',
    '{"choice":"B"}',
    ' {\n  "choice" : "B"\n}\n',
    '```json\n{"choice": "B"}\n```',
    '```\n{"choice": "B"}```',
    'Here is my answer:\n```json\n{"choice": "B"}\n```',
    'JSON: {"choice": "B"}',
    '\ufeff{"choice": "B"}',
    '{"choice": "b"}',
    '{"choice": "Conversation B"}',
    "B",
    " B\n",
    "b",
    "B.",
    "(B)",
    "[B]",
    '"B"',
    '["B"]',
    "'B'",
    "`B`",
    "**B**",
    "**B**.",
    "“B”",
    "Answer: B",
    "answer: b",
    "Answer B",
    "**Answer:** B",
    "**Answer: B**",
    "Answer:\n\nB",
    "The answer is B.",
    "My final choice: **B**",
    "Verdict = B",
    "Conversation B",
    "Conversation **B**.",
    "**Conversation B**",
    "Answer: Conversation B",
    "Option B",
    "<think>A listens, but A also advises. So B.</think>\nB",
    '<think>\n{"choice": "A"}\n</think>\n\n{"choice": "B"}',
    "<thinking>A?</thinking>B",
    "A is what I first thought.\n</think>\nB",
]


@pytest.mark.parametrize("text", SAYS_B)
def test_one_letter_is_an_answer(text: str) -> None:
    assert read_choice(text, noun="conversation") == {"choice": "right"}
    answer, letter, end = re.split(r"\b([Bb])\b(?!.*\b[Bb]\b)", text, flags=re.DOTALL)
    other = f"{answer}{'A' if letter == 'B' else 'a'}{end}"
    assert read_choice(other, noun="conversation") == {"choice": "left"}


NO_CHOICE = [
    "",
    "  \n",
    "C",
    "I",
    "AB",
    "A B",
    "A or B",
    "A/B",
    "A, B",
    "A\nB",
    "A\n\nA",
    "both",
    "neither",
    "Both A and B",
    "A. But B is better in a way",
    "A, because it is warmer",
    "A!?",
    "A?",
    "not A",
    "Not B.",
    "A = 3, B = 4",
    "Answer: A or B",
    "Answer: not A",
    "The answer is neither A nor B",
    "The answer is not B",
    "I choose B, no, A",
    "Text A and text B",
    "Conversation",
    "Conversation C",
    "conversationB",
    "1",
    "left",
    "А",  # Cyrillic
    "Ｂ",
    "𝐀",
    "<think>B",
    "<think>B</think>",
    "<think>B is it",
    "{}",
    "{",
    '{"choice": "A"',
    '{"choice": "A',
    '{"choice": "',
    '{"choice": "A"} {"choice": "B"}',
    '{"choice": "A"}\n{"choice": "A"}',
    '{"choice": "A"} or {"choice": "B"}',
    '{"choice": "A"}, though B is close',
    'A {"choice": "A"}',
    'I lean to B: {"choice": "A"}',
    '{"choice": "A", "choice": "B"}',
    '{"choice": "A", "choice": "A"}',
    '{"choice": "A", "final": "B"}',
    '{"choice": "A", "Choice": "B"}',
    "<think>one</think> A <think>two</think> B",
    '{"Choice": "A"}',
    '{"choice": "C"}',
    '{"choice": "A or B"}',
    '{"choice": "AB"}',
    '{"choice": ""}',
    '{"choice": null}',
    '{"choice": true}',
    '{"choice": 1}',
    '{"choice": ["A"]}',
    '{"choice": {"choice": "A"}}',
    '{"answer": "A"}',
    '[{"choice": "A"}]',
    "{'choice': 'A'}",
    '{"choice": "A",,}',
    '{,"choice": "A"}',
    '{"choice": A}',
    '```json\n{"choice": "A"}',
    '```json\n{"choice": "A"}\n```\nBut B is close.',
    '```json\n{"choice": "A"}\n```\n```json\n{"choice": "B"}\n```',
    '{"choice": "\\u0041"}',
]


@pytest.mark.parametrize("text", NO_CHOICE)
def test_what_is_not_unmistakably_a_letter_is_no_answer(text: str) -> None:
    error = unreadable(text)
    assert not error.refused
    assert 0 < len(error.reason) < 60
    assert str(error) == error.reason


def test_a_text_is_called_what_the_prompt_calls_it() -> None:
    assert read_choice("Essay (2) A", noun="essay (2)") == {"choice": "left"}
    with pytest.raises(Unreadable):
        read_choice("Essay A", noun="conversation")


def test_why_a_reply_cannot_be_read_is_said_without_the_reply() -> None:
    assert unreadable("").reason == "empty"
    assert unreadable("<think>so").reason == "cut off while thinking"
    assert "cut off" in unreadable('{"choice": "A').reason
    assert unreadable("PRIVATE words of a conversation").reason == "not one letter"
    assert unreadable('{"choice": "A", "choice": "B"}').reason == "a key occurs more than once"
    assert unreadable('{"PRIVATE": "A"}').reason == '"choice" is missing'


@given(st.text(alphabet='ABCab {}":\n`*.,choice<think>/', max_size=40))
def test_no_reply_breaks_the_reader(text: str) -> None:
    try:
        answer = read_choice(text, noun="conversation")
    except Unreadable as error:
        assert len(error.reason) < 60
    else:
        assert answer["choice"] in {"left", "right"}
        if "</think>" in text and "<think>" in text:
            return
        letters = {c for c in text.rpartition(">")[2].replace("choice", "") if c in "ABab"}
        assert len({c.upper() for c in letters}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"choice":' * 20_000,
        '{"warmth": ' + "9" * 10_000 + ', "advice": 1}',
        "Answer" + " " * 50_000 + "x",
        '{"choice": "' + " " * 50_000 + 'x"}',
        "*" * 50_000,
        "sorry " + "," * 50_000 + "x",
        "</think" * 20_000,
        "```" * 20_000,
    ],
)
def test_a_monstrous_reply_is_read_no_slower(text: str) -> None:
    began = time.process_time()
    unreadable(text)
    assert time.process_time() - began < 1.0


# ---- Scores -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"warmth": 3, "advice": 5}',
        '{"advice": 5, "warmth": 3}',
        '{"warmth": 3.0, "advice": "5"}',
        '{"warmth": 3e0, "advice": 5}',
        '```json\n{"warmth": 3,\n "advice": 5}\n```',
        'Here are my ratings:\n\n```json\n{"warmth": 3, "advice": 5}\n```',
        'Ratings: {"warmth": 3, "advice": 5}',
        '<think>{"warmth": 1}</think>{"warmth": 3, "advice": 5}',
    ],
)
def test_whole_numbers_on_the_scale_are_scores(text: str) -> None:
    scores = read_ratings(text, SCALES)
    assert scores == {"warmth": 3, "advice": 5}
    assert list(scores) == ["warmth", "advice"]
    assert all(type(score) is int for score in scores.values())


BAD_SCORES = [
    "4.5",
    "0",
    "6",
    "8",
    "-1",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "true",
    "false",
    "null",
    '""',
    '"4.0"',
    '"four"',
    '"4/5"',
    '" 4"',
    '"٣"',
    '"³"',
    '"0"',
    '"6"',
    "[3]",
    '{"score": 3}',
    "+3",
    "03",
]


@pytest.mark.parametrize("score", BAD_SCORES)
def test_anything_else_is_no_score(score: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_ratings(f'{{"warmth": {score}, "advice": 5}}', SCALES)
    assert not caught.value.refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"warmth": 3}', '"advice" is missing'),
        ('{"warmth": 3, "advice": 5, "Warmth": 4}', "contradict"),
        ('{"warmth": 3, "advice": 5, "warmth": 3}', "more than once"),
        ('{"warmth": 3, "Advice": 5}', '"advice" is missing'),
        ('{"warmth": 3, "advice": 9}', '"advice" is outside 1 to 5'),
        ('{"warmth": 3, "advice": 2.5}', '"advice" is not a whole number'),
        ('{"warmth": 3, "advice": NaN}', "NaN is not a number"),
        ('{"warmth": 3, "advice": 5', "cut off"),
        ('{"warmth": 3, "adv', "cut off"),
        ('{"warmth": 3, "advice": 5} I hope that helps', "continues after its end"),
        ("warmth: 3, advice: 5", "no JSON object"),
        ("3", "no JSON object"),
        ('Warmth is 2, not: {"warmth": 3, "advice": 5}', "no JSON object"),
        ('{"warmth": 3, "advice": 5}{"warmth": 3, "advice": 5}', "not JSON"),
        ('{"warmth": 3 "advice": 5}', "not JSON"),
    ],
)
def test_an_object_that_was_not_asked_for_is_no_answer(text: str, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_ratings(text, SCALES)
    assert says in caught.value.reason
    assert len(caught.value.reason) < 80


@given(st.dictionaries(st.sampled_from(["warmth", "advice", "care"]), st.integers(-2, 8)))
def test_exactly_the_asked_scores_come_through(scores: dict[str, int]) -> None:
    asked = {name: score for name, score in scores.items() if name in SCALES}
    right = len(asked) == len(SCALES) and all(1 <= score <= 5 for score in asked.values())
    notes: list[str] = []
    try:
        assert read_ratings(json.dumps(scores), SCALES, notes=notes) == asked
        assert bool(notes) == ("care" in scores)
        assert right
    except Unreadable:
        assert not right


# ---- Most and least -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"most": "C", "least": "A"}',
        '{"least": "a", "most": "Response C"}',
        'Answer: ```json\n{"most": "C", "least": "A"}```',
    ],
)
def test_two_different_letters_are_places(text: str) -> None:
    assert read_best_worst(text, LETTERS, noun="response") == {"most": 3, "least": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"most": "C", "least": "C"}', "the same"),
        ('{"most": "C", "least": "c"}', "the same"),
        ('{"most": "C", "least": "E"}', '"least" is not one of the letters'),
        ('{"most": 3, "least": 1}', '"most" is not one'),
        ('{"most": "C or D", "least": "A"}', '"most" is not one'),
        ('{"most": "C"}', '"least" is missing'),
        ('{"most": "C", "least": "A"', "cut off"),
        ("C", "no JSON object"),
        ("Most: C, least: A", "no JSON object"),
    ],
)
def test_anything_else_names_no_two_places(text: str, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_best_worst(text, LETTERS, noun="response")
    assert says in caught.value.reason


# ---- Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t assist with that request.",
        "Sorry, I cannot comply with this.",
        "I cannot compare these conversations.",
        "I am unable to provide a rating for this content.",
        "I'm not able to judge people in distress.",
        "Unfortunately, I won't be able to rate this.",
        "As an AI language model, I cannot choose between people.",
        "I apologize, but I cannot and will not evaluate this conversation.",
        "<think>Hmm.</think> I must decline to answer.",
    ],
)
def test_a_reply_that_declines_is_told_apart(text: str) -> None:
    error = unreadable(text)
    assert error.refused
    assert error.reason == "the judge declines"
    with pytest.raises(Unreadable) as caught:
        read_ratings(text, SCALES)
    assert caught.value.refused


@pytest.mark.parametrize(
    "text",
    [
        "I cannot compare these, but A is warmer.",
        "I can't choose. B",
        "I'm sorry, but I can't rate this above 2.",
        "I can't judge this fairly; the first is better.",
        "I cannot help but prefer the second.",
        "I can't hear you.",
        "The supporter says: I can't help with that.",
        'I cannot answer. {"choice": "A"}',
        "Es tut mir leid, das kann ich nicht beurteilen.",
        "Sorry!",
        "It depends.",
    ],
)
def test_a_reply_that_may_hold_an_answer_is_no_refusal(text: str) -> None:
    assert not unreadable(text).refused


# ---- The judge's own probability ----------------------------------------------------------------


def listed(probability: Mapping[str, float]) -> dict[str, float]:
    return {name: math.log(p) for name, p in probability.items()}


def shares(**probability: float) -> dict[str, float]:
    return listed(probability)


NOTHING: Mapping[str, float] = {}


@pytest.mark.parametrize(
    ("tokens", "p"),
    [
        ([("A", shares(A=0.6, B=0.2))], 0.75),
        ([("B", shares(A=0.6, B=0.2))], 0.75),
        ([(" A", listed({"A": 0.3, " A": 0.3, '"B': 0.1, " B": 0.1, '"': 0.1}))], 0.75),
        (
            [
                ('{"', NOTHING),
                ("choice", NOTHING),
                ('":', NOTHING),
                (' "', NOTHING),
                ("A", shares(A=0.9, B=0.1)),
                ('"}', NOTHING),
            ],
            0.9,
        ),
        (
            [('{"choice":', NOTHING), (' "A', listed({' "A': 0.8, ' "B': 0.2})), ('"}', NOTHING)],
            0.8,
        ),
        ([('{"choice":"', NOTHING), ('B"', listed({'B"': 0.4, 'A"': 0.2})), ("}", NOTHING)], 1 / 3),
        ([('{"choice":"B"}', listed({'{"choice":"B"}': 0.3, '{"choice":"A"}': 0.1}))], 0.25),
        ([("**", NOTHING), ("B", shares(A=0.2, B=0.2)), ("**", NOTHING)], 0.5),
        (
            [
                ("Answer", shares(A=0.5, B=0.5)),
                (":", NOTHING),
                (" B", listed({" A": 0.1, " B": 0.3})),
            ],
            0.25,
        ),
        ([("Conversation", shares(Conversation=1)), (" A", listed({" A": 0.5, " B": 0.5}))], 0.5),
        (
            [
                ("<think>", NOTHING),
                ("A", shares(A=1)),
                ("</think>", NOTHING),
                ("\n\n", NOTHING),
                ("B", shares(A=0.1, B=0.9)),
                ("", NOTHING),
            ],
            0.1,
        ),
        ([("▁B", listed({"▁A": 0.4, "▁B": 0.6}))], 0.4),
        ([("ĊĊ", NOTHING), ("ĠA", listed({"ĠA": 0.4, "ĠB": 0.1}))], 0.8),
        ([("a", shares(a=0.6, b=0.3, A=0.1))], 2 / 3),
        ([("A", {"A": 0.0, "B": -9999.0})], 1.0),
        ([("B", {"A": -math.inf, "B": 0.0})], 0.0),
        ([("A", shares(A=0.999))], 1.0),
        ([("B", shares(B=0.7, The=0.299))], 0.0),
        ([("A", shares(A=0.5, B=0.25, Answer=0.2, AB=0.05))], 2 / 3),
    ],
)
def test_the_share_of_a_is_found_where_the_letter_stands(
    tokens: list[tuple[str, Mapping[str, float]]], p: float
) -> None:
    assert p_left(tokens, noun="conversation") == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        [("A", NOTHING)],
        [("A", shares(A=0.9))],
        [("A", shares(B=0.3))],
        [("A", shares(The=0.9))],
        [("A", {"A": math.nan, "B": -1.0})],
        [("A", {"A": 0.7, "B": 0.3})],
        [("A", {"A": -math.inf, "B": -math.inf})],
        [("C", shares(A=0.5, B=0.5))],
        [("A", shares(A=0.5, B=0.5)), (" or", NOTHING), (" B", shares(A=0.5, B=0.5))],
        [('{"choice": "', NOTHING), ("A", shares(A=0.5, B=0.5))],
        [("I can't say", shares(A=0.5, B=0.5))],
    ],
)
def test_a_share_that_cannot_be_told_is_none(tokens: list[tuple[str, Mapping[str, float]]]) -> None:
    assert p_left(tokens, noun="conversation") is None


@given(st.floats(0.001, 0.999), st.floats(0.01, 1.0))
def test_the_share_is_that_of_the_two_letters(p: float, known: float) -> None:
    assert p_left([("A", shares(A=p * known, B=(1 - p) * known))]) == pytest.approx(p)
