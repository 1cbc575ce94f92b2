"""The lexicon of distress and harm: what it finds, and ordinary words that it must leave alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from study.chat.lexicon import categories, found_in
from study.chat.screens import Hit, Screens
from tests.support.chat import small_chat

FOUND = {
    "self_harm": [
        "I want to kill myself",
        "KILL   MYSELF",
        "I've been thinking about suicide",
        "I’m suicidal",
        "sometimes I wish I was dead",
        "everyone would be better off without me",
        "I don’t want to wake up",
        "I do not want to be alive",
        "I started cutting myself again",
        "I cut myself last night",
        "there's no reason to live",
        "i have been self-harming",
        "I'd rather be dead",
        "Ich will nicht mehr leben",
        "ich bring mich um",
        "Ich denke an Selbstmord",
        "ich ritze mich",
        "أريد أن أموت",
        "سوف أقتل نفسي",
        "أُفَكِّرُ في الانتحار",
        "لا أريد أن أعيش",
        "فأقتل نفسي",
    ],
    "violence": [
        "I'm going to kill him",
        "I will kill my boss",
        "I want to stab her",
        "Ich bringe ihn um",
        "سأقتله",
    ],
    "abuse": [
        "He hits me when he's drunk",
        "my husband beats me",
        "I was raped",
        "I'm afraid he will hurt me",
        "Mein Mann schlägt mich",
        "زوجي يضربني",
    ],
}
ORDINARY = """
this job is killing me|I'm dying to hear|my boss is going to kill me|I could kill for a coffee
we were killing time|I nearly died laughing|I wanted to die of embarrassment|cut myself some slack
it hit me that he was gone|the news hit me hard|that beats me|she beats me at chess
shoot me an email|I'll shoot you a text|hang in there|I beat myself up about it|I was dead tired
a suicide mission of a project|they kicked me out|he hit me up with an idea|my phone died
I hurt myself playing football|I feel like giving up on this job|this is political suicide
Ich sterbe vor Hunger|das schlägt mir auf den Magen|أموت من الضحك|I can't live without coffee
I lost my life savings|taking my life in a new direction|I'm drowning in work
I'm going to kill this presentation|it's going to die down|Don't kill the messenger
I want to live|no point in going on about it|my dog died and I want to cry|I was hit by the layoff
"""


@pytest.mark.parametrize(
    ("category", "text"), [(name, text) for name, texts in FOUND.items() for text in texts]
)
def test_distress_is_found(category: str, text: str) -> None:
    assert found_in(text) == category
    assert found_in(f"Well, {text}. I don't know.") == category


@pytest.mark.parametrize(
    "text", [one for line in ORDINARY.strip().split("\n") for one in line.split("|")]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert found_in(text) == ""


def test_every_category_is_explained() -> None:
    assert list(categories()) == ["self_harm", "violence", "abuse"]
    assert all(categories().values())


def test_a_long_message_takes_no_time() -> None:
    began = time.process_time()
    for text in ("i will kill my my " * 6_000, "(" * 100_000, "my a" * 25_000):
        found_in(text)
    assert time.process_time() - began < 1


def test_only_the_screens_of_the_plan_look(tmp_path: Path) -> None:
    with_lexicon = Screens(small_chat(tmp_path))
    assert with_lexicon.lexicon("I want to kill myself") == Hit("lexicon", "self_harm")
    assert with_lexicon("I want to kill myself") == Hit("lexicon", "self_harm")
    assert not with_lexicon.moderates
    assert Screens(small_chat(tmp_path, safety={"screen": []})).lexicon("kill myself") is None
