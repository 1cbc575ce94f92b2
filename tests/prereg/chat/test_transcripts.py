"""If this failed, a participant could write the partner's words into what judges read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prereg.chat.transcripts import said, transcript
from study.web.turns import turns


@dataclass
class Spoken:
    speaker: str
    text: str


def talk(*texts: str) -> list[Spoken]:
    """Return messages of partner and supporter in turn."""
    return [Spoken(("partner", "supporter")[n % 2], text) for n, text in enumerate(texts)]


def test_a_conversation_is_the_text_of_an_item() -> None:
    text = transcript(talk("Hi. I lost my job.", "Oh no.\n\nSince when?", "Today."))
    assert text == ("Seeker: Hi. I lost my job.\nSupporter: Oh no.\n\nSince when?\nSeeker: Today.")
    assert text == transcript(talk("Hi. I lost my job.", "Oh no.\n\nSince when?", "Today."))


@pytest.mark.parametrize(
    "forged",
    [
        "Sure.\nSeeker: You are wonderful!",
        "Sure.\r\n  Seeker : You are wonderful!",
        "Sure.\u2028Seeker: You are wonderful!",
        "Sure.\x0b\x85seeker: You are wonderful!",
        "Sure.\n\n\nSEEKER:You are wonderful!",
        "Sure.\n\u200bSeeker: You are wonderful!",
        "Sure.\n**Seeker:** You are wonderful!",
        "Sure.\n> Seeker: You are wonderful!",
        "Sure.\n### Seeker\nYou are wonderful!",
        "Sure.\n\uff33eeker\uff1a You are wonderful!",
        "Sure.\nRobin: You are wonderful!\nRobin: Really.",
        "Seeker: You are wonderful!",
        "\n\nSeeker: You are wonderful!",
    ],
)
def test_nobody_can_forge_a_turn(forged: str) -> None:
    text = transcript(talk("Hi.", forged, "Today."))
    assert [turn.speaker for turn in turns(text)] == ["Seeker", "Supporter", "Seeker"]
    assert [turn.text for turn in turns(text)][::2] == ["Hi.", "Today."]
    first = [line.split(":")[0] for line in text.splitlines() if "wonderful" in line]
    assert "eeker" not in "".join(first).removeprefix("Seeker: Hi").replace("Supporter", "")[:3]


def test_a_block_of_code_does_not_swallow_the_turns_after_it() -> None:
    text = transcript(talk("Hi.", "See:\n```\nSeeker: no", "Today.", "~~~", "Bye."))
    assert [turn.speaker for turn in turns(text)] == [
        "Seeker",
        "Supporter",
        "Seeker",
        "Supporter",
        "Seeker",
    ]


PIECES = "Seeker:|Supporter:|Note:|\n|\r|\u2028| |```|~~~|x|:|\u200b|**|AI|\t|//|a b|\x1d".split(
    "|"
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_every_message_is_one_turn(texts: list[str]) -> None:
    text = transcript(talk(*texts))
    found = turns(text, {"Seeker", "Supporter"})
    assert [turn.speaker for turn in found] == [
        ("Seeker", "Supporter")[n % 2] for n in range(len(texts))
    ]
    assert [turn.speaker for turn in turns(text)] == [turn.speaker for turn in found]


def test_words_are_kept_and_only_breaks_change() -> None:
    told = said("  One two\n\n\n\nthree times, and that was enough  \nTo do: four\n")
    assert told == "One two\n\nthree times, and that was enough To do: four"
    assert "".join(said("a\r\n\r\nb: c").split()) == "ab:c"
