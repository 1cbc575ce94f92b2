"""If this failed, demo conversations would repeat, leak their quality or change unseen."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import data.demo.compose as demo
from data.demo.phrasing import Phrasebook, casual, sentences, with_capitals
from prereg.tables.items import read_items
from prereg.tables.reader import csv_text
from study.items import Item
from study.judges.baseline import Lexical, supporter_words
from study.judges.lexicon import DIMENSIONS

FOLDER = Path(demo.__file__).parent
COMMITTED = FOLDER / "items.csv"


@pytest.fixture(scope="module")
def items() -> list[dict[str, str]]:
    return read_items(COMMITTED).rows


def by_scenario(items: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    return {s: [i for i in items if i["scenario"] == s] for s in demo.SCENARIOS}


def said_by(speaker: str, text: str) -> list[str]:
    return [
        sentence
        for line in text.split("\n")
        if line.startswith(f"{speaker}: ")
        for sentence in sentences(line.partition(": ")[2])
    ]


def quality(items: list[dict[str, str]]) -> list[float]:
    return [float(item["planted_quality"]) for item in items]


def test_composing_again_gives_the_committed_bytes() -> None:
    rows = demo.compose(np.random.default_rng(demo.SEED))
    assert csv_text(demo.COLUMNS, rows).encode() == COMMITTED.read_bytes()


def test_another_seed_gives_other_conversations(items: list[dict[str, str]]) -> None:
    other = demo.compose(np.random.default_rng(demo.SEED + 1))
    assert not {row["text"] for row in other} & {item["text"] for item in items}


def test_the_table_has_its_columns_counts_and_unique_ids(items: list[dict[str, str]]) -> None:
    assert tuple(items[0]) == demo.COLUMNS
    assert Counter(i["scenario"] for i in items) == dict.fromkeys(demo.SCENARIOS, 30)
    assert len({i["item_id"] for i in items}) == len({i["text"] for i in items}) == 150
    assert all(re.fullmatch(rf"{i['scenario']}-\d\d", i["item_id"]) for i in items)


def test_turns_alternate_from_the_seeker_and_are_8_to_12(items: list[dict[str, str]]) -> None:
    for item in items:
        speakers = [line.partition(": ")[0] for line in item["text"].split("\n")]
        expected = [("Seeker", "Supporter")[n % 2] for n in range(len(speakers))]
        assert speakers == expected, item["item_id"]
        assert int(item["turns"]) == len(speakers)
    assert {int(item["turns"]) for item in items} == {8, 9, 10, 11, 12}


def test_every_turn_says_something_and_no_notation_is_left(items: list[dict[str, str]]) -> None:
    for item in items:
        for line in item["text"].split("\n"):
            words = line.partition(": ")[2]
            assert words == words.strip(), line
            assert re.search(r"\w", words), line
            assert not re.search(r"[][{}|()]|  |\.\.", words), line


def test_length_is_that_of_a_chat(items: list[dict[str, str]]) -> None:
    lengths = [len(item["text"].split()) for item in items]
    assert 180 < np.mean(lengths) < 280
    assert min(lengths) > 100
    assert max(lengths) < 400


@pytest.mark.parametrize("speaker", ["Seeker", "Supporter"])
def test_no_sentence_comes_twice_in_a_conversation(
    items: list[dict[str, str]], speaker: str
) -> None:
    for item in items:
        twice = [s for s, n in Counter(said_by(speaker, item["text"])).items() if n > 1]
        assert not twice, item["item_id"]


def test_few_supporter_sentences_come_twice_in_a_scenario(items: list[dict[str, str]]) -> None:
    for scenario, group in by_scenario(items).items():
        heard = Counter(s for item in group for s in said_by("Supporter", item["text"]))
        assert len(heard) / heard.total() > 0.9, scenario
        assert max(heard.values()) <= 4, heard.most_common(1)


def test_first_replies_differ(items: list[dict[str, str]]) -> None:
    for scenario, group in by_scenario(items).items():
        first = Counter(item["text"].split("\n")[1] for item in group)
        assert max(first.values()) <= 2, (scenario, first.most_common(1))


def test_quality_has_mean_0_sd_1_and_three_conversations_a_decile(
    items: list[dict[str, str]],
) -> None:
    for group in by_scenario(items).values():
        planted = quality(group)
        assert np.mean(planted) == pytest.approx(0, abs=0.001)
        assert np.std(planted) == pytest.approx(1, abs=0.001)
        assert len(set(planted)) == 30
        # Three a decile before standardising: no tenth of the normal curve may be left empty.
        deciles = Counter(min(int(10 * share), 9) for share in stats.norm.cdf(planted))
        assert set(deciles) == set(range(10))
        assert max(deciles.values()) <= 6


def test_neither_id_nor_number_of_turns_tells_the_quality(items: list[dict[str, str]]) -> None:
    numbers = [int(item["item_id"][-2:]) for item in items]
    turns = [int(item["turns"]) for item in items]
    assert stats.spearmanr(numbers, quality(items)).pvalue > 0.05
    assert stats.spearmanr(turns, quality(items)).pvalue > 0.05


def test_length_is_a_weak_sign_of_quality(items: list[dict[str, str]]) -> None:
    planted = quality(items)
    for words in (
        [len(item["text"].split()) for item in items],
        [supporter_words(item["text"]) for item in items],
    ):
        assert 0.05 < stats.spearmanr(words, planted).statistic < 0.5


def test_markers_are_a_fair_but_no_perfect_sign_of_quality(items: list[dict[str, str]]) -> None:
    judge = Lexical()
    for scenario, group in by_scenario(items).items():
        overall = []
        for row in group:
            item = Item(row["item_id"], row["scenario"], row["text"])
            rated = judge.rate(item, list(DIMENSIONS))
            overall.append(sum(DIMENSIONS[d] * value for d, value in rated.items()))
        assert 0.5 < stats.spearmanr(overall, quality(group)).statistic < 0.85, scenario


def test_pronouns_of_one_parent_do_not_mix(items: list[dict[str, str]]) -> None:
    """The diagnosed parent of a conversation is either a mother or a father."""
    for item in items:
        if item["scenario"] == "parent_diagnosis":
            first = item["text"].split("\n")[0].lower()
            she = bool(re.search(r"\bmy mom\b", first))
            assert she != bool(re.search(r"\bmy dad\b", first)), item["item_id"]
            wrong = r"\b(he|his|him)\b" if she else r"\b(she|her|hers)\b"
            told = [line for line in item["text"].split("\n") if line.startswith("Seeker")]
            assert not re.search(wrong, " ".join(told).lower()), item["item_id"]


@pytest.mark.parametrize("scenario", demo.SCENARIOS)
def test_every_fragment_of_a_scenario_can_be_filled_for_every_story(scenario: str) -> None:
    bank = yaml.safe_load((FOLDER / "fragments" / f"{scenario}.yaml").read_text("utf-8"))
    book = Phrasebook(np.random.default_rng(1))
    kinds = ("say", "more", "validate", "reflect", "advise", "self", "dismiss")
    questions = ("ask_open", "ask_closed")
    for story in bank["stories"]:
        slots = demo._slots(book.rng, bank, story) | {"feeling": "sad", "thing": "it"}
        for subject in [story, bank["opening"], *bank["topics"]]:
            for kind in (*kinds, *questions):
                for fragment in subject.get(kind, ()):
                    text = book.render(fragment, slots)
                    assert text[0].isupper(), text
                    assert text[-1] in ".?!", text
                    assert not re.search(r"[][{}|]", text), text
        assert set(story.get("skip", ())) <= {topic["id"] for topic in bank["topics"]}
        assert len(bank["topics"]) - len(story.get("skip", ())) >= max(demo.TURNS) // 2 - 1


@pytest.mark.parametrize("scenario", demo.SCENARIOS)
def test_a_condition_can_be_met_by_what_the_seeker_says_there(scenario: str) -> None:
    """A reply to words that nobody says would never be drawn."""
    bank = yaml.safe_load((FOLDER / "fragments" / f"{scenario}.yaml").read_text("utf-8"))
    opening = [
        *bank["opening"]["more"],
        *(say for story in bank["stories"] for say in story["say"]),
    ]
    heard = [(bank["opening"], opening)]
    heard += [(story, story["say"]) for story in bank["stories"]]
    heard += [(topic, topic["say"] + topic["more"]) for topic in bank["topics"]]
    conditions = 0
    for subject, said in heard:
        for kind in ("more", "validate", "reflect", "advise", "self", "dismiss"):
            for fragment in subject.get(kind, ()):
                condition = re.match(r"\(([^)]+)\) ", fragment)
                if condition:
                    conditions += 1
                    for words in condition.group(1).split("|"):
                        assert any(words in s for s in said), (words, fragment)
    assert conditions


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["cake", "no sweets"]))
def test_a_draw_answers_what_was_said_and_never_repeats(seed: int, told: str) -> None:
    book = Phrasebook(np.random.default_rng(seed))
    bank = ["(cake) What a cake.", "Oh, {boss}.", "[Yes|No], really."]
    said: set[str] = set()
    drawn = [book.draw(bank, {"boss": "Ruth"}, said, about=told) for _ in range(5)]
    spoken = [text for text in drawn if text is not None]
    assert ("What a cake." in spoken) == (told == "cake")
    assert len(spoken) == len(set(spoken)) <= (4 if told == "cake" else 3)
    assert "Oh, Ruth." in spoken


def test_casual_writing_keeps_names_and_i() -> None:
    text = "Oh no. I'm sorry. Ruth said that? It hurts."
    assert casual(text, ["Ruth"]) == "oh no. I'm sorry. Ruth said that? it hurts"


def test_a_slot_at_the_start_of_a_sentence_gets_its_capital() -> None:
    assert with_capitals({"years": "six"}) == {"years": "six", "years_cap": "Six"}
