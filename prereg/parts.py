"""What the lock hashes: the parts of a study, each as canonical JSON of its content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from prereg import derived, files
from prereg.errors import RatifyError
from prereg.frame.hashed import PART, frame_part
from prereg.images import study_images
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.plan.transport import TRANSPORT
from prereg.tables.items import read_items
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN

SEQUENCES_FILE = "sequences.csv"


class Locked(Protocol):
    """What decides which parts there are: the lock that they are compared with."""

    @property
    def parts(self) -> Mapping[str, str]:
        """SHA-256 by part."""

    @property
    def has_judges(self) -> bool:
        """Whether judges are a part of their own."""


class Promised(Protocol):
    """What the lock needs of a plan, of whatever kind."""

    @property
    def has_models(self) -> bool:
        """Whether any judge is more than a baseline."""

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the lock hashes it."""


def sequence_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns of the sequences table."""
    scale = ("dimension",) if plan.design.apart else ()
    return ("sequence_id", "position", *kind_of(plan).columns(plan), *scale, "is_attention_check")


def hash_parts(
    plan: Plan,
    *,
    items: Sequence[Mapping[str, str]],
    sequences: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
    prompts: Mapping[str, str],
    images: Mapping[str, str] | None = None,
    frame: Mapping[str, str] | None = None,
    chained: Mapping[str, str] | None = None,
    lock: Locked | None = None,
) -> dict[str, str]:
    """Return the SHA-256 of every part of a study over its canonical JSON.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table, all columns, as text.
    sequences : sequence of mapping
        Rows of the sequences table.
    texts : mapping
        The other texts that raters are shown, by name (consent, instructions).
    prompts : mapping
        What each judge works with, by judge id: a prompt, or a baseline's lexicon.
    images : mapping, optional
        SHA-256 of the images that the texts show, by name.
    frame : mapping, optional
        SHA-256 of the frame of a causal study, by name.
    chained : mapping, optional
        What the items were derived from; see `prereg.derived`.
    lock : Locked, optional
        The lock that the parts are compared with; it says whether judges are a part of their own.
    """
    columns = sequence_columns(plan)
    rows = [{c: str(row[c]) for c in columns} for row in sequences]
    parts: dict[str, Any] = {
        **plan_parts(plan, lock),
        "items": [dict(row) for row in items],
        "sequences": rows,
        "prompts": dict(prompts),
        **texts,
        **({"images": dict(images)} if images else {}),
        **({PART: dict(frame)} if frame else {}),
        **({derived.PART: dict(chained)} if chained else {}),
    }
    return {name: files.sha256(files.canonical_json(part)) for name, part in parts.items()}


def plan_parts(plan: Promised, lock: Locked | None) -> dict[str, Any]:
    """Return what is hashed of the plan: judges by themselves, without the keys of transport."""
    whole = plan.to_json()
    if not (plan.has_models if lock is None else lock.has_judges):
        return {"plan": whole}
    judges = [
        {key: value for key, value in judge.items() if key not in TRANSPORT}
        for judge in whole.pop("judges")
    ]
    return {"plan": whole, "judges": judges}


def study_parts(folder: Path, plan: Plan, *, lock: Locked | None = None) -> dict[str, str]:
    """Return the hashes of every part of a study folder except the judges' prompts.

    Parameters
    ----------
    folder : Path
    plan : Plan
    lock : Locked, optional
        The lock that the parts are compared with; it says whether images are among them.

    Raises
    ------
    RatifyError
        When a file of the study is missing or wrong.
    """
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    sequences = read_table(folder / SEQUENCES_FILE, OWN)
    sequences.require(*sequence_columns(plan))
    texts = read_texts(folder, plan)
    shown = (
        study_images(folder, plan, texts, items) if lock is None or "images" in lock.parts else {}
    )
    parts = hash_parts(
        plan,
        items=derived.hashed_items(folder, items.written),
        sequences=sequences.written,
        texts=texts,
        prompts={},
        images={name: image.sha256 for name, image in shown.items()},
        frame=frame_part(folder, plan),
        chained=derived.chained_part(folder),
        lock=lock,
    )
    del parts["prompts"]
    return parts


def read_texts(folder: Path, plan: Plan) -> dict[str, str]:
    """Return the texts other than items that raters are shown, by name.

    Raises
    ------
    RatifyError
        When a text is missing, empty or not UTF-8.
    """
    return {
        "consent": read_text(folder / plan.materials.consent),
        "instructions": read_text(folder / plan.materials.instructions),
    }


def read_text(
    path: Path, *, titles: int | None = 1, whose: str = "the text raters are shown"
) -> str:
    """Return a text of a study.

    Parameters
    ----------
    path : Path
    titles : int or None
        How many titles it must have; None for any number.
    whose : str
        What it is for; named if it is empty.

    Raises
    ------
    RatifyError
        When it is missing, empty, not UTF-8, or has another number of titles.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path, allowed="the text the plan names") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError("cannot be read as text in UTF-8", file=path) from error
    if not text.strip():
        raise RatifyError("is empty", file=path, allowed=whose)
    found = len(re.findall(r"^# +\S", text, re.MULTILINE))
    if titles is not None and found != titles:
        # raters who use a screen reader find their way by the page's one title
        raise RatifyError(
            f"has {found} titles",
            file=path,
            allowed="one line that begins with '# '"
            if titles
            else "no line that begins with '# ': its page has a title",
        )
    return text
