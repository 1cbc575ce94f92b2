"""A small chat with a second stage, and a simulated trial in its store, without the web."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sqlalchemy import delete, insert

from study.bots.supporter import Manner, Voice
from study.chat.opening import lock_chat, open_chat
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Conversation, Message, SurveyAnswer
from study.store.database import Store, mark_store, open_store
from study.store.tables import Visit, Withdrawal
from tests.support.chat import merged
from tests.support.chat_folder import chat_folder

ANALYSES = Path(__file__).with_name("chat_analyses.yaml")
COMPARE_TEXT = "# Comparing conversations\n\nYou read two conversations at a time.\n"
AT = "2030-01-01T10:{:02d}:{:02d}.000Z"
# What conditions add to the skill of conversations after the first.
EFFECTS = {"control": 0.0, "video": 0.5, "coach": 1.5, "combined": 2.0}


def stages_folder(folder: Path, **changes: Any) -> Path:
    """Write a study folder of kind chat with judges, a second stage and analyses; not locked."""
    more = yaml.safe_load(ANALYSES.read_text(encoding="utf-8"))
    chat_folder(folder, **merged(more, changes))
    (folder / "compare").mkdir()
    for name in ("consent", "instructions"):
        (folder / "compare" / f"{name}.md").write_text(COMPARE_TEXT, encoding="utf-8")
    return folder


def had_chat(
    folder: Path,
    *,
    people: int = 16,
    mode: str = "bot",
    database: str | None = None,
    **changes: Any,
) -> ChatStudy:
    """Write and lock such a folder, with people who have had their conversations."""
    study, _ = lock_chat(stages_folder(folder, **changes))
    with contextlib.closing(open_store(folder, database)) as store:
        mark_store(folder, store)
        fill(store, study, people=people, mode=mode)
    return study


def fill(store: Store, study: ChatStudy, *, people: int, mode: str, first: int = 1) -> None:
    """Store visits whose conversations show a skill that their condition has changed."""
    plan = study.plan
    conditions = itertools.cycle(plan.design.conditions)
    for _ in range(1, first):
        next(conditions)
    scenarios = [scenario.id for scenario in plan.scenarios]
    rows: dict[type, list[dict[str, Any]]] = {}
    for number in range(first, first + people):
        rng = np.random.default_rng([plan.seed, number])
        condition, skill = next(conditions), float(rng.normal())
        session = f"session{number:04d}"
        common = {"session_id": session, "plan_hash": study.plan_hash, "mode": mode}
        rows.setdefault(Visit, []).append(
            {
                **common,
                "rater_id": f"platform-{number}",
                "condition": condition,
                "sequence_id": f"p{number:05d}",
                "consented_at": AT.format(0, 0),
                "finished_at": AT.format(59, 0),
                "status": "finished",
                "withdrawal_key": f"key-{number}",
            }
        )
        rows.setdefault(ChatVisit, []).append({**common, "scenarios": "[]"})
        trait = int(np.clip(round(3 + rng.normal()), 1, 5))
        said = {"age": "18-39" if number % 3 else "40 or more", "care_1": trait, "care_2": 3}
        for question, value in said.items():
            rows.setdefault(SurveyAnswer, []).append(_answer(session, "before", 0, question, value))
        rows[SurveyAnswer].append(_answer(session, "end", 0, "used_ai", "no help"))
        for turn in range(1, plan.design.conversations + 1):
            scenario = scenarios[(number + turn) % len(scenarios)]
            shown = skill + (EFFECTS[condition] if turn > 1 else 0)
            talk, messages = _talk(study, session, turn, scenario, shown, rng)
            rows.setdefault(Conversation, []).append(
                {**common, **talk, "rater_id": f"platform-{number}", "condition": condition}
            )
            rows.setdefault(Message, []).extend(messages)
            felt = int(np.clip(round(3 + shown + rng.normal()), 1, 5))
            rows[SurveyAnswer].append(_answer(session, "after_each", turn, "heard", felt))

    def write(connection: Any) -> None:
        for table, found in rows.items():
            connection.execute(insert(table), found)

    store.write(write)


def forget(folder: Path, session: str, *, mode: str = "bot", database: str | None = None) -> None:
    """Delete what a participant left, as a withdrawal does."""
    study = open_chat(folder)

    def gone(connection: Any) -> None:
        for table in (Visit, ChatVisit, Conversation, Message, SurveyAnswer):
            connection.execute(delete(table).where(table.session_id == session))
        row = {"plan_hash": study.root_hash, "mode": mode, "withdrawn_on": "2030-01-02"}
        connection.execute(insert(Withdrawal), [row])

    with contextlib.closing(open_store(folder, database)) as store:
        store.write(gone)


def _answer(session: str, survey: str, turn: int, question: str, value: Any) -> dict[str, Any]:
    return {
        "session_id": session,
        "survey": survey,
        "round": turn,
        "question": question,
        "value": str(value),
        "answered_at": AT.format(turn, 30),
    }


def _talk(
    study: ChatStudy, session: str, turn: int, scenario: str, skill: float, rng: np.random.Generator
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    voice = Voice(Manner.of(skill, rng), rng)
    name = f"{session}-{turn}"
    opening = study.plan.scenario(scenario).opening
    said = [(0, "partner", "opening", opening)]
    most = 3 + int(rng.integers(3))
    for number in range(1, most + 1):
        said.append((number, "supporter", "typed", voice.reply(said[-1][3])))
        said.append((number, "partner", "scripted", f"I do not know, it is {scenario}."))
    messages = [
        {
            "message_id": f"{name}-{number}-{speaker}",
            "conversation_id": name,
            "session_id": session,
            "turn": number,
            "speaker": speaker,
            "source": source,
            "text": text,
            "sent_at": AT.format(turn, number),
            "shown_at": AT.format(turn, number),
        }
        for number, speaker, source, text in said
    ]
    talk = {
        "conversation_id": name,
        "round": turn,
        "scenario": scenario,
        "status": "over",
        "ended_because": "time",
        "opened_at": AT.format(turn, 0),
        "first_message_at": AT.format(turn, 1),
        "ended_at": AT.format(turn, 9),
        "turn": most,
        "active_ms": 240_000,
    }
    return talk, messages
