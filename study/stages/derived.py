"""What both derived studies have in common: their plan, items and chain, and withdrawals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prereg import files
from prereg.chat.stages import ITEMS, plan_text
from prereg.derived import DERIVED_FILE, Chained, chained, erase, inputs_hash, with_digests
from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.plan.file import PLAN_FILE
from prereg.tables.reader import csv_text, read_table
from prereg.tables.reading import OWN
from study.stages.chat import Chat


@dataclass(frozen=True)
class Made:
    """What was done about a derived study.

    Attributes
    ----------
    folder : Path
    items : int
        How many items it has.
    new : bool
        Whether it was written now.
    erased : int
        How many texts were erased now, because participants withdrew.
    later : int
        How many conversations were over too late to be in it.
    notes : tuple of str
    """

    folder: Path
    items: int
    new: bool
    erased: int = 0
    later: int = 0
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what was done, one sentence each."""
        did = "locked now" if self.new else "is locked already"
        found = [f"{self.folder}: {self.items:,} conversations, {did}"]
        if self.erased:
            found.append(f"{self.folder}: the text of {self.erased:,} was erased (withdrawn)")
        if self.later:
            found.append(
                f"{self.folder}: {self.later:,} conversations were over later and are not in it"
            )
        return found + [f"{self.folder}: {note}" for note in self.notes]


def chat_items(place: Path) -> list[dict[str, str]]:
    """Return the rows of the items of a derived study."""
    return read_table(place / ITEMS, OWN).written


Items = Sequence[Mapping[str, str]]


def comparable(rows: Items) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Return the items of scenarios with two or more, and what to say of the others."""
    sizes = Counter(row["scenario"] for row in rows)
    alone = sorted(name for name, size in sizes.items() if size == 1)
    said = f"the only conversation of {', '.join(alone)} has none to be compared with: not in it"
    return [dict(row) for row in rows if sizes[row["scenario"]] > 1], (said,) if alone else ()


def kept(chat: Chat, place: Path, rows: Items, there: Items, notes: tuple[str, ...] = ()) -> Made:
    """Leave a locked study as it is, but erase the texts of those who withdrew."""
    now = {row["item_id"] for row in rows}
    people, before = chat.people(), {row["item_id"] for row in there}
    gone = [row["item_id"] for row in there if row["rater"] not in people]
    now_erased = erase(place, gone, at=utc_now())
    later = len(now - before)
    return Made(place, len(there), new=False, erased=now_erased, later=later, notes=notes)


def refuse_other(chat: Chat, place: Path) -> None:
    """Refuse a derived study of another plan, or of conversations of another mode."""
    there = chained(place)
    for name, now in (("plan_hash", chat.plan_hash), ("mode", chat.mode)):
        value = getattr(there, name, "")
        if value != now:
            raise RatifyError(
                "was derived from another plan"
                if name == "plan_hash"
                else f"was derived from {value} conversations, not from {now} ones",
                file=place / DERIVED_FILE,
                column=name,
                value=value,
                allowed=f"the folder {place.name}/ moved away, to derive it anew",
            )


def write_derived_plan(chat: Chat, place: Path, content: Mapping[str, Any]) -> None:
    """Write the plan of a derived study."""
    text = plan_text(content, plan_hash=chat.plan_hash, mode=chat.mode)
    files.write_text(place / PLAN_FILE, text)


def write_items(place: Path, columns: Iterable[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Write the items of a derived study."""
    files.write_text(place / ITEMS, csv_text(list(columns), rows))


def chain(chat: Chat, place: Path, stage: str, *, judging: str = "") -> None:
    """Write what a study is derived from, once its items are there."""
    inputs = inputs_hash(with_digests(chat_items(place), {}))
    Chained(stage, chat.plan_hash, chat.mode, inputs, judging).write(place)
