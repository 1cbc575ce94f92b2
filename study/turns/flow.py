"""The flow of conversations and turn-pairs through the filters: what each removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from study.turns.rules import RULES

# The filters in their order, in the words of the flow diagram.
FILTERS: dict[str, str] = {
    "not_repeated": "Repeated rounds",
    "complete": "Language or flag missing",
    "english": "Not in English",
    "no_code_or_instruction": "Code or instruction",
    "not_toxic": "Toxic",
    "not_redacted": "Redacted",
    "three_turns": "Fewer than 3 turns",
    "not_empty": "Empty prompt, reply or next turn",
}
# What `complete` asks for.
KNOWN = ("language", "toxic", "redacted")
UNITS = ("conversations", "turn_pairs")
FLOW_COLUMNS = ("filter", "removes", "unit", "before", "removed", "after")


class Flow:
    """Counts of what was read and what passed each filter.

    Attributes
    ----------
    by_rule : Counter of str
        The turn-pairs that each rule for code and instructions found, of those that the filters
        before had left; several rules may find the same pair.
    missing : Counter of str
        Conversations that `complete` removed, by the column that is missing; one conversation may
        lack several.
    repeated_utterances, repeated_rounds : int
        What occurred again in its own conversation. The rounds are among the turn-pairs that were
        read, and among those that `not_repeated` removed.
    """

    def __init__(self) -> None:
        self._read = [0, 0]
        self._after = {name: [0, 0] for name in FILTERS}
        self.by_rule: Counter[str] = Counter({rule.name: 0 for rule in RULES})
        self.missing: Counter[str] = Counter(dict.fromkeys(KNOWN, 0))
        self.repeated_utterances = self.repeated_rounds = 0

    def read(self, conversations: int, pairs: int) -> None:
        """Count conversations and turn-pairs that were read."""
        _add(self._read, conversations, pairs)

    def again(self, utterances: int, rounds: int) -> None:
        """Count what occurred again in its own conversation."""
        self.repeated_utterances += utterances
        self.repeated_rounds += rounds

    def count(self, name: str, conversations: int, pairs: int) -> None:
        """Count conversations and turn-pairs that passed a filter, and those before it."""
        _add(self._after[name], conversations, pairs)

    @property
    def left(self) -> int:
        """The turn-pairs that passed every filter."""
        return self._after[list(FILTERS)[-1]][1]

    def removed(self, name: str) -> tuple[int, int]:
        """Return how many conversations and turn-pairs a filter removed."""
        talks, pairs = (row["removed"] for row in self.rows() if row["filter"] == name)
        return talks, pairs

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give a row for each filter and unit, with the columns `FLOW_COLUMNS`."""
        before = self._read
        for name, words in FILTERS.items():
            after = self._after[name]
            for at, unit in enumerate(UNITS):
                yield {
                    "filter": name,
                    "removes": words,
                    "unit": unit,
                    "before": before[at],
                    "removed": before[at] - after[at],
                    "after": after[at],
                }
            before = after

    def to_json(self) -> dict[str, Any]:
        """Return the counts as they are in flow.json."""
        return {
            "read": dict(zip(UNITS, self._read, strict=True)),
            "filters": list(self.rows()),
            "rules": dict(self.by_rule),
            "missing": dict(self.missing),
            "repeated_within_conversations": {
                "utterances": self.repeated_utterances,
                "rounds": self.repeated_rounds,
            },
            "left": dict(zip(UNITS, self._after[list(FILTERS)[-1]], strict=True)),
        }


def _add(to: list[int], conversations: int, pairs: int) -> None:
    to[0] += conversations
    to[1] += pairs
