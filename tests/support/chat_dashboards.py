"""A chat in which everything has happened that a dashboard shows."""

from __future__ import annotations

import time

from sqlalchemy import update

from study.chat.study import ChatStudy
from study.store.chat_tables import Call, Owed, SafetyEvent
from study.store.database import Store
from study.store.tables import Slot
from tests.support.chat_rows import Rows, at


def busy_chat(store: Store, study: ChatStudy, mode: str = "pilot") -> None:
    """Store five visits: one in each condition at another stage, and one whose partner failed."""
    rows = Rows(study)
    rows.visit(1, "video", mode=mode, status="active", answered=0)
    waiting = rows.visit(2, "combined", mode=mode, status="active", answered=7)
    rows.conversation(waiting, 1, ["Oh."] * 3, ["Yes."] * 3)
    talk = rows.conversation(
        waiting, 2, ["Hi", "There"], ["Hm."], status="open", ended="", owes=True
    )
    rows.add(
        Owed,
        plan_hash=study.root_hash,
        mode=mode,
        session_id=waiting,
        conversation_id=talk,
        kind="partner",
        turn=2,
        owed_at=time.time() - 4,
    )
    coached = rows.visit(3, "coach", mode=mode, status="active", answered=4, flags=1)
    flagged = rows.conversation(
        coached,
        1,
        ["<script>alert(1)</script> I cannot go on", ("pasted!", 7)],
        ["No?", "Tell me."],
    )
    rows.coached(flagged, ["You listened.", "How else?", "Ask."], {"validates": 4, "asks": 2})
    for turn, speaker, category in (
        (1, "supporter", "distress"),
        (2, "partner", "harm"),  # withheld; another reply came in its place
        (4, "coach", "insult"),  # withheld; nothing came
    ):
        rows.add(
            SafetyEvent,
            session_id=coached,
            conversation_id=flagged,
            turn=turn,
            speaker=speaker,
            screen="lexicon",
            category=category,
            at=at(30 + turn),
            choice="went_on" if speaker == "supporter" else "",
        )
    done = rows.visit(4, "control", mode=mode, answered=6)
    rows.conversation(done, 1, ["I see."] * 2, ["Yes."] * 2)
    rows.conversation(done, 2, ["I see."] * 4, ["Yes."] * 4)
    failed = rows.visit(
        5, "control", mode=mode, status="partner_failure", ended="partner_failure", answered=2
    )
    rows.conversation(failed, 1, ["Hello?"], status="failed", ended="partner_failure")
    for number, session in enumerate((waiting, done)):
        rows.add(
            Call,
            request_id=f"call-{mode}-{number}",
            plan_hash=study.root_hash,
            mode=mode,
            session_id=session,
            owed_id=number,
            purpose="partner",
            status="answered",
            cost=0.25 + number / 4,
            asked_at=at(20),
        )
    rows.store(store)

    def hold(connection: object) -> None:
        for number, session in ((1, "00001"), (2, "00002"), (3, "00003"), (4, "00004")):
            connection.execute(  # type: ignore[attr-defined]
                update(Slot)
                .where(Slot.sequence_id == f"p{number:05d}", Slot.mode == mode)
                .values(session_id=f"session-{mode}-{session}")
            )

    store.write(hold)
