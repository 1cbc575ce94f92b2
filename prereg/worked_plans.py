"""The worked plans: their texts in each language, and the choices that `ratify new` asks for.

A worked plan is a folder of `prereg/worked/`, in English: `plan.yaml`, `consent.md` and
`instructions.md`. Another language is three files more: `consent.LL.md`, `instructions.LL.md`, and
`texts.LL.yaml`, which gives a text for each path of the plan that raters and readers see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from prereg.errors import RatifyError
from prereg.files import sha256
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.model import Plan
from prereg.yaml_edit import with_key_after, with_values
from prereg.yaml_file import read_mapping

ENGLISH = "en"
WORKED = "pairwise_preference"
TEXTS = ("consent.md", "instructions.md")
# What each choice sets, and the flag that makes it.
_KEYS = {
    "title": "title",
    "question": "design.question",
    "raters": "design.raters",
    "trials": "design.trials",
    "platform": "recruitment.platform",
    "code": "recruitment.codes.completed",
}
FLAGS = {key: f"--{name}" for name, key in _KEYS.items()}
_UMLAUTS = ("ae", "oe", "ue")
# Codes of other outcomes follow from the one for a completed visit.
_ENDINGS = {"screened_out": "-SO", "failed_attention": "-AC", "no_consent": "-NC"}


@dataclass(frozen=True)
class Choices:
    """What a researcher chooses of a new study; None keeps what the worked plan has.

    Attributes
    ----------
    language : str
        Two letters, from `languages_of`.
    title, question : str, optional
    raters, trials : int, optional
    platform : {'generic', 'prolific'}, optional
    code : str, optional
        The completion code.
    folder : str
        The name of the study folder, for the id of a title without Latin letters.
    """

    language: str = ENGLISH
    title: str | None = None
    question: str | None = None
    raters: int | None = None
    trials: int | None = None
    platform: str | None = None
    code: str | None = None
    folder: str = ""

    def values(self) -> dict[str, str | int]:
        """Return the chosen values by their path in the plan."""
        chosen = {key: getattr(self, name) for name, key in _KEYS.items()}
        return {key: value for key, value in chosen.items() if value is not None}


def _folder(worked: str) -> Traversable:
    return resources.files("prereg") / "worked" / worked


def is_chat_folder(place: Traversable) -> bool:
    """Say whether a worked plan is of kind chat: only such a study needs a text on safety."""
    return (place / "safety.md").is_file()


def worked_plans() -> list[str]:
    """Return the names of the worked plans, the default first; chats are `prereg.chat.worked`."""
    places = (resources.files("prereg") / "worked").iterdir()
    names = sorted(path.name for path in places if not is_chat_folder(path))
    return sorted(names, key=lambda name: name != WORKED)


def languages_of(worked: str) -> list[str]:
    """Return the languages that a worked plan has texts in, English first."""
    found = (re.fullmatch(r"texts\.(\w+)\.yaml", one.name) for one in _folder(worked).iterdir())
    return [ENGLISH, *sorted(one[1] for one in found if one)]


def worked_texts(worked: str, language: str = ENGLISH) -> dict[str, str]:
    """Return the consent and the instructions of a worked plan, by the name of their file."""
    ending = "" if language == ENGLISH else f".{language}"
    return {
        name: (_folder(worked) / name.replace(".md", f"{ending}.md")).read_text(encoding="utf-8")
        for name in TEXTS
    }


def translated(worked: str, language: str) -> Mapping[str, str]:
    """Return what raters and readers see of a worked plan, by its path; empty in English."""
    if language == ENGLISH:
        return {}
    path = _folder(worked) / f"texts.{language}.yaml"
    return read_mapping(path.read_text(encoding="utf-8"), file=path.name, what="plan")


def chosen_plan(worked: str, choices: Choices) -> str:
    """Return the YAML of a worked plan in a language, with the researcher's choices.

    Raises
    ------
    RatifyError
        At a language that the worked plan has no texts in, and at a choice that a plan refuses; it
        names the flag.
    """
    if choices.language not in languages_of(worked):
        raise RatifyError(
            f"the worked plan {worked} has no texts in this language",
            file="--language",
            value=choices.language,
            allowed=", ".join(languages_of(worked)),
        )
    text = (_folder(worked) / PLAN_FILE).read_text(encoding="utf-8")
    if choices.language != ENGLISH:
        text = with_values(text, translated(worked, choices.language))
        text = with_key_after(text, "kind", "language", choices.language)
    if not choices.values():
        return text
    changed = with_values(text, _with_what_follows(parse_plan(text, file=PLAN_FILE), choices))
    try:
        parse_plan(changed, file=PLAN_FILE)
    except RatifyError as error:
        raise _of_flag(error) from error
    return changed


def _with_what_follows(plan: Plan, choices: Choices) -> dict[str, str | int]:
    """Return the chosen values, and those that have to change with them."""
    values = choices.values()
    if choices.title is not None:
        values["id"] = id_of(choices.title, choices.folder)[0]
    for outcome, ending in _ENDINGS.items():
        if choices.code is not None and getattr(plan.recruitment.codes, outcome) is not None:
            values[f"recruitment.codes.{outcome}"] = choices.code + ending
    for number, check in enumerate(plan.attention_checks):
        if choices.trials is not None and check.after > choices.trials:
            values[f"attention_checks.{number}.after"] = choices.trials
    return values


def id_of(title: str, folder: str) -> tuple[str, str]:
    """Return the id of a study with a title, and what it was made from.

    Parameters
    ----------
    title : str
    folder : str
        The name of the study folder, which names the study if the title has no Latin letters.
    """
    for source, text in (("title", title), ("folder's name", folder)):
        name = re.sub(r"[\W_]+", "_", _in_latin(text), flags=re.ASCII).strip("_")
        name = re.sub(r"^[\d_]+", "", name)
        if name:
            return name[:64].rstrip("_"), f"the {source}"
    return f"study_{sha256(title.encode())[:8]}", "a hash of the title"


def _in_latin(text: str) -> str:
    """Return a text in small letters, without accents; a German umlaut is two letters."""
    german = text.casefold().translate({ord(a): b for a, b in zip("äöü", _UMLAUTS, strict=True)})
    return unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()


def _of_flag(error: RatifyError) -> RatifyError:
    """Return a fault of the plan as one of the flag that made it."""
    key = error.column or ""
    # raters that are not a multiple of raters_per_sequence are a fault of the whole design
    flag = "--raters" if key == "design" else FLAGS.get(key)
    return RatifyError(
        error.problem,
        file=flag or PLAN_FILE,
        column=None if flag else key,
        value=error.value,
        allowed=error.allowed,
    )
