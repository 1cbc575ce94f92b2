"""If these failed, the answers of a study that began with release 0.1.0 would be lost or refused.

Or a new store and an upgraded one would differ, servers that start together would trip over each
other, a crash would leave half a schema, or a program would write into a store it does not know.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import Pool

from prereg.errors import RatifyError
from study.store import schema
from study.store.database import Store
from study.store.tables import Base
from tests.conftest import POSTGRES
from tests.support import warm
from tests.support.old_store import (
    OTHER,
    PLAN,
    VISITS,
    connected,
    insert,
    judgment,
    make_old_store,
    moment,
    open_together,
)

SERVERS = 8


def migrate_from_zero(url: str, revision: str = "head") -> None:
    with connected(url) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", schema.SCRIPTS)
        command.upgrade(config, revision)


def open_and_close(url: str) -> None:
    Store(url).close()


def described(url: str) -> dict[str, Any]:
    """Say everything about every table but the order of its columns."""
    with connected(url) as connection:
        look = inspect(connection)
        named = connection.dialect.name == "postgresql"  # SQLite lets a constraint have no name
        tables: dict[str, Any] = {}
        for table in look.get_table_names():
            unique = look.get_unique_constraints(table)
            tables[table] = {
                "columns": {
                    c["name"]: (str(c["type"]), c["nullable"], c["default"])
                    for c in look.get_columns(table)
                },
                "key": look.get_pk_constraint(table)["constrained_columns"],
                "unique": sorted((str(u["name"]) * named, u["column_names"]) for u in unique),
                "indexes": {
                    str(i["name"]): (i["column_names"], i["unique"], where(i))
                    for i in look.get_indexes(table)
                },
            }
        return tables


def where(index: Any) -> str:
    """Return the condition of a partial index, without the brackets and casts that differ."""
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def everything(url: str) -> dict[str, list[dict[str, Any]]]:
    with connected(url) as connection:
        return {
            table: [
                dict(row)
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings()
            ]
            for table in inspect(connection).get_table_names()
        }


@contextmanager
def before_statement(act: Callable[[str], None]) -> Iterator[None]:
    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        act(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


@pytest.fixture
def other_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A second database of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'other.sqlite3'}"
        return
    name = f"{database_url.rpartition('/')[2]}_other"
    admin = create_engine(f"{POSTGRES}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield f"{POSTGRES}/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_the_revisions_the_code_knows_are_the_steps_that_are_there() -> None:
    config = Config()
    config.set_main_option("script_location", schema.SCRIPTS)
    script = ScriptDirectory.from_config(config)
    steps = [step.revision for step in script.walk_revisions()]
    assert tuple(reversed(steps)) == schema.REVISIONS
    assert script.get_current_head() == schema.HEAD


def test_the_first_step_is_what_release_0_1_0_made(database_url: str, other_url: str) -> None:
    make_old_store(database_url)
    migrate_from_zero(other_url, "0001")
    first = described(other_url)
    assert first.pop("alembic_version")
    assert first == described(database_url)


@pytest.mark.parametrize("way", [open_and_close, make_old_store, migrate_from_zero])
def test_every_way_to_a_store_gives_the_same_schema(
    way: Callable[[str], None], database_url: str, other_url: str
) -> None:
    way(database_url)
    open_and_close(database_url)
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    open_and_close(other_url)
    assert described(database_url) == described(other_url)
    assert described(database_url)["visits"]["indexes"]["visits_one_holder"][:2] == (
        ["plan_hash", "mode", "sequence_id", "slot"],
        1,
    )
    assert "finished" in described(database_url)["visits"]["indexes"]["visits_one_holder"][2]


def test_no_row_of_release_0_1_0_is_lost_or_changed(database_url: str) -> None:
    make_old_store(database_url)
    before = everything(database_url)
    open_and_close(database_url)
    after = everything(database_url)
    assert after["alembic_version"] == [{"version_num": schema.HEAD}]
    assert "showings" not in after
    for table in ("slots", "visits", "judgments", "ratings"):
        kept = before[table][0].keys() - {"claimed_at"}
        assert after[table][0].keys() >= kept
        assert [{name: row[name] for name in kept} for row in after[table]] == [
            {name: row[name] for name in kept} for row in before[table]
        ]
    assert {row["passed_check"] for row in after["judgments"]} == {None}
    assert {row["slot"] for row in after["slots"]} == {1}
    assert [len(after[table]) for table in ("best_worst", "withdrawals", "settings")] == [0, 0, 0]


def test_raters_go_on_where_they_were(database_url: str) -> None:
    make_old_store(database_url)
    start = time.time()
    open_and_close(database_url)
    visits = {row["session_id"]: row for row in everything(database_url)["visits"]}
    for session, _mode, status, shown, answered in VISITS:
        visit = visits[session]
        assert visit["answered"] == answered
        assert visit["shown_position"] == shown
        assert visit["shown_at"] == (moment(shown) if shown else None)
        assert (visit["slot"], bool(visit["comprehended"])) == (1, False)
        assert visit["comprehension_attempts"] is None
        assert visit["platform_study_id"] is None
        assert visit["platform_session_id"] is None
        hour = visit["lease_until"] - start
        assert 3600 <= hour < 3700 if status == "active" else visit["lease_until"] == 0
    keys = {visit["withdrawal_key"] for visit in visits.values()}
    assert len(keys) == len(VISITS)
    assert min(map(len, keys)) >= 32


def test_a_judges_ratings_are_numbered_session_by_session(database_url: str) -> None:
    make_old_store(database_url)
    open_and_close(database_url)
    ratings = everything(database_url)["ratings"]
    for plan in (PLAN, OTHER):
        for rater in ("length", "lexical"):
            own = [r for r in ratings if r["session_id"] == f"{plan[:12]}:{rater}:rating"]
            assert {(r["plan_hash"], r["rater_id"]) for r in own} == {(plan, rater)}
            assert [r["position"] for r in own] == [1, 2, 3, 4]
    filled = ("mode", "scenario", "answered_at", "passed_check", "shown_at", "response_ms")
    assert {tuple(r[name] for name in filled) for r in ratings} == {
        ("live", "", "", None, None, None)
    }
    assert not any(r["is_attention_check"] for r in ratings)


def test_an_upgraded_store_keeps_two_raters_off_one_slot(database_url: str) -> None:
    make_old_store(database_url)
    open_and_close(database_url)
    row = next(r for r in everything(database_url)["visits"] if r["session_id"] == "reading")
    second = {**row, "session_id": "second", "rater_id": "second", "withdrawal_key": "second"}
    with connected(database_url) as connection:
        insert(connection, "visits", [{**second, "status": "timed_out"}])
    second |= {"session_id": "third", "rater_id": "third", "withdrawal_key": "third"}
    with pytest.raises(IntegrityError), connected(database_url) as connection:
        insert(connection, "visits", [second])


@pytest.mark.parametrize("old", [False, True])
def test_servers_that_start_together_do_not_trip_over_each_other(
    database_url: str, old: bool
) -> None:
    if old:
        make_old_store(database_url)
    together = warm.WARM.Barrier(SERVERS)
    servers = [warm.Process(open_together, (database_url, together)) for _ in range(SERVERS)]
    said = [server.communicate(timeout=60)[1] for server in servers]
    assert [server.returncode for server in servers] == [0] * SERVERS, said
    store = everything(database_url)
    assert store["alembic_version"] == [{"version_num": schema.HEAD}]
    assert len(store["visits"]) == len(VISITS) * old


def test_a_file_that_another_server_is_just_making_is_tried_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    refusals = [sqlite3.OperationalError("database is locked") for _ in range(2)]
    for refusal in refusals:
        refusal.sqlite_errorcode = sqlite3.SQLITE_BUSY
    sent: list[str] = []

    def refuse(connection: sqlite3.Connection, _record: Any) -> None:
        if refusals:
            connection.close()
            raise refusals.pop()
        connection.set_trace_callback(sent.append)

    event.listen(Pool, "connect", refuse)
    try:
        open_and_close(url)
    finally:
        event.remove(Pool, "connect", refuse)
    assert not refusals
    assert "BEGIN IMMEDIATE" in sent  # no other server can look at the same time
    assert "logins" in described(url)


class CrashError(Exception):
    """The power went."""


def test_a_crash_at_any_statement_leaves_the_old_store(database_url: str) -> None:
    make_old_store(database_url)
    tables, rows = described(database_url), everything(database_url)
    # on PostgreSQL, where each takes longer, at every third: one transaction holds them all
    for survived in range(0, 500, 1 if database_url.startswith("sqlite") else 3):
        left = [survived]

        def crash(_statement: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise CrashError

        try:
            with before_statement(crash):
                open_and_close(database_url)
        except CrashError:
            assert described(database_url) == tables
        else:
            break
        if survived % 10 == 0:
            assert everything(database_url) == rows
    assert survived > 40
    assert len(everything(database_url)["judgments"]) == len(rows["judgments"])


def test_a_killed_server_leaves_the_old_store(database_url: str) -> None:
    make_old_store(database_url)
    tables, rows = described(database_url), everything(database_url)
    code = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from study.store.database import Store

def kill(connection, cursor, statement, *rest):
    if "CREATE TABLE logins" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "before_cursor_execute", kill)
Store(sys.argv[1])
"""
    killed = subprocess.run(
        [sys.executable, "-P", "-c", code, database_url], timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert (described(database_url), everything(database_url)) == (tables, rows)
    open_and_close(database_url)
    assert "logins" in described(database_url)


def test_an_answer_that_an_old_server_is_storing_is_counted(postgres_url: str) -> None:
    make_old_store(postgres_url)
    with connected(postgres_url) as old_server:
        insert(old_server, "judgments", [judgment("between", "r-between", "human", 3)])
        upgrade = threading.Thread(target=open_and_close, args=(postgres_url,))
        upgrade.start()
        upgrade.join(0.5)
        assert upgrade.is_alive()
    upgrade.join(30)
    visits = {row["session_id"]: row for row in everything(postgres_url)["visits"]}
    assert visits["between"]["answered"] == 3


def test_a_store_of_a_newer_version_is_refused_and_untouched(database_url: str) -> None:
    open_and_close(database_url)
    with connected(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        connection.execute(text("DROP TABLE logins"))
    before = described(database_url)
    with pytest.raises(RatifyError) as refused:
        Store(database_url)
    assert refused.value.problem == "was written by a newer version of Ratify"
    assert refused.value.allowed == "that version"
    assert "\n" not in str(refused.value)
    assert described(database_url) == before


def test_another_programs_tables_are_refused_and_untouched(database_url: str) -> None:
    with connected(database_url) as connection:
        connection.execute(text("CREATE TABLE visits (page TEXT)"))
    with pytest.raises(RatifyError, match="tables that no version of Ratify made: visits"):
        Store(database_url)
    assert described(database_url).keys() == {"visits"}


def test_opening_a_current_store_is_one_select(database_url: str) -> None:
    open_and_close(database_url)
    sent: list[str] = []
    with before_statement(sent.append):
        open_and_close(database_url)
    statements = [one for one in sent if one != "BEGIN"]
    assert len(statements) == 1
    assert "alembic_version" in statements[0]


def test_alembic_is_imported_only_for_an_old_store(database_url: str) -> None:
    code = """
import sys
from study.store.database import Store
Store(sys.argv[1]).close()
print("alembic" in sys.modules)
"""
    said = [
        subprocess.run(
            [sys.executable, "-P", "-c", code, database_url],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert said == ["False\n"] * 2
