"""The first room: whether people agree with each other enough to be a yardstick."""

from __future__ import annotations

from analysis.arrays import FloatArray
from analysis.causal.rooms.alpha import weighted_alpha
from analysis.causal.rooms.asking import Asking
from analysis.causal.rooms.condition import Condition

ROOM = "human floor"


def human_floor(asking: Asking, ratings: tuple[FloatArray, FloatArray]) -> tuple[Condition, ...]:
    """Return people's own alpha on both scores.

    Parameters
    ----------
    asking : Asking
    ratings : tuple of array of shape (n, raters)
        Of the units of the sample: treatment, outcome.
    """
    names, level = asking.names, asking.level()
    return tuple(
        asking.condition(
            ROOM,
            "people's alpha",
            about,
            asking.interval(weighted_alpha(values, asking.sample), level),
            f"People's own alpha on {about} is {{}}",
            level=level,
            least=asking.thresholds.human_alpha,
            unit="alpha",
            method="Krippendorff's ordinal alpha, inclusion-weighted, jackknife clustered by user",
            barriers=asking.few,
        )
        for about, values in zip((names.treatment, names.outcome), ratings, strict=True)
    )
