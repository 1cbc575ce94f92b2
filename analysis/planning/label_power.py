"""What simulated causal studies say about a plan's number of labels, and about other numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.causal.correction.more_labels import WidthCurve, width_curve
from analysis.planning.label_studies import Assumed, AtSize
from analysis.planning.one_study import STUDY, Record
from analysis.planning.power import Share


@dataclass(frozen=True, kw_only=True)
class AtLabels:
    """What the studies with one number of labels say.

    Attributes
    ----------
    stratified, random : int
        As the plan would say them.
    labelled, treated : float
        Units that are labelled, and those of them that people call treated: means. A unit in both
        draws is labelled once.
    studies : int
    width : float
        Mean width of the corrected 95% interval, over the studies that have one.
    width_sd : float
    coverage : Share
        Studies whose interval holds the truth, of those that have one.
    power : Share
        Studies whose interval leaves out 0, of all.
    gate : Share
        Studies whose gate passes, of all.
    failed : int
        Studies without a corrected estimate.
    why : str
        The most frequent reason.
    """

    stratified: int
    random: int
    labelled: float
    treated: float
    studies: int
    width: float
    width_sd: float
    coverage: Share
    power: Share
    gate: Share
    failed: int
    why: str

    @property
    def planned(self) -> int:
        """Units that the plan would draw."""
        return self.stratified + self.random


@dataclass(frozen=True, kw_only=True)
class LabelPower:
    """What a number of labels can find.

    Attributes
    ----------
    assumed : Assumed
    key : str
        Hash of all that the sentences follow from.
    truth : float
        The effect that the plan's number of raters makes of the assumed one: what is estimated.
    truth_se : float
        Its error: of the mean over large worlds.
    treated : float
        The share of units that so many raters call treated.
    sizes : tuple of AtLabels
        By number of labels.
    skipped : tuple of int
        Numbers of labels that the frame has too few units for.
    """

    assumed: Assumed
    key: str
    truth: float
    truth_se: float
    treated: float
    sizes: tuple[AtLabels, ...]
    skipped: tuple[int, ...] = field(default=())

    @property
    def own(self) -> AtLabels:
        """The plan's own number of labels."""
        plan = self.assumed.causal.labels
        return next(
            one
            for one in self.sizes
            if (one.stratified, one.random) == (plan.stratified, plan.random)
        )

    @property
    def wanted(self) -> float:
        """The width that is wanted: the plan's, or twice the margin of its gate."""
        return self.assumed.causes.wanted(self.assumed.causal.gate.margin)

    @property
    def curve(self) -> WidthCurve | None:
        """The width by labels; None if fewer than two sizes have one."""
        known = [one for one in self.sizes if math.isfinite(one.width)]
        if len(known) < 2:
            return None
        return width_curve(
            [one.labelled for one in known], [one.width for one in known], self.assumed.units
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number of labels."""
        rows = []
        for one in self.sizes:
            row: dict[str, Any] = {
                "labels": one.planned,
                "stratified": one.stratified,
                "random": one.random,
                "labelled": one.labelled,
                "treated": one.treated,
                "studies": one.studies,
                "width": one.width,
                "width_sd": one.width_sd,
            }
            for name in ("coverage", "power", "gate"):
                share: Share = getattr(one, name)
                row |= {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
            rows.append(row | {"failed": one.failed, "why": one.why})
        return pd.DataFrame(rows)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON holds it: what is not a number is absent."""
        curve = self.curve
        return {
            "key": self.key,
            "assumed": {
                **self.assumed.causes.model_dump(mode="json"),
                "units": self.assumed.units,
                "users": self.assumed.users,
                "raters": self.assumed.causal.labels.raters,
                "aggregate": self.assumed.causal.labels.aggregate,
                "rater_reliability": self.assumed.plan.assumptions.raters.reliability,
            },
            "truth": {
                "effect": _plain(self.truth),
                "se": _plain(self.truth_se),
                "treated": _plain(self.treated),
            },
            "sizes": [
                {name: _plain(value) for name, value in asdict(one).items()} for one in self.sizes
            ],
            "skipped": list(self.skipped),
            "wanted": {
                "width": self.wanted,
                "labels": None if curve is None else curve.labels_for(self.wanted),
                "width_with_all_units": None
                if curve is None
                else curve.width_at(self.assumed.units),
            },
        }


def at_labels(setup: AtSize, records: Sequence[Record], truth: float) -> AtLabels:
    """Return what the studies with one number of labels say.

    Parameters
    ----------
    setup : AtSize
    records : sequence of dict
        See `label_studies.label_study`.
    truth : float
    """
    found = [one for one in records if "failed" not in one]
    whys = Counter(str(one["failed"][STUDY]) for one in records if "failed" in one)
    widths = np.array([one["high"] - one["low"] for one in found])
    covered = sum(one["low"] <= truth <= one["high"] for one in found)
    return AtLabels(
        stratified=setup.stratified,
        random=setup.random,
        labelled=_mean([one["labelled"] for one in found]),
        treated=_mean([one["treated"] for one in found]),
        studies=len(records),
        width=_mean(widths.tolist()),
        width_sd=float(widths.std(ddof=1)) if len(widths) > 1 else math.nan,
        coverage=Share.of(covered, len(found) if math.isfinite(truth) else 0),
        power=Share.of(sum(one["low"] > 0 or one["high"] < 0 for one in found), len(records)),
        gate=Share.of(sum(bool(one["gate"]) for one in found), len(records)),
        failed=len(records) - len(found),
        why=min(whys, key=lambda why: (-whys[why], why)) if whys else "",
    )


def truth_of(records: Sequence[Record]) -> tuple[float, float, float]:
    """Return the mean effect of large worlds, its error, and the share of the treated."""
    found = [one for one in records if "failed" not in one]
    effects = [one["effect"] for one in found]
    if len(effects) < 2:
        return _mean(effects), math.nan, _mean([one["treated"] for one in found])
    error = float(np.std(effects, ddof=1)) / math.sqrt(len(effects))
    return _mean(effects), error, _mean([one["treated"] for one in found])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
