"""Applies the filters to unfolded conversations, in order, and counts what each removes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from study.turns.flow import KNOWN, Flow
from study.turns.rules import RULES, matches
from study.turns.seen import Seen
from study.turns.unfolding import Flags, Ints, Unfolded

LANGUAGE = "English"
LEAST_ROUNDS = 3
# Anything that a person could read; a text of spaces is empty.
_FILLED = r"\S"


class Filters:
    """The filters, with what they remember from one batch to the next.

    Attributes
    ----------
    flow : Flow
        What each filter has removed so far.
    """

    def __init__(self) -> None:
        self.flow = Flow()
        self._seen = Seen()

    def passed(self, unfolded: Unfolded) -> Ints:
        """Return the turn-pairs of a batch that pass every filter, and count.

        Parameters
        ----------
        unfolded : Unfolded
            Batches come in the order of the files: of repeated rounds the first is kept.

        Returns
        -------
        ndarray of int64
            Ints in `unfolded.said` of the prompts, in order.
        """
        rows = unfolded.rows
        left = _Left(unfolded, self.flow)
        new, with_new = self._first_time(unfolded)
        left.keep("not_repeated", conversations=with_new, pairs=new[left.pairs])
        # a conversation whose flag is missing may be toxic or redacted, so it leaves, too
        left.keep("complete", conversations=self._complete(rows, left.conversations))
        left.keep("english", conversations=_flags(pc.equal(rows.column("language"), LANGUAGE)))
        left.keep("no_code_or_instruction", pairs=self._plain(unfolded, left.pairs))
        left.keep("not_toxic", conversations=_flags(pc.invert(rows.column("toxic"))))
        left.keep("not_redacted", conversations=_flags(pc.invert(rows.column("redacted"))))
        left.keep("three_turns", conversations=_long(unfolded))
        left.keep("not_empty", pairs=_filled(unfolded, left.pairs))
        return left.pairs

    def _first_time(self, unfolded: Unfolded) -> tuple[Flags, Flags]:
        """Say which utterances begin a round that is new, and which conversations hold one.

        A round that ended a conversation before, and begins a pair now, is new.
        """
        paired = np.zeros(len(unfolded.of), dtype=bool)
        paired[unfolded.pairs] = True
        rounds = unfolded.replied
        keys = unfolded.identifiers[rounds]
        new = np.zeros(len(unfolded.of), dtype=bool)
        new[rounds] = self._seen.add(np.where(paired[rounds], keys, ~keys))
        held = np.bincount(unfolded.of[new], minlength=len(unfolded.rounds)) > 0
        return new, held | (unfolded.rounds == 0)

    def _complete(self, rows: pa.RecordBatch, left: Flags) -> Flags:
        """Say which conversations lack nothing that a filter asks for, and count by column."""
        complete = np.ones(len(rows), dtype=bool)
        for name in KNOWN:
            known = np.asarray(pc.is_valid(rows.column(name)))
            self.flow.missing[name] += int((left & ~known).sum())
            complete &= known
        return complete

    def _plain(self, unfolded: Unfolded, pairs: Ints) -> Flags:
        """Say which pairs no rule for code or instructions finds, and count by rule."""
        plain = np.ones(len(pairs), dtype=bool)
        for name, found in _found(unfolded, pairs).items():
            self.flow.by_rule[name] += int(found.sum())
            plain &= ~found
        return plain


class _Left:
    """What is left of a batch."""

    def __init__(self, unfolded: Unfolded, flow: Flow) -> None:
        self.pairs = unfolded.pairs
        self._of, self._flow = unfolded.of, flow
        self.conversations = np.ones(len(unfolded.rounds), dtype=bool)
        repeated = unfolded.repeated
        flow.read(len(self.conversations), len(self.pairs) + repeated.rounds)
        flow.again(repeated.utterances, repeated.rounds)

    def keep(
        self, name: str, *, conversations: Flags | None = None, pairs: Flags | None = None
    ) -> None:
        """Keep what passes a filter, and count.

        A filter of pairs removes a conversation with its last pair. One that never had a pair
        stays until a filter of conversations removes it.
        """
        had = self._with_pairs()
        if pairs is not None:
            self.pairs = self.pairs[pairs]
            self.conversations &= ~had | self._with_pairs()
        if conversations is not None:
            self.conversations &= conversations
            self.pairs = self.pairs[self.conversations[self._of[self.pairs]]]
        self._flow.count(name, int(self.conversations.sum()), len(self.pairs))

    def _with_pairs(self) -> Flags:
        return np.bincount(self._of[self.pairs], minlength=len(self.conversations)) > 0


def _long(unfolded: Unfolded) -> Flags:
    """Say which conversations have enough rounds, and a turn-pair among them."""
    paired = np.bincount(unfolded.of[unfolded.pairs], minlength=len(unfolded.rounds)) > 0
    return paired & (unfolded.rounds >= LEAST_ROUNDS)


def _flags(values: pa.Array) -> Flags:
    """Return booleans of Arrow as NumPy's; a missing one is false."""
    return np.asarray(pc.fill_null(values, False))


def _found(unfolded: Unfolded, pairs: Ints) -> Mapping[str, Flags]:
    """Say for each rule which pairs it finds.

    Code is looked for in the prompt and in everything before it in the conversation, instructions
    in the prompt alone. The reply and the next user turn are not looked at: they are what a study
    measures, and choosing pairs by them would bias it.
    """
    wanted = np.zeros(len(unfolded.of), dtype=bool)
    with_pairs = np.unique(unfolded.of[pairs])
    wanted[np.isin(unfolded.of, with_pairs)] = True
    looked = np.flatnonzero(wanted)
    at = np.searchsorted(looked, pairs)
    texts = pc.struct_field(unfolded.said.take(pa.array(looked)), "content")
    of, by_user = unfolded.of[looked], unfolded.by_user[looked]
    begins = np.searchsorted(of, of[at])  # the first utterance of each pair's conversation
    found = {}
    for rule, flags in zip(RULES, matches(texts).values(), strict=True):
        if rule.by_user_only:
            flags = flags & by_user
        if rule.kind == "instruction":
            found[rule.name] = flags[at]
        else:
            so_far = np.concatenate([[0], np.cumsum(flags)])
            found[rule.name] = so_far[at + 1] > so_far[begins]
    return found


def _filled(unfolded: Unfolded, pairs: Ints) -> Flags:
    """Say which pairs have a prompt, a reply and a next turn that are not empty."""
    content = pc.struct_field(unfolded.said, "content")
    filled = np.ones(len(pairs), dtype=bool)
    for later in range(3):
        texts = content.take(pa.array(pairs + later))
        filled &= _flags(pc.match_substring_regex(texts, pattern=_FILLED))
    return filled
