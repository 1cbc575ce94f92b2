"""Checks a plan's judges against the rest of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from prereg.analyses.agreement import HUMANS, PEOPLE
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.judging import BASELINES, BaselineJudge, Habits, LLMJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge

PROMPTS_FOLDER = "prompts"


def faults_of_judging(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each setting of a judge that does not fit the plan.

    `column` of a fault is the dotted path of the field.
    """
    kind = kind_of(plan)
    for number, judge in enumerate(plan.judges):
        where = f"judges.{number}"
        if not kind.asks_pairs and judge.pairs is not None:
            yield RatifyError(
                f"a {plan.kind} plan does not ask for pairs",
                column=f"{where}.pairs",
                allowed="null",
            )
        if not isinstance(judge, BaselineJudge) and judge.id in BASELINES:
            yield RatifyError(
                "is the name of a baseline",
                column=f"{where}.id",
                value=judge.id,
                allowed="another id",
            )
        if judge.id in (HUMANS, PEOPLE):
            yield RatifyError(
                "this name is the results' word for people together",
                column=f"{where}.id",
                value=judge.id,
                allowed="another id",
            )
        if isinstance(judge, LLMJudge):
            yield from _check_llm(judge, plan, where)
        if isinstance(judge, PanelJudge):
            yield from _check_panel(judge, plan, where)
        if isinstance(judge, TableJudge) and judge.compared and not kind.asks_pairs:
            yield RatifyError(
                f"a {plan.kind} plan does not ask for pairs",
                column=f"{where}.{'judgments' if judge.judgments else 'ranking'}",
                value=judge.judgments or judge.ranking,
                allowed="ratings",
            )


def _check_panel(panel: PanelJudge, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse judges that are not in the plan, panels of panels, and judges of different tasks."""
    others = {judge.id: judge for judge in plan.judges if not isinstance(judge, PanelJudge)}
    for place, name in enumerate(panel.of):
        if name in others:
            continue
        inside = any(judge.id == name for judge in plan.judges)
        yield RatifyError(
            "a panel cannot be part of a panel" if inside else "is not a judge of the plan",
            column=f"{where}.of.{place}",
            value=name,
            allowed=", ".join(others) or "judges that answer for themselves",
        )
    if kind_of(plan).table not in {"judgments", "ratings"}:
        yield RatifyError(
            f"a {plan.kind} plan has no panels: picks of a set have no mean and no majority",
            column=f"{where}.kind",
            value=panel.kind,
            allowed="judges that answer for themselves",
        )
    tables = [judge for name in panel.of if isinstance(judge := others.get(name), TableJudge)]
    shared = {"ratings", "judgments"}
    for judge in tables:
        shared &= {name for name in shared if getattr(judge, name) is not None}
    if not shared:
        said = "; ".join(
            f"{judge.id} only {'rates' if judge.judgments is None else 'chooses'}"
            for judge in tables
            if judge.judgments is None or judge.ratings is None
        )
        yield RatifyError(
            f"the judges of this panel answer different tasks ({said})",
            column=f"{where}.of",
            value=", ".join(panel.of),
            allowed="judges that all rate, or that all choose",
        )


def _check_llm(judge: LLMJudge, plan: Plan, where: str) -> Iterator[RatifyError]:
    kind = kind_of(plan)
    if not kind.prompts:
        yield RatifyError(
            f"an LLM judge cannot be asked what a {plan.kind} trial asks",
            column=f"{where}.kind",
            value=judge.kind,
            allowed="baseline",
        )
    for name in ("both_orders", "logprobs"):
        if getattr(judge, name) and not kind.asks_pairs:
            yield RatifyError(
                f"a {plan.kind} plan does not ask for pairs",
                column=f"{where}.{name}",
                value="true",
                allowed="false",
            )
    for place, name in enumerate(judge.prompts):
        yield from _check_inside(name, f"{where}.prompts.{place}")
    if judge.habits is not None:
        yield from _check_habits(judge.habits, plan, f"{where}.habits")


def _check_habits(habits: Habits, plan: Plan, where: str) -> Iterator[RatifyError]:
    if habits.pairs and not kind_of(plan).asks_pairs:
        yield RatifyError(
            f"a {plan.kind} plan does not ask for pairs",
            column=f"{where}.pairs",
            value=str(habits.pairs),
            allowed="0",
        )
    if habits.items and not plan.rated:
        yield RatifyError(
            f"a {plan.kind} plan does not ask for ratings",
            column=f"{where}.items",
            value=str(habits.items),
            allowed="0",
        )
    for place, name in enumerate(habits.wordings):
        yield from _check_inside(name, f"{where}.wordings.{place}")


def _check_inside(name: str, where: str) -> Iterator[RatifyError]:
    """Refuse a file outside the study's own prompts, because the lock would not cover it."""
    if not name.endswith((".yaml", ".yml")) and "/" not in name:
        return  # a prompt that comes with Ratify
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] != PROMPTS_FOLDER:
        yield RatifyError(
            "is not a prompt of the study folder",
            column=where,
            value=name,
            allowed=f"{PROMPTS_FOLDER}/NAME.yaml, or the name of a prompt that comes with Ratify",
        )
