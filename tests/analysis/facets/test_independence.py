"""If this failed, judges that repeat each other's errors would count as independent ones."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.facets import independence_words as words
from analysis.facets.independence import _errors, _left_out, frame_of, pairs_frame, shared_errors
from prereg.errors import RatifyError

NAMES = ("gpt", "claude", "gemini")


def study(rng, *, items=60, judges=3, people=3, shared=0.5, error=0.7, own=0.6):
    """Return judges who share a part of their errors, and people who do not."""
    truth = rng.normal(0, 1, (items, 1))
    common, apart = rng.normal(0, 1, (items, 1)), rng.normal(0, 1, (items, judges))
    judged = truth + error * (math.sqrt(shared) * common + math.sqrt(1 - shared) * apart)
    severe = rng.normal(0, 0.3, (1, people))
    return judged + 0.4, truth + severe + rng.normal(0, own, (items, people))


JUDGED, PEOPLE = study(np.random.default_rng(4))


def one(judged=JUDGED, people=PEOPLE, names=NAMES):
    """Return what is found on a single dimension."""
    (found,) = shared_errors({"warmth": judged}, {"warmth": people}, judges=names)
    return found


def test_the_covariance_is_the_mean_over_pairs_of_different_people():
    pairs = list(itertools.permutations(range(3), 2))
    expected = np.zeros((3, 3))
    for j, k in itertools.product(range(3), repeat=2):
        expected[j, k] = np.mean(
            [
                np.cov(JUDGED[:, j] - PEOPLE[:, h], JUDGED[:, k] - PEOPLE[:, g])[0, 1]
                for h, g in pairs
            ]
        )
    found = one()
    assert np.allclose(found.covariance, expected)
    assert found.effective[0] == pytest.approx(3 * np.trace(expected) / expected.sum())
    rho = (expected.sum() - np.trace(expected)) / 6 / (np.trace(expected) / 3)
    assert found.correlation[0] == pytest.approx(rho)
    assert found.effective[0] == pytest.approx(3 / (1 + 2 * rho))
    spread = np.mean([np.cov(PEOPLE.T)[h, h] - np.cov(PEOPLE.T)[h, g] for h, g in pairs])
    assert found.panel[0] == pytest.approx(spread / (expected.sum() / 9))
    assert found.single[0] == pytest.approx(spread / (np.trace(expected) / 3))
    assert found.error == pytest.approx(math.sqrt(np.trace(expected) / 3))


def test_each_item_is_left_out_in_turn():
    errors = _errors(JUDGED, PEOPLE)
    assert errors is not None
    found = _left_out(errors.judges, errors.entered)
    for at in (0, 17, 59):
        rest = _errors(np.delete(JUDGED, at, axis=0), np.delete(PEOPLE, at, axis=0))
        assert rest is not None
        assert np.allclose(found[at + 1], _left_out(rest.judges, rest.entered)[0])


@pytest.mark.parametrize(("shared", "judges"), [(0.0, 4), (0.5, 3), (0.8, 5)])
def test_a_known_number_comes_out(shared, judges):
    rng = np.random.default_rng(9)
    found = one(
        *study(rng, items=20_000, judges=judges, shared=shared), [f"j{n}" for n in range(judges)]
    )
    expected = judges / (1 + (judges - 1) * shared)
    assert found.correlation[0] == pytest.approx(shared, abs=0.03)
    assert found.effective[0] == pytest.approx(expected, rel=0.04)
    assert found.panel[0] == pytest.approx(0.36 * expected / 0.49, rel=0.05)


def test_errors_of_people_are_not_counted_as_shared_by_judges():
    """With two noisy people, errors against their mean correlate although judges share none."""
    judged, people = study(np.random.default_rng(2), items=5000, people=2, shared=0.0, own=1.2)
    naive = np.corrcoef((judged - people.mean(axis=1, keepdims=True)).T)
    assert naive[0, 1] > 0.5
    assert abs(one(judged, people).correlation[0]) < 0.1


def test_copies_of_one_judge_are_one_judge():
    found = one(np.repeat(JUDGED[:, :1], 3, axis=1))
    assert found.effective[0] == pytest.approx(1)
    assert found.correlation[0] == pytest.approx(1)
    assert found.panel[0] == pytest.approx(found.single[0])


def test_bias_severity_and_order_do_not_matter():
    found = one()
    other = one(
        JUDGED[::-1, [2, 0, 1]] * 2 + [1, 5, -3],
        PEOPLE[::-1, ::-1] * 2 + [0, 4, 1],
        (NAMES[2], NAMES[0], NAMES[1]),
    )
    assert other.effective == pytest.approx(found.effective)
    assert other.panel == pytest.approx(found.panel)
    assert other.pairs["gemini", "gpt"] == pytest.approx(found.pairs["gpt", "gemini"])


def test_all_dimensions_together_are_their_mean_covariance():
    second = study(np.random.default_rng(6), shared=0.1)
    every, *parts = shared_errors(
        {"a": JUDGED, "b": second[0]}, {"a": PEOPLE, "b": second[1]}, judges=NAMES
    )
    assert [row.dimension for row in (every, *parts)] == ["all", "a", "b"]
    mean = (parts[0].covariance + parts[1].covariance) / 2
    assert every.effective[0] == pytest.approx(3 * np.trace(mean) / mean.sum())
    assert parts[0].effective[0] < every.effective[0] < parts[1].effective[0]
    assert len(frame_of([every, *parts])) == 3
    assert len(pairs_frame([every, *parts])) == 9


def test_people_who_rated_some_items_each_are_enough():
    rng = np.random.default_rng(12)
    judged, people = study(rng, items=8000, people=6, shared=0.5)
    people = people - people.mean(axis=0)  # without severity, which would stay in single errors
    people[rng.random(people.shape) < 0.5] = np.nan
    assert one(judged, people).effective[0] == pytest.approx(1.5, rel=0.06)
    assert one(judged, people).panel[0] == pytest.approx(0.36 * 1.5 / 0.49, rel=0.08)


def test_what_cannot_be_said_is_refused_or_left_out():
    with pytest.raises(RatifyError, match="only one judge"):
        one(JUDGED[:, :1], names=("gpt",))
    with pytest.raises(RatifyError, match="no item was rated by two people"):
        one(people=PEOPLE[:, :1])
    assert shared_errors({"a": JUDGED[:9]}, {"a": PEOPLE[:9]}, judges=NAMES) == []


def test_sentences_name_the_judges_and_the_numbers():
    found = words.in_groups(
        {"warmth": JUDGED}, {"warmth": PEOPLE}, judges=NAMES, groups={"": NAMES[:2], "trio": NAMES}
    )
    first, second = words.sentences(found)
    assert first.startswith("gpt and claude amount to ")
    assert second.startswith("The 3 judges of trio (gpt, claude and gemini) amount to 1.")
    assert "their mean is as precise as the mean of" in second
    names = [table.name for table in words.tables(found, prefix="x_")]
    assert names == ["x_independent_judges", "x_shared_errors"]
    alone = words.in_groups(
        {"warmth": JUDGED}, {"warmth": PEOPLE[:, :1]}, judges=NAMES, groups={"trio": NAMES}
    )
    assert "no item was rated by two people" in words.limits(alone)[0]


def test_judges_whose_errors_cancel_are_no_more_judges_than_there_are():
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 1, (60, 1))
    errors = rng.normal(0, 0.7, (60, 3))
    errors -= 0.8 * errors.mean(axis=1, keepdims=True)  # what one errs up, the others err down
    people = truth + rng.normal(0, 0.4, (60, 3))
    dimensions = {"warmth": truth + errors, "candour": truth + errors[::-1]}
    found = words.in_groups(
        dimensions, dict.fromkeys(dimensions, people), judges=NAMES, groups={"trio": NAMES}
    )
    whole = found.found["trio"][0]
    assert whole.effective[0] > 3
    (said,) = words.sentences(found)
    assert "show no sign of shared errors: their errors against people correlate at −" in said
    assert "count as 3 independent judges" in said
    assert "amount to" not in said
    assert words.note_of(whole).startswith("More than the 3 there are")


def test_dimensions_are_named_with_their_number_of_judges():
    other = study(np.random.default_rng(9), shared=0.05)
    found = words.in_groups(
        {"warmth": JUDGED, "candour": other[0]},
        {"warmth": PEOPLE, "candour": other[1]},
        judges=NAMES,
        groups={"trio": NAMES},
    )
    (said,) = words.sentences(found)
    known = {one.dimension: one.effective[0] for one in found.found["trio"]}
    assert known["warmth"] < known["candour"] < 3
    assert f"By dimension it is {known['warmth']:.2f} (warmth) to" in said


def test_a_group_that_is_too_large_is_named(monkeypatch):
    monkeypatch.setattr(words, "MOST_CELLS", 100)
    found = words.in_groups(
        {"warmth": JUDGED}, {"warmth": PEOPLE}, judges=NAMES, groups={"trio": NAMES}
    )
    assert not found.found
    assert "too many judges" in words.limits(found)[0]


def test_judges_of_a_panel_are_one_group_once():
    of = {"trio": NAMES}
    assert words.groups_of([*NAMES, "trio"], of) == {"trio": NAMES}
    assert words.groups_of([*NAMES, "length", "trio"], of) == {
        "": (*NAMES, "length"),
        "trio": NAMES,
    }
    assert words.groups_of(["gpt"], {}) == {}


def found_with(correlation, effective):
    """Return a group of three judges with these numbers."""
    (whole,) = shared_errors({"warmth": JUDGED}, {"warmth": PEOPLE}, judges=NAMES)
    known = replace(whole, correlation=correlation, effective=effective)
    return words.Groups(found={"trio": [known]})


def test_fewer_judges_are_possible_only_where_the_correlation_may_be_above_zero():
    (said,) = words.sentences(found_with((-0.2437, -0.4389, -0.0002), (5.9, 2.09, 16.0)))
    assert "correlate at −0.24 [−0.44, 0.00], so that they count as 3" in said
    assert "as few as" not in said
    (said,) = words.sentences(found_with((-0.1, -0.4, 0.2), (4.2, 2.09, 16.0)))
    assert "though as few as 2.09 are not excluded" in said


def test_captions_say_that_a_correlation_may_lie_beyond_one():
    for table in words.tables(found_with((1.02, 0.9, 1.1), (0.99, 0.9, 1.1))):
        assert "beyond -1 or 1" in table.caption
        assert "Fisher" in table.caption


def test_dimensions_of_one_number_are_no_range():
    whole, *_ = found_with((0.9, 0.8, 0.95), (1.1, 1.0, 1.2)).found["trio"]
    parts = [replace(whole, dimension=name) for name in ("warmth", "candour")]
    (said,) = words.sentences(words.Groups(found={"trio": [whole, *parts]}))
    assert "By dimension it is 1.10 on each of them." in said


def test_a_dimension_on_which_a_judge_gives_one_answer_is_left_out_and_named():
    flat = JUDGED.copy()
    flat[:, 1] = 3
    judged = {"warmth": flat, "candour": JUDGED}
    people = dict.fromkeys(judged, PEOPLE)
    found = words.in_groups(judged, people, judges=NAMES, groups={"trio": NAMES})
    (only,) = found.found["trio"]
    assert (only.dimension, only.judges) == ("candour", NAMES)
    assert found.why_lacking("trio", "warmth") == "claude gives every item one answer."
    (said,) = words.limits(found)
    assert said == (
        "claude gives every item one answer on warmth, so it has no errors of its own there: "
        "among the independent judges of trio warmth is left out."
    )


def test_a_judge_of_one_answer_to_everything_is_no_independent_judge():
    flat = JUDGED.copy()
    flat[:, 1] = 3
    found = words.in_groups(
        {"warmth": flat}, {"warmth": PEOPLE}, judges=NAMES, groups={"": NAMES, "pair": NAMES[:2]}
    )
    assert found.found[""][0].judges == ("gpt", "gemini")
    assert words.limits(found) == [
        "How many independent judges pair amount to is not known: claude gives every item one "
        "answer, so only gpt is left.",
        "claude gives every item one answer on warmth, so it has no errors of its own there: "
        "among the independent judges it is left out.",
    ]
