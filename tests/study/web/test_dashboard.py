"""If this failed, a researcher would be told a wrong state, or somebody else would be told at all.

What an upload, a pause and a download do is told here, too; how the pages look, in test_access.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from prereg.tables.reader import read_table
from study.folder import Study
from study.opening import open_study
from study.store.database import Store
from study.visits.places import find_rater
from study.visits.recruitment import is_paused
from study.web import accounts
from study.web.app import create_app
from tests.conftest import DASHBOARD_PASSWORD, Serve
from tests.support.collecting import study_of_kind, take_part
from tests.support.desks import PASSWORD, TOKEN, send, sign_in, text_of
from tests.support.plans import edited_plan

MODE = "pilot"


@pytest.fixture(autouse=True)
def no_password_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(accounts.PASSWORD_VARIABLE, raising=False)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of_kind(tmp_path / "study", "pairwise")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def app(study: Study, store: Store) -> Flask:
    return create_app(study, store, mode=MODE, setup_token=TOKEN)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def researcher(app: Flask, store: Store) -> FlaskClient:
    return sign_in(app.test_client(), store)


def paths(app: Flask) -> dict[str, str]:
    """Return the address of every page of the dashboard, by endpoint."""
    values = {"name": "judgments", "ending": "csv"}
    adapter = app.url_map.bind("localhost")
    rules = [r for r in app.url_map.iter_rules() if r.endpoint.startswith("dashboard.")]
    return {
        r.endpoint: adapter.build(r.endpoint, {k: v for k, v in values.items() if k in r.arguments})
        for r in rules
    }


# ---- The door -----------------------------------------------------------------------------------


def test_nothing_is_reachable_unsigned(app: Flask, store: Store, study: Study) -> None:
    take_part(store, study, MODE, "somebody-secret")
    accounts.set_password(store, PASSWORD)
    app.config["WTF_CSRF_ENABLED"] = False  # so that the door alone decides
    found = paths(app)
    assert len(found) >= 13
    for endpoint, path in found.items():
        for client in (app.test_client(), forged(app)):
            for answer in (client.get(path), client.post(path)):
                assert answer.status_code in {302, 303, 200, 403, 405}, endpoint
                assert "somebody-secret" not in answer.text
                if endpoint not in {"dashboard.sign_in", "dashboard.check"}:
                    assert answer.status_code in {303, 403, 405}, endpoint
    assert not is_paused(store, study, MODE)


def forged(app: Flask) -> FlaskClient:
    """Return a browser with a token that nobody gave out."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["researcher"] = "x" * 43
    return client


def test_the_link_sets_the_first_password_once(stranger: FlaskClient, store: Store) -> None:
    assert stranger.get("/dashboard/").location == "/dashboard/sign-in"
    assert stranger.get("/dashboard/sign-in").location == "/dashboard/set-up"
    assert "ratify password DIR" in stranger.get("/dashboard/set-up").text
    wrong = stranger.get("/dashboard/set-up?token=guess")
    assert wrong.status_code == 403
    assert "<form" not in wrong.text
    form = {"password": PASSWORD, "again": PASSWORD}
    assert send(stranger, "/dashboard/set-up", token="guess", **form).status_code == 403
    assert not accounts.has_password(store)
    inside = send(stranger, "/dashboard/set-up", token=TOKEN, **form)
    assert inside.location == "/dashboard/"
    assert stranger.get("/dashboard/").status_code == 200
    late = stranger.application.test_client()
    assert late.get(f"/dashboard/set-up?token={TOKEN}").location == "/dashboard/sign-in"
    form = {"password": "somebody else's", "again": "somebody else's"}
    assert send(late, "/dashboard/set-up", token=TOKEN, **form).location == "/dashboard/sign-in"
    assert accounts.check_password(store, PASSWORD)
    assert late.get("/dashboard/").status_code == 303


@pytest.mark.parametrize(
    ("password", "again", "fault"),
    [
        ("tooshorty", "tooshorty", "too short"),
        (PASSWORD, PASSWORD + "r", "differ"),
        ("", "", "too short"),
    ],
)
def test_a_first_password_with_a_fault_is_explained(
    stranger: FlaskClient, store: Store, password: str, again: str, fault: str
) -> None:
    answer = send(stranger, "/dashboard/set-up", token=TOKEN, password=password, again=again)
    assert answer.status_code == 400
    assert fault in answer.text
    assert 'role="alert"' in answer.text
    assert TOKEN in answer.text
    assert not password or password not in answer.text
    assert not accounts.has_password(store)


def test_without_a_token_no_link_sets_a_password(study: Study, store: Store) -> None:
    client = create_app(study, store, mode=MODE).test_client()
    for guess in ("", "None", "null"):
        assert "<form" not in client.get(f"/dashboard/set-up?token={guess}").text


def test_signing_in_and_out(stranger: FlaskClient, store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    wrong = send(stranger, "/dashboard/sign-in", password="not the password")
    assert wrong.status_code == 403
    assert "This is not the password." in wrong.text
    assert stranger.get("/dashboard/").status_code == 303
    send(stranger, "/dashboard/sign-in", password=PASSWORD)
    assert stranger.get("/dashboard/").status_code == 200
    assert stranger.get("/dashboard/sign-in").location == "/dashboard/"
    with stranger.session_transaction() as session:
        token = session["researcher"]
    assert send(stranger, "/dashboard/sign-out").location == "/dashboard/sign-in"
    assert stranger.get("/dashboard/").status_code == 303
    with stranger.session_transaction() as session:
        assert "researcher" not in session
        session["researcher"] = token
    assert stranger.get("/dashboard/").status_code == 303, "a copied cookie is signed out as well"


def test_guessing_is_slowed_down(stranger: FlaskClient, store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    answers = [send(stranger, "/dashboard/sign-in", password=f"guess {n}") for n in range(12)]
    assert [a.status_code for a in answers[:10]] == [403] * 10
    assert {a.status_code for a in answers[10:]} == {429}
    assert "Wait a minute" in answers[-1].text
    assert send(stranger, "/dashboard/sign-in", password=PASSWORD).status_code == 429


def test_a_form_of_another_site_changes_nothing(
    researcher: FlaskClient, store: Store, study: Study
) -> None:
    for path in ("pause", "resume", "release", "sign-out", "sign-in"):
        assert researcher.post(f"/dashboard/{path}").status_code == 400
    assert not is_paused(store, study, MODE)
    assert researcher.get("/dashboard/").status_code == 200


# ---- What it says and does ----------------------------------------------------------------------


def test_the_overview_says_how_the_collection_stands(
    researcher: FlaskClient, store: Store, study: Study
) -> None:
    take_part(store, study, MODE, "done", fails=True)
    take_part(store, study, MODE, "busy", trials=1)
    page = researcher.get("/dashboard/")
    said = text_of(page)
    for words in (
        "Pilot data now serving",
        "Done 1 of 6",
        "Places taken 2 of 6 , 4 free",
        "Answers 5",
        "Consented 2 under way 1",
        "1 failed of 1 answered; 1 rater failed more than the plan",
        "Recruitment is open",
        "GBP an hour",
        "S001 1 0 0 4 of 4",
        "S002 0 1 0 1 of 4",
        "S003 0 0 1 0 of 4",
        study.plan_hash,
    ):
        assert words in said, words
    assert page.text.count("<svg") == 1
    assert 'role="alert"' not in page.text
    assert "done, " not in said, "no other kind of data is shown where there is none"
    assert "style=" not in page.text, "the policy forbids it"
    assert page.headers["Cache-Control"] == "no-store"


def test_raters_are_listed_without_their_answers(
    researcher: FlaskClient, store: Store, study: Study
) -> None:
    take_part(store, study, MODE, "steady")
    take_part(store, study, MODE, "careless", fails=True)
    overview = researcher.get("/dashboard/")
    assert "careless : failed 1 of 1 attention checks" in text_of(overview)
    assert "1 of 2 raters." in text_of(overview)
    assert "The words of the raters' pages are English ( en )." in text_of(overview)
    listed = researcher.get("/dashboard/raters")
    assert listed.text.index("careless") < listed.text.index("steady"), "the striking come first"
    assert "failed 1 of 1 attention checks done 4 of 4" in text_of(listed)
    by_name = researcher.get("/dashboard/raters?sort=rater").text
    assert re.search(r'aria-sort="ascending"><a[^>]*>Rater<', by_name)
    assert "There are no raters yet." in researcher.get("/dashboard/raters?mode=live").text
    for wrong in ("sort=secret", "mode=any"):
        assert researcher.get(f"/dashboard/raters?{wrong}").status_code == 404
    pages = overview.text + listed.text + by_name
    for item in study.items.values():
        assert item.item_id not in pages
        assert item.text[:20] not in pages
    assert "connect-src 'self'" in listed.headers["Content-Security-Policy"]
    assert "default-src 'none'" in listed.headers["Content-Security-Policy"]


def test_kinds_of_data_are_kept_apart(researcher: FlaskClient, store: Store, study: Study) -> None:
    store.open_slots(study.plan_hash, "bot", list(study.sequences))
    for number in range(3):
        take_part(store, study, "bot", f"bot-{number}")
    said = text_of(researcher.get("/dashboard/"))
    assert "Pilot data now serving Done 0 of 6" in said
    assert "Simulated raters (bot data): 3 of 6 done, 12 answers" in said


def test_a_pause_is_loud_and_ends(researcher: FlaskClient, store: Store, study: Study) -> None:
    assert send(researcher, "/dashboard/pause").location == "/dashboard/"
    page = researcher.get("/dashboard/").text
    assert "Recruitment is PAUSED" in page
    assert "Resume recruitment" in page
    assert is_paused(store, study, MODE)
    send(researcher, "/dashboard/resume")
    assert "Recruitment is open" in researcher.get("/dashboard/").text
    assert not is_paused(store, study, MODE)


def test_a_place_given_out_twice_sounds_the_alarm(
    researcher: FlaskClient, store: Store, study: Study
) -> None:
    for rater in ("one", "two"):
        take_part(store, study, MODE, rater)
    store.write(lambda c: c.exec_driver_sql("DROP INDEX visits_one_holder"))
    store.write(lambda c: c.exec_driver_sql("UPDATE visits SET sequence_id = 'S001'"))
    page = researcher.get("/dashboard/")
    assert 'role="alert"' in page.text
    assert "This must never happen" in page.text
    assert "1 place was given to more than one rater: S001 place 1." in text_of(page)
    assert "1 visit does not hold the place it says it has." in text_of(page)


def test_an_upload_frees_places(researcher: FlaskClient, store: Store, study: Study) -> None:
    take_part(store, study, MODE, "gone", trials=1)
    take_part(store, study, MODE, "done")
    export = b"Participant id,Status\ngone,RETURNED\ndone,TIMED-OUT\nx,APPROVED\n"
    answer = send(researcher, "/dashboard/release", export=(io.BytesIO(export), "prolific.csv"))
    assert answer.status_code == 200
    said = text_of(answer)
    assert "1 place is free again." in said
    assert "finished here, whatever the platform says, and were not changed: done." in said
    place = find_rater(store, study, MODE, "gone")
    assert place is not None
    assert place.status == "returned"


def test_an_upload_may_be_larger_than_an_answer(
    researcher: FlaskClient, stranger: FlaskClient
) -> None:
    rows = "".join(f"rater-{n},APPROVED,{'x' * 100}\n" for n in range(2000))
    export = f"rater_id,status,note\n{rows}".encode()
    assert len(export) > 200_000
    answer = send(researcher, "/dashboard/release", export=(io.BytesIO(export), "large.csv"))
    assert "2000 had neither returned nor timed out" in text_of(answer)
    for client, size in ((researcher, 5_100_000), (stranger, 70_000)):
        kind = "multipart/form-data; boundary=x"
        huge = client.post("/dashboard/release", data=b"x" * size, content_type=kind)
        assert huge.status_code == 413


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("export.csv", b"a,b\n1,2\n", "export.csv: there is no column 'rater_id'"),
        ("../../evil.csv", b"", "evil.csv: is empty"),
        ("<b>.csv", b"rater_id,status\n,RETURNED\n", "row 2, column rater_id: is empty"),
        ("x.csv", b"rater_id,status\n<script>,\n", "row 2, column status: is empty"),
        ("e.parquet", b"no", "e.parquet: is not a Parquet file"),
        ("", b"", "Choose the file"),
    ],
)
def test_a_wrong_upload_is_explained(
    researcher: FlaskClient, name: str, content: bytes, complaint: str
) -> None:
    answer = send(researcher, "/dashboard/release", export=(io.BytesIO(content), name))
    assert answer.status_code == 400
    assert complaint in text_of(answer)
    assert "/tmp" not in answer.text
    assert "<script>" not in answer.text
    assert "<b>.csv" not in answer.text


def test_downloads_hold_the_tables(
    researcher: FlaskClient, store: Store, study: Study, tmp_path: Path
) -> None:
    take_part(store, study, MODE, "somebody")
    page = researcher.get("/dashboard/").text
    links = [unescape(link) for link in re.findall(r'href="(/dashboard/[^"]+)"', page)]
    files = [link for link in links if "tables" in link or "CODEBOOK" in link]
    assert len(files) == 2 + 1 + 6 * 2
    for link in files:
        with researcher.get(link) as answer:
            assert answer.status_code == 200, link
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Content-Disposition"].startswith("attachment")
            if link.startswith("/dashboard/tables/judgments"):
                path = tmp_path / Path(link).name
                path.write_bytes(answer.data)
                assert {row["rater_id"] for row in read_table(path).rows} == {"somebody"}
    with researcher.get("/dashboard/tables.zip") as answer:
        packed = zipfile.ZipFile(io.BytesIO(answer.data))
    assert "judgments.csv" in packed.namelist()
    for wrong in ("tables.zip?format=exe", "tables/settings.csv", "tables/items.exe"):
        assert researcher.get(f"/dashboard/{wrong}").status_code == 404


def test_the_report_is_shown_with_its_own_policy(researcher: FlaskClient, study: Study) -> None:
    assert researcher.get("/dashboard/report").status_code == 404
    (study.folder / "results").mkdir()
    (study.folder / "results" / "report.html").write_text("<p>The report</p>")
    assert "Open the report" in researcher.get("/dashboard/").text
    answer = researcher.get("/dashboard/report")
    assert answer.text == "<p>The report</p>"
    assert "style-src 'unsafe-inline'" in answer.headers["Content-Security-Policy"]


# ---- Over real HTTP -----------------------------------------------------------------------------


def test_a_researcher_runs_a_study(study: Study, serve: Serve) -> None:
    server = serve(study.folder, "--mode", MODE)
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as desk:

        def press(path: str, **files: tuple[str, bytes]) -> httpx.Response:
            page = desk.get("/dashboard/").text
            found = re.search(r'name="csrf_token" value="([^"]+)"', page)
            assert found is not None
            fields = {"csrf_token": found[1], "password": DASHBOARD_PASSWORD}
            return desk.post(path, data=fields, files=files)

        assert press("/dashboard/sign-in").url.path == "/dashboard/"
        for rater in ("first", "second"):
            with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as visitor:
                consent(visitor, rater)
        assert "2 of 6" in desk.get("/dashboard/").text
        assert "Recruitment is PAUSED" in press("/dashboard/pause").text
        assert (
            'id="study-paused"' in httpx.get(server.url, params={"rater": "third"}, timeout=60).text
        )
        rows = b"first,RETURNED\n" + b"somebody,APPROVED\n" * 20_000
        gone = press("/dashboard/release", export=("p.csv", b"rater_id,status\n" + rows))
        assert "1 place is free again." in gone.text
        assert "Recruitment is open" in press("/dashboard/resume").text
        packed = zipfile.ZipFile(io.BytesIO(desk.get("/dashboard/tables.zip").content))
        people = packed.read("participants.csv").decode()
        assert len(people.splitlines()) == 3
        assert ",returned," in people


def consent(visitor: httpx.Client, rater: str) -> None:
    page = visitor.get("/", params={"rater": rater})
    action = re.search(r'<form[^>]* action="([^"]*consent[^"]*)"', page.text)
    assert action is not None
    names = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    fields = {name: unescape(value) for name, value in names}
    assert visitor.post(unescape(action[1]), data=fields).status_code == 200


@pytest.mark.parametrize(("practice", "said"), [(1, "1 practice trial"), (2, "2 practice trials")])
def test_one_practice_trial_is_not_spoken_of_as_several(
    tmp_path: Path, store: Store, practice: int, said: str
) -> None:
    folder = tmp_path / "practised"
    study_of_kind(folder, "pairwise", trials=2)
    with edited_plan(folder) as plan:
        plan["practice"] = practice
    accounts.set_password(store, PASSWORD)
    client = create_app(open_study(folder), store, mode=MODE).test_client()
    send(client, "/dashboard/sign-in", password=PASSWORD)
    assert f"{said} before the first trial" in client.get("/dashboard/").text
