"""Derives the study `judging/`, in which judges score every conversation of a chat."""

from __future__ import annotations

import shutil
from pathlib import Path

from prereg import files
from prereg.chat.items import ITEM_COLUMNS
from prereg.chat.model import ChatPlan
from prereg.chat.stages import (
    CONSENT,
    INSTRUCTIONS,
    judging_plan,
    plan_text,
    same_but_for_transport,
)
from prereg.derived import JUDGING, chained
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE
from prereg.plan.file import PLAN_FILE
from prereg.yaml_file import read_mapping
from study.export.writing import TABLES_FOLDER
from study.opening import lock_study
from study.stages.chat import Chat
from study.stages.derived import (
    Made,
    chain,
    chat_items,
    comparable,
    kept,
    refuse_other,
    write_derived_plan,
    write_items,
)

PROMPTS = "prompts"
_NOBODY = (
    "# {}\n\nJudges score the conversations of a chat in this study. Nobody is recruited for it.\n"
)


def make_judging(chat: Chat, *, asked: bool) -> Made:
    """Derive the study in which judges score the conversations, and lock it.

    Parameters
    ----------
    chat : Chat
    asked : bool
        Whether a judge has answered there already; then it stays as it is, and only the texts of
        participants who withdrew are erased.

    Raises
    ------
    RatifyError
        When there is nothing to judge, or the folder is derived from something else.
    """
    found, place = chat.items(), chat.folder / JUDGING
    rows, notes = comparable(found)
    if (place / LOCK_FILE).exists():
        refuse_other(chat, place)
        there = chat_items(place)
        if asked or there == rows or not rows:  # also where everybody has withdrawn
            return kept(chat, place, rows, there, notes if there == rows else ())
    if not rows:
        raise RatifyError(
            f"no scenario has two {chat.mode} conversations that are finished"
            if found
            else f"no {chat.mode} conversation is finished",
            file=chat.folder / TABLES_FOLDER,
            allowed="conversations that are over, of participants whom no exclusion leaves out",
        )
    content = judging_plan(chat.plan)
    with files.replaced_folder(place, ours=None) as beside:
        write_derived_plan(chat, beside, content)
        for name in (CONSENT, INSTRUCTIONS):
            files.write_text(beside / name, _NOBODY.format(content["title"]))
        _copy_prompts(chat.folder, beside)
        write_items(beside, ITEM_COLUMNS, rows)
        chain(chat, beside, JUDGING)
        lock_study(beside)
    return Made(place, len(rows), new=True, notes=notes)


def reach_as_planned(folder: Path, plan: ChatPlan) -> None:
    """Take over how judges are reached, and what they may cost, from the chat's plan as it is now.

    Only that may change after the lock. It is logged in `judging/`, as in every study.

    Parameters
    ----------
    folder : Path
        Of the chat.
    plan : ChatPlan
    """
    path, there = folder / JUDGING / PLAN_FILE, chained(folder / JUDGING)
    if there is None or not path.exists():
        return
    content, found = judging_plan(plan), path.read_text(encoding="utf-8")
    text = plan_text(content, plan_hash=there.plan_hash, mode=there.mode)
    if text == found:
        return
    if same_but_for_transport(content, read_mapping(found, file=path, what="plan")):
        files.write_text(path, text)


def _copy_prompts(folder: Path, place: Path) -> None:
    if (folder / PROMPTS).is_dir():
        shutil.copytree(folder / PROMPTS, place / PROMPTS)
