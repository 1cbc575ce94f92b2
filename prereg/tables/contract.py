"""The contract of the tidy tables: the columns, types and allowed words of each.

Those of a chat are in `prereg.tables.chat_contract`.

The writer (`study.export.tidy`), the reader (`analysis.tables.tidy`, `analysis.habits.tables`), the
store (`study.store.tables`) and the codebook (`data/README.md`) follow it; tests compare them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Type = Literal["string", "integer", "number", "boolean", "time", "date"]
# Allowed words, each with an explanation if it needs one.
Words = Mapping[str, str]

# The type of a cell in Python and Parquet. Ids and times are always text.
_PYTHON: Mapping[Type, type] = {"integer": int, "number": float, "boolean": bool}


@dataclass(frozen=True)
class Column:
    """One column of a tidy table.

    Attributes
    ----------
    name : str
    meaning : str
        What a cell says, as the codebook prints it.
    type : {'string', 'integer', 'number', 'boolean', 'time', 'date'}
    words : mapping
        The allowed words, each with its explanation; empty where a cell is not one of a few words.
    empty : str or None
        What an empty cell says; None if no cell may be empty.
    optional : bool
        Whether a table that Ratify did not write may lack the column.
    """

    name: str
    meaning: str = ""
    type: Type = "string"
    words: Words = field(default_factory=dict)
    empty: str | None = None
    optional: bool = False

    @property
    def allowed(self) -> tuple[str, ...]:
        """The words that a cell may hold; the empty one is among them where a cell may be empty."""
        return (*self.words, *([] if self.empty is None else [""]))


@dataclass(frozen=True)
class Contract:
    """One tidy table: its name, what one row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that every such table has, even if Ratify did not write it."""
        return tuple(column.name for column in self.columns if not column.optional)

    @property
    def numeric(self) -> tuple[str, ...]:
        """The names of the columns that hold numbers."""
        return tuple(c.name for c in self.columns if c.type in ("integer", "number"))

    @property
    def types(self) -> dict[str, type]:
        """The Python type of each column, by name, in order."""
        return {column.name: _PYTHON.get(column.type, str) for column in self.columns}


def _table(name: str, row: str, *columns: Column) -> Contract:
    return Contract(name, row, columns)


def _optional(*columns: Column, empty: str | None = None) -> tuple[Column, ...]:
    """Return columns that a table may lack; `empty` replaces what their empty cells say."""
    return tuple(replace(c, optional=True, empty=empty or c.empty) for c in columns)


def _extra(
    names: str,
    meaning: str,
    empty: str | None = None,
    type: Type = "string",  # noqa: A002
) -> tuple[Column, ...]:
    """Return columns that a table may lack and that differ by their names only."""
    return _optional(*(Column(name, meaning, type, empty=empty) for name in names.split()))


MODES: Words = {"live": "", "pilot": "", "bot": "simulated"}
RATER_KINDS: Words = {"human": "in mode `bot`, a simulated person", "llm": "", "baseline": ""}
SIDES: Words = {
    "left": "the text called A, which comes first",
    "right": "the text called B; in a language written from right to left, A is on the right",
}
# What a choice says where neither side was chosen.
TIE = "tie"
CHOICES: Words = {**SIDES, TIE: "neither: the third answer, in a plan with `ties: offered`"}
STATUSES: Words = {
    "active": "",
    "finished": "",
    "returned": "the recruitment platform says that they gave the study back",
    "timed_out": "silent for as long as the plan allows, so that somebody else got the place",
    "screened_out": "failed the comprehension question",
}
# How a visit to a chat may end.
CHAT_STATUSES: Words = {
    **{name: STATUSES[name] for name in ("active", "finished", "returned", "timed_out")},
    "partner_failure": "no reply came any more, so the visit ended, paid",
    "stopped": "chose to stop, paid, when help was offered",
}
_OF_CHOICES: Words = {
    "trial": "a pair of the sequences, asked of people and judges alike",
    "reversed": "the same pair with its sides exchanged, if the plan asks a judge in both orders",
    "ranking": "a pair drawn for a judge's own ranking; for a judge of kind table, `position` "
    "counts the pairs without an answer first, so that it ends at the number of pairs drawn",
}
PURPOSES: Words = dict.fromkeys((*_OF_CHOICES, "rating", "probe"), "")
PROBE_KINDS: Words = {
    "original": "",
    "swap": "sides exchanged",
    "repeat": "the same words again",
    "wording": "another prompt",
    "perturbation": "a rewritten text",
}
OUTCOMES: Words = {"answered": "", "unanswered": ""}
REASONS: Words = dict.fromkeys(
    "refused unreadable cut_off rejected server_error rate_limited timeout connection".split(), ""
)
PICKS: Words = {"most": "on one row of a trial", "least": "on another"}

_PLAN_HASH = Column("plan_hash", "SHA-256 of the plan, 64 hexadecimal digits")
_ANY_PLAN = replace(_PLAN_HASH, empty="collected elsewhere")
_MODE = Column("mode", words=MODES)
_SESSION_ID = Column("session_id", "one visit of one rater; see participants")
_RATER = (
    Column("rater_id", "who answered; standard errors are clustered by it"),
    Column("rater_kind", words=RATER_KINDS),
)
_SCENARIO = Column("scenario", "the scenario of its items, or `attention_check`")
_WHO = (_ANY_PLAN, _MODE, _SESSION_ID, *_RATER, _SCENARIO)
_ITEM_ID = Column("item_id", "as in items; on an attention check it is not an item, see above")
_PAIR = (
    Column("left_id", "`item_id` of the item on the left, or shown first"),
    Column("right_id", "`item_id` of the item on the right; differs from `left_id`"),
)
_CHOICE = Column("choice", words=CHOICES)
_POSITION = Column("position", "1 to n, the place of the trial in the rater's sequence", "integer")
_IS_CHECK = Column(
    "is_attention_check", "`true`: the right answer was known beforehand, see above", "boolean"
)
_CHECKED = (
    _IS_CHECK,
    *_extra(
        "passed_check",
        "`true`: the attention check was passed; `false`: it was failed",
        "not an attention check",
        "boolean",
    ),
)
_WHEN = (
    Column("shown_at", "when the trial was first shown", "time", empty="not shown on a page"),
    Column("answered_at", "when the answer was stored", "time", empty="unknown"),
    Column(
        "response_ms",
        "milliseconds from the first showing to the answer, by the server's clock",
        "integer",
        empty="not a person, or unknown because the server's clock was set meanwhile",
    ),
    Column(
        "hidden_ms",
        "milliseconds that the page was hidden since it was last loaded, by the rater's device",
        "integer",
        empty="no JavaScript, or not a person",
    ),
    *_extra(
        "clock_changed",
        "`true`: the server's clock was set between `shown_at` and `answered_at`, which therefore "
        "do not agree with `response_ms`",
        "not shown on a page",
        "boolean",
    ),
)
_REQUEST = _extra("request_id", "the request that was answered; see requests", "not an LLM")
_SCORE = (
    Column("dimension", "what was scored; one score for each rater, item and dimension"),
    Column(
        "value",
        "points, from `scale_min` to `scale_max`; not always whole (averages of several raters); "
        "the name of the label, if the plan's scale has labels",
        "number",
        empty="not scored",
    ),
    Column(
        "scale_min",
        "the low end of the scale; decimals are accepted too",
        "integer",
        empty="`value` is a label",
    ),
    Column(
        "scale_max",
        "the high end of the scale; decimals are accepted too",
        "integer",
        empty="`value` is a label",
    ),
)

ITEMS = _table(
    "items",
    "a thing to judge",
    Column("item_id", "unique in the table"),
    Column("scenario", "items are compared within one scenario only; at least two items each"),
    Column("text", "one turn per line, `Seeker: ...` or `Supporter: ...`; see below"),
    *_extra("prompt", "what the item responds to; people and judges see it above", "nothing"),
    *_extra("elo", "Elo points known before the study; higher is better", "not scored", "number"),
    *_extra("overall", "overall score known before the study; see below", "not scored", "number"),
)
SEQUENCES = _table(
    "sequences",
    "one trial of one sequence",
    Column("sequence_id", "a list of trials, given to as many raters as the sequence has slots"),
    replace(_POSITION, meaning="1 to n within the sequence, attention checks counted"),
    *_extra("left_id right_id", "pairwise studies: `item_id` of the two items, of one scenario"),
    *_extra("item_id", "rating studies: the item to score"),
    *_extra("option_1", "best-worst studies: `item_id` of the first option; see above"),
    *_extra("dimension", "rating studies with `apart`: the one scale that the sequence asks for"),
    replace(_IS_CHECK, meaning="`true`: the ids are those of a check's texts, see above"),
)
JUDGMENTS = _table(
    "judgments",
    "one choice between two items",
    Column("judgment_id", "unique in the table"),
    *(*_WHO, *_PAIR, _CHOICE),
    replace(_POSITION, empty="order unknown"),
    *(*_CHECKED, *_WHEN),
    Column("purpose", words=_OF_CHOICES, empty="a trial", optional=True),
    *_REQUEST,
)
RATINGS = _table(
    "ratings",
    "one score",
    *(*_RATER, _ITEM_ID, *_SCORE, _ANY_PLAN),
    *_optional(_MODE),
    *_optional(_SESSION_ID, _SCENARIO, _POSITION, _IS_CHECK, empty="a judge"),
    _CHECKED[1],
    *_optional(*_WHEN[:2], empty="a judge"),
    *_optional(*_WHEN[2:]),
    *_REQUEST,
)
BEST_WORST = _table(
    "best_worst",
    "one option of one trial",
    Column("trial_id", "one answered trial; the same on all its rows"),
    *(*_WHO, _POSITION),
    Column("option", "1 to n, the place on the page; each occurs once in a trial", "integer"),
    _ITEM_ID,
    Column("picked", words=PICKS, empty="neither"),
    *_extra("why", "why it was picked as `most`, in the rater's words; see above", "not given"),
    *(*_CHECKED, *_optional(*_WHEN), *_REQUEST),
)
PARTICIPANTS = _table(
    "participants",
    "one person's visit",
    Column("session_id", "unique in the table"),
    Column("rater_id", "the recruiting platform's id, or one made for the visit"),
    Column("condition", "the arm of an experiment", empty="one arm only"),
    Column("sequence_id", "the sequence whose trials this visit was given"),
    Column("consented_at", "when consent was given; see below", "time"),
    Column("finished_at", "when the last trial was answered", "time", empty="not finished"),
    Column("status", words=STATUSES),
    *_optional(_MODE, _ANY_PLAN),
    *_extra("slot", "from 1: which copy of the sequence; see below", "1", "integer"),
    *_extra("platform_study_id platform_session_id", "as the recruitment platform sent it", "none"),
    *_extra(
        "comprehension_attempts",
        "how often the comprehension question was answered",
        "there is no such question",
        "integer",
    ),
)
WITHDRAWALS = _table(
    "withdrawals",
    "one person's withdrawal",
    *(_PLAN_HASH, _MODE),
    Column("withdrawn_on", "the day in UTC, for example `2026-11-21`", "date"),
)
REQUESTS = _table(
    "requests",
    "one request to an LLM judge",
    *_extra("request_id", "unique in the table; see above"),
    *(*_optional(_PLAN_HASH), *_RATER),
    Column("purpose", "what it was first asked for", words=PURPOSES),
    *_extra("scenario", "the scenario of its items"),
    *_extra("item_ids", "JSON: the items in the order asked, the one called A first"),
    *_extra("prompt", "name of the prompt"),
    Column("status", words=OUTCOMES),
    Column("reason", words=REASONS, empty="answered", optional=True),
    *_extra(
        "note",
        "if it is unanswered, what the server said or what is wrong with the reply; if it was "
        "answered, what was left out of the reply, or that a process that died may have sent it "
        "too. At most 300 characters, never a key",
        "nothing to note, or from an earlier release",
    ),
    *_extra("reply", "what the judge wrote in its last attempt, unchanged", "nothing came back"),
    *_extra("model fingerprint", "what answered, as the server says", "the server does not say"),
    *_extra(
        "input_tokens output_tokens",
        "tokens of all attempts together",
        "the server does not count",
        "integer",
    ),
    *_extra(
        "latency_ms", "milliseconds of the last attempt", "nothing came back, or a batch", "integer"
    ),
    *_extra("attempts", "calls made", type="integer"),
    *_extra("cost", "in the plan's currency, by its prices; see above", "no prices", "number"),
    *_extra(
        "p_left",
        "the judge's own probability of A among A and B, from the server's log-probabilities",
        "not asked for, or the server has none",
        "number",
    ),
    *_extra("asked_at", "when it was first asked", "unknown", "time"),
    *_extra("answered_at", "when its outcome was known", "unknown", "time"),
)
PROBES = _table(
    "probes",
    "one answer that only shows a judge's habits",
    *_extra("probe_id", "unique in the table"),
    *(*_optional(_PLAN_HASH), *_RATER),
    Column("unit", "the pair or item that is probed: `pair 12`, `item <id>`"),
    Column("probe", words=PROBE_KINDS),
    Column("variant", "number of the repeat, or name of the prompt or perturbation", empty="none"),
    *_extra("scenario", "the scenario of its items"),
    *_optional(*_PAIR, _CHOICE, empty="an item"),
    *_extra("item_id", "as in items", "a pair"),
    *_optional(*_SCORE, empty="a pair"),
    *_REQUEST,
    *_extra("answered_at", "when the answer was stored", type="time"),
)
PERTURBED = _table(
    "perturbed",
    "one rewritten text",
    Column("item_id", "whose text was rewritten; items has the original"),
    Column("perturbation", "how it was rewritten; see above"),
    Column("text", "what the judge was shown instead"),
)

_OF_STUDIES = (ITEMS, SEQUENCES, JUDGMENTS, RATINGS, BEST_WORST, PARTICIPANTS, WITHDRAWALS)
TABLES = {table.name: table for table in (*_OF_STUDIES, REQUESTS, PROBES, PERTURBED)}
