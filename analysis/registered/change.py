"""A registered analysis of reliable change: from a table of the study to a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.change.figures import plot_change, plot_trajectories
from analysis.change.reliable_change import ReliableChange, reliable_change
from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.registered.finding import Finding, drawn, result_tables, stamp
from analysis.registered.own_tables import with_number_columns
from analysis.results.numbers import number, p_value, percent, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.tables import columns
from analysis.tables.tidy import naming
from prereg.analyses.change import Change


def run_change(analysis: Change, evidence: Evidence) -> Finding:
    """Run a registered analysis of reliable change.

    Parameters
    ----------
    analysis : Change
    evidence : Evidence
        `evidence.table(analysis.table)` has one row per person and occasion.

    Returns
    -------
    Finding
        The threshold, reliability, shares by condition and their differences, as quantities and
        tables; each person's change and the means by occasion, as figures.

    Raises
    ------
    RatifyError
        As `analysis.change.reliable_change.reliable_change`, with the file named.
    """
    data = with_number_columns(evidence, analysis.table, analysis.value)
    with naming(Path(evidence.table_path(analysis.table).name)):
        found = reliable_change(
            data,
            value=analysis.value,
            person=analysis.person,
            occasion=analysis.occasion,
            condition=analysis.condition,
            control=analysis.control,
            conditions=analysis.treatments,
            baseline_rounds=analysis.baseline_rounds,
            post_rounds=analysis.post_rounds,
            cut=analysis.cut,
            student=analysis.student,
            occasion_means=analysis.occasion_means,
            pairs=analysis.pairs,
            correction=analysis.correction,
            norm=None if analysis.norm is None else (analysis.norm.sd, analysis.norm.reliability),
            better=analysis.better or "higher",
            threshold_interval=analysis.threshold_interval,
            rng=evidence.rng(analysis.id) if analysis.threshold_interval == "bootstrap" else None,
            resamples=analysis.resamples,
            level=analysis.level,
        )
    return Finding(
        sentence=" ".join([_sentence(found), *found.cautions, *_silent(analysis)]),
        quantities=[
            *_model_quantities(analysis, evidence, found),
            *_share_quantities(analysis, evidence, found),
            *_difference_quantities(analysis, evidence, found),
        ],
        tables=_tables(analysis, evidence, found),
        figures=_figures(analysis, evidence, found, data),
    )


def _percent(value: float, low: float, high: float) -> str:
    return with_interval(value, low, high, percent=True)


def _sentence(found: ReliableChange) -> str:
    told = {}
    for outcome in ("improved", "declined"):
        rows = found.shares[(found.shares["outcome"] == outcome) & (found.shares["n"] > 0)]
        told[outcome] = ", ".join(
            f"{row['condition']} {_percent(row['share'], row['share_low'], row['share_high'])}"
            for row in rows.to_dict("records")
        )
    moved = (
        "The control shows that a person's score can move by up to "
        f"{number(found.threshold[0], 2)} points without any real change."
    )
    if found.people.empty:
        return f"{moved} Nobody was measured both before and after."
    return f"{moved} By more than that, improved: {told['improved']}; declined: {told['declined']}."


def _silent(analysis: Change) -> list[str]:
    """Return what is said if the plan does not say which direction is better."""
    if analysis.better is not None:
        return []
    return ["The plan does not say which scores are better (better): higher counts as improved."]


def _model_quantities(
    analysis: Change, evidence: Evidence, found: ReliableChange
) -> list[Quantity]:
    """Return the threshold, and the variances and reliabilities behind it."""
    parts = found.components
    k = len(found.post_rounds)
    common: dict[str, Any] = {
        "n": parts.n,
        "unit_of_n": "measurements of the control",
        "clusters": parts.people,
        "level": found.level,
        **stamp(analysis, evidence),
    }
    at, low, high = found.threshold
    threshold = Quantity(
        name="threshold",
        label=f"Change that counts: mean of {k} after minus mean of {len(found.baseline_rounds)} "
        "before",
        estimate=at,
        low=low,
        high=high,
        unit="points",
        method=f"{found.cut:.4g} standard errors of a change; {parts.method}, "
        f"{parts.interval_method}",
        note=" ".join([*found.notes, *found.cautions]),
        **common,
    )
    rest = [
        Quantity(
            name=row["name"],
            label=f"{row['name'].capitalize()}, {found.control}",
            estimate=row["estimate"],
            low=row["estimate_low"],
            high=row["estimate_high"],
            unit=row["unit"],
            method=parts.method,
            note=" ".join(parts.notes),
            **common,
        )
        for row in parts.to_frame(k).to_dict("records")
    ]
    return [threshold, *rest]


def _share_quantities(
    analysis: Change, evidence: Evidence, found: ReliableChange
) -> list[Quantity]:
    rows = found.shares[found.shares["outcome"] != "neither"]
    return [
        Quantity(
            name=f"{row['condition']}: {row['outcome']}",
            label=f"Share of {row['condition']} that {row['outcome']} reliably",
            estimate=row["share"],
            low=row["share_low"],
            high=row["share_high"],
            level=found.level,
            n=int(row["n"]),
            unit_of_n="people",
            clusters=int(row["n"]),
            method="reliable change index; Wilson's interval, the threshold's error "
            + (
                "carried together with the share's (the same people)"
                if row["condition"] == found.control
                else "carried"
            ),
            unit="proportion",
            note=_about_share(row),
            **stamp(analysis, evidence),
        )
        for row in rows.sort_values("outcome", ascending=False, kind="stable").to_dict("records")
    ]


def _about_share(row: dict[Any, Any]) -> str:
    if not row["n"]:
        return "Nobody of this condition was measured before and after."
    ends = (row["at_low_threshold"], row["at_high_threshold"])
    return (
        f"{percent(ends[0], 1)} with the threshold at its low end, {percent(ends[1], 1)} at its "
        "high end."
    )


def _difference_quantities(
    analysis: Change, evidence: Evidence, found: ReliableChange
) -> list[Quantity]:
    corrected = found.correction != "none"
    quantities = []
    for row in found.differences.to_dict("records"):
        notes = [row["note"]] if row["note"] else []
        if corrected:
            size = int((found.differences["outcome"] == row["outcome"]).sum())
            notes.append(f"p uncorrected {p_value(row['p_value'])}, {size} tests in the family.")
        quantities.append(
            Quantity(
                name=f"{row['condition']} - {row['reference']}: {row['outcome']}",
                label=f"Share that {row['outcome']}: {row['condition']} minus {row['reference']}",
                estimate=row["difference"],
                low=row["difference_low"],
                high=row["difference_high"],
                level=found.level,
                p_value=row["adjusted_p"],
                n=int(row["n"] + row["n_reference"]),
                unit_of_n="people",
                clusters=int(row["n"] + row["n_reference"]),
                method="two-proportion z; Newcombe's interval, the threshold's error carried; "
                + SHOWN[found.correction],
                unit="difference of proportions",
                note=" ".join(notes),
                **stamp(analysis, evidence) | _tested(analysis, evidence, row["outcome"]),
            )
        )
    return quantities


def _tested(analysis: Change, evidence: Evidence, outcome: str) -> dict[str, str]:
    """Return that an outcome is no test of the hypothesis, if its direction is the other one.

    Shares that improve and that decline cannot both go the expected way: a hypothesis that more
    people improve is about the first, and one whose direction is negative about the second.
    """
    of = {one.id: one.direction for one in evidence.plan.hypotheses}
    wanted = "declined" if of.get(analysis.hypothesis or "") == "negative" else "improved"
    return {} if outcome == wanted else {"hypothesis": ""}


def _tables(analysis: Change, evidence: Evidence, found: ReliableChange) -> list[ResultTable]:
    at = f"One row per condition and outcome; {found.method}; {found.better} is better."
    shown = [
        (
            "shares",
            "Who changed reliably, by condition",
            f"{at} Proportions of people. Counted: people of the condition whose change passes the "
            "estimated threshold; the interval is of the share that would pass the true one, so it "
            "includes the threshold's uncertainty (in the control, whose own people set it, both "
            "errors together); Wilson's takes the threshold as known. " + " ".join(found.notes),
            found.shares,
        ),
        (
            "differences",
            "Differences between conditions",
            "Condition minus reference, proportions of people; the difference's interval includes "
            "the threshold's uncertainty, Newcombe's takes it as known; pooled z test; "
            f"adjusted p: {SHOWN[found.correction]}, within one outcome.",
            found.differences,
        ),
        (
            "thresholds",
            "The threshold, by number of measurements",
            f"Points; m measurements before, k after, the full design first. {found.method}.",
            found.thresholds,
        ),
        (
            "reliability",
            "Variance between and within people",
            f"From the measurements of {found.control}; {found.components.method}.",
            found.components.to_frame(len(found.post_rounds)),
        ),
        (
            "assumptions",
            "What the threshold assumes of the control",
            "One row per number; the interval is the jackknife's over people, which does not "
            "assume what is tested. Expected: the value if the assumption is true.",
            found.diagnosis,
        ),
        (
            "indices",
            "The same people by other indices",
            "Shares of people by other definitions of reliable change; the first is the one in "
            "use. Jacobson and Truax take the error of the difference of two measurements, even "
            "where the means of several are compared.",
            found.indices,
        ),
        (
            "people_compared",
            "Who could be compared",
            "Counts of people."
            + (
                f" {found.left_out} people of other conditions are left out."
                if found.left_out
                else ""
            ),
            found.flow,
        ),
    ]
    return result_tables(
        analysis, evidence, shown, level=found.level, exploratory=["indices", "assumptions"]
    )


def _figures(
    analysis: Change, evidence: Evidence, found: ReliableChange, data: pd.DataFrame
) -> list[ResultFigure]:
    at, low, high = found.threshold
    shares = "; ".join(
        f"{row['condition']}: {percent(row['share'], 1)} improved"
        for row in found.shares.to_dict("records")
        if row["outcome"] == "improved" and row["n"]
    )
    people = drawn(
        evidence,
        plot_change(found),
        name=f"{analysis.id}_people",
        title="Each person's change, by condition",
        caption=f"One dot per person ({len(found.people):,} in all): the mean after minus the mean "
        "before. Blue dots improved and orange squares declined by more than measurement error "
        f"explains: {number(at, 2)} points, {found.level:.0%} interval {number(low, 2)} to "
        f"{number(high, 2)} (the dark edges of the band). {' '.join(found.notes)}".strip(),
        alt=f"Change of every person by condition, with the threshold. {shares}.",
    )
    means = drawn(
        evidence,
        plot_trajectories(
            _in_order(analysis, data),
            value=analysis.value,
            occasion=analysis.occasion,
            condition=analysis.condition,
            level=found.level,
        ),
        name=f"{analysis.id}_means",
        title="Means by occasion",
        caption=f"Mean of {analysis.value.replace('_', ' ')} of all people measured, with a "
        f"{found.level:.0%} t interval.",
        alt="Mean of each condition on each occasion.",
    )
    return [people, means]


def _in_order(analysis: Change, data: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements, with conditions and occasions in the plan's order."""
    rounds = [*analysis.baseline_rounds, *analysis.post_rounds]
    rows = pd.DataFrame(
        {
            analysis.value: columns.numbers(data, analysis.value),
            analysis.occasion: data[analysis.occasion].astype(str),
            analysis.condition: data[analysis.condition].astype(str),
        }
    )
    places = pd.DataFrame(
        {
            "condition": rows[analysis.condition].map(
                {name: at for at, name in enumerate(analysis.conditions)}
            ),
            "round": rows[analysis.occasion].map({name: at for at, name in enumerate(rounds)}),
        }
    ).dropna()
    return rows.loc[places.sort_values(["round", "condition"], kind="stable").index]
