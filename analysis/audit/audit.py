"""The audit: turns ratings that people and judges already gave into `Results` on who agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import EPSILON, Metric
from analysis.agreement.by_construction import zero_means, zero_pairs
from analysis.agreement.coefficient_check import check_coefficients
from analysis.agreement.intervals import Method
from analysis.agreement.pairs import agreement_table
from analysis.agreement.panel import Panel, panel
from analysis.agreement.quantities import of_crowd, of_yardstick
from analysis.agreement.rating_table import MEDIAN
from analysis.agreement.summary import Beyond, CutAt, beside_people, beyond_pairs
from analysis.agreement.tables import beyond_tables, coefficients_table, yardstick_table
from analysis.agreement.undefined import explained
from analysis.agreement.yardstick import ALL, FEWEST, Yardstick, yardstick
from analysis.audit import sentences as text
from analysis.audit.annotators import Annotators, read_annotators
from analysis.audit.disagreements import worst_ratings
from analysis.audit.facets import audit_facets
from analysis.audit.figures import audit_figures, beside_people_figure
from analysis.audit.looks_nominal import nominal_notes
from analysis.audit.panels import with_panels
from analysis.audit.straight_lines import straight_lines, straight_note
from analysis.audit.tables import annotators_table
from analysis.audit.verdict import rating_verdict
from analysis.results.provenance import provenance
from analysis.results.quantities import Quantity, Results, ResultTable
from analysis.results.verdict import NotRun, Verdict, joined
from analysis.results.words import listed
from prereg.plan.judging import BASELINES
from prereg.plan.reporting import Large
from prereg.tables.reading import Reading

NAME = "summary"


def audit(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    scale: tuple[float, float],
    dimensions: Sequence[str] | None = None,
    mode: str | None = None,
    rater_column: str = "rater_id",
    reading: Reading = Reading(),  # noqa: B008 - frozen
    human_columns: Sequence[str] = (),
    judge_columns: Sequence[str] = (),
    epsilon: float = EPSILON["experts"],
    metric: Metric = "rmse",
    cuts: Sequence[CutAt] = (),
    interval: Method = "jackknife",
    seed: int = 0,
    draws: int = 2000,
    check: bool = False,
    baselines: Sequence[str] = BASELINES,
    panels: Mapping[str, Sequence[str]] | None = None,
    panel_rule: str = "mean",
    texts: Mapping[str, str] | None = None,
    large: Large | None = None,
) -> Results:
    """Return how far each judge agrees with people, and how far people agree with each other.

    Parameters
    ----------
    humans, judges : sequence of str
        Files of ratings, each `FILE` or `NAME=FILE`; see `annotators.read_annotators`.
    id_column : str
        The column of item ids.
    scale : tuple of float
        Lowest and highest possible rating.
    dimensions : sequence of str, optional
        What to compare; by default the numeric columns that all files share.
    mode : {'live', 'pilot', 'bot'}, optional
        Which of people's ratings to take; see `annotators.read_annotators`.
    rater_column : str
        The column of a wide file that says who rated; see `annotators.read_annotators`.
    reading, human_columns, judge_columns
        How the files are read; see `annotators.read_annotators`.
    epsilon : float
        People's handicap in the alternative-annotator test: .2 for experts, .15 for skilled people,
        .1 for a crowd.
    metric : {'rmse', 'absolute', 'accuracy'}
        How close a rating is to the other people's, in that test.
    cuts : sequence of CutAt
        Cuts beyond which a rating leads to a treatment.
    interval : {'jackknife', 'bootstrap'}
        How the intervals of single pairs' coefficients are made.
    seed, draws : int
        Seed and number of resamples of that bootstrap.
    check : bool
        Whether the methods say how far the coefficients agree with pingouin's.
    baselines : sequence of str
        Names of judges that are baselines: they come after the audited judges.
    panels : mapping of str to sequence of str, optional
        Panels of judges, each of which is one more judge.
    panel_rule : {'mean', 'median', 'majority'}
        How their ratings become one.
    texts : mapping, optional
        The items' texts by id; the worst disagreements are then shown with them.
    large : Large, optional
        What the verdict calls large.

    Returns
    -------
    Results
        Tables `summary` (people, then each judge, by dimension), `agreement` (one row per
        dimension and pair), `annotators`, `coefficients` (every coefficient of every pair with its
        interval), and those of `beyond_pairs`. The same files and seed give the same results.

    Raises
    ------
    RatifyError
        If a file is unusable; the message names file, row, column, value and what is allowed.
    """
    found = read_annotators(
        humans,
        judges,
        id_column=id_column,
        scale=scale,
        dimensions=dimensions,
        mode=mode,
        rater_column=rater_column,
        reading=reading,
        human_columns=human_columns,
        judge_columns=judge_columns,
    )
    panels = panels or {}
    found = with_panels(found, panels, rule=panel_rule)
    large = Large() if large is None else large
    judged = sorted((one.name for one in found.judges), key=lambda name: name in baselines)
    audited = [name for name in judged if name not in baselines] or judged
    ratings = found.to_frame()
    fewest = FEWEST if len(found.humans) > text.CROWD else 1
    table = agreement_table(
        ratings,
        scale=scale,
        rng=np.random.default_rng(seed),
        humans=[one.name for one in found.humans],
        judges=judged,
        dimensions=found.dimensions,
        draws=draws,
        interval=interval,
        fewest=fewest,
    )
    people = panel(
        ratings, scale=scale, humans=table.humans, judges=table.judges, dimensions=table.dimensions
    )
    table = zero_pairs(table, people)
    bar = zero_means(yardstick(table))
    beyond = beyond_pairs(people, epsilon=epsilon, metric=metric, cuts=cuts)
    verdict = rating_verdict(
        table,
        bar,
        beyond,
        people,
        scale=scale,
        large=large,
        baselines=[name for name in judged if name not in audited],
        everything=True,
        panels=panels,
    )
    raters = _raters(found, people, texts, audited, large)
    verdict = joined([Verdict(sentences=found.nominal), verdict, raters])
    facets = audit_facets(
        ratings, people, judges=audited, panels=panels, analysis=NAME, simulated=found.simulated
    )
    said = text.headline(table, bar, beyond, people)
    frame = table.to_frame()
    how = _how(interval, seed, draws)
    checked = [check_coefficients(ratings, table).sentence] if check else []
    return Results(
        kind="audit",
        title=_title(audited, judged),
        question=text.QUESTION,
        headline=[
            *verdict.sentences,
            *text.wide_scale(ratings, scale),
            *said[:-1],
            *facets.headline,
            said[-1],
        ],
        verdict=verdict,
        simulated=found.simulated,
        meta=_meta(
            found,
            id_column=id_column,
            scale=scale,
            epsilon=epsilon,
            metric=metric,
            interval=interval,
            seed=seed,
            draws=draws,
        ),
        quantities=[*_quantities(people, bar, beyond), *facets.quantities],
        tables=[
            yardstick_table(bar, name=NAME, kappa="quadratic kappa", fewest=fewest),
            *_tables(frame, found),
            coefficients_table(table, name="coefficients", how=how),
            *beyond_tables(beyond, bar=bar),
            *facets.tables,
        ],
        figures=[
            *beside_people_figure(beside_people(bar, beyond.crowd), simulated=found.simulated),
            *audit_figures(frame, simulated=found.simulated),
            *facets.figures,
        ],
        methods=[*text.methods(table, beyond, scale=scale, how=how), *facets.methods, *checked],
        limits=[
            *text.limits(table, found, ratings, scale),
            *filter(None, [beyond.without_halo()]),
            *facets.limits,
            *verdict.limits,
        ],
    )


def _title(audited: Sequence[str], judged: Sequence[str]) -> str:
    """Return the title: what is audited, and what it is only compared with."""
    beside = [name for name in judged if name not in audited]
    compared = f", compared with {listed(beside)}" if beside else ""
    return f"Audit of {listed(audited)}{compared}"


def _raters(
    found: Annotators,
    people: Panel,
    texts: Mapping[str, str] | None,
    audited: Sequence[str],
    large: Large,
) -> Verdict:
    """Return who rated in a straight line, the worst disagreements, and what files cannot tell."""
    gaps = [
        NotRun(
            check="Speed of people, and which side they choose",
            why="files of ratings have no times and no choices",
        )
    ]
    if texts is None:
        gaps.append(
            NotRun(
                check="The worst disagreements with their texts",
                why="the items' texts were not given (--items)",
            )
        )
    straight = straight_lines(people, large)
    return Verdict(
        notes=(*nominal_notes(found.nominal), *straight_note(straight, len(people.humans))),
        not_run=tuple(gaps),
        people=straight,
        disagreements=worst_ratings(people, texts or {}, audited, shown=large.shown),
    )


def _how(interval: Method, seed: int, draws: int) -> str:
    """Return how a pair's intervals were made."""
    if interval == "jackknife":
        return (
            "95% intervals over items: Wilson's for shares, Student's t for bias, and for the "
            "others a Bayesian bootstrap with imagined items, or with many items the jackknife"
        )
    return f"95% percentile intervals from {draws:,} bootstrap resamples of the items (seed {seed})"


def _meta(
    found: Annotators, *, scale: tuple[float, float], **settings: float | str
) -> dict[str, Any]:
    """Return where the numbers come from; only file names, so that no folder is disclosed."""
    return {
        **settings,
        "scale": list(scale),
        "dimensions": list(found.dimensions),
        "notes": list(found.said),
        **({} if found.mode is None else {"mode": found.mode}),
        **provenance(found.files),
    }


def _quantities(people: Panel, bar: Yardstick, beyond: Beyond) -> list[Quantity]:
    """Return people's own agreement and each judge's: means first, then each dimension."""
    alone = "A single person has nobody to agree with." if len(people.humans) == 1 else ""
    measured = of_yardstick(bar, kappa="quadratic kappa")
    # the means of everybody before anybody's single dimensions: that is what a reader looks for
    measured.sort(key=lambda one: one.dimension != ALL)
    if beyond.crowd is not None:
        answered = bar.answered()
        measured += [
            one
            for one in of_crowd(beyond.crowd)
            if one.dimension == ALL and (one.what == "alpha" or (one.who, ALL) not in answered)
        ]
    return [
        one.quantity(
            name="{who}:{what}:{dimension}",
            undefined=alone if one.who == "humans" else "",
            analysis=NAME,
        )
        for one in explained(measured, people)
    ]


def _tables(frame: pd.DataFrame, found: Annotators) -> list[ResultTable]:
    """Return the tables of all pairs and of the annotators."""
    return [
        ResultTable(
            name="agreement",
            title="Every pair of annotators",
            caption="One row per dimension and pair: people with each other first, then every "
            f"judge with every person and with {MEDIAN}. bias is mean(a - b) in points of the "
            "scale; an empty cell is a coefficient that is not defined. The intervals of all "
            "coefficients are in the table of coefficients.",
            frame=frame,
        ),
        annotators_table(found),
    ]
