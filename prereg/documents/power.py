"""The power of a plan in its documents: what `ratify power` found, if it was asked."""

from __future__ import annotations

import json
from pathlib import Path

from prereg.documents.prose import bullets, inline
from prereg.errors import RatifyError

POWER_FILE = Path("power") / "power.json"
# What `ratify power --causal` wrote.
LABELS_FILE = Path("power") / "causal.json"
NONE_YET = (
    "The plan's power was not simulated; `ratify power` does it under the plan's assumptions."
)


def power_sentences(folder: Path, key: str, *, file: Path = POWER_FILE) -> tuple[str, ...]:
    """Return what a study's simulated power says, the most important first.

    Parameters
    ----------
    folder : Path
        A study folder with the file that `ratify power` wrote.
    key : str
        Hash of the plan, assumptions, items and code as they are now.
    file : Path
        The file in the study folder.

    Raises
    ------
    RatifyError
        When the file is not one of power, or other studies than those of this plan were simulated.
    """
    path = folder / file
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sentences = tuple(str(one) for one in content["sentences"])
        made = content["key"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RatifyError("is not what `ratify power` wrote", file=path) from error
    if made != key:
        raise RatifyError(
            "is of another version of plan, items or code, so the documents leave it out",
            file=path,
            allowed="run `ratify power` again",
        )
    return sentences


def power(sentences: tuple[str, ...]) -> str:
    """Return the power of a plan as Markdown."""
    return bullets(map(inline, sentences)) if sentences else NONE_YET
