"""If this failed, raters would load files again and again, or files that no study shows."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image as Picture

from study.opening import open_study
from study.store.database import Store
from study.web.app import create_app
from study.web.compression import takes_gzip
from tests.conftest import make_study

GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    folder = make_study(tmp_path / "study", raters=2)
    for name in ("logo.png", "secret.png"):
        Picture.new("RGB", (5, 5), (9, 9, 9)).save(folder / name)
    (folder / "secret.png").write_bytes((folder / "secret.png").read_bytes() + b"more")
    consent = (folder / "consent.md").read_text()
    (folder / "consent.md").write_text(f"![Our logo](logo.png)\n\n{consent}")
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    yield create_app(open_study(folder), store, mode="pilot").test_client()
    store.close()


def test_a_file_of_the_pages_is_kept_under_its_present_name_only(client: FlaskClient) -> None:
    page = client.get("/?rater=r1").text
    address = re.search(r'href="(/static/style\.[0-9a-f]{12}\.css)"', page)
    assert address
    kept = client.get(address[1], headers=GZIP)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert kept.headers["Content-Encoding"] == "gzip"
    assert kept.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in kept.headers
    plain = client.get(address[1])
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(kept.data) == plain.data
    assert plain.mimetype == "text/css"
    for other in ("/static/style.css", "/static/style.000000000000.css"):
        answer = client.get(other)
        assert (answer.data, answer.headers["Cache-Control"]) == (plain.data, "no-cache")
        again = client.get(other, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert client.get("/static/none.css").status_code == 404
    assert client.get("/static/none.css").headers["Cache-Control"] == "no-store"


def test_a_page_is_small_on_the_way_and_kept_nowhere(client: FlaskClient) -> None:
    plain, small = client.get("/?rater=r1"), client.get("/?rater=r1", headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < len(plain.data) * 0.6
    assert "Before you begin" in gzip.decompress(small.data).decode()
    for answer in (plain, small):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize(
    ("accepted", "small"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("", False)],
)
def test_only_who_takes_gzip_gets_it(accepted: str, small: bool) -> None:
    assert takes_gzip(accepted) is small


def test_only_images_that_the_texts_show_are_served(client: FlaskClient, tmp_path: Path) -> None:
    page = client.get("/?rater=r1").text
    address = re.search(r'<img src="(/image/\w+\.png)" alt="Our logo" width="5" height="5">', page)
    assert address
    sent = client.get(address[1])
    assert (sent.status_code, sent.mimetype) == (200, "image/png")
    assert sent.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in sent.headers["Content-Security-Policy"]
    for name in ("logo.png", "secret.png", "plan.yaml", "..%2fplan.yaml", ".ratify-secret"):
        assert client.get(f"/image/{name}").status_code == 404
    logo = tmp_path / "study" / "logo.png"
    logo.write_bytes(logo.read_bytes() + b"changed")
    assert client.get(address[1]).status_code == 404
    logo.unlink()
    assert client.get(address[1]).status_code == 404
