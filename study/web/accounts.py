"""The dashboard's password, and who is signed in.

If RATIFY_DASHBOARD_PASSWORD is set, it is the password, and it is not stored. Otherwise the store
holds a scrypt hash of the password. A signed-in browser holds a random token, and the store holds
only a hash of the token and the password together, so a new password signs everybody out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection
from werkzeug.security import check_password_hash, generate_password_hash

from prereg.errors import RatifyError
from study.store import settings
from study.store.database import Store
from study.store.tables import Login

PASSWORD_VARIABLE = "RATIFY_DASHBOARD_PASSWORD"  # noqa: S105
PASSWORD_SETTING = "dashboard_password"  # noqa: S105
SHORTEST = 10
LONGEST = 1000
SIGNED_IN_SECONDS = 12 * 60 * 60


def has_password(store: Store) -> bool:
    """Say whether the dashboard has a password.

    Raises
    ------
    RatifyError
        When the password in the environment is too short or too long.
    """
    with store.reading() as connection:
        return _credential(connection) is not None


def set_password(store: Store, password: str) -> None:
    """Store the hash of a new password, and sign everybody out.

    Raises
    ------
    RatifyError
        When the password is too short or too long, or the environment sets one, which would count.
    """
    _refuse_unusable(password, "the password")
    if os.environ.get(PASSWORD_VARIABLE):
        raise RatifyError(
            "is set, so Ratify would not use a stored password",
            file=PASSWORD_VARIABLE,
            allowed="change it there, or unset it first",
        )
    hashed = generate_password_hash(password)

    def keep(connection: Connection) -> None:
        settings.put(connection, PASSWORD_SETTING, hashed)
        connection.execute(delete(Login))

    store.write(keep)


def set_first_password(store: Store, password: str) -> bool:
    """Store a password's hash unless there is a password; say whether it was stored.

    Raises
    ------
    RatifyError
        When the password is too short or too long.
    """
    _refuse_unusable(password, "the password")
    if has_password(store):
        return False
    hashed = generate_password_hash(password)
    return store.write(lambda connection: settings.put_first(connection, PASSWORD_SETTING, hashed))


def check_password(store: Store, given: str) -> bool:
    """Say whether this is the password, in a time that reveals nothing about it."""
    required = _from_environment()
    if required is not None:
        return hmac.compare_digest(_digest(given), _digest(required))
    with store.reading() as connection:
        hashed = settings.read(connection, PASSWORD_SETTING)
    return hashed is not None and len(given) <= LONGEST and check_password_hash(hashed, given)


def sign_in(store: Store) -> str:
    """Sign a browser in; the caller must have checked the password.

    Returns
    -------
    str
        The token for the browser's cookie, valid for twelve hours.

    Raises
    ------
    RatifyError
        When there is no password.
    """
    token = secrets.token_urlsafe(32)

    def remember(connection: Connection) -> None:
        credential = _credential(connection)
        if credential is None:
            raise RatifyError("the dashboard has no password", allowed="set one first")
        now = time.time()
        connection.execute(delete(Login).where(Login.expires_at < now))
        row = {"token_hash": _bound(token, credential), "expires_at": now + SIGNED_IN_SECONDS}
        connection.execute(insert(Login), row)

    store.write(remember)
    return token


def is_signed_in(store: Store, token: str | None) -> bool:
    """Say whether a token is known, has not expired, and belongs to the current password."""
    if not token:
        return False
    with store.reading() as connection:
        credential = _credential(connection)
        if credential is None:
            return False
        until = connection.scalar(
            select(Login.expires_at).where(Login.token_hash == _bound(token, credential))
        )
    return until is not None and until > time.time()


def sign_out(store: Store, token: str | None) -> None:
    """Forget a token; an unknown token changes nothing."""
    if not token:
        return

    def forget(connection: Connection) -> None:
        credential = _credential(connection)
        if credential is not None:
            mine = Login.token_hash == _bound(token, credential)
            connection.execute(delete(Login).where(mine))

    store.write(forget)


def _credential(connection: Connection) -> str | None:
    """Return the password of the environment, else the hash of the stored one, else None."""
    return _from_environment() or settings.read(connection, PASSWORD_SETTING)


def _from_environment() -> str | None:
    given = os.environ.get(PASSWORD_VARIABLE)
    if not given:
        return None
    _refuse_unusable(given, PASSWORD_VARIABLE)
    return given


def _refuse_unusable(password: str, what: str) -> None:
    """Raise `RatifyError` if a password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        size = "short" if len(password) < SHORTEST else "long"
        raise RatifyError(f"{what} is too {size}", allowed=f"{SHORTEST} to {LONGEST} characters")


def _bound(token: str, credential: str) -> str:
    """Return the hash that the store keeps; without the token it reveals nothing."""
    return hmac.new(token.encode(), _bytes(credential), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(_bytes(text)).digest()


def _bytes(text: str) -> bytes:
    """Return text as bytes, even if the environment held bytes that are not UTF-8."""
    return text.encode(errors="surrogateescape")
