"""How many took part in a chat by condition, how many each exclusion left out, who is analysed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from prereg.chat.items import Row, finished
from prereg.chat.model import ChatPlan

TRIAL_FLOW = "trial_flow"  # the table's name
FLOW_COLUMNS = ("step", "condition", "n")
# Steps beside the rules; the last counts conversations, all others count participants.
BEGAN, UNDER_WAY, NOTHING, ANALYSED = "began", "under_way", "no_conversation", "analysed"
TALKS = "conversations_analysed"


def flow_rows(
    plan: ChatPlan, conversations: Iterable[Row], participants: Sequence[Row], *, mode: str
) -> list[dict[str, str]]:
    """Return the flow of participants, a row for each step and condition, in the plan's order.

    Everybody who began is in exactly one of: under way, left out by the first rule that applies,
    without a conversation that can be analysed, analysed.

    Parameters
    ----------
    plan : ChatPlan
    conversations, participants : iterable of mapping
        Rows of the exported tables.
    mode : {'live', 'pilot', 'bot'}
    """
    talks = Counter(row["session_id"] for row in finished(conversations, participants, mode=mode))
    counts: Counter[tuple[str, str]] = Counter()
    for row in participants:
        if row["mode"] != mode:
            continue
        condition, had = row["condition"], talks[row["session_id"]]
        counts[BEGAN, condition] += 1
        counts[TALKS, condition] += had
        counts[_ended(row, had), condition] += 1
    rules = dict.fromkeys(rule.rule for rule in plan.exclusions)
    return [
        {"step": step, "condition": condition, "n": str(counts[step, condition])}
        for step in (BEGAN, UNDER_WAY, *rules, NOTHING, ANALYSED, TALKS)
        for condition in plan.design.conditions
    ]


def _ended(row: Row, had: int) -> str:
    if row["status"] == "active":
        return UNDER_WAY
    if row["excluded_by"]:
        return row["excluded_by"]
    return ANALYSED if had else NOTHING
