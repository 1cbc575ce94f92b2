"""What the errors of an analysis of trials would be as published: by rater alone, without items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.agreement.choices import choice_agreement
from analysis.inference.trial_errors import cluster_columns
from analysis.regression.fit import clustered_logit
from analysis.regression.judge_gap import selection_by_gap
from analysis.results.numbers import interval, number
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap
from prereg.analyses.clusters import holds_items

_BEGIN = "The published errors of {id}, {how}, which take these items as the only ones of interest,"


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
        f"{_begin(analysis.id, f'clustered by {by} alone')} would be {number(found.se, 4)} for "
        f"{analysis.term}, with the interval {interval(found.low, found.high)}."
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
        f"{_begin(analysis.id, f'clustered by {by} alone')} would be {number(found.se, 4)} for the "
        f"agreement with {analysis.judges[0]}, with the interval {interval(found.low, found.high)}."
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
    how = "with trials taken as independent"
    return f"{_begin(analysis.id, how)} would give Wilson's intervals {shown}."


def _begin(name: str, how: str) -> str:
    return _BEGIN.format(id=name, how=how)
