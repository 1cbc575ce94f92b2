"""Simulated supporters fill the places of a chat: they go through its pages, in virtual time."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
from sqlalchemy import func, select

from prereg.errors import RatifyError
from study.bots.chatting import Chatter
from study.bots.forms import ChatPage
from study.bots.persona import Persona
from study.chat.claims import release
from study.chat.study import ChatStudy
from study.simulation.places import MOST_PER_PLACE, SUPPORTERS, next_together, said_of_empty
from study.simulation.serving import MODE, served_with_store
from study.store.database import Store
from study.store.tables import Visit

# Seconds between two who arrive.
APART = 2.0
# Supporters that send requests at the same time.
AT_ONCE = 8


@dataclass(frozen=True)
class SentSupporters:
    """What became of the simulated supporters.

    Attributes
    ----------
    places : int
        How many were to finish.
    statuses : mapping
        How many visits have each status.
    pasting : int
        How many pasted what they sent.
    skills : mapping
        The skill that each conversation was written with, by the supporter's id and the round.
    """

    places: int
    statuses: Mapping[str, int]
    pasting: int
    skills: Mapping[tuple[str, int], float] = field(repr=False)

    @property
    def finished(self) -> int:
        """How many went through to the end."""
        return self.statuses.get("finished", 0)

    @property
    def sentence(self) -> str:
        """What became of them, in one sentence."""
        came = sum(self.statuses.values())
        said = f"{came:,} simulated supporters came, {self.finished:,} finished"
        left = came - self.finished
        said += f", {left:,} left on the way" if left else ""
        said += f", {self.pasting:,} pasted what they sent" if self.pasting else ""
        return said + said_of_empty(self.places, self.finished)


def simulate_supporters(
    study: ChatStudy, *, places: int, ended: Callable[[], None] = lambda: None
) -> SentSupporters:
    """Fill the places of a chat with simulated supporters, over HTTP, as its plan assumes them.

    Parameters
    ----------
    study : ChatStudy
        In a folder of its own, whose store has no visits in bot mode.
    places : int
        How many are to finish; at most the plan's supporters.
    ended : callable
        Called once for each place that is filled.

    Raises
    ------
    RatifyError
        When the server does not start, or a page is not what it should be.
    """
    number, pasting, now = 0, 0, float(int(time.time()))
    skills: dict[tuple[str, int], float] = {}
    with served_with_store(study.folder) as (address, store):
        while number < MOST_PER_PLACE * places:
            wanted = places - _statuses(store, study).get("finished", 0)
            if wanted < 1:
                break
            together = next_together(number, wanted)
            number = together[-1]
            came = _visit(address, study, together, now, ended)
            pasting += sum(one.person.pastes for one in came)
            now = max(one.now for one in came) + 60.0
            for one in came:
                rater_id, _ = SUPPORTERS.link_of(study, one.person.number)
                skills |= {(rater_id, at): s for at, s in enumerate(one.person.shown, start=1)}
                if one.ended == "left":
                    release(store, study, MODE, rater_id, "timed_out", one.now)
        return SentSupporters(places, _statuses(store, study), pasting, skills)


def _visit(
    address: str, study: ChatStudy, numbers: range, now: float, ended: Callable[[], None]
) -> list[Chatter]:
    """Send some supporters through the pages.

    They arrive one after the other, so that each has the same place in every simulation.
    """
    trusted = ssl.create_default_context()  # shared: making it takes longer than a visit
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        arrived: list[tuple[Chatter, ChatPage]] = []
        for at, number in enumerate(numbers):
            client = stack.enter_context(
                httpx.Client(base_url=address, timeout=60.0, follow_redirects=True, verify=trusted)
            )
            person = Persona.of(study.plan, number)
            chatter = Chatter(
                client, person, now + APART * at, SUPPORTERS.link_of(study, number)[1]
            )
            page = chatter.arrive()
            if page is None:
                raise RatifyError("the study is full", value=SUPPORTERS.link_of(study, number)[0])
            arrived.append((chatter, page))

        def finish(one: tuple[Chatter, ChatPage]) -> Chatter:
            chatter, page = one
            chatter.go_through(page)
            if chatter.ended == "finished":
                ended()
            return chatter

        return list(pool.map(finish, arrived))


def _statuses(store: Store, study: ChatStudy) -> Counter[str]:
    """Count the visits by what became of them."""
    visits = (
        select(Visit.status, func.count())
        .where(Visit.plan_hash == study.root_hash, Visit.mode == MODE)
        .group_by(Visit.status)
    )
    with store.reading() as connection:
        found: Counter[str] = Counter()
        for status, count in connection.execute(visits):
            found[status] = count
        return found
