"""If this failed, a rater would meet a wrong page, or be let past a page they have not answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from prereg.errors import RatifyError
from study.bots import Page
from study.opening import open_study
from study.store.database import Store
from study.web.app import create_app
from tests.conftest import Serve, Server, make_study


@pytest.fixture
def server(tmp_path: Path, serve: Serve) -> Server:
    return serve(make_study(tmp_path / "study", raters=2, trials=3), "--mode", "pilot")


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as opened:
        yield opened


def read(response: httpx.Response) -> Page:
    page = Page()
    page.feed(response.text)
    return page


def consent(client: httpx.Client, rater: str) -> httpx.Response:
    page = read(client.get("/", params={"rater": rater}))
    return client.post(page.action, data=page.fields)


def choose(client: httpx.Client, page: Page, **fields: str) -> httpx.Response:
    return client.post(page.action, data={**page.fields, **fields})


def test_a_whole_visit(client: httpx.Client) -> None:
    answer = consent(client, "r1")
    assert answer.url.path == "/instructions"
    assert "How it works" in answer.text
    for number in (1, 2, 3):
        trial = client.get("/trial")
        page = read(trial)
        assert page.title == f"Pair {number} of 3"
        assert page.fields["position"] == str(number)
        assert client.get("/done").url.path == "/trial"
        answer = choose(client, page, choice="left")
    assert answer.url.path == "/done"
    assert "HEARD-10" in answer.text
    assert client.get("/", params={"rater": "r1"}).url.path == "/done"


def test_a_field_whose_name_cannot_be_read_is_no_fault_of_the_servers(client: httpx.Client) -> None:
    """Such a field has no name at all once it is parsed, and a search for the token met it."""
    body = b'--x\r\nContent-Disposition: form-data; name="csrf_tok\nen"\r\n\r\n1\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/consent", content=body, headers=kind).status_code == 400


def test_another_browser_goes_on_where_the_first_was(server: Server, client: httpx.Client) -> None:
    consent(client, "r1")
    first = read(client.get("/trial"))
    choose(client, first, choice="right")
    second = read(client.get("/trial"))
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as other:
        there = read(other.get("/", params={"PROLIFIC_PID": "r1", "STUDY_ID": "s"}))
    assert there.title == "Pair 2 of 3"
    assert there.conversations == second.conversations


def test_a_form_sent_twice_changes_nothing(client: httpx.Client) -> None:
    consent(client, "r1")
    first = read(client.get("/trial"))
    for _ in range(3):
        assert read(choose(client, first, choice="left")).title == "Pair 2 of 3"


def test_an_old_tab_of_another_rater_answers_nothing_and_is_told_so(client: httpx.Client) -> None:
    consent(client, "r1")
    old_tab = read(client.get("/trial"))
    consent(client, "r2")
    told = choose(client, old_tab, choice="left")
    assert (told.status_code, "was not saved" in told.text) == (409, True)
    assert read(client.get("/trial")).title == "Pair 1 of 3"
    assert read(client.get("/", params={"rater": "r1"})).title == "Pair 1 of 3"


def test_leaving_after_consent_offers_to_delete(client: httpx.Client) -> None:
    consent(client, "r1")
    answer = client.get("/declined")
    assert answer.url.path.startswith("/withdraw/")
    assert "nothing about you has been stored" not in answer.text


@pytest.mark.parametrize(
    "host", ["a..b", ".", "x" * 64, "<script>", "a b", "[::1", "[::::]", "a:99999"]
)
def test_a_host_that_is_none_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/nowhere", "/static/style.css"):
        answer = httpx.get(f"{server.url}{path}", headers={"Host": host}, timeout=60)
        assert answer.status_code == 400
    assert (
        httpx.get(server.url, headers={"Host": "study.example.org:443"}, timeout=60).status_code
        == 200
    )


def test_forms_work_behind_tls(tmp_path: Path) -> None:
    study = open_study(make_study(tmp_path / "study", raters=2))
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    client = create_app(study, store, mode="pilot").test_client()
    page = Page()
    page.feed(client.get("/?rater=r1", base_url="https://study.example.org").text)
    answer = client.post(page.action, data=page.fields, base_url="https://study.example.org")
    assert answer.location == "/instructions"
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    plain = client.get("/?rater=r2", base_url="http://study.example.org")
    assert "Secure" not in plain.headers["Set-Cookie"]
    store.close()


def test_a_proxy_is_believed_only_where_there_is_one(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_study(tmp_path / "study", raters=2)
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "study.example.org"}
    for proxies, secure in (("0", False), ("1", True)):
        monkeypatch.setenv("RATIFY_PROXIES", proxies)
        server = serve(folder, "--mode", "pilot")
        answer = httpx.get(f"{server.url}/?rater=r", headers=said, timeout=60)
        assert ("Secure" in answer.headers["set-cookie"]) == secure
        server.process.terminate()


def test_no_address_redirects_to_another_host(server: Server) -> None:
    for path in ("/dashboard//sign-in", "/withdraw//x", "/static//style.css", "//evil.example/"):
        answer = httpx.get(f"{server.url}{path}", headers={"Host": "evil.example"}, timeout=60)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_the_health_page_says_whether_the_store_answers(server: Server) -> None:
    answer = httpx.get(f"{server.url}/health", timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_arrivals_of_one_address_are_limited(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATIFY_ARRIVALS_PER_MINUTE", "5")
    server = serve(make_study(tmp_path / "study", raters=2), "--mode", "pilot")
    codes = [httpx.get(f"{server.url}/?rater=r{n}", timeout=60).status_code for n in range(12)]
    # a minute may end in between: a window of five, then perhaps another
    assert codes[:5] == [200] * 5
    assert codes.count(429) >= 2
    assert set(codes) == {200, 429}


def test_no_choice_is_asked_for_again(client: httpx.Client) -> None:
    consent(client, "r1")
    page = read(client.get("/trial"))
    for wrong in ({}, {"choice": ""}, {"choice": "both"}):
        answer = choose(client, page, **wrong)
        assert answer.status_code == 422
        assert "Please choose one of the two" in answer.text
        assert read(answer).title == "Pair 1 of 3"


def test_when_all_is_taken_no_code_is_given(client: httpx.Client, server: Server) -> None:
    for rater in ("r1", "r2"):
        consent(client, rater)
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as late:
        page = late.get("/", params={"rater": "r3"})
        assert "study-full" in read(page).ids
        assert "HEARD-10" not in page.text
        assert late.get("/trial").url.path == "/"
        assert late.get("/done").url.path == "/"


def test_whoever_saw_the_consent_page_before_it_filled_is_told(
    client: httpx.Client, server: Server
) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as slow:
        page = read(slow.get("/", params={"rater": "slow"}))
        for rater in ("r1", "r2"):
            consent(client, rater)
        assert "study-full" in read(slow.post(page.action, data=page.fields)).ids


def visits(tmp_path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(tmp_path / "study" / "study.sqlite3") as store:
        found = store.execute("SELECT rater_id, status FROM visits").fetchall()
    store.close()
    return found


def test_declining_leaves_nothing(client: httpx.Client, tmp_path: Path) -> None:
    client.get("/", params={"rater": "shy"})
    assert "chose not to take part" in client.get("/declined").text
    assert visits(tmp_path) == []


@pytest.mark.parametrize("rater", ["", " ", "a b", "x" * 129, "<script>", "a\nb", "é'--"])
def test_an_id_that_cannot_be_one_is_refused(client: httpx.Client, rater: str) -> None:
    answer = client.get("/", params={"rater": rater})
    assert "This link is not complete" in answer.text
    assert "<script>" not in answer.text


def test_a_post_without_our_token_is_refused(client: httpx.Client) -> None:
    client.get("/", params={"rater": "r1"})
    answer = client.post("/consent")
    assert answer.status_code == 400
    assert "Please open your link again" in answer.text
    consent(client, "r1")
    page = read(client.get("/trial"))
    page.fields["csrf_token"] = "forged"
    assert choose(client, page, choice="left").status_code == 400
    assert read(client.get("/trial")).title == "Pair 1 of 3"


def test_pages_carry_their_safety_headers(client: httpx.Client) -> None:
    for path in ("/?rater=r", "/nowhere", "/static/style.css", "/dashboard/sign-in"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    cookie = client.get("/", params={"rater": "r"}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_wrong_addresses_end_in_a_page_of_ours(client: httpx.Client) -> None:
    missing = client.get("/nowhere")
    assert missing.status_code == 404
    assert "<h1>There is no such page</h1>" in missing.text
    assert client.put("/trial").status_code == 405
    too_much = client.post("/trial", data={"choice": "x" * 100_000})
    assert too_much.status_code == 413
    assert "<h1>That was too much</h1>" in too_much.text


def test_text_is_always_shown_as_text(tmp_path: Path, serve: Serve) -> None:
    folder = make_study(tmp_path / "hostile", raters=2, trials=2)
    path = folder / "items.csv"
    evil = "<script>alert(1)</script> <b>bold</b> {{ 7 * 7 }} & <!-- --> </section>"
    path.write_text(path.read_text().replace("I hear you.", evil))
    (folder / "consent.md").write_text("# Hello\n\n`<script>alert(2)` [x](javascript:1)\n")
    server = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        page = client.get("/", params={"rater": "r"})
        assert "<script>alert(2)" not in page.text
        assert 'href="javascript' not in page.text
        consent(client, "r")
        trial = client.get("/trial")
        assert "<script>alert" not in trial.text
        assert "<b>bold" not in trial.text
        shown = read(trial).conversations
        assert evil in "".join(shown.values())


def test_no_source_label_or_score_reaches_the_browser(client: httpx.Client, server: Server) -> None:
    consent(client, "r1")
    page = client.get("/trial").text
    for secret in ("job-1", "home-1", "planted_quality", "S001", "S002"):
        assert secret not in page


def test_live_mode_is_refused_without_a_lock(tmp_path: Path) -> None:
    study = open_study(make_study(tmp_path / "study", raters=2))
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    with pytest.raises(RatifyError, match=r"needs a locked plan.*ratify lock"):
        create_app(study, store, mode="live")
    store.close()


def test_answers_survive_a_server_that_is_killed(tmp_path: Path, serve: Serve) -> None:
    folder = make_study(tmp_path / "study", raters=2, trials=3)
    first = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=first.url, follow_redirects=True, timeout=60) as client:
        consent(client, "r1")
        choose(client, read(client.get("/trial")), choice="left")
        first.process.kill()
        first.process.wait()
        cookies = dict(client.cookies)
    second = serve(folder, "--mode", "pilot")
    with httpx.Client(
        base_url=second.url, cookies=cookies, follow_redirects=True, timeout=60
    ) as client:
        assert read(client.get("/trial")).title == "Pair 2 of 3"
