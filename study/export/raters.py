"""Say how each rater answers: times, sides, repeated answers, checks. No answer is shown itself."""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.tables.contract import TIE
from study.folder import Study
from study.store.database import Store
from study.store.tables import BestWorst, Judgment, Rating, Visit

SILENT = "silent"
# A pattern that chance alone gives fewer than this share of raters stands out.
RARE = 0.01
# From so many ratings on, nearly all of them the same is striking; and what nearly all means.
FEWEST_RATINGS, NEARLY_ALL = 8, 0.9
# A rater much faster than the others: below this share of the median of the raters' medians.
FAST, FEWEST_OTHERS = 1 / 3, 5
# A page hidden for more than half of the time, and for longer than a minute in all.
HIDDEN_SHARE, HIDDEN_MS = 0.5, 60_000


@dataclass(frozen=True)
class RaterRow:
    """How one rater of one mode answers; attention checks count only where it says so.

    Attributes
    ----------
    rater_id, status : str
        A visit under way in which nothing happened for longer than the plan's lease is 'silent'.
    answered, trials : int
        Trials answered and trials of the sequence, attention checks counted.
    median_ms : float or None
        Median time from showing a trial to its answer.
    side, side_of : int
        How often the answer was on the left (pairs), or at the place most often picked as the most
        (best and worst), and out of how many. Both are 0 where a trial has no sides. Ties, which
        have no side, do not count.
    ties : int
        How often neither text of a pair was chosen.
    place : int
        That place, from 1.
    run : int
        The longest run of the same answer, trial after trial.
    same, same_of : int
        How often the most frequent point of the scales was given, of how many ratings.
    failed, checked : int
        Attention checks failed, of those answered.
    hidden_ms : int
        Time that the page was hidden, by the rater's device.
    surveyed : bool
        Whether the end survey is answered.
    flags : tuple of str
        What stands out, in plain words; empty if nothing does.
    """

    rater_id: str
    status: str
    answered: int
    trials: int
    median_ms: float | None = None
    side: int = 0
    side_of: int = 0
    ties: int = 0
    place: int = 1
    run: int = 0
    same: int = 0
    same_of: int = 0
    failed: int = 0
    checked: int = 0
    hidden_ms: int = 0
    surveyed: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Answer:
    """One answered trial: what was said, in a form that can be compared and not read."""

    said: Hashable
    points: tuple[float, ...]
    is_check: bool
    passed: bool | None
    response_ms: int | None
    hidden_ms: int | None


def raters(store: Store, study: Study, mode: str) -> list[RaterRow]:
    """Return every rater of one mode, the most striking first.

    It takes one statement for the visits and one for the answers, however many raters there are.
    """
    now = time.time()
    here = and_(Visit.plan_hash == study.root_hash, Visit.mode == mode)
    with store.snapshot() as connection:
        visits = connection.execute(select(Visit.__table__).where(here)).all()
        said = _answers(connection, study, mode)
    rows = []
    for visit in visits:
        silent = visit.status == "active" and visit.lease_until < now
        row = RaterRow(
            visit.rater_id,
            SILENT if silent else visit.status,
            visit.answered,
            len(study.sequences.get(visit.sequence_id, ())),
            surveyed=visit.surveyed_at is not None,
        )
        rows.append(_described(row, said.get(visit.session_id, []), study.plan))
    times = [row.median_ms for row in rows if row.median_ms is not None]
    usual = median(times) if len(times) > FEWEST_OTHERS else None
    flagged = [replace(row, flags=tuple(_flags(row, study.plan, usual))) for row in rows]
    return sorted(flagged, key=lambda row: (-len(row.flags), row.rater_id))


def _answers(connection: Connection, study: Study, mode: str) -> dict[str, list[_Answer]]:
    """Return every person's answers of one mode by session, in the order of the trials."""
    kind = kind_of(study.plan).table
    table: Any = {"judgments": Judgment, "ratings": Rating, "best_worst": BestWorst}[kind]
    own: dict[str, tuple[Any, ...]] = {
        "judgments": (Judgment.choice,),
        "ratings": (Rating.value,),
        "best_worst": (BestWorst.options, BestWorst.most_id, BestWorst.least_id),
    }
    common = (
        table.session_id,
        table.position,
        table.is_attention_check,
        table.passed_check,
        table.response_ms,
        table.hidden_ms,
    )
    order = (table.session_id, table.position, table.row_id)
    wanted = (
        select(*common, *own[kind])
        .where(table.plan_hash == study.root_hash, table.mode == mode, table.rater_kind == "human")
        .order_by(*order)
    )
    trials: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in connection.execute(wanted).all():
        trials[row[0], row[1]].append(row)
    found: dict[str, list[_Answer]] = defaultdict(list)
    for (session, _), rows in trials.items():
        first = rows[0]
        said, points = _said(kind, rows)
        found[session].append(_Answer(said, points, *first[2:6]))
    return found


def _said(kind: str, rows: list[Any]) -> tuple[Hashable, tuple[float, ...]]:
    """Return an answer without its items: the side, the points, or the places."""
    if kind == "ratings":
        points = tuple(float(row[6]) for row in rows)
        return points, points
    if kind == "judgments":
        return rows[0][6], ()
    places = json.loads(rows[0][6])
    return (places.index(rows[0][7]) + 1, places.index(rows[0][8]) + 1), ()


def _described(row: RaterRow, answers: Sequence[_Answer], plan: Plan) -> RaterRow:
    """Return a row with what its answers show."""
    real = [a for a in answers if not a.is_check]
    checks = [a for a in answers if a.is_check]
    times = [a.response_ms for a in real if a.response_ms is not None]
    points = Counter(point for a in real for point in a.points)
    side, place = _side([a.said for a in real], plan)
    return replace(
        row,
        median_ms=median(times) if times else None,
        side=side,
        side_of=sum(a.said != TIE for a in real) if kind_of(plan).compares else 0,
        ties=sum(a.said == TIE for a in real),
        place=place,
        run=longest_run([a.said for a in real]),
        same=max(points.values(), default=0),
        same_of=points.total(),
        failed=sum(a.passed is False for a in checks),
        checked=len(checks),
        hidden_ms=sum(a.hidden_ms or 0 for a in answers),
    )


def _side(said: Sequence[Any], plan: Plan) -> tuple[int, int]:
    """Return how often the left, or the place most often picked as the most, was chosen."""
    if not kind_of(plan).compares or not said:
        return 0, 1
    if not isinstance(said[0], tuple):
        return sum(side == "left" for side in said), 1
    place, count = Counter(most for most, _ in said).most_common(1)[0]
    return count, place


def longest_run(said: Sequence[Hashable]) -> int:
    """Return the length of the longest run of equal values."""
    longest = run = 0
    for number, one in enumerate(said):
        run = run + 1 if number and one == said[number - 1] else 1
        longest = max(longest, run)
    return longest


def _flags(row: RaterRow, plan: Plan, usual: float | None) -> list[str]:
    """Return what stands out about a rater, in plain words."""
    rules = {rule.rule: rule for rule in plan.exclusions}
    found = []
    if row.failed > (getattr(rules.get("failed_attention"), "max_failed", None) or 0):
        found.append(f"failed {row.failed} of {row.checked} attention checks")
    least = getattr(rules.get("too_fast"), "min_median_ms", None)
    if row.median_ms is not None and least is not None and row.median_ms < least:
        found.append(f"faster than the plan allows (a median of {least / 1000:g} s)")
    elif row.median_ms is not None and usual is not None and row.median_ms < usual * FAST:
        found.append(f"three times as fast as most raters ({usual / 1000:.0f} s)")
    found += _patterns(row, plan)
    if row.hidden_ms > HIDDEN_MS and row.median_ms is not None:
        reading = row.median_ms * max(row.answered, 1)
        if row.hidden_ms > HIDDEN_SHARE * reading:
            found.append("another window was in front for more than half of the time")
    return found


def _patterns(row: RaterRow, plan: Plan) -> list[str]:
    """Return patterns that answers rarely have by chance; the design mixes the places."""
    found = []
    options = kind_of(plan).shown(plan)
    if row.side_of or row.ties:
        if row.ties >= FEWEST_RATINGS and row.ties >= NEARLY_ALL * (row.side_of + row.ties):
            found.append(f"chose neither text in {row.ties} of {row.side_of + row.ties} pairs")
        if options == 2:
            right = row.side_of - row.side
            side, count = ("left", row.side) if row.side >= right else ("right", right)
            if 2 * at_least(count, row.side_of, 0.5) < RARE:
                found.append(f"chose the {side} {count} of {row.side_of} times")
        elif options * at_least(row.side, row.side_of, 1 / options) < RARE:
            found.append(f"picked place {row.place} as most {row.side} of {row.side_of} times")
        ways = 2 if options == 2 else options * (options - 1)
        # a run of this length may begin at any trial
        if (row.side_of + row.ties) * (1 / ways) ** (row.run - 1) < RARE:
            found.append(f"gave the same answer {row.run} times in a row")
    if row.same_of >= FEWEST_RATINGS and row.same >= NEARLY_ALL * row.same_of:
        found.append(f"gave the same point in {row.same} of {row.same_of} ratings")
    elif not (row.side_of or row.ties) and row.run >= (5 if plan.asked_at_once > 1 else 8):
        found.append(f"rated {row.run} texts in a row exactly alike")
    return found


def at_least(count: int, of: int, share: float) -> float:
    """Return the probability of at least so many of so many, each with the same chance."""
    ways = range(count, of + 1)
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in ways)


# The columns by which the table can be sorted; the first click puts the striking end first.
SORTS: dict[str, Any] = {
    "flags": lambda row: (-len(row.flags), row.rater_id),
    "rater": lambda row: row.rater_id,
    "status": lambda row: (row.status, row.rater_id),
    "trials": lambda row: (row.answered, row.rater_id),
    "time": lambda row: (row.median_ms if row.median_ms is not None else math.inf, row.rater_id),
    "side": lambda row: (-abs(row.side / row.side_of - 0.5) if row.side_of else 0, row.rater_id),
    "run": lambda row: (-row.run, row.rater_id),
    "same": lambda row: (-(row.same / row.same_of) if row.same_of else 0, row.rater_id),
    "checks": lambda row: (-row.failed, row.rater_id),
    "hidden": lambda row: (-row.hidden_ms, row.rater_id),
}
