"""Count answers over time, by hour, day or week."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

Unit = Literal["hour", "day", "week"]
STEPS: dict[Unit, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
# Spans longer than these are counted by day, and by week.
MOST_HOURS = 48
MOST_DAYS = 60


@dataclass(frozen=True)
class Bar:
    """The number of answers in one unit of time."""

    start: datetime
    answers: int


@dataclass(frozen=True)
class Timeline:
    """Answers over time, in UTC.

    Attributes
    ----------
    unit : {'hour', 'day', 'week'}
    bars : tuple of Bar
        From the first answer to the last, one per unit, including empty ones.
    """

    unit: Unit
    bars: tuple[Bar, ...]

    @property
    def peak(self) -> Bar:
        """The highest bar; the first one, if there are several."""
        return max(self.bars, key=lambda bar: bar.answers)

    def label(self, bar: Bar) -> str:
        """Return when a bar begins, as precisely as its unit."""
        return f"{bar.start:%Y-%m-%d %H:%M}" if self.unit == "hour" else f"{bar.start:%Y-%m-%d}"


def timeline(connection: Connection, column: Any, condition: Any) -> Timeline | None:
    """Return answers over time, or None if there are none.

    Parameters
    ----------
    connection : Connection
    column : column
        A column of times in the store's format.
    condition : condition
        Which rows count.
    """
    hour = func.substr(column, 1, 13)
    rows = connection.execute(select(hour, func.count()).where(condition).group_by(hour))
    by_hour = {datetime.fromisoformat(f"{text}:00:00+00:00"): count for text, count in rows}
    return arrange(by_hour) if by_hour else None


def arrange(by_hour: dict[datetime, int]) -> Timeline:
    """Return counts by hour as a timeline in the finest unit that does not have too many bars."""
    span = max(by_hour) - min(by_hour)
    unit: Unit = "week"
    if span < MOST_HOURS * STEPS["hour"]:
        unit = "hour"
    elif span < MOST_DAYS * STEPS["day"]:
        unit = "day"
    counts: Counter[datetime] = Counter()
    for moment, count in by_hour.items():
        counts[_floor(moment, unit)] += count
    bars, start, step = [], min(counts), STEPS[unit]
    while start <= max(counts):
        bars.append(Bar(start, counts[start]))
        start += step
    return Timeline(unit, tuple(bars))


def _floor(moment: datetime, unit: Unit) -> datetime:
    if unit == "hour":
        return moment
    day = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return day if unit == "day" else day - timedelta(days=day.weekday())
