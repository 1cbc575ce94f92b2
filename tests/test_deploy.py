"""If this failed, docs/deploy.md would put a study online wrongly, or give a useless backup."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from prereg.plan.file import load_plan
from prereg.plan.partial import read_partial
from ratify import main
from study.bots import Page
from study.web.uploads import UPLOAD_BYTES
from tests.conftest import Serve, make_study
from tests.support.paths import ROOT
from tests.support.raters import take_part

GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", GUIDE, flags=re.DOTALL | re.MULTILINE)  # without the blocks
HOST = "study.example.org"
STUDY, BACKUPS = "/var/lib/ratify/study", "/var/backups/ratify"
# How the guide writes a command: at the start of a line, as user ratify, or by its whole path.
COMMAND = re.compile(r"(?:^|-- |/bin/)ratify ([a-z]+)(.*)$", re.MULTILINE)


def blocks(language: str) -> list[str]:
    """Return the guide's blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def block(language: str, holding: str) -> str:
    """Return the only block in a language that contains a text."""
    (found,) = [one for one in blocks(language) if holding in one]
    return found


def needed(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")


def test_it_names_the_settings_that_the_code_reads_and_no_others() -> None:
    read = set()
    for room in ("ratify", "prereg", "study", "analysis", "data"):
        for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    read.update(re.findall(r"^RATIFY_[A-Z_]+$", node.value))
    assert "RATIFY_PROXIES" in read, "this test does not find the settings any more"
    assert set(re.findall(r"RATIFY_[A-Z_]+", GUIDE)) == read
    assert set(re.findall(r"^\| `(RATIFY_[A-Z_]+)` \|", GUIDE, re.MULTILINE)) == read, "its table"


def test_every_command_in_it_exists_with_its_options() -> None:
    code = [one for language in ("console", "ini") for one in blocks(language)]
    code += re.findall(r"`([^`]+)`", PROSE)
    found = [match.groups() for one in code for match in COMMAND.finditer(one)]
    assert {name for name, _ in found} >= {"serve", "lock", "release", "export", "judge", "analyze"}
    for name, rest in found:
        assert name in main.commands, f"ratify {name}"
        words = shlex.split(rest, comments=True)
        if not words:
            continue  # the guide only mentions it
        try:
            main.commands[name].make_context(f"ratify {name}", words)
        except click.ClickException as error:
            pytest.fail(f"ratify {name}{rest}: {error.format_message()}")


def test_its_links_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PROSE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        path, _, anchor = target.partition("#")
        assert not path or (ROOT / "docs" / path).exists(), target
        assert not anchor or anchor in anchors, target


def test_its_unit_is_one(tmp_path: Path) -> None:
    needed("systemd-analyze")
    unit = block("ini", "[Service]")
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    assert program
    path = tmp_path / "ratify.service"
    path.write_text(unit.replace(program[1], sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "ratify.service" in line]
    assert (done.returncode, said) == (0, [])


# nginx


def test_its_nginx_lets_the_largest_upload_through() -> None:
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", GUIDE)
    assert int(limit) * 1024**2 > 1.02 * UPLOAD_BYTES, "a form is larger than the file in it"


@dataclass
class Front:
    """A running nginx with the guide's servers."""

    plain: int
    secure: int
    prefix: Path

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """Return a browser that comes from this address."""
        trusted = ssl.create_default_context(cafile=self.prefix / "certificate.pem")
        trusted.check_hostname = False  # it is asked for by its number
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.secure}",
            headers={"Host": HOST},
            transport=httpx.HTTPTransport(verify=trusted, local_address=address),
            follow_redirects=True,
            timeout=20,
        )

    def logs(self) -> str:
        """Return all that nginx wrote while it ran."""
        return "".join(path.read_text() for path in sorted(self.prefix.glob("*.log")))


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def nginx(prefix: Path, upstream: str) -> Iterator[Front]:
    """Run the guide's servers on their own ports, in front of a server."""
    front = Front(free_port(), free_port(), prefix)
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={HOST}",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
        ],
        cwd=prefix,
        check=True,
        capture_output=True,
        timeout=60,
    )
    servers = block("nginx", "proxy_pass")
    for written, here in (
        (r"listen \[::\].*;", ""),
        (r"listen 80;", f"listen 127.0.0.1:{front.plain};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{front.secure} ssl;"),
        (r"/etc/letsencrypt/live/\S+/fullchain.pem", f"{prefix}/certificate.pem"),
        (r"/etc/letsencrypt/live/\S+/privkey.pem", f"{prefix}/key.pem"),
        (r"/var/log/nginx/", f"{prefix}/"),
        (r"http://127.0.0.1:8000", upstream),
    ):
        servers, count = re.subn(written, here, servers)
        assert count, f"the guide's nginx file holds no {written}"
    kept = "".join(
        f"{kind}_temp_path {prefix}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    settings = prefix / "nginx.conf"
    settings.write_text(
        f"{'user root root;' if os.getuid() == 0 else ''}\nworker_processes 2;\ndaemon off;\n"
        f"pid {prefix}/nginx.pid;\nerror_log {prefix}/main.log warn;\nevents {{}}\n"
        f"http {{\naccess_log {prefix}/access.log;\n{kept}{servers}}}\n"
    )
    process = subprocess.Popen(
        ["nginx", "-p", str(prefix), "-e", str(prefix / "start.log"), "-c", str(settings)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(100):
            if process.poll() is not None:
                assert process.stderr is not None
                pytest.fail(f"nginx refuses the guide's servers: {process.stderr.read()}")
            with closing(socket.socket()) as one:
                if one.connect_ex(("127.0.0.1", front.secure)) == 0:
                    break
            time.sleep(0.1)
        yield front
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.skipif(sys.platform != "linux", reason="raters come from 127.0.0.2 and so on")
def test_raters_come_through_its_nginx(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed("nginx", "openssl")
    for line in block("ini", "RATIFY_PROXIES=").splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv("RATIFY_ARRIVALS_PER_MINUTE", "5")
    server = serve(make_study(tmp_path / "study", raters=4, trials=3), "--mode", "pilot")
    prefix = tmp_path / "nginx"
    prefix.mkdir()
    with nginx(prefix, server.url) as front:
        address = f"/?PROLIFIC_PID=5f01&STUDY_ID=s&SESSION_ID={'t' * 30}"
        moved = httpx.get(
            f"http://127.0.0.1:{front.plain}{address}", headers={"Host": HOST}, timeout=60
        )
        assert (moved.status_code, moved.headers["location"]) == (301, f"https://{HOST}{address}")

        with front.client() as rater:
            first = rater.get(address)
            assert "Secure" in first.headers["set-cookie"]
            assert "max-age" in first.headers["strict-transport-security"]
            assert take_part(rater, "5f01", lambda _left, _right: "left")
            lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
            done = rater.get("/done", headers=lies)
            assert f">https://{HOST}/withdraw/" in done.text
            assert "evil.example" not in done.text
            assert "strict-transport-security" in done.headers

        # each address has its own limit, whatever address its headers claim
        with front.client("127.0.0.2") as script, front.client("127.0.0.3") as other:
            codes = [
                script.get("/", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
                for n in range(12)
            ]
            # a minute may end in between: a window of five, then perhaps another
            assert codes.count(429) >= 2
            assert other.get("/").status_code == 200

        server.process.kill()
        server.process.wait()
        with front.client("127.0.0.4") as rater:
            away = rater.get(address)
        assert (away.status_code, away.headers["retry-after"]) == (503, "30")
        assert "What you answered is safe" in away.text
        assert not re.search(r"127\.0\.0\.|5f01|withdraw", front.logs()), "no rater is in a log"


# Backup and restore


@contextmanager
def raters_answering(url: str) -> Iterator[list[str]]:
    """Send raters one after the other while the block runs; yield those who have finished."""
    finished: list[str] = []
    over = threading.Event()

    def come() -> None:
        while not over.is_set():
            name = f"p{len(finished)}"
            with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:
                assert take_part(client, name, lambda _left, _right: "left")
            finished.append(name)

    thread = threading.Thread(target=come)
    thread.start()
    try:
        wait_for(finished, 3)
        yield finished
    finally:
        over.set()
        thread.join(timeout=60)


def wait_for(finished: list[str], count: int) -> None:
    give_up = time.monotonic() + 60
    while len(finished) < count:
        assert time.monotonic() < give_up, "raters do not get through"
        time.sleep(0.01)


def whole(counts: tuple[int, int, int], before: int, after: int) -> bool:
    """Check that a copy is of one moment: no rater is missing and none is incomplete."""
    finished, answered, answers = counts
    return before <= finished <= after and answered == answers


def test_its_backup_is_a_whole_copy_while_raters_answer(tmp_path: Path, serve: Serve) -> None:
    needed("sqlite3", "sh", "sync", "find")
    study = make_study(tmp_path / "study", raters=500, trials=3)
    server = serve(study, "--mode", "pilot")
    copies = tmp_path / "copies"
    copies.mkdir()
    script = block("sh", "VACUUM INTO").replace(STUDY, str(study)).replace(BACKUPS, str(copies))
    (tmp_path / "ratify-backup").write_text(script)
    with raters_answering(server.url) as finished:
        gone, before = _withdraw(server.url), len(finished)
        done = subprocess.run(
            ["sh", str(tmp_path / "ratify-backup")],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        after = len(finished) + 1
        assert (done.returncode, done.stderr) == (0, "")
        wait_for(finished, after + 2)  # the server has not noticed
    (copy,) = copies.iterdir()
    assert copy.stat().st_mode & 0o077 == 0, "nobody else may read it"
    with closing(sqlite3.connect(copy)) as store:
        counts = store.execute(
            "SELECT sum(status = 'finished'), sum(answered), (SELECT count(*) FROM judgments) "
            "FROM visits"
        ).fetchone()
    assert whole(counts, before, after)
    assert gone.encode() not in copy.read_bytes(), "a rater who withdrew is in no copy"

    # restored as in the guide
    server.process.terminate()
    server.process.wait()
    for old in study.glob("study.sqlite3*"):
        old.unlink()
    shutil.copy(copy, study / "study.sqlite3")
    server = serve(study, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        assert client.get("/", params={"rater": "p0"}).url.path == "/done"


def _withdraw(url: str) -> str:
    """Let a rater begin and withdraw; return their id."""
    name = "who-withdrew-again"
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
        page = _read(client.get("/", params={"rater": name}))
        link = re.search(r"/withdraw/[\w-]+", client.post(page.action, data=page.fields).text)
        assert link
        page = _read(client.get(link[0]))
        assert client.post(page.action, data=page.fields).url.path == "/withdrawn"
    return name


def _read(answer: httpx.Response) -> Page:
    page = Page()
    page.feed(answer.text)
    return page


def test_its_dump_can_be_restored(tmp_path: Path, serve: Serve, postgres_url: str) -> None:
    needed("pg_dump", "pg_restore", "createdb", "dropdb")
    server = serve(
        make_study(tmp_path / "study", raters=500, trials=3),
        "--mode",
        "pilot",
        database=postgres_url,
    )
    url = make_url(postgres_url)
    where = url.translate_connect_args(
        host="PGHOST", port="PGPORT", username="PGUSER", password="PGPASSWORD"
    )
    environment = os.environ | {n: str(v) for n, v in where.items() if n.startswith("PG")}
    other = f"{url.database}_restored"

    def run(*words: str) -> None:
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"

    def here(written: str, database: str) -> str:
        return written.replace("ratify_study", database).replace(BACKUPS, str(copies))

    copies = tmp_path / "copies"
    copies.mkdir()
    with raters_answering(server.url) as finished:
        before = len(finished)
        run("sh", "-c", here(block("sh", "pg_dump"), str(url.database)))
        after = len(finished) + 1
    (copy,) = copies.iterdir()
    (line,) = re.findall(r"^runuser -u ratify -- (pg_restore .*)$", GUIDE, re.MULTILINE)
    run("createdb", other)
    try:
        run(*shlex.split(here(line, other).replace("THE-COPY.dump", copy.name)))
        engine = create_engine(url.set(database=other))
        with engine.connect() as connection:
            counts = connection.execute(
                text(
                    "SELECT count(*) FILTER (WHERE status = 'finished'), sum(answered), "
                    "(SELECT count(*) FROM judgments) FROM visits"
                )
            ).one()
        engine.dispose()
        assert whole(tuple(counts), before, after)
    finally:
        run("dropdb", "--force", other)


def test_the_part_for_prolific_fits_the_worked_plan_as_it_is_pasted(tmp_path: Path) -> None:
    part = block("yaml", "platform: prolific")
    worked = (ROOT / "prereg/worked/pairwise_preference/plan.yaml").read_text(encoding="utf-8")
    pasted, times = re.subn(r"(?m)^recruitment:\n(?:  .*\n)+", part, worked)
    assert times == 1
    path = tmp_path / "plan.yaml"
    path.write_text(pasted, encoding="utf-8")
    recruitment = load_plan(path).recruitment
    assert "cc=C1ABCDEF" in str(recruitment.link(recruitment.codes.completed))
    path.write_text(re.sub(r"# (?=screened|failed)", "", pasted), encoding="utf-8")
    faults = [str(fault.column) for fault in read_partial(path).faults]
    assert faults == [f"recruitment.codes.{name}" for name in ("screened_out", "failed_attention")]
    assert all(f"`{name.rpartition('.')[2]}` only if" in PROSE for name in faults)


def test_the_guide_names_no_version_that_grows_old() -> None:
    assert not re.search(r"/opt/ratify/\d|ln -sfn \d", GUIDE)
