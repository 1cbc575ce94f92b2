"""Studies with an LLM judge, and processes that ask it."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from prereg.plan.judging import LLMJudge
from prereg.tables.reader import write_csv
from study.folder import Study
from study.judges.runs.live import run_llm
from study.judges.runs.progress import Progress, Ran
from study.judges.runs.requesting import Retry
from study.opening import lock_study, open_study
from study.scaffold import new_study
from study.store.database import Store, open_store
from tests.support import warm
from tests.support.llm_server import LLMServer
from tests.support.paths import ROOT
from tests.support.plans import edited_plan

KEY = "sk-key-that-nobody-may-ever-read"
VARIABLE = "KEY_OF_THE_TESTS"
QUICK = Retry(first=0.01, longest=0.05)


def make_llm_study(
    folder: Path,
    server: LLMServer | str,
    *,
    raters: int = 20,
    trials: int = 5,
    per_scenario: int = 8,
    texts: Mapping[str, str] | None = None,
    locked: bool = True,
    **judge: Any,
) -> Path:
    """Make and lock a study with one LLM judge; each item needs one request for ratings."""
    rows = [
        {
            "item_id": f"{scenario}-{number}",
            "scenario": scenario,
            "text": f"Seeker: I lost my {scenario}, number {number}.\nSupporter: I hear you."
            f" [[quality={(number - per_scenario / 2) / per_scenario:.3f}]]",
        }
        for scenario in ("job", "home")
        for number in range(1, per_scenario + 1)
    ]
    for row in rows:
        row["text"] = (texts or {}).get(row["item_id"], row["text"])
    table = folder.parent / f"{folder.name}-pool.csv"
    write_csv(table, list(rows[0]), rows)
    new_study(folder, items=table, scenario_column="scenario")
    with edited_plan(folder) as plan:
        plan["design"] |= {"raters": raters, "trials": trials}
        url = server if isinstance(server, str) else server.base_url
        plan["judges"] = [
            {
                "id": "fake",
                "kind": "llm",
                "model": "lab/judge-1",
                "base_url": url,
                "key_variable": VARIABLE,
                "concurrency": 8,
                "patience_minutes": 0.5,
                **judge,
            },
            {"id": "length", "kind": "baseline", "pairs": None},
            {"id": "lexical", "kind": "baseline", "pairs": None},
        ]
        plan["gate"] = []
        plan["analyses"] = [a for a in plan["analyses"] if a["kind"] == "choice_agreement"]
        for analysis in plan["analyses"]:
            analysis["judges"] = ["fake"]
    if locked:
        lock_study(folder)
    return folder


@dataclass
class Lab:
    """A study, its store, and its judge."""

    folder: Path
    study: Study
    store: Store

    @property
    def judge(self) -> LLMJudge:
        """The one judge."""
        judge = self.study.plan.judges[0]
        assert isinstance(judge, LLMJudge)
        return judge

    def run(self, *, again: bool = False, **options: Any) -> Ran:
        """Ask the judge in this process, with short waits."""
        return run_llm(self.store, self.study, self.judge, again=again, retry=QUICK, **options)

    def rows(self, table: str, what: str = "*", where: str = "1=1") -> list[dict[str, Any]]:
        """Return rows of the store."""
        with self.store.reading() as connection:
            found = connection.execute(text(f"SELECT {what} FROM {table} WHERE {where}"))
            return [dict(row._mapping) for row in found]

    def count(self, table: str, where: str = "1=1") -> int:
        """Return how many rows there are."""
        return int(self.rows(table, "count(*) AS n", where)[0]["n"])

    def statuses(self) -> Counter[tuple[str, str | None]]:
        """Return how many requests have each status and reason."""
        return Counter((row["status"], row["reason"]) for row in self.rows("requests"))


@contextmanager
def lab(folder: Path, url: str | None = None) -> Iterator[Lab]:
    """Open a study that is locked."""
    store = open_store(folder, url)
    try:
        yield Lab(folder, open_study(folder), store)
    finally:
        store.close()


def stop_after(study: Lab, answers: int) -> None:
    """Ask until `answers` requests are settled, and then stop as on Ctrl-C."""
    stopped: list[bool] = []

    def stop(progress: Progress) -> None:
        if progress.settled >= answers and not stopped:
            stopped.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    study.run(progress=stop)


def ask_impatiently(lease: float, folders: str, *options: str) -> None:
    """Ask as `ratify judge` does, in its own process, with waits and a lease that suit a test.

    A process that is silent for the length of the lease is taken for dead. The lease is short for
    processes that are killed, and long for those that must not be replaced on a busy machine.
    """
    import ratify
    from study.judges.ledger import leases as ledger_runs
    from study.judges.runs import live as llm_run
    from study.judges.runs import progress, requesting, running

    ledger_runs.LEASE_SECONDS, ledger_runs.BEAT_SECONDS, running.LOOK_AGAIN = lease, 0.3, 0.1
    progress.BUDGET_WAIT = 5.0
    requesting.RETRY = llm_run.RETRY = Retry(0.02, 0.3)
    llm_run.run_llm.__kwdefaults__["retry"] = llm_run.RETRY
    several = folders.split("|")
    for folder in several:
        try:
            ratify.main(["judge", folder, *options], prog_name="ratify")
        except SystemExit as end:
            if len(several) == 1:
                raise
            print(f"ended with {end.code}", flush=True)


def ask_under_nohup(lease: float, folders: str, *options: str) -> None:
    """Ask in a process that ignores a terminal that closes."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ask_impatiently(lease, folders, *options)


def asking(
    folder: Path,
    *options: str,
    url: str | None = None,
    key: str | None = KEY,
    lease: float = 15.0,
    how: Callable[..., None] = ask_impatiently,
) -> warm.Process:
    """Start a process that asks the judges of a study, as `ratify judge` does."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if key is not None:
        environment[VARIABLE] = key
    if url is not None:
        environment["RATIFY_DATABASE_URL"] = url
    words = (lease, str(folder), *options)
    return warm.Process(how, words, environment=environment, cwd=ROOT)


def import_everything_but_the_client(folder: str) -> None:
    """Import everything that runs without a judge, and estimate the cost of its calls."""
    import analysis
    import ratify.judge
    import study.export.files
    import study.judges.runs.batch
    import study.judges.runs.live
    import study.web.app  # noqa: F401

    for found in pkgutil.walk_packages(analysis.__path__, "analysis."):
        importlib.import_module(found.name)
    assert "openai" not in sys.modules
    try:
        ratify.main(["judge", folder, "--dry-run"], prog_name="ratify")
    except SystemExit as end:
        assert not end.code
    assert "openai" not in sys.modules


def collect_until(folder: Path, step: str, when: str) -> None:
    """Ask by batch in a process that is killed before or after a step, as in a power cut."""
    from study.judges.ledger import leases as ledger_runs
    from study.judges.ledger import ledger
    from study.judges.runs import batch
    from study.llm import batch_api as chat_batch

    ledger_runs.LEASE_SECONDS = 0.5
    place, name = step.split(".")
    owner: Any = {"ledger": ledger.Ledger, "server": chat_batch.BatchServer}[place]
    real = getattr(owner, name)

    def here(*arguments: Any, **options: Any) -> None:
        if when == "after":
            real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    async def there(*arguments: Any, **options: Any) -> None:
        if when == "after":
            await real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, there if place == "server" else here)
    study = open_study(folder)
    judge = study.plan.judge("fake")
    assert isinstance(judge, LLMJudge)
    batch.run_batch(open_store(folder, None), study, judge, say=print, every=0.05)


def asking_all(folders: Sequence[Path], *options: str, **other: Any) -> warm.Process:
    """Start a process that asks the judges of several studies and prints how each run ended."""
    return asking(Path("|".join(map(str, folders))), *options, **other)


def said(process: warm.Process, *, timeout: float = 120) -> tuple[int, str, str]:
    """Wait for a process; return its exit code and its output."""
    out, err = process.communicate(timeout=timeout)
    return process.wait(), out, err


def settled(folder: Path) -> int:
    """Return how many requests an SQLite store has settled, while other processes write to it."""
    path = folder / "study.sqlite3"
    if not path.exists():
        return 0
    with sqlite3.connect(path, timeout=10) as store:
        try:
            found = store.execute("SELECT count(*) FROM requests WHERE status = 'answered'")
            return int(found.fetchone()[0])
        except sqlite3.OperationalError:  # no table yet
            return 0
        finally:
            store.rollback()
