"""Invents the tables of a chat before anybody has talked: their columns, and rows like them."""

from __future__ import annotations

import numpy as np

from prereg.chat.joined import joined_tables
from prereg.chat.model import ChatPlan
from prereg.chat.surveys import AFTER_EACH, SurveyQuestion
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion
from prereg.streams import Stream, stream
from prereg.tables.chat_contract import CHAT_PARTICIPANTS, CONVERSATIONS, own_column

_MODE = "live"
# Largest number that a count gets, and the text of everything that is no number.
_MOST, _WORD = 60, "x"


def invented_tables(plan: ChatPlan, people: int = 1) -> dict[str, list[dict[str, str]]]:
    """Return `conversations` and `supporters` as analyses will read them, filled at random.

    Parameters
    ----------
    plan : ChatPlan
    people : int
        How many participants; the first ones go through all conditions.

    Returns
    -------
    dict
        Rows by the name of the table. The same plan gives the same rows.
    """
    rng = stream(plan.seed, Stream.REHEARSAL, "chat")
    names = list(plan.design.conditions)
    visits = [_person(plan, n, names[n % len(names)], rng) for n in range(people)]
    talks = [
        _talk(plan, one, number, rng)
        for one in visits
        for number in range(1, plan.design.conversations + 1)
    ]
    tables = joined_tables(
        plan, "", {"conversations": talks, "participants": visits}, [], mode=_MODE
    )
    dimensions = plan.measures.dimensions if plan.measures is not None else ()
    for rows in tables.values():
        for row in rows:
            for name, cell in row.items():
                scored = name.startswith((*dimensions, "overall")) or "_overall" in name
                if not cell and (scored or any(f"_{one}" in name for one in dimensions)):
                    row[name] = f"{rng.normal(3, 1):.6g}"
    return tables


def _person(
    plan: ChatPlan, number: int, condition: str, rng: np.random.Generator
) -> dict[str, str]:
    row = {one.name: _cell(one.type, rng) for one in CHAT_PARTICIPANTS.columns}
    row |= {"session_id": f"s{number:04d}", "rater_id": f"r{number:04d}", "condition": condition}
    row |= {"status": "finished", "excluded_by": "", "mode": _MODE}
    traits = [name for name, (at, _) in plan.surveys.traits.items() if at != AFTER_EACH]
    row |= {own_column(name, CHAT_PARTICIPANTS): f"{rng.uniform(1, 5):.6g}" for name in traits}
    for at, one in plan.surveys.questions():
        if at != AFTER_EACH:
            row[own_column(one.id, CHAT_PARTICIPANTS)] = _answer(one, rng)
    return row


def _talk(
    plan: ChatPlan, person: dict[str, str], number: int, rng: np.random.Generator
) -> dict[str, str]:
    row = {one.name: _cell(one.type, rng) for one in CONVERSATIONS.columns}
    row |= {name: person[name] for name in ("session_id", "rater_id", "condition", "mode")}
    scenario = plan.scenarios[int(rng.integers(len(plan.scenarios)))]
    row |= {"scenario": scenario.id, "scenario_group": scenario.group or ""}
    row |= {"conversation_id": f"{person['session_id']}.{number}", "round": str(number)}
    row |= {"status": "over", "ended_because": "time", "messages": str(rng.integers(1, 20))}
    traits = [name for name, (at, _) in plan.surveys.traits.items() if at == AFTER_EACH]
    row |= {own_column(name, CONVERSATIONS): f"{rng.uniform(1, 5):.6g}" for name in traits}
    for at, one in plan.surveys.questions():
        if at == AFTER_EACH:
            row[own_column(one.id, CONVERSATIONS)] = _answer(one, rng)
    return row


def _cell(kind: str, rng: np.random.Generator) -> str:
    if kind in {"integer", "number"}:
        return str(rng.integers(0, _MOST))
    return _WORD


def _answer(one: SurveyQuestion, rng: np.random.Generator) -> str:
    if isinstance(one, ChoiceQuestion):
        return one.options[int(rng.integers(len(one.options)))]
    if isinstance(one, ScaleQuestion):
        return str(rng.integers(one.min, one.max + 1))
    return _WORD
