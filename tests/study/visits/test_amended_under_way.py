"""If this failed, an amendment during collection would lose an answer, a rater or a consent text.

Fifty raters are under way when the plan is amended, on each database, over HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from prereg.lock import read_lock
from study.opening import lock_study
from study.store.database import STORE_FILE
from tests.conftest import Serve, make_study
from tests.support.crowd import Browser, Rater, at_random, walk
from tests.support.plans import edited_plan
from tests.support.served import ARRIVALS

RATERS, MORE, READING, TRIALS = 50, 20, 5, 6
OLD, NEW = "How it works", "How it works now"
NEW_CONSENT = "Even before"


async def collect(
    url: str, amend: Callable[[], None]
) -> tuple[list[Rater], list[str], dict[str, str]]:
    """Amend while raters answer.

    Returns
    -------
    list of Rater
    list of str
        What a rater under way and a late one were told.
    dict
        The version that each late rater consented to.
    """
    waiting = [Browser(url, f"reading-{n}") for n in range(READING)]
    consents = [form for b in waiting if (form := (await b.get(b.link)).form()) is not None]
    steady = Browser(url, "steady")
    form = (await steady.get(steady.link)).form()
    assert form is not None
    await steady.post(form, {})
    early = [Browser(url, f"early-{n}") for n in range(RATERS - READING - 1)]
    under_way = asyncio.gather(*(walk(one, at_random, pause=0.6) for one in early))
    while sum(len(one.rater.acknowledged) for one in early) < RATERS:
        await asyncio.sleep(0.02)
    assert not any(one.rater.code for one in early), "somebody had finished too soon"
    await asyncio.to_thread(amend)
    told = [(await steady.get("/instructions")).text]
    for browser, form in zip(waiting, consents, strict=True):
        page = await browser.post(form, {})  # they had read the text of the first version
        assert OLD in page.text
        assert NEW not in page.text
    late = [Browser(url, f"late-{n}") for n in range(MORE)]
    # a worker that is reading the amended plan still shows the text before
    while NEW_CONSENT not in (page := await late[0].get(late[0].link)).text:
        await asyncio.sleep(0.05)
    told.append(page.text)
    versions = {}
    for browser in late:
        page = await browser.get(browser.link)
        form = page.form()
        assert form is not None
        versions[browser.rater.name] = form.fields["version"]
        is_new = form.fields["version"] != consents[0].fields["version"]
        assert (NEW_CONSENT in page.text) == is_new
        await browser.post(form, {})
    others = await asyncio.gather(*(walk(one, at_random) for one in [steady, *waiting, *late]))
    done = [*await under_way, *others]
    beyond = await walk(Browser(url, "too-late"), at_random)
    assert beyond.full
    return done, told, versions


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_amendment_with_fifty_raters_under_way_loses_and_doubles_nothing(
    tmp_path: Path,
    serve: Serve,
    ratify: Callable[..., CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    database: str,
) -> None:
    url = None if database == "sqlite" else str(request.getfixturevalue("postgres_url"))
    monkeypatch.setenv(ARRIVALS, "1000000")
    if url:
        monkeypatch.setenv("RATIFY_DATABASE_URL", url)
    folder = make_study(tmp_path / "study", raters=RATERS, trials=TRIALS)
    first = lock_study(folder)[1]
    sequences = (folder / "sequences.csv").read_bytes()
    workers = ("--workers", "2") if url else ()
    server = serve(folder, *workers, database=url)

    def amend() -> None:
        for name, old, new in [("consent", "Before", NEW_CONSENT), ("instructions", OLD, NEW)]:
            path = folder / f"{name}.md"
            path.write_text(path.read_text().replace(old, new, 1))
        with edited_plan(folder) as plan:
            plan["design"]["raters"] = RATERS + MORE
            plan["design"]["lease_minutes"] = 90
        said = ratify("amend", folder, "--reason", "A typo, and twenty more people.")
        assert said.returncode == 0, said.stderr
        assert "data, but no results" in said.stdout

    raters, told, versions = asyncio.run(collect(server.url, amend))

    assert all(rater.code for rater in raters), [r.name for r in raters if not r.code]
    assert NEW not in told[0]
    assert NEW_CONSENT in told[-1]
    lock = read_lock(folder)
    assert lock.root_hash == first.plan_hash != lock.plan_hash
    assert (folder / "sequences.csv").read_bytes().startswith(sequences)
    _everything_is_there(url or f"sqlite:///{folder / STORE_FILE}", raters, versions, lock)
    if database == "sqlite":
        _it_is_analysed(folder, ratify, lock)


def _everything_is_there(
    url: str, raters: list[Rater], versions: dict[str, str], lock: Any
) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        visits = connection.execute(text("SELECT * FROM visits")).all()
        answers = connection.execute(
            text("SELECT rater_id, position, choice, version_hash FROM judgments")
        ).all()
    engine.dispose()
    version = {v.rater_id: v.version_hash for v in visits}
    assert lock.plan_hash in versions.values()
    newest = {name for name, given in versions.items() if given == lock.plan_hash}
    assert {name for name, given in version.items() if given == lock.plan_hash} == newest
    assert {v.version_hash for v in visits} == {None, lock.plan_hash}
    assert {v.plan_hash for v in visits} == {lock.root_hash}
    assert set(Counter(v.sequence_id for v in visits).values()) == {1}
    assert len(visits) == RATERS + MORE
    kept = {(a.rater_id, a.position): a.choice for a in answers}
    assert len(answers) == len(kept) == (RATERS + MORE) * TRIALS
    for rater in raters:
        for position, chosen in rater.acknowledged.items():
            assert kept[rater.name, position] == chosen["choice"]
    assert all(answer.version_hash == version[answer.rater_id] for answer in answers)


def _it_is_analysed(folder: Path, ratify: Callable[..., CompletedProcess[str]], lock: Any) -> None:
    for command in ("judge", "export", "analyze"):
        said = ratify(command, folder)
        assert said.returncode == 0, said.stderr
    results = json.loads((folder / "results" / "results.json").read_text())
    assert results["meta"]["plan_hash"] == lock.plan_hash
    rows = (folder / "data" / "judgments.csv").read_text()
    assert lock.root_hash in rows
    assert lock.plan_hash in rows
