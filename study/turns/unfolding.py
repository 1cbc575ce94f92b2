"""Unfolds conversations into turn-pairs: a prompt, its reply and the next user turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prereg.errors import RatifyError
from study.turns.releases import CONVERSATION, HASH
from study.turns.shards import Batch

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Repeated:
    """What occurred again in its own conversation.

    Attributes
    ----------
    utterances : int
    rounds : int
        Prompts with their replies, of which both occurred before in the conversation.
    """

    utterances: int
    rounds: int


@dataclass(frozen=True)
class Unfolded:
    """The utterances of some conversations, each once, and the turn-pairs among them.

    Attributes
    ----------
    rows : pyarrow.RecordBatch
        The conversations, n of them.
    said : pyarrow.StructArray, length m
        Utterances of users and assistants, in order.
    of : ndarray of int64, shape (m,)
        The conversation of each utterance.
    by_user : ndarray of bool, shape (m,)
    depth : ndarray of int64, shape (m,)
        How many user turns of the conversation there are up to here, this one included.
    replied : ndarray of int64
        Ints in `said` of user turns with a reply: the rounds.
    rounds : ndarray of int64, shape (n,)
        The number of rounds of each conversation.
    pairs : ndarray of int64, shape (p,)
        Ints in `said` of the prompts of turn-pairs. The reply follows, then the next user turn.
    identifiers : ndarray of int64, shape (m,)
        `turn_identifier` of each utterance.
    repeated : Repeated
        What occurred again in its conversation and was left out.
    """

    rows: pa.RecordBatch
    said: pa.StructArray
    of: Ints
    by_user: Flags
    depth: Ints
    replied: Ints
    rounds: Ints
    pairs: Ints
    identifiers: Ints
    repeated: Repeated


def unfold(batch: Batch) -> Unfolded:
    """Unfold a batch.

    A user's and an assistant's utterance of one round share their `turn_identifier`. An utterance
    that occurs again in its conversation is left out. The last round of a conversation has no next
    user turn, so it makes no turn-pair.

    Raises
    ------
    RatifyError
        When a conversation has no hash or no list of utterances, or an utterance has no
        `turn_identifier`.
    """
    listed = batch.rows.column(CONVERSATION)
    _refuse_empty(batch, HASH, _blank(batch.rows.column(HASH)), "a hash")
    _refuse_empty(batch, CONVERSATION, np.asarray(pc.is_null(listed)), "a list of utterances")
    of = np.asarray(pc.list_parent_indices(listed), dtype=np.int64)
    said = pc.list_flatten(listed)
    by_user, by_assistant = _is(said, "user"), _is(said, "assistant")
    either = by_user | by_assistant
    _refuse_nameless(batch, said, of, either)
    identifiers = np.asarray(
        pc.fill_null(pc.struct_field(said, "turn_identifier"), 0), dtype=np.int64
    )
    again = either & _again(of, identifiers, by_user)
    repeated = _repeated(again, of, by_user)
    kept = np.flatnonzero(either & ~again)
    of, by_user, identifiers = of[kept], by_user[kept], identifiers[kept]
    followed = np.zeros(len(of), dtype=bool)
    followed[:-1] = by_user[:-1] & ~by_user[1:] & (of[:-1] == of[1:])
    continued = followed.copy()
    continued[-2:] = False
    continued[:-2] &= by_user[2:] & (of[:-2] == of[2:])
    replied = np.flatnonzero(followed)
    turns = np.cumsum(by_user)
    _, firsts = np.unique(of, return_index=True)
    before = np.zeros(len(batch.rows), dtype=np.int64)
    before[of[firsts]] = turns[firsts] - by_user[firsts]
    return Unfolded(
        rows=batch.rows,
        said=said.take(pa.array(kept)),
        of=of,
        by_user=by_user,
        depth=turns - before[of],
        replied=replied,
        rounds=np.bincount(of[replied], minlength=len(batch.rows)),
        pairs=np.flatnonzero(continued),
        identifiers=identifiers,
        repeated=repeated,
    )


def _is(said: pa.StructArray, role: str) -> Flags:
    return np.asarray(pc.fill_null(pc.equal(pc.struct_field(said, "role"), role), False))


def _again(of: Ints, identifiers: Ints, by_user: Flags) -> Flags:
    """Say which utterances have occurred before in their conversation."""
    order = np.lexsort((np.arange(len(of)), by_user, identifiers, of))
    repeated = np.zeros(len(of), dtype=bool)
    here, there = order[1:], order[:-1]
    repeated[here] = (
        (of[here] == of[there])
        & (identifiers[here] == identifiers[there])
        & (by_user[here] == by_user[there])
    )
    return repeated


def _repeated(again: Flags, of: Ints, by_user: Flags) -> Repeated:
    """Count the utterances that occur again, and the prompts among them whose reply does, too."""
    both = again[:-1] & again[1:] & by_user[:-1] & ~by_user[1:] & (of[:-1] == of[1:])
    return Repeated(utterances=int(again.sum()), rounds=int(both.sum()))


def _blank(texts: pa.Array) -> Flags:
    return np.asarray(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(texts, "")), ""))


def _refuse_empty(batch: Batch, column: str, empty: Flags, allowed: str) -> None:
    bad = np.flatnonzero(empty)
    if len(bad):
        raise RatifyError(
            "is empty",
            file=batch.path,
            row=f"record {batch.first + int(bad[0]) + 1}",
            column=column,
            allowed=allowed,
        )


def _refuse_nameless(batch: Batch, said: pa.StructArray, of: Ints, either: Flags) -> None:
    empty = np.asarray(pc.is_null(pc.struct_field(said, "turn_identifier")))
    bad = np.flatnonzero(empty & either)
    if len(bad):
        raise RatifyError(
            "is empty",
            file=batch.path,
            row=f"record {batch.first + int(of[bad[0]]) + 1}",
            column=f"{CONVERSATION}.turn_identifier",
            allowed="a whole number, by which repeated utterances are found",
        )
