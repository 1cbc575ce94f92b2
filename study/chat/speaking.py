"""Answer one thing that is owed: by a model or a script, through the screens, both ways.

A reply in which a screen finds something is withheld: nobody sees it, the visit is flagged, help is
offered, and another reply is asked for once. If that is found fault with as well, the partner has
failed. The text that was withheld is kept beside the queue's row, for the researcher.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.engine import Connection

from prereg.chat.partner import Coach
from study.chat.asking import Asked, Asking
from study.chat.coach_model import (
    Feedback,
    answer_question,
    feedback_question,
    read_answer,
    read_feedback,
)
from study.chat.owing import OwedTask, SettledReply
from study.chat.partner import Said, partner_question, read_message
from study.chat.roles import breaks_role
from study.chat.screens import MODERATION, Hit, Screens, is_noted
from study.chat.scripted import scripted_reply
from study.chat.scripted_coach import scripted_answer, scripted_feedback
from study.chat.study import ChatStudy
from study.store.chat_tables import Coaching, Conversation, Message
from study.store.database import Store

T = TypeVar("T")
LLM, SCRIPTED = "llm", "scripted"
ROLE_BREAK, REPLACED = "role_break", "replaced"
# How many replies to one message may be made: a second one after the first was withheld.
TRIES = 2


class HeldError(Exception):
    """A screen found something in what is to be answered: the participant must choose first."""

    def __init__(self, turn: int, speaker: str, hit: Hit) -> None:
        super().__init__(hit.category)
        self.turn, self.speaker, self.hit = turn, speaker, hit


class WithheldError(Exception):
    """A screen found something in every reply that was made."""

    def __init__(self, hit: Hit, texts: list[str]) -> None:
        super().__init__(hit.category)
        self.hit, self.texts = hit, texts


class GoneError(Exception):
    """What is owed belongs to nothing any more: it was withdrawn."""


@dataclass(frozen=True)
class Scene:
    """Everything that an answer follows from.

    Attributes
    ----------
    scenario : str
    messages : tuple of Said
        Of the conversation, in order, as far as it is answered.
    script : str or None
        The state of a scripted partner.
    coaching : tuple
        Rows of the coach so far: (position, kind, text).
    noted : bool
        Whether a screen's hit in what is to be answered has been noted, and chosen about.
    """

    scenario: str
    messages: tuple[Said, ...]
    script: str | None
    coaching: tuple[tuple[int, str, str], ...]
    noted: bool

    def asked(self, position: int) -> str:
        """Return the text of the coach's table at a position."""
        return next((text for at, _, text in self.coaching if at == position), "")


class Speaking:
    """Makes replies.

    Parameters
    ----------
    study : ChatStudy
    store : Store
    asking : Asking
    pool : Executor
        Threads for the store.
    """

    def __init__(self, study: ChatStudy, store: Store, asking: Asking, pool: Executor) -> None:
        self._study, self._store, self._asking, self._pool = study, store, asking, pool
        self._screens = Screens(study)

    async def reply(self, task: OwedTask) -> SettledReply:
        """Return the reply to one thing that is owed.

        Raises
        ------
        NoReplyError
            When there is none in time.
        HeldError, WithheldError
            When a screen finds something in what is answered, or in every reply.
        GoneError
        """
        scene = await self._in_thread(partial(self._scene, task))
        await self._screen_asked(task, scene)
        hit, texts = None, []
        for again in range(TRIES):
            reply = await self._one(task, scene, again)
            found = await self._found(task, reply.text)
            if found is None:
                if hit is None:
                    return reply
                note = f"withheld ({hit.screen}: {hit.category}): {texts[0]}"
                return replace(reply, flag=reply.flag or REPLACED, hit=hit, note=note)
            hit = found
            texts.append(reply.text)
        assert hit is not None
        raise WithheldError(hit, texts)

    async def _screen_asked(self, task: OwedTask, scene: Scene) -> None:
        """Ask the moderation about what is answered; the lexicon has been asked when it came."""
        if not self._screens.moderates or scene.noted or task.kind == "feedback":
            return
        turn, speaker = _asked_at(task)
        text = scene.asked(turn) if speaker == "question" else scene.messages[-1].text
        found = await self._asking.moderate(task, text)
        if found.flagged:
            raise HeldError(turn, speaker, Hit(MODERATION, found.category))

    async def _found(self, task: OwedTask, text: str) -> Hit | None:
        """Return what a screen finds in a reply."""
        hit = self._screens.lexicon(text)
        if hit is None and self._screens.moderates:
            found = await self._asking.moderate(task, text)
            hit = Hit(MODERATION, found.category) if found.flagged else None
        return hit

    async def _one(self, task: OwedTask, scene: Scene, again: int) -> SettledReply:
        if task.kind == "partner":
            return await self._of_partner(task, scene, again)
        coach = self._study.plan.feedback.coach
        if coach is None:
            raise GoneError
        if task.kind == "feedback":
            return await self._feedback(task, coach, scene, again)
        return await self._answer(task, coach, scene, again)

    async def _of_partner(self, task: OwedTask, scene: Scene, again: int) -> SettledReply:
        study, messages = self._study, scene.messages
        if study.plan.partner.kind == SCRIPTED:
            text, script = scripted_reply(
                study, scene.scenario, task.conversation_id, messages, scene.script, again=again
            )
            return SettledReply(text, SCRIPTED, script=script)
        question = partner_question(study, scene.scenario, messages)
        read = partial(read_message, plan=study.plan)
        found = await self._asking.ask(task, "partner", question, read)
        broken = breaks_role(found.value)
        flag = ROLE_BREAK if broken else ""
        return replace(_by_llm(found, found.value), role_break=broken, flag=flag)

    async def _feedback(
        self, task: OwedTask, coach: Coach, scene: Scene, again: int
    ) -> SettledReply:
        study = self._study
        if coach.kind == SCRIPTED:
            said = scripted_feedback(
                study, coach, task.conversation_id, scene.messages, again=again
            )
            return SettledReply(said.text, SCRIPTED, scores=said.scores)
        question = feedback_question(study, coach, scene.messages)
        found: Asked[Feedback] = await self._asking.ask(
            task, "feedback", question, lambda reply: read_feedback(reply.text, coach)
        )
        return replace(_by_llm(found, found.value.text), scores=found.value.scores)

    async def _answer(self, task: OwedTask, coach: Coach, scene: Scene, again: int) -> SettledReply:
        study, asked = self._study, scene.asked(task.turn - 1)
        if coach.kind == SCRIPTED:
            text = scripted_answer(
                study, coach, task.conversation_id, scene.messages, task.turn, asked, again=again
            )
            return SettledReply(text, SCRIPTED)
        before = [(scene.asked(at), scene.asked(at + 1)) for at in range(1, task.turn - 1, 2)]
        question = answer_question(study, coach, scene.messages, scene.asked(0), before, asked)
        read = partial(read_answer, coach=coach)
        found = await self._asking.ask(task, "answer", question, read)
        return _by_llm(found, found.value)

    def _scene(self, task: OwedTask) -> Scene:
        with self._store.reading() as connection:
            return _read_scene(connection, task)

    async def _in_thread(self, job: Callable[[], T]) -> T:
        done: Awaitable[T] = asyncio.get_running_loop().run_in_executor(self._pool, job)
        return await done


def _by_llm(found: Asked[Any], text: str) -> SettledReply:
    return SettledReply(text, LLM, request_id=found.request_id, latency_ms=found.latency_ms)


def _asked_at(task: OwedTask) -> tuple[int, str]:
    """Return turn and speaker of what is answered."""
    return (task.turn, "supporter") if task.kind == "partner" else (task.turn - 1, "question")


def _read_scene(connection: Connection, task: OwedTask) -> Scene:
    """Return everything that an answer follows from, as the store has it.

    Raises
    ------
    GoneError
        When the conversation has been withdrawn.
    """
    talk = select(Conversation.scenario, Conversation.script).where(
        Conversation.conversation_id == task.conversation_id
    )
    row = connection.execute(talk).one_or_none()
    said = select(Message.turn, Message.speaker, Message.text).where(
        Message.conversation_id == task.conversation_id
    )
    if task.kind == "partner":
        said = said.where(Message.turn <= task.turn)
    # of one turn, the participant's message comes first
    said = said.order_by(Message.turn, Message.speaker.desc())
    coached = (
        select(Coaching.position, Coaching.kind, Coaching.text)
        .where(Coaching.conversation_id == task.conversation_id)
        .order_by(Coaching.position)
    )
    messages = tuple(Said(*one) for one in connection.execute(said))
    if row is None or not messages:
        raise GoneError
    return Scene(
        scenario=row.scenario,
        messages=messages,
        script=row.script,
        coaching=tuple((p, k, t) for p, k, t in connection.execute(coached)),
        noted=is_noted(connection, task.conversation_id, *_asked_at(task)),
    )
