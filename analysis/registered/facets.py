"""The registered analyses of facets: what items and raters contribute to people's ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.facets import by_dimension as facets
from analysis.facets import many_facet_words as models
from analysis.facets.figures import plot_decision
from analysis.registered.finding import Finding, drawn, stamp
from analysis.results.quantities import ResultFigure
from analysis.results.words import listed
from prereg.analyses.facets import Generalizability, ManyFacet
from prereg.errors import RatifyError

# With more dimensions the headline has one sentence over all, and the methods one for each.
SPELLED_OUT = 2


def run_generalizability(analysis: Generalizability, evidence: Evidence) -> Finding:
    """Run a registered generalizability and decision study of people's ratings.

    Parameters
    ----------
    analysis : Generalizability
    evidence : Evidence
        `ratings` is used.

    Returns
    -------
    Finding
        Coefficients and variance components by dimension, the decision study and its figure.

    Raises
    ------
    RatifyError
        Where people rated none of the dimensions, or no dimension tells items apart from raters.
    """
    ratings = peoples_ratings(evidence, analysis.dimensions)
    found = facets.by_dimension(
        ratings,
        raters=sorted(ratings["rater_id"].unique()),
        dimensions=analysis.dimensions or sorted(ratings["dimension"].unique()),
        target=analysis.target,
        most_raters=analysis.most_raters,
        items=analysis.items,
        level=analysis.level,
    )
    if not found.found:
        why = listed([f"{name}: {reason}" for name, reason in found.why_not.items()])
        raise RatifyError(f"no dimension has ratings for it ({why})")
    common: dict[str, Any] = stamp(analysis, evidence)
    said = facets.sentences(found, evidence.raters)
    short = said if len(said) <= SPELLED_OUT else facets.overview(found, evidence.raters)
    return Finding(
        sentence=" ".join([*short, *facets.limits(found)]),
        methods=" ".join([*facets.methods(found), *(said if short != said else [])]),
        quantities=list(
            facets.quantities(found, name="{what} {dimension}", who=evidence.raters_own, **common)
        ),
        tables=facets.tables(found, prefix=f"{analysis.id}_", status=evidence.status),
        figures=[_figure(analysis, evidence, found)],
    )


def run_many_facet(analysis: ManyFacet, evidence: Evidence) -> Finding:
    """Run a registered many-facet model of ratings.

    Parameters
    ----------
    analysis : ManyFacet
    evidence : Evidence
        `ratings` and `judge_ratings` are used.

    Returns
    -------
    Finding
        Severity and consistency of people and judges, and fair scores of items, by dimension.

    Raises
    ------
    RatifyError
        Where people rated none of the dimensions, or no dimension has a model.
    """
    people = peoples_ratings(evidence, analysis.dimensions)
    names = ["rater_id", "item_id", "dimension", "value"]
    judged = evidence.judge_ratings
    both = pd.concat(
        [people[names], judged.loc[judged["rater_id"].isin(analysis.judges), names]],
        ignore_index=True,
    )
    found = models.severities(
        both,
        humans=sorted(people["rater_id"].unique()),
        judges=analysis.judges,
        dimensions=analysis.dimensions or sorted(people["dimension"].unique()),
        level=analysis.level,
    )
    if not found.found:
        why = listed([f"{name}: {reason}" for name, reason in found.why_not.items()])
        raise RatifyError(f"no dimension has a model ({why})")
    said = models.sentences(found, analysis.judges)
    short = said if len(said) <= SPELLED_OUT else models.overview(found, analysis.judges)
    return Finding(
        sentence=" ".join([*short, *models.limits(found)]),
        methods=" ".join([*models.methods(found), *(said if short != said else [])]),
        quantities=list(
            models.quantities(
                found, judges=analysis.judges, who=evidence.raters_own, **stamp(analysis, evidence)
            )
        ),
        tables=models.tables(found, prefix=f"{analysis.id}_", status=evidence.status),
    )


def peoples_ratings(evidence: Evidence, dimensions: Sequence[str] | None) -> pd.DataFrame:
    """Return people's ratings with their values as numbers.

    Raises
    ------
    RatifyError
        Where there are none, or none of a named dimension.
    """
    people = evidence.ratings
    if people.empty:
        raise RatifyError("there are no ratings by people", allowed="a plan of kind rating")
    there = sorted(people["dimension"].unique())
    for name in dimensions or ():
        if name not in there:
            raise RatifyError(
                "people did not rate this dimension",
                column="dimension",
                value=name,
                allowed=", ".join(there),
            )
    return people


def _figure(
    analysis: Generalizability, evidence: Evidence, found: facets.ByDimension
) -> ResultFigure:
    now = {name: one.per_item for name, one in found.found.items()}
    axes = plot_decision(found.decision_frame(), now=now, target=found.target)
    return drawn(
        evidence,
        axes,
        name=f"{analysis.id}_decision",
        title="What another rater buys",
        caption=facets.FIGURE.format(level=found.level),
        alt=" ".join(facets.overview(found, evidence.raters)) or "No dimension tells items apart.",
    )
