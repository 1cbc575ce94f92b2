"""What the views of one running server share: its study, its store, its mode and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from study.folder import Study
from study.store.database import Store
from study.tasks.base import Task
from study.web.limits import Limits


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
    """

    study: Study
    store: Store
    mode: str
    task: Task
    setup_token: str | None
    limits: Limits


def room() -> Room:
    """Return what the views of the current application share."""
    shared: Room = current_app.extensions["ratify"]
    return shared
