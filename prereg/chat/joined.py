"""Joins what a chat collected with what judges said: the tables that analyses of a chat read."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from prereg.chat.items import Row, finished, item_id
from prereg.chat.model import ChatPlan
from prereg.chat.stages import CONVERSATIONS, OVERALL, SUPPORTERS, first_judge
from prereg.chat.surveys import AFTER_EACH, ScaleItem
from prereg.strict import as_column
from prereg.tables.chat_contract import CONVERSATIONS as CONTRACT
from prereg.tables.chat_contract import own_column

# Columns of a participant that say nothing about a conversation, or are there already.
_OF_VISITS = frozenset({"status", "ended_because", "plan_hash", "mode", "excluded_by"})
# Numbers of a conversation, beside scores and answers, of which participants have a mean.
_COUNTED = ("messages", "replies", "words", "characters", "active_ms", "role_breaks")
FIRST, LATER = "first", "later"
Scores = Mapping[tuple[str, str, str], float]


def joined_tables(
    plan: ChatPlan,
    plan_hash: str,
    tables: Mapping[str, Sequence[Row]],
    ratings: Iterable[Row],
    *,
    mode: str,
) -> dict[str, list[dict[str, str]]]:
    """Return the tables of the first stage by name: conversations and supporters.

    Parameters
    ----------
    plan : ChatPlan
    plan_hash : str
        Of the chat's lock.
    tables : mapping
        Rows of the exported tables conversations and participants.
    ratings : iterable of mapping
        Rows of the ratings table of the study in which judges scored the conversations.
    mode : {'live', 'pilot', 'bot'}
        Of the conversations.

    Returns
    -------
    dict
        Every cell is text, a missing one empty; all rows of a table have the same columns.
    """
    scores = _scores(ratings)
    people = {row["session_id"]: row for row in tables["participants"]}
    talks = [
        _conversation(plan, plan_hash, row, scores, people[row["session_id"]])
        for row in finished(tables["conversations"], tables["participants"], mode=mode)
    ]
    talks.sort(key=lambda row: (row["session_id"], int(row["round"])))
    return {CONVERSATIONS: talks, SUPPORTERS: _supporters(plan, talks, people)}


def _scores(ratings: Iterable[Row]) -> Scores:
    """Return what each judge said of each dimension of each item."""
    return {
        (row["rater_id"], row["item_id"], row["dimension"]): float(row["value"])
        for row in ratings
        if row["rater_kind"] != "human" and row["value"] != ""
    }


def _of_judge(plan: ChatPlan, judge: str, item: str, scores: Scores) -> dict[str, str]:
    """Return a judge's scores of an item by dimension, and their signed sum."""
    if plan.measures is None:
        return {}
    found = {name: scores.get((judge, item, name)) for name in plan.measures.dimensions}
    signs = dict.fromkeys(plan.measures.adds, 1) | dict.fromkeys(plan.measures.subtracts, -1)
    known = {name: value for name, value in found.items() if value is not None}
    whole = sum(signs[name] * value for name, value in known.items())
    return {
        **{name: _cell(value) for name, value in found.items()},
        OVERALL: _cell(whole if len(known) == len(found) else None),
    }


def _conversation(
    plan: ChatPlan, plan_hash: str, row: Row, scores: Scores, person: Row
) -> dict[str, str]:
    item = item_id(plan_hash, row["conversation_id"])
    found = {**row, "item_id": item, "post": "0" if row["round"] == "1" else "1"}
    first = first_judge(plan)
    if first is not None:
        found |= _of_judge(plan, first, item, scores)
    for judge in plan.judges:
        if judge.kind != "panel":
            said = _of_judge(plan, judge.id, item, scores)
            found |= {f"{as_column(judge.id)}_{name}": value for name, value in said.items()}
    return found | {name: cell for name, cell in person.items() if _new(name, found)}


def _new(name: str, found: Mapping[str, str]) -> bool:
    return name not in found and name not in _OF_VISITS


def _supporters(
    plan: ChatPlan, talks: Sequence[Mapping[str, str]], people: Mapping[str, Row]
) -> list[dict[str, str]]:
    """Return a row for each participant with a conversation: what they said, and their means."""
    numbers = [name for name in _numbers(plan) if talks and name in talks[0]]
    of: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in talks:
        of[row["session_id"]].append(row)
    found = []
    for session, rows in sorted(of.items()):
        means = {
            f"{name}_{when}": _mean([row[name] for row in rows if row["post"] == post])
            for name in numbers
            for when, post in ((FIRST, "0"), (LATER, "1"))
        }
        found.append({**people[session], **means})
    return found


def _numbers(plan: ChatPlan) -> list[str]:
    rated = [*(plan.measures.dimensions if plan.measures else ()), OVERALL]
    judged = [f"{as_column(judge.id)}_{name}" for judge in plan.judges for name in rated]
    scales = [
        question.id
        for survey, question in plan.surveys.questions()
        if survey == AFTER_EACH and isinstance(question, ScaleItem)
    ]
    traits = [name for name, (survey, _) in plan.surveys.traits.items() if survey == AFTER_EACH]
    asked = [own_column(name, CONTRACT) for name in (*scales, *traits)]
    return [*rated, *judged, *_COUNTED, *asked]


def _mean(cells: Sequence[str]) -> str:
    known = [float(cell) for cell in cells if cell != ""]
    return _cell(statistics.fmean(known) if known else None)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
