"""What regressions with a mean and with ordered categories report alike."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.registered.finding import drawn, stamp
from analysis.regression.effects import with_families
from analysis.regression.figures import plot_effects
from analysis.results.numbers import number, p_value
from analysis.results.quantities import Quantity, ResultFigure
from analysis.results.words import counted, undecided
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression

_UNIT_OF_N = {TRIALS: "judgments", RATINGS: "ratings", JUDGE_RATINGS: "ratings"}
# At most this many effects are in the sentence; the others are in the table.
_MOST_TOLD = 4


def formula_of(analysis: Regression, outcome: str) -> str:
    """Return the formula of one outcome, whose name need not be one of Python's."""
    plain = outcome.isidentifier() and not keyword.iskeyword(outcome)
    return f"{outcome if plain else f'Q({outcome!r})'} ~ {analysis.predictors}"


def in_own_families(
    analysis: Regression, table: pd.DataFrame, outcomes: Iterable[str]
) -> pd.DataFrame:
    """Return the effects of every outcome, corrected within families that are not shared."""
    families = {outcome: analysis.family_of(outcome) for outcome in outcomes}
    if analysis.family.over != "shared":
        return with_families(table, families, correction=analysis.family.correction)
    return table.assign(
        family=table["outcome"].map(families), correction=SHOWN[analysis.family.correction]
    )


def quantity_of(
    analysis: Regression, evidence: Evidence, row: Mapping[Any, Any], *, unit: str
) -> Quantity:
    """Return one row of the table of effects as a reported number."""
    shared = analysis.family.over == "shared"
    about = ""
    if not shared and analysis.family.correction != "none":
        about = (
            f"p {p_text(row['p'])} uncorrected; {row['correction']} over "
            f"{counted(row['tests'], 'test')} ({row['family']})."
        )
    if not math.isnan(row["sd"]):
        about += f" In sd units {number(row['estimate_sd'], 3)}; "
        about += f"sd {number(row['sd'], 3)} of {row['sd_of']}."
    return Quantity(
        name=analysis.quantity_name(row["outcome"], row["effect"]),
        label=f"{row['outcome']}: {row['effect']}",
        estimate=row["estimate_raw"],
        low=row["low_raw"],
        high=row["high_raw"],
        level=analysis.level,
        se=row["se_raw"],
        p_value=row["p"] if shared else row["p_adjusted"],
        n=int(row["n"]),
        unit_of_n=_UNIT_OF_N.get(analysis.data, f"rows of {analysis.data}"),
        clusters=None if pd.isna(row["clusters"]) else int(row["clusters"]),
        method=row["method"],
        unit=unit,
        note=" ".join(part.strip() for part in (row["note"], about) if part),
        **stamp(analysis, evidence),
    )


def p_text(value: float) -> str:
    """Return a p value, or that it is unknown."""
    return "unknown" if math.isnan(value) else p_value(value)


def sentence_of(analysis: Regression, table: pd.DataFrame, told: Mapping[Any, str]) -> str:
    """Return the finding in a sentence.

    Parameters
    ----------
    analysis : Regression
    table : DataFrame
        The effects.
    told : mapping of row of the table to str
        Each effect in words; the first few are told.
    """
    said = []
    for at, row in table.head(_MOST_TOLD).iterrows():
        name = f"{row['outcome'].replace('_', ' ')}, {row['effect']}: "
        none = " (the interval includes no difference)"
        said.append(name + told[at] + none * undecided(row["low_raw"], row["high_raw"]))
    more = len(table) - len(said)
    rest = f" {more} more {'is' if more == 1 else 'are'} in the table." if more else ""
    return f"In the registered regression {analysis.id}, {'; '.join(said)}.{rest}"


def families_of(table: pd.DataFrame) -> str:
    """Return the families of the tests, and over how many tests each is."""
    sizes = dict(zip(table["family"], table["tests"], strict=True))
    return "; ".join(
        f"{name} ({counted(size, 'test')})" if size else f"{name} (with other analyses)"
        for name, size in sizes.items()
    )


def of_outcomes(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one table of all outcomes; the first column names the outcome."""
    return pd.concat(parts, names=["outcome"]).reset_index("outcome").reset_index(drop=True)


def figure_of(
    analysis: Regression, evidence: Evidence, table: pd.DataFrame, *, unit: str, ties: str = ""
) -> ResultFigure:
    """Return the effects as a figure, in standard deviations if the plan asks for them."""
    in_sd = analysis.sd is not None
    column = "estimate_sd" if in_sd else "estimate_raw"
    said = "; ".join(
        f"{row['outcome']}, {row['effect']}: {number(row[column], 2)}"
        for row in table.to_dict("records")
    )
    return drawn(
        evidence,
        plot_effects(
            table, unit="sd" if in_sd else "raw", x_label=None if in_sd else f"Effect ({unit})"
        ),
        name=f"{analysis.id}_effects",
        caption=f"Estimates with {analysis.level:.0%} intervals, "
        f"{'in standard deviations of each outcome' if in_sd else unit}. The line marks no effect; "
        "hollow marks have intervals that include it, or none. Intervals are not corrected for the "
        f"number of tests.{ties}",
        title="Effects" + " in standard deviations" * in_sd,
        alt=f"Effects with intervals. {said}.",
    )
