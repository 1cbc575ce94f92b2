"""The registered analysis of agreement: compares judges' ratings with people's in a rating plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import AlternativeAnnotator
from analysis.agreement.crowd import Crowd
from analysis.agreement.figures import plot_beside_people
from analysis.agreement.pairs import AgreementTable, agreement_table
from analysis.agreement.panel import panel
from analysis.agreement.rating_table import MEDIAN
from analysis.agreement.sentences import crowd_yardstick, in_a_persons_place, place, with_interval
from analysis.agreement.summary import Beyond, CutAt, beside_people, beyond_pairs, beyond_tables
from analysis.agreement.yardstick import ALL, FEWEST, Sample, Standing, Yardstick, yardstick
from analysis.evidence.evidence import Evidence
from analysis.registered.finding import Finding, drawn, number, stamp
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import listed
from prereg.analyses.agreement import Agreement
from prereg.errors import RatifyError

METHOD = "jackknife over items, bias-corrected, t interval"
BOTH = "items that judge and people rated"


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
    people, judged = _rows(analysis, evidence)
    dimensions = _dimensions(analysis, people, judged)
    scale = _scale(people, dimensions)
    both = pd.concat([people.assign(rater_kind="human"), judged.assign(rater_kind="llm")])
    both = both[both["dimension"].isin(dimensions)].reset_index(drop=True)
    humans = sorted(people["rater_id"].unique())
    table = agreement_table(
        both,
        scale=scale,
        humans=humans,
        judges=analysis.judges,
        dimensions=dimensions,
        rng=evidence.rng(analysis.id),
        interval=analysis.interval,
        draws=analysis.draws,
        weights=analysis.weights,
        fewest=FEWEST,
    )
    bar = yardstick(table)
    grid = panel(both, scale=scale, humans=humans, judges=analysis.judges, dimensions=dimensions)
    beyond = beyond_pairs(
        grid,
        epsilon=analysis.epsilon,
        metric=analysis.metric,
        fewest_others=analysis.fewest_others,
        fewest_items=analysis.fewest_items,
        cuts=[CutAt(cut.at, cut.side, cut.dimensions) for cut in analysis.cuts],
    )
    return Finding(
        sentence=_sentence(analysis, evidence, table, bar, beyond),
        quantities=_quantities(analysis, evidence, bar, beyond),
        tables=_tables(analysis, evidence, table, bar, beyond),
        figures=_figures(analysis, evidence, bar, beyond),
    )


def _rows(analysis: Agreement, evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people's and the named judges' ratings, one row each."""
    names = ["rater_id", "item_id", "dimension", "value", "scale_min", "scale_max"]
    people, judged = evidence.ratings, evidence.judge_ratings
    if people.empty:
        raise RatifyError("there are no ratings by people", allowed="a plan of kind rating")
    for judge in analysis.judges:
        if not (judged["rater_id"] == judge).any():
            raise RatifyError(
                "this judge rated nothing",
                column="judges",
                value=judge,
                allowed=", ".join(sorted(judged["rater_id"].unique())) or "a judge that was asked",
            )
    return people[names], judged.loc[judged["rater_id"].isin(analysis.judges), names]


def _dimensions(analysis: Agreement, people: pd.DataFrame, judged: pd.DataFrame) -> list[str]:
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
        tested = [in_a_persons_place(beyond.alternative, judge) for judge in analysis.judges]
        if any(tested):
            said.append(
                "Could a judge take a person's place? By the alternative-annotator test "
                f"{'. '.join(text for text in tested if text)}."
            )
    return " ".join(text for text in said if text)


def _kappa(analysis: Agreement) -> str:
    return {"none": "kappa", "linear": "linear kappa", "quadratic": "quadratic kappa"}[
        analysis.weights
    ]


def _quantities(
    analysis: Agreement, evidence: Evidence, bar: Yardstick, beyond: Beyond
) -> list[Quantity]:
    """Return every number that a threshold of the plan's gate may name, means first."""
    common: dict[str, Any] = {"analysis": analysis.id, **stamp(analysis, evidence)}
    kappa = _kappa(analysis)
    found = [
        _quantity(
            f"humans: kappa {name}",
            f"People with each other, {place(name)}",
            sample,
            f"mean {kappa} over pairs of people; {METHOD}",
            "items that two people rated",
            "kappa",
            common,
        )
        for name, sample in bar.humans.items()
    ]
    for s in bar.standings:
        found += _of_judge(s, kappa, common)
    if beyond.crowd is not None:
        found += _of_crowd(beyond.crowd, common)
    if beyond.alternative is not None:
        found += _of_test(beyond.alternative, analysis, common)
    return sorted(found, key=lambda one: not one.name.endswith(f" {ALL}"))


def _of_judge(s: Standing, kappa: str, common: dict[str, Any]) -> list[Quantity]:
    where, median = place(s.dimension), f"{kappa} with {MEDIAN}"
    parts = [
        ("kappa_single", f"{s.judge} with a single person", s.single, f"mean {kappa} over people"),
        ("kappa_median", f"{s.judge} with the median of people", s.median, median),
        (
            "difference",
            f"{s.judge} with a person, minus people with each other",
            s.difference,
            f"difference of mean {kappa}s, both on the items that the judge rated",
        ),
    ]
    found = [
        _quantity(
            f"{s.judge}: {name} {s.dimension}",
            f"{label}, {where}",
            sample,
            f"{method}; {METHOD}",
            BOTH,
            "kappa",
            common,
        )
        for name, label, sample, method in parts
    ]
    if s.dimension != ALL:
        found.append(
            _quantity(
                f"{s.judge}: bias {s.dimension}",
                f"{s.judge} minus the median of people, {where}",
                s.bias,
                f"mean difference; {METHOD}",
                BOTH,
                "points of the scale",
                common,
            )
        )
    return found


def _of_crowd(crowd: Crowd, common: dict[str, Any]) -> list[Quantity]:
    found = [
        _quantity(
            f"humans: alpha {row.dimension}",
            f"All people together, {place(row.dimension)}",
            row["alpha_ordinal"],
            f"Krippendorff's ordinal alpha, missing ratings; {METHOD}",
            "items that two people rated",
            "alpha",
            common,
        )
        for row in crowd.people
    ]
    return found + [
        _quantity(
            f"{row.annotator}: crowd_difference {row.dimension}",
            f"{row.annotator} with the other people, minus one person with them, "
            f"{place(row.dimension)}",
            row["difference"],
            f"difference of quadratic kappas with the mean of the others; {METHOD}",
            BOTH,
            "kappa",
            common,
        )
        for row in crowd.judges
    ]


def _of_test(
    tested: AlternativeAnnotator, analysis: Agreement, common: dict[str, Any]
) -> list[Quantity]:
    """Return the winning rate and advantage probability of every judge and dimension."""
    wide = analysis.correction == "people_and_dimensions"
    over = "people and dimensions" if wide else "people"
    how = f"alternative-annotator test, epsilon {tested.epsilon:g}, {tested.metric}"
    found = []
    for row in tested.verdicts:
        shared: dict[str, Any] = {
            "n": row.n,
            "unit_of_n": BOTH,
            "note": row.note,
            "clusters": row.humans,
            **common,
        }
        rate = row.winning_rate_all if wide else row.winning_rate
        found += [
            Quantity(
                name=f"{row.judge}: winning_rate {row.dimension}",
                label=f"Share of people whose place {row.judge} could take, {row.dimension}",
                estimate=number(rate),
                unit="proportion",
                method=f"{how}, Benjamini-Yekutieli over {over}",
                **shared,
            ),
            Quantity(
                name=f"{row.judge}: advantage {row.dimension}",
                label=f"Probability that {row.judge} is at least as close to the others as a "
                f"person, {row.dimension}",
                estimate=number(row.advantage),
                low=number(row.advantage_low),
                high=number(row.advantage_high),
                unit="probability",
                method=f"{how}; {METHOD}",
                **shared,
            ),
        ]
    return found


def _quantity(
    name: str,
    label: str,
    sample: Sample,
    method: str,
    unit_of_n: str,
    unit: str,
    common: dict[str, Any],
) -> Quantity:
    low, high = sample.interval
    note = ""
    if np.isnan(sample.value):
        note = "Not defined: too few items in common, or ratings that do not vary."
    elif np.isnan(low):
        note = "No interval: the estimate is not defined when one of the items is left out."
    return Quantity(
        name=name,
        label=label,
        estimate=number(sample.value),
        low=number(low),
        high=number(high),
        n=sample.n,
        unit_of_n=unit_of_n,
        method=method,
        unit=unit,
        note=note,
        **common,
    )


def _tables(
    analysis: Agreement, evidence: Evidence, table: AgreementTable, bar: Yardstick, beyond: Beyond
) -> list[ResultTable]:
    prefix = f"{analysis.id}_"
    kappa = _kappa(analysis)
    return [
        ResultTable(
            name=analysis.id,
            title="Judges beside people",
            caption=f"Mean {kappa} with 95% jackknife intervals over items. humans: people with "
            "each other (in a judge's row, on the items that it rated); single: the judge with one "
            "person; median: with the median of people; difference: single minus humans. 'all' is "
            f"the mean over dimensions. Pairs with fewer than {FEWEST} common items are left out.",
            frame=bar.to_frame(),
            status=evidence.status,
        ),
        ResultTable(
            name=f"{prefix}coefficients",
            title="Every coefficient with its interval",
            caption="One row per dimension and pair; 95% "
            + (
                "jackknife intervals over items"
                if analysis.interval == "jackknife"
                else f"bootstrap intervals over items, {analysis.draws:,} resamples"
            )
            + ". For a kappa, _se is the non-null standard error and _se_null the null one; _p "
            "tests kappa = 0 and uses the null one.",
            frame=table.coefficients_frame(),
            status=evidence.status,
        ),
        *beyond_tables(beyond, prefix=prefix, status=evidence.status),
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
            plot_beside_people(rows),
            name=f"{analysis.id}_beside_people",
            title="Judges beside people",
            caption="Agreement of people and of each judge with one other person, by dimension, "
            "as kappa with 95% intervals over items.",
            alt=f"Agreement of {listed([*analysis.judges])} and of people with one other person.",
        )
    ]
