"""Refuse a proxy of the environment whose address cannot be one, before anything is sent."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urlsplit

from prereg.errors import RatifyError

VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def check_proxies() -> None:
    """Raise `RatifyError` if a variable for a proxy does not hold the address of one."""
    for name in (*VARIABLES, *map(str.lower, VARIABLES)):
        address = os.environ.get(name, "").strip()
        problem = _problem(address)
        if address and problem:
            raise RatifyError(
                f"is not the address of a proxy: {problem}",
                file=name,
                value=address.rpartition("@")[2],  # without a name and a password
                allowed="for example http://proxy.example.org:3128, or no such variable",
            )


def _problem(address: str) -> str:
    """Return what is wrong with the address of a proxy."""
    if "://" not in address:
        address = f"http://{address}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        return "its port is not a number from 0 to 65535" if "ort" in str(error) else str(error)
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme}:// is not supported"
    if not parts.hostname:
        return "it names no machine"
    return "its port is 0" if port == 0 else ""
