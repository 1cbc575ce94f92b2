"""The worked plans of kind chat: folders with everything that a study of conversations needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from prereg.chat.file import parse_chat_plan
from prereg.chat.model import ChatPlan
from prereg.chat.parts import text_files
from prereg.checking.remark import Remark, warning
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.worked_plans import ENGLISH, Choices, id_of, is_chat_folder
from prereg.yaml_edit import with_values

# What a choice sets in a plan of kind chat; the others belong to trials.
_KEYS = {
    "title": "title",
    "question": "compare.question",
    "raters": "design.supporters",
    "platform": "recruitment.platform",
    "code": "recruitment.codes.completed",
}
_ENDINGS = {"partner_failure": "-PF", "stopped": "-ST", "no_consent": "-NC"}
# Texts that nobody can take over: who does the study, and where help is found, is another matter
# in each of them.
_OWN = ("consent", "safety", "compare_consent")


def worked_chats() -> list[str]:
    """Return the names of the worked plans of kind chat."""
    every = (resources.files("prereg") / "worked").iterdir()
    return sorted(place.name for place in every if is_chat_folder(place))


def worked_files(worked: str) -> dict[str, bytes]:
    """Return every file of a worked plan of kind chat, by its path in the study folder."""
    return dict(_files(resources.files("prereg") / "worked" / worked, ""))


def _files(place: Traversable, before: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(place.iterdir(), key=lambda one: one.name):
        if one.is_dir():
            yield from _files(one, f"{before}{one.name}/")
        else:
            yield f"{before}{one.name}", one.read_bytes()


def chosen_chat(worked: str, choices: Choices) -> str:
    """Return the YAML of a worked plan of kind chat, with the researcher's choices.

    Raises
    ------
    RatifyError
        At a choice that a chat does not have, or that its plan refuses; it names the flag.
    """
    text = worked_files(worked)[PLAN_FILE].decode("utf-8")
    if choices.language != ENGLISH:
        raise RatifyError(
            f"the worked plan {worked} has no texts in this language",
            file="--language",
            value=choices.language,
            allowed=ENGLISH,
        )
    if choices.trials is not None:
        raise RatifyError(
            "is about trials, which a chat does not have",
            file="--trials",
            value=choices.trials,
            allowed="--raters, the number of participants; conversations are set in plan.yaml",
        )
    given = {name: getattr(choices, name) for name in _KEYS}
    values = {_KEYS[name]: value for name, value in given.items() if value is not None}
    if not values:
        return text
    flags = {key: f"--{name}" for name, key in _KEYS.items()}
    if choices.title is not None:
        values["id"] = id_of(choices.title, choices.folder)[0]
    if choices.code is not None:
        plan = parse_chat_plan(text, file=PLAN_FILE)
        for outcome, ending in _ENDINGS.items():
            if getattr(plan.recruitment.codes, outcome) is not None:
                values[f"recruitment.codes.{outcome}"] = choices.code + ending
    changed = with_values(text, values)
    try:
        parse_chat_plan(changed, file=PLAN_FILE)
    except RatifyError as error:
        flag = flags.get(error.column or "")
        raise RatifyError(
            error.problem,
            file=flag or PLAN_FILE,
            column=None if flag else error.column,
            value=error.value,
            allowed=error.allowed,
        ) from error
    return changed


@cache
def _plan_of(worked: str) -> ChatPlan:
    return parse_chat_plan(worked_files(worked)[PLAN_FILE].decode("utf-8"), file=PLAN_FILE)


def left_from_worked_chat(plan: ChatPlan, texts: Mapping[str, str]) -> list[Remark]:
    """Return warnings about texts and names that are still those of a worked plan.

    Parameters
    ----------
    plan : ChatPlan
    texts : mapping
        Those that can be read, by the name of their part.
    """
    found = []
    for worked in worked_chats():
        theirs, files = _plan_of(worked), worked_files(worked)
        for name in _OWN:
            text = files[text_files(theirs)[name]].decode("utf-8")
            if name in texts and texts[name].split() == text.split():
                found.append(
                    warning(
                        "it is still the text of a worked plan.",
                        "Name helplines of your participants' countries, and somebody to write to."
                        if name == "safety"
                        else "Write your own: who you are, and what you do with the conversations.",
                        file=text_files(plan)[name],
                    )
                )
        same = {
            "id": plan.id == theirs.id,
            "title": plan.title == theirs.title,
            "recruitment.codes.completed": plan.recruitment.codes.completed
            == theirs.recruitment.codes.completed,
        }
        left = [name for name, alike in same.items() if alike]
        if left:
            found.append(
                warning(
                    f"plan.yaml still has the worked plan's {', '.join(left)}.",
                    "Write your own before the lock: a change after it is another study.",
                    left[0],
                )
            )
    return found
