"""Measures conversations under load: sending, a reply seen, and whether anything is lost.

Two hundred people write at once to a partner that thinks for three seconds. The server is
`ratify serve` with its usual threads; the crowd is another process on the same cores, and the model
is a third. The peer is what one writes first: a form post that waits for the model.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.pages import POSTGRESQL, SQLITE, WORKERS, _answers, _new_postgresql
from study.bots.forms import ChatPage
from tests.conftest import POSTGRES, running
from tests.support.chat_folder import chat_folder
from tests.support.chat_model import ChatModel, running_chat_model
from tests.support.crowd import Browser, Form, Page

PEOPLE, TURNS = 200, 4
THINKS, ARRIVING = 3.0, 10.0  # seconds of the model; within which people arrive
TYPES = (2.0, 8.0)  # seconds that somebody types
LOOKS = 1.0  # seconds between two looks for a reply
PATIENCE = 120.0
REPLIES = "SELECT conversation_id, turn, show_from FROM messages WHERE speaker = 'partner'"
COUNTS = "SELECT speaker, count(*) FROM messages WHERE turn > 0 GROUP BY speaker"


@dataclass
class Talk:
    """What one person saw: seconds of each sending, and when each reply was seen."""

    sending: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)  # from sending to the reply on the page
    seen: dict[tuple[str, int], float] = field(default_factory=dict)


def main() -> None:
    """Print what sending takes and when replies are seen, for both databases and for the peer."""
    os.environ["RATIFY_ARRIVALS_PER_MINUTE"] = "1000000"
    os.environ["RATIFY_CONSENTS_PER_HOUR"] = "1000000"
    databases = [(SQLITE, 1)]
    if _answers(POSTGRES):
        databases += [(POSTGRESQL, 1), (POSTGRESQL, WORKERS)]
    print(
        f"\nConversations: {PEOPLE} at once, {TURNS} messages each, a model that takes "
        f"{THINKS:g} s; looked for every {LOOKS:g} s."
    )
    for database, workers in databases:
        with _served(database, workers) as (url, where, store):
            _measure(url, where, store)
    with running_chat_model(delay=THINKS) as model, _bare(model) as url:
        talks = asyncio.run(_crowd(url, "/talk", state=None, turns=1))
        print("A form post that waits for the model (bare Flask, waitress, SQLite), one message:")
        _times("sending", [one for talk in talks for one in talk.sending])


def _measure(url: str, where: str, store: str) -> None:
    start = time.perf_counter()
    talks = asyncio.run(_crowd(url, "/talk", state="/talk/state"))
    span = time.perf_counter() - start
    engine = create_engine(store)
    with engine.connect() as connection:
        stored = {(row[0], row[1]): row[2] for row in connection.execute(text(REPLIES))}
        counts = {row[0]: row[1] for row in connection.execute(text(COUNTS))}
    engine.dispose()
    print(f"{where}: {span:.0f} s in all")
    _times("sending", [one for talk in talks for one in talk.sending])
    _times("whole turn", [one for talk in talks for one in talk.whole])
    late = [at - stored[key] for talk in talks for key, at in talk.seen.items()]
    _times("reply seen after it was there", late)
    print(
        f"  {counts.get('supporter', 0)} messages and {counts.get('partner', 0)} replies of "
        f"{PEOPLE * TURNS} each are stored"
    )


def _times(what: str, seconds: Sequence[float]) -> None:
    cuts = statistics.quantiles([1000 * one for one in seconds], n=100)
    print(
        f"  {what:<30} {len(seconds):>5}   p50 {cuts[49]:6.0f} ms   p95 {cuts[94]:6.0f} ms"
        f"   p99 {cuts[98]:6.0f} ms   max {1000 * max(seconds):6.0f} ms"
    )


async def _crowd(url: str, path: str, *, state: str | None, turns: int | None = None) -> list[Talk]:
    """Let everybody talk at once."""

    async def one(number: int) -> Talk:
        await asyncio.sleep(random.uniform(0, ARRIVING))
        return await _talk(Browser(url, f"talker-{number}"), path, state, turns or TURNS)

    return list(await asyncio.gather(*(one(number) for number in range(PEOPLE))))


async def _talk(browser: Browser, path: str, state: str | None, turns: int) -> Talk:
    """Go to the conversation, send messages and wait for each reply as the page's script does."""
    talk = Talk()
    page = await browser.get(browser.link)
    for ending in ("/consent", "/instructions"):
        form = _form(page, ending)
        page = page if form is None else await browser.post(form, {})
    form = _form(page, path)
    assert form is not None, f"{browser.rater.name}: no form to write in"
    if state is not None:
        browser.headers["Accept"] = "application/json"
    for turn in range(1, turns + 1):
        await asyncio.sleep(random.uniform(*TYPES))
        start, before = time.monotonic(), len(browser.rater.sent)
        said = {"turn": str(turn), "text": f"This is message {turn}. I hear you."}
        await browser.post(form, said)
        talk.sending.append(browser.rater.sent[before].seconds)
        if state is not None:
            await _reply(browser, talk, state, turn)
        talk.whole.append(time.monotonic() - start)
    await browser.close()
    return talk


async def _reply(browser: Browser, talk: Talk, state: str, turn: int) -> None:
    """Look for the reply to a message until it is there; note when it was seen."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        await asyncio.sleep(LOOKS)
        shown = json.loads((await browser.get(f"{state}?visible=1&have={2 * turn}")).text)
        for message in shown["messages"]:
            if message["speaker"] == "partner" and message["turn"] == turn:
                talk.seen[shown["conversation_id"], turn] = time.time()
                return
    raise AssertionError(f"{browser.rater.name}: no reply to message {turn}")


def _form(page: Page, ending: str) -> Form | None:
    """Return the form of a page whose action ends so."""
    read = ChatPage()
    read.feed(page.text)
    found = read.form(ending)
    return None if found is None else Form(found.action, dict(found.fields))


@contextmanager
def _served(database: str, workers: int) -> Iterator[tuple[str, str, str]]:
    """Serve a chat of one conversation each, whose partner is a model."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        model = stack.enter_context(running_chat_model(delay=THINKS))
        folder = bench_folder(Path(place) / "study", model)
        url = f"sqlite:///{place}/store.sqlite3"
        if database == POSTGRESQL:
            url = stack.enter_context(_new_postgresql())
        server = stack.enter_context(
            running(folder, "--mode", "pilot", "--workers", str(workers), database=url)
        )
        where = f"{database}, {workers} process{'es' if workers > 1 else ''}"
        yield server.url, where, url


def bench_folder(folder: Path, model: ChatModel) -> Path:
    """Write the study: no surveys, one conversation, no typing delay."""
    return chat_folder(
        folder,
        design={
            "supporters": PEOPLE + 8 - PEOPLE % 8,
            "conversations": 1,
            "scenarios": {"draw": 1},
            "conditions": dict.fromkeys(("video", "coach", "combined")),
        },
        feedback={"after_rounds": [], "coach": None, "video": None},
        surveys={"before": None, "after_each": None},
        servers={
            "main": {
                "model": "double",
                "base_url": model.base_url,
                "key_variable": None,
                "concurrency": 256,
            }
        },
        partner={"kind": "llm", "server": "main", "temperature": 0.7},
    )


@contextmanager
def _bare(model: ChatModel) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as place:
        words = [sys.executable, "-m", "benchmarks.bare_chat", f"{place}/bare.sqlite3"]
        with subprocess.Popen(
            [*words, model.base_url], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
            process.terminate()


if __name__ == "__main__":
    main()
