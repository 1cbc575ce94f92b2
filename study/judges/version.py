"""By what each judge answers, for the lock: a change here is a change of the study."""

from __future__ import annotations

from prereg.errors import RatifyError

# Raised by hand whenever a baseline's answers change; a test holds a digest of its answers beside
# the number. The source itself is not hashed: a better comment must not stop a running study.
BASELINES = {"length": 1, "lexical": 1}


def judge_version(name: str) -> str:
    """Return what the lock keeps of a judge.

    Raises
    ------
    RatifyError
        When there is no such judge.
    """
    if name not in BASELINES:
        raise RatifyError(
            "there is no such baseline", file="plan.yaml", column="judges", value=name,
            allowed=", ".join(sorted(BASELINES)),
        )  # fmt: skip
    return f"baseline {name}, version {BASELINES[name]}"
