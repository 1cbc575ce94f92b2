"""What simulated studies say about a plan: power, widths of intervals, chances of the gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.inference.proportions import wilson_interval
from analysis.planning.effect_sizes import source_of_sizes
from analysis.planning.one_study import STUDY, Record
from analysis.planning.points import Point
from analysis.registered.hypotheses import OPEN, SUPPORTED
from prereg.analyses.change import Change
from prereg.analyses.regression import Regression
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.plan.model import Plan

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of simulated studies, with the interval of its simulation error (Wilson 1927)."""

    hits: int
    studies: int
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, hits: int, studies: int) -> Share:
        """Return a share; not a number without studies."""
        if not studies:
            return cls(hits=0, studies=0, value=math.nan, low=math.nan, high=math.nan)
        low, high = wilson_interval(hits, studies, level=LEVEL)
        return cls(hits=hits, studies=studies, value=hits / studies, low=low, high=high)


@dataclass(frozen=True, kw_only=True)
class Width:
    """How wide an interval is expected to be.

    Attributes
    ----------
    name : str
        Analysis and quantity.
    mean, sd : float
        Over the studies with an interval; in the unit of the quantity.
    without : int
        Studies without an interval.
    """

    name: str
    mean: float
    sd: float
    without: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An analysis that could not be computed in some studies, and the most frequent reason."""

    analysis: str
    studies: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Condition:
    """How often one threshold of the gate holds."""

    name: str
    expected: Share
    bad: Share | None


@dataclass(frozen=True, kw_only=True)
class AtPoint:
    """What the studies of one size say.

    Attributes
    ----------
    point : Point
    studies : int
    raters : float
        How many raters count on average, after exclusions.
    power : mapping of str to Share
        By hypothesis: the share of studies whose registered analyses support it.
    undecided : mapping of str to Share
        By hypothesis: the share of studies that do not decide it.
    gate, gate_bad : Share or None
        The share of studies whose gate passes with the expected judges, and with bad ones.
    conditions : tuple of Condition
    widths : tuple of Width
    failures : tuple of Failure
    """

    point: Point
    studies: int
    raters: float
    power: Mapping[str, Share]
    undecided: Mapping[str, Share]
    gate: Share | None
    gate_bad: Share | None
    conditions: tuple[Condition, ...]
    widths: tuple[Width, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, kw_only=True)
class Power:
    """The power of a plan.

    Attributes
    ----------
    plan : Plan
    key : str
        Hash of all that the studies follow from; see `kept.key_of`.
    points : tuple of AtPoint
        The plan's own size first.
    skipped : mapping of Point to str
        Sizes that cannot be, and why.
    """

    plan: Plan
    key: str
    points: tuple[AtPoint, ...]
    skipped: Mapping[Point, str] = field(default_factory=dict)

    @property
    def own(self) -> AtPoint:
        """What is found for the plan as it is."""
        return self.points[0]

    def curve(self, name: str) -> list[AtPoint]:
        """Return the points of a curve by size, with the plan's own."""
        found = [one for one in self.points if one.point.curve in {name, "plan"}]
        return sorted(found, key=lambda one: int(getattr(one.point, name)))

    def to_frame(self) -> pd.DataFrame:
        """Return every number as one row: `what`, `name`, `judges`, `value`, `low`, `high`."""
        return pd.DataFrame([row for one in self.points for row in _rows(one)])

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        return {
            "format": 1,
            "plan": self.plan.id,
            "title": self.plan.title,
            "key": self.key,
            "seed": self.plan.seed,
            "level": LEVEL,
            "hypotheses": [{"id": h.id, "text": h.text} for h in self.plan.hypotheses],
            "assumptions": assumptions_of(self.plan),
            "sizes_of_effects": sizes_assumed(self.plan),
            "points": [_plain(asdict(one)) for one in self.points],
            "skipped": [{**asdict(point), "why": why} for point, why in self.skipped.items()],
        }


def assumptions_of(plan: Plan) -> dict[str, Any]:
    """Return every assumption as JSON holds it, also those that the plan leaves as they are."""
    assumed = plan.assumptions
    return {
        "raters": assumed.raters.model_dump(mode="json"),
        "judges": {"good": assumed.judges.good, "bad": assumed.judges.bad}
        | ({"each": dict(assumed.judges.each)} if assumed.judges.each else {}),
        "effects": {
            name: one.model_dump(mode="json", exclude_defaults=True)
            for name, one in assumed.effects.items()
        },
    }


def sizes_assumed(plan: Plan) -> dict[str, str]:
    """Return where the sizes of effects are from, by each analysis that needs some."""
    kinds = (Change, SourceRatings, BestWorstShares, Themes)
    return {
        one.id: source_of_sizes(plan, one)
        for one in plan.analyses
        if isinstance(one, kinds) or (isinstance(one, Regression) and one.tables())
    }


def at_point(plan: Plan, point: Point, records: Sequence[Record]) -> AtPoint:
    """Return what the studies of one size say.

    A study that could not be analysed supports nothing and passes no gate.
    """
    n = len(records)
    verdicts = {
        h.id: Counter(one.get("verdicts", {}).get(h.id) for one in records) for h in plan.hypotheses
    }
    gated = bool(plan.gate)
    judged = gated and bool(plan.judges)
    return AtPoint(
        point=point,
        studies=n,
        raters=float(np.mean([one.get("raters", 0) for one in records])) if n else math.nan,
        power={name: Share.of(counts[SUPPORTED], n) for name, counts in verdicts.items()},
        undecided={name: Share.of(counts[OPEN], n) for name, counts in verdicts.items()},
        gate=_passed(records, "gate") if gated else None,
        gate_bad=_passed(records, "gate_bad") if judged else None,
        conditions=_conditions(plan, records),
        widths=_widths(records),
        failures=_failures(plan, records),
    )


def _passed(records: Sequence[Record], name: str) -> Share:
    return Share.of(sum(bool(one.get(name)) for one in records), len(records))


def _conditions(plan: Plan, records: Sequence[Record]) -> tuple[Condition, ...]:
    found = []
    for at, threshold in enumerate(plan.gate):
        shares = {
            name: Share.of(sum(bool(one[name][at]) for one in records if name in one), len(records))
            for name in ("holds", "holds_bad")
        }
        found.append(
            Condition(
                name=f"{threshold.analysis}: {threshold.quantity}, {threshold.field} at least "
                f"{threshold.at_least:g}",
                expected=shares["holds"],
                bad=shares["holds_bad"] if plan.judges else None,
            )
        )
    return tuple(found)


def _widths(records: Sequence[Record]) -> tuple[Width, ...]:
    """Return the width of each quantity that has an interval in some study."""
    names = dict.fromkeys(name for one in records for name in one.get("widths", {}))
    found = []
    for name in names:
        known = [w for one in records if (w := one.get("widths", {}).get(name)) is not None]
        if known:
            found.append(
                Width(
                    name=name,
                    mean=float(np.mean(known)),
                    sd=float(np.std(known, ddof=1)) if len(known) > 1 else math.nan,
                    without=len(records) - len(known),
                )
            )
    return tuple(found)


def _failures(plan: Plan, records: Sequence[Record]) -> tuple[Failure, ...]:
    whys: dict[str, Counter[str]] = {}
    for one in records:
        for analysis, why in one.get("failed", {}).items():
            whys.setdefault(analysis, Counter())[why] += 1
    order = [STUDY, *(analysis.id for analysis in plan.analyses)]
    return tuple(
        Failure(analysis=name, studies=whys[name].total(), why=_frequent(whys[name]))
        for name in order
        if name in whys
    )


def _frequent(whys: Counter[str]) -> str:
    """Return the most frequent reason, the first by the alphabet among equals."""
    return min(whys, key=lambda why: (-whys[why], why))


def _rows(one: AtPoint) -> list[dict[str, Any]]:
    size = {**asdict(one.point), "studies": one.studies}
    shares: list[tuple[str, str, str, Share]] = [
        ("power", name, "expected", share) for name, share in one.power.items()
    ]
    shares += [("undecided", name, "expected", share) for name, share in one.undecided.items()]
    shares += [("gate", "gate", "expected", one.gate)] if one.gate is not None else []
    shares += [("gate", "gate", "bad", one.gate_bad)] if one.gate_bad is not None else []
    for condition in one.conditions:
        shares.append(("threshold", condition.name, "expected", condition.expected))
        if condition.bad is not None:
            shares.append(("threshold", condition.name, "bad", condition.bad))
    rows = [
        {**size, "what": what, "name": name, "judges": judges}
        | {"value": share.value, "low": share.low, "high": share.high}
        for what, name, judges, share in shares
    ]
    rows += [
        {**size, "what": "width", "name": width.name, "judges": "expected"}
        | {"value": width.mean, "low": math.nan, "high": math.nan}
        for width in one.widths
    ]
    rows += [
        {**size, "what": "failed", "name": failure.analysis, "judges": "expected"}
        | {"value": failure.studies / one.studies, "low": math.nan, "high": math.nan}
        for failure in one.failures
    ]
    return rows


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it: what is not a number is absent."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
