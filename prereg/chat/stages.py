"""The two pairwise studies that follow from a plan of kind chat: `judging` and `compare`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from prereg.chat.model import ChatPlan
from prereg.derived import COMPARE, JUDGING
from prereg.errors import RatifyError
from prereg.fault_words import shown_value, words_of
from prereg.plan.model import Plan
from prereg.plan.rules import faults_of_rules
from prereg.plan.transport import TRANSPORT

ELO, OVERALL = "elo", "overall"
# The tables of the first stage that analyses read.
CONVERSATIONS, SUPPORTERS = "conversations", "supporters"
CONSENT, INSTRUCTIONS, ITEMS = "consent.md", "instructions.md", "items.csv"
JUDGES = "judges"  # the folder of what judges have said, in `compare/`

# Parts of `compare` that are parts of a pairwise plan, and those that are keys of its design.
_PARTS = (
    "display",
    "comprehension",
    "practice",
    "attention_checks",
    "survey",
    "recruitment",
    "exclusions",
    "sensitivity",
)
_DESIGN = (
    "question",
    "raters",
    "raters_per_sequence",
    "trials",
    "sample",
    "ties",
    "tie_answer",
    "min_reading_seconds",
    "lease_minutes",
)
# What both studies take over as it is.
_COMMON = (
    "schema",
    "language",
    "seed",
    "hypotheses",
    "measures",
    "ranking",
    "data",
    "analyses",
    "gate",
)
_NOBODY = {"platform": "generic", "codes": {"completed": "NOBODY"}}
_QUESTION = "Which of the two conversations would make the person in trouble feel more heard?"


def judging_plan(plan: ChatPlan) -> dict[str, Any]:
    """Return the plan of the study in which judges score all conversations.

    Nobody is recruited for it; it has one trial, because a pairwise design has at least one.
    """
    whole = plan.to_json()
    compare = whole.get(COMPARE, {})
    ties = {name: compare[name] for name in ("ties", "tie_answer") if name in compare}
    return {
        **_common(whole, JUDGING),
        "title": f"{plan.title} (judges score the conversations)",
        "judges": whole["judges"],
        "design": {
            "question": compare.get("question", _QUESTION),
            "raters": 1,
            "trials": 1,
            "judges_rank": "all",
            **ties,
        },
        "recruitment": _NOBODY,
    }


def compare_plan(plan: ChatPlan, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return the plan of the study in which people compare the conversations.

    Parameters
    ----------
    plan : ChatPlan
        With a part `compare`.
    sizes : mapping of scenario to int, optional
        How many conversations there are, so that the sample is not larger.
    """
    whole = plan.to_json()
    compare = whole[COMPARE]
    design = {name: compare[name] for name in _DESIGN if name in compare}
    if plan.compare is not None and plan.compare.sample is not None and sizes:
        sample = plan.compare.sample
        bins = min(sample.bins, *sizes.values())
        each = max(1, min(sample.per_bin, min(sizes.values()) // bins))
        design["sample"] = {**design["sample"], "bins": bins, "per_bin": each}
    more: dict[str, Any] = {
        name: whole[name] for name in ("assumptions", "data_management") if name in whole
    }
    return {
        **_common(whole, COMPARE),
        "title": f"{plan.title} (people compare the conversations)",
        "judges": [judge_of_compare(judge, plan) for judge in whole["judges"]],
        "design": {**design, "judges_rank": "all"},
        **{name: compare[name] for name in _PARTS if name in compare},
        **more,
    }


def _common(whole: Mapping[str, Any], stage: str) -> dict[str, Any]:
    name = f"{whole['id'][:48]}-{stage}"
    return {
        "id": name,
        "kind": "pairwise",
        "materials": {"items": ITEMS, "consent": CONSENT, "instructions": INSTRUCTIONS},
        **{key: copy.deepcopy(whole[key]) for key in _COMMON if key in whole},
    }


def judge_of_compare(judge: Mapping[str, Any], plan: ChatPlan) -> dict[str, Any]:
    """Return a judge as `compare` has it: of an LLM, the tables of what it said in `judging`."""
    if judge["kind"] != "llm":
        return dict(judge)
    name = judge["id"]
    ranks = {"ranking": f"{JUDGES}/{name}.ranking.csv"} if judge.get("pairs") else {}
    return {"id": name, "kind": "table", "ratings": f"{JUDGES}/{name}.csv", **ranks}


def without_empty_rankings(
    content: Mapping[str, Any], pairs: Mapping[str, int]
) -> tuple[dict[str, Any], list[str]]:
    """Return the plan of `compare` without rankings of no pairs, and whose they were.

    The judge's ratings stay. A table without rows is one that no analysis can read.

    Parameters
    ----------
    content : mapping
        From `compare_plan`.
    pairs : mapping of str to int
        How many pairs of the comparison's items each judge has answered.
    """
    empty = [one["id"] for one in content["judges"] if "ranking" in one and not pairs[one["id"]]]
    judges = [
        {key: value for key, value in one.items() if key != "ranking" or one["id"] not in empty}
        for one in content["judges"]
    ]
    return {**content, "judges": judges}, empty


def same_but_for_transport(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two derived plans promise the same; how judges are reached may differ."""
    return _promised(one) == _promised(other)


def _promised(content: Mapping[str, Any]) -> dict[str, Any]:
    judges = [
        {key: value for key, value in judge.items() if key not in TRANSPORT}
        for judge in content.get("judges") or ()
    ]
    return {**content, "judges": judges}


def plan_text(content: Mapping[str, Any], *, plan_hash: str, mode: str) -> str:
    """Return a derived plan as its file holds it.

    Parameters
    ----------
    content : mapping
        From `judging_plan` or `compare_plan`.
    plan_hash : str
        Of the chat's lock.
    mode : str
        Of the conversations.
    """
    head = (
        f"# Derived by `ratify items` from the {mode} conversations of plan {plan_hash[:12]}.\n"
        "# Do not edit: it is locked.\n"
    )
    return head + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)


def first_judge(plan: ChatPlan) -> str | None:
    """Return the judge whose scores the items have: the first that ranks, or else the first."""
    ranks = [judge.id for judge in plan.judges if judge.pairs is not None]
    return next(iter([*ranks, *(judge.id for judge in plan.judges)]), None)


def faults_of_stages(plan: ChatPlan, file: Path | str) -> list[RatifyError]:
    """Return a fault for each part of a plan that the second stage cannot be made of.

    Parameters
    ----------
    plan : ChatPlan
        Each part is valid by itself.
    file : path
        Named in the faults.
    """
    return [
        RatifyError(one.problem, file=file, column=one.column, value=one.value, allowed=one.allowed)
        for one in _faults(plan)
    ]


def _faults(plan: ChatPlan) -> Iterator[RatifyError]:
    wanted = bool(plan.judges or plan.analyses or plan.compare is not None)
    if plan.measures is None and wanted:
        yield RatifyError(
            "is needed to score conversations",
            column="measures",
            allowed="scale, adds and subtracts",
        )
        return
    if plan.measures is None:
        return
    own = [*_own_faults(plan)]
    yield from own
    if own:
        return
    content = judging_plan(plan) if plan.compare is None else compare_plan(plan)
    yield from _derived_faults({**content, "judges": plan.to_json()["judges"]})
    if plan.compare is not None:
        yield from _derived_faults(content, only="analyses")


def _own_faults(plan: ChatPlan) -> Iterator[RatifyError]:
    """Yield what only a plan with two stages can get wrong."""
    for number, judge in enumerate(plan.judges):
        if judge.kind == "table":
            yield RatifyError(
                "a judge of kind table cannot know conversations that nobody has had yet",
                column=f"judges.{number}.kind",
                value=judge.kind,
                allowed="baseline, llm, panel",
            )
    for number, analysis in enumerate(plan.analyses):
        for name in analysis.tables():
            if name not in (CONVERSATIONS, SUPPORTERS):
                key = "data" if hasattr(analysis, "data") else "table"
                yield RatifyError(
                    "is no table of the first stage that analyses read",
                    column=f"analyses.{number}.{key}",
                    value=name,
                    allowed=f"{CONVERSATIONS} (a row each), {SUPPORTERS} (a row per participant)",
                )
    sample = None if plan.compare is None else plan.compare.sample
    if sample is None or plan.measures is None:
        return
    known = [ELO, OVERALL, *plan.measures.dimensions]
    if sample.by not in known:
        yield RatifyError(
            "is no score of a conversation",
            column="compare.sample.by",
            value=sample.by,
            allowed=", ".join(known),
        )
    elif sample.by == ELO and all(judge.pairs is None for judge in plan.judges):
        yield RatifyError(
            "no judge ranks the conversations",
            column="compare.sample.by",
            value=sample.by,
            allowed="a judge with pairs, or overall",
        )
    elif not plan.judges:
        yield RatifyError(
            "no judge scores the conversations",
            column="compare.sample.by",
            value=sample.by,
            allowed="a judge, or no sample",
        )


def _derived_faults(content: dict[str, Any], *, only: str = "") -> Iterator[RatifyError]:
    """Yield the faults of a derived plan, each at the key of the user's plan."""
    try:
        derived = Plan.model_validate(content)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            problem, allowed = words_of(fault)
            where = ".".join(str(part) for part in fault["loc"])
            yield RatifyError(
                problem, column=_own_key(where), value=shown_value(fault), allowed=allowed
            )
        return
    for one in faults_of_rules(derived):
        if (one.column or "").startswith(only):
            yield RatifyError(
                one.problem, column=_own_key(one.column or ""), value=one.value, allowed=one.allowed
            )


def _own_key(column: str) -> str:
    """Return where a key of a derived plan is in the user's plan."""
    first, _, rest = column.partition(".")
    if first in ("design", "materials"):
        return f"{COMPARE}.{rest}" if rest else COMPARE
    return f"{COMPARE}.{column}" if first in _PARTS else column
