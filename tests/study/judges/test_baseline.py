"""If this failed, the offline judges would count wrong words, favour a side or crash on a text."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from prereg.errors import RatifyError
from study.items import Item
from study.judges import baseline as module
from study.judges.baseline import Length, Lexical, baseline, marker_rates, supporter_turns
from study.judges.lexicon import CUTS, DIMENSIONS, rating
from study.judges.version import BASELINES
from study.tasks.base import Judge
from tests.support.paths import REAL_DATA

REAL = REAL_DATA / "lend_an_ear_reliability"
NAMES = list(DIMENSIONS)
NEUTRAL = "The bus was late again this morning."
JUDGES: list[Judge] = [Length(), Lexical()]


def item(text: str, name: str = "a") -> Item:
    return Item(name, "s", text)


def chat(*replies: str, seeker: str = "My application went nowhere.") -> str:
    return "\n".join(f"Seeker: {seeker}\nSupporter: {reply}" for reply in replies)


def rated(text: str) -> Mapping[str, float]:
    return Lexical().rate(item(text), NAMES)


def overall(judge: Judge, text: str) -> float:
    return sum(DIMENSIONS[d] * v for d, v in judge.rate(item(text), NAMES).items())


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("dimension", "reply"),
    [
        ("validating_emotions", "No wonder, anyone would be furious."),
        ("validating_emotions", "That makes a lot of sense."),
        ("validating_emotions", "Feelings such as anger and shame are allowed to be there."),
        ("encouraging_elaboration", "What was that like?"),
        ("encouraging_elaboration", "Do you want to describe it?"),
        ("encouraging_elaboration", "Say more about that day, please."),
        ("demonstrating_understanding", "It sounds like the silence was loud."),
        ("demonstrating_understanding", "So you waited the whole week for nothing."),
        ("demonstrating_understanding", "Your application went nowhere, then."),
        ("advice_giving", "You should send another letter."),
        ("advice_giving", "Why don't you send another letter?"),
        ("advice_giving", "Look for a mentor. Make a list."),
        ("self_oriented", "When I lost my job I went to live with my brother."),
        ("self_oriented", "I prefer trains, but my taste is mine and I like mine."),
        ("dismissing_emotions", "At least it was short."),
        ("dismissing_emotions", "Cheer up, it could be worse."),
    ],
)
def test_a_marker_moves_its_own_dimension(dimension: str, reply: str) -> None:
    plain, marked = rated(chat(NEUTRAL)), rated(chat(reply))
    moved = {name: marked[name] - plain[name] for name in NAMES}
    assert moved[dimension] > 0
    assert moved[dimension] == max(moved.values())


def test_a_neutral_reply_rates_1_everywhere() -> None:
    assert rated(chat(NEUTRAL)) == dict.fromkeys(NAMES, 1.0)


def test_an_open_question_counts_more_than_a_closed_one_and_advice_not_at_all() -> None:
    rates = [
        marker_rates(chat(q))["encouraging_elaboration"]
        for q in ("How was it?", "Was it long?", "Have you tried yoga?")
    ]
    assert rates == [1.0, 0.4, 0.0]


def test_a_listener_may_say_i() -> None:
    listening = marker_rates(chat("I'm so sorry. I hear you. I can imagine. Tell me more."))
    assert listening["self_oriented"] == 0
    assert marker_rates(chat("I had a cold and my week was mine."))["self_oriented"] > 1


def test_a_rate_is_per_supporter_turn() -> None:
    once = chat("At least it was short.", *[f"{NEUTRAL} {n}" for n in range(4)])
    assert marker_rates(once)["dismissing_emotions"] == pytest.approx(1 / 5)
    assert rated(once)["dismissing_emotions"] == 2


def test_the_rating_goes_up_at_each_cut_point() -> None:
    assert [rating(cut) for cut in CUTS] == [2, 3, 4, 5]
    assert [rating(cut - 1e-9) for cut in CUTS] == [1, 2, 3, 4]


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.rater_id)
def test_the_seekers_words_do_not_count(judge: Judge) -> None:
    loud = "You should cheer up. I'm so sorry! What happened when I lost my own dog? At least so."
    quiet = chat(NEUTRAL, seeker="Well.")
    assert judge.rate(item(chat(NEUTRAL, seeker=loud)), NAMES) == judge.rate(item(quiet), NAMES)


def test_labels_in_any_case_blank_lines_and_lines_without_a_label() -> None:
    text = (
        "A title\n\nseeker: It hurt\nso much.\n\n**SUPPORTER:** You said\n\n it hurt.\nSeeker: Yes."
    )
    (turn,) = supporter_turns(text)
    assert (turn.text, turn.before) == ("you said it hurt.", "it hurt so much.")


def test_a_text_without_labels_is_the_supporters() -> None:
    text = "I'm sorry.\nNote: what happened?"
    assert [turn.text for turn in supporter_turns(text)] == ["i'm sorry. note: what happened?"]
    assert rated(text)["validating_emotions"] == 5
    assert supporter_turns("Seeker: nobody answered me") == []


def test_curly_apostrophes_are_apostrophes() -> None:
    assert marker_rates(chat("Why don’t you rest?")) == marker_rates(chat("Why don't you rest?"))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
@example("", "")
@example("<script>alert('x')</script>\nSupporter: <b>&amp;</b>", "😀\nSupporter: 😭😭?!")
@example("Supporter:", "Seeker:\nSupporter:\n\n")
def test_any_text_is_rated_1_to_5_and_swapping_sides_swaps_the_answer(one: str, two: str) -> None:
    for judge in JUDGES:
        left, right = item(one, "l"), item(f"Seeker: hm\nSupporter: {two}", "r")
        for each in (left, right):
            values = judge.rate(each, NAMES)
            assert list(values) == NAMES
            assert set(values.values()) <= {1.0, 2.0, 3.0, 4.0, 5.0}
        forward = judge.compare(left, right, rng=rng())
        backward = judge.compare(right, left, rng=rng())
        # An exact tie is a coin: with the same coin the same side, whoever stands there.
        tied = {judge.compare(left, right, rng=rng(seed)) for seed in range(40)} == {
            "left",
            "right",
        }
        assert (forward == backward) == tied


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.rater_id)
def test_a_tie_is_a_fair_coin_of_the_generator_given(judge: Judge) -> None:
    one, two = item(chat(NEUTRAL), "a"), item(chat(NEUTRAL), "b")
    coin = rng(7)
    lefts = sum(judge.compare(one, two, rng=coin) == "left" for _ in range(2_000))
    assert stats.binomtest(lefts, 2_000).pvalue > 0.001
    again = rng(7)
    assert lefts == sum(judge.compare(one, two, rng=again) == "left" for _ in range(2_000))


def test_a_decided_pair_uses_no_chance() -> None:
    class NoChance(np.random.Generator):
        def random(self, *args: object, **kwargs: object) -> float:  # type: ignore[override]
            raise AssertionError("a clear pair was left to chance")

    short, long = item(chat("At least so.")), item(chat("What was it like, and how are you now?"))
    for judge in JUDGES:
        assert judge.compare(short, long, rng=NoChance(np.random.PCG64(1))) == "right"


def test_compare_agrees_with_the_overall_of_the_ratings() -> None:
    replies = ["At least so.", NEUTRAL, "What was it like?", "I'm sorry. How are you?"]
    for one in replies:
        for two in replies:
            a, b = overall(Lexical(), chat(one)), overall(Lexical(), chat(two))
            if a != b:
                answer = Lexical().compare(item(chat(one)), item(chat(two)), rng=rng())
                assert answer == ("left" if a > b else "right")


def test_equal_ratings_are_told_apart_by_the_rates() -> None:
    once, twice = chat("I'm sorry."), chat("I'm sorry, so sorry.")
    assert rated(once) == rated(twice)
    assert {Lexical().compare(item(once), item(twice), rng=rng(n)) for n in range(20)} == {"right"}


def test_the_overall_of_length_never_falls_and_uses_the_whole_range() -> None:
    scores = [overall(Length(), chat("word " * n)) for n in range(0, 260)]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (-12, 12)
    assert {Length().rate(item(chat("word " * n)), NAMES)["advice_giving"] for n in (1, 250)} == {
        5.0,
        1.0,
    }


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.rater_id)
def test_an_unknown_dimension_is_refused_by_name(judge: Judge) -> None:
    with pytest.raises(RatifyError, match=r"got 'warmth' \(allowed: validating_emotions, "):
        judge.rate(item(NEUTRAL), ["warmth"])
    assert judge.rate(item(NEUTRAL), []) == {}


def test_the_factory_knows_the_names_that_the_lock_knows() -> None:
    for name in BASELINES:
        judge = baseline(name)
        assert (judge.rater_id, judge.rater_kind) == (name, "baseline")
    with pytest.raises(RatifyError, match=r"got 'gpt' \(allowed: length, lexical\)"):
        baseline("gpt")


def test_what_the_baselines_answer_is_what_their_version_says() -> None:
    """Answers that change need a new number in `study.judges.version`, or locks would lie."""
    texts = [
        chat("I'm so sorry. How did it happen?", "So it went nowhere. You should rest."),
        chat("At least it's over.", "When I lost my job I had a drink. Why don't you try that?"),
        chat(NEUTRAL, "Tell me more, I'd like to hear it.", "Anyone would be sad about that."),
        "It sounds like a long week. Don't worry, it'll be fine. " + "And so on. " * 25,
    ]
    answers = {
        name: [
            "".join(f"{v:.0f}" for v in baseline(name).rate(item(t), NAMES).values()) for t in texts
        ]
        for name in BASELINES
    }
    assert BASELINES == {"length": 1, "lexical": 1}
    assert answers == {
        "length": ["111555", "111555", "111555", "333333"],
        "lexical": ["334311", "111353", "341111", "315115"],
    }


def test_fifty_thousand_comparisons_do_not_read_the_texts_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = [item(chat(f"I'm sorry, number {n}. " + "word " * n)) for n in range(30)]
    read = []
    whole = module.supporter_turns
    monkeypatch.setattr(module, "supporter_turns", lambda text: read.append(text) or whole(text))
    coin = rng()
    for judge in JUDGES:
        for each in items:
            judge.compare(each, items[0], rng=coin)
        read.clear()
        start = time.process_time()
        for n in range(50_000):
            judge.compare(items[n % 30], items[(n * 7 + 1) % 30], rng=coin)
        assert time.process_time() - start < 1
        assert read == []


def experts() -> tuple[list[str], dict[str, list[float]]]:
    """Return the real conversations and the mean of three experts on each dimension."""
    if not REAL.is_dir():
        pytest.skip(
            "the real data (shared/data/lend_an_ear_reliability) are not beside this checkout"
        )
    tables = []
    for number in (1, 2, 3):
        with (REAL / f"expert{number}_ratings.csv").open(encoding="utf-8-sig", newline="") as file:
            tables.append({row["conversation_id"]: row for row in csv.DictReader(file)})
    path = REAL / "sample_lend_an_ear_conversations.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        texts = {row["conversation_id"]: row["full_conversation"] for row in csv.DictReader(file)}
    means = {d: [sum(float(table[key][d]) for table in tables) / 3 for key in texts] for d in NAMES}
    return list(texts.values()), means


def test_on_real_conversations_the_markers_go_with_the_experts() -> None:
    texts, means = experts()
    assert len(texts) == 50
    expert = [sum(DIMENSIONS[d] * means[d][n] for d in NAMES) for n in range(50)]
    markers = [overall(Lexical(), text) for text in texts]
    assert stats.spearmanr(markers, expert).statistic > 0.4
    for dimension in NAMES:
        mine = [rated(text)[dimension] for text in texts]
        assert stats.spearmanr(mine, means[dimension]).statistic > 0, dimension


def test_on_real_conversations_every_supporter_is_heard() -> None:
    texts, _ = experts()
    for text in texts:
        assert len(supporter_turns(text)) == sum(
            line.lower().startswith("supporter:") for line in text.splitlines()
        )
