"""A table of effects on several outcomes: raw, in standard deviations, and with corrected p values.

A table headed "SD units" but with raw points has been published. Here the two have separate
columns, and a third column has the standard deviation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.inference.crossed_errors import Estimate
from analysis.inference.families import SHOWN, FamilyTest, correct_families
from analysis.regression.contrasts import contrast_weights
from analysis.regression.effective_clusters import by_effective_clusters
from analysis.regression.notes import note_of
from analysis.regression.result import FEW_CLUSTERS, Regression
from analysis.regression.wild_bootstrap import Weights, wild_cluster_bootstrap
from analysis.results.words import counted
from prereg.errors import RatifyError

COLUMNS = [
    "outcome",
    "effect",
    "contrast",
    "estimate_raw",
    "low_raw",
    "high_raw",
    "estimate_sd",
    "low_sd",
    "high_sd",
    "sd",
    "sd_of",
    "se_raw",
    "statistic",
    "p",
    "p_adjusted",
    "correction",
    "family",
    "tests",
    "n",
    "clusters",
    "method",
    "note",
]


def outcome_sd(
    regression: Regression,
    data: pd.DataFrame,
    *,
    of: Literal["whole", "baseline", "control"] = "whole",
    column: str | None = None,
    value: str | None = None,
) -> tuple[float, str]:
    """Return the standard deviation of a regression's outcome, and in words of which rows.

    Parameters
    ----------
    regression : Regression
    data : DataFrame
        The table it was fitted on.
    of : {'whole', 'baseline', 'control'}
        Over all rows that were fitted, or over those with `value` in `column`.
    column, value : str, optional
        Compared as numbers if the column has numbers, otherwise as text.

    Returns
    -------
    sd : float
        With n - 1.
    whose : str

    Raises
    ------
    RatifyError
        On an unknown column, and if the outcome is the same in all of the rows.
    """
    name = re.sub(r"^Q\((['\"])(.*)\1\)$", r"\2", regression.formula.partition("~")[0].strip())
    outcome = pd.Series(np.asarray(regression.result.model.endog, dtype=float))
    whose = f"{name}, all {counted(regression.n, 'row')}"
    if of != "whole":
        if column is None or value is None:
            raise RatifyError(f"it is not clear which rows are {of}", allowed="column and value")
        if column not in data.columns:
            raise RatifyError(
                f"there is no column '{column}'", allowed=", ".join(map(str, data.columns))
            )
        chosen = _is_value(data[column], value)[regression.kept]
        outcome = outcome[chosen]
        whose = f"{name} at {of} ({column} = {value}), {counted(len(outcome), 'row')}"
    spread = float(outcome.std(ddof=1)) if len(outcome) > 1 else 0.0
    if not spread > 0:
        raise RatifyError(
            "the outcome has no standard deviation in these rows",
            column=column or name,
            value=value or of,
            allowed="two rows or more that differ in the outcome",
        )
    return spread, whose


def _is_value(cells: pd.Series[Any], value: str) -> np.ndarray:
    """Return where a cell is the value; 1 and 1.0 are the same number."""
    same = cells.astype(str).eq(value).to_numpy(dtype=bool)
    try:
        number = float(value)
    except ValueError:
        return np.asarray(same)
    as_number = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(same | (as_number == number))


def effects_table(
    fits: Mapping[str, Regression],
    contrasts: Mapping[str, str],
    *,
    rng: np.random.Generator,
    sd: Mapping[str, tuple[float, str]] | None = None,
    few_clusters: int = FEW_CLUSTERS,
    wild: bool = True,
    resamples: int = 9999,
    weights: Weights = "auto",
    level: float = 0.95,
) -> pd.DataFrame:
    """Return every contrast of every outcome, raw and in standard deviations.

    Parameters
    ----------
    fits : mapping of outcome to Regression
    contrasts : mapping of name to text
        As in `contrasts.wald_contrast`; the same for every outcome.
    rng : Generator
        For the bootstrap.
    sd : mapping of outcome to (sd, whose), optional
        From `outcome_sd`. It is assumed to be known: an interval in sd is the raw one divided by
        it. Without it these columns are missing.
    few_clusters : int
        With fewer effective clusters of an effect, its error is bias-reduced (CR2), with
        Satterthwaite's degrees of freedom: `effective_clusters.by_effective_clusters`.
    wild : bool
        Whether p value and interval come from the wild cluster bootstrap instead where there are
        fewer clusters in all.
    resamples : int
    weights : {'auto', 'rademacher', 'webb'}
    level : float

    Returns
    -------
    DataFrame
        One row per outcome and contrast: `COLUMNS`. `se_raw` and `statistic` are the sandwich's
        where the interval is the bootstrap's. `with_families` fills `p_adjusted` and the
        columns about the family.
    """
    rows = []
    for outcome, fit in fits.items():
        for name, text in contrasts.items():
            found, method, note = _tested(
                fit,
                text,
                rng=rng,
                below=few_clusters,
                wild=wild,
                resamples=resamples,
                weights=weights,
                level=level,
            )
            unit, whose = (sd or {}).get(outcome, (math.nan, ""))
            rows.append(
                {
                    "outcome": outcome,
                    "effect": name,
                    "contrast": text,
                    "estimate_raw": found.estimate,
                    "low_raw": found.low,
                    "high_raw": found.high,
                    "estimate_sd": found.estimate / unit,
                    "low_sd": found.low / unit,
                    "high_sd": found.high / unit,
                    "sd": unit,
                    "sd_of": whose,
                    "se_raw": found.se,
                    "statistic": found.estimate / found.se if found.se > 0 else math.nan,
                    "p": found.p_value,
                    "p_adjusted": math.nan,
                    "correction": "",
                    "family": "",
                    "tests": 0,
                    "n": fit.n,
                    "clusters": fit.n_clusters,
                    "method": method,
                    "note": note,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _tested(
    fit: Regression,
    text: str,
    *,
    rng: np.random.Generator,
    below: int,
    wild: bool,
    resamples: int,
    weights: Weights,
    level: float,
) -> tuple[Estimate, str, str]:
    """Return an effect with its interval and test, the method in words, and what to say of it."""
    at = contrast_weights(fit, text)
    if not (wild and fit.groups is not None and _few(fit, below)):
        by = by_effective_clusters(fit, at, below=below, level=level)
        return by.found, by.method, note_of(fit, by.note, allowed_for=by.few)
    drawn = wild_cluster_bootstrap(
        fit, text, rng=rng, resamples=resamples, weights=weights, level=level
    )
    found = replace(
        fit.combination(at, level=level), low=drawn.low, high=drawn.high, p_value=drawn.p_value
    )
    return found, drawn.method, note_of(fit, drawn.note, allowed_for=True, plain_error=True)


def _few(fit: Regression, below: int) -> bool:
    return fit.n_clusters is not None and fit.n_clusters < below


def with_families(
    table: pd.DataFrame, families: Mapping[str, str], *, correction: str
) -> pd.DataFrame:
    """Return the effects with p values corrected within their families.

    Parameters
    ----------
    table : DataFrame
        From `effects_table`.
    families : mapping of outcome to family
        Outcomes with the same family are corrected together.
    correction : str
        As in `families.adjust`.
    """
    tests = [
        FamilyTest(
            family=families[row["outcome"]],
            correction=correction,
            analysis=row["outcome"],
            name=row["effect"],
            p_value=row["p"],
        )
        for row in table.to_dict("records")
    ]
    found = {family.name: family for family in correct_families(tests)}
    adjusted = [found[t.family].adjusted_of(t.analysis, t.name) for t in tests]
    return table.assign(
        p_adjusted=adjusted,
        correction=SHOWN[correction],
        family=[t.family for t in tests],
        tests=[len(found[t.family].members) for t in tests],
    )
