"""The frame as a part of the lock: its name and the SHA-256 of its file."""

from __future__ import annotations

from pathlib import Path

from prereg import files
from prereg.errors import RatifyError
from prereg.plan.model import Plan

# The name of the part.
PART = "frame"


def frame_part(folder: Path, plan: Plan) -> dict[str, str]:
    """Return the SHA-256 of the frame by its name; nothing if the plan has no causal section.

    Raises
    ------
    RatifyError
        When the plan names a frame that is not there, or cannot be read.
    """
    if plan.causal is None:
        return {}
    path = folder / plan.causal.frame
    try:
        return {plan.causal.frame: files.sha256(path.read_bytes())}
    except FileNotFoundError as error:
        raise no_frame(path) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def no_frame(path: Path) -> RatifyError:
    """Return the error for a frame that is not there."""
    return RatifyError(
        "no such file: the plan's causal section names it as its frame",
        file=path,
        allowed="a table of all units, as `ratify turns` writes it",
    )
