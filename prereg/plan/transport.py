"""How a judge's server is reached: keys that may change after the lock, because no answer does."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import StringConstraints, field_validator

from prereg.strict import Strict

OPENAI = "https://api.openai.com/v1"
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@?#]+$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]

# What Ratify itself writes into a request; `parameters` may not set these.
OWN_PARAMETERS = frozenset(
    {
        "model",
        "messages",
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "stream",
        "response_format",
        "logprobs",
        "top_logprobs",
        "api_key",
    }
)

# Keys of an LLM judge, or of a server, that say how it is reached, how fast and at what cost, but
# not what answers. The lock's hash does not cover them; every change is logged
# (`prereg.transport_log`).
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


class Reached(Strict):
    """What is behind an OpenAI-compatible server: checks of the keys that say how it is asked.

    The keys themselves are those of each model, whose order and limits are its own.
    """

    called_in_faults: ClassVar[str]

    @field_validator("base_url", check_fields=False)
    @classmethod
    def _an_address(cls, url: str) -> str:
        return checked_url(url)

    @field_validator(
        "headers",
        "query",
        mode="before",
        check_fields=False,
        json_schema_input_type=dict[str, str | int | float | bool],
    )
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        return words(given)

    @field_validator("headers", check_fields=False)
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        return checked_headers(headers)

    @field_validator("parameters", check_fields=False)
    @classmethod
    def _not_ours(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(OWN_PARAMETERS & set(parameters))
        if taken:
            own = f"use the {cls.called_in_faults}'s own keys"
            raise ValueError(f"{taken[0]} cannot be set here: {own}")
        return parameters

    def transport(self) -> dict[str, Any]:
        """Return how its server is reached, as JSON holds it."""
        return self.model_dump(mode="json", include=set(TRANSPORT))
