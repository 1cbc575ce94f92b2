"""Gathers what the document of a study of kind chat is made of."""

from __future__ import annotations

from pathlib import Path

from prereg.chat.document import ChatMaterial
from prereg.chat.films import film_part, read_films
from study.chat.opening import open_chat


def chat_material(folder: Path) -> ChatMaterial:
    """Return a study of kind chat as its document describes it.

    Raises
    ------
    RatifyError
        When something in the folder is wrong, or has changed since it was locked.
    """
    study = open_chat(folder)
    films = read_films(folder, study.plan)
    return ChatMaterial(
        folder=folder,
        plan=study.plan,
        texts=study.texts,
        backgrounds=study.backgrounds,
        prompts=study.prompts,
        images=study.images,
        films=film_part(films, folder),
        captions={
            one.captions.relative_to(folder).as_posix(): one.captions.read_text("utf-8-sig")
            for one in films
        },
        parts=study.parts,
        plan_hash=study.plan_hash,
        lock=study.lock,
    )
