"""Applies exclusions in the plan's order, and counts what each rule excludes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.evidence import trials as answer_trials
from analysis.evidence.trials import count_of, is_check, is_empty, unit_of
from analysis.tables import columns
from prereg.errors import RatifyError

FLOW_COLUMNS = ("rule", "unit", "before", "excluded", "after")
ATTENTION_TRIALS = "attention_check_trials"
NO_ANSWER = "no_answer"
# What each rule excludes, in the words of a report.
RULE_WORDS = {
    "incomplete_session": "Did not finish",
    "failed_attention": "Failed attention checks",
    "duplicate_sequence": "Same sequence as another visit (one kept at random)",
    "too_fast": "Answered too fast",
    ATTENTION_TRIALS: "Attention checks set aside",
    NO_ANSWER: "Answered nothing",
}
# Singular and plural of what a flow counts.
UNIT_WORDS = {
    "sessions": ("visit", "visits"),
    "judgments": ("judgment", "judgments"),
    "ratings": ("rating", "ratings"),
    "answers": ("answer", "answers"),
    "people": ("person", "people"),
}


@dataclass(frozen=True, kw_only=True)
class Exclusions:
    """What remains, and what each rule excluded.

    Attributes
    ----------
    answers : DataFrame
        Answers of the remaining sessions without attention checks: rows of the given table of
        judgments, ratings or best-worst answers.
    participants : DataFrame
        Their visits.
    flow : DataFrame
        Two rows per rule, for `unit` sessions and judgments (or ratings; or answers, each of one
        best-worst trial): `rule`, `unit`, `before`, `excluded`, `after`; a last row
        `attention_check_trials` if attention checks were set aside.
    excluded : DataFrame
        `session_id`, `rule`: every excluded session and the rule that excluded it.
    """

    answers: pd.DataFrame = field(repr=False)
    participants: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame
    excluded: pd.DataFrame = field(repr=False)

    @property
    def judgments(self) -> pd.DataFrame:
        """The answers, under the name that they have in a pairwise study."""
        return self.answers

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the flow."""
        return self.flow.copy()


@dataclass(frozen=True)
class _State:
    """What a rule uses: the tables before it, its settings, the generator."""

    answers: pd.DataFrame
    participants: pd.DataFrame
    settings: Mapping[str, Any]
    rng: np.random.Generator


_Rule = Callable[[_State], BoolArray]


def apply_exclusions(
    answers: pd.DataFrame,
    participants: pd.DataFrame,
    rules: Sequence[Any],
    *,
    rng: np.random.Generator,
) -> Exclusions:
    """Apply exclusion rules one after the other, each to what the rule before it left.

    Parameters
    ----------
    answers : DataFrame
        People's tidy judgments, ratings or best-worst answers; `session_id`, and what a rule reads.
    participants : DataFrame
        One row per visit: `session_id` (each once), and what a rule reads.
    rules : sequence of mappings or objects
        Each has `rule`, one of

        - `incomplete_session`: `finished_at` is empty;
        - `failed_attention`: more than `max_failed` attention checks failed. A check was failed
          if `passed_check` is false, or, in judgments from elsewhere without this column, if
          `choice` differs from `expected_choice`. A check that was never answered is not
          failed, and one with several rows (one per scale or option) counts once;
        - `duplicate_sequence`: of the visits that share a `sequence_id` and a `slot` (1 if there
          is none), one is kept, see Notes;
        - `too_fast`: the median `response_ms` of the visit's trials, without attention checks, is
          below `min_median_ms`.
    rng : Generator
        Draws the visit to keep.

    Returns
    -------
    Exclusions

    Raises
    ------
    RatifyError
        If a rule is unknown, a setting or column is missing, a visit occurs twice among the
        participants, or the session of an answer is not among them.

    Notes
    -----
    A sequence has one rater per slot, and if this rater leaves, the slot goes to somebody else. So
    several visits to one slot are correct if at most one of them finished; then the rule
    `incomplete_session` before `duplicate_sequence` excludes the others. Whatever the order of the
    rules, a visit that finished is kept before one that did not (if the table says who finished),
    and a visit with an answer before one without. Among equal visits chance decides, as in the
    published rule, where all had finished.
    """
    _refuse_strangers(answers, participants)
    named = [_settings(rule) for rule in rules]
    plan = [(str(given["rule"]), _RULES[given["rule"]], given) for given in named]
    return _sieve(answers, participants, plan, rng)


def everybody(answers: pd.DataFrame, participants: pd.DataFrame) -> Exclusions:
    """Return everybody who answered anything: the sample of the sensitivity analysis.

    No rule of the plan applies. Visits without an answered trial that is not an attention check are
    excluded under the name `no_answer`; attention checks are set aside.

    Parameters
    ----------
    answers : DataFrame
        People's tidy judgments, ratings or best-worst answers, with `session_id`.
    participants : DataFrame
        One row per visit: `session_id`, each once.

    Returns
    -------
    Exclusions
        With its own flow.

    Raises
    ------
    RatifyError
        If a column is missing, a visit occurs twice among the participants, or the session of an
        answer is not among them.
    """
    _refuse_strangers(answers, participants)
    chance = np.random.default_rng(0)  # this rule draws nothing
    return _sieve(answers, participants, [(NO_ANSWER, _no_answer, {"rule": NO_ANSWER})], chance)


def _refuse_strangers(answers: pd.DataFrame, participants: pd.DataFrame) -> None:
    """Raise `RatifyError` unless every visit is there once and every answer belongs to one."""
    columns.require_columns(answers, "session_id")
    columns.require_columns(participants, "session_id")
    ids = columns.text_ids(participants, "session_id")
    columns.refuse(
        participants, "session_id", ids.duplicated(), "appears twice", allowed="one row per visit"
    )
    known = columns.text_ids(answers, "session_id").isin(ids)
    columns.refuse(
        answers,
        "session_id",
        ~known.to_numpy(dtype=bool),
        "is not among the participants",
        allowed="a session_id of the participants table",
    )


def _sieve(
    answers: pd.DataFrame,
    participants: pd.DataFrame,
    plan: Sequence[tuple[str, _Rule, Mapping[str, Any]]],
    rng: np.random.Generator,
) -> Exclusions:
    """Apply rules in their order, then set attention checks aside, and count at every step."""
    unit = unit_of(answers)
    flow: list[tuple[str, str, int, int, int]] = []
    excluded: list[pd.DataFrame] = []
    for name, rule, settings in plan:
        out = rule(_State(answers, participants, settings, rng))
        gone = participants.loc[out, "session_id"]
        kept = answers[~answers["session_id"].isin(gone)]
        flow.append(_step(name, "sessions", len(participants), len(participants) - int(out.sum())))
        flow.append(_step(name, unit, count_of(answers), count_of(kept)))
        excluded.append(pd.DataFrame({"session_id": gone, "rule": name}))
        answers, participants = kept, participants[~out]
    checks = is_check(answers)
    if checks.any():
        kept = answers[~checks]
        flow.append(_step(ATTENTION_TRIALS, unit, count_of(answers), count_of(kept)))
        answers = kept
    empty = pd.DataFrame({"session_id": [], "rule": []}, dtype="str")
    return Exclusions(
        answers=answers.reset_index(drop=True),
        participants=participants.reset_index(drop=True),
        flow=pd.DataFrame(flow, columns=list(FLOW_COLUMNS)),
        excluded=pd.concat(excluded, ignore_index=True) if excluded else empty,
    )


def _step(rule: str, unit: str, before: int, after: int) -> tuple[str, str, int, int, int]:
    return rule, unit, before, before - after, after


def _settings(rule: Any) -> Mapping[str, Any]:
    """Return a rule as a mapping; plans pass objects, and scripts pass dicts."""
    settings = (
        rule
        if isinstance(rule, Mapping)
        else {
            name: getattr(rule, name)
            for name in ("rule", "max_failed", "min_median_ms")
            if hasattr(rule, name)
        }
    )
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
    columns.require_columns(state.answers, "is_attention_check")
    wrong = answer_trials.failed_checks(state.answers)
    failed = state.participants["session_id"].map(wrong).fillna(0)
    return failed.to_numpy(dtype=float) > most


def _no_answer(state: _State) -> BoolArray:
    columns.require_columns(state.answers, answer_trials.SAID[unit_of(state.answers)])
    said = answer_trials.is_answered(state.answers) & ~is_check(state.answers)
    there = state.participants["session_id"].isin(state.answers.loc[said, "session_id"])
    return ~there.to_numpy(dtype=bool)


def _duplicate_sequence(state: _State) -> BoolArray:
    people = state.participants
    columns.require_columns(people, "sequence_id")
    visits = pd.DataFrame(
        {
            "session": people["session_id"].to_numpy(),
            "sequence": people["sequence_id"].to_numpy(),
            "slot": _slots(people),
            "worth": 2 * ~is_empty(people, "finished_at")
            + people["session_id"].isin(state.answers["session_id"]).to_numpy(dtype=bool),
        }
    )
    out = np.zeros(len(visits), dtype=bool)
    # Visits are drawn in the order of their ids, so that the order of rows does not matter.
    placed = visits[~is_empty(people, "sequence_id")].sort_values("session", kind="stable")
    for _, rivals in placed.groupby(["sequence", "slot"], sort=True):
        best = rivals.index[rivals["worth"] == rivals["worth"].max()]
        kept = best[int(state.rng.integers(len(best)))] if len(best) > 1 else best[0]
        out[rivals.index.drop(kept)] = True
    return out


def _slots(participants: pd.DataFrame) -> FloatArray:
    """Return the slot of its sequence that each visit had; 1 if the table does not say."""
    if "slot" not in participants.columns:
        return np.ones(len(participants))
    slots = columns.whole_numbers(participants, "slot", least=1)
    return np.where(np.isnan(slots), 1.0, slots)


def _too_fast(state: _State) -> BoolArray:
    least = _setting(state, "min_median_ms")
    median = answer_trials.median_ms(state.answers)
    # A visit without a timed trial has no median, and is not too fast.
    return state.participants["session_id"].map(median).to_numpy(dtype=float) < least


_RULES: dict[str, _Rule] = {
    "incomplete_session": _incomplete,
    "failed_attention": _failed_attention,
    "duplicate_sequence": _duplicate_sequence,
    "too_fast": _too_fast,
}
