"""Puts rows of chats into a store in bulk, as a study leaves them; no page is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert

from prereg.chat.surveys import AFTER_EACH, ScaleItem
from prereg.plan.survey import ChoiceQuestion
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Coaching, Conversation, Message, SurveyAnswer
from study.store.database import Store
from study.store.tables import Base, Visit

# What a participant says, turn by turn: the text, or the text and how much of it was pasted.
Said = str | tuple[str, int | None]
BEGAN = "2026-12-01T10:00:00.000Z"


def at(seconds: float) -> str:
    """Return a time so many seconds after the first; less than an hour."""
    minute, rest = divmod(seconds, 60)
    return f"2026-12-01T10:{int(minute):02d}:{int(rest):02d}.{round(rest % 1 * 1000):03d}Z"


class Rows:
    """Rows that are collected and then stored at once."""

    def __init__(self, study: ChatStudy) -> None:
        self._study = study
        self._rows: dict[type[Base], list[dict[str, Any]]] = {}

    def add(self, table: type[Base], **cells: Any) -> None:
        """Add a row; every row of a table has the same columns."""
        self._rows.setdefault(table, []).append(cells)

    def visit(
        self,
        number: int,
        condition: str = "control",
        *,
        mode: str = "live",
        status: str = "finished",
        ended: str = "",
        flags: int = 0,
        answered: int = 7,
    ) -> str:
        """Add a visit; return its session."""
        session = f"session-{mode}-{number:05d}"
        root = self._study.root_hash
        self.add(
            Visit,
            session_id=session,
            plan_hash=root,
            mode=mode,
            rater_id=f"PLATFORM{number:05d}",
            condition=condition,
            sequence_id=f"p{number:05d}",
            consented_at=at(number % 3000),
            finished_at=at(3000) if status == "finished" else None,
            status=status,
            answered=answered,
            lease_until=4e9,
            platform_study_id="PLATFORM-STUDY",
            platform_session_id=f"PLATFORM-SESSION{number:05d}",
            withdrawal_key=f"key-{session}-{'x' * 32}"[:60],
        )
        scenarios = [scenario.id for scenario in self._study.plan.scenarios]
        self.add(
            ChatVisit,
            session_id=session,
            plan_hash=root,
            mode=mode,
            scenarios=json.dumps(scenarios[: self._study.plan.design.conversations]),
            ended_because=ended,
            safety_flags=flags,
        )
        return session

    def conversation(
        self,
        session: str,
        number: int,
        said: Sequence[Said],
        replies: Sequence[str] = (),
        *,
        status: str = "over",
        ended: str = "time",
        owes: bool = False,
        latency: int = 900,
        active_ms: int = 240_000,
    ) -> str:
        """Add a conversation with an opening, messages and their replies; return its id."""
        visit = next(row for row in self._rows[Visit] if row["session_id"] == session)
        scenario = self._study.plan.scenarios[number - 1]
        name = f"{session}-{number}"
        self.add(
            Conversation,
            conversation_id=name,
            plan_hash=self._study.root_hash,
            mode=visit["mode"],
            session_id=session,
            rater_id=visit["rater_id"],
            condition=visit["condition"],
            round=number,
            scenario=scenario.id,
            status=status,
            ended_because=ended,
            opened_at=at(10),
            first_message_at=at(12) if said else None,
            ended_at=None if status == "open" else at(300),
            turn=len(said),
            owes_reply=owes,
            active_ms=active_ms,
            hidden_ms=70,
        )
        self._message(name, session, 0, "partner", "opening", scenario.opening)
        for turn, words in enumerate(said, start=1):
            text, pasted = (words, 0) if isinstance(words, str) else words
            self._message(name, session, turn, "supporter", "typed", text, pasted=pasted)
            if turn <= len(replies):
                reply = replies[turn - 1]
                self._message(name, session, turn, "partner", "llm", reply, latency=latency + turn)
        return name

    def _message(
        self,
        conversation: str,
        session: str,
        turn: int,
        speaker: str,
        source: str,
        text: str,
        *,
        pasted: int | None = None,
        latency: int | None = None,
    ) -> None:
        typed = source == "typed"
        self.add(
            Message,
            message_id=f"{conversation}-{turn}-{speaker}",
            conversation_id=conversation,
            session_id=session,
            turn=turn,
            speaker=speaker,
            source=source,
            text=text,
            sent_at=at(10 + 2 * turn + (speaker == "partner")),
            shown_at=at(11 + 2 * turn),
            clock_ms=1000 * turn if typed else None,
            compose_ms=1500 if typed else None,
            keys=len(text) if typed else None,
            pasted_characters=pasted,
            hidden_ms=0 if typed else None,
            request_id=f"call-{conversation}-{turn}" if latency is not None else None,
            latency_ms=latency,
            flag="",
        )

    def answer(self, session: str, number: int, question: str, value: str | None) -> None:
        """Add an answer to one question."""
        survey = next(s for s, q in self._study.plan.surveys.questions() if q.id == question)
        self.add(
            SurveyAnswer,
            session_id=session,
            survey=survey,
            round=number,
            question=question,
            value=value,
            shown_at=at(1),
            answered_at=at(2 + number),
        )

    def answer_all(self, session: str, point: int = 4) -> None:
        """Answer every question of every survey: one point, the last option, some words."""
        for survey, question in self._study.plan.surveys.questions():
            rounds = self._study.plan.design.conversations
            for number in range(1, rounds + 1) if survey == AFTER_EACH else (0,):
                value = "in my own words"
                if isinstance(question, ScaleItem):
                    value = str(point)
                elif isinstance(question, ChoiceQuestion):
                    value = question.options[-1]
                self.answer(session, number, question.id, value)

    def coached(self, conversation: str, texts: Iterable[str], scores: dict[str, int]) -> None:
        """Add feedback, and then questions and answers in turn."""
        session, _, number = conversation.rpartition("-")
        for position, text in enumerate(texts):
            kind = "feedback" if not position else ("answer", "question")[position % 2]
            self.add(
                Coaching,
                session_id=session,
                conversation_id=conversation,
                round=int(number),
                position=position,
                kind=kind,
                source="typed" if kind == "question" else "scripted",
                text=text,
                scores=None if position else json.dumps(scores),
                sent_at=at(400 + position),
                shown_at=at(401 + position),
                flag="",
            )

    def store(self, store: Store) -> None:
        """Store everything in one transaction."""

        def put(connection: Any) -> None:
            for table, rows in self._rows.items():
                connection.execute(insert(table), rows)

        store.write(put)
        self._rows = {}
