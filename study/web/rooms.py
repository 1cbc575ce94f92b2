"""What the views of a running server share, whatever the kind of study that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from prereg.lock import Lock
from prereg.plan.collection import Recruitment
from study.store.database import Store
from study.web.limits import Limits


class AnyStudy(Protocol):
    """A study of any kind, as a server knows it."""

    @property
    def folder(self) -> Path: ...  # noqa: D102
    @property
    def plan(self) -> Any: ...  # noqa: D102
    @property
    def lock(self) -> Lock | None: ...  # noqa: D102
    @property
    def root_hash(self) -> str: ...  # noqa: D102


S = TypeVar("S", bound=AnyStudy)


@dataclass(frozen=True)
class AnyRoom(Generic[S]):
    """What the views of one running server share.

    Attributes
    ----------
    study : Study or ChatStudy
    store : Store
    mode : {'live', 'pilot', 'bot'}
    setup_token : str or None
        The token in the link that sets the dashboard's first password.
    limits : Limits
    links_key : bytes
        The key that signs the links of those who take part.
    """

    study: S
    store: Store
    mode: str
    setup_token: str | None
    limits: Limits
    links_key: bytes

    @property
    def recruitment(self) -> Recruitment:
        """Where those who take part come from."""
        found: Recruitment = self.study.plan.recruitment
        return found

    @property
    def signed(self) -> bool:
        """Whether they need a signed link; bots, whose data are nobody's, never do."""
        return self.recruitment.links == "signed" and self.mode != "bot"

    @property
    def takes_anybody(self) -> bool:
        """Whether somebody whose link has no id may take part."""
        if self.recruitment.platform == "prolific" or self.signed:
            return False
        # a study that 0.4.0 locked goes on as it began
        old = self.study.lock is not None and not self.study.lock.ids_required
        return self.mode != "live" or self.recruitment.without_id or old
