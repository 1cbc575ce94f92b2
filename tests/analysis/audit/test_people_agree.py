"""If this failed, a verdict would compare with people who do not agree, or say so of too few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.audit.audit import audit
from analysis.audit.findings import judge_notes
from analysis.audit.label_audit import audit_labels
from analysis.audit.parts import Part
from analysis.audit.people_agree import lacks_yardstick, shares_too_few, shows_too_little
from analysis.results.quantities import Results
from analysis.results.verdict import NO_YARDSTICK, REPLACES, SHORT, TOO_FEW, Cell
from prereg.plan.reporting import Large

CROWD = 40
ITEMS = 60
WORDS = np.array(["pass", "fail"])


def table(folder: Path, name: str, answers: pd.DataFrame) -> str:
    """Write a file of answers, by item."""
    answers.to_csv(folder / f"{name}.csv", index_label="item_id")
    return str(folder / f"{name}.csv")


def items(values: object, names: Sequence[str] = ("warm",)) -> pd.DataFrame:
    frame = pd.DataFrame(np.asarray(values).reshape(-1, len(names)), columns=list(names))
    return frame.set_axis([f"i{n:03}" for n in range(len(frame))])


def crowded(folder: Path, people: Sequence[pd.DataFrame], seed: int = 1) -> str:
    """Write answers as one file of a crowd, so that no two people share many items."""
    rng = np.random.default_rng(seed)
    who = [rng.choice(CROWD, len(people), replace=False) for _ in people[0].index]
    rows = [
        one.assign(rater_id=[f"p{chosen[k]}" for chosen in who]) for k, one in enumerate(people)
    ]
    return table(folder, "crowd", pd.concat(rows))


def ratings(people: Sequence[str], judge: str) -> Results:
    return audit(people, [judge], id_column="item_id", scale=(1, 5))


def labels(people: Sequence[str], judge: str) -> Results:
    return audit_labels(people, [judge], id_column="item_id")


@pytest.mark.parametrize(
    ("people", "disagree", "unclear"),
    [
        ((0.7, -0.2, 0.9), False, True),  # high, of too few items
        ((0.04, -0.09, 0.23), True, False),  # low, and useful agreement is excluded
        ((-0.6, -0.9, -0.1), True, False),
        ((-0.1, -0.7, 0.6), False, True),  # useful agreement is not excluded
        ((0.3, 0.1, 0.45), False, False),  # low, and above chance
        ((0.9, 0.8, 1.0), False, False),
        ((0.2, np.nan, np.nan), False, True),  # without an interval nothing is shown
        ((np.nan, np.nan, np.nan), False, False),
    ],
)
def test_a_wide_interval_does_not_show_that_people_disagree(
    people: tuple[float, float, float], disagree: bool, unclear: bool
) -> None:
    part = SimpleNamespace(people=people, shared=12, n=12, short=False)
    assert (lacks_yardstick(part), shows_too_little(part)) == (disagree, unclear)
    few = SimpleNamespace(people=people, shared=9, n=12, short=False)
    assert not lacks_yardstick(few)
    assert not shows_too_little(few)
    assert shares_too_few(few) == np.isfinite(people[0])


@pytest.mark.parametrize("people", [(0.04, -0.09, 0.23), (0.7, 0.5, 0.9)])
def test_nobody_is_said_to_agree_less_than_people_who_do_not_agree(
    people: tuple[float, float, float],
) -> None:
    nothing = (np.nan, np.nan, np.nan)
    part = Part(
        judge="gpt",
        dimension="warm",
        n=40,
        coefficient="kappa",
        people=people,
        shared=40,
        difference=(-0.3, -0.5, -0.1),
        short=True,
        bias=nothing,
        rank=nothing,
        tested=None,
    )
    cell = Cell(judge="gpt", dimension="warm", word=TOO_FEW)
    said = [note.says for note in judge_notes("gpt", [part], [cell], (1, 5), Large())]
    assert any("agrees less with people" in one for one in said) == (people[1] > 0)


@pytest.mark.parametrize("kind", ["ratings", "labels"])
def test_people_who_agree_on_a_few_items_are_not_said_to_disagree(
    tmp_path: Path, kind: str
) -> None:
    """Two people share 12 items and differ on two of them."""
    first = np.array([2, 4, 2, 2, 4, 2, 2, 2, 4, 2, 2, 2])
    second = first.copy()
    second[[1, 2]] = 6 - second[[1, 2]]
    third = np.append(first[:-1], 4)
    answers = [
        items(one if kind == "ratings" else WORDS[one // 4]) for one in (first, second, third)
    ]
    paths = [table(tmp_path, name, one) for name, one in zip("ab", answers[:2], strict=True)]
    judge = table(tmp_path, "gpt", answers[2])
    found = (ratings if kind == "ratings" else labels)(paths, judge)
    [cell] = found.verdict.cells
    assert cell.word == TOO_FEW
    assert cell.why.startswith("12 shared items do not show whether people agree: kappa 0.")
    assert found.verdict.sentences[0] == (
        "gpt: there are not enough data for a verdict here: 12 shared items do not show whether "
        "people agree."
    )
    about = [note for note in found.verdict.notes if note.about == "people"]
    assert [note.severity for note in about if "do not show" in note.says] == ["warning"]
    assert not any("do not agree" in note.says for note in about)


def test_a_crowd_that_does_not_agree_is_no_yardstick(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    people = [items(rng.integers(1, 6, ITEMS)) for _ in range(3)]
    mean = sum(people) / 3
    judge = table(tmp_path, "gpt", mean.round().astype(int))
    found = ratings([crowded(tmp_path, people)], judge)
    [cell] = found.verdict.cells
    row = found.tables[[one.name for one in found.tables].index("crowd")].frame.iloc[1]
    assert cell.word == NO_YARDSTICK
    assert f"people's own alpha {abs(row['alpha_ordinal']):.2f} [" in cell.why.replace("−", "")
    assert "agrees with people" not in found.verdict.sentences[0]
    [note] = [one for one in found.verdict.notes if "beyond chance" in one.says]
    assert note.severity == "critical"


def test_a_crowd_that_agrees_is_a_yardstick(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 6, ITEMS)
    people = [items(np.clip(truth + rng.choice([-1, 0, 1], ITEMS), 1, 5)) for _ in range(3)]
    judge = table(tmp_path, "gpt", items(rng.permutation(truth)))
    [cell] = ratings([crowded(tmp_path, people)], judge).verdict.cells
    assert cell.word == SHORT


# --- a judge that falls short of people, and passes the alternative-annotator test

SKEWED = {  # of 40 items: those which somebody rated higher than 1
    "a": {0: 4, 4: 4, 20: 4, 28: 4, 31: 4, 34: 2},
    "b": {0: 4, 4: 3, 20: 4, 28: 4, 31: 4, 37: 2},
    "c": {0: 4, 4: 4, 7: 2, 20: 4, 28: 4, 31: 4},
    "gpt": {0: 4, 1: 3, 4: 4, 14: 2, 18: 2, 20: 4, 28: 4, 31: 4, 37: 3},
}


def test_a_judge_that_falls_short_of_people_cannot_stand_in_for_them(tmp_path: Path) -> None:
    paths = {}
    for name, more in SKEWED.items():
        values = np.ones(40, dtype=int)
        values[list(more)] = list(more.values())
        paths[name] = table(tmp_path, name, items(values))
    found = ratings([paths[name] for name in "abc"], paths["gpt"])
    said = " ".join(found.headline)
    assert "It falls short of people on warm" in said
    assert "gpt passes" in said, "the case is one that the test alone lets through"
    [cell] = found.verdict.cells
    assert cell.word == SHORT
    assert cell.why.endswith("from people's own; passes the alternative-annotator test")
    assert found.verdict.sentences[0] == (
        "gpt cannot stand in for a person here; it falls short of people on warm."
    )


def test_a_judge_of_labels_that_falls_short_cannot_stand_in_either(tmp_path: Path) -> None:
    """People differ on two of 60 labels, the judge on six."""
    truth = np.arange(ITEMS) % 5 < 2
    paths = {}
    for name, wrong in {"a": [3], "b": [8], "c": [], "gpt": [0, 13, 21, 34, 42, 56]}.items():
        given = truth.copy()
        given[wrong] = ~given[wrong]
        paths[name] = table(tmp_path, name, items(WORDS[given.astype(int)]))
    found = labels([paths[name] for name in "abc"], paths["gpt"])
    assert "gpt passes" in " ".join(found.headline)
    [cell] = found.verdict.cells
    assert cell.word == SHORT
    assert "can stand in" not in found.verdict.sentences[0]


# --- several dimensions


@pytest.mark.parametrize("kind", ["experts", "crowd"])
def test_labels_fall_short_on_a_dimension_only_after_holm(tmp_path: Path, kind: str) -> None:
    """One of five dimensions has an interval below zero, which five of them make likely."""
    rng = np.random.default_rng({"experts": 2, "crowd": 7}[kind])
    names = [f"d{n}" for n in range(5)]
    truth = rng.integers(0, 2, (ITEMS, 5))

    def given(right: float) -> pd.DataFrame:
        return items(WORDS[np.where(rng.random(truth.shape) < right, truth, 1 - truth)], names)

    people = [given(0.85) for _ in range(3)]
    judge = table(tmp_path, "gpt", given(0.78))
    paths = [table(tmp_path, name, one) for name, one in zip("abc", people, strict=True)]
    crowd = [crowded(tmp_path, people, seed=7)] if kind == "crowd" else []
    found = labels(crowd or paths, judge)
    what = "gpt:alpha_difference:" if crowd else "gpt:difference:"
    below = [
        one.name
        for one in found.quantities
        if one.name.startswith(f"{what}d") and one.high is not None and one.high < 0
    ]
    assert len(below) == 1, "the case is one that is clear before the correction alone"
    assert SHORT not in [cell.word for cell in found.verdict.cells]
    said = " ".join([*found.headline, *(note.says for note in found.verdict.notes)])
    assert "falls short" not in said
    assert "agrees less with people than people with each other" not in said
    assert any("dimension are read after Holm's correction" in limit for limit in found.limits)


def test_a_pass_that_means_nothing_in_the_headline_is_so_in_every_cell(tmp_path: Path) -> None:
    """On six dimensions the judge passes two by the lenient correction alone."""
    rng = np.random.default_rng(11)
    names = [f"d{n}" for n in range(6)]
    truth = np.where(rng.random((ITEMS, 6)) < 0.6, 3, rng.integers(1, 6, (ITEMS, 6)))
    paths = []
    for name in ("a", "b", "c", "gpt"):
        off = rng.choice([-1, 1], truth.shape) * (rng.random(truth.shape) < 0.2)
        paths.append(table(tmp_path, name, items(np.clip(truth + off, 1, 5), names)))
    found = ratings(paths[:3], paths[3])
    tests = next(one for one in found.tables if one.name == "alternative_annotator").frame
    lenient = tests[tests["passes"].eq(True) & ~tests["passes_all"].eq(True)]["dimension"]
    idle = next(text for text in found.headline if text.startswith("Passing means nothing on"))
    named = [name for name in names if f"{name} (" in idle]
    assert set(named) & set(lenient), "the case is one that the stricter correction misses"
    cells = {cell.dimension: cell for cell in found.verdict.cells}
    for name in named:
        assert cells[name].word != REPLACES
        assert "for every item would pass the test too" in cells[name].why, name
