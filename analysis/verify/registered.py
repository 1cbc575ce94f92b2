"""Checks what was promised: the lock, its amendments, and every part that they hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.evidence.status import SEEN
from analysis.evidence.tables import TABLES_FOLDER
from analysis.tables.tidy import table_path
from analysis.verify.check import Check, cannot, checked, listed_differences, no, yes
from analysis.verify.times import VISITS, is_before, live_rows
from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE
from prereg.amendments.chain import changed_prefix
from prereg.code import analysis_code, tool_version
from prereg.derived import PART as CHAINED
from prereg.derived import chained_part, erased, hashed_items
from prereg.errors import RatifyError
from prereg.frame.hashed import PART, frame_part
from prereg.images import study_images
from prereg.lock import Lock, read_lock
from prereg.looks import LOOKS_FILE, read_looks
from prereg.parts import SEQUENCES_FILE, plan_parts, read_texts, sequence_columns
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.plan_changes import plan_changes
from prereg.stamps import check_stamp
from prereg.tables.items import read_items
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN

_SHORT = 12


def check_lock(folder: Path) -> tuple[Lock | None, list[Check]]:
    """Return the lock, if it can be read, and what was found of it and of its amendments."""
    try:
        lock = read_lock(folder)
    except RatifyError as error:
        if error.file is not None and Path(error.file).name == AMENDMENTS_FILE:
            return None, [no("amendments", str(error))]
        return None, [no("lock", str(error))]
    first = lock.versions[0]
    found = [
        yes("lock", f"locked at {lock.locked_at} by {lock.tool}; hash {first.plan_hash[:_SHORT]}")
    ]
    return lock, [*found, checked("amendments", lambda: _amendments(folder, lock))]


def _amendments(folder: Path, lock: Lock) -> Check:
    """Compare what each amendment says was known with looks and rows; the chain has been read."""
    name = "amendments"
    if not lock.amendments:
        return yes(name, "none")
    looks = read_looks(folder)
    began = _began(folder / TABLES_FOLDER)
    for one in lock.amendments:
        before = [look.at for look in looks if look.at <= one.at]
        if before and one.known.state != SEEN:
            return no(
                name,
                f"amendment {one.number} of {one.at} says that no results had been seen, and "
                f"{LOOKS_FILE} has results of {before[0]}",
            )
        earlier = [at for at in began if is_before(at, one.at)]
        if len(earlier) > one.known.visits:
            return no(
                name,
                f"amendment {one.number} of {one.at} counted {one.known.visits:,} visits, and "
                f"{VISITS} has {len(earlier):,} that began before, the first at {earlier[0]}",
            )
    said = "; ".join(f"{one.number} at {one.at} ({one.known.state})" for one in lock.amendments)
    return yes(name, f"in order: {said}; newest hash {lock.plan_hash[:_SHORT]}")


def _began(place: Path) -> list[str]:
    """Return when the live visits began, in order; none if the table cannot be read."""
    try:
        return sorted(made.at for made in live_rows(place) if made.table == VISITS)
    except RatifyError:
        return []


def check_parts(folder: Path, lock: Lock) -> list[Check]:
    """Return for each part of the study whether it is as the newest version of the plan has it."""
    try:
        plan = load_plan(folder)
    except RatifyError as error:
        return [no("plan", str(error)), *_unread(lock)]
    parts = plan_parts(plan, lock)
    asked = [
        *((name, lambda name=name: _part(name, parts[name], lock)) for name in parts),
        ("items", lambda: _items(folder, plan, lock)),
        ("sequences", lambda: _sequences(folder, plan, lock)),
        ("texts", lambda: _texts(folder, plan, lock)),
    ]
    if "images" in lock.parts:
        asked.append(("images", lambda: _images(folder, plan, lock)))
    if PART in lock.parts:
        asked.append((PART, lambda: _frame(folder, plan, lock)))
    if CHAINED in lock.parts:
        asked.append((CHAINED, lambda: _chained(folder, lock)))
    return [checked(name, check) for name, check in asked]


def _unread(lock: Lock) -> list[Check]:
    names = ["items", "sequences", "texts", *(n for n in ("images", PART) if n in lock.parts)]
    return [cannot(name, "the plan cannot be read") for name in names]


def _part(name: str, now: Any, lock: Lock) -> Check:
    """Compare the plan or the judges, and name the keys that differ."""
    if _hash(now) == lock.parts.get(name):
        return yes(name, "unchanged")
    before = lock.locked.get(name)
    keys = "" if before is None else plan_changes(before, now)
    return no(name, f"changed: {keys}" if keys else "changed; the lock does not say what it held")


def _items(folder: Path, plan: Plan, lock: Lock) -> Check:
    table = read_items(folder / plan.materials.items, plan.data.reading("items"))
    if _hash(hashed_items(folder, table.written)) == lock.parts.get("items"):
        gone = len(erased(folder))
        but = f"; the text of {gone} was erased after a withdrawal" if gone else ""
        return yes("items", f"all {len(table.written)} unchanged{but}")
    exported = table_path(folder / TABLES_FOLDER, "items")
    then = _rows_if_locked(exported, lock.parts.get("items"))
    if then is None:
        return no("items", f"{plan.materials.items} has changed")
    return no("items", listed_differences(_different_rows(then, table.written)))


def _rows_if_locked(path: Path, digest: str | None) -> list[dict[str, str]] | None:
    """Return the rows of the exported items, if they are those that were locked."""
    try:
        rows = [dict(row) for row in read_items(path).written]
    except RatifyError:
        return None
    return rows if _hash(rows) == digest else None


def _different_rows(then: Sequence[dict[str, str]], now: Sequence[dict[str, str]]) -> list[str]:
    """Return which items differ, and in which columns."""
    before = {row["item_id"]: row for row in then if "item_id" in row}
    after = {row["item_id"]: row for row in now if "item_id" in row}
    found = [f"{name} is gone" for name in before if name not in after]
    found += [f"{name} is new" for name in after if name not in before]
    for name in before.keys() & after.keys():
        columns = [
            c for c in {**before[name], **after[name]} if before[name].get(c) != after[name].get(c)
        ]
        found += [f"{name} has another {', '.join(columns)}"] * bool(columns)
    return sorted(found) or ["the items are in another order, or have other columns"]


def _sequences(folder: Path, plan: Plan, lock: Lock) -> Check:
    table = read_table(folder / SEQUENCES_FILE, OWN)
    columns = sequence_columns(plan)
    table.require(*columns)
    rows = [{column: row[column] for column in columns} for row in table.written]
    if _hash(rows) != lock.parts.get("sequences"):
        newest = lock.versions[-1].rows
        counted = "" if newest in (None, len(rows)) else f": {len(rows)} rows, {newest} were locked"
        return no("sequences", f"{SEQUENCES_FILE} has changed{counted}")
    answered = [
        one for one in lock.versions if one.rows is not None and _had_data(lock, one.number)
    ]
    changed = changed_prefix(rows, [(one.rows or 0, one.parts["sequences"]) for one in answered])
    if changed is not None:
        number = answered[changed].number
        return no("sequences", f"those of version {number + 1} are not the first rows any more")
    return yes("sequences", f"all {len(rows)} trials unchanged")


def _had_data(lock: Lock, number: int) -> bool:
    """Say whether anybody answered before the version after this one was made."""
    after = lock.versions[number + 1 :]
    return not after or (after[0].known is not None and after[0].known.state != "no_data")


def _texts(folder: Path, plan: Plan, lock: Lock) -> Check:
    now = read_texts(folder, plan)
    changed = [name for name, text in now.items() if _hash(text) != lock.parts.get(name)]
    if not changed:
        return yes("texts", f"{' and '.join(now)} unchanged")
    return no("texts", "; ".join(f"{name} has changed" for name in changed))


def _images(folder: Path, plan: Plan, lock: Lock) -> Check:
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    shown = study_images(folder, plan, read_texts(folder, plan), items)
    if _hash({name: image.sha256 for name, image in shown.items()}) == lock.parts["images"]:
        return yes("images", f"all {len(shown)} unchanged")
    return no("images", "an image that raters are shown has changed, or there are others")


def _frame(folder: Path, plan: Plan, lock: Lock) -> Check:
    now = frame_part(folder, plan)
    if _hash(now) == lock.parts[PART]:
        return yes(PART, f"{', '.join(now)} unchanged")
    return no(PART, f"{', '.join(now) or 'the frame'} has changed since it was locked")


def _chained(folder: Path, lock: Lock) -> Check:
    now = chained_part(folder)
    if _hash(now) == lock.parts[CHAINED]:
        return yes(CHAINED, f"derived from the plan {now['plan_hash'][:_SHORT]}")
    return no(CHAINED, "what the items were derived from has changed since it was locked")


def check_stamps(folder: Path, lock: Lock) -> Check:
    """Return what else, beside the lock itself, proves when the plan was there."""
    name = "stamps"
    if not lock.stamps:
        return cannot(name, "none; the lock's times are those of the computer that wrote it")
    found = [check_stamp(folder, lock, stamp) for stamp in lock.stamps]
    said = "; ".join(words for _, words in found)
    wrong = [words for holds, words in found if holds is False]
    if wrong:
        return no(name, "; ".join(wrong))
    # a commit's date is what its author wrote, so not even that proves a time by itself
    return cannot(name, said)


def check_code(lock: Lock) -> Check:
    """Return whether this installation has the analysis code that the lock names."""
    here = tool_version()
    if not lock.code:
        return cannot("code", f"the lock names none ({lock.tool}; here is {here})")
    if lock.code == analysis_code():
        return yes("code", f"the analysis code is the one that was locked ({lock.tool})")
    return cannot(
        "code",
        f"locked by {lock.tool} with analysis code {lock.code[:_SHORT]}; here is {here} with "
        f"{analysis_code()[:_SHORT]}",
    )


def _hash(part: Any) -> str:
    return files.sha256(files.canonical_json(part))
