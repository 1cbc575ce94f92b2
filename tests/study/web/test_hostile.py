"""If this failed, a stranger could break the server, write for others, or read what is theirs."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlencode

import pytest
from flask import url_for
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import select

from study.opening import open_study
from study.store.database import STORE_FILE, Store
from study.store.tables import BestWorst, Judgment, Login, Setting, Visit
from study.web.app import SECRET_FILE, create_app
from tests.conftest import DASHBOARD_PASSWORD, Serve
from tests.support.hostile import (
    HOSTS,
    MARK,
    NASTY,
    STRANGE_IDS,
    Crew,
    World,
    as_others,
    damaged,
    forged,
    live_script,
    requests,
)
from tests.support.served import (
    ARRIVALS,
    COMPREHENSION,
    KINDS,
    Site,
    Start,
    begin_trials,
    everything_adds_up,
    sessions_of,
    starting,
)
from tests.support.wire import FORM, Person, Reply, Request, Wire

# So many to one process for each kind of study, and so many to several processes.
TO_ONE, TO_SEVERAL = 1_500, 1_000


@pytest.fixture
def start(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv(ARRIVALS, "1000000")
    with starting(tmp_path, serve) as begin:
        yield begin


def honest_raters(site: Site) -> list[Person]:
    """Send raters who stop after one answer, after two, at the question, and at the end."""
    people = [site.person(f"honest-{secrets.token_hex(8)}") for _ in range(4)]
    for answers, person in enumerate(people, start=1):
        begin_trials(person)
        for _ in range(answers):
            person.post(**KINDS[site.kind])
    people.append(site.person(f"honest-{secrets.token_hex(8)}"))
    people[-1].consent()
    return people


def attackers_of(site: Site) -> list[Person]:
    """Send people who consent, and some who only arrive."""
    names = [*STRANGE_IDS, *(f"mallory-{n}" for n in range(22))]
    people = [site.person(name) for name in names]
    for number, person in enumerate(people):
        if number % 5 == 4:
            person.arrive()
        else:
            begin_trials(person)
    return people


def world_of(site: Site, attackers: list[Person], honest: list[Person]) -> World:
    """Return what attackers know: everything of theirs, and other people's tokens and visits."""
    sessions = sorted(sessions_of(site, honest))
    first = attackers[0].cookie
    claims: list[dict[str, object]] = [
        {"session_id": sessions[0], "rater_id": honest[0].name, "csrf_token": "a"},
        {"researcher": "a", "csrf_token": "a", "session_id": ["a"], "platform": 7},
    ]
    mine = [
        (p.cookie, p.fields["csrf_token"].encode(), p.fields.get("visit", "").encode())
        for p in attackers
    ]
    return World(
        url=site.url,
        names=tuple(KINDS[site.kind]),
        cookies=(
            *(c for c, _, _ in mine),
            *damaged(honest[0].cookie),
            *damaged(first),
            *forged(first, claims),
        ),
        tokens=(
            b"",
            b"a",
            *(t for _, t, _ in mine),
            *(p.fields["csrf_token"].encode() for p in honest if "csrf_token" in p.fields),
        ),
        visits=(b"", *(v for _, _, v in mine if v), *(name.encode() for name in sessions)),
        honest=tuple(name.encode() for name in sessions),
        mine=tuple(mine),
        secrets=secrets_of(site, honest, sessions),
    )


def secrets_of(site: Site, honest: list[Person], sessions: list[str]) -> tuple[bytes, ...]:
    """Return what no answer may hold: honest raters and their links, the server's own keys."""
    with site.engine.connect() as connection:
        found = connection.execute(select(Visit.session_id, Visit.withdrawal_key))
        keys = [key for session, key in found if session in sessions]
    server = (site.folder / SECRET_FILE).read_text(encoding="utf-8").strip()
    words = (*(p.name for p in honest), *sessions, *keys, server, DASHBOARD_PASSWORD)
    return tuple(word.encode() for word in words)


def attack(site: Site, count: int) -> Crew:
    """Send so many hostile requests while honest raters are in the middle of the study."""
    honest = honest_raters(site)
    crew = Crew(world_of(site, attackers_of(site), honest))
    theirs = sessions_of(site, honest)
    before, settled = site.rows(theirs), site.rows()

    def throw(request: Request) -> None:
        if len(crew.found) < 20:
            for one in (request, *as_others(crew.world, request, crew.sent)):
                crew.throw(one)

    for batch in range(10):  # not all requests of a batch are different
        if crew.sent < count:
            several = settings(
                max_examples=max((count - crew.sent) // 3, 50),
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            seed(batch)(several(given(requests(crew.world))(throw)))()
    crew.finish()
    assert not crew.found, "\n\n".join(crew.found)
    assert crew.sent >= count
    assert site.rows(theirs) == before, "an honest rater's rows are not what they were"
    after = site.rows()
    for table in (Login, Setting):
        assert after[table.__tablename__] == settled[table.__tablename__]
    everything_adds_up(site)
    everybody_goes_on(site, honest)
    return crew


def everybody_goes_on(site: Site, honest: list[Person]) -> None:
    """The server lives: honest raters finish, and somebody new may come."""
    for person in honest:
        person.arrive()
        if person.action == b"/comprehension":
            person.post(option=2)
        for _ in range(4):
            if 'id="completion-code"' in person.page.text:
                break
            person.post(**KINDS[site.kind])
        assert 'id="completion-code"' in person.page.text, person.page.text
    assert site.person("a-newcomer").arrive().status == 200
    assert Person(site.url, "").get("/health").status == 200
    assert not [line for line in site.said if "Traceback" in line], "".join(site.said)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_hostile_requests(start: Start, kind: str) -> None:
    site = start(kind, comprehension=COMPREHENSION)
    crew = attack(site, TO_ONE)
    assert {200, 303, 400, 404, 405, 413, 422} <= set(crew.statuses), crew.statuses
    nothing_lives_on_the_dashboard(site)


@pytest.mark.slow
def test_a_thousand_to_several_workers(start: Start, postgres_url: str) -> None:
    site = start("best_worst", "--workers", "2", database=postgres_url, comprehension=COMPREHENSION)
    attack(site, TO_SEVERAL)
    nothing_lives_on_the_dashboard(site)


def researcher(site: Site) -> Person:
    """Sign in."""
    person = site.person("researcher")
    person.get("/dashboard/sign-in")
    assert person.post(password=DASHBOARD_PASSWORD).status == 200
    assert person.action.startswith(b"/dashboard/")
    return person


def nothing_lives_on_the_dashboard(site: Site) -> None:
    """What hostile raters wrote is text to the researcher's browser, and whole in every table."""
    person = researcher(site)
    assert not live_script(person.get("/dashboard/"))
    answers = {"pairwise": "judgments", "rating": "ratings", "best_worst": "best_worst"}
    for table in ("participants", answers[site.kind]):
        reply = person.get(f"/dashboard/tables/{table}.csv")
        rows = list(csv.reader(io.StringIO(reply.text, newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) > 10
    assert person.get("/dashboard/tables.zip?format=parquet").status == 200


# ---- The dashboard ------------------------------------------------------------------------------


def rules(site: Site, method: str) -> list[tuple[str, str]]:
    """Return every page that takes a method, by endpoint, present and future ones."""
    store = Store(f"sqlite:///{site.folder.parent / 'rules.sqlite3'}")
    app = create_app(open_study(site.folder), store, mode="pilot")
    store.close()
    named: dict[str, Any] = {
        "name": "participants",
        "ending": "csv",
        "key": "a",
        "filename": "style.css",
    }
    with app.test_request_context():
        return [
            (rule.endpoint, url_for(rule.endpoint, **{a: named[a] for a in rule.arguments}))
            for rule in app.url_map.iter_rules()
            if method in (rule.methods or ())
        ]


OPEN = {f"dashboard.{name}" for name in ("sign_in", "check", "set_up", "first_password")}


def test_every_page_of_the_dashboard_is_behind_the_door(start: Start) -> None:
    site = start("pairwise")
    stranger = site.person("stranger")
    begin_trials(stranger)
    before, token = site.rows(), stranger.fields["csrf_token"]
    closed = {
        method: [rule for rule in rules(site, method) if rule[0].startswith("dashboard.")]
        for method in ("GET", "POST")
    }
    assert len(closed["GET"]) > 5
    assert len(closed["POST"]) > 3
    for method, pages in closed.items():
        for endpoint, path in pages:
            body = urlencode({"csrf_token": token}).encode() if method == "POST" else None
            reply = stranger.exchange(
                Request(method.encode(), path.encode(), (*stranger.headers, FORM_TYPE), body)
            )
            if endpoint in OPEN:
                assert reply.status in {200, 303, 403}, (path, reply)
            else:
                assert (reply.status, reply.get("location")) == (303, "/dashboard/sign-in"), path
            assert b"stranger" not in reply.body
    assert site.rows() == before


def test_every_form_wants_the_token_of_its_own_session(start: Start) -> None:
    site = start("pairwise")
    victim, other = site.person("victim"), site.person("other")
    begin_trials(victim)
    begin_trials(other)
    boss = researcher(site)
    before = site.rows()
    wrong = ["", "a", other.fields["csrf_token"], other.fields["csrf_token"][::-1]]
    for person in (victim, boss):
        for _, path in rules(site, "POST"):
            for token in wrong:
                fields = {**KINDS["pairwise"], "visit": "a", "csrf_token": token}
                body = urlencode(fields).encode()
                headers = (*person.headers, FORM_TYPE)
                reply = person.exchange(Request(b"POST", path.encode(), headers, body))
                assert reply.status == 400, (path, token, reply)
    assert site.rows() == before


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(start: Start) -> None:
    site = start("pairwise")
    person = researcher(site)
    stolen = person.cookie
    person.action = b"/dashboard/sign-out"
    person.post()
    person.cookie = stolen
    reply = person.exchange(Request(b"GET", b"/dashboard/", person.headers))
    assert reply.get("location") == "/dashboard/sign-in"


def test_a_link_that_a_researcher_is_lured_to_runs_nothing(start: Start) -> None:
    site = start("pairwise")
    person = researcher(site)
    before = site.rows()
    for number, word in enumerate(map(quote_from_bytes, NASTY)):
        paths = (
            f"/dashboard/tables/{word}.csv",
            f"/dashboard/tables.zip?format={word}",
            f"/dashboard/{word}",
            f"/dashboard/set-up?token={word}",
            f"/dashboard/?fault={word}",
            f"/dashboard/sign-in?next={word}",
            f"/dashboard/report?{word}",
            f"/{word}",
        )
        # what looks like script, on every page; of the others, each on some of them
        for path in paths if MARK in unquote_to_bytes(word) else paths[number % 4 :: 4]:
            reply = person.exchange(Request(b"GET", path.encode(), person.headers))
            assert reply.status in {200, 303, 400, 404, 405}, (path, reply)
            assert not live_script(reply), path
            assert "evil" not in reply.get("location")
    assert site.rows() == before


HOSTILE_EXPORTS = (
    b"",
    b"\x00",
    b"\xff\xfe\x00",
    b"a",
    b"rater_id,status\n",
    b"status,status\nreturned,a\n",
    b"rater_id,status\n<script>zzxss()</script>,returned\n",
    b"rater_id,status\na\x00b,returned\n",
    b"rater_id,status\n\xed\xa0\x80,returned\n",
    b'rater_id,status\n"a,returned\n',
    b"rater_id,status\na\rb,returned\n",
    b"rater_id,status\n" + b"a" * 200_000 + b",returned\n",
    b"rater_id,status\n" + b"a,returned\n" * 20_000,
    b"<script>zzxss()</script>,x\n1,2\n",
    b"rater_id,status\n1E+19,returned\n",
    b"PAR1\x00\x00PAR1",
    b"PK\x03\x04" + b"\x00" * 50,
    b"rater_id,status\n'; DROP TABLE visits; --,returned\n",
    b"rater_id\n" * 1000,
)
HOSTILE_NAMES = (
    b"a.csv",
    b"../../a.csv",
    b"a.parquet",
    b"<script>zzxss()</script>.csv",
    b".",
    b"a.xlsx",
    b"\xff.csv",
    b"CON",
    b"a" * 300 + b".csv",
)


def test_a_hostile_export_of_the_platform_is_refused_or_read_as_text(
    start: Start, database_url: str
) -> None:
    site = start("pairwise", database=database_url)
    begin_trials(site.person("bystander"))
    person = researcher(site)
    before = site.rows()
    wrong = []
    for number, content in enumerate(HOSTILE_EXPORTS):
        other = HOSTILE_NAMES[number % len(HOSTILE_NAMES)]
        # what is not of a table's own making is read before any database is asked
        names = {b"a.csv"} if database_url.startswith("postgresql") else {b"a.csv", b"a.parquet"}
        for name in sorted({*names, other}):
            reply = person.exchange(upload(person, name, content))
            if reply.status not in {200, 400, 413} or live_script(reply):
                wrong.append((reply.status, name[:50], content[:80]))
    assert not wrong
    assert site.rows() == before
    assert not [line for line in site.said if "Traceback" in line], "".join(site.said)


def upload(person: Person, name: bytes, content: bytes) -> Request:
    """Return the upload of a file."""
    part = b'--zz\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    token = part % (b"csrf_token", b"", person.fields["csrf_token"].encode())
    body = token + part % (b"export", b'; filename="%s"' % name, content) + b"--zz--\r\n"
    kind = (b"Content-Type", b"multipart/form-data; boundary=zz")
    return Request(b"POST", b"/dashboard/release", (*person.headers, kind), body)


# ---- Too much, too often, too soon --------------------------------------------------------------

SPOOFED = (b"X-Forwarded-For", b"X-Real-IP", b"Forwarded")
FORM_TYPE = (b"Content-Type", FORM)


def spoofed(number: int) -> tuple[tuple[bytes, bytes], ...]:
    """Return headers that claim another address each time."""
    return tuple((name, b"10.0.%d.%d" % divmod(number, 250)) for name in SPOOFED)


def test_passwords_cannot_be_tried_for_long(start: Start) -> None:
    site = start("pairwise")
    person = site.person("guesser")
    person.get("/dashboard/sign-in")
    before, statuses = site.rows(), []
    for number in range(25):
        guess = person.request(password=f"guess-number-{number}")
        statuses.append(
            person.exchange(replace(guess, headers=(*guess.headers, *spoofed(number)))).status
        )
    assert set(statuses) == {403, 429}
    assert statuses[:10] == [403] * 10
    assert person.exchange(person.request(password=DASHBOARD_PASSWORD)).status == 429
    assert site.rows() == before
    begin_trials(site.person("a-rater"))


def test_one_address_cannot_arrive_without_end(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ARRIVALS, "20")
    site = start("pairwise")
    rater = site.person("under-way")
    begin_trials(rater)
    statuses = set()
    for number in range(45):
        request = Request(b"GET", b"/?rater=r%d" % number, spoofed(number))
        statuses.add(site.person("").exchange(request).status)
    assert statuses == {200, 429}
    guess = site.person("").exchange(Request(b"GET", b"/withdraw/guess"))
    assert guess.status == 429
    assert rater.post(choice="left").status == 200, "who is under way is not held up"
    assert rater.fields["position"] == "2"


def test_behind_a_proxy_only_what_the_proxy_adds_is_believed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ARRIVALS, "20")
    monkeypatch.setenv("RATIFY_PROXIES", "1")
    site = start("pairwise")

    def arrive(address: bytes, *more: tuple[bytes, bytes]) -> Reply:
        headers = ((b"X-Forwarded-For", address), *more)
        return site.person("").exchange(Request(b"GET", b"/?rater=r", headers))

    replies = {arrive(b"10.0.0.%d, 192.0.2.1" % n).status for n in range(45)}
    assert replies == {200, 429}
    assert arrive(b"192.0.2.1, 192.0.2.2").status == 200
    secure = arrive(b"192.0.2.3", (b"X-Forwarded-Proto", b"https"))
    assert "Secure" in secure.get("set-cookie")
    for host in HOSTS:
        reply = arrive(b"192.0.2.4", (b"X-Forwarded-Host", host))
        assert reply.status in {200, 400, 429}, (host, reply)
        assert not live_script(reply)
    for word in NASTY:
        value = re.sub(rb"[^\x20-\x7e]", b"", word).strip()
        proto = arrive(b"192.0.2.5", (b"X-Forwarded-Proto", value), (b"X-Forwarded-For", value))
        assert proto.status in {200, 400, 429}, (value, proto)
    assert not [line for line in site.said if "Traceback" in line], "".join(site.said)


BIG = 3 * 1024 * 1024


def too_much(cookie: bytes, token: str) -> list[tuple[Request, set[int]]]:
    """Return requests that are too large, and what may be answered."""
    head = ((b"Cookie", cookie), FORM_TYPE)
    start = b"csrf_token=" + token.encode() + b"&choice=left&why="
    parts = b"".join(
        b'--zz\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n\r\n' % n for n in range(900)
    )
    multipart = ((b"Cookie", cookie), (b"Content-Type", b"multipart/form-data; boundary=zz"))
    post = partial(Request, b"POST", b"/trial")
    return [
        (post(head, start + b"a" * 70_000), {413}),
        # read as far as any answer goes, then no further
        (post(head, start + b"a" * 70_000, chunked=True), {409, 413}),
        (post(head, start + b"a" * BIG), {413}),
        (post(head, start + b"a" * BIG, chunked=True), {409, 413}),
        (post(multipart, parts + b"--zz--\r\n"), {413}),
        (post(multipart, parts * 20 + b"--zz--\r\n"), {413}),
        (post(head, b"&".join([start, *[b"a"] * 20_000])), {400, 409}),
        (Request(b"GET", b"/", ((b"X-Big", b"a" * 300_000),)), {431}),
        (Request(b"GET", b"/?" + b"a=b&" * 1_500), {200}),
    ]


@pytest.fixture(params=[1, 2])
def one_or_more(start: Start, request: pytest.FixtureRequest) -> Site:
    """Serve by one process from SQLite, or by two from PostgreSQL."""
    if request.param == 1:
        return start("best_worst")
    return start("best_worst", "--workers", "2", database=request.getfixturevalue("postgres_url"))


def test_too_much_is_refused_and_kept_nowhere(one_or_more: Site) -> None:
    site = one_or_more
    person = site.person("wordy")
    begin_trials(person)
    before = site.rows()
    for big, allowed in too_much(person.cookie, person.fields["csrf_token"]):
        reply = person.exchange(big)
        assert reply.status in allowed, (big.encode()[:200], len(big.encode()), reply)
    assert site.rows() == before
    assert person.get("/trial").status == 200


def test_a_body_without_end_is_cut_off(one_or_more: Site) -> None:
    site = one_or_more
    wire = Wire(site.url)
    wire.send(b"POST /trial HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    while wire.is_open and sent < 64 * 1024 * 1024:
        wire.send(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        sent += 0x10000
    wire.close()
    assert sent < 64 * 1024 * 1024
    assert site.person("").get("/health").status == 200


def test_many_who_never_finish_a_request_hold_up_nobody(one_or_more: Site) -> None:
    site = one_or_more
    wires = [Wire(site.url) for _ in range(150)]
    halves = (
        b"GET / HT",
        b"POST /trial HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\na",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-",
        b"",
    )
    for number, wire in enumerate(wires):
        wire.send(halves[number % len(halves)])
    begin_trials(site.person("patient"))
    for wire in wires:
        wire.close()


def test_what_was_never_on_the_screen_was_not_read(start: Start) -> None:
    site = start("pairwise", design={"min_reading_seconds": 30})
    person = site.person("in-a-hurry")
    person.arrive()
    person.post()
    [session] = sessions_of(site, [person])
    person.action = b"/trial"
    for position in (1, 2, 3, 4):
        for _ in range(2):
            reply = person.exchange(
                person.request(visit=session, position=position, choice="left", response_ms=99_000)
            )
            assert reply.status in {303, 422}
    assert site.count(Judgment) == 0


def test_the_question_that_comes_first_cannot_be_skipped(start: Start) -> None:
    site = start("pairwise", comprehension=COMPREHENSION)
    person = site.person("in-a-hurry")
    person.consent()
    [session] = sessions_of(site, [person])
    person.action = b"/trial"
    for position in (1, 2, 3, 4):
        person.exchange(person.request(visit=session, position=position, choice="left"))
    assert site.count(Judgment) == 0
    assert b"/comprehension" in person.get("/trial").body


# ---- Hosts, addresses, redirects ----------------------------------------------------------------

ADDRESSES = (
    b"/dashboard//sign-in",
    b"/withdraw//a",
    b"/static//style.css",
    b"//static/style.css",
    b"/over",
    b"//evil.example/%2e%2e",
    b"/%5cevil.example",
    b"/trial//",
    b"/dashboard",
    b"/trial/",
    b"/",
    b"///dashboard/",
    b"/?next=//evil.example",
    b"/consent?next=https://evil.example",
    b"/done",
    b"/instructions",
    b"/declined",
    b"/comprehension",
    b"/dashboard/sign-in?next=//evil.example",
    b"/dashboard/sign-in/",
)


def test_no_host_and_no_address_leads_off_site(start: Start) -> None:
    site = start("pairwise", comprehension=COMPREHENSION)
    rater = site.person("rater")
    rater.consent()
    wire = Wire(site.url)
    for host in (*HOSTS, b"study.example"):
        for address in ADDRESSES:
            for method in (b"GET", b"HEAD"):
                cookie = () if address.startswith(b"//") else rater.headers
                headers = ((b"Host", host), (b"X-Forwarded-Host", b"evil.example"), *cookie)
                reply = wire.exchange(Request(method, address, headers))
                assert reply.status in {200, 303, 400, 404, 405}, (host, address, reply)
                assert re.match(r"/\w*(?:[/?]|$)|$", reply.get("location")), (host, address, reply)
                assert "evil" not in reply.get("location")
    wire.close()


def test_no_path_leaves_its_folder(start: Start) -> None:
    site = start("pairwise")
    wire = Wire(site.url)
    secret = (site.folder / SECRET_FILE).read_text(encoding="utf-8").strip()
    ups = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "....//", "%252e%252e%252f", ".%00./")
    files = (SECRET_FILE, "plan.yaml", "app.py", "etc/passwd", STORE_FILE, "templates/base.html")
    roots = ("/static/", "/dashboard/", "/dashboard/tables/", "/", "/withdraw/")
    for root in roots:
        for up in ups:
            for file in files:
                for depth in (1, 2, 7):
                    target = f"{root}{up * depth}{file}".encode()
                    reply = wire.exchange(Request(b"GET", target))
                    assert reply.status in {303, 400, 404}, (target, reply)
                    assert secret not in reply.text
                    assert "create_app" not in reply.text
    wire.close()


# ---- What gets through --------------------------------------------------------------------------


def test_a_link_to_withdraw_may_hold_anything(start: Start, database_url: str) -> None:
    site = start("best_worst", database=database_url)
    person = site.person("rater")
    begin_trials(person)
    before = site.rows()
    for word in NASTY:
        path = b"/withdraw/" + quote_from_bytes(word, safe="").encode()
        seen = person.exchange(Request(b"GET", path, person.headers))
        person.action = path
        posted = person.exchange(person.request())
        assert {seen.status, posted.status} <= {404, 405, 303}, (word, seen, posted)
        assert not live_script(seen)
    assert site.rows() == before


def test_strange_ids_are_kept_apart_and_as_they_are(start: Start, database_url: str) -> None:
    site = start("best_worst", database=database_url)
    for name in STRANGE_IDS:
        begin_trials(site.person(name))
    with site.engine.connect() as connection:
        found = list(connection.scalars(select(Visit.rater_id)))
    assert sorted(found) == sorted(STRANGE_IDS)


def test_a_reason_may_hold_anything_and_breaks_no_table(start: Start, database_url: str) -> None:
    site = start("best_worst", database=database_url)
    more = (b"a\rb", b"a\r\nb", b"\x00", b"\x0b\x0c\x1c\x85", b'a,b\r"c', b" \x00 ", b"\xff\rx")
    for number, word in enumerate((*more, *NASTY)):
        if number % 4 == 0:
            person = site.person(f"talker-{number}")
            begin_trials(person)
        why = b"&why=" + quote_from_bytes(word, safe="").encode()
        half, whole = person.request(least="2"), person.request(most="1", least="2")
        shown = person.exchange(replace(half, body=(half.body or b"") + why))
        assert shown.status == 422
        assert not live_script(shown), "shown again, for them to go on"
        assert person.exchange(replace(whole, body=(whole.body or b"") + why)).status == 303
        person.get("/trial")
    assert site.count(BestWorst) == len(more) + len(NASTY)
    nothing_lives_on_the_dashboard(site)
    with site.engine.connect() as connection:
        reasons = list(connection.scalars(select(BestWorst.why)))
    assert "" not in reasons
    assert not [why for why in reasons if why and ("\r" in why or "\x00" in why)]
