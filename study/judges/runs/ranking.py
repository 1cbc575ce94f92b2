"""Rank one scenario's items by an LLM judge: choose the next pair, and resume an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from prereg.derived import erased
from prereg.plan.pairs import PairSampling
from study.items import Item
from study.judges.adaptive.asking import WON, scheme_of
from study.judges.ledger.reading import LedgerReading
from study.judges.wanted.asked import Asked
from study.judges.wanted.wanted import Wanted


class RankingRun:
    """The ranking of one scenario's items, which may resume where an earlier run stopped.

    Parameters
    ----------
    asked : Asked
    scenario : str
    items : sequence of Item
        All of the scenario's items that are ranked, at least two.
    sampling : PairSampling
    """

    def __init__(
        self, asked: Asked, scenario: str, items: Sequence[Item], sampling: PairSampling
    ) -> None:
        self.scenario = scenario
        self._asked = asked
        self._items = items
        self._number = {item.item_id: number for number, item in enumerate(items)}
        self._scheme = scheme_of(len(items), sampling, rng=asked.rng(f"ranking:{scenario}"))
        self._times: Counter[tuple[int, int]] = Counter()
        self._position = 0
        self._out = 0
        self.session_id = self._wanted((0, 1)).session_id

    def resume(self, ledger: LedgerReading) -> int:
        """Take over the pairs that earlier runs have asked; return how many.

        No pair with a conversation that was withdrawn since is asked.
        """
        answered, abandoned = ledger.ranked(self.session_id), ledger.abandoned(self.scenario)
        for position, left, right, choice in answered:
            pair = self._number[left], self._number[right]
            self._give(pair)
            self._scheme.record(*pair, WON[choice])
            self._position = position
        for left, right in abandoned:
            pair = self._number[left], self._number[right]
            self._give(pair)
            self._scheme.abandon(*pair)
        gone = erased(self._asked.study.folder).keys() & self._number.keys()
        self._scheme.leave_out([self._number[name] for name in gone])
        return len(answered) + len(abandoned)

    @property
    def finished(self) -> bool:
        """Whether no pair is wanted any more."""
        return self._scheme.finished

    @property
    def is_over(self) -> bool:
        """Whether it is finished, and every pair is answered and stored."""
        return self.finished and not self._out

    def next(self) -> Wanted | None:
        """Return the next pair to ask, or None if replies must come first."""
        pair = self._scheme.next()
        if pair is None:
            return None
        # the same pair on the same sides again is a new request, on purpose
        wanted = replace(self._wanted(pair), repeat=self._times[pair])
        self._times[pair] += 1
        self._out += 1
        return wanted

    def placed(self, wanted: Wanted) -> Wanted:
        """Return an answered pair with its place in the ranking: the order of the answers."""
        self._position += 1
        return replace(wanted, position=self._position)

    def record(self, wanted: Wanted, answers: Mapping[str, int | str] | None) -> None:
        """Note an answer that is stored; None says that there will be no answer."""
        self._out -= 1
        left, right = (self._number[item.item_id] for item in wanted.items)
        if answers is None:
            self._scheme.abandon(left, right)
        else:
            self._scheme.record(left, right, WON[str(answers["choice"])])

    def _give(self, pair: tuple[int, int]) -> None:
        self._scheme.given(*pair)
        self._times[pair] += 1

    def _wanted(self, pair: tuple[int, int]) -> Wanted:
        items = [self._items[number] for number in pair]
        return self._asked.comparison(items, purpose="ranking", scenario=self.scenario)
