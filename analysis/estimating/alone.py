"""The chapter on figures from the judge's scores alone: doubly robust rows, and matching."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.causal.balance import Balance, balance
from analysis.causal.balance_figures import plot_balance
from analysis.causal.doubly_robust import DoublyRobust, doubly_robust
from analysis.causal.figures import plot_effects, plot_overlap
from analysis.causal.matching.effect import matched_effect
from analysis.causal.matching.match import match
from analysis.causal.matching.result import ESTIMAND, Matching
from analysis.causal.score_figures import plot_paired_differences
from analysis.estimating.reading import Inputs
from analysis.estimating.showing import Showing
from analysis.registered.finding import Finding
from analysis.results.numbers import number, percent
from analysis.results.quantities import Quantity, ResultFigure, ResultTable

CHAPTER = "judge_alone"
FEWEST_FOLDS = 3


def alone_finding(inputs: Inputs, despite: str) -> Finding:
    """Return the published figures, made from the judge's scores alone.

    Parameters
    ----------
    inputs : Inputs
    despite : str
        Why they are shown without a PASS of the gate; empty with one.
    """
    # the plan says that these figures need a PASS, so without one they are not registered
    evidence = replace(inputs.evidence, status="exploratory") if despite else inputs.evidence
    show = Showing(evidence, CHAPTER, despite)
    robust, matched = _robust(inputs, show), _matched(inputs, show)
    return Finding(
        quantities=[*robust.quantities, *matched.quantities],
        tables=[*robust.tables, *matched.tables],
        figures=[*robust.figures, *matched.figures],
        methods="Figures from the judge's scores alone are not corrected for its errors: it says "
        "who is treated, and it says the outcome. " + show.reason,
    )


def _robust(inputs: Inputs, show: Showing) -> Finding:
    causal, frame = inputs.causal, inputs.frame
    found = doubly_robust(
        frame,
        inputs.cuts,
        treatment=frame.treatment,
        outcome=frame.outcome,
        folds=max(FEWEST_FOLDS, causal.estimators.folds),
        nuisances=causal.estimators.nuisances,
        trim=causal.estimators.trim,
        named=_named(inputs),
        rng=inputs.evidence.rng("causal:robust"),
    )
    return Finding(
        quantities=[
            one for at, row in enumerate(found.rows) if (one := _row(found, at, show)) is not None
        ],
        tables=_tables(found, show),
        figures=_figures(found, show),
    )


def _named(inputs: Inputs) -> list[str]:
    """Return the covariates that are not components of the text or groups of users."""
    causal = inputs.causal
    left_out = {causal.confounders.text, causal.user}
    return [
        inputs.frame.names[column]
        for group, columns in inputs.confounders.groups.items()
        if group not in left_out
        for column in columns
    ]


def _row(found: DoublyRobust, at: int, show: Showing) -> Quantity | None:
    row = found.rows[at]
    if row.estimate is None:
        return None
    return show.number(
        f"{row.estimand}_{row.method}".lower().replace(" ", "_").replace("-", "_"),
        f"judge alone: {row.estimand}, {row.method}",
        row.estimate,
        f"{row.method}, nuisances {found.nuisances}, {found.folds} folds by user",
        n=row.treated + row.controls,
        note=row.note,
    )


def _tables(found: DoublyRobust, show: Showing) -> list[ResultTable]:
    low, high = found.chance_range
    tables = [
        show.table(
            "doubly_robust",
            "Effects by the judge's scores alone",
            f"One row per estimand and method, in points. Chances of treatment lie between "
            f"{number(low, 3)} and {number(high, 3)}. {' '.join(found.notes)}".strip(),
            found.to_frame(),
            found.level,
        ),
        show.table(
            "effects",
            "Predicted effects of single units",
            "Distributions over units, in points. The sd is of predictions, not of effects.",
            found.distributions(),
            None,
        ),
    ]
    if found.projection is not None:
        tables.append(
            show.table(
                "projection",
                "Best linear projection of the effect on named covariates",
                "Points of effect per unit of each covariate; (average) is the effect at their "
                f"means. Joint test of all: p = {number(found.projection.p_value, 3)}.",
                found.projection.table,
                found.level,
            )
        )
    return tables


def _figures(found: DoublyRobust, show: Showing) -> list[ResultFigure]:
    learner, test = found.effects[0], found.heterogeneity
    return [
        show.figure(
            plot_effects(found),
            name="cate",
            title="Predicted effects of single units, by the judge's scores alone",
            caption=f"DR-learner, {len(learner.effect):,} units, points. Do units with a larger "
            f"prediction have a larger effect? Slope {number(test.slope, 2)} (1 where predictions "
            f"hold, 0 where they say nothing), one-sided p = {number(test.p_value, 3)}.",
            alt=f"A histogram of predicted effects around {number(learner.effect.mean(), 2)}.",
        ),
        show.figure(
            plot_overlap(found),
            name="overlap",
            title="Who could have been in either arm",
            caption="The chance of treatment by arm, from models that did not see the unit's user.",
            alt="Histograms of the chance of treatment, for treated and control units.",
        ),
    ]


def _matched(inputs: Inputs, show: Showing) -> Finding:
    frame, arms = inputs.frame, inputs.cuts.arms(inputs.frame.treatment)
    vectors = _vectors(inputs)
    numbers: list[Quantity] = []
    tables: list[ResultTable] = []
    figures: list[ResultFigure] = []
    for method in inputs.causal.matching.methods:
        pairs = match(
            frame.unit, vectors, arms, method=method, caliper=inputs.causal.matching.caliper
        )
        if not len(pairs):
            tables.append(_counts(pairs, show))
            continue
        effect = matched_effect(
            pairs, frame.outcome, frame.user, rng=inputs.evidence.rng(f"causal:{method}")
        )
        numbers.append(
            show.number(
                f"matched_{method}",
                f"judge alone: {method} matching ({ESTIMAND})",
                effect,
                f"{method} one-to-one matching on cosine similarity, bootstrap over users",
                note=f"{pairs.note}.",
            )
        )
        found = balance(
            frame.covariates, frame.names, arms, pairs.weights, groups=inputs.confounders.groups
        )
        tables += [_counts(pairs, show), _balanced(pairs, found, show)]
        figures += _pair_figures(inputs, pairs, found, show)
    return Finding(quantities=numbers, tables=tables, figures=figures)


def _vectors(inputs: Inputs) -> FloatArray:
    table = inputs.embeddings.table.set_index("item_id").loc[inputs.frame.unit.tolist()]
    return np.array(table, dtype=np.float64)


def _counts(pairs: Matching, show: Showing) -> ResultTable:
    rows = pd.concat([pairs.counts(), pairs.similarities()], axis=1)
    return show.table(
        f"{pairs.method}_pairs",
        f"Who was matched, and how alike the pairs are: {pairs.method} matching",
        f"The lowest similarity allowed is {pairs.caliper:g}. {pairs.note}.",
        rows,
        None,
    )


def _balanced(pairs: Matching, found: Balance, show: Showing) -> ResultTable:
    return show.table(
        f"{pairs.method}_balance",
        f"Balance before and after {pairs.method} matching",
        f"Standardised mean differences; {found.limit:g} or more counts as unbalanced.",
        found.by_group(),
        None,
    )


def _pair_figures(
    inputs: Inputs, pairs: Matching, found: Balance, show: Showing
) -> list[ResultFigure]:
    frame = inputs.frame
    differences = frame.outcome[pairs.treated] - frame.outcome[pairs.control]
    return [
        show.figure(
            plot_paired_differences(differences, outcome=inputs.causal.outcome.scale),
            name=f"{pairs.method}_differences",
            title=f"Paired differences, {pairs.method} matching, by the judge's scores alone",
            caption=f"{len(pairs):,} pairs; mean similarity {number(pairs.similarity.mean(), 2)}.",
            alt=f"Differences within pairs; {percent(float((differences > 0).mean()))} are above "
            "0.",
        ),
        show.figure(
            plot_balance(found, weighting="after matching"),
            name=f"{pairs.method}_balance",
            title=f"Balance before and after {pairs.method} matching",
            caption="Absolute standardised mean differences of every covariate.",
            alt=f"After matching the largest difference is {number(found.largest, 2)}.",
        ),
    ]
