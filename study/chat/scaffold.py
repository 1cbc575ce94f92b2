"""Make new study folders of kind chat from a worked plan."""

from __future__ import annotations

from pathlib import Path

from prereg import files
from prereg.chat.model import ChatPlan
from prereg.chat.worked import chosen_chat, worked_chats, worked_files
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.schema import SCHEMA_FILE, SCHEMA_LINE, schema_text
from prereg.worked_plans import Choices
from study.chat.opening import open_chat
from study.chat.study import ChatStudy


def new_chat(folder: Path, *, worked: str, choices: Choices | None = None) -> ChatStudy:
    """Make a study folder of kind chat from a worked plan.

    Parameters
    ----------
    folder : Path
        Must be new or empty.
    worked : str
        From `prereg.chat.worked.worked_chats`.
    choices : Choices, optional
        Of the user; by default the worked plan's own.

    Returns
    -------
    ChatStudy
        The new folder, opened.

    Raises
    ------
    RatifyError
        When there is no such plan, the folder holds anything, or a choice is not possible.
    """
    if worked not in worked_chats():
        raise RatifyError(
            "there is no such worked plan",
            file="--plan",
            value=worked,
            allowed=", ".join(worked_chats()),
        )
    plan = chosen_chat(worked, choices or Choices())
    with files.replaced_folder(folder, ours=()) as beside:
        for name, content in worked_files(worked).items():
            files.write_bytes(beside / name, content)
        files.write_text(beside / PLAN_FILE, SCHEMA_LINE + plan)
        files.write_text(beside / SCHEMA_FILE, schema_text(ChatPlan))
    return open_chat(folder)
