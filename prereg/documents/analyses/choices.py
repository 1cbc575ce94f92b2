"""Analyses of people's choices in words."""

from __future__ import annotations

from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap, bin_name
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.documents.prose import CORRECTIONS, code, listed, number, percent
from prereg.plan.model import Plan

TRIAL_CLUSTERS = {
    "rater_and_items": "by rater and by both items of a trial",
    "session_and_items": "by visit and by both items of a trial",
    "sequence_and_items": "by sequence and by both items of a trial",
    "rater_id": "by rater only, so that the items are the only ones of interest",
    "session_id": "by visit only, so that the items are the only ones of interest",
    "sequence_id": "by sequence only, so that the items are the only ones of interest",
    "none": "for independent trials: no two trials depend on each other",
}
_DYADIC = (
    "Trials of one rater, and trials that hold a common item, depend on each other: the errors "
    "are dyadic and bias-reduced (CR2), with Satterthwaite's degrees of freedom."
)
_COLUMNS = {"rater_id": "rater", "session_id": "visit", "sequence_id": "sequence"}
_RANKS = {
    "average": "on average {level} of the items have their true rank inside",
    "each": "each item has its true rank inside with a probability of {level}",
    "all": "all items at once have their true rank inside with a probability of {level}",
}
_TIES = {
    "half": "A tie, if the plan offers ties, is half a win for each side.",
    "davidson": "A tie has a parameter of its own, as Davidson (1970) has it.",
    "rao_kupper": "A tie has a threshold of its own, as Rao and Kupper (1967) have it.",
}
_SCORES = {
    "elo": "the Elo points of judge {judge} in its own ranking",
    "bradley_terry": "the Bradley-Terry scores of judge {judge} in its own ranking",
    "overall": "the overall scores that judge {judge} gives the items",
}


def trial_errors(cluster: str) -> str:
    """Return a sentence on the errors of an analysis of trials."""
    said = f"Standard errors are {TRIAL_CLUSTERS[cluster]}."
    return f"{said} {_DYADIC}" if cluster.endswith("_and_items") else said


def penalty(kind: str, plan: Plan) -> str:
    """Return a sentence on what keeps the scores of a ranking finite."""
    if kind == "firth":
        return "Scores are bias-reduced (Firth 1993), so that an item that never lost has one too."
    ridge = number(plan.ranking.ridge)
    return f"A ridge of {ridge} keeps the scores finite."


def ranking(one: RankingAnalysis, plan: Plan) -> list[str]:
    """Return a ranking in words."""
    whose = (
        "people's choices"
        if one.of == "people"
        else f"the choices of judge {code(one.of)} on people's trials"
    )
    pairs = "for neighbours in the ranking" if one.pairs == "adjacent" else "for all pairs of items"
    ranks = _RANKS[one.rank_coverage].format(level=percent(one.level))
    said = [
        f"Bradley-Terry scores of the items are estimated from {whose}, within each scenario. "
        f"{penalty(one.penalty, plan)} {_TIES[one.tie_model]}",
        f"Errors are clustered by {_COLUMNS[one.cluster]} ({code(one.cluster)}). The intervals of "
        f"the ranks come from {number(one.resamples)} bootstrap resamples of these clusters; "
        f"{ranks}. The probability that one item is chosen over another is given {pairs}.",
    ]
    tested = (
        "Each rater is tested for choosing against everybody else, with alpha = "
        f"{number(one.misfit_alpha)} over all raters, {CORRECTIONS[one.misfit_correction]}"
    )
    people = "; nobody is excluded for it." if one.of == "people" else ", where people are ranked."
    return [*said, tested + people]


def rank_correlation(one: RankCorrelation, plan: Plan) -> list[str]:
    """Return a rank correlation in words."""
    other = (
        f"the column {code(one.column)} of the items"
        if one.score is None
        else _SCORES[one.score].format(judge=code(one.judge))
    )
    elo = plan.ranking.elo
    how = (
        f" Elo starts at {number(elo.start)} points with K = {number(elo.k)}; the judge's choices "
        f"are put into {number(elo.reorderings)} further orders to show how much it depends on "
        "their order."
        if one.score == "elo"
        else ""
    )
    return [
        f"Spearman's correlation of people's Bradley-Terry scores with {other}, over the items. "
        f"{penalty(one.penalty, plan)}{how}",
        f"Three numbers are reported: the observed correlation, its mean within scenarios, and the "
        "correlation corrected for the errors of both sides as far as these are known. Intervals "
        f"cover {percent(one.level)}. They come from {number(one.resamples)} bootstrap resamples "
        f"of items and {number(one.draws)} draws of people's scores from their covariance, which "
        "is clustered by rater.",
    ]


def logit(one: Logit, plan: Plan) -> list[str]:
    """Return a logit of trials in words."""
    outcome = (
        "whether a person chose the item that the judge scored higher"
        if one.outcome == "select_higher"
        else "whether a person chose the item with the higher Elo of the judge"
    )
    return [
        f"A logit of people's trials, with the scores of judge {code(one.judge)}: "
        f"{code(one.formula)}. The outcome is {outcome}; {code('gap')} is the absolute difference "
        "of the judge's overall scores. Trials without a gap and ties drop out.",
        f"{trial_errors(one.cluster)} The coefficient that is reported and tested is "
        f"{code(one.term)}, in log-odds, against 0 on both sides; its interval covers "
        f"{percent(one.level)}.",
    ]


def selection_by_gap(one: SelectionByGap, plan: Plan) -> list[str]:
    """Return the shares of choices by gap in words."""
    bins = listed([bin_name(*limits) for limits in one.limits])
    return [
        f"The share of trials in which people chose the item that judge {code(one.judge)} scored "
        f"higher, by the absolute difference of its two overall scores: {bins} points.",
        f"{trial_errors(one.cluster)} The intervals are Wilson's for the effective number of "
        f"trials and cover {percent(one.level)}.",
    ]


def choice_agreement(one: ChoiceAgreement, plan: Plan) -> list[str]:
    """Return the agreement of choices in words."""
    ties = (
        " A tie is an answer of its own; both numbers are also given on the trials that both "
        "sides decided."
        if plan.design.offers_ties
        else ""
    )
    return [
        f"For {listed(one.judges)}: the share of people's trials in which the judge chooses what "
        f"the person chooses, and Cohen's kappa.{ties}",
        f"{trial_errors(one.cluster)} Intervals cover {percent(one.level)}. The share of trials "
        "that the judge answered stands beside its agreement.",
    ]
