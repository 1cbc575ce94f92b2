"""What registered analyses of choices do with ties, and say about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.agreement.choices import ChoiceAgreement as AgreementOnTrials
from analysis.agreement.choices import choice_agreement
from analysis.evidence.evidence import Evidence
from analysis.inference.trial_errors import cluster_words
from analysis.regression.judge_gap import Trials
from analysis.results.numbers import with_interval
from analysis.results.quantities import Quantity
from analysis.results.words import counted, listed
from analysis.tables import columns
from prereg.analyses.choices import ChoiceAgreement
from prereg.errors import RatifyError


def decided_trials(trials: Trials, evidence: Evidence) -> tuple[pd.DataFrame, str]:
    """Return the trials in which people chose a side, and a sentence on the others.

    A tie has no higher-scored side that was chosen or not, so it drops out as gap 0 does. The
    sentence begins with a space; it is empty if there are no ties.
    """
    said = ties_of(evidence)
    return (columns.without_ties(trials.frame) if said else trials.frame), said


def ties_of(evidence: Evidence, *, left_in: Sequence[str] = ()) -> str:
    """Return what a regression on trials did with ties, as a sentence that begins with a space.

    Parameters
    ----------
    evidence : Evidence
    left_in : sequence of str
        Outcomes that a tie has too, so that it is not left out.

    Returns
    -------
    str
        Empty if there are no ties.
    """
    n = int(columns.is_tie(evidence.people).sum())
    if not n:
        return ""
    verb = "is" if n == 1 else "are"
    kept = f", except from the regression of {listed(left_in)}" if left_in else ""
    return (
        f" {n:,} of {counted(len(evidence.people), 'trial')} {verb} left out, because "
        f"{evidence.raters} chose neither side (a tie){kept}."
    )


def kinds_of_answers(evidence: Evidence) -> str:
    """Return what an answer may be."""
    return "left, right and tie" if evidence.plan.design.offers_ties else "left and right"


def about_kappa(found: AgreementOnTrials, judge: str, evidence: Evidence) -> str:
    """Return why kappa has no value or no interval on these trials; empty if it has both."""
    if not math.isnan(found.kappa):
        return "" if not math.isnan(found.kappa_low) else "No interval of kappa: too little varies."
    tied = [
        who
        for who, ties in ((judge, found.n_tied_judge), (evidence.raters, found.n_tied_people))
        if ties == found.n
    ]
    if tied:
        who, what = tied[0], "a tie"
    else:
        who, what = f"{judge} or {evidence.raters}", "one and the same side"
    return (
        f"Kappa is not defined: {who} answered {what} on every trial, which leaves nothing to "
        "agree on beyond chance."
    )


def agreement_without_ties(
    analysis: ChoiceAgreement,
    evidence: Evidence,
    judge: str,
    found: AgreementOnTrials,
    common: dict[str, Any],
) -> tuple[list[Quantity], str]:
    """Return agreement and kappa on the trials where neither side answered a tie, if any may.

    Parameters
    ----------
    analysis : ChoiceAgreement
    evidence : Evidence
    judge : str
    found : AgreementOnTrials
        The agreement with ties.
    common : dict
        Fields of every quantity about this judge.

    Returns
    -------
    quantities : list of Quantity
    said : str
        How many ties there are, to follow the count of trials; empty if the plan refuses ties.
    """
    if not evidence.plan.design.offers_ties:
        return [], ""
    ties = (
        f"ties: {found.n_tied_people:,} of {evidence.raters}, {found.n_tied_judge:,} of {judge}, "
        f"{found.n_tied_both:,} of both"
    )
    note = f"T{ties[1:]}."
    rest: AgreementOnTrials | None = None
    try:
        rest = choice_agreement(
            evidence.people,
            evidence.judges[judge].trials,
            cluster=analysis.cluster,
            level=analysis.level,
            ties=False,
        )
    except RatifyError as error:
        note = f"{note} {str(error)[0].upper()}{str(error)[1:]}."
    one: tuple[float | None, ...] = (None,) * 4
    kappa: tuple[float | None, ...] = (None,) * 4
    if rest is not None:
        one = rest.estimate, rest.low, rest.high, rest.se
        kappa = rest.kappa, rest.kappa_low, rest.kappa_high, rest.kappa_se
    errors = cluster_words(analysis.cluster)
    rows = (
        ("agreement", "proportion", "proportion", "logit scale", one),
        ("kappa", "kappa", "Cohen's kappa of left and right", "scale of Fisher's z", kappa),
    )
    quantities = [
        Quantity(
            name=f"{judge}: {what} without ties",
            label=f"{judge} and {evidence.raters}, {what} where neither answered a tie",
            estimate=estimate,
            low=low,
            high=high,
            se=se,
            method=f"{how}, {errors}, t interval on the {scale}",
            unit=unit,
            **{**common, "n": 0 if rest is None else rest.n, "note": note},
        )
        for what, unit, how, scale, (estimate, low, high, se) in rows
    ]
    said = f" ({ties}"
    if rest is not None:
        share = with_interval(rest.estimate, rest.low, rest.high, percent=True)
        said += f"; without ties {share} of {rest.n:,}"
    return quantities, f"{said})"
