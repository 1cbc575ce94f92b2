"""If these failed, participants would skip a step, do one twice, or get a code for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prereg.chat.allocation import allocated, place_ids
from prereg.chat.steps import Step, steps_of
from study.chat import films, steps, surveys, talking
from study.chat.places import ChatPlace, find_session, is_verified
from study.chat.steps import advance
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, Conversation, Owed
from study.store.database import Store
from study.store.tables import Visit
from tests.support.chat_engine import MODE, NOW, chat_store, claimed, rows

ANSWERS = {"q-age": "1", "q-care_1": "3", "q-care_2": "3", "q-heard": "3", "q-used_ai": "2"}


@pytest.fixture
def place_in(tmp_path: Path, database_url: str) -> Iterator[tuple[Store, ChatStudy]]:
    with chat_store(database_url, tmp_path) as found:
        yield found


def in_condition(store: Store, study: ChatStudy, condition: str) -> ChatPlace:
    """Let people come until one is in a condition."""
    for number, place_id in enumerate(place_ids(study.plan)):
        place = claimed(store, study, f"{condition}-{number}")
        if allocated(study.plan, place_id).condition == condition:
            return place
    raise AssertionError(condition)


def do(store: Store, study: ChatStudy, place: ChatPlace, step: Step, now: float) -> ChatPlace:
    """Do one step as fast as can be."""
    if step.kind == "survey":
        reading = surveys.read_form(surveys.page_of(study.plan, step), ANSWERS)
        return surveys.keep_page(store, study, place, step, reading, None, now)
    if step.kind == "talk":
        talking.open_conversation(store, study, place, now)
        talking.send(store, study, place, talking.Sent(1, "Hello."), now, lambda text: None)
        return talking.leave_conversation(store, study, place, now)
    if step.kind == "video":
        films.shown(store, study, place, now)
        ended = films.note_ended(store, study, place, now)
        return films.go_on(store, study, ended, now)
    store.write(lambda connection: advance(connection, study, place, now))
    found = find_session(store, study, MODE, place.session_id)
    assert found is not None
    return found


def test_a_visit_goes_through_every_step_and_is_verified(place_in: tuple[Store, ChatStudy]) -> None:
    store, study = place_in
    place = in_condition(store, study, "combined")
    done: list[Step] = []
    while (step := steps.current(study, place)) is not None:
        assert not is_verified(store, study, place)
        after = do(store, study, place, step, NOW + 10 * len(done))
        assert after.step == place.step + 1
        place = after
        done.append(step)
    assert done == list(steps_of(study.plan, "combined"))
    assert (place.status, place.finished) == ("finished", True)
    assert place.finished_at is not None
    assert is_verified(store, study, place)
    feedback = [one for one in rows(store, Owed) if one.kind == "feedback"]
    first = [talk for talk in rows(store, Conversation) if talk.round == 1]
    assert [(one.conversation_id, one.turn) for one in feedback] == [(first[0].conversation_id, 0)]
    assert not store.write(lambda connection: advance(connection, study, place, NOW))


def test_a_step_is_done_once_and_only_by_who_holds_the_place(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    place = claimed(store, study, "r1")
    did = [store.write(lambda c: advance(c, study, place, NOW)) for _ in range(3)]
    assert did == [True, False, False]
    late = NOW + 60 * study.plan.design.first_lease_minutes + 1
    claimed(store, study, "r2", late)  # has their place now
    gone = find_session(store, study, MODE, place.session_id)
    assert gone is not None
    assert not store.write(lambda c: advance(c, study, gone, late))
    assert {row.rater_id: row.answered for row in rows(store, Visit)} == {"r1": 1, "r2": 0}


def test_a_film_must_be_seen_to_its_end_where_the_plan_says_so(
    place_in: tuple[Store, ChatStudy],
) -> None:
    store, study = place_in
    place = in_condition(store, study, "video")
    while (step := steps.current(study, place)) is not None and step.kind != "video":
        assert films.film_of(study, place) is None
        place = do(store, study, place, step, NOW)
    assert films.film_of(study, place) == study.films[0]
    films.shown(store, study, place, NOW)
    films.shown(store, study, place, NOW + 60)
    assert not films.may_go_on(study, place)
    assert films.go_on(store, study, place, NOW).step == place.step
    ended = films.note_ended(store, study, place, NOW + 90)
    films.note_ended(store, study, place, NOW + 99)
    assert films.may_go_on(study, ended)
    (visit,) = [one for one in rows(store, ChatVisit) if one.session_id == place.session_id]
    assert visit.video_shown_at.endswith("08:00:00.000Z")
    assert visit.video_ended_at.endswith("08:01:30.000Z")
    after = films.go_on(store, study, ended, NOW + 91)
    assert after.step == place.step + 1
    assert not after.video_ended, "the next film is another one"
