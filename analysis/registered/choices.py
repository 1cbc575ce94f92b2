"""Registered analyses that compare people's choices with a judge's scores or choices."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.agreement.choices import ChoiceAgreement as AgreementOnTrials
from analysis.agreement.choices import choice_agreement
from analysis.evidence.evidence import Evidence
from analysis.evidence.judges import measures_of
from analysis.inference.trial_errors import cluster_words
from analysis.registered import published_errors
from analysis.registered.coverage import bounds
from analysis.registered.finding import Finding, drawn, stamp
from analysis.registered.tied import (
    about_kappa,
    agreement_without_ties,
    decided_trials,
    kinds_of_answers,
)
from analysis.registered.unanswered import require_ranked, require_scored
from analysis.regression.effective_clusters import Effective, by_effective_clusters
from analysis.regression.figures import plot_selection_by_gap
from analysis.regression.fit import Regression, clustered_logit, predicted_probability
from analysis.regression.judge_gap import Trials, selection_by_gap, trials_with_gap
from analysis.regression.notes import note_of
from analysis.results.factors import factor_of_odds
from analysis.results.figure_style import draws
from analysis.results.numbers import percent, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted, undecided
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap
from prereg.errors import RatifyError
from prereg.plan.judging import BASELINES, BaselineJudge


def run_logit(analysis: Logit, evidence: Evidence) -> Finding:
    """Fit the registered logit on people's trials.

    Parameters
    ----------
    analysis : Logit
    evidence : Evidence

    Returns
    -------
    Finding
        Every coefficient as a quantity and in a table; only the plan's term is registered.

    Raises
    ------
    RatifyError
        Where the formula has no such term, and as `clustered_logit`.
    """
    trials, tied = decided_trials(_trials(analysis.judge, evidence), evidence)
    outcome = analysis.outcome
    if outcome == "select_match":
        require_ranked(analysis.judge, evidence)
    data = trials.dropna(subset=[outcome])
    fit = clustered_logit(data, analysis.formula, cluster=analysis.cluster)
    frame, effective = _coefficients(fit, analysis.level)
    if analysis.term not in set(frame["term"]):
        raise RatifyError(
            f"the formula has no term '{analysis.term}'", allowed=", ".join(frame["term"])
        )
    unregistered, mine = {"analysis": analysis.id}, effective[analysis.term]
    quantities = [
        Quantity(
            name=str(row["term"]),
            label=_label(analysis, outcome, str(row["term"])),
            estimate=row["estimate"],
            low=row["low"],
            high=row["high"],
            level=analysis.level,
            se=row["se"],
            p_value=row["p"],
            n=fit.n,
            unit_of_n="judgments",
            clusters=fit.n_clusters,
            method=effective[str(row["term"])].method,
            unit="log-odds per point" if row["term"] == "gap" else "log-odds",
            note=note_of(fit, mine.note, allowed_for=mine.few)
            if row["term"] == analysis.term
            else "",
            # only the term that the plan names was registered as a question
            **(stamp(analysis, evidence) if row["term"] == analysis.term else unregistered),
        )
        for row in frame.to_dict("records")
    ]
    main = next(q for q in quantities if q.name == analysis.term)
    dropped = len(trials) - len(data)
    note = tied
    if dropped:
        verb = "is" if dropped == 1 else "are"
        note = (
            f"{tied} {dropped} of {counted(len(trials), 'trial')} {verb} left out, because the "
            "judge puts neither conversation higher."
        )
    if unscored := int(trials["gap"].isna().sum()):
        note += f" In {unscored} of these, it did not score one of the two."
    table = ResultTable(
        name=analysis.id,
        title=f"{analysis.formula}",
        caption=f"{fit.method}; {counted(fit.n, 'judgment')}, "
        f"{counted(fit.n_clusters or 0, 'cluster')}; log-odds.{note}",
        frame=frame,
        status=evidence.status,
        level=analysis.level,
    )
    return Finding(
        sentence=_logit_sentence(analysis, outcome, main, evidence.raters),
        quantities=quantities,
        tables=[table],
        methods=published_errors.of_logit(analysis, data),
    )


def _coefficients(fit: Regression, level: float) -> tuple[pd.DataFrame, dict[str, Effective]]:
    """Return the coefficients, bias-reduced where few clusters decide one, and each by its term."""
    every = np.eye(len(fit.params))
    found = {
        str(term): by_effective_clusters(fit, weights, level=level)
        for term, weights in zip(fit.params.index, every, strict=True)
    }
    rows = [
        (term, e.estimate, e.se, e.estimate / e.se, e.p_value, e.low, e.high)
        for term, e in ((term, each.found) for term, each in found.items())
    ]
    names = ["term", "estimate", "se", "z" if fit.distribution == "z" else "t", "p", "low", "high"]
    return pd.DataFrame(rows, columns=names), found


def _label(analysis: Logit, outcome: str, term: str) -> str:
    """Return a coefficient in words: of which choice, and for what."""
    chosen = {
        "select_higher": f"Choosing the side that {analysis.judge} scored higher",
        "select_match": f"Choosing the side that {analysis.judge} ranks higher by Elo",
    }.get(outcome, outcome)
    return f"{chosen}, {'for each point of the gap' if term == 'gap' else term}"


def _logit_sentence(analysis: Logit, outcome: str, main: Quantity, who: str) -> str:
    assert main.estimate is not None
    assert main.low is not None
    assert main.high is not None
    clear = "; the interval includes no difference" if undecided(main.low, main.high) else ""
    if main.name != "gap":
        return (
            f"In {analysis.formula}, the log-odds of {main.name} are "
            f"{with_interval(main.estimate, main.low, main.high)}{clear}."
        )
    side = "scored higher" if outcome == "select_higher" else "ranks higher by Elo"
    odds = factor_of_odds(main.estimate, main.low, main.high)
    return (
        f"For each point of difference between {analysis.judge}'s overall scores, the odds "
        f"that {who} choose the conversation it {side} are multiplied by {odds}{clear}."
    )


def run_selection_by_gap(analysis: SelectionByGap, evidence: Evidence) -> Finding:
    """Count how often people chose the side that the judge scored higher, by size of the gap.

    Parameters
    ----------
    analysis : SelectionByGap
    evidence : Evidence

    Returns
    -------
    Finding
        The share of each bin as a quantity; all bins as a table and as a figure, which shows the
        plan's own logit on the gap where the plan registers one.
    """
    trials, tied = decided_trials(_trials(analysis.judge, evidence), evidence)
    rates = selection_by_gap(
        trials, bins=analysis.limits, cluster=analysis.cluster, level=analysis.level
    )
    errors = cluster_words(analysis.cluster)
    quantities = [
        Quantity(
            name=f"gap {row['bin']}",
            label=f"Chose the higher-scored side, gap {row['bin']}",
            estimate=row["rate"],
            low=row["low"],
            high=row["high"],
            level=analysis.level,
            se=row["se"],
            n=int(row["n"]),
            unit_of_n="judgments",
            method=f"proportion, {errors}, Wilson interval of the effective number of judgments",
            unit="proportion",
            note="" if row["n"] else "No trial has a gap of this size.",
            **stamp(analysis, evidence),
        )
        for row in rates.to_dict("records")
    ]
    table = ResultTable(
        name=analysis.id,
        title=f"How often people chose the side that {analysis.judge} scored higher",
        caption=f"By size of the gap in points; proportion, {errors}, Wilson interval of the "
        f"effective number of judgments; n counts judgments.{tied}",
        frame=rates,
        status=evidence.status,
        level=analysis.level,
    )
    fit, fitted = _registered_curve(analysis, evidence, trials)
    figure = _gap_figure(analysis, evidence, fitted, rates, fit)
    return Finding(
        quantities=quantities,
        tables=[table],
        figures=[figure],
        methods=published_errors.of_rates(analysis, trials),
    )


def run_choice_agreement(analysis: ChoiceAgreement, evidence: Evidence) -> Finding:
    """Compare each judge's choices with people's on the same trials.

    Parameters
    ----------
    analysis : ChoiceAgreement
    evidence : Evidence

    Returns
    -------
    Finding
        Agreement and kappa of each judge and, where there is an LLM, of the baselines.
    """
    quantities = []
    words = []
    for judge_id in [*analysis.judges, *_baselines_beside(analysis, evidence)]:
        registered = judge_id in analysis.judges
        found = choice_agreement(
            evidence.people,
            evidence.judges[judge_id].trials,
            cluster=analysis.cluster,
            level=analysis.level,
        )
        why = about_kappa(found, judge_id, evidence)
        common: dict[str, Any] = {
            "analysis": analysis.id,
            "level": found.level,
            "n": found.n,
            "unit_of_n": "judgments",
            "clusters": found.n_clusters,
            "note": _about_matches(found),
            **(stamp(analysis, evidence) if registered else {}),
        }
        quantities += [
            Quantity(
                name=f"{judge_id}: agreement",
                label=f"{judge_id} makes the same choice as {evidence.raters} on the same trial",
                estimate=found.estimate,
                low=found.low,
                high=found.high,
                se=found.se,
                method=f"proportion, {_errors(found, analysis)}, t interval on the logit scale",
                unit="proportion",
                **common,
            ),
            Quantity(
                name=f"{judge_id}: kappa",
                label=f"{judge_id} and {evidence.raters} on the same trial, beyond chance",
                estimate=found.kappa,
                low=found.kappa_low,
                high=found.kappa_high,
                se=found.kappa_se,
                method=f"Cohen's kappa of {kinds_of_answers(evidence)}, "
                f"{_errors(found, analysis)}, t interval through Fisher's z",
                unit="kappa",
                **(common | {"note": " ".join(filter(None, (common["note"], why)))}),
            ),
        ]
        quantities += bounds(found, judge_id, common)
        beside, said = agreement_without_ties(analysis, evidence, judge_id, found, common)
        quantities += beside
        share = with_interval(found.estimate, found.low, found.high, percent=True)
        words.append(f"{judge_id} {share} of {counted(found.n, 'trial')}{said}{_refused(found)}")
    return Finding(
        sentence=f"The judges make the same choice as {evidence.raters} on the same trials: "
        f"{'; '.join(words)}.",
        quantities=quantities,
        methods=published_errors.of_agreement(
            analysis, evidence.people, evidence.judges[analysis.judges[0]].trials
        ),
    )


def _errors(found: AgreementOnTrials, analysis: ChoiceAgreement) -> str:
    """Return how errors are clustered, with the number of items if by items too."""
    items = "" if found.n_items is None else f" ({counted(found.n_items, 'item')})"
    return f"{cluster_words(analysis.cluster)}{items}"


def _refused(found: AgreementOnTrials) -> str:
    """Return how many choices the judge left out, and what that can hide; empty if none."""
    if found.n == found.n_asked:
        return ""
    return (
        f" (it answered {found.n:,} of {found.n_asked:,}; over all of them, between "
        f"{found.worst:.0%} and {found.best:.0%})"
    )


def _baselines_beside(analysis: ChoiceAgreement, evidence: Evidence) -> list[str]:
    """Return the baselines to report with an LLM, although the analysis does not name them."""
    if all(isinstance(evidence.plan.judge(name), BaselineJudge) for name in analysis.judges):
        return []
    silent = evidence.silent
    names = [b for b in BASELINES if b in evidence.judges and b not in silent]
    return [name for name in names if name not in analysis.judges]


def _about_matches(found: AgreementOnTrials) -> str:
    """Return what must be known about the trials that were matched, empty if nothing."""
    parts = {
        f"{found.n_reversed} answered with the sides exchanged": found.n_reversed,
        f"{counted(found.n_unmatched, 'trial')} that the judge never answered": found.n_unmatched,
        f"{counted(found.n_undecided, 'trial')} that it answered both ways": found.n_undecided,
        "no interval: fewer than two raters or items, or no variation": math.isnan(found.low),
    }
    said = "; ".join(text for text, holds in parts.items() if holds)
    return f"{said[0].upper()}{said[1:]}." if said else ""


def _trials(judge_id: str, evidence: Evidence) -> Trials:
    require_scored(judge_id, evidence)
    scores = evidence.judges[judge_id].scores
    preference = "elo" if "elo" in scores else None
    dimensions = measures_of(evidence.plan).dimensions
    return trials_with_gap(evidence.people, scores, preference=preference, dimensions=dimensions)


def _registered_curve(
    analysis: SelectionByGap, evidence: Evidence, trials: pd.DataFrame
) -> tuple[Regression | None, pd.DataFrame]:
    """Return the plan's logit of select_higher on this judge's gap, if the plan registers one."""
    data = trials.dropna(subset=["select_higher"])
    for other in evidence.plan.analyses:
        if (
            isinstance(other, Logit)
            and other.judge == analysis.judge
            and other.formula.startswith("select_higher")
            and other.term == "gap"
        ):
            # the rates do not need the fit; the logit's own finding says why it failed
            with contextlib.suppress(RatifyError):
                return clustered_logit(data, other.formula, cluster=other.cluster), data
    return None, data


def _gap_figure(
    analysis: SelectionByGap,
    evidence: Evidence,
    trials: pd.DataFrame,
    rates: pd.DataFrame,
    fit: Regression | None,
) -> ResultFigure:
    """Draw how often the higher-scored side was chosen, with the registered logit where it fits.

    Parameters
    ----------
    trials : DataFrame
        The rows the logit was fitted on.
    rates : DataFrame
        From `selection_by_gap`.
    """
    curve = None
    if draws() and fit is not None and trials["gap"].min() < trials["gap"].max():
        grid = np.linspace(trials["gap"].min(), trials["gap"].max(), 60)
        curve = predicted_probability(fit, trials, "gap", grid, level=analysis.level)
    axes = plot_selection_by_gap(rates, curve)
    fitted_curve = (
        ""
        if curve is None or fit is None
        else (f" The curve is the registered logit ({fit.formula}).")
    )
    shares = [f"gap {r['bin']}: {percent(r['rate'])}" for r in rates.to_dict("records") if r["n"]]
    return drawn(
        evidence,
        axes,
        name=analysis.id,
        title=f"How often {evidence.raters} chose the judge's side, by the judge's gap",
        caption=f"Share of {int(rates['n'].sum()):,} judgments that chose the conversation "
        f"{analysis.judge} scored higher, with {percent(analysis.level)} intervals.{fitted_curve}",
        alt=f"Share choosing the higher-scored side, by size of the gap: {'; '.join(shares)}.",
    )
