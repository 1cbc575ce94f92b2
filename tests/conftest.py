"""Fixtures for every test: small studies, real servers and real databases."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from prereg.tables.reader import write_csv
from study.scaffold import new_study
from tests.support import warm
from tests.support.paths import REAL_DATA
from tests.support.plans import edited_plan

settings.register_profile("ratify", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("ratify")

POSTGRES = os.environ.get("RATIFY_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432")
DASHBOARD_PASSWORD = "password-of-the-tests"

_SEND_AWAY = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""


# The slowest files, slowest first, so that the last one to start is short. The demo starts at once,
# and its second file comes when it is made.
LONGEST = """
    test_demo_numbers test_migrations test_hostile test_access test_races test_llm_faults
    test_commands test_rater_pages test_llm_batch test_docs test_llm_stop test_export test_audit
    test_llm_breaker test_reading test_crash test_habits_judges test_figures test_dashboard
    test_waiting test_language test_kinds test_deploy test_llm_texts test_llm_rankings test_visits
    test_llm_once test_report test_demo test_browser test_browser_kinds test_leaving
    test_assignment
""".split()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture
def real_data() -> Path:
    """The real data next to the project, which are never part of it."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real data (shared/data) are not next to this checkout")
    return REAL_DATA


def make_study(
    folder: Path, *, raters: int = 30, trials: int = 4, per_scenario: int = 6, judged: int = 200
) -> Path:
    """Make a study with two scenarios whose items clearly differ in length and warmth."""
    folder.mkdir(parents=True, exist_ok=True)
    assert not (folder / "plan.yaml").exists()
    for name, content in _study_files(raters, trials, per_scenario, judged).items():
        (folder / name).write_bytes(content)
    return folder


@cache
def _study_files(raters: int, trials: int, per_scenario: int, judged: int) -> dict[str, bytes]:
    """Return the files of a study by name: hundreds of tests begin with one and the same."""
    rows = [
        {
            "item_id": f"{scenario}-{number}",
            "scenario": scenario,
            "text": f"Seeker: I lost my {scenario} today, number {number}.\n"
            f"Supporter: {'I hear you. That sounds hard. ' * number}How are you, {number}?\n"
            "Seeker: Not well.\n"
            f"Supporter: {'Tell me more. ' * number}",
            "planted_quality": str((number - per_scenario / 2) / per_scenario),
        }
        for scenario in ("job", "home")
        for number in range(1, per_scenario + 1)
    ]
    with TemporaryDirectory() as place:
        table, folder = Path(place, "pool.csv"), Path(place, "study")
        write_csv(table, list(rows[0]), rows)
        new_study(folder, items=table, scenario_column="scenario")
        with edited_plan(folder) as plan:
            plan["design"] |= {"raters": raters, "trials": trials}
            plan["judges"][0]["pairs"]["per_scenario"] = judged
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """A small study that is not locked."""
    return make_study(tmp_path / "study")


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[Engine]:
    """A PostgreSQL database of this process, dropped at its end."""
    name = f"ratify_test_{secrets.token_hex(6)}"
    admin = create_engine(f"{POSTGRES}/postgres", isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        admin.dispose()
        pytest.skip(f"no PostgreSQL answers at {POSTGRES} (set RATIFY_TEST_POSTGRES)")
    engine = create_engine(f"{POSTGRES}/{name}", isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_database: Engine) -> Iterator[str]:
    """An empty PostgreSQL database; afterwards nobody is connected and nothing is left in it."""
    yield postgres_database.url.render_as_string(hide_password=False)
    with postgres_database.connect() as connection:
        connection.execute(text(_SEND_AWAY))
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    return str(request.getfixturevalue("postgres_url"))


@dataclass
class Server:
    """A running `ratify serve`."""

    url: str
    process: warm.Process
    said: list[str]


Serve = Callable[..., Server]


@contextmanager
def running(
    folder: Path, *arguments: str, database: str | None = None, politely: bool = True
) -> Iterator[Server]:
    """Run `ratify serve` in its own process, on a free port; end it `politely` or at once."""
    environment = {
        "RATIFY_CONSENTS_PER_HOUR": "100000",  # every rater of the tests has the same address
        **os.environ,
        "RATIFY_DASHBOARD_PASSWORD": DASHBOARD_PASSWORD,
        **({"RATIFY_DATABASE_URL": database} if database else {}),
    }
    words = ("serve", folder, "--port", 0, *arguments)
    process = warm.Process(warm.ratify, words, environment=environment, merged=True)
    try:
        said = [line := process.stdout.readline()]
        while line and "http://" not in line:
            said.append(line := process.stdout.readline())
        if not line:
            raise AssertionError(f"the server did not start: {said}")
        url = "http://" + line.partition("http://")[2].partition("/")[0]
        yield Server(url, process, said)
    finally:
        if politely:
            process.terminate()
        else:
            process.kill_all()
        process.communicate(timeout=60)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that are stopped when the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(folder: Path, *arguments: str, database: str | None = None) -> Server:
            return stack.enter_context(
                running(folder, *arguments, database=database, politely=False)
            )

        yield start


@pytest.fixture
def ratify() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a user does, in its own process."""

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        process = warm.Process(warm.ratify, arguments, cwd=cwd)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.arguments, process.wait(), out, err)

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, made by the command itself, outside any checkout and without a key.

    It is made once for all workers; each has its own copy.
    """
    place = tmp_path_factory.mktemp("demo")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / "somewhere"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "said.txt").exists():
            make_demo(made)
    shutil.copytree(made, place, dirs_exist_ok=True)
    return place / "ratify-demo"


def make_demo(place: Path) -> None:
    """Run `ratify demo` in its own folder, and keep what it prints."""
    place.mkdir(exist_ok=True)
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "RATIFY"))}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ratify", "demo", "--no-serve"],
        cwd=place,
        env=bare,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (place / "said.txt").write_text(done.stdout)
