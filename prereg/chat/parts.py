"""What the lock of a chat hashes: everything that participants, partner and coach read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prereg import files
from prereg.chat.films import ReadFilm, film_part, inside, read_films
from prereg.chat.model import ChatPlan
from prereg.images import Image, images_of_texts
from prereg.parts import Locked, plan_parts, read_text

LEXICON = "lexicon"


@dataclass(frozen=True)
class ChatFiles:
    """The files of a study folder of kind chat.

    Attributes
    ----------
    texts : mapping
        Consent, instructions, safety, and with a second stage compare_consent and
        compare_instructions.
    backgrounds : mapping
        What only the partner reads of each scenario, by its id.
    films : tuple of ReadFilm
    images : mapping
        The images that the texts show, by their names there.
    """

    texts: Mapping[str, str]
    backgrounds: Mapping[str, str]
    films: tuple[ReadFilm, ...]
    images: Mapping[str, Image]


def text_files(plan: ChatPlan) -> dict[str, str]:
    """Return the file of every text that participants read, by the name of its part."""
    found = {
        "consent": plan.materials.consent,
        "instructions": plan.materials.instructions,
        "safety": plan.safety.text,
    }
    if plan.compare is not None:
        found["compare_consent"] = plan.compare.consent
        found["compare_instructions"] = plan.compare.instructions
    return found


# Where a plan names the file of each text.
TEXT_KEYS = {
    "consent": "materials.consent",
    "instructions": "materials.instructions",
    "safety": "safety.text",
    "compare_consent": "compare.consent",
    "compare_instructions": "compare.instructions",
}


def read_chat_text(folder: Path, plan: ChatPlan, name: str) -> str:
    """Return one of the texts that participants read.

    Raises
    ------
    RatifyError
        When it is outside of the folder, missing, empty, not UTF-8, or has another number of titles
        than its page needs.
    """
    like = f"{name.replace('_', '/')}.md"  # as the worked plan calls it
    path = inside(folder, text_files(plan)[name], key=TEXT_KEYS[name], like=like)
    # help is shown on a page that has a title of its own
    titles = 0 if name == "safety" else 1
    return read_text(path, titles=titles, whose="the text that participants read")


def read_background(folder: Path, plan: ChatPlan, number: int) -> str:
    """Return what only the partner reads of a scenario.

    Raises
    ------
    RatifyError
        When the file is outside of the folder, missing, empty or not UTF-8.
    """
    name = plan.scenarios[number].background
    path = inside(folder, name, key=f"scenarios.{number}.background", like="scenarios/NAME.md")
    return read_text(path, titles=None, whose="who the partner is, and what happened")


def read_chat_files(folder: Path, plan: ChatPlan) -> ChatFiles:
    """Read every file that a plan of kind chat names, except the prompts.

    Raises
    ------
    RatifyError
        At the first file that is missing or wrong.
    """
    texts = {name: read_chat_text(folder, plan, name) for name in text_files(plan)}
    shown = {folder / file: texts[name] for name, file in text_files(plan).items()}
    return ChatFiles(
        texts,
        {s.id: read_background(folder, plan, at) for at, s in enumerate(plan.scenarios)},
        read_films(folder, plan),
        images_of_texts(folder, shown),
    )


def held_parts(folder: Path, found: ChatFiles, prompts: Mapping[str, str]) -> dict[str, Any]:
    """Return the parts that a lock also keeps word for word, so that a change can be shown.

    Of films and images it keeps the SHA-256 of each.
    """
    parts: dict[str, Any] = {
        **found.texts,
        "scenarios": dict(found.backgrounds),
        "prompts": dict(prompts),
    }
    if found.films:
        parts["films"] = dict(film_part(found.films, folder))
    if found.images:
        parts["images"] = {name: image.sha256 for name, image in found.images.items()}
    return parts


def chat_parts(
    folder: Path,
    plan: ChatPlan,
    found: ChatFiles,
    *,
    prompts: Mapping[str, str],
    lexicon: str,
    lock: Locked | None = None,
) -> dict[str, str]:
    """Return the SHA-256 of every part of a chat over its canonical JSON.

    Parameters
    ----------
    folder : Path
    plan : ChatPlan
    found : ChatFiles
    prompts : mapping
        What partner, coach and each judge work with, by these names.
    lexicon : str
        SHA-256 of the words of distress that messages are screened for; empty if they are not.
    lock : Locked, optional
        The lock that the parts are compared with; it says whether judges are a part of their own.
    """
    parts: dict[str, Any] = {**plan_parts(plan, lock), **held_parts(folder, found, prompts)}
    if lexicon:
        parts[LEXICON] = lexicon
    return {name: files.sha256(files.canonical_json(part)) for name, part in parts.items()}
