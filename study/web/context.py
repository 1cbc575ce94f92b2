"""What the views of one running server share: its study, its store, its mode and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app

from study.folder import Study
from study.store.database import Store
from study.tasks.base import Task
from study.web.limits import Limits
from study.web.texts import Texts


@dataclass(frozen=True)
class Room:
    """What the views of one running server share.

    Attributes
    ----------
    study : Study
    store : Store
    mode : {'live', 'pilot', 'bot'}
    task : Task
        What the study's trials ask.
    setup_token : str or None
        The token in the link that sets the dashboard's first password.
    limits : Limits
    links_key : bytes
        The key that signs the raters' links.
    texts : Texts
        The study's texts as HTML.
    rendered : dict
        The pages of trials in pieces; see `study.web.views.trial_pages`.
    """

    study: Study
    store: Store
    mode: str
    task: Task
    setup_token: str | None
    limits: Limits
    links_key: bytes
    texts: Texts
    rendered: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)

    @property
    def signed(self) -> bool:
        """Whether raters need a signed link; bots, whose data are nobody's, never do."""
        return self.study.plan.recruitment.links == "signed" and self.mode != "bot"

    @property
    def takes_anybody(self) -> bool:
        """Whether a rater whose link has no id may take part."""
        recruitment, lock = self.study.plan.recruitment, self.study.lock
        if recruitment.platform == "prolific" or self.signed:
            return False
        # a study that 0.4.0 locked goes on as it began
        old = lock is not None and not lock.ids_required
        return self.mode != "live" or recruitment.without_id or old


def room() -> Room:
    """Return what the views of the current application share."""
    shared: Room = current_app.extensions["ratify"]
    return shared
