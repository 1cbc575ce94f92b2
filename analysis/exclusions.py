"""Exclusions in the plan's order, with the count that left at each rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis import columns
from analysis.paircounts import BoolArray, FloatArray
from prereg.errors import RatifyError

FLOW_COLUMNS = ("rule", "unit", "before", "excluded", "after")
ATTENTION_TRIALS = "attention_check_trials"


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """What remains, and what left at each rule.

    Attributes
    ----------
    judgments : DataFrame
        Judgments of the remaining sessions, attention checks set aside.
    participants : DataFrame
        Their visits.
    flow : DataFrame
        Two rows a rule, for `unit` sessions and judgments: `rule`, `unit`, `before`, `excluded`,
        `after`; a last row `attention_check_trials` where attention checks were set aside.
    excluded : DataFrame
        `session_id`, `rule`: every excluded session and the rule that took it.
    """

    judgments: pd.DataFrame = field(repr=False)
    participants: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame
    excluded: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the flow."""
        return self.flow.copy()


@dataclass(frozen=True)
class _State:
    """What a rule sees: tables as they stand before it, its settings, the generator."""

    judgments: pd.DataFrame
    participants: pd.DataFrame
    settings: Mapping[str, Any]
    rng: np.random.Generator


def apply_exclusions(
    judgments: pd.DataFrame,
    participants: pd.DataFrame,
    rules: Sequence[Any],
    *,
    rng: np.random.Generator,
) -> Exclusions:
    """Apply exclusion rules one after the other, each to what the rule before it left.

    Parameters
    ----------
    judgments : DataFrame
        People's tidy judgments; `session_id`, and what a rule reads.
    participants : DataFrame
        One row a visit: `session_id` (each once), and what a rule reads.
    rules : sequence of mappings or objects
        Each has `rule`, one of

        - `incomplete_session`: `finished_at` is empty;
        - `failed_attention`: more than `max_failed` attention checks failed. A check was failed
          where `passed_check` is false; in a table from elsewhere that has no such column, where
          `choice` differs from `expected_choice`. A check that was never answered is not failed;
        - `duplicate_sequence`: of the visits that share a `sequence_id` and a `slot` (1 where
          there is none), one is kept, see Notes;
        - `too_fast`: the median `response_ms` of the visit's trials, attention checks apart, is
          below `min_median_ms`.
    rng : Generator
        Draws the visit to keep.

    Returns
    -------
    Exclusions

    Raises
    ------
    RatifyError
        On an unknown rule, a missing setting or column, a visit twice among participants, and a
        judgment whose session is not among them.

    Notes
    -----
    A sequence is meant for as many raters as it has slots, and a slot whose rater left goes to
    somebody else. So several visits of one slot are no mistake as long as one of them at most has
    finished, and `incomplete_session` before `duplicate_sequence` takes the others. Whatever the
    order of the rules, a visit that left never displaces one that finished (where the table says
    who finished), nor one without an answer one that answered something. Among equals chance
    decides, as in the published rule, where all had finished.
    """
    columns.require_columns(judgments, "session_id")
    columns.require_columns(participants, "session_id")
    ids = columns.text_ids(participants, "session_id")
    columns.refuse(
        participants, "session_id", ids.duplicated(), "appears twice", allowed="one row a visit"
    )
    known = columns.text_ids(judgments, "session_id").isin(ids)
    columns.refuse(
        judgments, "session_id", ~known.to_numpy(dtype=bool), "is not among the participants",
        allowed="a session_id of the participants table",
    )  # fmt: skip
    flow: list[tuple[str, str, int, int, int]] = []
    excluded: list[pd.DataFrame] = []
    for settings in [_settings(rule) for rule in rules]:
        name = str(settings["rule"])
        out = _RULES[name](_State(judgments, participants, settings, rng))
        gone = participants.loc[out, "session_id"]
        kept = ~judgments["session_id"].isin(gone)
        flow.append(_step(name, "sessions", len(participants), int(out.sum())))
        flow.append(_step(name, "judgments", len(judgments), int((~kept).sum())))
        excluded.append(pd.DataFrame({"session_id": gone, "rule": name}))
        judgments, participants = judgments[kept], participants[~out]
    checks = _attention(judgments)
    if checks.any():
        flow.append(_step(ATTENTION_TRIALS, "judgments", len(judgments), int(checks.sum())))
        judgments = judgments[~checks]
    empty = pd.DataFrame({"session_id": [], "rule": []}, dtype="str")
    return Exclusions(
        judgments=judgments.reset_index(drop=True),
        participants=participants.reset_index(drop=True),
        flow=pd.DataFrame(flow, columns=list(FLOW_COLUMNS)),
        excluded=pd.concat(excluded, ignore_index=True) if excluded else empty,
    )


def _step(rule: str, unit: str, before: int, excluded: int) -> tuple[str, str, int, int, int]:
    return rule, unit, before, excluded, before - excluded


def _settings(rule: Any) -> Mapping[str, Any]:
    """Return a rule as a mapping; plans hand over objects, scripts dicts."""
    settings = rule if isinstance(rule, Mapping) else {
        name: getattr(rule, name)
        for name in ("rule", "max_failed", "min_median_ms") if hasattr(rule, name)
    }  # fmt: skip
    columns.one_of("exclusion rule", settings.get("rule", ""), list(_RULES))
    return settings


def _setting(state: _State, name: str) -> float:
    value = state.settings.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise RatifyError(
            f"rule {state.settings['rule']} needs {name}", value=value, allowed="a number from 0"
        )
    return float(value)


def _incomplete(state: _State) -> BoolArray:
    columns.require_columns(state.participants, "finished_at")
    return columns.missing(state.participants["finished_at"])


def _failed_attention(state: _State) -> BoolArray:
    most = _setting(state, "max_failed")
    columns.require_columns(state.judgments, "is_attention_check")
    wrong = state.judgments["session_id"][_failed_checks(state.judgments)].value_counts()
    failed = state.participants["session_id"].map(wrong).fillna(0)
    return failed.to_numpy(dtype=float) > most


def _failed_checks(judgments: pd.DataFrame) -> BoolArray:
    """Return where an attention check was failed; one that was never answered was not."""
    asked = _attention(judgments)
    if not asked.any():
        return asked
    if "passed_check" in judgments.columns:
        passed = columns.flags(judgments, "passed_check")
        unmarked = _empty(judgments, "passed_check")
        columns.refuse(
            judgments, "passed_check", asked & unmarked & ~_empty(judgments, "choice"),
            "is empty, although this attention check was answered", allowed="true, false",
        )  # fmt: skip
        return asked & ~passed & ~unmarked
    if "expected_choice" not in judgments.columns:
        raise RatifyError(
            "attention checks have neither a column 'passed_check' nor 'expected_choice'",
            allowed="passed_check (true, false) or expected_choice (left, right)",
        )
    columns.require_columns(judgments, "choice")
    answered = asked & ~_empty(judgments, "choice")
    for column in ("choice", "expected_choice"):
        known = judgments[column].isin(columns.SIDES).to_numpy(dtype=bool)
        columns.refuse(
            judgments, column, answered & ~known, "is not a choice", allowed="left, right"
        )
    wrong = judgments["choice"].ne(judgments["expected_choice"]).fillna(False)
    return answered & wrong.to_numpy(dtype=bool)


def _empty(table: pd.DataFrame, column: str) -> BoolArray:
    """Return where a table says nothing in a column that it need not have."""
    if column not in table.columns:
        return np.ones(len(table), dtype=bool)
    return columns.missing(table[column])


def _duplicate_sequence(state: _State) -> BoolArray:
    people = state.participants
    columns.require_columns(people, "sequence_id")
    visits = pd.DataFrame(
        {
            "session": people["session_id"].to_numpy(),
            "sequence": people["sequence_id"].to_numpy(),
            "slot": _slots(people),
            "worth": 2 * ~_empty(people, "finished_at")
            + people["session_id"].isin(state.judgments["session_id"]).to_numpy(dtype=bool),
        }
    )
    out = np.zeros(len(visits), dtype=bool)
    # Visits are drawn in the order of their ids, so that the order of rows decides nothing.
    placed = visits[~_empty(people, "sequence_id")].sort_values("session", kind="stable")
    for _, rivals in placed.groupby(["sequence", "slot"], sort=True):
        best = rivals.index[rivals["worth"] == rivals["worth"].max()]
        kept = best[int(state.rng.integers(len(best)))] if len(best) > 1 else best[0]
        out[rivals.index.drop(kept)] = True
    return out


def _slots(participants: pd.DataFrame) -> FloatArray:
    """Return which copy of its sequence each visit had; 1 where the table does not say."""
    if "slot" not in participants.columns:
        return np.ones(len(participants))
    slots = columns.whole_numbers(participants, "slot", least=1)
    return np.where(np.isnan(slots), 1.0, slots)


def _too_fast(state: _State) -> BoolArray:
    least = _setting(state, "min_median_ms")
    columns.require_columns(state.judgments, "response_ms")
    trials = state.judgments[~_attention(state.judgments)]
    spent = pd.Series(columns.numbers(trials, "response_ms"))
    median = spent.groupby(trials["session_id"].to_numpy()).median()
    # A visit without a timed trial has no median, and is not called fast.
    return state.participants["session_id"].map(median).to_numpy(dtype=float) < least


def _attention(judgments: pd.DataFrame) -> BoolArray:
    """Return where a judgment is an attention check; none is where the table does not say."""
    if "is_attention_check" not in judgments.columns:
        return np.zeros(len(judgments), dtype=bool)
    return columns.flags(judgments, "is_attention_check")


_RULES: dict[str, Callable[[_State], BoolArray]] = {
    "incomplete_session": _incomplete,
    "failed_attention": _failed_attention,
    "duplicate_sequence": _duplicate_sequence,
    "too_fast": _too_fast,
}
