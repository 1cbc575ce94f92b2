"""Turn the scores and choices of a judge of kind table into the answers of any other judge."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection

from prereg.kinds.registry import kind_of
from prereg.lock import utc_now
from prereg.plan.collection import Rated
from prereg.plan.table_judge import OVERALL, TableJudge
from prereg.streams import Stream, stream
from prereg.tables.contract import TIE
from study.folder import Study
from study.items import Item
from study.judges.adaptive.asking import scheme_of
from study.judges.given.reading import NEITHER, Given, read_given
from study.store.database import Store
from study.store.tables import ANSWERS, Rating
from study.tasks.base import Answers, Row
from study.tasks.rating import RatingTask
from study.tasks.registry import task_of

MODE = "live"  # a judge's answers are always live data, even beside pilot or bot data
# A score stands in for a judge that is no baseline: rows of kind llm, whatever made the score.
KIND = "llm"


@dataclass(frozen=True)
class Stored:
    """What a judge of kind table has answered.

    Attributes
    ----------
    written : int
        Rows that were new in the store.
    asked, answered : int
        People's trials, and those among them that it answers.
    why : Counter
        The others, by the reason.
    ignored : Counter
        Rows of its tables that do not count, by the reason.
    """

    written: int
    asked: int
    answered: int
    why: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    def sentence(self, judge: TableJudge) -> str:
        """Return what happened in one line."""
        from_files = " and ".join(judge.files)
        did = f"{self.written:,} answers from {from_files}" if self.written else "nothing new"
        line = f"judge {judge.id}: {did}; {self.covered}"
        if self.ignored:
            rows = ", ".join(f"{n:,} {why}" for why, n in self.ignored.most_common())
            line += f"; rows that do not count: {rows}"
        return line

    @property
    def covered(self) -> str:
        """How many of people's trials are answered, and why the others are not."""
        line = f"it answers {self.answered:,} of {self.asked:,} trials"
        if self.why:
            line += f" ({', '.join(f'{n:,} {why}' for why, n in self.why.most_common())})"
        return line


def given_of(study: Study, judge: TableJudge) -> Given:
    """Read what a judge of kind table has said.

    Raises
    ------
    RatifyError
        As `read_given`.
    """
    scenarios = {item.item_id: item.scenario for item in study.items.values()}
    return read_given(study.plan, judge, study.folder, scenarios)


def covers(study: Study, judge: TableJudge) -> Stored:
    """Return what a judge of kind table would answer; nothing is stored.

    Raises
    ------
    RatifyError
        As `read_given`.
    """
    return Answering(study, judge, given_of(study, judge)).summary(0)


def store_given(store: Store, study: Study, judge: TableJudge) -> Stored:
    """Store the answers of a judge of kind table, in one transaction, if they are not there yet.

    Raises
    ------
    RatifyError
        As `read_given`.
    """
    return store_answers(store, study, judge, given_of(study, judge))


def store_answers(store: Store, study: Study, judge: TableJudge, given: Given) -> Stored:
    """Store what a judge of kind table has said, in one transaction, if it is not there yet."""
    answering = Answering(study, judge, given)
    answers = answering.rows()
    mine = {
        table: (
            table.plan_hash == study.root_hash,
            table.rater_id == judge.id,
            table.rater_kind == KIND,
        )
        for table in ANSWERS
    }

    def replace(connection: Connection) -> int:
        if all(_same(connection, table, mine[table], answers.get(table, [])) for table in ANSWERS):
            return 0
        for table, where in mine.items():
            connection.execute(delete(table).where(*where))
            if answers.get(table):
                connection.execute(insert(table), answers[table])
        return sum(map(len, answers.values()))

    return answering.summary(store.write(replace))


def _same(connection: Connection, table: Any, where: tuple[Any, ...], rows: list[Row]) -> bool:
    """Return whether the store has just these answers, whenever they were stored."""
    if not rows:
        return not connection.scalar(select(func.count()).select_from(table).where(*where))
    names = [name for name in rows[0] if name != "answered_at"]
    there = connection.execute(select(*(getattr(table, name) for name in names)).where(*where))
    return Counter(map(tuple, there)) == Counter(tuple(row[name] for name in names) for row in rows)


@dataclass(frozen=True)
class OwnPairs:
    """The pairs of a judge's own ranking.

    Attributes
    ----------
    answered : list of (Item, Item, float)
        Left, right, and 1 if left was chosen, 0 if right was, 1/2 for a tie; in the order drawn, or
        of the table.
    unanswered : int
        Pairs that were drawn, or are in the table, and have no answer.
    """

    answered: list[tuple[Item, Item, float]] = field(default_factory=list, repr=False)
    unanswered: int = 0


class Answering:
    """The answers of one judge of kind table, as rows of the store.

    Parameters
    ----------
    study : Study
    judge : TableJudge
    given : Given
        What its tables say.
    """

    def __init__(self, study: Study, judge: TableJudge, given: Given) -> None:
        self.study, self.judge, self.given = study, judge, given
        self.task = task_of(study.plan)
        self.kind = kind_of(study.plan)
        self.ties = study.plan.design.offers_ties
        self.overall = given.overall(study.plan)
        self.wins: dict[tuple[str, str], Counter[str]] = {}
        for left, right, chosen in given.choices:
            self.wins.setdefault((left, right), Counter())[chosen] += 1

    def rows(self) -> dict[Any, list[Row]]:
        """Return every row by table."""
        if not self.kind.compares:
            return {Rating: list(self._ratings())}
        found: dict[Any, list[Row]] = {self.task.table: list(self._trials())}
        if self.kind.asks_pairs:
            found[self.task.table] += self._ranking()
            found[Rating] = list(self._ratings())
        return found

    def summary(self, written: int) -> Stored:
        """Return how many of people's trials are answered, and why others are not."""
        why: Counter[str] = Counter()
        trials = self.study.asked()
        for items in trials:
            reason = self._answer(items)[1]
            if reason:
                why[reason] += 1
        asked = len(trials)
        return Stored(written, asked, asked - why.total(), why, self.given.ignored)

    def _trials(self) -> Iterator[Row]:
        """Yield the answers to people's trials; a trial without an answer has no row."""
        for position, items in enumerate(self.study.asked(), start=1):
            answers = self._answer(items)[0]
            if answers is not None:
                common = self._common(items[0], position, "trial")
                yield from self.task.rows(common, items, answers, answer_id=_own_id(common))

    def answers(self, items: tuple[Item, ...]) -> bool:
        """Return whether a trial of people is answered."""
        return self._answer(items)[0] is not None

    def _answer(self, items: tuple[Item, ...]) -> tuple[Answers | None, str]:
        """Return the answer to a trial, or None and the reason."""
        if not self.kind.compares:
            lacking = [s.id for s in self._scales() if (items[0].item_id, s.id) not in self._scores]
            return ({}, "") if not lacking else (None, "without a score")
        ids = [item.item_id for item in items]
        if self.judge.judgments is not None:
            chosen = self._chosen(*ids)
            if chosen is None:
                known = any(pair in self._asked_pairs for pair in ((*ids,), (*ids[::-1],)))
                return None, "without a clear choice" if known else "never compared"
            return {"choice": _side(_won(chosen, ids[0]))}, ""
        scores = [self.overall.get(name, math.nan) for name in ids]
        if any(math.isnan(score) for score in scores):
            return None, "with an item without a score"
        high, low = max(scores), min(scores)
        if self.ties and high == low:
            return {"choice": TIE}, ""
        if scores.count(high) > 1 or scores.count(low) > 1:
            return None, "with equal scores"
        if self.kind.asks_pairs:
            return {"choice": "left" if scores[0] == high else "right"}, ""
        return {"most": scores.index(high) + 1, "least": scores.index(low) + 1}, ""

    @property
    def _scores(self) -> Any:
        return self.given.scores

    @property
    def _asked_pairs(self) -> set[tuple[str, ...]]:
        return {*self.wins, *self.given.ties}

    def _chosen(self, left: str, right: str) -> str | None:
        """Return the item chosen most often, asked as people were, else with sides exchanged.

        `NEITHER` if most answers are ties; None if no answer is the most frequent one.
        """
        for pair in ((left, right), (right, left)):
            if pair in self.wins or pair in self.given.ties:
                wins = self.wins.get(pair, Counter())
                (first, most), (_, next_most) = [*wins.most_common(2), ("", 0), ("", 0)][:2]
                return first if most > next_most else None
        return None

    def own_pairs(self) -> OwnPairs:
        """Return the pairs of the judge's own ranking, and how many it leaves unanswered."""
        if own := self.given.choices or self.given.ranking:
            items = self.study.items
            choices = [(items[a], items[b], _won(c, a)) for a, b, c in own]
            return OwnPairs(choices, self.given.ties.total())
        return self._drawn() if self.judge.pairs is not None else OwnPairs()

    def _drawn(self) -> OwnPairs:
        """Return the pairs of the plan's sampling scheme; the higher score wins.

        Pairs are drawn from all items of a scenario, as for a judge that is asked. A pair with
        equal scores is a tie if the plan offers ties. Otherwise it stays out, as a pair with an
        item without a score does: it counts as asked.
        """
        assert self.judge.pairs is not None
        rng = stream(self.study.plan.seed, Stream.BASELINE, self.judge.id)
        answered: list[tuple[Item, Item, float]] = []
        unanswered = 0
        for items in self.study.by_scenario().values():
            scheme = scheme_of(len(items), self.judge.pairs, rng=rng)
            while (pair := scheme.next()) is not None:
                both = [items[place] for place in pair]
                left, right = (self.overall.get(item.item_id, math.nan) for item in both)
                if math.isnan(left - right) or (left == right and not self.ties):
                    unanswered += 1
                    continue
                won = 0.5 if left == right else float(left > right)
                scheme.record(*pair, won)
                answered.append((*both, won))  # type: ignore[arg-type]
        return OwnPairs(answered, unanswered)

    def _ranking(self) -> Iterator[Row]:
        """Yield the pairs of its own ranking; pairs without an answer are counted first."""
        pairs = self.own_pairs()
        for position, (*both, left_won) in enumerate(pairs.answered, start=pairs.unanswered + 1):
            yield from self._pair(both, left_won, position)

    def _pair(self, pair: list[Item], left_won: float, position: int) -> list[Row]:
        common = self._common(pair[0], position, "ranking")
        answers: Answers = {"choice": _side(left_won)}
        return self.task.rows(common, pair, answers, answer_id=_own_id(common), purpose="ranking")

    def _ratings(self) -> Iterator[Row]:
        """Yield the scores, each as one rating."""
        scales = self._scales()
        for position, item in enumerate(self.study.rated_items(), start=1):
            common = self._common(item, position, "rating")
            for scale in scales:
                value = self._scores.get((item.item_id, scale.id))
                if value is not None:
                    yield from RatingTask([scale]).rows(common, [item], {scale.id: value})

    def _scales(self) -> list[Rated]:
        """Return the dimensions that are scored; one score per item has a scale of its own."""
        own = [value for (_, name), value in self._scores.items() if name == OVERALL]
        if not own:
            return list(self.study.plan.rated)
        return [Rated(OVERALL, math.floor(min(own)), math.ceil(max(own)))]

    def _common(self, item: Item, position: int, purpose: str) -> Row:
        """Return the columns that every answer has."""
        return {
            "plan_hash": self.study.root_hash,
            "version_hash": self.study.version_hash,
            "mode": MODE,
            "session_id": f"{self.study.root_hash[:12]}:{self.judge.id}:{purpose}",
            "rater_id": self.judge.id,
            "rater_kind": KIND,
            "scenario": item.scenario,
            "position": position,
            "is_attention_check": False,
            "answered_at": utc_now(),
        }


def _won(chosen: str, left: str) -> float:
    """Return how much of a win a choice is for the left item."""
    return 0.5 if chosen == NEITHER else float(chosen == left)


def _side(left_won: float) -> str:
    return TIE if left_won == 0.5 else "left" if left_won else "right"


def _own_id(common: Row) -> str:
    """Return an id that is the same however often the answers are stored."""
    key = f"{common['plan_hash']}:{common['session_id']}:{common['position']}"
    return hashlib.sha256(key.encode()).hexdigest()[:32]
