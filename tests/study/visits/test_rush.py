"""If this failed, raters who arrive together would share a sequence: the failure Ratify ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from study.opening import lock_study
from tests.conftest import Serve, make_study
from tests.support.crowd import rush

RATERS, SEQUENCES = 500, 150


@pytest.mark.parametrize("repetition", [1, 2, 3])
def test_five_hundred_raters_at_once_for_a_hundred_and_fifty_sequences(
    tmp_path: Path, serve: Serve, database_url: str, repetition: int
) -> None:
    folder = make_study(tmp_path / "study", raters=SEQUENCES)
    study, _ = lock_study(folder)
    workers = "1" if database_url.startswith("sqlite") else "4"
    server = serve(folder, "--workers", workers, database=database_url)

    raters = asyncio.run(rush(server.url, [f"p{repetition}-{n}" for n in range(RATERS)]))

    assert sum(rater.consented for rater in raters) == SEQUENCES
    assert sum(rater.full for rater in raters) == RATERS - SEQUENCES
    assert not any(rater.full and rater.consented for rater in raters)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        visits = connection.execute(
            text("SELECT rater_id, sequence_id, session_id FROM visits")
        ).all()
        slots = connection.execute(text("SELECT sequence_id, session_id FROM slots")).all()
    engine.dispose()
    assert Counter(v.sequence_id for v in visits) == Counter(list(study.sequences))
    assert {v.rater_id for v in visits} == {rater.name for rater in raters if rater.consented}
    assert len(slots) == SEQUENCES
    assert {(v.sequence_id, v.session_id) for v in visits} == {tuple(s) for s in slots}
