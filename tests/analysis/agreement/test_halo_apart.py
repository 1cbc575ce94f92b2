"""If this failed, a judge's halo would be missing, or wrong, where nobody rates both dimensions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.agreement.halo import Halo, halo
from analysis.agreement.panel import panel
from analysis.causal.clustered import from_influence
from analysis.causal.rooms.halo import error_correlation
from analysis.causal.rooms.sampled import Sampled
from analysis.registered.agreement import run_agreement
from tests.analysis.registered.test_agreement import evidence, plan

ITEMS, RATERS = 120, 3


def rated(spill: float = 0.8, *, seed: int = 0, both: bool = False) -> pd.DataFrame:
    """Return ratings of two dimensions by different people, and by a judge whose errors share.

    Parameters
    ----------
    spill : float
        The standard deviation of the error that the judge makes on both dimensions of an item.
    both : bool
        Whether people rate both dimensions of their items.
    """
    rng = np.random.default_rng(seed)
    shared = spill * rng.normal(size=ITEMS)
    rows = []
    for dimension in ("depth", "warmth"):
        truth = rng.normal(4, 1.2, ITEMS)
        said = {"m": truth + shared + rng.normal(0, 0.5, ITEMS)}
        for at in range(RATERS):
            name = f"p{at}" if both else f"{dimension[0]}{at}"
            said[name] = truth + rng.normal(0, 0.8, ITEMS)
        for rater, values in said.items():
            for item, value in enumerate(np.clip(np.round(values), 1, 7)):
                # some items have one rating or none of a dimension
                if rater == "m" or rng.random() < 0.8:
                    rows.append((f"i{item:03}", rater, dimension, value))
    table = pd.DataFrame(rows, columns=["item_id", "rater_id", "dimension", "value"])
    table["rater_kind"] = np.where(table["rater_id"] == "m", "llm", "human")
    return table


def of_judge(table: pd.DataFrame) -> Halo:
    return halo(panel(table, scale=(1, 7)))


def by_the_gate(table: pd.DataFrame) -> tuple[float, float, float]:
    """Return the correlation, with its interval, that the gate finds if every unit counts once."""
    errors = []
    for dimension in ("depth", "warmth"):
        wide = table[table["dimension"] == dimension].pivot(
            index="item_id", columns="rater_id", values="value"
        )
        people = wide.drop(columns="m")
        enough = people.notna().sum(axis=1) >= 2
        errors.append((wide["m"] - people.mean(axis=1))[enough])
    first, second = (one.to_numpy() for one in errors[0].align(errors[1], join="inner"))
    codes, none = np.arange(len(first)), np.zeros(len(first), int)
    sample = Sampled(codes, np.ones(len(first)), none, codes, none)
    quantity = error_correlation(first, second, sample)
    return tuple(quantity.interval(codes, 0.95, from_influence))


def test_it_is_the_correlation_of_the_gate() -> None:
    table = rated()
    found = of_judge(table)
    [row] = found.of("m")
    value, low, high = by_the_gate(table)
    assert row.correlation.value == pytest.approx(value, abs=1e-12)
    assert row.correlation.interval == pytest.approx((low, high), abs=0.02)
    assert 60 < row.correlation.n < ITEMS
    # people's own halo is 0 by design, so nothing is taken off
    assert row.difference.value == row.correlation.value
    assert [one.annotator for one in found.rows] == ["m"]
    assert found.apart == [("depth", "warmth")]


def test_a_shared_error_shows_and_none_does_not() -> None:
    [shared], [alone] = (of_judge(rated(spill)).of("m") for spill in (0.8, 0.0))
    assert shared.correlation.interval[0] > 0.2
    assert alone.correlation.interval[0] < 0 < alone.correlation.interval[1]


def test_people_who_rate_both_dimensions_are_compared_as_before() -> None:
    found = of_judge(rated(both=True))
    assert not found.apart
    assert {"a single person", "p0", "m"} <= {row.annotator for row in found.rows}
    [judge] = found.of("m")
    assert judge.difference.value < judge.correlation.value + 0.2
    assert judge.difference.value != judge.correlation.value
    # one rating of the other dimension is enough
    table = rated()
    first = table[table["rater_id"] == "d0"].iloc[:1]
    assert not of_judge(pd.concat([table, first.assign(dimension="warmth")])).apart


def test_few_items_with_two_ratings_of_each_give_no_correlation() -> None:
    table = rated()
    one_each = table[table["rater_id"].isin(["m", "d0", "w0"])]
    [row] = of_judge(one_each).of("m")
    assert np.isnan(row.correlation.value)


def test_the_registered_analysis_shows_it_and_finds_it_large() -> None:
    table = rated()
    given = evidence(table)
    for rows in (given.ratings, given.judge_ratings):
        rows["scale_max"] = "7"
    found = run_agreement(plan(judges=("m",)), given)
    [shown] = [one for one in found.tables if one.name == "agree_halo"]
    [line] = shown.frame.to_dict("records")
    value, *_ = by_the_gate(table)
    assert (line["annotator"], line["difference"]) == ("m", line["correlation"])
    assert line["correlation"] == pytest.approx(value, abs=1e-12)
    assert "Nobody rated both depth and warmth of an item" in shown.caption
    assert any(note.says.startswith("Halo: ") for note in found.verdict.notes)


def test_a_small_correlation_is_no_finding() -> None:
    table = rated(0.0)
    given = evidence(table)
    for rows in (given.ratings, given.judge_ratings):
        rows["scale_max"] = "7"
    found = run_agreement(plan(judges=("m",)), given)
    assert not any(note.says.startswith("Halo: ") for note in found.verdict.notes)
