"""Makes items of finished conversations: what judges and raters of the second stage are shown.

Only `scenario` and `text` ever reach them. The other columns, and the ids, are for the analysis; an
id tells neither the condition nor the round.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prereg.chat.transcripts import transcript

Row = Mapping[str, str]

ITEM_COLUMNS = ("item_id", "scenario", "text", "condition", "round", "rater")
_OVER = "over"
_DIGITS = 20


def item_id(plan_hash: str, conversation_id: str) -> str:
    """Return the id of the item that a conversation becomes; it begins with a letter."""
    return "c" + _digest(plan_hash, "item", conversation_id)


def person_id(plan_hash: str, session_id: str) -> str:
    """Return the pseudonym of a participant in the items, whatever the tables call them."""
    return "p" + _digest(plan_hash, "person", session_id)


def _digest(*of: str) -> str:
    return hashlib.sha256(":".join(of).encode()).hexdigest()[:_DIGITS]


class _Said(NamedTuple):
    speaker: str
    text: str


def finished(conversations: Iterable[Row], participants: Iterable[Row], *, mode: str) -> list[Row]:
    """Return the conversations that become items.

    They are over, have a message of the participant, whose visit is over, too, and whom no
    exclusion leaves out.

    Parameters
    ----------
    conversations, participants : iterable of mapping
        Rows of the exported tables.
    mode : {'live', 'pilot', 'bot'}
    """
    kept = {
        row["session_id"]
        for row in participants
        if row["status"] != "active" and not row["excluded_by"]
    }
    return [
        row
        for row in conversations
        if row["mode"] == mode
        and row["status"] == _OVER
        and row["session_id"] in kept
        and int(row["messages"] or 0) > 0
    ]


def item_rows(
    plan_hash: str,
    *,
    conversations: Iterable[Row],
    messages: Iterable[Row],
    participants: Iterable[Row],
    mode: str,
) -> list[dict[str, str]]:
    """Return the rows of `items.csv`, in the order of their ids.

    Parameters
    ----------
    plan_hash : str
        Of the chat's lock.
    conversations, messages, participants : iterable of mapping
        Rows of the exported tables.
    mode : {'live', 'pilot', 'bot'}

    Returns
    -------
    list of dict
        The same tables give the same rows, whatever the order of theirs.
    """
    said: dict[str, list[_Said]] = defaultdict(list)
    for one in sorted(messages, key=lambda one: int(one["position"])):
        # a last reply that came too late was never read
        if one["speaker"] == "supporter" or one["shown_at"] or one["source"] == "opening":
            said[one["conversation_id"]].append(_Said(one["speaker"], one["text"]))
    rows = [
        {
            "item_id": item_id(plan_hash, row["conversation_id"]),
            "scenario": row["scenario"],
            "text": transcript(said[row["conversation_id"]]),
            "condition": row["condition"],
            "round": row["round"],
            "rater": person_id(plan_hash, row["session_id"]),
        }
        for row in finished(conversations, participants, mode=mode)
    ]
    return sorted(rows, key=lambda row: row["item_id"])


def scored_rows(
    rows: Iterable[Row], scores: Mapping[str, Mapping[str, float]], names: Iterable[str]
) -> list[dict[str, str]]:
    """Return rows of items with a judge's scores, each as a column; a missing score is empty.

    Parameters
    ----------
    rows : iterable of mapping
    scores : mapping
        By item: its scores by name.
    names : iterable of str
        The columns; one that no item has is left out.
    """
    known = [name for name in names if any(name in one for one in scores.values())]
    return [
        {**row, **{name: score_cell(scores.get(row["item_id"], {}).get(name)) for name in known}}
        for row in rows
    ]


def score_cell(value: float | None) -> str:
    """Return a score as a cell; NaN and None are empty."""
    return "" if value is None or value != value else f"{value:.12g}"
