"""If these fail, style features count what is not there: one flag as two emoji, US as 'us'."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.texts.features import FEATURES, count_emoji, per_hundred_words, style_features
from prereg.errors import RatifyError


def features(text: str | None, language: str = "en") -> dict[str, float]:
    frame = style_features(pd.Series([text], dtype=object), language=language)
    return {str(name): float(value) for name, value in frame.iloc[0].items()}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("😀😀 and 😀", 3),
        ("👍🏽", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("🧑🏻‍🤝‍🧑🏿", 1),
        ("👩🏾‍⚕️", 1),
        ("☝🏽", 1),
        ("🏿", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫", 1),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("🏳️‍🌈🏴‍☠️", 2),
        ("1️⃣2⃣", 2),
        ("❤️❤", 2),
        ("❤️‍🔥", 1),
        ("☺ ☹", 2),
        ("▶️", 1),
        ("⌚", 1),
        ("⌚︎", 0),
        ("☝", 0),
        ("™ © ® → ▶ № †", 0),
        ("#1 * 2 a‍b 中文 é ﷽ ½", 0),
        (":-) <3 :heart:", 0),
        ("❗❓", 2),
        ("👁️‍🗨️", 1),
        ("", 0),
    ],
)
def test_emoji_count_once(text, count):
    assert count_emoji(text) == count


def test_emoji_of_another_list_are_known():
    codes = pytest.importorskip("pip._vendor.rich._emoji_codes")
    # what fonts set as text unless a selector follows, and single letters of flags, are not emoji
    known = {text for text in codes.EMOJI.values() if len(text) > 1 or ord(text) > 0x1F300}
    assert len(known) > 1500
    assert {text: count_emoji(text) for text in known if count_emoji(text) != 1} == {}
    assert count_emoji(" ".join(sorted(known))) == len(known)


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("I'm fine, I’ve been; im ok. My own, mine, me, myself, I", "first_person_singular", 8),
        ("Time, i.e. a miner's image; Hi!", "first_person_singular", 0),
        ("We're ours; let's help us ourselves.", "first_person_plural", 5),
        ("They moved to the US. He let us go.", "first_person_plural", 1),
        ("HELP US", "first_person_plural", 1),
        ("Really?? Yes! What?! ¿Qué?", "questions", 3),
        ("Really?? Yes! What?! ¿Qué?", "question_marks", 4),
        ("真的吗？ متى؟ Πότε\u037e", "question_marks", 3),
        ("No!! ¡Sí! 好！ ‼", "exclamation_marks", 6),
        ("see https://x.org/?a=1!b and www.y.org/? ", "question_marks", 0),
        ("It's well-known: 3 words don't lie 😀 1️⃣", "words", 6),
        ("_snake_ -- …", "words", 1),
    ],
)
def test_features_count_what_they_say(text, name, count):
    assert features(text)[name] == count


def test_what_cannot_be_counted_is_missing_and_not_zero():
    german = features("Ich bin mir sicher, we are.", language="de")
    assert np.isnan(german["first_person_singular"])
    assert np.isnan(german["first_person_plural"])
    assert german["words"] == 6
    assert features("I am.", language="en-GB")["first_person_singular"] == 1
    assert np.isnan(features("我很高兴见到你。", language="zh")["words"])
    assert features(None) == dict.fromkeys(FEATURES, 0.0)


def test_rates_are_by_the_words_of_the_text():
    frame = style_features(pd.Series(["well done !! 😀", "", "真的吗？"], index=["a", "b", "c"]))
    rates = per_hundred_words(frame, ["words", "emoji", "exclamation_marks"])
    assert rates.loc["a"].tolist() == [2, 50, 100]
    assert np.isnan(rates.loc["b", "emoji"])
    assert rates.loc["b", "words"] == 0
    assert rates.loc["c"].isna().all()
    with pytest.raises(RatifyError, match="no column 'hugs'"):
        per_hundred_words(frame, ["hugs"])


PIECES = ["I'm", "us", "😀", "👨‍👩‍👧‍👦", "🇩🇪", "what?", "no!", "word", "中", "1️⃣", "¿"]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(PIECES), max_size=8))
def test_two_texts_together_have_what_both_have(first, second):
    one, two, both = (
        features(". ".join(words) + ". ") for words in (first, second, first + second)
    )
    for name in FEATURES:
        if name != "words":  # which is missing where one script outweighs the other
            assert both[name] == one[name] + two[name]
