"""A researcher at the dashboard of any kind of study, on Flask's test client."""

from __future__ import annotations

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from study.store.database import Store
from study.web import accounts

PASSWORD = "a long and plain phrase"
TOKEN = "token-of-the-link"


def sign_in(client: FlaskClient, store: Store) -> FlaskClient:
    """Set the password and sign in with it; return the client."""
    accounts.set_password(store, PASSWORD)
    assert send(client, "/dashboard/sign-in", password=PASSWORD).location == "/dashboard/"
    return client


def send(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    """Post a form as a browser does: with the token of a page that was opened before."""
    page = client.get("/dashboard/", follow_redirects=True).text
    if 'name="csrf_token"' not in page:
        page = client.get(f"/dashboard/set-up?token={TOKEN}").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    return client.post(path, data={**fields, "csrf_token": found[1] if found else ""})


def text_of(response: TestResponse) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())
