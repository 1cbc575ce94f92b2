"""If this failed, whoever guesses an id could delete a visit, or collect its completion code."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from prereg.plan.collection import Recruitment
from study.bots import Page
from study.opening import lock_study, open_study
from study.serving.command import Serving, hints
from study.store.database import Store
from study.store.tables import Visit
from study.visits.links import is_signed, read_rater_ids, refusal, signature, signed_links
from study.web.app import create_app
from study.web.context import reception
from study.web.limits import Limits
from tests.conftest import make_study
from tests.support.plans import edited_plan

Ratify = Callable[..., subprocess.CompletedProcess[str]]
CODE, PRIVATE = "HEARD-10", "/withdraw/"


class Browser:
    """A browser without JavaScript, without a server of its own."""

    def __init__(self, app: Any) -> None:
        self.client = app.test_client()

    def get(self, path: str) -> Any:
        return self.client.get(path, follow_redirects=True)

    def send(self, answer: Any, **fields: str) -> Any:
        page = Page()
        page.feed(answer.text)
        data = {**page.fields, **fields}
        return self.client.post(page.action, data=data, follow_redirects=True)

    def begin(self, link: str) -> Any:
        return self.send(self.get(link))

    def answer(self, trials: int) -> Any:
        for _ in range(trials):
            answered = self.send(self.get("/trial"), choice="left")
        return answered


@contextmanager
def served(folder: Path, mode: str = "live", **recruitment: Any) -> Iterator[Any]:
    with edited_plan(folder) as plan:
        plan["recruitment"] |= recruitment
    lock_study(folder)
    study = open_study(folder)
    store = Store(f"sqlite:///{folder / 'study.sqlite3'}")
    yield create_app(study, store, mode=mode)
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", raters=8, trials=3)


def test_an_id_alone_opens_neither_the_code_nor_the_deletion(folder: Path) -> None:
    with served(folder) as app:
        own = Browser(app)
        told = own.begin("/?rater=7")
        assert PRIVATE in told.text
        link = re.search(r"/withdraw/[\w-]+", told.text)
        assert link is not None
        assert CODE in own.answer(3).text
        stranger = Browser(app)
        for path in ("/?rater=7", "/done", "/declined", "/instructions", "/trial", "/over"):
            seen = stranger.get(path)
            assert "You have finished" in seen.text, path
            assert CODE not in seen.text
            assert PRIVATE not in seen.text
        assert CODE in own.get("/?rater=7").text, "its own browser is given the code again"
        helped = Browser(app)
        assert "Withdraw and delete" in helped.get(link[0]).text
        assert CODE in helped.get("/done").text, "and so is the holder of the private link"


@pytest.mark.parametrize("name", ["YOUR-ID", "THEIR-ID"])
def test_a_printed_link_that_was_copied_as_it_is_takes_no_live_place(
    folder: Path, name: str
) -> None:
    for mode, status in (("live", 400), ("pilot", 200)):
        with served(folder, mode) as app:
            assert Browser(app).get(f"/?rater={name}").status_code == status


def test_an_id_alone_continues_a_visit_but_does_not_end_it(folder: Path) -> None:
    with served(folder) as app:
        first, phone = Browser(app), Browser(app)
        first.begin("/?rater=7")
        first.answer(1)
        seen = phone.get("/?rater=7")
        assert "Pair 2 of 3" in seen.text
        for path in ("/trial", "/instructions", "/declined"):
            assert PRIVATE not in phone.get(path).text, path
        done = phone.answer(2)
        assert CODE in done.text, "whoever gives the last answer is given the code"
        assert PRIVATE not in done.text
        assert PRIVATE in first.get("/done").text


def test_a_consent_page_opened_before_its_rater_came_owns_nothing(folder: Path) -> None:
    with served(folder) as app:
        lurker, rater = Browser(app), Browser(app)
        waiting = lurker.get("/?rater=7")
        rater.begin("/?rater=7")
        assert PRIVATE not in lurker.send(waiting).text
        # the same browser, whose consent is sent twice, keeps what it owns
        twice = Browser(app)
        page = twice.get("/?rater=8")
        assert PRIVATE in twice.send(page).text
        assert PRIVATE in twice.send(page).text


def test_a_signed_link_is_asked_for_and_proves_who_comes(folder: Path) -> None:
    with served(folder, links="signed") as app:
        key = reception(app).room().links_key
        link = f"/?rater=7&sig={signature(key, '7')}"
        other = signature(key, "8")
        for wrong in (
            "/?rater=7",
            "/?rater=7&sig=",
            f"/?rater=7&sig={other}",
            "/?sig=" + other,
            "/",
        ):
            refused = Browser(app).get(wrong)
            assert (refused.status_code, "not complete" in refused.text) == (400, True), wrong
        own = Browser(app)
        assert PRIVATE in own.begin(link).text
        assert CODE in own.answer(3).text
        assert "Pair" not in own.get("/?rater=7").text
        assert CODE in own.get("/?rater=7").text, "its own browser needs no signature"
        assert CODE in Browser(app).get(link).text, "the link proves it in any browser"
        assert Browser(app).get("/?rater=7").status_code == 400


def test_a_number_of_prolifics_is_as_good_as_a_secret(folder: Path) -> None:
    person = "5f3c9a7e1b2d4c6a8e0f1234"
    codes = {"completed": CODE}
    with served(folder, platform="prolific", codes=codes) as app:
        own = Browser(app)
        own.begin(f"/?PROLIFIC_PID={person}")
        own.answer(3)
        assert CODE in Browser(app).get(f"/?PROLIFIC_PID={person}").text
        own.begin("/?PROLIFIC_PID=guess")
        own.answer(3)
        assert CODE not in Browser(app).get("/?PROLIFIC_PID=guess").text


def test_a_signature_belongs_to_one_id_and_one_key() -> None:
    one = signature(b"key", "p1")
    assert is_signed(b"key", "p1", one)
    assert len(one) == 22
    for key, name, given in (
        (b"key", "p2", one),
        (b"other", "p1", one),
        (b"key", "p1", one[:-1]),
        (b"key", "p1", ""),
        (b"key", "p1", "\udce9é"),
    ):
        assert not is_signed(key, name, given)


def test_ids_that_a_spreadsheet_would_run_are_refused(folder: Path) -> None:
    for wrong in ("=1+1", "+49", "-x", "@sum"):
        assert refusal(wrong) is not None
    with served(folder) as app:
        for wrong in ("%3D1", "%2B49", "-x", "@sum"):
            refused = Browser(app).get(f"/?rater={wrong}")
            assert (refused.status_code, "not complete" in refused.text) == (400, True)
        assert Browser(app).get("/?rater=a%2Bb@x.org").status_code == 200


def test_links_are_made_once_and_stay_the_same(
    folder: Path, tmp_path: Path, ratify: Ratify
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("Rater ID,name\nann,x\n b.b ,y\n")
    host = ("--host", "https://study.example.org/")
    done = ratify("links", folder, table, *host)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["rater_id"] for row in rows] == ["ann", "b.b"]
    assert rows[0]["link"].startswith("https://study.example.org/?rater=ann&sig=")
    assert ratify("links", folder, table, *host).stdout == done.stdout
    assert (folder / ".ratify-links").stat().st_mode & 0o077 == 0
    assert "a table of raters or --count" in ratify("links", folder, *host).stderr
    out = tmp_path / "links.csv"
    done = ratify("links", folder, "--count", 3, "--first", 9, *host, "--out", out)
    assert re.findall(r"^p\d+", out.read_text(), re.M) == ["p0009", "p0010", "p0011"]
    assert out.stat().st_mode & 0o077 == 0
    with edited_plan(folder) as plan:
        plan["recruitment"]["links"] = "signed"
    lock_study(folder)
    store = Store(f"sqlite:///{folder / 'study.sqlite3'}")
    app = create_app(open_study(folder), store, mode="live")
    link = rows[1]["link"].removeprefix("https://study.example.org")
    assert Browser(app).get(link).status_code == 200
    store.close()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("rater_id\na\na\n", r"row 3, column rater_id: is also the id in row 2"),
        ("rater_id\n=a\n", r"row 2.*a spreadsheet would take"),
        ("rater_id\na b\n", r"row 2.*is not an id"),
        ("name\na\n", "no column 'rater_id'"),
    ],
)
def test_wrong_raters_are_named(tmp_path: Path, table: str, says: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(table)
    with pytest.raises(RatifyError, match=says):
        read_rater_ids(path)


@pytest.mark.parametrize("address", ["example.org", "ftp://x.org", "https://x.org/?a=1", "https:"])
def test_an_address_that_begins_no_link_is_named(address: str) -> None:
    with pytest.raises(RatifyError, match="--host: is not the address"):
        list(signed_links(b"key", address, ["a"]))


@pytest.mark.parametrize(
    "keys",
    [
        {"platform": "prolific", "links": "signed"},
        {"platform": "prolific", "without_id": True},
        {"links": "signed", "without_id": True},
    ],
)
def test_a_plan_has_one_way_in(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"links|without_id"):
        Recruitment(codes={"completed": "X"}, **keys)


def test_a_live_study_takes_nobody_without_an_id_unless_it_says_so(tmp_path: Path) -> None:
    for name, more, status in (("one", {}, 400), ("two", {"without_id": True}, 200)):
        folder = make_study(tmp_path / name, raters=2, trials=2)
        with served(folder, **more) as app:
            seen = Browser(app).get("/")
            assert seen.status_code == status
            assert ("not complete" in seen.text) == (status == 400)


def test_a_study_that_an_earlier_version_locked_goes_on_as_it_began(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=2, trials=2)
    lock_study(folder)
    path = folder / "plan.lock.json"
    path.write_text(path.read_text().replace('"ids_required": true', '"format": 1'))
    with served(folder) as app:
        assert Browser(app).get("/").status_code == 200
        said = hints(open_study(folder), Serving("live", "127.0.0.1", 0))
        assert "locked by Ratify 0.4.0 or before" in said[0]


def test_one_address_does_not_take_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make_study(tmp_path / "open", raters=40, trials=2)) as app:
        said = [Browser(app).begin(f"/?rater=r{n}") for n in range(25)]
        codes = [answer.status_code for answer in said]
        assert codes[:10] == [200] * 10
        assert codes.count(200) <= 20, "the hour may end in between"
        assert codes[-1] == 429
        assert int(said[-1].headers["Retry-After"]) > 60
    with served(make_study(tmp_path / "signed", raters=40, trials=2), links="signed") as app:
        key = reception(app).room().links_key
        links = [f"/?rater=r{n}&sig={signature(key, f'r{n}')}" for n in range(25)]
        assert {Browser(app).begin(link).status_code for link in links} == {200}
    monkeypatch.setenv("RATIFY_CONSENTS_PER_HOUR", "none")
    with pytest.raises(RatifyError, match="RATIFY_CONSENTS_PER_HOUR"):
        Limits(places=2)


def test_a_place_without_an_answer_comes_back_soon(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=2, trials=2)
    with edited_plan(folder) as plan:
        plan["design"]["first_lease_minutes"] = 0.001
    with served(folder, "pilot") as app:
        answered, silent, late = Browser(app), Browser(app), Browser(app)
        answered.begin("/?rater=a")
        answered.answer(1)
        silent.begin("/?rater=b")
        time.sleep(0.1)
        assert PRIVATE in late.begin("/?rater=c").text
        assert 'id="place-lost"' in silent.get("/?rater=b").text
        assert "Pair 2 of 2" in answered.get("/?rater=a").text


def test_who_comes_back_without_an_id_is_asked_who_they_are(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=4, trials=2)
    with served(folder, without_id=True) as app:
        shared = Browser(app)
        shared.begin("/")
        shared.answer(1)
        asked = shared.get("/")
        assert 'id="welcome-back"' in asked.text
        assert PRIVATE not in asked.text
        assert "Pair 2 of 2" in shared.get("/trial").text, "a page that is open stays open"
        anew = shared.send(asked)
        assert "Taking part" in anew.text
        shared.send(anew)
        assert "Pair 1 of 2" in shared.get("/trial").text
        store = reception(app).room().store
        with store.reading() as connection:
            assert sorted(connection.scalars(select(Visit.answered))) == [0, 1]


def test_a_link_that_was_only_opened_lends_its_id_to_nobody(folder: Path) -> None:
    with served(folder) as app:
        shared = Browser(app)
        shared.get("/?rater=7")
        assert shared.get("/").status_code == 400, "the next person has no id"
