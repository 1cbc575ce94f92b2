"""By what each judge answers, for the lock: a change here is a change of the study."""

from __future__ import annotations

from prereg.errors import RatifyError
from prereg.plan import Measures
from study.judges import lexicon

# Raised by hand whenever a baseline's answers change; a test holds a digest of its answers beside
# the number. The source itself is not hashed: a better comment must not stop a running study.
BASELINES = {"length": 1, "lexical": 1}


def judge_version(name: str) -> str:
    """Return what the lock keeps of a judge."""
    return f"baseline {name}, version {BASELINES[name]}"


def check_measures(name: str, measures: Measures) -> None:
    """Raise `RatifyError` unless a judge of this name can answer these measures.

    Raises
    ------
    RatifyError
        When there is no such judge, or it knows neither the scale nor a dimension.
    """
    if name not in BASELINES:
        raise RatifyError(
            "there is no such baseline", column="id", value=name,
            allowed=", ".join(sorted(BASELINES)),
        )  # fmt: skip
    if (measures.scale.min, measures.scale.max) != (lexicon.SCALE_MIN, lexicon.SCALE_MAX):
        raise RatifyError(
            f"baseline {name} rates from {lexicon.SCALE_MIN} to {lexicon.SCALE_MAX} only",
            column="measures.scale", value=f"{measures.scale.min} to {measures.scale.max}",
            allowed=f"{lexicon.SCALE_MIN} to {lexicon.SCALE_MAX}",
        )  # fmt: skip
    for dimension in measures.dimensions:
        if dimension not in lexicon.DIMENSIONS:
            raise RatifyError(
                f"baseline {name} has no rating for this dimension", column="measures",
                value=dimension, allowed=", ".join(lexicon.DIMENSIONS),
            )  # fmt: skip
