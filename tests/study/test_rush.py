"""If this failed, raters who arrive together would share a sequence: the failure Ratify ends."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from study.bots import Page
from study.folder import lock_study, open_study
from tests.conftest import Serve, make_study

RATERS, SEQUENCES = 60, 30


def test_sixty_raters_at_once_for_thirty_sequences(
    tmp_path: Path, serve: Serve, database_url: str
) -> None:
    folder = make_study(tmp_path / "study", raters=SEQUENCES)
    lock_study(folder)
    server = serve(folder, database=database_url)
    barrier = threading.Barrier(RATERS)
    ends: dict[int, str] = {}

    def arrive(number: int) -> None:
        with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
            page = Page()
            page.feed(client.get("/", params={"PROLIFIC_PID": f"p{number}"}).text)
            barrier.wait()
            answer = client.post(page.action, data=page.fields)
            after = Page()
            after.feed(answer.text)
            ends[number] = "full" if "study-full" in after.ids else answer.url.path

    threads = [threading.Thread(target=arrive, args=(n,)) for n in range(RATERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(ends.values()) == {"/instructions": SEQUENCES, "full": RATERS - SEQUENCES}
    engine = create_engine(database_url)
    with engine.connect() as connection:
        visits = connection.execute(text("SELECT sequence_id, session_id FROM visits")).all()
        slots = connection.execute(text("SELECT sequence_id, session_id FROM slots")).all()
    engine.dispose()
    assert Counter(v.sequence_id for v in visits) == Counter(list(open_study(folder).sequences))
    assert {tuple(v) for v in visits} == {tuple(s) for s in slots}
