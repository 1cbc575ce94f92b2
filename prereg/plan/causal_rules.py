"""Checks that a plan's `causal` section fits its scales: two scales of points, cuts on them."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.errors import RatifyError
from prereg.plan.causal import Causal, Treatment
from prereg.plan.collection import RatingScale
from prereg.plan.model import Plan

# Columns of the sample for people, which a frame's own columns may not be called.
SAMPLE_COLUMNS = ("stratum", "sampled_for", "inclusion_probability")
# What `study.scaffold` and the pages take for other things.
_OWN = ("item_id", "scenario", "text", *SAMPLE_COLUMNS)


def faults_of_causal(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each key of `causal` that does not fit the plan or another key of it.

    `column` of a fault is the dotted path of the key.
    """
    one = plan.causal
    if one is None:
        return
    points = {scale.id: scale for scale in plan.scales if isinstance(scale, RatingScale)}
    for key, part in one.scores.items():
        if part.scale not in points:
            yield RatifyError(
                "has labels, which have no distance"
                if part.scale in plan.labels
                else "is not a scale of this plan",
                column=f"causal.{key}.scale",
                value=part.scale,
                allowed=", ".join(points) or "a scale of points",
            )
    if one.treatment.scale in points:
        yield from _cuts(one.treatment, points[one.treatment.scale])
    if one.treatment.scale == one.outcome.scale:
        yield RatifyError(
            "treatment and outcome must be two scales",
            column="causal.outcome.scale",
            value=one.outcome.scale,
            allowed=", ".join(name for name in points if name != one.treatment.scale)
            or "another scale of points",
        )
    yield from _columns(one)


def _cuts(treatment: Treatment, scale: RatingScale) -> Iterator[RatifyError]:
    """Refuse cuts that the scale does not reach."""
    for key in ("treated", "control"):
        cut = getattr(treatment, key)
        if not scale.min <= cut <= scale.max:
            yield RatifyError(
                f"this cut is outside the scale {scale.id}",
                column=f"causal.treatment.{key}",
                value=cut,
                allowed=f"{scale.min} to {scale.max}",
            )


def _columns(one: Causal) -> Iterator[RatifyError]:
    """Refuse a column with two meanings."""
    seen: dict[str, str] = {}
    for key, name in one.columns.items():
        first = seen.setdefault(name, key)
        if name in _OWN and key != "confounders.text":
            yield RatifyError(
                "is a column that has another meaning",
                column=f"causal.{key}",
                value=name,
                allowed=f"a column other than {', '.join(_OWN)}",
            )
        elif first != key:
            yield RatifyError(
                f"is already named by causal.{first}",
                column=f"causal.{key}",
                value=name,
                allowed="another column of the frame",
            )
