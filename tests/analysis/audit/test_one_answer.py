"""If this failed, a judge of one answer would read as passing, and what is unknown as low."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.agreement.summary import CutAt
from analysis.audit.audit import audit
from analysis.audit.label_audit import audit_labels
from analysis.results.quantities import Results
from analysis.results.verdict import AGREES, REPLACES, SHORT, TOO_FEW
from prereg.errors import RatifyError

ITEMS = 60


def write(folder: Path, dimension: str = "warm", **answers: Sequence[Any]) -> dict[str, str]:
    """Write a file of each annotator's answers; an empty answer is None."""
    paths = {}
    for name, values in answers.items():
        frame = pd.DataFrame({"item_id": [f"i{n:02}" for n in range(len(values))]})
        frame[dimension] = pd.Series(list(values), dtype=object)
        frame.to_csv(folder / f"{name}.csv", index=False)
        paths[name] = str(folder / f"{name}.csv")
    return paths


def rated(folder: Path, judges: Sequence[str], **answers: Sequence[Any]) -> Results:
    paths = write(folder, **answers)
    return audit(
        [path for name, path in paths.items() if name not in judges],
        [paths[name] for name in judges],
        id_column="item_id",
        scale=(1, 5),
        dimensions=["warm"],
    )


def labelled(folder: Path, judges: Sequence[str], **answers: Sequence[Any]) -> Results:
    paths = write(folder, **answers)
    return audit_labels(
        [path for name, path in paths.items() if name not in judges],
        [paths[name] for name in judges],
        id_column="item_id",
        values=["pass,fail"],
        dimensions=["warm"],
    )


def skewed(seed: int = 1, usual: float = 0.9) -> dict[str, list[int]]:
    """Return ratings of three people who mostly say 3, and agree on most of the other items."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(ITEMS) < usual, 3, rng.integers(1, 6, ITEMS))
    off = [rng.choice([-1, 1], ITEMS) * (rng.random(ITEMS) < 0.1) for _ in range(3)]
    return {name: np.clip(truth + one, 1, 5).tolist() for name, one in zip("abc", off, strict=True)}


def test_a_constant_judge_passes_the_test_and_is_not_said_to_agree(tmp_path: Path) -> None:
    found = rated(tmp_path, ["gpt"], **skewed(), gpt=[3] * ITEMS)
    [row] = next(t for t in found.tables if t.name == "alternative_annotator").frame.to_dict(
        "records"
    )
    assert row["passes"], "the case is one that the test alone lets through"
    [cell] = found.verdict.cells
    assert cell.word == SHORT
    assert cell.why.startswith("always says 3\npeople's own kappa 0.")
    assert "agrees with people" not in found.verdict.sentences[0]
    assert "always says 3 on warm, so it tells no item from another" in found.verdict.sentences[0]
    said = " ".join(found.headline)
    assert "it always says 3 on warm, so passing means nothing there" in said
    assert "Passing means nothing on warm (3)" in said
    [note] = [one for one in found.verdict.notes if "always says" in one.says]
    assert note.severity == "critical"
    assert "(to 60 items)" in note.says


def test_a_pass_that_one_answer_for_all_has_too_is_not_counted(tmp_path: Path) -> None:
    """The same rule as for labels, for a judge that is not quite constant."""
    almost = [3] * (ITEMS - 1) + [4]
    found = rated(tmp_path, ["gpt"], **skewed(), gpt=almost)
    [cell] = found.verdict.cells
    assert cell.word not in (AGREES, REPLACES)
    assert "3 for every item would pass the test too" in cell.why
    assert any("so would a judge that gives every item 3" in n.says for n in found.verdict.notes)


def test_labels_and_ratings_say_the_same_of_a_constant_judge(tmp_path: Path) -> None:
    words = np.array(["pass", "fail"])
    rng = np.random.default_rng(2)
    truth = (rng.random(ITEMS) < 0.15).astype(int)
    people = {
        name: words[np.where(rng.random(ITEMS) < 0.03, 1 - truth, truth)].tolist() for name in "abc"
    }
    found = labelled(tmp_path, ["gpt"], **people, gpt=["pass"] * ITEMS)
    [cell] = found.verdict.cells
    assert cell.why.startswith("always says 'pass'\n")
    assert cell.word not in (AGREES, REPLACES)
    assert "always says 'pass' on warm, so it tells no item" in found.verdict.sentences[0]
    assert any("always says 'pass' (to 60 items)" in n.says for n in found.verdict.notes)


@pytest.mark.parametrize("kind", ["ratings", "labels"])
def test_people_who_all_say_the_same_are_not_said_to_agree_little(
    tmp_path: Path, kind: str
) -> None:
    one, judge = (
        ([3] * ITEMS, [3] * (ITEMS - 2) + [2, 2])
        if kind == "ratings"
        else (["pass"] * ITEMS, ["pass"] * (ITEMS - 2) + ["fail"] * 2)
    )
    run = rated if kind == "ratings" else labelled
    found = run(tmp_path, ["gpt"], a=one, b=one, c=one, gpt=judge)
    said = json.dumps([*found.headline, found.to_json()])
    assert "agree little" not in said
    assert "people's alpha is not defined on warm" in said
    [cell] = found.verdict.cells
    assert cell.word == TOO_FEW
    kappa = next(q for q in found.quantities if q.name == "humans:kappa:warm")
    assert kappa.estimate is None
    assert "Not defined" in kappa.note
    assert any(
        note.says.startswith("People gave every item the same") and "on warm, so alpha" in note.says
        for note in found.verdict.notes
    )


@pytest.mark.parametrize("kind", ["ratings", "labels"])
def test_a_few_shared_items_are_too_few_to_tell(tmp_path: Path, kind: str) -> None:
    """Two people share 8 of 12 items: that they do not agree is not known."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 14)
    first, second = truth.copy(), truth.copy()
    second[3:7] = 1 - second[3:7]
    if kind == "ratings":
        own = [[int(2 + 2 * x) for x in one] for one in (first, second, truth)]
    else:
        own = [[("pass", "fail")[x] for x in one] for one in (first, second, truth)]
    a: list[Any] = [*own[0][:11], None, None, None]
    b: list[Any] = [None, None, None, *own[1][3:]]
    run = rated if kind == "ratings" else labelled
    found = run(tmp_path, ["gpt"], a=a, b=b, gpt=own[2])
    [cell] = found.verdict.cells
    assert cell.word == TOO_FEW
    assert cell.why == "people share only 8 items: 10 are needed to tell"
    assert "people share 8 items, and 10 are needed" in found.verdict.sentences[0]
    assert not any("beyond chance" in note.says for note in found.verdict.notes)
    assert any("share only 8 items on warm" in note.says for note in found.verdict.notes)


def test_equal_labels_everywhere_have_an_interval_with_a_width(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    truth = np.array(["pass", "fail"])[rng.integers(0, 2, 40)].tolist()
    other = ["fail" if value == "pass" else "pass" for value in truth[:5]] + truth[5:]
    found = labelled(tmp_path, ["gpt"], a=truth, b=truth, gpt=other)
    by_name = {q.name: q for q in found.quantities}
    for name in ("humans:exact:warm", "humans:exact:all"):
        one = by_name[name]
        assert one.low is not None
        assert one.low == pytest.approx(0.912, abs=0.001)
        assert one.high == 1
        assert "Wilson" in one.method
    assert "100.0% [91.2%, 100.0%] of cases" in " ".join(found.headline)
    for q in found.quantities:
        assert q.low is None or q.low < q.high, q.name
        assert (q.low is None) == bool(q.note), q.name


def test_the_alpha_of_people_is_one_number_in_headline_and_finding(tmp_path: Path) -> None:
    """Pairs of people who share different items have a mean alpha that is not that of all."""
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 6, ITEMS)
    people: dict[str, list[Any]] = {}
    for number in range(6):
        seen = np.clip(truth + np.round(rng.normal(0, 2, ITEMS)), 1, 5).astype(int)
        gone = rng.random(ITEMS) < 0.5
        people[f"p{number}"] = [None if g else int(v) for g, v in zip(gone, seen, strict=True)]
    found = rated(tmp_path, ["gpt"], **people, gpt=truth.tolist())
    [said] = [text for text in found.headline if text.startswith("People themselves")]
    [note] = [one.says for one in found.verdict.notes if "agree little" in one.says]
    crowd = next(t for t in found.tables if t.name == "crowd").frame
    row = crowd[(crowd["annotator"] == "humans") & (crowd["dimension"] == "warm")].iloc[0]
    shown = f"{row['alpha_ordinal']:.2f} [{row['alpha_ordinal_low']:.2f}, "
    shown = shown.replace("-", "−")
    assert "Krippendorff's ordinal alpha of all people" in said
    assert "Krippendorff's ordinal alpha of all people" in note
    assert f"warm ({shown}" in said
    assert f"warm ({shown}" in note


def test_a_judge_that_cannot_be_tested_is_named_among_those_that_can(tmp_path: Path) -> None:
    people = skewed(6, usual=0.2)
    few: list[Any] = [*people["a"][:9], *[None] * (ITEMS - 9)]
    few[0] = 6 - few[0]
    answers = [min(5, value + (n % 7 == 0)) for n, value in enumerate(people["b"])]
    found = rated(tmp_path, ["gpt", "panel"], **people, gpt=answers, panel=few)
    said = " ".join(found.headline)
    assert "panel could not be tested, because no person rated enough items in common" in said


def test_a_cut_outside_the_ratings_is_said_with_their_range(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    people = {name: rng.integers(1, 4, ITEMS).tolist() for name in "ab"}
    paths = write(tmp_path, **people, gpt=rng.integers(1, 4, ITEMS).tolist())
    found = audit(
        [paths["a"], paths["b"]],
        [paths["gpt"]],
        id_column="item_id",
        scale=(1, 7),
        cuts=[CutAt(5), CutAt(2)],
    )
    [said] = [text for text in found.headline if "one side of the cut" in text]
    assert "cut ≥ 5: none is beyond it on warm (they run from 1 to 3)" in said


def test_no_pass_counts_in_a_cell_that_means_nothing_in_the_headline(tmp_path: Path) -> None:
    """On six dimensions a constant passes by the lenient correction alone."""
    rng = np.random.default_rng(1)
    names, frames = [f"d{n}" for n in range(6)], {}
    truth = np.where(rng.random((ITEMS, 6)) < 0.6, 3, rng.integers(1, 6, (ITEMS, 6)))
    for who in ("a", "b", "c", "gpt"):
        off = rng.choice([-1, 1], truth.shape) * (rng.random(truth.shape) < 0.2)
        frames[who] = pd.DataFrame(np.clip(truth + off, 1, 5), columns=names)
        frames[who].insert(0, "item_id", [f"i{n:02}" for n in range(ITEMS)])
        frames[who].to_csv(tmp_path / f"{who}.csv", index=False)
    paths = {who: str(tmp_path / f"{who}.csv") for who in frames}
    found = audit(
        [paths["a"], paths["b"], paths["c"]], [paths["gpt"]], id_column="item_id", scale=(1, 5)
    )
    idle = [text for text in found.headline if text.startswith("Passing means nothing on")]
    counted = [cell.dimension for cell in found.verdict.cells if cell.word == REPLACES]
    assert idle
    assert not any(f"{name} (" in idle[0] for name in counted)


def two_dimensions(folder: Path, **answers: dict[str, Sequence[int]]) -> list[str]:
    """Write files of ratings of `warm` and `help`; return their paths."""
    paths = []
    for name, values in answers.items():
        frame = pd.DataFrame({"item_id": [f"i{n:02}" for n in range(ITEMS)]} | values)
        frame.to_csv(folder / f"{name}.csv", index=False)
        paths.append(str(folder / f"{name}.csv"))
    return paths


def related(seed: int = 2) -> list[dict[str, list[int]]]:
    """Return three people whose ratings of two dimensions go together, as the items do."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, ITEMS)

    def seen() -> list[int]:
        return np.clip(truth + rng.integers(-1, 2, ITEMS), 1, 5).tolist()

    return [{"warm": seen(), "help": seen()} for _ in range(3)]


def test_a_judge_of_one_answer_has_no_halo_and_is_no_independent_judge(tmp_path: Path) -> None:
    first, second, third = related()
    varied = {"warm": third["warm"][::-1], "help": third["help"]}
    flat = {"warm": [3] * ITEMS, "help": [3] * ITEMS}
    paths = two_dimensions(tmp_path, a=first, b=second, c=third, same=flat, varies=varied)
    found = audit(paths[:3], paths[3:], id_column="item_id", scale=(1, 5))
    assert not [one for one in found.verdict.notes if "Halo" in one.says and one.about == "same"]
    frames = {one.name: one for one in found.tables}
    shown = set(frames["halo"].frame["annotator"])
    assert "varies" in shown
    assert "same" not in shown
    reason = "No halo is given for same on warm and help: a judge that gives every item one answer"
    assert reason in frames["halo"].caption
    assert any(reason in one for one in found.limits)
    assert "independent_judges" not in frames
    assert (
        "How many independent judges these judges amount to is not known: same gives every item "
        "one answer, so only varies is left." in found.limits
    )


def test_the_one_pair_of_dimensions_is_not_said_to_have_a_most(tmp_path: Path) -> None:
    first, second, third = related()
    rng = np.random.default_rng(3)
    off = rng.integers(-2, 3, ITEMS)
    judge = {name: np.clip(np.array(of) + off, 1, 5).tolist() for name, of in first.items()}
    paths = two_dimensions(tmp_path, a=first, b=second, c=third, judge=judge)
    found = audit(paths[:3], paths[3:], id_column="item_id", scale=(1, 5))
    (said,) = [one.says for one in found.verdict.notes if one.says.startswith("Halo")]
    assert said.startswith(
        "Halo: on warm and help, judge's errors go together more than a person's (correlation"
    )


def test_a_cut_at_an_end_of_the_scale_is_refused_with_the_cuts_that_are_allowed(
    tmp_path: Path,
) -> None:
    paths = list(write(tmp_path, **skewed()).values())
    for cut, sign in ((CutAt(1), "≥ 1"), (CutAt(5, "at_most"), "≤ 5")):
        with pytest.raises(RatifyError) as caught:
            audit(paths[:2], paths[2:], id_column="item_id", scale=(1, 5), cuts=[cut])
        assert f"every rating is on one side of the cut {sign}" in str(caught.value)
        assert ">= a number above 1 and not above 5, or <= a number not below 1 and below 5" in (
            str(caught.value)
        )


def test_a_constant_judges_warning_does_not_deny_the_coefficients_beside_it(tmp_path: Path) -> None:
    found = rated(tmp_path, ["gpt"], **skewed(), gpt=[3] * ITEMS)
    said = [one for one in found.limits if one.startswith("gpt gave every item the same rating")]
    assert said == [
        "gpt gave every item the same rating of warm (3), so its kappa with people is 0 by "
        "construction there."
    ]
