"""The registered analysis of agreement: compares judges' ratings with people's in a rating plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import AlternativeAnnotator
from analysis.agreement.by_construction import zero_means, zero_pairs
from analysis.agreement.figures import plot_beside_people
from analysis.agreement.numbers_alone import table_of_means
from analysis.agreement.pairs import AgreementTable, agreement_table
from analysis.agreement.panel import Panel, panel
from analysis.agreement.quantities import BOTH, of_crowd, of_yardstick
from analysis.agreement.sentences import (
    at_cuts,
    beside_the_gates_test,
    crowd_yardstick,
    in_a_persons_place,
    one_sided_cuts,
    with_interval,
)
from analysis.agreement.summary import Beyond, CutAt, Parts, beside_people, beyond_pairs
from analysis.agreement.tables import beyond_tables, coefficients_table, yardstick_table
from analysis.agreement.undefined import explained
from analysis.agreement.yardstick import ALL, Yardstick, yardstick
from analysis.audit.disagreements import worst_ratings
from analysis.audit.verdict import rating_verdict
from analysis.evidence.evidence import Evidence
from analysis.facets import independence_words as independence
from analysis.registered.finding import Finding, drawn, stamp
from analysis.registered.held import held, is_held
from analysis.registered.independence import quantities as of_panels
from analysis.registered.independence import shared_errors_of
from analysis.registered.wanted import Wanted, wanted
from analysis.results.numbers import flat
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.verdict import Verdict
from analysis.results.words import listed
from prereg.analyses.agreement import Agreement
from prereg.errors import RatifyError
from prereg.plan.judging import BASELINES

METHOD = "jackknife over items, t interval"
LEVEL = 0.95
# Kinds of numbers, by what they are made from; the others are about panels.
PAIRS = ("kappa", "kappa_single", "kappa_median", "difference", "bias")
CROWD = ("alpha", "crowd_difference")
TEST = ("winning_rate", "advantage")


def run_agreement(analysis: Agreement, evidence: Evidence) -> Finding:
    """Run a registered analysis of agreement.

    Parameters
    ----------
    analysis : Agreement
    evidence : Evidence
        `ratings` and `judge_ratings` are used.

    Returns
    -------
    Finding
        People's agreement with each other, each judge's agreement with people, the
        alternative-annotator test and, where the plan names cuts, who finds the cases.

    Raises
    ------
    RatifyError
        Where no person or no judge rated what the plan names, or where the dimensions are rated
        on different scales.
    """
    people, judged = named_rows(analysis, evidence)
    dimensions = chosen_dimensions(analysis, people, judged)
    scale = _scale(people, dimensions)
    both = pd.concat([people.assign(rater_kind="human"), judged.assign(rater_kind="llm")])
    both = both[both["dimension"].isin(dimensions)].reset_index(drop=True)
    humans = sorted(people["rater_id"].unique())
    table, grid = _pairs(analysis, evidence, both, humans, dimensions, scale)
    bar = zero_means(yardstick(table, level=analysis.level))
    beyond = _beyond(analysis, grid)
    asked = wanted()
    shared = shared_errors_of(analysis, evidence, dimensions, scale) if _of_panels(asked) else None
    quantities = _quantities(analysis, evidence, bar, beyond, grid)
    if shared is not None:
        quantities += of_panels(analysis, evidence, shared, stamp(analysis, evidence))
    if asked.numbers_alone or shared is None:
        return Finding(quantities=[one for one in quantities if asked.number(one.name)])
    said = [_sentence(analysis, evidence, table, bar, beyond), *independence.sentences(shared)]
    return Finding(
        sentence=" ".join(said),
        methods=" ".join(independence.methods(shared)),
        quantities=quantities,
        tables=[
            *_tables(analysis, evidence, table, bar, beyond),
            *independence.tables(shared, prefix=f"{analysis.id}_", status=evidence.status),
        ],
        figures=_figures(analysis, evidence, bar, beyond),
        verdict=_verdict(analysis, evidence, table, bar, beyond, grid),
    )


def _pairs(
    analysis: Agreement,
    evidence: Evidence,
    ratings: pd.DataFrame,
    humans: list[str],
    dimensions: list[str],
    scale: tuple[float, float],
) -> tuple[AgreementTable, Panel]:
    """Return the agreement of pairs, and the ratings that it was made from.

    If only numbers are wanted, it does not depend on the level, so that a question of equivalence,
    which asks at several levels, makes it once.
    """
    given: dict[str, Any] = {"scale": scale, "humans": humans, "dimensions": dimensions}
    given["judges"] = analysis.judges
    more: dict[str, Any] = {
        "rng": evidence.rng(analysis.id),
        "interval": analysis.interval,
        "draws": analysis.draws,
        "weights": analysis.weights,
        "fewest": analysis.fewest_common,
    }

    def made(table: AgreementTable) -> tuple[AgreementTable, Panel]:
        grid = panel(ratings, **given)
        return zero_pairs(table, grid), grid

    asked = wanted()
    if not asked.numbers_alone:
        return made(agreement_table(ratings, level=analysis.level, **given, **more))
    about = tuple(one for one in analysis.judges if asked.about(one))
    key: tuple[str, ...] = ("pairs", analysis.model_copy(update={"level": LEVEL}).model_dump_json())
    # a table of all judges that is there already has all pairs of some of them
    key = key if asked.names is None or is_held(evidence, key) else (*key, *about)
    made_of = None if len(key) == 2 else about
    table, grid = held(
        evidence, key, lambda: made(table_of_means(ratings, about=made_of, **given, **more))
    )
    return replace(table, judges=about), grid


def _beyond(analysis: Agreement, grid: Panel) -> Beyond:
    """Return what needs ratings by two people, as far as it is wanted."""
    test: dict[str, Any] = {
        "epsilon": analysis.epsilon,
        "metric": analysis.metric,
        "fewest_others": analysis.fewest_others,
        "fewest_items": analysis.fewest_items,
        "false_discovery": analysis.false_discovery,
        "level": analysis.level,
        "cuts": [CutAt(cut.at, cut.side, cut.dimensions) for cut in analysis.cuts],
    }
    asked = wanted()
    if not asked.numbers_alone:
        return beyond_pairs(grid, **test)
    numbers = Parts(
        crowd=asked.any_of(*CROWD), test=asked.any_of(*TEST), halo=False, cuts=False, always=False
    )
    return beyond_pairs(grid, **test, parts=numbers)


def _of_panels(asked: Wanted) -> bool:
    """Say whether numbers about the judges of a panel are wanted."""
    return asked.any_beside(*PAIRS, *CROWD, *TEST)


def _verdict(
    analysis: Agreement,
    evidence: Evidence,
    table: AgreementTable,
    bar: Yardstick,
    beyond: Beyond,
    grid: Panel,
) -> Verdict:
    """Return the verdict on the judges, and the items on which they are furthest from people."""
    large = evidence.plan.large
    baselines = [name for name in analysis.judges if name in BASELINES]
    baselines = baselines if len(baselines) < len(analysis.judges) else []
    found = rating_verdict(
        table,
        bar,
        beyond,
        grid,
        scale=grid.scale,
        large=large,
        baselines=baselines,
        everything=analysis.correction == "people_and_dimensions",
        panels=[one.id for one in evidence.plan.panels],
    )
    items = evidence.items
    texts = dict(zip(items["item_id"], items["text"], strict=True)) if "text" in items else {}
    judges = [name for name in analysis.judges if name not in baselines]
    return replace(found, disagreements=worst_ratings(grid, texts, judges, shown=large.shown))


def named_rows(analysis: Agreement, evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people's and the named judges' ratings, one row each."""
    names = ["rater_id", "item_id", "dimension", "value", "scale_min", "scale_max"]
    people, judged = evidence.ratings, evidence.judge_ratings
    if people.empty:
        raise RatifyError("there are no ratings by people", allowed="a plan of kind rating")
    for judge in analysis.judges:
        if not (judged["rater_id"] == judge).any():
            raise RatifyError(
                "this judge gave no ratings",
                column="judges",
                value=judge,
                allowed=", ".join(sorted(judged["rater_id"].unique())) or "a judge that was asked",
            )
    return people[names], judged.loc[judged["rater_id"].isin(analysis.judges), names]


def chosen_dimensions(analysis: Agreement, people: pd.DataFrame, judged: pd.DataFrame) -> list[str]:
    """Return the plan's dimensions, or all dimensions that both people and judges rated."""
    there = set(people["dimension"]) & set(judged["dimension"])
    for name in analysis.dimensions or ():
        if name not in there:
            raise RatifyError(
                "people and judges did not both rate this dimension",
                column="dimension",
                value=name,
                allowed=", ".join(sorted(there)) or "a dimension with ratings",
            )
    if not there:
        raise RatifyError(
            "people and judges rated no dimension in common",
            column="dimension",
            allowed="judge dimensions with the same names as the plan's scales",
        )
    return list(analysis.dimensions or sorted(there))


def _scale(people: pd.DataFrame, dimensions: list[str]) -> tuple[float, float]:
    used = people[people["dimension"].isin(dimensions)]
    ends = used[["scale_min", "scale_max"]].astype(float).drop_duplicates()
    scales = sorted((low, high) for low, high in ends.to_numpy().tolist())
    if len(scales) > 1:
        raise RatifyError(
            "these dimensions are rated on different scales",
            column="dimensions",
            value="; ".join(f"{low:g} to {high:g}" for low, high in scales),
            allowed="a separate analysis for each scale",
        )
    return scales[0]


def _sentence(
    analysis: Agreement, evidence: Evidence, table: AgreementTable, bar: Yardstick, beyond: Beyond
) -> str:
    who = evidence.raters
    said = []
    if beyond.crowd is not None and np.isnan(bar.humans[ALL].value):
        said.append(crowd_yardstick(beyond.crowd, len(table.humans)))
        pairs = [(row.annotator, row["judge"], row["difference"]) for row in beyond.crowd.overall()]
    else:
        said.append(
            f"{who.capitalize()} agree with each other at a mean {_kappa(analysis)} of "
            f"{with_interval(bar.humans[ALL])}."
        )
        pairs = [(s.judge, s.single, s.difference) for s in bar.overall()]
    for judge, own, less in pairs:
        against = "" if np.isnan(less.value) else f" ({with_interval(less)} compared with theirs)"
        said.append(f"{judge} agrees with one of them at {with_interval(own)}{against}.")
    if beyond.alternative is not None:
        tested = [
            in_a_persons_place(beyond.alternative, judge, beyond.constants.get(judge, {}))
            for judge in analysis.judges
        ]
        if any(tested):
            said.append(
                "Could a judge take a person's place? By the alternative-annotator test "
                f"{'. '.join(text for text in tested if text)}."
            )
            if evidence.plan.causal is not None:
                said.append(beside_the_gates_test(beyond.alternative))
    said += [*at_cuts(beyond.cuts, analysis.judges), *one_sided_cuts(beyond.one_sided)]
    return " ".join(text for text in said if text)


def _kappa(analysis: Agreement) -> str:
    return {"none": "kappa", "linear": "linear kappa", "quadratic": "quadratic kappa"}[
        analysis.weights
    ]


def _quantities(
    analysis: Agreement, evidence: Evidence, bar: Yardstick, beyond: Beyond, grid: Panel
) -> list[Quantity]:
    """Return every number that a threshold of the plan's gate may name, means first."""
    common: dict[str, Any] = stamp(analysis, evidence)
    measured = of_yardstick(bar, kappa=_kappa(analysis))
    measured += [] if beyond.crowd is None else of_crowd(beyond.crowd)
    found = [
        one.quantity(name="{who}: {what} {dimension}", **common)
        for one in explained(measured, grid)
    ]
    if beyond.alternative is not None:
        found += of_test(beyond.alternative, analysis, common, beyond.why_no_pass)
    return sorted(found, key=lambda one: not one.name.endswith(f" {ALL}"))


def of_test(
    tested: AlternativeAnnotator,
    analysis: Agreement,
    common: dict[str, Any],
    why_no_pass: Callable[[str, str], str],
) -> list[Quantity]:
    """Return the winning rate and advantage probability of every judge and dimension.

    Parameters
    ----------
    tested : AlternativeAnnotator
    analysis : Agreement
    common : dict
        What all quantities share.
    why_no_pass : callable
        Of a judge and a dimension: why a pass means nothing, or an empty text.
    """
    wide = analysis.correction == "people_and_dimensions"
    over = "people and dimensions" if wide else "people"
    how = f"alternative-annotator test, epsilon {tested.epsilon:g}, {tested.metric}"
    found = []
    for row in tested.verdicts:
        passes = row.passes_all if wide else row.passes
        empty = why_no_pass(row.judge, row.dimension) if passes else ""
        shared: dict[str, Any] = {
            "n": row.n,
            "unit_of_n": BOTH,
            "note": " ".join(filter(None, (row.note, empty))),
            "clusters": row.humans,
            **common,
        }
        never = "No interval: never varies." if flat(row.advantage_low, row.advantage_high) else ""
        rate = row.winning_rate_all if wide else row.winning_rate
        found += [
            Quantity(
                name=f"{row.judge}: winning_rate {row.dimension}",
                label=f"Share of people whose place {row.judge} could take, {row.dimension}",
                estimate=rate,
                unit="proportion",
                method=f"{how}, Benjamini-Yekutieli over {over}",
                **shared,
            ),
            Quantity(
                name=f"{row.judge}: advantage {row.dimension}",
                label=f"Probability that {row.judge} is at least as close to the others as a "
                f"person, {row.dimension}",
                estimate=row.advantage,
                low=None if never else row.advantage_low,
                high=None if never else row.advantage_high,
                unit="probability",
                method=f"{how}; {METHOD}",
                level=tested.level,
                **(shared | {"note": " ".join(filter(None, (shared["note"], never)))}),
            ),
        ]
    return found


def _tables(
    analysis: Agreement, evidence: Evidence, table: AgreementTable, bar: Yardstick, beyond: Beyond
) -> list[ResultTable]:
    prefix = f"{analysis.id}_"
    common: dict[str, Any] = {"status": evidence.status, "level": analysis.level}
    how = f"{analysis.level:.0%} intervals over items"
    if analysis.interval == "bootstrap":
        how = f"{analysis.level:.0%} bootstrap intervals over items, {analysis.draws:,} resamples"
    return [
        yardstick_table(
            bar, name=analysis.id, kappa=_kappa(analysis), fewest=analysis.fewest_common, **common
        ),
        coefficients_table(table, name=f"{prefix}coefficients", how=how, **common),
        *beyond_tables(beyond, bar=bar, prefix=prefix, **common),
    ]


def _figures(
    analysis: Agreement, evidence: Evidence, bar: Yardstick, beyond: Beyond
) -> list[ResultFigure]:
    rows = beside_people(bar, beyond.crowd)
    if rows["estimate"].isna().all():
        return []
    return [
        drawn(
            evidence,
            plot_beside_people(rows, level=analysis.level),
            name=f"{analysis.id}_beside_people",
            title="Judges compared with people",
            caption="Agreement of people and of each judge with one other person, by dimension, "
            f"as kappa with {analysis.level:.0%} intervals over items.",
            alt=f"Agreement of {listed([*analysis.judges])} and of people with one other person.",
        )
    ]
