"""A registered question of equivalence: another analysis' number against a margin."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.evidence.choice_yardstick import Beside, beside_people, yardstick_of
from analysis.evidence.evidence import Evidence
from analysis.inference.equivalence import SHOWN_UNIT, two_one_sided, verdict_of
from analysis.inference.equivalence import Equivalence as Tested
from analysis.inference.families import Family, FamilyTest
from analysis.inference.trial_errors import cluster_words
from analysis.registered.coverage import coverage_of_analysis
from analysis.registered.finding import Finding, drawn, result_tables, stamp
from analysis.registered.held import held
from analysis.registered.wanted import numbers_alone
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    MUTED,
    WASH,
    axes_or_new,
    nothing_drawn,
    styled,
    tidy,
)
from analysis.results.numbers import number, p_value, with_interval
from analysis.results.quantities import Quantity
from analysis.results.words import counted
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.choices import ChoiceAgreement
from prereg.analyses.clusters import holds_items
from prereg.analyses.equivalence import PEOPLE, SHARES, SHOWN, Equivalence
from prereg.errors import RatifyError

Run = Callable[[AnyAnalysis, Evidence], Finding]
# What another analysis says about its own p value, which is not the question here.
_CORRECTED = re.compile(r"p \S+( \S+)? uncorrected; [^.]*\.")


def run_equivalence(analysis: Equivalence, evidence: Evidence, *, run: Run) -> Finding:
    """Run a registered question of equivalence or non-inferiority.

    The analysis that it asks about runs again at other levels of coverage, with the same random
    numbers, so that the interval at 1 - 2 alpha is that analysis' own and not one scaled from 95%.

    Parameters
    ----------
    analysis : Equivalence
    evidence : Evidence
    run : callable
        Runs one analysis of the plan.

    Returns
    -------
    Finding
        The number minus the reference with its interval, whether equivalence is shown (1 or 0, with
        the larger p of the two tests), both p values as a table, and the interval between the
        margins as a figure.

    Raises
    ------
    RatifyError
        As the other analysis; where its number has no interval, or another unit than the plan says.
    """
    base = analysis.base(evidence.plan)
    assert base is not None  # the plan refuses an unknown analysis
    asked = _against_people if analysis.reference == PEOPLE else _of_quantity
    shown, interval = asked(analysis, base, evidence, run)
    if analysis.unit is not None and analysis.unit != shown.unit:
        raise RatifyError(
            "the margin is in another unit than the number it belongs to",
            column="unit",
            value=analysis.unit,
            allowed=shown.unit,
        )
    found = two_one_sided(
        interval,
        margin=analysis.margin,
        side=analysis.side,
        better=analysis.better or "higher",
        alpha=analysis.alpha,
        se=shown.se,
    )
    row = _row(shown, found)
    return Finding(
        sentence=_sentence(analysis.id, row),
        quantities=[
            replace(
                shown,
                name="difference",
                estimate=found.estimate,
                low=found.low,
                high=found.high,
                level=found.level,
                p_value=None,
                **stamp(analysis, evidence),
            ),
            _shown(analysis, evidence, shown, row),
            *_coverage(analysis, base, evidence),
        ],
        tables=result_tables(
            analysis,
            evidence,
            [(SHOWN, "Equivalence", _caption(row), pd.DataFrame([row]))],
            level=found.level,
        ),
        figures=[
            drawn(
                evidence,
                _plot(row),
                name=f"{analysis.id}_margin",
                title="The value between its margins",
                caption=f"{row['question']}: estimate with its {found.level:.0%} interval; the "
                "band is what counts as equivalent.",
                alt=_sentence(analysis.id, row),
            )
        ],
    )


def _of_quantity(
    analysis: Equivalence, base: AnyAnalysis, evidence: Evidence, run: Run
) -> tuple[Quantity, Callable[[float], tuple[float, float, float]]]:
    """Return the number minus the reference, and its interval at a level."""
    assert not isinstance(analysis.reference, str)
    less = analysis.reference

    def at(level: float) -> Quantity:
        other = base.model_copy(update={"level": level})
        found = _numbers(other, evidence, run, analysis.of.quantity)
        if analysis.of.quantity not in found:
            raise RatifyError(
                f"{base.id} reports no such number",
                value=analysis.of.quantity,
                allowed=", ".join(_numbers(other, evidence, run)),
            )
        return found[analysis.of.quantity]

    def interval(level: float) -> tuple[float, float, float]:
        one = at(level)
        if one.estimate is None or one.low is None or one.high is None:
            why = one.note.rstrip(".") or "it has no interval"
            raise RatifyError(f"{base.id}: {one.name} cannot be compared with a margin: {why}")
        return one.estimate - less, one.low - less, one.high - less

    first = at(1 - 2 * analysis.alpha)
    label = first.label if less == 0 else f"{first.label}, minus {number(less)}"
    note = _CORRECTED.sub("", first.note).strip()
    return replace(first, label=label, note=note), interval


def _numbers(base: AnyAnalysis, evidence: Evidence, run: Run, *names: str) -> dict[str, Quantity]:
    """Return the named numbers of an analysis, by default all; others may be among them.

    Several questions about one number run its analysis once a level.
    """

    def numbers() -> dict[str, Quantity]:
        # the analysis in `of` draws its figures and tables itself
        with nothing_drawn(), numbers_alone(names or None):
            return {one.name: one for one in run(base, evidence).quantities}

    return held(evidence, ("numbers", base.model_dump_json(), *names), numbers)


def _against_people(
    analysis: Equivalence, base: AnyAnalysis, evidence: Evidence, run: Run
) -> tuple[Quantity, Callable[[float], tuple[float, float, float]]]:
    """Return a judge's agreement with people's choices minus people's own, on the same answers."""
    assert isinstance(base, ChoiceAgreement)  # the plan refuses another kind
    judge = analysis.of.quantity.partition(": ")[0]
    if judge not in evidence.judges or evidence.judges[judge].trials.empty:
        raise RatifyError(f"{judge} has not answered")
    known, what = yardstick_of(evidence)
    trials = evidence.judges[judge].trials

    def beside(level: float) -> Beside:
        found = beside_people(evidence, trials, known, what, cluster=base.cluster, level=level)
        if found is None:
            raise RatifyError(f"{judge} and two people share too few comparisons")
        if math.isnan(found.difference[1]):
            raise RatifyError(f"{judge} beside {what}: {found.note}")
        return found

    found = beside(1 - 2 * analysis.alpha)
    items = f" ({counted(found.items, 'item')})" if holds_items(base.cluster) else ""
    quantity = Quantity(
        analysis=analysis.id,
        name="difference",
        label=f"{judge}'s agreement with {evidence.raters}, minus that of {what}",
        estimate=None,
        se=found.se,
        n=found.n,
        unit_of_n="judgments",
        clusters=found.clusters,
        method="difference of proportions on the same answers, "
        f"{cluster_words(base.cluster)}{items}, t interval",
        unit=SHARES,
        note=_left_out(found, judge, evidence.raters),
    )
    return quantity, lambda level: beside(level).difference


def _left_out(found: Beside, judge: str, who: str) -> str:
    """Return which answers a comparison with people's own leaves out; empty if none."""
    parts = {
        f"{counted(found.people_tied, 'tie')} of {who}": found.people_tied,
        f"{counted(found.judge_tied, 'answer')} of {who} to comparisons that {judge} did not "
        "decide": found.judge_tied,
    }
    said = [words for words, number in parts.items() if number]
    return f"Left out: {'; '.join(said)}." if said else ""


def _row(shown: Quantity, found: Tested) -> dict[str, Any]:
    return {
        "question": shown.label,
        "unit": shown.unit,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "level": found.level,
        "margin_low": found.margin_low,
        "margin_high": found.margin_high,
        "p_lower": found.p_lower,
        "p_upper": found.p_upper,
        "p": found.p_value,
        "p_adjusted": found.p_value,
        "correction": "",
        "alpha": found.alpha,
        "verdict": found.verdict,
        "note": found.note,
    }


def _margins(row: Mapping[str, Any]) -> str:
    low, high = (f"{row[name]:g}".replace("-", "−") for name in ("margin_low", "margin_high"))
    if math.isinf(row["margin_low"]):
        return f"below {high}"
    return f"above {low}" if math.isinf(row["margin_high"]) else f"{low} to {high}"


def _tests(row: Mapping[str, Any]) -> str:
    each = [row[name] for name in ("p_lower", "p_upper") if not math.isnan(row[name])]
    said = f"one-sided p {' and '.join(p_value(p) for p in each)}"
    if row["correction"]:
        said += f"; {p_value(row['p_adjusted'])} after {row['correction']}"
    return said + (f"; {row['note']}" if row["note"] else "")


def _sentence(name: str, row: Mapping[str, Any]) -> str:
    """Return the verdict with the interval and the margin."""
    value = with_interval(row["estimate"], row["low"], row["high"])
    return (
        f"{name}: {row['verdict']}. {row['question']}: {value} ({row['level']:.0%} interval), "
        f"where {_margins(row)} ({row['unit']}) counts as "
        f"{'equivalent' if not _one_sided(row) else 'not worse'} ({_tests(row)})."
    )


def _one_sided(row: Mapping[str, Any]) -> bool:
    return math.isinf(row["margin_low"]) or math.isinf(row["margin_high"])


def _caption(row: Mapping[str, Any]) -> str:
    return (
        f"Two one-sided tests at {row['alpha']:g}: p_lower that the value is at or below the lower "
        "margin, p_upper that it is at or above the upper one. Where the tests do not show "
        "equivalence, that is no evidence of a difference; different: the whole interval lies "
        f"beyond a margin (not corrected). Unit: {row['unit']}."
    )


def _shown(
    analysis: Equivalence, evidence: Evidence, shown: Quantity, row: Mapping[str, Any]
) -> Quantity:
    one = _one_sided(row)
    return Quantity(
        name=SHOWN,
        label=f"{shown.label}, whether shown to be {'not worse' if one else 'equivalent'}",
        estimate=float(row["p"] <= analysis.alpha),
        p_value=row["p"],
        level=1 - analysis.alpha,
        n=shown.n,
        unit_of_n=shown.unit_of_n,
        clusters=shown.clusters,
        method=f"{'a one-sided test' if one else 'two one-sided tests'}, {_margins(row)} "
        f"{row['unit']}",
        unit=SHOWN_UNIT,
        note=f"{row['verdict'].capitalize()} ({_tests(row)}).",
        **stamp(analysis, evidence),
    )


def _coverage(analysis: Equivalence, base: AnyAnalysis, evidence: Evidence) -> list[Quantity]:
    """Return how much the judge has answered of what the number is about, for the gate."""
    wanted = analysis.coverage_names(evidence.plan)
    marks = stamp(analysis, evidence)
    return [
        replace(one, **marks) for one in coverage_of_analysis(base, evidence) if one.name in wanted
    ]


@styled
def _plot(row: Mapping[str, Any], *, ax: Axes | None = None) -> Axes:
    """Draw the interval over the band that counts as equivalent."""
    ax = axes_or_new(ax, 4.4, 0.8)
    value, low, high = row["estimate"], row["low"], row["high"]
    bounds = [x for x in (row["margin_low"], row["margin_high"]) if math.isfinite(x)]
    reach = [*bounds, low, high, value]
    room = 0.15 * (max(reach) - min(reach))
    ends = min(reach) - room, max(reach) + room
    ax.axvspan(max(row["margin_low"], ends[0]), min(row["margin_high"], ends[1]), color=WASH, lw=0)
    for bound in bounds:
        ax.axvline(bound, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    if ends[0] < 0 < ends[1]:
        ax.axvline(0, color=HAIR, lw=0.8)
    ax.hlines(0, low, high, color=BLUE, lw=1.6)
    ax.plot([value], [0], marker="o", ms=5.5, color=BLUE, mec="white")
    ax.set_xlim(*ends)
    ax.set_ylim(-0.6, 0.6)
    ax.set_yticks([])
    ax.set_xlabel(row["unit"].capitalize())
    tidy(ax, keep=("bottom",))
    return ax


def equivalence_tests(analysis: Equivalence, finding: Finding) -> list[FamilyTest]:
    """Return the test of a finding with its family; empty if it is corrected with no other."""
    if analysis.family is None:
        return []
    p = next((one.p_value for one in finding.quantities if one.name == SHOWN), None)
    return [
        FamilyTest(
            family=analysis.family.name,
            correction=analysis.family.correction,
            analysis=analysis.id,
            name=SHOWN,
            p_value=p,
        )
    ]


def after_correction(analysis: Equivalence, finding: Finding, families: list[Family]) -> Finding:
    """Return a finding whose verdict follows from the p value corrected within its family."""
    if analysis.family is None or not finding.tables:
        return finding
    family = next(one for one in families if one.name == analysis.family.name)
    adjusted = family.adjusted_of(analysis.id, SHOWN)
    table = finding.tables[0]
    row: dict[str, Any] = {str(k): v for k, v in table.frame.iloc[0].to_dict().items()}
    shown = adjusted <= analysis.alpha
    row |= {
        "p_adjusted": adjusted,
        "correction": family.method,
        "verdict": verdict_of(
            shown, (row["low"], row["high"]), (row["margin_low"], row["margin_high"])
        ),
    }

    def corrected(one: Quantity) -> Quantity:
        if one.name != SHOWN:
            return one
        note = f"{row['verdict'].capitalize()} ({_tests(row)})."
        return replace(one, estimate=float(shown), p_value=adjusted, note=note)

    said = _sentence(analysis.id, row)
    figures = [replace(figure, alt=said) for figure in finding.figures]
    return replace(
        finding,
        sentence=said,
        quantities=[corrected(one) for one in finding.quantities],
        tables=[replace(table, frame=pd.DataFrame([row])), *finding.tables[1:]],
        figures=figures,
    )
