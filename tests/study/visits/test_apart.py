"""If these failed, one person could rate both scales of an item, whatever way they came back.

Each test runs on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from prereg.lock import utc_now
from study.folder import Study
from study.store.database import Store
from study.store.tables import Rating, Visit
from study.visits.answers import Given, answer
from study.visits.claims import release
from study.visits.places import Place, completion
from study.visits.withdrawal import withdraw
from tests.support.apart_studies import BOTH, apart_study
from tests.support.collecting import open_places
from tests.support.raters import claim, claimed, rows

TRIALS = 4


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


def opened(store: Store, folder: Path, *modes: str, **changes: Any) -> Study:
    study = apart_study(folder, **changes)
    for mode in modes:
        open_places(store, study, mode)
    return study


def answers_both(
    store: Store, study: Study, place: Place, *, mode: str = "live", **changed: int
) -> Place:
    """Answer every trial with a form that has a point on each scale."""
    for trial in study.sequences[place.sequence_id][place.position - 1 :]:
        given = Given(trial.position, BOTH | changed, 9, 1, shown_at=utc_now())
        outcome = answer(store, study, mode, place.session_id, given)
        assert outcome is not None
        assert outcome.kept
        place = outcome.place
    return place


def scales_of(store: Store) -> dict[str, set[str]]:
    """Return the scales that each rater id has rated anything on, in any mode."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows(store, Rating):
        found[row.rater_id].add(row.dimension)
    return found


def nobody_rates_both(store: Store) -> None:
    assert [name for name, scales in scales_of(store).items() if len(scales) > 1] == []


def test_an_answer_on_the_other_scale_is_not_kept(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "live")
    for name in ("ann", "ben"):
        place = answers_both(store, study, claimed(store, study, name, "live"))
        own = study.dimension_of(place.sequence_id)
        kept = [row for row in rows(store, Rating) if row.rater_id == name]
        assert {row.dimension for row in kept} == {own}
        assert [row.position for row in kept] == list(range(1, TRIALS + 1))
        assert {row.value for row in kept} == {float(BOTH[own])}
        assert [row.passed_check for row in kept].count(True) == 1
        done = completion(store, study, place)
        assert (done.verified, done.failed_checks) == (True, 0)
    assert scales_of(store) == {"ann": {"warmth"}, "ben": {"depth"}}


@pytest.mark.parametrize("wrong", ["warmth", "depth"])
def test_a_check_is_failed_on_the_scale_that_was_asked(
    store: Store, tmp_path: Path, wrong: str
) -> None:
    study = opened(store, tmp_path / "s", "live")
    for name in ("ann", "ben"):
        place = answers_both(store, study, claimed(store, study, name, "live"), **{wrong: 3})
        mine = study.dimension_of(place.sequence_id) == wrong
        assert completion(store, study, place).failed_checks == int(mine)


def test_a_rush_fills_both_scales_and_nobody_rates_two(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "live", raters=24, per_sequence=2)
    begin, failed = threading.Barrier(20), []

    def take_part(number: int) -> None:
        # three raters come twice, in two windows at the same moment
        name = f"rater-{number % 17}"
        begin.wait()
        try:
            place = claim(store, study, name, "live")
            assert place is not None
            for trial in study.sequences[place.sequence_id]:
                given = Given(trial.position, BOTH, 9, 1, shown_at=utc_now())
                assert answer(store, study, "live", place.session_id, given) is not None
        except Exception as error:  # raised again below, in the thread of the test
            failed.append(error)

    threads = [threading.Thread(target=take_part, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    nobody_rates_both(store)
    raters = Counter(next(iter(scales)) for scales in scales_of(store).values())
    assert sum(raters.values()) == 17
    assert len(raters) == 2
    if store.is_sqlite:  # one claim after the other; PostgreSQL skips places that are being taken
        assert set(raters.values()) == {8, 9}
    assert len(rows(store, Rating)) == 17 * TRIALS


def test_a_rater_who_comes_back_has_the_same_scale(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "live")
    first = claimed(store, study, "ann", "live")
    again = claimed(store, study, "ann", "live")
    assert again.sequence_id == first.sequence_id
    assert release(store, study, "live", "ann", "returned") == "active"
    back = claimed(store, study, "ann", "live")
    assert (back.sequence_id, back.status) == (first.sequence_id, "returned")
    silent = claimed(store, study, "ben", "live")
    store.write(lambda c: c.execute(update(Visit).values(lease_until=1.0)))
    for number in range(6):  # somebody else gets the place
        claim(store, study, f"other-{number}", "live")
    late = claimed(store, study, "ben", "live")
    assert (late.sequence_id, late.status) == (silent.sequence_id, "timed_out")


def test_who_replaces_a_rater_has_their_scale(store: Store, tmp_path: Path) -> None:
    recruitment = {"codes": {"completed": "A", "failed_attention": "B"}}
    study = opened(
        store,
        tmp_path / "s",
        "live",
        raters=2,
        recruitment=recruitment | {"replace": "failed_attention"},
    )
    failed = answers_both(store, study, claimed(store, study, "ann", "live"), warmth=4)
    claimed(store, study, "ben", "live")
    instead = claimed(store, study, "cem", "live")
    assert instead.sequence_id == failed.sequence_id
    answers_both(store, study, instead)
    assert scales_of(store) == {"ann": {"warmth"}, "cem": {"warmth"}}
    assert claim(store, study, "dan", "live") is None


def test_of_a_rater_who_withdrew_no_score_is_left(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "live")
    first = answers_both(store, study, claimed(store, study, "ann", "live"))
    claimed(store, study, "ben", "live")
    assert withdraw(store, study, "live", first.withdrawal_key)
    # others take the places until the next one is of the other scale
    for name in ("cem", "dan"):
        claimed(store, study, name, "live")
    again = answers_both(store, study, claimed(store, study, "ann", "live"))
    assert study.dimension_of(again.sequence_id) != study.dimension_of(first.sequence_id)
    assert scales_of(store)["ann"] == {study.dimension_of(again.sequence_id)}
    assert len(rows(store, Rating)) == TRIALS


def test_an_id_keeps_its_scale_in_every_mode(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "pilot", "live", "bot")
    tried = [claimed(store, study, f"r{n}", "pilot") for n in range(6)]
    asked = [study.dimension_of(place.sequence_id) for place in tried]
    assert asked == ["warmth", "depth"] * 3
    # they come to the live study in another order: each free place alone would change some
    for number in (1, 3, 0, 5, 2, 4):
        for mode in ("live", "bot"):
            place = claimed(store, study, f"r{number}", mode)
            assert study.dimension_of(place.sequence_id) == asked[number]
            answers_both(store, study, place, mode=mode)
    nobody_rates_both(store)
    assert len(scales_of(store)) == 6


def test_an_id_whose_scale_is_full_is_not_asked_for_the_other(store: Store, tmp_path: Path) -> None:
    study = opened(store, tmp_path / "s", "pilot", "live", raters=4)
    assert study.dimension_of(claimed(store, study, "ann", "pilot").sequence_id) == "warmth"
    for number in range(3):
        claimed(store, study, f"r{number}", "live")
    assert claim(store, study, "ann", "live") is None
    last = claimed(store, study, "ben", "live")
    assert study.dimension_of(last.sequence_id) == "depth"
