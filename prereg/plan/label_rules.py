"""Checks what a plan with labels asks of its judges and analyses: names have no distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prereg.analyses.agreement import Agreement
from prereg.analyses.registry import Analysis
from prereg.analyses.regression import RATINGS, Regression
from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge


def faults_of_labels(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each part of a plan that needs numbers where a scale has labels.

    `column` of a fault is the dotted path of the field.
    """
    if not plan.labels:
        return
    for number, judge in enumerate(plan.judges):
        if isinstance(judge, LLMJudge) and judge.habits is not None and judge.habits.items:
            yield RatifyError(
                f"rewritten texts are compared in points, and {_named([*plan.labels])} labels",
                column=f"judges.{number}.habits.items",
                value=str(judge.habits.items),
                allowed="0 in a plan with labels",
            )
    for number, judge in enumerate(plan.judges):
        if isinstance(judge, PanelJudge) and judge.rule != "majority":
            yield RatifyError(
                f"{_named([*plan.labels])} labels, which have no {judge.rule}",
                column=f"judges.{number}.rule",
                value=judge.rule,
                allowed="majority",
            )
    for number, analysis in enumerate(plan.analyses):
        yield from _of_analysis(analysis, plan, f"analyses.{number}")


def _of_analysis(analysis: Analysis, plan: Plan, where: str) -> Iterator[RatifyError]:
    if isinstance(analysis, Regression):
        if analysis.data == RATINGS:
            yield from _need_points(analysis.outcomes, plan, f"{where}.outcomes", analysis.kind)
        return
    if analysis.answers != "ratings":
        return
    chosen = getattr(analysis, "dimensions", None) or tuple(scale.id for scale in plan.scales)
    if isinstance(analysis, Agreement):
        yield from _agreement(analysis, chosen, plan, where)
    else:
        yield from _need_points(chosen, plan, f"{where}.dimensions", analysis.kind)


def _need_points(names: Sequence[str], plan: Plan, where: str, kind: str) -> Iterator[RatifyError]:
    """Refuse labels where an analysis needs numbers."""
    labels = [name for name in names if name in plan.labels]
    if labels:
        points = [scale.id for scale in plan.scales if not scale.names]
        yield RatifyError(
            f"an analysis of kind {kind} needs numbers, and {_named(labels)} labels",
            column=where,
            value=", ".join(labels),
            allowed=", ".join(points) or "kind agreement, which takes labels",
        )


def _agreement(
    analysis: Agreement, chosen: Sequence[str], plan: Plan, where: str
) -> Iterator[RatifyError]:
    """Refuse an analysis of labels and points together, and settings that need a distance."""
    labels = [name for name in chosen if name in plan.labels]
    if not labels:
        return
    if len(labels) < len(chosen):
        points = [name for name in chosen if name not in plan.labels]
        yield RatifyError(
            f"{_named(labels)} labels, and the other scales have points: they have different "
            "coefficients",
            column=f"{where}.dimensions",
            value=", ".join(chosen),
            allowed=f"two analyses: one of {', '.join(labels)}, one of {', '.join(points)}",
        )
        return
    for key, value, allowed in (
        ("weights", analysis.weights, "none"),
        ("metric", analysis.metric, "accuracy"),
        ("interval", analysis.interval, "jackknife"),
    ):
        if value != allowed:
            yield RatifyError(
                f"{_named(labels)} labels, which have no distance",
                column=f"{where}.{key}",
                value=value,
                allowed=allowed,
            )
    if analysis.cuts:
        yield RatifyError(
            f"{_named(labels)} labels, which have no order to cut",
            column=f"{where}.cuts",
            allowed="no cuts; the table of labels has sensitivity and specificity of each",
        )


def _named(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"
