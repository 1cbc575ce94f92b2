"""Looks at everything in a study folder of kind chat, as far as each part of it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from prereg.chat.advice import remarks_of_captions, remarks_of_chat, remarks_of_texts
from prereg.chat.films import read_films
from prereg.chat.model import ChatPlan
from prereg.chat.partial import read_partial_chat
from prereg.chat.parts import read_background, read_chat_text, text_files
from prereg.chat.worked import left_from_worked_chat
from prereg.checking.remark import Remark, error_of, note, warning
from prereg.errors import RatifyError
from prereg.images import images_of_texts
from prereg.lock import LOCK_FILE
from prereg.plan.file import PLAN_FILE
from prereg.yaml_lines import YamlLines
from study.chat.foreseen import foreseen
from study.chat.opening import chat_prompts, judge_versions, open_chat
from study.chat.study import ChatStudy
from study.language import check_language

T = TypeVar("T")


@dataclass
class LookedChat:
    """What was seen of a study folder of kind chat.

    Attributes
    ----------
    lines : YamlLines
        Of the plan.
    plan : ChatPlan or None
        As far as it can be read.
    study : ChatStudy or None
        None where something is wrong.
    unread : frozenset of str
        Keys of the plan's first level that are wrong, and so left out of `plan`.
    errors : list of RatifyError
        What stops the lock.
    remarks : list of Remark
        Errors, warnings and notes, in this order.
    """

    lines: YamlLines
    plan: ChatPlan | None = None
    study: ChatStudy | None = None
    unread: frozenset[str] = frozenset()
    errors: list[RatifyError] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Whether the study is locked and nothing has changed since."""
        return self.study is not None and self.study.lock is not None

    def add(self, faults: Iterable[RatifyError]) -> None:
        """Keep faults, each once, among the remarks as well."""
        known = {str(one) for one in self.errors}
        new = list({str(one): one for one in faults if str(one) not in known}.values())
        self.errors += new
        order = {"error": 0, "warning": 1, "note": 2}
        self.remarks = sorted(
            [*(error_of(one, self.lines) for one in new), *self.remarks],
            key=lambda one: (order[one.severity], one.file or "", one.line or 0),
        )

    @property
    def warnings(self) -> list[Remark]:
        """What is probably not meant."""
        return [one for one in self.remarks if one.severity == "warning"]


def look_at_chat(folder: Path | str) -> LookedChat:
    """Look at everything in a study folder of kind chat, and go on after a fault.

    Raises
    ------
    RatifyError
        When there is no plan, or it is not YAML.
    """
    folder = Path(folder)
    read = read_partial_chat(folder)
    found = LookedChat(read.lines, read.plan, unread=read.unread, errors=list(read.faults))
    remarks: list[Remark] = []
    if read.plan is not None:
        plan = read.plan
        texts = _files(folder, plan, found.errors)
        if not found.errors or (folder / LOCK_FILE).exists():
            found.study = _tried(found.errors, partial(open_chat, folder))
        if not found.locked:
            remarks = [*remarks_of_chat(plan), *remarks_of_texts(plan, texts)]
            remarks += left_from_worked_chat(plan, texts)
            remarks += _of_captions(folder, plan)
            remarks += [] if found.study is None else _of_costs(found.study)
        remarks = [one for one in remarks if (one.key or "").partition(".")[0] not in read.unread]
    found.remarks = [one.within(folder, read.lines) for one in remarks]
    errors, found.errors = found.errors, []
    found.add(errors)
    return found


def _tried(errors: list[RatifyError], read: Callable[[], T]) -> T | None:
    """Return what was read, or keep its fault, each once."""
    try:
        return read()
    except RatifyError as error:
        if str(error) not in {str(one) for one in errors}:
            errors.append(error)
        return None


def _files(folder: Path, plan: ChatPlan, errors: list[RatifyError]) -> dict[str, str]:
    """Read every file that a plan names, each by itself; return the texts that can be read."""
    texts = {}
    for name, file in text_files(plan).items():
        text = _tried(errors, partial(read_chat_text, folder, plan, name))
        if text is not None:
            texts[name] = text
            shown = {folder / file: text}
            _tried(errors, partial(images_of_texts, folder, shown))
    for at in range(len(plan.scenarios)):
        _tried(errors, partial(read_background, folder, plan, at))
    _tried(errors, partial(read_films, folder, plan))
    _tried(errors, partial(chat_prompts, folder, plan))
    _tried(errors, partial(check_language, plan.language, folder / PLAN_FILE))
    if not errors:
        _tried(errors, partial(judge_versions, folder, plan))
    return texts


def _of_captions(folder: Path, plan: ChatPlan) -> list[Remark]:
    video = plan.feedback.video
    there = {} if video is None else {name: folder / name for name in video.captions}
    return remarks_of_captions(
        plan, {name: path.read_bytes() for name, path in there.items() if path.is_file()}
    )


def _of_costs(study: ChatStudy) -> list[Remark]:
    """Return what the conversations will cost, and whether the budget holds that."""
    costs = foreseen(study)
    if costs is None:
        return []
    supporters, money = study.plan.design.supporters, study.plan.budget.money
    said = (
        f"a participant will cost about {costs.typical:,.3f} {costs.currency} ({costs.calls} calls "
        f"to models) and at most {costs.most:,.2f}; all {supporters:,} about {costs.all:,.2f}, "
        "without judges."
    )
    found = [note(said, key="budget")]
    if money is not None and costs.most > money:
        found.append(
            warning(
                f"the budget of {money:g} {costs.currency} does not hold the worst case of one "
                f"participant ({costs.most:,.2f}), so nobody would be let in.",
                "Raise it, or lower the limits of messages, tokens and calls.",
                "budget.money",
            )
        )
    elif money is not None and costs.all > money:
        found.append(
            warning(
                f"the budget of {money:g} {costs.currency} will probably not last for all "
                f"{supporters:,} participants.",
                "Raise it, or plan for fewer.",
                "budget.money",
            )
        )
    return found
