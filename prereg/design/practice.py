"""Which texts a rater practises on: the plan's own, or items that the rater's trials do not show.

The draw uses SHA-256 and nothing else, so the locked plan, items and sequences determine it,
whatever the version of numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from prereg.design.dealing import Items
from prereg.design.sequences import Trial
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.plan.practice import practice_trials


def practice_ids(plan: Plan) -> list[Items]:
    """Return the ids of the plan's own practice texts, trial by trial; empty if none are given."""
    if isinstance(plan.practice, int):
        return []
    return [
        tuple(f"practice_{number}.{place}" for place in range(1, len(trial.texts) + 1))
        for number, trial in enumerate(plan.practice, start=1)
    ]


class PracticeDraw:
    """Draws the practice trials of each sequence from the items.

    Parameters
    ----------
    plan : Plan
    scenarios : mapping
        The scenario of each item, in the order of the items table.
    sequences : mapping
        The trials of each sequence.
    """

    def __init__(
        self, plan: Plan, scenarios: Mapping[str, str], sequences: Mapping[str, Sequence[Trial]]
    ) -> None:
        self._plan = plan
        self._scenarios = scenarios
        self._sequences = sequences
        used = {name for trials in sequences.values() for name in _items_of(trials)}
        order = sorted(scenarios, key=lambda name: _number(plan.seed, "item", name))
        # items that nobody judges come first: practising on them costs the study nothing
        self._spare = [name for name in order if name not in used]
        self._shared = [name for name in order if name in used]

    def trials(self, sequence_id: str) -> list[Items]:
        """Return the practice trials of a sequence: other items than its trials show.

        Returns
        -------
        list of tuple of str
            No item occurs twice. There are fewer than the plan asks for if the items run out.
        """
        wanted, shown = practice_trials(self._plan.practice), kind_of(self._plan).shown(self._plan)
        taken = _items_of(self._sequences[sequence_id])
        start = _number(self._plan.seed, "sequence", sequence_id)
        found: list[Items] = []
        waiting: dict[str, list[str]] = {}
        for name in (*_from(self._spare, start), *_from(self._shared, start)):
            if len(found) == wanted:
                break
            if name in taken:
                continue
            hand = waiting.setdefault(self._scenarios[name], [])
            hand.append(name)
            if len(hand) == shown:
                found.append(tuple(hand))
                del waiting[self._scenarios[name]]
        return found

    def refuse_too_few(self) -> None:
        """Raise `RatifyError` if a sequence has too few other items to practise on."""
        wanted = practice_trials(self._plan.practice)
        for sequence_id in self._sequences:
            found = len(self.trials(sequence_id))
            if found < wanted:
                raise RatifyError(
                    f"sequence {sequence_id} leaves items for {found} practice trials only: "
                    "practice uses items that the rater's own trials do not show",
                    column="practice",
                    value=wanted,
                    allowed="fewer, more items, or practice trials with texts of their own "
                    "(practice: [{texts: [...]}, ...])",
                )


def _items_of(trials: Iterable[Trial]) -> set[str]:
    return {name for trial in trials for name in trial.item_ids}


def _from(order: list[str], start: int) -> list[str]:
    """Return a list turned so that it begins at `start`, counted round and round."""
    at = start % len(order) if order else 0
    return order[at:] + order[:at]


def _number(seed: int, what: str, name: str) -> int:
    digest = hashlib.sha256(f"{seed}:practice {what}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
