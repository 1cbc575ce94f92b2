"""What a chat may cost: at consent the worst case of one participant is set aside.

The worst case is `budget.per_participant.calls` calls, each as dear as the dearest one: a prompt, a
scenario and a transcript of as many and as long messages as the plan allows, with one token for
each character, which is several times too many for most languages; and an answer of `max_tokens`.
Whoever writes in a script with more tokens than characters is still kept within what was set aside:
each call is first counted with one token for each byte (see `study.chat.asking`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from prereg.chat.model import ChatPlan
from prereg.plan.judging import LLMJudge
from study.chat.chat_models import PURPOSES, model_for
from study.chat.limits import longest_answer, longest_reply
from study.chat.study import ChatStudy
from study.llm.prices import MESSAGE_TOKENS, price
from study.store.chat_tables import Call, ChatVisit
from study.store.database import Store
from study.store.tables import Visit

# Characters of a prompt and a scenario together, if they are not known.
PROMPT_CHARACTERS = 8_000


@dataclass(frozen=True)
class Reservation:
    """The most that one participant may cost: in money (0 without prices), and in calls."""

    money: float
    calls: int


@dataclass(frozen=True)
class Costs:
    """What a chat has cost, in the plan's currency.

    Attributes
    ----------
    spent : float
        By calls that were answered, or may have been.
    reserved : float
        What is set aside for participants who are there now, beyond what they have spent.
    limit : float or None
        The plan's `budget.money`.
    foreseen : float or None
        At the end, if everybody to come costs what those who finished have cost; None before
        anybody has.
    calls : int
        Calls so far.
    currency : str
        Empty without prices.
    """

    spent: float
    reserved: float
    limit: float | None
    foreseen: float | None
    calls: int
    currency: str


def worst_case(plan: ChatPlan, *, prompt_characters: int = PROMPT_CHARACTERS) -> Reservation:
    """Return the most that one participant may cost.

    Parameters
    ----------
    plan : ChatPlan
    prompt_characters : int
        Of the longest prompt with the longest scenario.
    """
    calls = plan.budget.per_participant.calls
    models = {purpose: model_for(plan, purpose) for purpose in PURPOSES}
    dearest = max(
        (
            _dearest(plan, purpose, model, prompt_characters)
            for purpose, model in models.items()
            if model is not None
        ),
        default=0.0,
    )
    return Reservation(calls * dearest, calls)


def _dearest(plan: ChatPlan, purpose: str, model: LLMJudge, prompt_characters: int) -> float:
    """Return what a call costs at most, with one token for each character."""
    limits = plan.conversation.messages
    if purpose == "moderation":
        return price(model, max(limits.characters, longest_reply(plan)), 0) or 0.0
    each = limits.characters + longest_reply(plan) + 2 * MESSAGE_TOKENS
    tokens = prompt_characters + (limits.max + 1) * each
    if purpose == "answer":
        asked = plan.feedback.coach.questions.max if plan.feedback.coach else 0
        tokens += (asked + 1) * (limits.characters + longest_answer(plan) + 2 * MESSAGE_TOKENS)
    return price(model, tokens, model.max_tokens) or 0.0


def worst_case_of(study: ChatStudy) -> Reservation:
    """Return the most that one participant of a study may cost, with its own texts."""
    prompt = max((len(text) for text in study.prompts.values()), default=0)
    scenario = max((len(text) for text in study.backgrounds.values()), default=0)
    return worst_case(study.plan, prompt_characters=prompt + scenario + 2_000)


def reserve(connection: Connection, study: ChatStudy, mode: str) -> Reservation | None:
    """Return what to set aside for a newcomer, or None if it does not fit into the budget.

    Called in the transaction of a claim, which then stores it in `chat_visits`. Until that
    transaction ends, no other one gets past here.
    """
    wanted = worst_case_of(study)
    if study.plan.budget.money is None:
        return wanted
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:of, 0))")
        connection.execute(lock, {"of": f"budget of {study.root_hash} {mode}"})
    return wanted if _fits(connection, study, mode, wanted) else None


def fits(connection: Connection, study: ChatStudy, mode: str) -> bool:
    """Say whether the worst case of one more participant fits into the budget."""
    return _fits(connection, study, mode, worst_case_of(study))


def _fits(connection: Connection, study: ChatStudy, mode: str, wanted: Reservation) -> bool:
    limit = study.plan.budget.money
    if limit is None:
        return True
    spent, held, _ = _spent(connection, study, mode)
    return spent + held + wanted.money <= limit


def _spent(connection: Connection, study: ChatStudy, mode: str) -> tuple[float, float, int]:
    """Return what was spent, what is set aside beyond it, and how many calls there were."""
    ours = (Call.plan_hash == study.root_hash, Call.mode == mode)
    total, calls = connection.execute(
        select(func.coalesce(func.sum(Call.cost), 0.0), func.count()).where(*ours)
    ).one()
    by_visit = (
        select(Call.session_id, func.coalesce(func.sum(Call.cost), 0.0).label("cost"))
        .where(*ours)
        .group_by(Call.session_id)
        .subquery()
    )
    there = (
        select(ChatVisit.reserved_money, func.coalesce(by_visit.c.cost, 0.0))
        .join(Visit, Visit.session_id == ChatVisit.session_id)
        .join(by_visit, by_visit.c.session_id == ChatVisit.session_id, isouter=True)
        .where(
            ChatVisit.plan_hash == study.root_hash, ChatVisit.mode == mode, Visit.status == "active"
        )
    )
    held = sum(max(0.0, reserved - cost) for reserved, cost in connection.execute(there))
    return float(total or 0), float(held), int(calls)


def cost(store: Store, study: ChatStudy, mode: str) -> Costs:
    """Return what a chat has cost so far, and will cost."""
    whole = study.plan.design.supporters
    finished = select(Visit.session_id).where(
        Visit.plan_hash == study.root_hash, Visit.mode == mode, Visit.status == "finished"
    )
    paid = select(func.coalesce(func.sum(Call.cost), 0.0)).where(
        Call.plan_hash == study.root_hash, Call.mode == mode, Call.session_id.in_(finished)
    )
    with store.snapshot() as connection:
        spent, held, calls = _spent(connection, study, mode)
        count = connection.scalar(select(func.count()).select_from(finished.subquery())) or 0
        by_them = float(connection.scalar(paid) or 0)
    foreseen = spent + max(0, whole - count) * by_them / count if count else None
    prices = [server.prices for server in study.plan.servers.values() if server.prices]
    currency = prices[0].currency if prices else ""
    return Costs(spent, held, study.plan.budget.money, foreseen, calls, currency)
