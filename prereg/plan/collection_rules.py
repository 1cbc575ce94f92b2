"""Checks the parts of a plan that depend on its kind of task."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from prereg.errors import RatifyError
from prereg.kinds.registry import KINDS, kind_of
from prereg.plan.apart_rules import faults_of_apart
from prereg.plan.collection import AttentionCheck
from prereg.plan.model import Plan
from prereg.plan.survey import ANSWERED_AT

# Fields that every trial's form has: a scale with such a name would clash with them.
_TAKEN = ("csrf_token", "visit", "position", "response_ms", "hidden_ms")


def faults_of_collection(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each part that does not fit the plan's kind of task, or another part."""
    wrong_kind = list(_check_kind(plan))
    yield from wrong_kind
    if wrong_kind:
        return  # the rest cannot be judged
    yield from faults_of_apart(plan)
    yield from _check_display(plan)
    for number, check in enumerate(plan.attention_checks):
        yield from _check_attention(plan, check, f"attention_checks.{number}")
    yield from _check_practice(plan)
    yield from _check_survey(plan)
    rules = [exclusion.rule for exclusion in plan.exclusions]
    if "failed_attention" in rules and not plan.attention_checks:
        yield RatifyError(
            "nobody can fail: the plan has no attention_checks",
            column=f"exclusions.{rules.index('failed_attention')}.rule",
            value="failed_attention",
            allowed="attention_checks, or no such rule",
        )
    for number, exclusion in enumerate(plan.exclusions):
        if (exclusion.max_failed or 0) >= len(plan.attention_checks) > 0:
            yield RatifyError(
                "nobody can fail more checks than there are",
                column=f"exclusions.{number}.max_failed",
                value=exclusion.max_failed,
                allowed=f"0 to {len(plan.attention_checks) - 1}",
            )
    codes = plan.recruitment.codes
    if codes.screened_out and plan.comprehension is None:
        yield RatifyError(
            "nobody is screened out without a comprehension question",
            column="recruitment.codes.screened_out",
            value=codes.screened_out,
            allowed="a comprehension question, or no such code",
        )
    if plan.recruitment.replace and "failed_attention" not in rules:
        yield RatifyError(
            "replaces raters by a rule that the plan does not have",
            column="recruitment.replace",
            value=plan.recruitment.replace,
            allowed="an exclusion of rule failed_attention, or no such key",
        )
    if codes.failed_attention and "failed_attention" not in rules:
        yield RatifyError(
            "no exclusion says how many failed checks are too many",
            column="recruitment.codes.failed_attention",
            value=codes.failed_attention,
            allowed="an exclusion of rule failed_attention, or no such code",
        )


def fits_no_kind(plan: Plan) -> bool:
    """Say whether a plan lacks a key of its kind or has one of another kind."""
    return next(_check_kind(plan), None) is not None


def _check_kind(plan: Plan) -> Iterator[RatifyError]:
    """Refuse keys that belong to another kind of task, and a plan without a key that it needs."""
    kind = kind_of(plan)
    for key in dict.fromkeys(key for other in KINDS.values() for key in other.needs + other.takes):
        given = bool(attrgetter(key)(plan))
        if key in kind.needs and not given:
            yield RatifyError(
                f"is needed by a plan of kind {kind.name}",
                column=key,
                allowed=f"the key {key}, as docs/plan.md describes it",
            )
        if given and key not in kind.needs + kind.takes:
            owners = [n for n, other in KINDS.items() if key in other.needs + other.takes]
            yield RatifyError(
                f"belongs to plans of kind {' or '.join(owners)}",
                column=key,
                allowed=f"not in a plan of kind {kind.name}",
            )
    if plan.design.offers_ties and not kind.asks_pairs:
        owners = [name for name, other in KINDS.items() if other.asks_pairs]
        yield RatifyError(
            f"belongs to plans of kind {' or '.join(owners)}",
            column="design.ties",
            value=plan.design.ties,
            allowed=f"refused in a plan of kind {kind.name}",
        )
    names = [scale.id for scale in plan.scales]
    for number, name in enumerate(names):
        if name in _TAKEN:
            yield RatifyError(
                "this id is the name of a field that every page has",
                column=f"scales.{number}.id",
                value=name,
                allowed="another id",
            )
        if name in names[:number]:
            yield RatifyError(
                "this id occurs more than once",
                column=f"scales.{number}.id",
                value=name,
                allowed="an id that nothing else has",
            )


def _check_display(plan: Plan) -> Iterator[RatifyError]:
    shown, labels = kind_of(plan).shown(plan), plan.display.labels
    if labels and len(labels) != shown:
        yield RatifyError(
            f"a {plan.kind} trial shows {shown} {'text' if shown == 1 else 'texts'}",
            column="display.labels",
            value=len(labels),
            allowed=f"{shown} {'label' if shown == 1 else 'labels'}",
        )


def _check_practice(plan: Plan) -> Iterator[RatifyError]:
    if isinstance(plan.practice, int):
        return
    texts = kind_of(plan).shown(plan)
    for number, trial in enumerate(plan.practice):
        if len(trial.texts) != texts:
            yield RatifyError(
                f"a {plan.kind} trial shows {texts} {'text' if texts == 1 else 'texts'}",
                column=f"practice.{number}.texts",
                value=len(trial.texts),
                allowed=str(texts),
            )


def _check_survey(plan: Plan) -> Iterator[RatifyError]:
    names = [question.id for question in plan.survey]
    for number, name in enumerate(names):
        # a database and a spreadsheet may not tell upper and lower case apart
        earlier = {other.casefold() for other in names[:number]} | {ANSWERED_AT}
        if name.casefold() in earlier:
            yield RatifyError(
                "is the name of another column of the survey",
                column=f"survey.{number}.id",
                value=name,
                allowed="an id that nothing else has",
            )


def _check_attention(plan: Plan, check: AttentionCheck, where: str) -> Iterator[RatifyError]:
    kind = kind_of(plan)
    texts = kind.shown(plan)
    if len(check.texts) != texts:
        yield RatifyError(
            f"a {kind.name} trial shows {texts} texts",
            column=f"{where}.texts",
            value=len(check.texts),
            allowed=str(texts),
        )
    if check.after > plan.design.trials:
        yield RatifyError(
            "is after the last trial",
            column=f"{where}.after",
            value=check.after,
            allowed=f"0 to {plan.design.trials}",
        )
    fields = kind.answers(plan)
    for name, value in check.expected.items():
        if name not in fields:
            yield RatifyError(
                "is not a field of a trial",
                column=f"{where}.expected",
                value=name,
                allowed=", ".join(fields),
            )
        elif value not in fields[name]:
            yield RatifyError(
                "cannot be answered",
                column=f"{where}.expected.{name}",
                value=value,
                allowed=", ".join(map(str, fields[name])),
            )
    values = [check.expected.get(name) for name in kind.differ]
    if len(set(values)) < len(values):
        yield RatifyError(
            "the same text cannot be the answer to both",
            column=f"{where}.expected.{kind.differ[-1]}",
            value=values[-1],
            allowed=f"another text than {kind.differ[0]}",
        )
