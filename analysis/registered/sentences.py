"""The text of a study's report: the methods, the limits and notes on who took part."""

from __future__ import annotations

from analysis.evidence.evidence import Evidence
from analysis.evidence.judges import measures_of
from analysis.evidence.kinds import evidence_of
from analysis.ranking.fit_check import check_fit
from analysis.results.words import listed
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.tables.contract import STATUSES, TIE


def methods(evidence: Evidence) -> list[str]:
    """Return paragraphs on how the answers were collected and analysed."""
    plan = evidence.plan
    paragraphs = [_collection(plan)]
    if evidence.ranking is not None:
        check = check_fit(evidence.people, evidence.ranking, ridge=plan.ranking.ridge, tie=TIE)
        paragraphs += [_ranking(plan), check.sentence]
    if plan.measures is not None:
        paragraphs += _judges_scores(evidence)
    kinds = dict.fromkeys(analysis.kind for analysis in plan.analyses)
    paragraphs += [_OF_KIND[kind] for kind in kinds if kind in _OF_KIND]
    if any(getattr(analysis, "penalty", "") == "firth" for analysis in plan.analyses):
        paragraphs.append(_FIRTH)
    if plan.sensitivity is not None:
        paragraphs.append(_everybody(plan.sensitivity.cluster))
    return paragraphs


# One paragraph for each kind of analysis that the other paragraphs do not describe.
_OF_KIND = {
    "rank_correlation": "Rank correlations are Spearman's, through Fisher's z with the error of "
    "Bonett and Wright, widened by the raters' errors as resampled from the clustered covariance. "
    "The corrected correlation is the observed one divided by the square root of the scores' "
    "reliabilities, with a jackknife interval over items. It is given only where the interval of "
    "each of these reliabilities is above 0.",
    "ranking": "Intervals of ranks count the items clearly above and below each by the clustered "
    "error of the difference, calibrated so that on average over items 95% have the true rank. "
    "Each rater's choices are compared with scores estimated without that rater.",
    "agreement": "Agreement uses the values of the scale, not the order of the values that occur; "
    "intervals come from draws of the items with imagined ones added, or from the "
    "bias-corrected jackknife where there are many items; kappa's test uses its null "
    "error, and the alternative-annotator test leaves one person out at a time.",
    "source_ratings": "Mean ratings by source have bias-reduced errors clustered both by rater "
    "and by response, with Satterthwaite's degrees of freedom.",
    "best_worst_shares": "Shares of picks have Wilson intervals for the effective number of "
    "picks, and are compared with 1 / options, the share expected by chance.",
    "regression": "Regressions are ordinary least squares, logits or cumulative logits with the "
    "sandwich covariance that the plan names; where few clusters decide an effect, its errors are "
    "bias-reduced (CR2) with Satterthwaite's degrees of freedom, or p values and intervals are "
    "those of the wild cluster bootstrap. An effect in standard deviations says which one was "
    "used.",
    "change": "Reliable change: a random-intercept model of the control group by REML gives the "
    "error of a person's change; who changed by more than the cut times that error improved or "
    "declined. A share's interval includes the threshold's error; the control's own counts both "
    "errors together, because its people set the threshold.",
    "equivalence": "Equivalence is tested by two one-sided tests of a registered number against "
    "its margins, on that number's own interval at 1 - 2 alpha; a number that is not shown to be "
    "equivalent is not thereby different.",
    "trajectory": "Trajectories are means of each condition on each occasion, with t intervals "
    "over people.",
    "explained": "Explained variance is the squared correlation with one predictor; its interval "
    "is that of atanh(r) by the jackknife over people, squared, so it contains 0 where that of the "
    "correlation does.",
    "themes": "Themes before and after: two-proportion z tests corrected over the themes, and "
    "also McNemar's exact test and the difference with errors clustered by person.",
}

_FIRTH = (
    "Where the plan says `penalty: firth`, scores are bias-reduced: half the log determinant of "
    "the information is added to the log likelihood instead of the ridge. Their intervals are "
    "profiles of this penalised likelihood, and an item that never lost or never won has one too."
)


def _everybody(cluster: str | None) -> str:
    said = "Every registered analysis was run again on all raters who answered anything"
    return f"{said}, with errors clustered by {cluster}." if cluster else f"{said}."


def _collection(plan: Plan) -> str:
    design = plan.design
    each = design.raters_per_sequence
    sides = "; each item is left and right equally often." if kind_of(plan).asks_pairs else "."
    return (
        f"Raters answered one question, “{design.question}”, {evidence_of(plan).asked(plan)}"
        "sequences were generated from the plan's seed before collection, each for "
        f"{'one rater' if each == 1 else f'{each} raters'}{sides}"
    )


def _ranking(plan: Plan) -> str:
    elo = plan.ranking.elo
    said = evidence_of(plan).read_as + (
        "Raters' choices are ranked by a Bradley-Terry model fitted on counts of wins, "
        f"with a ridge of {plan.ranking.ridge:g}, within scenario; errors are clustered by rater. "
    )
    if kind_of(plan).asks_pairs:
        said += (
            f"Judges' choices are rated by Elo (start {elo.start:g}, K {elo.k:g}) in the order "
            f"they were asked, and again in {elo.reorderings} seeded random orders."
        )
    if plan.design.offers_ties:
        said += (
            " In both a tie is half a win for each side, unless a registered ranking names another "
            "model of ties. Whoever compares one choice with another leaves ties out (people's own "
            "agreement, raters who disagree with the others), except where a tie is named as an "
            "answer of its own."
        )
    return said.strip()


def _judges_scores(evidence: Evidence) -> list[str]:
    """Return what the overall score of each judge is, and how the gap between two is used."""
    measures = measures_of(evidence.plan)
    whole = [name for name, one in evidence.judges.items() if one.has_one_score(measures)]
    none = [name for name, one in evidence.judges.items() if one.scores["overall"].isna().all()]
    summed = [name for name in evidence.judges if name not in {*whole, *none}]
    said, ties = [], evidence.plan.design.offers_ties
    if summed:
        adds, subtracts = ", ".join(measures.adds), ", ".join(measures.subtracts)
        said.append(
            f"The overall score of an item by {listed(summed)} is the sum of {adds}"
            + (f" minus the sum of {subtracts}." if subtracts else ".")
        )
    if whole:
        said.append(
            f"The overall score of an item by {listed(whole)} is the one score per item in the "
            f"table of {'that judge' if len(whole) == 1 else 'each'}, and not a sum of dimensions."
        )
    if none:
        said.append(f"{listed(none)} {'has' if len(none) == 1 else 'have'} no overall scores.")
    return [
        " ".join(said),
        "Logits are fitted by maximum likelihood on trials, with a sandwich covariance clustered "
        "as the plan says: by default trials depend on each other if they share their rater or an "
        "item (dyadic errors, bias-reduced, with Satterthwaite's degrees of freedom). The gap is "
        "the absolute difference of the judge's overall scores; trials without a gap have no "
        "higher side and are left out"
        + (", and so are trials in which people chose neither side." * ties or "."),
    ]


def limits(evidence: Evidence) -> list[str]:
    """Return the limits of the numbers, the most serious first."""
    said = []
    if evidence.simulated:
        said.append("The raters are simulated. These numbers show the tool, not people.")
    if evidence.lock is None:
        said.append("The plan was not locked, so every analysis is exploratory.")
    if evidence.early:
        said.append(
            "Some answers are older than the lock, so no analysis counts as registered before the "
            "data were seen: every analysis is exploratory."
        )
    if any(getattr(one, "cluster", "") == "none" for one in evidence.plan.analyses):
        said.append("Intervals by gap take judgments as independent, as the plan says.")
    if kind_of(evidence.plan).compares:
        said.append(
            "Agreement with people on which conversation is better says nothing about agreement "
            "on how good it is, nor about texts unlike these."
        )
    return said + [f"{note}." for note in evidence.notes]


def flow_notes(evidence: Evidence) -> list[str]:
    """Return how the visits ended and how many raters withdrew."""
    became = [
        f"{evidence.visits[status]:,} {status.replace('_', ' ')}"
        for status in STATUSES
        if evidence.visits.get(status)
    ]
    notes = [f"Visits before any rule: {', '.join(became)}."] if became else []
    gone = evidence.withdrawn
    if gone:
        one, many = "person", "people"
        if evidence.simulated:
            one, many = "simulated rater", "simulated raters"
        who = one if gone == 1 else many
        notes.append(f"{gone:,} {who} withdrew; their answers were deleted.")
    return notes
