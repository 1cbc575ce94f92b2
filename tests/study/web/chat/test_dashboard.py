"""If this failed, a researcher would see a wrong state of a chat, or whose words they read."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from study.chat.study import ChatStudy
from study.store.chat_tables import SafetyEvent
from study.store.database import Store
from study.store.tables import Visit
from study.visits.recruitment import is_paused
from study.web import accounts
from study.web.chat.app import create_chat_app
from study.web.safety import CHAT_POLICY
from tests.support.chat import small_chat
from tests.support.chat_dashboards import busy_chat
from tests.support.chat_rows import Rows, at
from tests.support.desks import PASSWORD, TOKEN, send, sign_in, text_of

PAGES = ("/dashboard/", "/dashboard/participants", "/dashboard/transcripts/{}")


@pytest.fixture(autouse=True)
def no_password_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(accounts.PASSWORD_VARIABLE, raising=False)


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(tmp_path, budget={"money": 200})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def stranger(study: ChatStudy, store: Store) -> FlaskClient:
    return create_chat_app(study, store, mode="pilot", setup_token=TOKEN).test_client()


@pytest.fixture
def researcher(study: ChatStudy, store: Store) -> FlaskClient:
    return at_the_desk(study, store)


def at_the_desk(study: ChatStudy, store: Store) -> FlaskClient:
    """Return a researcher who is signed in."""
    return sign_in(create_chat_app(study, store, mode="pilot").test_client(), store)


def seen(client: FlaskClient, path: str) -> str:
    """Return the words of a page."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return text_of(answer)


def pseudonym(client: FlaskClient, condition: str) -> str:
    """Return the pseudonym of the participant of a condition."""
    page = client.get("/dashboard/participants").text
    found = re.search(rf"transcripts/(r\d+)\?[^>]*>[^<]*</a></th>\s*<td[^>]*>{condition}<", page)
    assert found
    return found[1]


def test_a_stranger_reads_nothing(study: ChatStudy, store: Store, stranger: FlaskClient) -> None:
    busy_chat(store, study)
    for path in (*PAGES, "/dashboard/tables.zip", "/dashboard/tables/messages.csv"):
        answer = stranger.get(path.format("r001"))
        assert answer.location == "/dashboard/sign-in", path
    assert send(stranger, "/dashboard/pause").location == "/dashboard/sign-in"
    done = send(stranger, "/dashboard/set-up", token=TOKEN, password=PASSWORD, again=PASSWORD)
    assert done.location == "/dashboard/"
    assert "Recruitment is open" in seen(stranger, "/dashboard/")


def test_the_overview_counts_arms_rounds_replies_costs_and_flags(
    study: ChatStudy, store: Store, researcher: FlaskClient
) -> None:
    assert "nobody has had one yet" in seen(researcher, "/dashboard/")
    busy_chat(store, study)
    page = seen(researcher, "/dashboard/")
    assert "Done 1 of 16" in page
    assert "Places taken 4 of 16 , 12 free" in page
    table = researcher.get("/dashboard/").text.partition('class="arms"')[2]
    arms = re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', table)[:4]
    # places, then: before, round 1, round 2, end, done; ended early
    assert {name: re.findall(r"<td>(.*?)</td>", cells)[1:] for name, cells in arms} == {
        "control": ["", "", "", "", "1", "1"],
        "video": ["1", "", "", "", "", ""],
        "coach": ["", "1", "", "", "", ""],
        "combined": ["", "", "1", "", "", ""],
    }
    assert "differ by 0" in page
    assert "1.0 s in the median; 95 of 100 take at most 1.0 s" in unspaced(page)
    assert "Replies owed now 1 , the oldest for" in page
    assert "Partner failures 1 visit ended" in page
    assert "Safety flags 3 ; 0 participants chose to stop" in page
    assert "So far, for 2 calls to a model 0.75" in page
    assert "Limit of the plan 200.00" in page
    assert "distress (lexicon) in what the participant wrote, round 1; went on" in page
    assert "1 participants" not in page


@pytest.mark.parametrize(
    ("status", "choice"), [("active", "no choice yet"), ("partner_failure", "the visit ended")]
)
def test_nobody_waits_for_the_choice_of_somebody_who_is_gone(
    study: ChatStudy, store: Store, researcher: FlaskClient, status: str, choice: str
) -> None:
    rows = Rows(study)
    session = rows.visit(1, mode="pilot", status=status, answered=2)
    rows.add(
        SafetyEvent,
        session_id=session,
        conversation_id=rows.conversation(session, 1, ["Hello?"]),
        turn=1,
        speaker="partner",
        screen="lexicon",
        category="harm",
        at=at(30),
    )
    rows.store(store)
    said = f"harm (lexicon) in a reply of the partner, which was withheld, round 1; {choice}."
    assert said in seen(researcher, "/dashboard/")


def unspaced(page: str) -> str:
    return page.replace("\xa0", " ")


def test_postgresql_counts_the_same(study: ChatStudy, store: Store, postgres_url: str) -> None:
    pages = []
    other = Store(postgres_url)
    for one in (store, other):
        client = at_the_desk(study, one)
        busy_chat(one, study)
        name = pseudonym(client, "coach")
        shown = " ".join(seen(client, path.format(name)) for path in PAGES)
        shown = re.sub(r"As of \S+ \S+ UTC|oldest for \S+", "", unspaced(shown))
        pages.append(re.sub(r"r\d{3}\b", "r", shown))
    other.close()
    assert pages[0] == pages[1]


def test_no_page_shows_the_id_of_a_platform(
    study: ChatStudy, store: Store, researcher: FlaskClient
) -> None:
    busy_chat(store, study)
    name = pseudonym(researcher, "coach")
    for path in PAGES:
        assert "PLATFORM" not in researcher.get(path.format(name)).text, path
    for format_ in ("csv", "convokit"):
        with researcher.get(f"/dashboard/tables.zip?format={format_}") as answer:
            content = io.BytesIO(answer.data)
        with zipfile.ZipFile(content) as packed:
            for file in packed.namelist():
                assert b"PLATFORM" not in packed.read(file), file


def test_a_transcript_shows_what_was_said_and_runs_nothing_of_it(
    study: ChatStudy, store: Store, researcher: FlaskClient
) -> None:
    busy_chat(store, study)
    name = pseudonym(researcher, "coach")
    answer = researcher.get(f"/dashboard/transcripts/{name}")
    assert "<script>alert" not in answer.text
    page = seen(researcher, f"/dashboard/transcripts/{name}")
    assert "<script>alert(1)</script> I cannot go on" in page
    assert "Flag: distress (lexicon). Help was offered, and the participant went on." in page
    withheld = (
        "Flag: harm (lexicon). A reply was withheld because of it, and this came in its place."
    )
    assert f"Tell me. {withheld}" in page
    assert "Flag: insult (lexicon). A reply was withheld because of it, and none came" in page
    assert "You listened." in page
    assert "With the coach, about round 1" in page
    assert "You took the feelings seriously: 4 ; You asked open questions: 2" in page
    assert "7 characters were pasted" in page
    assert researcher.get("/dashboard/transcripts/r0").status_code == 404
    assert researcher.get(f"/dashboard/transcripts/{name}?mode=live").status_code == 404
    assert researcher.get(f"/dashboard/transcripts/{name}?mode=no").status_code == 404
    assert researcher.get("/dashboard/transcripts/PLATFORM00003").status_code == 404


def test_the_application_of_a_chat_has_the_dashboard(study: ChatStudy, store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    client = create_chat_app(study, store, mode="pilot").test_client()
    answer = client.get("/dashboard/")
    assert answer.location == "/dashboard/sign-in"
    send(client, "/dashboard/sign-in", password=PASSWORD)
    answer = client.get("/dashboard/")
    assert "Newcomers get one of the 16 free places." in answer.text
    assert answer.headers["Content-Security-Policy"] == CHAT_POLICY


def test_modes_are_kept_apart(study: ChatStudy, store: Store, researcher: FlaskClient) -> None:
    busy_chat(store, study)
    busy_chat(store, study, mode="bot")
    page = seen(researcher, "/dashboard/")
    assert "Simulated participants (bot data): 1 of 0 done" in page
    assert "Done 1 of 16" in page
    assert "5 participants" in seen(researcher, "/dashboard/participants?mode=bot")


def test_recruitment_is_paused_and_places_of_those_who_left_are_freed(
    study: ChatStudy, store: Store, researcher: FlaskClient
) -> None:
    busy_chat(store, study)
    assert send(researcher, "/dashboard/pause").status_code == 303
    assert is_paused(store, study, "pilot")
    assert "Recruitment is PAUSED" in seen(researcher, "/dashboard/")
    send(researcher, "/dashboard/resume")
    assert not is_paused(store, study, "pilot")
    table = b"Participant id,Status\nPLATFORM00001,RETURNED\nPLATFORM00004,RETURNED\nx,RETURNED\n"
    answer = send(researcher, "/dashboard/release", export=(io.BytesIO(table), "export.csv"))
    page = text_of(answer)
    assert "1 place is free again." in page
    assert "1 finished here, whatever the platform says, and was not changed." in page
    assert "1 is unknown here" in page
    with store.reading() as connection:
        status = select(Visit.status).where(Visit.rater_id == "PLATFORM00001")
        assert connection.scalar(status) == "returned"
    wrong = send(researcher, "/dashboard/release", export=(io.BytesIO(b"a,b\n1,2\n"), "e.csv"))
    assert wrong.status_code == 400
    assert "there is no column" in unescape(wrong.text)


def test_a_budget_that_is_spoken_for_is_said(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = small_chat(tmp_path, budget={"money": 200})
    client = at_the_desk(study, store)
    monkeypatch.setattr("study.web.chat.dashboard.fits", lambda *_: False)
    assert "The budget is spoken for" in seen(client, "/dashboard/")


def test_a_thousand_conversations_are_counted_quickly(tmp_path: Path) -> None:
    study = small_chat(tmp_path, design={"supporters": 504})
    rows = Rows(study)
    for number in range(1, 501):
        session = rows.visit(number, mode="pilot")
        for round_ in (1, 2):
            rows.conversation(session, round_, ["I hear you."] * 5, ["Thank you."] * 5)
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    rows.store(store)
    client = at_the_desk(study, store)
    client.get("/dashboard/participants")  # everybody gets a pseudonym, once
    for path in PAGES[:2]:
        began = time.process_time()
        assert client.get(path).status_code == 200
        assert time.process_time() - began < 1.5, path
    store.close()
