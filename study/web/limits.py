"""Limit how often one address may arrive or try to sign in; the store never holds an address."""

from __future__ import annotations

import ipaddress
import logging
import os
import threading

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from prereg.errors import RatifyError
from study.store.counting import SharedCounter
from study.store.database import Store

ARRIVALS = "RATIFY_ARRIVALS_PER_MINUTE"
# Enough for a lecture hall behind one address, but a limit for a script that takes every place.
ARRIVALS_PER_MINUTE = 1200
CONSENTS = "RATIFY_CONSENTS_PER_HOUR"
# The part of a live study's places that one address may take in an hour.
CONSENTS_PART, FEWEST_CONSENTS = 4, 5
LOGINS_PER_MINUTE = 10
log = logging.getLogger("ratify")


class Limits:
    """Counts requests by address, in memory, in PostgreSQL or in Redis.

    The workers of a study share its PostgreSQL, if it has one, or the Redis that RATIFY_LIMITS_URL
    names. Other servers count for themselves.

    Parameters
    ----------
    places : int
        How many places the study has.
    store : Store, optional
    secret : str
        Hides the addresses in PostgreSQL.
    study : str
        Its plan hash: studies that share a database or a Redis count arrivals and consents apart.

    Raises
    ------
    RatifyError
        When a setting of the environment is not a limit or not the address of a storage.
    """

    def __init__(
        self, *, places: int, store: Store | None = None, secret: str = "", study: str = ""
    ) -> None:
        url = os.environ.get("RATIFY_LIMITS_URL")
        try:
            self._counter = FixedWindowRateLimiter(storage_from_string(url or "memory://"))
        except Exception as error:
            raise RatifyError(
                f"cannot be used: {error}",
                file="RATIFY_LIMITS_URL",
                allowed="memory:// or redis://HOST:PORT",
            ) from error
        self._shared: SharedCounter | None = None
        if url is None and store is not None and not store.is_sqlite:
            self._shared = SharedCounter(store, secret)
        self._fallback = FixedWindowRateLimiter(storage_from_string("memory://"))
        self._study = study
        self._turn = threading.Lock()  # the storage in memory is not safe between threads
        self._arrivals = RateLimitItemPerMinute(_given(ARRIVALS, ARRIVALS_PER_MINUTE))
        self._consents = RateLimitItemPerHour(consents_per_hour(places))
        self._logins = RateLimitItemPerMinute(LOGINS_PER_MINUTE)

    def arrival(self, address: str | None) -> bool:
        """Count an arrival or a consent; say whether it is allowed now."""
        return self._hit(self._arrivals, f"arrival:{self._study}", address)

    def consent(self, address: str | None) -> bool:
        """Count a newcomer's consent in a live study; say whether it is allowed now."""
        return self._hit(self._consents, f"consent:{self._study}", address)

    def login(self, address: str | None) -> bool:
        """Count an attempt to sign in; say whether it is allowed now."""
        return self._hit(self._logins, "login", address)

    def _hit(self, limit: RateLimitItem, what: str, address: str | None) -> bool:
        whose = counted_address(address or "")
        try:
            if self._shared is not None:
                return self._shared.hit(limit.amount, limit.get_expiry(), what, whose)
            with self._turn:
                return self._counter.hit(limit, what, whose)
        except Exception as error:
            # raters must not be refused because the storage is away; memory counts in the meantime
            log.error("the storage of limits did not answer: %r", error)  # noqa: TRY400
            with self._turn:
                return self._fallback.hit(limit, what, whose)


def counted_address(address: str) -> str:
    """Return what is counted for an address: of IPv6 the network, which one household has whole."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def consents_per_hour(places: int) -> int:
    """Return how many places of a live study one address may take in an hour.

    Raises
    ------
    RatifyError
        When the setting of the environment is not a limit.
    """
    return _given(CONSENTS, max(FEWEST_CONSENTS, -(-places // CONSENTS_PART)))


def _given(name: str, default: int) -> int:
    given = os.environ.get(name, str(default))
    if not given.isdecimal() or int(given) < 1:
        raise RatifyError("is not a limit", file=name, value=given, allowed="a whole number from 1")
    return int(given)
