"""The contract of the tidy tables of a chat: the columns, types and allowed words of each.

The writer (`study.export.chat`) and the codebook (`data/README.md`) follow it. A study's own
columns, one for each trait, question and score of its plan, come after these.
"""

from __future__ import annotations

from dataclasses import replace

from prereg.tables.contract import CHAT_STATUSES, MODES, WITHDRAWALS, Column, Contract, Words

SPEAKERS: Words = {"partner": "plays somebody in trouble", "supporter": "the participant"}
SOURCES: Words = {
    "typed": "by the participant",
    "opening": "the plan's first words",
    "llm": "",
    "scripted": "",
}
COACH_KINDS: Words = {"feedback": "on the whole conversation", "question": "", "answer": ""}
SURVEY_NAMES: Words = {
    "before": "before the first conversation",
    "after_each": "after each conversation",
    "end": "after the last one",
}
CONVERSATION_STATUSES: Words = {"open": "", "over": "", "failed": "no reply came any more"}
# Why a conversation ended.
ENDS: Words = {
    "time": "the time of the plan was up",
    "messages": "the most messages of the plan were sent",
    "participant": "they ended it",
    "partner_failure": "no reply came any more",
    "safety": "they stopped when help was offered",
}
# Conversations that were had as the plan means them.
HAD = ("time", "messages", "participant")
VISIT_ENDS: Words = {
    "partner_failure": "no reply came any more",
    "safety": "they stopped when help was offered",
    "left": "they left",
}
RULES: Words = {
    "incomplete_session": "not all conversations were had",
    "partner_failure": "no reply came any more",
    "stopped_for_safety": "they stopped when help was offered",
    "pasted_most": "more of the characters were pasted than the plan allows",
    "admitted_ai": "they said that a program had helped them",
}

_COUNT = Column("", type="integer")


def _count(name: str, meaning: str, empty: str | None = None) -> Column:
    return replace(_COUNT, name=name, meaning=meaning, empty=empty)


_SESSION_ID = Column("session_id", "one visit of one participant; see participants (chat)")
_RATER_ID = Column("rater_id", "the participant's pseudonym, such as `r417`")
_CONDITION = Column("condition", "the arm to which the participant was allocated")
_CONVERSATION_ID = Column("conversation_id", "one conversation; see conversations")
_ROUND = _count("round", "1 to n: the first, second, ... conversation of the participant")
_SCENARIO = Column("scenario", "the trouble that the partner talked about, by the plan's id")
_KEPT = (
    Column("plan_hash", "SHA-256 of the plan, 64 hexadecimal digits"),
    Column("mode", words=MODES),
)
_REQUEST = (
    Column("request_id", "the call to the model that gave the text", empty="no model wrote it"),
    _count("latency_ms", "milliseconds that the call took", "no model wrote it"),
)
_NO_SCRIPT = "no JavaScript, or not typed"
_FLAG = Column(
    "flag", "what a screen or a check found in the text, see above", empty="nothing was found"
)

MESSAGES = Contract(
    "messages",
    "one message of a conversation",
    (
        Column("message_id", "unique in the table"),
        *(_CONVERSATION_ID, _SESSION_ID, _RATER_ID, _CONDITION, _ROUND, _SCENARIO),
        _count("position", "1 to n within the conversation; 1 is the partner's opening"),
        Column("speaker", words=SPEAKERS),
        Column("source", words=SOURCES),
        Column("text", "what was said, as it was said"),
        Column("sent_at", "when it was stored", "time"),
        Column(
            "shown_at",
            "when a page first showed it",
            "time",
            empty="the participant typed it, or it was never shown",
        ),
        _count(
            "clock_ms",
            "milliseconds of active time that had passed in the conversation",
            "the clock had not begun",
        ),
        _count("compose_ms", "milliseconds from its first key to sending", _NO_SCRIPT),
        _count("keys", "keys pressed while it was written", _NO_SCRIPT),
        _count("pasted_characters", "characters that were pasted into it", _NO_SCRIPT),
        _count("hidden_ms", "milliseconds that the page was hidden meanwhile", _NO_SCRIPT),
        *(*_REQUEST, _FLAG, *_KEPT),
    ),
)
CONVERSATIONS = Contract(
    "conversations",
    "one conversation",
    (
        Column("conversation_id", "unique in the table"),
        *(_SESSION_ID, _RATER_ID, _CONDITION, _ROUND, _SCENARIO),
        Column("scenario_group", "the group of its scenario in the plan", empty="it has none"),
        Column("status", words=CONVERSATION_STATUSES),
        Column("ended_because", words=ENDS, empty="it is open"),
        Column("opened_at", "when its page was first shown", "time"),
        Column("first_message_at", "when the clock began", "time", empty="nothing was written"),
        Column("ended_at", "when it was over", "time", empty="it is open"),
        _count("active_ms", "milliseconds that the clock ran, see above"),
        _count("messages", "how many the participant sent"),
        _count("replies", "how many the partner sent, without its opening"),
        _count("words", "words of the participant's messages, as spaces divide them"),
        _count("characters", "characters of the participant's messages"),
        _count("pasted_characters", "characters that were pasted into them", _NO_SCRIPT),
        _count("keys", "keys pressed while they were written", _NO_SCRIPT),
        _count("hidden_ms", "milliseconds that the page was hidden"),
        _count("role_breaks", "how often the partner fell out of its role, as a check found"),
        _count("safety_flags", "how often a screen found something"),
        *_KEPT,
    ),
)
CHAT_PARTICIPANTS = Contract(
    "participants",
    "one person's visit to a chat",
    (
        replace(_SESSION_ID, meaning="unique in the table"),
        _RATER_ID,
        Column("place_id", "their place in the allocation, such as `p00001`; see above"),
        _CONDITION,
        Column("status", words=CHAT_STATUSES),
        Column("ended_because", words=VISIT_ENDS, empty="nothing of the kind"),
        Column("consented_at", "when consent was given", "time"),
        Column("finished_at", "when the last step was done", "time", empty="not finished"),
        _count("rounds_done", "how many conversations were had: neither failed nor stopped"),
        Column(
            "pasted_share",
            "share of the characters of all their messages that were pasted, 0 to 1",
            "number",
            empty="nothing was written, or no JavaScript",
        ),
        _count("safety_flags", "how often a screen found something"),
        *_KEPT,
        Column(
            "excluded_by",
            "the first of the plan's exclusions that applies",
            words=RULES,
            empty="none applies",
        ),
    ),
)
SURVEYS = Contract(
    "surveys",
    "one answer to one question of a survey",
    (
        *(_SESSION_ID, _RATER_ID, _CONDITION),
        Column("survey", words=SURVEY_NAMES),
        replace(_ROUND, meaning="the conversation that it followed; 0 before and at the end"),
        Column("question", "the question's id in the plan"),
        Column("value", "the point, the option as the plan writes it, or words", empty="left open"),
        Column(
            "keyed_value",
            "the point as it counts towards the trait: turned round where the plan says `reverse`",
            "number",
            empty="left open, or not a scale",
        ),
        Column("shown_at", "when its page was first shown", "time", empty="unknown"),
        Column("answered_at", "when the answer was stored", "time"),
        *_KEPT,
    ),
)
COACHING = Contract(
    "coaching",
    "one text between a participant and the coach",
    (
        *(_SESSION_ID, _RATER_ID, _CONDITION),
        replace(_ROUND, meaning="the conversation that it is about"),
        _count("position", "0 is the feedback; then question 1, answer 2, question 3, ..."),
        Column("kind", words=COACH_KINDS),
        Column("source", words={name: SOURCES[name] for name in ("typed", "llm", "scripted")}),
        Column("text", "what was said, as it was said"),
        Column("sent_at", "when it was stored", "time"),
        Column(
            "shown_at",
            "when a page first showed it",
            "time",
            empty="the participant typed it, or it was never shown",
        ),
        *(*_REQUEST, _FLAG, *_KEPT),
    ),
)

CHAT_TABLES = {
    table.name: table
    for table in (MESSAGES, CONVERSATIONS, CHAT_PARTICIPANTS, SURVEYS, COACHING, WITHDRAWALS)
}


def own_column(name: str, table: Contract) -> str:
    """Return the column of a trait or a question: its name, if the table has no such column."""
    return f"survey_{name}" if name in table.names else name
