"""What `ratify verify` checks in a study of kind chat, beside its derived stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prereg import files
from prereg.errors import RatifyError

if TYPE_CHECKING:
    from analysis.verify.check import Check
    from prereg.chat.model import ChatPlan
    from prereg.lock import Lock

LEXICON = "lexicon"


def chat_checks(folder: Path) -> list[Check]:
    """Return the checks of a chat's folder: lock, plan, texts, films, prompts, tables, rows.

    Parameters
    ----------
    folder : Path
    """
    from analysis.verify.check import cannot, checked, no
    from analysis.verify.registered import check_code, check_lock, check_stamps
    from analysis.verify.rows import check_chain, check_tables
    from prereg.chat.file import load_chat_plan
    from prereg.tables.chat_contract import CHAT_TABLES

    lock, found = check_lock(folder)
    if lock is None:
        return [*found, *(cannot(name, "the lock cannot be read") for name in ("plan", "rows"))]
    try:
        plan = load_chat_plan(folder)
    except RatifyError as error:
        found.append(no("plan", str(error)))
    else:
        found += _parts(folder, plan, lock)
    found.append(checked("rows", lambda: check_chain(folder, lock, CHAT_TABLES)))
    found.append(checked("tables", lambda: check_tables(folder, lock)))
    found += [check_code(lock), checked("stamps", lambda: check_stamps(folder, lock))]
    return found


def _parts(folder: Path, plan: ChatPlan, lock: Lock) -> Iterator[Check]:
    """Yield whether each part is as it was locked, each by itself."""
    from analysis.verify.check import checked
    from prereg.chat.parts import text_files
    from prereg.parts import plan_parts

    for name, part in plan_parts(plan, lock).items():
        yield _same(name, part, lock)
    named = [*text_files(plan), "scenarios", "prompts", "films", "images", LEXICON]
    for name in named:
        if name in lock.parts:
            yield checked(name, partial(_now, name, folder, plan, lock))


def _now(name: str, folder: Path, plan: ChatPlan, lock: Lock) -> Check:
    """Read a part as it is now, and return whether it is as it was locked."""
    from prereg.chat.films import film_part, read_films
    from prereg.chat.parts import read_background, read_chat_text, text_files
    from prereg.images import images_of_texts
    from study.chat.opening import chat_prompts, judge_versions, lexicon_hash

    texts = text_files(plan)
    now: Any
    if name in texts:
        now = read_chat_text(folder, plan, name)
    elif name == "scenarios":
        now = {s.id: read_background(folder, plan, at) for at, s in enumerate(plan.scenarios)}
    elif name == "prompts":
        now = {**chat_prompts(folder, plan), **judge_versions(folder, plan)}
    elif name == "films":
        now = dict(film_part(read_films(folder, plan), folder))
    elif name == "images":
        shown = {folder / file: read_chat_text(folder, plan, key) for key, file in texts.items()}
        now = {key: image.sha256 for key, image in images_of_texts(folder, shown).items()}
    else:
        now = lexicon_hash(plan)
    return _same(name, now, lock)


def _same(name: str, now: Any, lock: Lock) -> Check:
    """Return whether a part has the hash that was locked, and otherwise what differs in it."""
    from analysis.verify.check import cannot, no, yes
    from prereg.plan_changes import plan_changes

    if files.sha256(files.canonical_json(now)) == lock.parts.get(name):
        return yes(name, "unchanged")
    held = lock.locked.get(name)
    if name == LEXICON:
        return cannot(name, "this release of Ratify screens for other words than the lock names")
    if isinstance(held, Mapping) and isinstance(now, Mapping):
        return no(name, f"changed: {plan_changes(held, now)}")
    return no(name, "has changed since it was locked")
