"""A registered regression: effects, families of tests, predictions and a figure from study rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN, Family, FamilyTest
from analysis.registered import published_errors
from analysis.registered.finding import Finding, result_tables
from analysis.registered.ordinal import ordinal_finding
from analysis.registered.regression_parts import (
    families_of,
    figure_of,
    formula_of,
    in_own_families,
    of_outcomes,
    p_text,
    quantity_of,
    sentence_of,
)
from analysis.registered.regression_rows import regression_rows
from analysis.registered.tied import ties_of
from analysis.regression.effects import effects_table, outcome_sd
from analysis.regression.fit import (
    Regression,
    average_marginal_effects,
    average_predictions,
    clustered_logit,
    clustered_ols,
    robust_ols,
)
from analysis.regression.traps import traps
from analysis.results.factors import factor_of_odds
from analysis.results.numbers import signed, with_interval
from analysis.results.quantities import Quantity, ResultTable
from analysis.results.words import listed
from prereg.analyses.regression import CHOICES, TRIALS
from prereg.analyses.regression import Regression as RegressionPlan

# Outcomes that say whether people chose the judge's side, whichever that was.
AGREES = {"select_higher", "select_match"}


def run_regression(analysis: RegressionPlan, evidence: Evidence) -> Finding:
    """Run a registered regression of one or several outcomes.

    Parameters
    ----------
    analysis : prereg.analyses.regression.Regression
    evidence : Evidence

    Returns
    -------
    Finding
        A quantity for every term and contrast of every outcome in raw units; the effects in raw
        and sd units, all coefficients, and the average predictions and marginal effects, as
        tables; the effects as a figure. P values are corrected within their family, except those
        of a family shared with other analyses, which `in_families` corrects.

    Raises
    ------
    RatifyError
        As `clustered_ols`, `clustered_logit`, `robust_ols` and `regression_rows`.
    """
    rows = regression_rows(analysis, evidence)
    if analysis.model == "ordinal":
        return ordinal_finding(analysis, evidence, rows)
    fits = {outcome: _fit(analysis, outcome, data) for outcome, data in rows.items()}
    table = _effects(analysis, evidence, fits, rows)
    quantities = [
        quantity_of(analysis, evidence, row, unit=analysis.unit(row["outcome"]))
        for row in table.to_dict("records")
    ]
    ties, published = _of_trials(analysis, evidence, rows)
    return Finding(
        sentence=" ".join([_sentence(analysis, table), *_traps(analysis, fits, rows)]),
        quantities=quantities,
        tables=[
            _effects_result(analysis, evidence, table, ties),
            _coefficients(analysis, evidence, fits, ties),
            *_averages(analysis, evidence, fits, rows),
        ],
        figures=[figure_of(analysis, evidence, table, unit=_unit(analysis), ties=ties)],
        methods=published,
    )


def family_tests(analysis: RegressionPlan, finding: Finding) -> list[FamilyTest]:
    """Return the tests of a finding with their shared family.

    Parameters
    ----------
    analysis : prereg.analyses.regression.Regression
    finding : Finding
        Of this analysis. Tests without an estimate count too.

    Returns
    -------
    list of FamilyTest
        Empty where the family is not shared, since it is already corrected.
    """
    if analysis.family.over != "shared" or analysis.family.name is None:
        return []
    p_values = {q.name: q.p_value for q in finding.quantities if q.analysis == analysis.id}
    return [
        FamilyTest(
            family=analysis.family.name,
            correction=analysis.family.correction,
            analysis=analysis.id,
            name=name,
            p_value=p_values.get(name),
        )
        for name in analysis.quantity_names(None)
    ]


def in_families(finding: Finding, families: list[Family]) -> Finding:
    """Return a finding with p values corrected within the families of its tests.

    Parameters
    ----------
    finding : Finding
    families : list of Family
        From `families.correct_families`, over the tests of every analysis of the plan.
    """
    adjusted = {
        (member.analysis, member.name): (value, family.method)
        for family in families
        for member, value in zip(family.members, family.adjusted, strict=True)
    }

    def corrected(quantity: Quantity) -> Quantity:
        found = adjusted.get((quantity.analysis, quantity.name))
        if found is None or quantity.p_value is None:
            return quantity
        told = f"{quantity.note} p {p_text(quantity.p_value)} uncorrected; {found[1]}."
        return replace(quantity, p_value=found[0], note=told.strip())

    return replace(finding, quantities=[corrected(q) for q in finding.quantities])


def _fit(analysis: RegressionPlan, outcome: str, data: pd.DataFrame) -> Regression:
    formula = formula_of(analysis, outcome)
    if analysis.clustering is None:
        return robust_ols(data, formula, distribution=analysis.distribution)
    fit = clustered_logit if analysis.model == "logit" else clustered_ols
    return fit(data, formula, cluster=analysis.clustering, distribution=analysis.distribution)


def _effects(
    analysis: RegressionPlan,
    evidence: Evidence,
    fits: Mapping[str, Regression],
    rows: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return the effects of every outcome, corrected within families that are not shared."""
    sd = None
    if analysis.sd is not None:
        how = analysis.sd.model_dump()
        sd = {outcome: outcome_sd(fit, rows[outcome], **how) for outcome, fit in fits.items()}
    few = analysis.few_clusters
    table = effects_table(
        fits,
        analysis.effects,
        rng=evidence.rng(analysis.id),
        sd=sd,
        few_clusters=few.below,
        wild=few.method == "wild_bootstrap",
        resamples=few.resamples,
        weights=few.weights,
        level=analysis.level,
    )
    return in_own_families(analysis, table, fits)


def _unit(analysis: RegressionPlan) -> str:
    """Return the unit of all effects, with the outcomes it belongs to if there are several."""
    units: dict[str, list[str]] = {}
    for outcome in analysis.outcomes:
        units.setdefault(analysis.unit(outcome), []).append(outcome)
    if len(units) == 1:
        return next(iter(units))
    return ", ".join(f"{unit} ({listed(of)})" for unit, of in units.items())


def _sentence(analysis: RegressionPlan, table: pd.DataFrame) -> str:
    told = {}
    for at, row in table.iterrows():
        estimate, low, high = row["estimate_raw"], row["low_raw"], row["high_raw"]
        if analysis.model == "logit":
            told[at] = f"the odds are multiplied by {factor_of_odds(estimate, low, high)}"
            continue
        of_share = analysis.unit(row["outcome"]) == "proportion"
        told[at] = (
            with_interval(100 * estimate, 100 * low, 100 * high, sign=True) + " percentage points"
            if of_share
            else with_interval(estimate, low, high, sign=True) + " points"
        )
        if not math.isnan(row["sd"]):
            told[at] += f", {signed(row['estimate_sd'], 2)} standard deviations"
    return sentence_of(analysis, table, told)


def _of_trials(
    analysis: RegressionPlan, evidence: Evidence, rows: Mapping[str, pd.DataFrame]
) -> tuple[str, str]:
    """Return what was done with ties and the published errors, both empty without trials."""
    if analysis.data != TRIALS:
        return "", ""
    kept = [outcome for outcome in analysis.outcomes if outcome not in CHOICES]
    return ties_of(evidence, left_in=kept), published_errors.of_regression(analysis, rows)


def _traps(
    analysis: RegressionPlan, fits: Mapping[str, Regression], rows: Mapping[str, pd.DataFrame]
) -> list[str]:
    """Return what the effects do not mean, each said once."""
    effects = list(analysis.effects.values())
    said = [
        one
        for outcome, fit in fits.items()
        for one in traps(fit, rows[outcome], effects, trials=analysis.data == TRIALS)
    ]
    if analysis.differences == "left_minus_right" and set(analysis.outcomes) & AGREES:
        said.append(
            "Differences are left minus right, and the outcome is whether people chose the judge's "
            "side: sides are random, so these coefficients say nothing about agreement. Use "
            "differences: higher_minus_lower, or the outcome chose_left."
        )
    return list(dict.fromkeys(said))


def _effects_result(
    analysis: RegressionPlan, evidence: Evidence, table: pd.DataFrame, ties: str
) -> ResultTable:
    unit = _unit(analysis)
    shown = (
        table
        if analysis.sd is not None
        else table.drop(columns=["estimate_sd", "low_sd", "high_sd", "sd", "sd_of"])
    )
    if analysis.family.over == "shared":
        shown = shown.drop(columns=["p_adjusted", "tests"])
    in_sd = ""
    if analysis.sd is not None:
        in_sd = " _sd: _raw divided by the sd in the column sd, which is assumed to be known."
    return ResultTable(
        name=f"{analysis.id}_effects",
        title=f"Effects of {analysis.predictors}",
        caption=f"_raw: {unit}.{in_sd} {analysis.level:.0%} intervals; "
        f"{'; '.join(table['method'].unique())}. Correction: "
        f"{SHOWN[analysis.family.correction]}, family: {families_of(table)}.{ties}",
        frame=shown,
        status=evidence.status,
        level=analysis.level,
    )


def _coefficients(
    analysis: RegressionPlan, evidence: Evidence, fits: Mapping[str, Regression], ties: str
) -> ResultTable:
    frames = {
        outcome: fit.to_frame(analysis.level).assign(n=fit.n, clusters=fit.n_clusters)
        for outcome, fit in fits.items()
    }
    one = next(iter(fits.values()))
    return ResultTable(
        name=f"{analysis.id}_coefficients",
        title=f"All coefficients of {analysis.predictors}",
        caption=f"{one.method}, {one.test.replace(' test', ' tests')}, not corrected; "
        f"{_unit(analysis)}. Only the terms and "
        f"contrasts in the table of effects were registered as questions.{ties}",
        frame=of_outcomes(frames),
        status="exploratory",
        level=analysis.level,
    )


def _averages(
    analysis: RegressionPlan,
    evidence: Evidence,
    fits: Mapping[str, Regression],
    rows: Mapping[str, pd.DataFrame],
) -> list[ResultTable]:
    """Return the average predictions and marginal effects that the plan asks for."""
    how = "over the observed rows, other columns unchanged; delta method"
    method = next(iter(fits.values())).method
    shown = []
    if analysis.predictions:
        parts = {
            outcome: average_predictions(
                fit, rows[outcome], analysis.predictions, level=analysis.level
            )
            for outcome, fit in fits.items()
        }
        caption = f"Mean prediction {how}. {method}."
        shown.append(("predictions", "Average predictions", caption, of_outcomes(parts)))
    if analysis.average_effects:
        parts = {
            outcome: pd.concat(
                [
                    average_marginal_effects(fit, rows[outcome], name, level=analysis.level)
                    for name in analysis.average_effects
                ]
            )
            for outcome, fit in fits.items()
        }
        caption = f"Mean change of the prediction {how}; p uncorrected. {method}."
        shown.append(("average_effects", "Average marginal effects", caption, of_outcomes(parts)))
    return result_tables(analysis, evidence, shown, level=analysis.level)
