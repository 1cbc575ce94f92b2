"""A registered regression of ordinal outcomes: odds ratios, thresholds and what they assume."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN, adjust
from analysis.registered.finding import Finding, result_tables
from analysis.registered.regression_parts import (
    families_of,
    figure_of,
    formula_of,
    in_own_families,
    of_outcomes,
    quantity_of,
    sentence_of,
)
from analysis.regression.effects import COLUMNS
from analysis.regression.notes import note_of
from analysis.regression.ordinal import clustered_ordinal
from analysis.regression.ordinal_checks import category_predictions, proportional_odds
from analysis.regression.ordinal_result import OrdinalRegression
from analysis.results.factors import factor_of_odds
from analysis.results.quantities import ResultTable
from analysis.results.words import listed
from prereg.analyses.regression import Regression

UNIT = "log-odds of a higher category"

Fits = Mapping[str, OrdinalRegression]
Rows = Mapping[str, pd.DataFrame]


def ordinal_finding(analysis: Regression, evidence: Evidence, rows: Rows) -> Finding:
    """Run a registered cumulative logit of one or several outcomes.

    Parameters
    ----------
    analysis : prereg.analyses.regression.Regression
        Of `model: ordinal`.
    evidence : Evidence
    rows : mapping of outcome to DataFrame

    Returns
    -------
    Finding
        A quantity for every term and contrast of every outcome in log-odds; the effects, all
        coefficients, the thresholds, the test of proportional odds with the separate logits and,
        where the plan asks, each category's average prediction, as tables; the effects as a figure.

    Raises
    ------
    RatifyError
        As `clustered_ordinal`.
    """
    fits = {outcome: _fit(analysis, outcome, data) for outcome, data in rows.items()}
    table = _effects(analysis, fits)
    checks = {outcome: proportional_odds(fit) for outcome, fit in fits.items()}
    tests = _with_correction({outcome: found[0] for outcome, found in checks.items()})
    return Finding(
        sentence=_sentence(analysis, table, tests),
        quantities=[
            quantity_of(analysis, evidence, row, unit="log-odds")
            for row in table.to_dict("records")
        ],
        tables=_tables(analysis, evidence, fits, rows, table, tests, checks),
        figures=[figure_of(analysis, evidence, table, unit=UNIT)],
    )


def _fit(analysis: Regression, outcome: str, data: pd.DataFrame) -> OrdinalRegression:
    assert analysis.cluster is not None  # the plan refuses an ordinal model without one
    return clustered_ordinal(
        data,
        formula_of(analysis, outcome),
        cluster=analysis.cluster,
        categories=analysis.levels or _scale(data, outcome),
        distribution=analysis.distribution,
        few_clusters=analysis.few_clusters.below,
    )


def _scale(data: pd.DataFrame, outcome: str) -> list[float] | None:
    """Return the whole numbers of a rating scale, if all ratings are whole; otherwise None."""
    if "scale_min" not in data or "scale_max" not in data:
        return None
    values = pd.to_numeric(data[outcome], errors="coerce").dropna().to_numpy(dtype=float)
    low, high = float(data["scale_min"].min()), float(data["scale_max"].max())
    if not (values == np.round(values)).all() or low != round(low):
        return None
    return [float(value) for value in np.arange(low, high + 1)]


def _effects(analysis: Regression, fits: Fits) -> pd.DataFrame:
    """Return the effects of every outcome, corrected within families that are not shared."""
    rows = []
    for outcome, fit in fits.items():
        for name, text in analysis.effects.items():
            found = fit.contrast(text, level=analysis.level)
            rows.append(
                {
                    **dict.fromkeys(COLUMNS, math.nan),
                    "outcome": outcome,
                    "effect": name,
                    "contrast": text,
                    "estimate_raw": found.estimate,
                    "low_raw": found.low,
                    "high_raw": found.high,
                    "se_raw": found.se,
                    "statistic": found.statistic,
                    "p": found.p_value,
                    "tests": 0,
                    "n": fit.n,
                    "clusters": fit.n_clusters,
                    "method": found.method,
                    "note": note_of(fit, allowed_for=found.clusters < fit.few_clusters),
                }
            )
    return in_own_families(analysis, pd.DataFrame(rows, columns=COLUMNS), fits)


def _with_correction(tests: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tests of proportional odds of all outcomes, with Holm's correction over all."""
    table = of_outcomes(tests)
    return table.assign(p_adjusted=adjust(table["p"].to_numpy(dtype=float), "holm"))


def _sentence(analysis: Regression, table: pd.DataFrame, tests: pd.DataFrame) -> str:
    told = {
        at: "the odds of a higher rating are multiplied by "
        + factor_of_odds(row["estimate_raw"], row["low_raw"], row["high_raw"])
        for at, row in table.iterrows()
    }
    unequal = tests[tests["p_adjusted"] <= 1 - analysis.level]
    said = ""
    if len(unequal):
        names = [f"{row['outcome']}, {row['term']}" for row in unequal.to_dict("records")]
        said = (
            f" That one factor holds at every threshold does not fit the data for {listed(names)}: "
            "read the separate logits instead."
        )
    return sentence_of(analysis, table, told) + said


def _tables(
    analysis: Regression,
    evidence: Evidence,
    fits: Fits,
    rows: Rows,
    table: pd.DataFrame,
    tests: pd.DataFrame,
    checks: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
) -> list[ResultTable]:
    method = "; ".join(dict.fromkeys(fit.method for fit in fits.values()))
    how = "; ".join(dict.fromkeys(table["method"]))
    in_sd = ["estimate_sd", "low_sd", "high_sd", "sd", "sd_of"]
    shared = ["p_adjusted", "tests"] if analysis.family.over == "shared" else []
    frames = {
        outcome: fit.to_frame(analysis.level).assign(n=fit.n, clusters=fit.n_clusters)
        for outcome, fit in fits.items()
    }
    shown = [
        (
            "effects",
            f"Effects of {analysis.predictors}",
            f"_raw: {UNIT}. {analysis.level:.0%} intervals; {how}. Correction: "
            f"{SHOWN[analysis.family.correction]}, family: "
            f"{families_of(table)}.",
            table.drop(columns=[*in_sd, *shared]),
        ),
        (
            "coefficients",
            f"All coefficients of {analysis.predictors}",
            f"{method}; {UNIT}, not corrected. Only the terms and contrasts in the table of "
            "effects were registered as questions.",
            of_outcomes(frames),
        ),
        (
            "thresholds",
            "Thresholds between neighbouring categories",
            "Log-odds of the lower categories where every term is 0; rows below and above each. "
            f"{method}.",
            of_outcomes({outcome: fit.thresholds_frame() for outcome, fit in fits.items()}),
        ),
        (
            "proportional_odds",
            "Does one odds ratio hold at every threshold?",
            "Wald test (Brant) that the separate logits have equal coefficients, from their "
            "clustered scores; F; p_adjusted: Holm over all rows. A small p says no.",
            tests,
        ),
        (
            "separate_logits",
            "A separate logit at each threshold",
            "Log-odds of this category or a higher one against the lower ones, errors clustered by "
            f"{analysis.cluster}.",
            of_outcomes({outcome: found[1] for outcome, found in checks.items()}),
        ),
    ]
    if analysis.predictions:
        parts = {
            outcome: category_predictions(
                fit, rows[outcome], analysis.predictions, level=analysis.level
            )
            for outcome, fit in fits.items()
        }
        caption = (
            "Mean probability of each category over the observed rows, other columns unchanged; "
            f"delta method. {method}."
        )
        shown.append(("predictions", "Average predictions", caption, of_outcomes(parts)))
    unasked = ["coefficients", "thresholds", "proportional_odds", "separate_logits"]
    return result_tables(analysis, evidence, shown, level=analysis.level, exploratory=unasked)
