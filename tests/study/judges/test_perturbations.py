"""If this failed, a judge's perturbed texts could not be trusted: not reversible, not readable."""

from __future__ import annotations

import difflib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prereg.errors import RatifyError
from prereg.plan.judging import MECHANICAL, REWRITTEN
from prereg.tables.items import read_items
from study.judges.baseline import supporter_turns
from study.judges.wanted.perturbations import LEET, LOOKALIKES, Perturbed, perturb, perturbed_texts
from study.web.turns import turns
from tests.support.paths import DEMO_ITEMS

TALK = "Seeker: I lost my job yesterday.\nSupporter: That sounds hard. How are you sleeping?"

names = st.sampled_from(MECHANICAL)
lines = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(["", "**", "  ", "> "]),
        st.sampled_from(["Seeker", "Supporter", "supporter ", "Therapist", "Note", "A. B-C"]),
        st.text(alphabet="abe tosi.!?é\u0301:/*", max_size=40),
    ),
)
texts = st.one_of(
    st.text(),
    st.builds(
        lambda parts, end: end.join(parts),
        st.lists(lines),
        st.sampled_from(["\n", "\r\n", "\r", "\u2028"]),
    ),
)


def rng(seed=1):
    return np.random.default_rng(seed)


def restore(perturbed: Perturbed) -> str:
    """Return the text as it was before `perturb`."""
    pieces: list[str] = []
    at = 0
    for edit in perturbed.edits:
        pieces += [perturbed.text[at : edit.start], edit.old]
        at = edit.start + len(edit.new)
    return "".join([*pieces, perturbed.text[at:]])


@pytest.mark.parametrize("name", MECHANICAL)
@settings(max_examples=60)
@given(text=texts, seed=st.integers(0, 2**32))
@example(text="", seed=0)
@example(text="\n\n", seed=0)
@example(text=" " * 200 + "Supporter:" + "I see. " * 9, seed=0)
@example(text="x" * 90 + ": that, and that", seed=0)
@example(text="ﬁﬁﬁﬁ İstanbul ßßßß ǅǅǅǅ", seed=0)
def test_every_perturbation_is_taken_back_exactly_and_keeps_lines_and_speakers(name, text, seed):
    found = perturb(name, text, rng=rng(seed))
    assert restore(found) == text
    assert len(found.text.splitlines()) == len(text.splitlines())
    assert found.text.count("\n") == text.count("\n")
    assert [t.speaker for t in turns(found.text)] == [t.speaker for t in turns(text)]
    assert len(supporter_turns(found.text)) == len(supporter_turns(text))
    for edit in found.edits:
        assert edit.old != edit.new
        assert found.text[edit.start : edit.start + len(edit.new)] == edit.new


@given(name=names, seed=st.integers(0, 2**32))
def test_a_seed_decides_everything_and_something_always_changes(name, seed):
    found = perturb(name, TALK, rng=rng(seed))
    assert found == perturb(name, TALK, rng=rng(seed))
    assert found.text != TALK
    assert found.edits


@pytest.mark.parametrize("name", MECHANICAL)
def test_the_demo_stays_readable(name):
    """Most letters stay, so that the text reads on; where letters turn, they look like before."""
    for row in read_items(DEMO_ITEMS).rows[:6]:
        found = perturb(name, row["text"], rng=rng())
        assert found.text != row["text"]
        shown = found.text
        if name in {"lookalikes", "leetspeak"}:  # as the eye reads them
            table = LOOKALIKES if name == "lookalikes" else LEET
            assert len(shown) == len(row["text"])
            assert all(a == b or table.get(a) == b for a, b in zip(row["text"], shown, strict=True))
        else:
            alike = difflib.SequenceMatcher(None, row["text"], shown, autojunk=False).ratio()
            assert alike > 0.9
            assert len(found.edits) < 0.5 * len(row["text"].split())


def test_the_kinds_are_what_they_are_called():
    long = "Supporter: " + "I hear what you are saying and it sounds painful! " * 40
    assert any(
        letter * 3 in perturb("repeated_letters", long, rng=rng()).text for letter in "aeiou"
    )
    assert "!!" in perturb("repeated_letters", long, rng=rng()).text
    assert any("\u0370" < c < "\u03ff" for c in perturb("lookalikes", long, rng=rng()).text)
    assert any(c.isdigit() for c in perturb("leetspeak", long, rng=rng()).text)
    wrong = {edit.new for edit in perturb("misspelling", long, rng=rng()).edits}
    assert any("painful".startswith(word) for word in wrong)  # cut off
    assert all(edit.old[0] == edit.new[0] for edit in perturb("misspelling", long, rng=rng()).edits)


def test_an_unknown_perturbation_is_refused():
    with pytest.raises(RatifyError, match="no such mechanical perturbation, got 'shortened'"):
        perturb("shortened", TALK, rng=rng())
    with pytest.raises(RatifyError, match="no such perturbation, got 'louder'"):
        perturbed_texts(["louder"], [], rng=rng())


def test_items_are_rewritten_each_for_itself():
    rows = [{"item_id": f"i{n}", "text": f"{TALK} {n}", "casual": f"hey, {n}"} for n in range(4)]
    wanted = [*MECHANICAL, "casual"]
    found = perturbed_texts(wanted, rows, rng=rng())
    assert [(one.item_id, one.perturbation) for one in found] == [
        (row["item_id"], name) for row in rows for name in wanted
    ]
    assert {one.text for one in found if one.perturbation == "casual"} == {
        row["casual"] for row in rows
    }
    # neither the company nor the order matters
    again = perturbed_texts(wanted[::-1], rows[::-1][:2], rng=rng())
    assert set(again) <= set(found)
    other = perturbed_texts(wanted, rows, rng=rng(2))
    assert [one.text for one in other] != [one.text for one in found]


@pytest.mark.parametrize(
    ("row", "name", "message"),
    [
        ({"text": TALK}, "elevated", "the items have no column 'elevated'"),
        ({"text": TALK, "elevated": " "}, "elevated", "item 'i1' has no rewritten text"),
        ({"text": TALK, "elevated": TALK}, "elevated", "does not change"),
        ({"text": "…"}, "leetspeak", "item 'i1' does not change under 'leetspeak'"),
    ],
)
def test_what_would_measure_nothing_is_refused(row, name, message):
    assert name in (*MECHANICAL, *REWRITTEN)
    with pytest.raises(RatifyError, match=message):
        perturbed_texts([name], [{"item_id": "i1", **row}], rng=rng())
