"""An opened study folder of kind chat: its plan, its texts, its films, and the one hash of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prereg.chat.model import ChatPlan
from prereg.images import Image
from prereg.lock import Lock


@dataclass(frozen=True)
class Film:
    """A clip of the study folder with its captions.

    Attributes
    ----------
    clip, captions : Path
    address : str
        The start of the clip's SHA-256, by which its page asks for it.
    """

    clip: Path
    captions: Path
    address: str


@dataclass(frozen=True)
class ChatStudy:
    """Everything the pages, the partner and the coach need.

    Attributes
    ----------
    folder : Path
    plan : ChatPlan
    texts : mapping
        Consent, instructions and safety (Markdown), by these names; and those of the second stage,
        compare_consent and compare_instructions.
    backgrounds : mapping
        What only the partner reads of each scenario, by its id.
    prompts : mapping
        The text of the prompts of partner and coach, by these names.
    films : tuple of Film
        In the plan's order.
    images : mapping
        The images that the texts show, by their names there.
    parts : mapping
        SHA-256 by part.
    plan_hash : str
    lock : Lock or None
        None while the plan is not locked.
    """

    folder: Path
    plan: ChatPlan
    texts: Mapping[str, str]
    backgrounds: Mapping[str, str]
    prompts: Mapping[str, str]
    films: tuple[Film, ...]
    images: Mapping[str, Image]
    parts: Mapping[str, str]
    plan_hash: str
    lock: Lock | None

    @property
    def root_hash(self) -> str:
        """The hash by which the store knows the study: that of the first version."""
        return self.plan_hash if self.lock is None else self.lock.root_hash

    @property
    def version_hash(self) -> str | None:
        """The hash of this version, which a row of the store holds if it is not the first."""
        return None if self.plan_hash == self.root_hash else self.plan_hash
