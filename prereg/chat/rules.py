"""Checks that the parts of a plan of kind chat fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.chat.calls import least_calls, most_calls
from prereg.chat.columns import faults_of_columns
from prereg.chat.compare_rules import faults_of_comparing
from prereg.chat.design import COACH, VIDEO
from prereg.chat.model import ChatPlan
from prereg.chat.stages import faults_of_stages
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.once import ids_once, rules_once
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion


def faults_of_chat(plan: ChatPlan) -> Iterator[RatifyError]:
    """Yield a fault for each part of a plan that does not fit another.

    Parameters
    ----------
    plan : ChatPlan
        Each part is valid by itself.

    Yields
    ------
    RatifyError
        `column` is the dotted path of the field, `allowed` what would fit.
    """
    yield from _servers(plan)
    yield from _budget(plan)
    yield from _feedback(plan)
    yield from _scenarios(plan)
    yield from _exclusions(plan)
    yield from _recruitment(plan)
    yield from _simulated(plan)
    yield from faults_of_comparing(plan)
    yield from faults_of_stages(plan, PLAN_FILE)
    yield from faults_of_columns(plan)


def _servers(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse the name of a server that the plan does not describe."""
    named = {"partner.server": plan.partner.server, "safety.server": plan.safety.server}
    if plan.feedback.coach is not None:
        named["feedback.coach.server"] = plan.feedback.coach.server
    for key, server in named.items():
        if server is not None and server not in plan.servers:
            yield RatifyError(
                "is not a server of the plan",
                column=key,
                value=server,
                allowed=", ".join(plan.servers) or f"a server that servers.{server} describes",
            )


def _budget(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse too few calls for one participant, and money without prices or in two currencies."""
    calls, least = plan.budget.per_participant.calls, least_calls(plan)
    if calls < least:
        yield RatifyError(
            "is too little: a participant who writes and asks as little as they may causes more "
            "calls",
            column="budget.per_participant.calls",
            value=calls,
            allowed=f"at least {least}; {most_calls(plan)} for all that the plan allows",
        )
    if plan.budget.money is None:
        return
    currencies = set()
    for name, server in plan.used_servers().items():
        if server.prices is None:
            yield RatifyError(
                "a budget in money needs prices",
                column=f"servers.{name}.prices",
                allowed="{input: ..., output: ...}, what a million tokens cost",
            )
        else:
            currencies.add(server.prices.currency)
    if len(currencies) > 1:
        yield RatifyError(
            "is one amount, but the servers have prices in several currencies",
            column="budget.money",
            value=", ".join(sorted(currencies)),
            allowed="prices in one currency",
        )


def _feedback(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse conditions whose feedback is not described, and rounds that nothing follows."""
    feedback, rounds = plan.feedback, plan.design.conversations
    for name, parts in plan.design.conditions.items():
        for part, given in ((COACH, feedback.coach), (VIDEO, feedback.video)):
            if part in parts and given is None:
                yield RatifyError(
                    f"the plan does not describe the {part}",
                    column=f"design.conditions.{name}",
                    value=part,
                    allowed=f"the key feedback.{part}, or no {part}",
                )
    if any(plan.design.conditions.values()) and not feedback.after_rounds:
        yield RatifyError(
            "names no round, so no condition ever has its feedback",
            column="feedback.after_rounds",
            allowed="at least one round",
        )
    for number, after in enumerate(feedback.after_rounds):
        if after >= rounds:
            yield RatifyError(
                "no conversation follows this round",
                column=f"feedback.after_rounds.{number}",
                value=after,
                allowed=f"1 to {rounds - 1}" if rounds > 1 else "none: there is one conversation",
            )
    if feedback.video is not None:
        for number in range(len(feedback.after_rounds), len(feedback.video.clips)):
            yield RatifyError(
                "is never shown: each round has one clip",
                column=f"feedback.video.clips.{number}",
                value=feedback.video.clips[number],
                allowed=f"at most {len(feedback.after_rounds)} clips, as after_rounds has rounds",
            )
    if feedback.coach is not None:
        yield from ids_once([one.id for one in feedback.coach.scores], "feedback.coach.scores")


def _scenarios(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse two scenarios of one id, and fewer than a participant meets."""
    names = [scenario.id for scenario in plan.scenarios]
    yield from ids_once(names, "scenarios")
    if plan.design.scenarios.draw > len(set(names)):
        yield RatifyError(
            "a participant meets each scenario once, and there are fewer",
            column="design.scenarios.draw",
            value=plan.design.scenarios.draw,
            allowed=f"1 to {len(set(names))}",
        )


def _exclusions(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse a rule twice, and an admission that no question asks for."""
    asked = {
        question.id: question
        for survey, question in plan.surveys.questions()
        if survey != "after_each" and isinstance(question, ChoiceQuestion | ScaleQuestion)
    }
    yield from rules_once([exclusion.rule for exclusion in plan.exclusions])
    for number, exclusion in enumerate(plan.exclusions):
        where = f"exclusions.{number}"
        if exclusion.question is None:
            continue
        question = asked.get(exclusion.question)
        if question is None:
            yield RatifyError(
                "is no question with options that is asked before or at the end",
                column=f"{where}.question",
                value=exclusion.question,
                allowed=", ".join(asked) or "a question of kind choice in surveys.end",
            )
            continue
        known = (
            question.options
            if isinstance(question, ChoiceQuestion)
            else tuple(str(point) for point in question.points)
        )
        for at, value in enumerate(exclusion.values):
            if value not in known:
                yield RatifyError(
                    f"is no answer to {question.id}",
                    column=f"{where}.values.{at}",
                    value=value,
                    allowed=", ".join(known),
                )


def _recruitment(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse codes for what cannot happen in a chat, and a missing one for what can."""
    recruitment = plan.recruitment
    speakers = (plan.partner, plan.feedback.coach)
    asks = any(one is not None and one.kind == "llm" for one in speakers)
    if asks and recruitment.codes.partner_failure is None:
        yield RatifyError(
            "is needed where a model answers: whoever gets no reply is paid, too",
            column="recruitment.codes.partner_failure",
            allowed="a code of its own",
        )
    for name in ("screened_out", "failed_attention"):
        code = getattr(recruitment.codes, name)
        if code is not None:
            yield RatifyError(
                "a chat has neither comprehension questions nor attention checks",
                column=f"recruitment.codes.{name}",
                value=code,
                allowed="no such code",
            )
    if recruitment.replace is not None:
        yield RatifyError(
            "a chat has no attention checks",
            column="recruitment.replace",
            value=recruitment.replace,
            allowed="no such key",
        )


def _simulated(plan: ChatPlan) -> Iterator[RatifyError]:
    """Refuse an assumed effect of a condition that the plan does not have."""
    for name in plan.simulated.effects:
        if name not in plan.design.conditions:
            yield RatifyError(
                "is no condition of the plan",
                column=f"simulated.effects.{name}",
                value=name,
                allowed=", ".join(plan.design.conditions),
            )
