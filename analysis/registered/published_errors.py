"""What the errors of an analysis of trials would be as published: by rater alone, without items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.agreement.choices import choice_agreement
from analysis.inference.trial_errors import cluster_columns
from analysis.registered.regression_parts import formula_of
from analysis.regression.contrasts import contrast_weights
from analysis.regression.fit import clustered_logit, clustered_ols
from analysis.regression.judge_gap import selection_by_gap
from analysis.results.numbers import interval, number
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap
from prereg.analyses.clusters import holds_items
from prereg.analyses.regression import Regression

_ITEMS = "That takes these items as the only ones of interest."


def of_logit(analysis: Logit, data: pd.DataFrame) -> str:
    """Return the error and interval of a logit's term by rater alone; empty if it has these.

    Parameters
    ----------
    analysis : Logit
    data : DataFrame
        The trials that it was fitted on.
    """
    if not holds_items(analysis.cluster):
        return ""
    by = cluster_columns(analysis.cluster)[0]
    fit = clustered_logit(data, analysis.formula, cluster=by)
    at = list(fit.params.index).index(analysis.term)
    found = fit.combination(np.eye(len(fit.params))[at], level=analysis.level)
    return (
        f"In {analysis.id}, clustered by {by} alone as in published studies, the standard error "
        f"of {analysis.term} would be {number(found.se, 4)}, and its interval "
        f"{interval(found.low, found.high)}. {_ITEMS}"
    )


def of_regression(analysis: Regression, rows: Mapping[str, pd.DataFrame]) -> str:
    """Return the errors and intervals of a regression on trials by rater alone.

    Parameters
    ----------
    analysis : Regression
    rows : mapping of outcome to DataFrame
        What each outcome's regression was fitted on.

    Returns
    -------
    str
        Empty if the plan's errors are these, or not clustered.
    """
    if analysis.clustering is None or not holds_items(analysis.clustering):
        return ""
    by = cluster_columns(analysis.clustering)[0]
    fitted = clustered_logit if analysis.model == "logit" else clustered_ols
    said = []
    for outcome, data in rows.items():
        formula = formula_of(analysis, outcome)
        fit = fitted(data, formula, cluster=by, distribution=analysis.distribution)
        for effect, text in analysis.effects.items():
            found = fit.combination(contrast_weights(fit, text), level=analysis.level)
            said.append(
                f"of {analysis.quantity_name(outcome, effect)} would be "
                f"{number(found.se, 4)}, and its interval {interval(found.low, found.high)}"
            )
    unit = " (log-odds)" if analysis.model == "logit" else ""
    return (
        f"In {analysis.id}, clustered by {by} alone as in published studies, the standard error"
        f"{unit} {'; that '.join(said)}. {_ITEMS}"
    )


def of_agreement(analysis: ChoiceAgreement, people: pd.DataFrame, judge: pd.DataFrame) -> str:
    """Return the error and interval of an agreement by rater alone; empty if it has these.

    Parameters
    ----------
    analysis : ChoiceAgreement
    people, judge : DataFrame
        As in `choice_agreement`; the first of its judges.
    """
    if not holds_items(analysis.cluster):
        return ""
    by = cluster_columns(analysis.cluster)[0]
    found = choice_agreement(people, judge, cluster=by, level=analysis.level)
    return (
        f"In {analysis.id}, clustered by {by} alone as in published studies, the standard error "
        f"of the agreement with {analysis.judges[0]} would be {number(found.se, 4)}, and its "
        f"interval {interval(found.low, found.high)}. {_ITEMS}"
    )


def of_rates(analysis: SelectionByGap, trials: pd.DataFrame) -> str:
    """Return the intervals of the rates with trials as independent; empty if it has these.

    Parameters
    ----------
    analysis : SelectionByGap
    trials : DataFrame
        As in `selection_by_gap`.
    """
    if not holds_items(analysis.cluster):
        return ""
    rates = selection_by_gap(trials, bins=analysis.limits, cluster="none", level=analysis.level)
    shown = "; ".join(
        f"{row['bin']} {interval(row['low'], row['high'])}"
        for row in rates.to_dict("records")
        if row["n"]
    )
    return (
        f"In {analysis.id}, with trials taken as independent (Wilson) as in published studies, the "
        f"intervals would be: {shown}. {_ITEMS}"
    )
