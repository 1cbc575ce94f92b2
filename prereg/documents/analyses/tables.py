"""Regressions, reliable change, equivalence and themes in words."""

from __future__ import annotations

from prereg.analyses.change import Change
from prereg.analyses.clusters import holds_items
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.explained import Explained
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.analyses.sources import Themes
from prereg.analyses.trajectory import Trajectory
from prereg.documents.analyses.choices import trial_errors
from prereg.documents.prose import CORRECTIONS, code, inline, listed, number, percent
from prereg.plan.model import Plan

_MODELS = {
    "ols": "ordinary least squares",
    "logit": "a logit",
    "ordinal": "a cumulative logit (proportional odds)",
}
_FAMILIES = {
    "each_outcome": "the terms and contrasts of one outcome",
    "all_outcomes": "the terms and contrasts of all outcomes of this analysis",
    "shared": "all tests of the plan that name the family",
}
_TESTS = {
    "two_proportions": "the z test of two proportions, with Newcombe's interval",
    "paired": "McNemar's exact test of the people who wrote both times",
    "clustered": "the test of the difference clustered by person",
}


def regression(one: Regression, plan: Plan) -> list[str]:
    """Return a regression in words."""
    data = {
        TRIALS: f"people's trials with the scores of judge {code(one.judge)}",
        RATINGS: "people's ratings",
        JUDGE_RATINGS: "the judges' ratings"
        if one.judge is None
        else f"the ratings of judge {code(one.judge)}",
    }.get(one.data, f"the table {code(one.data)} of the study")
    formulas = listed([f"{outcome} ~ {one.predictors}" for outcome in one.outcomes])
    signs = (
        f" Differences of scores ({code('diff_DIMENSION')}) are taken as "
        f"{one.differences.replace('_', ' ')}."
        if one.data == TRIALS
        else ""
    )
    return [
        f"Regression by {_MODELS[one.model]} on {data}: {formulas}.{signs}{_columns(one)}",
        _tests(one),
        _errors(one),
        *_shown(one),
    ]


def _columns(one: Regression) -> str:
    said = ""
    if one.categories:
        said += f" Categories although they hold numbers: {listed(one.categories)}."
    if one.numbers:
        said += f" Numbers although their cells have labels: {listed(one.numbers)}."
    if one.levels:
        levels = listed(map(number, one.levels), as_code=False)
        said += f" The categories of the outcome are {levels}."
    return said


def _tests(one: Regression) -> str:
    terms = f"the coefficients {listed(one.terms)}" if one.terms else ""
    contrasts = ", ".join(
        f"{inline(name)} = {code(formula)}" for name, formula in one.contrasts.items()
    )
    contrasts = f"the contrasts {contrasts}" if contrasts else ""
    effects = " and ".join(filter(None, (terms, contrasts)))
    name = "" if one.family.name is None else f" (family {code(one.family.name)})"
    return (
        f"Tested are {effects}, each against 0 on both sides, by "
        f"{'z' if one.distribution == 'z' else 't'}. The family of tests is "
        f"{_FAMILIES[one.family.over]}{name}, {CORRECTIONS[one.family.correction]}. Intervals "
        f"cover "
        f"{percent(one.level)}."
    )


def _errors(one: Regression) -> str:
    few = one.few_clusters
    cluster = one.clustering
    if cluster is None:
        said = "Standard errors are heteroskedasticity-consistent (HC3)."
    elif holds_items(cluster):
        said = trial_errors(cluster)
    else:
        said = f"Standard errors are clustered by {code(cluster)}."
    if not few.below:
        return f"{said} Nothing else is done where few clusters decide an effect."
    method = (
        f"where there are fewer in all, the wild cluster bootstrap with {number(few.resamples)} "
        f"resamples ({code(few.weights)} weights) replaces it"
        if few.method == "wild_bootstrap"
        else "the bootstrap is never used"
    )
    return (
        f"{said} An effect that fewer than {number(few.below)} clusters decide has a bias-reduced "
        f"error (CR2) and a t test with Satterthwaite's degrees of freedom; {method}."
    )


def _shown(one: Regression) -> list[str]:
    said = []
    if one.sd is not None:
        rows = (
            "all rows of the regression"
            if one.sd.of == "whole"
            else f"the rows of the {one.sd.of}, where {code(one.sd.column)} is {code(one.sd.value)}"
        )
        said.append(f"Effects are also given in standard deviations of the outcome over {rows}.")
    if one.predictions:
        values = "; ".join(
            f"{code(column)} at {listed(map(str, points))}"
            for column, points in one.predictions.items()
        )
        said.append(f"Average predictions are shown for {values}.")
    if one.average_effects:
        said.append(f"Average marginal effects are shown of {listed(one.average_effects)}.")
    return [" ".join(said)] if said else []


def change(one: Change, plan: Plan) -> list[str]:
    """Return an analysis of reliable change in words."""
    better = (
        "the plan does not say which values are better, so higher ones count as improved"
        if one.better is None
        else f"{one.better} values are better"
    )
    drift = (
        "change is measured from each occasion's mean in the control group"
        if one.occasion_means
        else "the occasions have no means of their own"
    )
    cut = (
        "a t quantile of the same level, because the error is itself estimated"
        if one.student
        else "a normal quantile"
    )
    pairs = "with the control" if one.pairs == "control" else "in all pairs"
    interval = (
        f"the bootstrap over people ({number(one.resamples)} resamples)"
        if one.threshold_interval == "bootstrap"
        else "the chi-square distribution"
    )
    said = [
        f"Reliable change of {code(one.value)} in the table {code(one.table)}, with one row per "
        f"person ({code(one.person)}) and occasion ({code(one.occasion)}). The condition is in "
        f"{code(one.condition)}: the control {code(one.control)}, and {listed(one.treatments)}. "
        f"Before are the occasions {listed(one.baseline_rounds)}, after "
        f"{listed(one.post_rounds)}.",
        "A random-intercept model of the control group (REML) estimates how much one person's "
        f"values vary; {drift}. The error of a change from the mean of m occasions to the mean of "
        "k is sqrt(variance within x (1/m + 1/k)). A person improved or declined if the change is "
        f"at least {number(one.cut)} such errors ({cut}); {better}.",
        "Reported are the threshold in points, the reliability, the shares of people who improved "
        f"and declined by condition, and their differences {pairs}, "
        f"{CORRECTIONS[one.correction]} within one outcome. Intervals cover {percent(one.level)}; "
        f"that of the threshold is from {interval}.",
    ]
    if one.norm is not None:
        said.append(
            "Jacobson and Truax's index is given too, with a standard deviation of "
            f"{number(one.norm.sd)} and a reliability of {number(one.norm.reliability)} from "
            "elsewhere."
        )
    return said


def trajectory(one: Trajectory, plan: Plan) -> list[str]:
    """Return an analysis of trajectories in words."""
    return [
        f"The mean of {listed(one.outcomes)} in the table {code(one.table)}, for each of the "
        f"conditions {listed(one.conditions)} (column {code(one.condition)}) on each of the "
        f"occasions {listed(one.occasions)} (column {code(one.occasion)}). Errors are clustered by "
        f"person ({code(one.person)}); intervals cover {percent(one.level)}."
    ]


def explained(one: Explained, plan: Plan) -> list[str]:
    """Return an analysis of explained variance in words."""
    shares = "; ".join(f"{inline(name)}: {code(side)}" for name, side in one.predictors.items())
    rows = " and ".join(
        f"{code(name)} is {listed(values, 'or')}" for name, values in one.only.items()
    )
    return [
        f"The share of the variance of {code(one.outcome)} that each of these columns of the table "
        f"{code(one.table)} explains by itself, in a line (R²): {shares}."
        + (f" Of the rows, those where {rows}." if rows else ""),
        f"Rows of one {code(one.cluster)} depend on each other. Intervals are a jackknife over "
        f"these clusters of atanh(R), with t quantiles, and cover {percent(one.level)}; the lower "
        "end is 0 wherever the clustered Wald test does not reject that the slope is 0.",
    ]


def equivalence(one: Equivalence, plan: Plan) -> list[str]:
    """Return a question of equivalence in words."""
    reference = (
        "people's own agreement on the same answers"
        if one.reference == "people"
        else number(one.reference)
    )
    unit = "" if one.unit is None else f" {inline(one.unit)}"
    asked = (
        f"differs from {reference} by less than {number(one.margin)}{unit}, either way"
        if one.side == "both"
        else f"is worse than {reference} by less than {number(one.margin)}{unit}, where "
        f"{one.better} is better"
    )
    alpha = number(one.alpha)
    tests = (
        f"Two one-sided tests, each at alpha = {alpha}; it is shown if both reject"
        if one.side == "both"
        else f"A one-sided test at alpha = {alpha}; it is shown if it rejects"
    )
    said = [
        f"Whether {code(one.of.quantity)} of the analysis {code(one.of.analysis)} {asked}.",
        f"{tests}; the interval that is shown covers {percent(1 - 2 * one.alpha)}. The hypothesis "
        f"is "
        "supported if it is shown.",
    ]
    if one.family is not None:
        said.append(
            f"Its p value belongs to the family {code(one.family.name)}, "
            f"{CORRECTIONS[one.family.correction]}."
        )
    return said


def themes(one: Themes, plan: Plan) -> list[str]:
    """Return an analysis of themes in words."""
    labels = (
        f"the columns {listed(one.columns)} of that table, with 0 or 1"
        if one.columns
        else f"the table {code(one.labels)}, one row per theme of a text"
    )
    book = "those that occur" if one.named is None else listed(one.named)
    return [
        f"How often themes come up in the texts of the table {code(one.texts)} (text "
        f"{code(one.text)}, person {code(one.person)}), comparing {code(one.time)} = "
        f"{code(one.before)} with {code(one.after)}. The themes are in {labels}: {book}.",
        f"The registered test is {_TESTS[one.test]}, {CORRECTIONS[one.correction]} over the "
        f"themes; "
        "the other two tests are reported beside it. Intervals cover "
        f"{percent(one.level)}.",
    ]
