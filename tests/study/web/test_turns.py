"""If this failed, raters would read words under the wrong speaker, or lose some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.bots import fingerprint
from study.web.turns import Turn, turns


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Seeker: a\nSupporter: b", [("Seeker", "a"), ("Supporter", "b")]),
        ("Client: a\nAI: b\nClient: c", [("Client", "a"), ("AI", "b"), ("Client", "c")]),
        ("seeker: a\r\nSUPPORTER: b", [("seeker", "a"), ("SUPPORTER", "b")]),
        ("Ana: a\nBo: b\nAna: c\nBo: d", [("Ana", "a"), ("Bo", "b"), ("Ana", "c"), ("Bo", "d")]),
        ("Seeker: a\n\nmore\nSupporter: b\n", [("Seeker", "a\n\nmore"), ("Supporter", "b")]),
        ("Supporter: try this.\nNote: sleep", [("Supporter", "try this.\nNote: sleep")]),
        ("Seeker: https://x.org: it\n1:30: eat", [("Seeker", "https://x.org: it\n1:30: eat")]),
        ("no speakers at all", [("", "no speakers at all")]),
        ("عميل: مرحبا\nمساعد: أهلا\nعميل: شكرا\nمساعد: عفوا", None),
        ("  a\n\n\t b  c", [("", "  a\n\n\t b  c")]),
        ("\n\nUser:   a\n    b\n\nAI: c", [("User", "  a\n    b"), ("AI", "c")]),
        (
            "AI: see\n```\nuser: a\nuser: b\n```\nAI: c",
            [("AI", "see\n```\nuser: a\nuser: b\n```"), ("AI", "c")],
        ),
        ("", []),
    ],
)
def test_turns_belong_to_who_said_them(text: str, cut: list[tuple[str, str]] | None) -> None:
    found = turns(text)
    if cut is None:
        assert [turn.speaker for turn in found] == ["عميل", "مساعد"] * 2
    else:
        assert found == [Turn(*turn) for turn in cut]


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=120))
def test_no_word_is_lost(text: str) -> None:
    shown = "".join(f"{turn.speaker} {turn.text}" for turn in turns(text))
    assert fingerprint(shown) == fingerprint(text)


def test_the_plan_may_name_the_speakers() -> None:
    text = "Key: a\nKey: b\nAna: c"
    assert [turn.speaker for turn in turns(text)] == ["Key", "Key"]
    assert turns(text, []) == [Turn("", text)]
    assert [turn.speaker for turn in turns(text, ["ana"])] == ["", "Ana"]
