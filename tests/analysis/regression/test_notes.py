"""If these fail, a note warns of what was allowed for, or its sentences run together."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.regression.effects import effects_table
from analysis.regression.figures import plot_effects
from analysis.regression.fit import clustered_ols
from analysis.regression.notes import note_of
from analysis.results.words import counted, sentences, undecided

NAN = math.nan


def few() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    x = np.repeat(np.arange(20) % 2, 6).astype(float)
    return pd.DataFrame(
        {"y": rng.normal(size=120) + 0.2 * x, "x": x, "rater_id": np.repeat(np.arange(20), 6)}
    )


def note(**settings: object) -> str:
    data = few()
    data.loc[0, "y"] = np.nan
    fit = clustered_ols(data, "y ~ x", cluster="rater_id")
    rng = np.random.default_rng(1)
    table = effects_table({"y": fit}, {"x": "x"}, rng=rng, wild=False, **settings)  # type: ignore[arg-type]
    return str(table["note"].iloc[0])


def test_bias_reduced_errors_are_not_called_too_small() -> None:
    said = note()
    assert "bias-reduced (CR2)" in said
    assert "too narrow" not in said


def test_plain_errors_of_few_clusters_are_called_too_small() -> None:
    assert "errors are too small and intervals too narrow." in note(few_clusters=0)


def test_the_parts_of_a_note_are_sentences() -> None:
    assert note(few_clusters=0).startswith(
        "1 row left out because a column of the formula has no value there. "
        "Only 20 clusters (rater_id):"
    )
    assert sentences(["one", "", "Two.", "3 more "]) == "One. Two. 3 more."


def test_an_error_of_the_sandwich_beside_a_bootstrap_is_named() -> None:
    fit = SimpleNamespace(warnings=("only 8 clusters (r): too narrow",), n_clusters=8, n_dropped=0)
    said = note_of(fit, allowed_for=True, plain_error=True)
    assert said.startswith("Only 8 clusters: the standard error is the sandwich's")
    assert note_of(fit, allowed_for=True) == ""


def test_few_clusters_of_a_cumulative_logit_are_a_whole_sentence() -> None:
    fit = SimpleNamespace(warnings=("only 20 clusters",), n_clusters=20, n_dropped=0)
    said = "Only 20 clusters: errors are too small and intervals too narrow."
    assert note_of(fit, allowed_for=False) == said
    assert note_of(fit, allowed_for=True) == ""


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, NAN, False),
        (NAN, -0.1, False),
        (0.1, math.inf, False),
        (-0.1, NAN, True),
        (NAN, 0.1, True),
        (-0.1, 0.1, True),
        (NAN, NAN, False),
        (None, None, False),
    ],
)
def test_an_open_interval_includes_no_difference_only_where_its_end_allows(
    low: float | None, high: float | None, expected: bool
) -> None:
    assert undecided(low, high) is expected


def test_an_open_interval_beyond_zero_is_a_solid_mark() -> None:
    ends = [(0.1, NAN), (NAN, -0.1), (-0.1, NAN), (NAN, NAN)]
    table = pd.DataFrame(
        [
            {"outcome": "y", "effect": f"e{n}", "estimate_raw": 0.5, "low_raw": a, "high_raw": b}
            for n, (a, b) in enumerate(ends)
        ]
    )
    lines = plot_effects(table, unit="raw").lines
    solid = [len(line.get_xdata()) for line in lines if line.get_gid() == "clear"]
    hollow = [len(line.get_xdata()) for line in lines if line.get_gid() == "unclear"]
    assert (solid, hollow) == ([1, 1, 0, 0], [0, 0, 1, 1])


def test_a_count_has_thousands_and_its_noun() -> None:
    assert (counted(1, "row"), counted(1200, "row")) == ("1 row", "1,200 rows")
