"""If this failed, `ratify rank` would print an advantage of the left side that nothing shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from analysis.ranking.from_table import rank_table
from analysis.ranking.table_side import require_bounded_side
from prereg.errors import RatifyError

COLUMNS = ["left_id", "right_id", "choice", "rater_id"]


def table(rows: Iterable[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def said(path: Path, rows: pd.DataFrame, **options: object) -> str:
    rows.to_csv(path / "votes.csv", index=False)
    found = rank_table(path / "votes.csv", side_advantage=True, **options)  # type: ignore[arg-type]
    return "\n".join(found.notes)


def votes(pairs: Iterable[tuple[int, int]], raters: int, seed: int = 1) -> pd.DataFrame:
    """Return every rater's answer to every pair, with an advantage of the left side of 0.3."""
    rng = np.random.default_rng(seed)
    shown = list(pairs)
    return table(
        (
            f"m{a}",
            f"m{b}",
            "left" if rng.random() < 1 / (1 + np.exp((a - b) / 4 - 0.3)) else "right",
            f"r{rater}",
        )
        for rater in range(raters)
        for a, b in shown
    )


def test_pairs_that_were_never_exchanged_are_counted_and_warned_of(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    once = [pair[:: rng.choice([1, -1])] for pair in combinations(range(10), 2)]
    notes = said(tmp_path, votes(once, 12))
    assert "caution: 0 of 45 pairs were shown both ways round" in notes
    assert "rests on transitivity alone" in notes
    notes = said(tmp_path, votes([*once, once[0][::-1]], 12))
    assert "log-odds; 1 of 45 pairs were shown both ways round" in notes
    assert "transitivity" not in notes
    # an id in another scenario is another item, so its pairs are others
    apart = votes(once, 12).assign(scenario=["a", "b"] * (12 * 45 // 2))
    assert "caution: 0 of 90 pairs" in said(tmp_path, apart)


TINY = [
    ([("a", "b", "left"), ("b", "a", "right"), ("a", "b", "left")], "set no limit"),
    (
        # only wins of the left side come back to where they began
        [
            *[("a", "b", "left"), ("b", "c", "left"), ("c", "a", "left")],
            *[("a", "b", "left"), ("b", "c", "right")],
        ],
        "set no limit",
    ),
    ([("a", "b", "left"), ("b", "a", "left")], "the left side won every judgment"),
    ([("a", "b", "right"), ("b", "a", "right")], "the right side won every judgment"),
]


@pytest.mark.parametrize(("rows", "refused"), TINY)
def test_an_advantage_that_only_the_ridge_makes_is_refused(
    tmp_path: Path, rows: list[tuple[str, ...]], refused: str
) -> None:
    whole = table((*row, f"r{n}") for n, row in enumerate(rows))
    with pytest.raises(RatifyError, match=refused) as caught:
        said(tmp_path, whole)
    assert "or no --side-advantage" in str(caught.value)
    assert "ridge above 0" not in str(caught.value)


def test_a_tie_that_is_dropped_bounds_nothing(tmp_path: Path) -> None:
    rows = table(
        (*pair, choice, rater)
        for choice, rater in (("left", "r1"), ("tie", "r2"), ("left", "r3"))
        for pair in ("ab", "ba")
    )
    assert "advantage of the left side" in said(tmp_path, rows)
    with pytest.raises(RatifyError, match="the left side won every judgment"):
        said(tmp_path, rows, ties="drop")


def test_an_advantage_without_a_spread_has_no_interval(tmp_path: Path) -> None:
    each = [("a", "b", "left"), ("a", "b", "right"), *[("b", "a", "left")] * 2, ("b", "a", "right")]
    alike = table((*row, f"r{rater}") for rater in range(4) for row in each)
    notes = said(tmp_path, alike)
    assert "0.347 log-odds, without an interval: all raters gave the same answers" in notes
    assert "caution: no standard errors, because all raters gave the same answers" in notes
    assert "too small" not in notes
    ranked = rank_table(tmp_path / "votes.csv").table
    assert ranked["low"].isna().all()
    assert set(ranked["note"]) == {"no standard error: all raters gave the same answers"}
    one = alike.assign(choice=["right", *alike["choice"][1:]])  # in one answer they now differ
    assert "log-odds; 1 of 1 pair" in said(tmp_path, one)
    two = votes(permutations(range(3), 2), 2)
    assert "log-odds, without an interval: raters are too few" in said(tmp_path, two)


def bounded(rows: pd.DataFrame) -> bool:
    """Return whether no direction of scores and advantage lets the latter grow, by programming."""
    items = sorted({*rows["left_id"], *rows["right_id"]})
    limits = []
    for left, right, choice, _ in rows.itertuples(index=False):
        sign = {"left": [1], "right": [-1], "tie": [1, -1]}[choice]
        line = np.zeros(len(items) + 1)
        line[items.index(left)], line[items.index(right)], line[-1] = 1, -1, 1
        limits += [one * line for one in sign]
    aim = np.append(np.zeros(len(items)), 1.0)
    box = [(-100.0, 100.0)] * len(items) + [(-1.0, 1.0)]
    found = [
        linprog(d * aim, A_ub=-np.array(limits), b_ub=np.zeros(len(limits)), bounds=box)
        for d in (1, -1)
    ]
    return all(abs(one.fun) < 1e-9 for one in found)


def test_the_limit_of_an_advantage_is_what_linear_programming_finds() -> None:
    rng = np.random.default_rng(7)
    met = set()
    for _ in range(400):
        n, items = int(rng.integers(3, 14)), int(rng.integers(2, 6))
        pairs = [rng.permutation(items)[:2] for _ in range(n)]
        choices = rng.choice(["left", "right", "tie"], n, p=[0.48, 0.48, 0.04])
        rows = table((f"m{a}", f"m{b}", c, "r") for (a, b), c in zip(pairs, choices, strict=True))
        expected = bounded(rows)
        met.add(expected)
        if expected:
            require_bounded_side(rows, by=None)
        else:
            with pytest.raises(RatifyError, match="set no limit"):
                require_bounded_side(rows, by=None)
    assert met == {True, False}


def test_judgments_that_do_not_differ_give_the_side_no_interval(tmp_path: Path) -> None:
    shown = list(combinations(range(4), 2))
    rows = [(f"m{a}", f"m{b}", "tie", f"r{n}") for n in range(6) for a, b in shown[n % 2 :]]
    notes = said(tmp_path, table(rows), ties="half")
    assert "[0.000, 0.000]" not in notes
    assert "log-odds, without an interval: " in notes


def test_a_side_that_won_everything_is_named_without_the_option_too(tmp_path: Path) -> None:
    rows = table((f"m{a}", f"m{b}", "left", f"r{n}") for n in range(4) for a, b in _BOTH)
    rows.to_csv(tmp_path / "votes.csv", index=False)
    assert "caution: the left side won every judgment" in "\n".join(
        rank_table(tmp_path / "votes.csv").notes
    )
    rows.loc[0, "choice"] = "right"
    rows.to_csv(tmp_path / "votes.csv", index=False)
    assert "won every judgment" not in "\n".join(rank_table(tmp_path / "votes.csv").notes)


_BOTH = [*combinations(range(3), 2), *((b, a) for a, b in combinations(range(3), 2))]
