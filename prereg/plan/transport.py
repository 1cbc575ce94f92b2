"""How a judge's server is reached: keys that may change after the lock, because no answer does."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

# Keys of an LLM judge that say how it is reached, how fast and at what cost, but not what answers.
# The lock's hash does not cover them; every change is logged (`prereg.transport_log`).
TRANSPORT = (
    "base_url",
    "key_variable",
    "headers",
    "query",
    "token_parameter",
    "concurrency",
    "requests_per_minute",
    "batch_size",
    "timeout_seconds",
    "attempts",
    "patience_minutes",
    "failures_in_a_row",
    "prices",
    "budget",
)

# `${NAME}` in a header stands for an environment variable.
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Headers that the client itself writes.
_TAKEN = {"content-type", "content-length", "host", "connection", "transfer-encoding"}
# Headers that hold a secret have one of these in their name.
_SECRET = ("authorization", "key", "token", "secret", "cookie", "password")


def checked_url(url: str) -> str:
    """Return a server's address, if it has a host and, where it names a port, a possible one."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("is not an address: a host, and a port from 1 to 65535 if any")
    return url


def checked_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return headers that can be sent and that hold no secret in plain sight."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a header")
        if name.lower() in _TAKEN:
            raise ValueError(f"{name} cannot be set here: the client writes it")
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"the header {name} has characters that cannot be sent")
        if "${" in VARIABLE.sub("", value):
            raise ValueError(f"the header {name} has a '${{' that is not a variable: ${{NAME}}")
        if any(word in name.lower() for word in _SECRET) and not VARIABLE.search(value):
            raise ValueError(
                f"the header {name} looks like a secret: write ${{NAME}}, and put the value into "
                "the environment variable NAME"
            )
    names = [name.lower() for name in headers]
    if len(set(names)) != len(names):
        raise ValueError("a header is named more than once")
    return headers


def words(given: Any) -> Any:
    """Return a mapping's values as text; YAML reads `2024-10-21` as a date and `1` as a number."""
    if not isinstance(given, dict):
        return given
    return {str(name): _word(value) for name, value in given.items()}


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else value
