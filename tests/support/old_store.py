"""Makes a store as release 0.1.0 left it: that release's tables, in the middle of a study."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from study.store.database import Store

PLAN, OTHER = "a1" * 32, "b2" * 32

# The statements that release 0.1.0 itself sent to the database.
RELEASE_0_1_0 = """
CREATE TABLE judgments (row_id {serial} NOT NULL, judgment_id VARCHAR(64) NOT NULL,
  plan_hash VARCHAR(64) NOT NULL, mode VARCHAR(8) NOT NULL, session_id VARCHAR(96) NOT NULL,
  rater_id VARCHAR(128) NOT NULL, rater_kind VARCHAR(8) NOT NULL, scenario TEXT NOT NULL,
  left_id TEXT NOT NULL, right_id TEXT NOT NULL, choice VARCHAR(5) NOT NULL,
  position INTEGER NOT NULL, is_attention_check BOOLEAN NOT NULL, shown_at VARCHAR(32),
  answered_at VARCHAR(32) NOT NULL, response_ms INTEGER, hidden_ms INTEGER,
  purpose VARCHAR(8) NOT NULL,
  PRIMARY KEY (row_id), UNIQUE (session_id, position), UNIQUE (judgment_id));
CREATE INDEX judgments_by_rater ON judgments (plan_hash, mode, rater_id);
CREATE TABLE ratings (row_id {serial} NOT NULL, plan_hash VARCHAR(64) NOT NULL,
  rater_id VARCHAR(128) NOT NULL, rater_kind VARCHAR(8) NOT NULL, item_id TEXT NOT NULL,
  dimension VARCHAR(64) NOT NULL, value FLOAT NOT NULL, scale_min INTEGER NOT NULL,
  scale_max INTEGER NOT NULL,
  PRIMARY KEY (row_id), UNIQUE (plan_hash, rater_id, item_id, dimension));
CREATE TABLE showings (session_id VARCHAR(64) NOT NULL, position INTEGER NOT NULL,
  shown_at VARCHAR(32) NOT NULL, PRIMARY KEY (session_id, position));
CREATE TABLE slots (slot_id {serial} NOT NULL, plan_hash VARCHAR(64) NOT NULL,
  mode VARCHAR(8) NOT NULL, sequence_id VARCHAR(64) NOT NULL, session_id VARCHAR(64),
  claimed_at VARCHAR(32),
  PRIMARY KEY (slot_id), UNIQUE (plan_hash, mode, sequence_id), UNIQUE (session_id));
CREATE TABLE visits (session_id VARCHAR(64) NOT NULL, plan_hash VARCHAR(64) NOT NULL,
  mode VARCHAR(8) NOT NULL, rater_id VARCHAR(128) NOT NULL, condition VARCHAR(64) NOT NULL,
  sequence_id VARCHAR(64) NOT NULL, consented_at VARCHAR(32) NOT NULL, finished_at VARCHAR(32),
  status VARCHAR(16) NOT NULL,
  PRIMARY KEY (session_id), UNIQUE (plan_hash, mode, rater_id));
CREATE INDEX ix_visits_mode ON visits (mode)
"""

# Session, mode, status, and how many of four trials were shown and answered.
VISITS = (
    ("done", "live", "finished", 4, 4),
    ("reading", "live", "active", 3, 2),
    ("between", "live", "active", 2, 2),
    ("consented", "live", "active", 0, 0),
    ("rehearsing", "pilot", "active", 1, 0),
)


def moment(position: int) -> str:
    return f"2026-03-01T10:0{position}:00.000Z"


def open_together(url: str, others: Barrier) -> None:
    """Open a store at the same moment as the others."""
    others.wait(60)
    Store(url).close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect to the database without Ratify's own code."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), rows)


def judgment(session: str, rater: str, kind: str, position: int, **more: Any) -> dict[str, Any]:
    return {
        "judgment_id": f"{session}-{position}",
        "plan_hash": PLAN,
        "mode": "live",
        "session_id": session,
        "rater_id": rater,
        "rater_kind": kind,
        "scenario": "job",
        "left_id": f"i{position}",
        "right_id": "i9",
        "choice": "left",
        "position": position,
        "is_attention_check": False,
        "shown_at": None,
        "answered_at": moment(position),
        "response_ms": None,
        "hidden_ms": None,
        "purpose": "trial",
        **more,
    }


def make_old_store(url: str) -> None:
    """Make a store as release 0.1.0 left it in the middle of a study."""
    with connected(url) as connection:
        serial = "SERIAL" if connection.dialect.name == "postgresql" else "INTEGER"
        for statement in RELEASE_0_1_0.format(serial=serial).split(";"):
            connection.execute(text(statement))
        common = {"plan_hash": PLAN}
        # nobody has the last place
        held = [*VISITS, (None, "live", "", 0, 0)]
        insert(
            connection,
            "slots",
            [
                {
                    **common,
                    "mode": mode,
                    "sequence_id": f"s{number}",
                    "session_id": session,
                    "claimed_at": moment(0) if session else None,
                }
                for number, (session, mode, *_) in enumerate(held, start=1)
            ],
        )
        insert(
            connection,
            "visits",
            [
                {
                    **common,
                    "session_id": session,
                    "mode": mode,
                    "rater_id": f"r-{session}",
                    "condition": "",
                    "sequence_id": f"s{number}",
                    "consented_at": moment(0),
                    "finished_at": moment(5) if status == "finished" else None,
                    "status": status,
                }
                for number, (session, mode, status, *_) in enumerate(VISITS, start=1)
            ],
        )
        insert(
            connection,
            "showings",
            [
                {"session_id": session, "position": position, "shown_at": moment(position)}
                for session, _mode, _status, shown, _answered in VISITS
                for position in range(1, shown + 1)
            ],
        )
        insert(
            connection,
            "judgments",
            [
                *(
                    judgment(
                        session,
                        f"r-{session}",
                        "human",
                        position,
                        mode=mode,
                        hidden_ms=7,
                        is_attention_check=position == 2,
                        shown_at=moment(position),
                        response_ms=1000 + position,
                    )
                    for session, mode, _status, _shown, answered in VISITS
                    for position in range(1, answered + 1)
                ),
                *(
                    judgment(
                        f"{PLAN[:12]}:length:{purpose}",
                        "length",
                        "baseline",
                        position,
                        purpose=purpose,
                    )
                    for purpose in ("trial", "ranking")
                    for position in (1, 2, 3)
                ),
            ],
        )
        insert(
            connection,
            "ratings",
            [
                {
                    "plan_hash": plan,
                    "rater_id": rater,
                    "rater_kind": "baseline",
                    "item_id": item,
                    "dimension": dimension,
                    "value": 2.5,
                    "scale_min": 1,
                    "scale_max": 5,
                }
                for item in ("i1", "i2")
                for plan in (PLAN, OTHER)
                for rater in ("length", "lexical")
                for dimension in ("warmth", "overall")
            ],
        )
