"""What may be wrong with a store, and the one line that says so."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from prereg.errors import RatifyError


class StoreBusyError(SQLAlchemyError):
    """Somebody holds the store's lock, so this was not written; it may be sent again."""


class StoreGoneError(SQLAlchemyError):
    """The store's file was deleted or replaced while it was open: nothing may be acknowledged."""


class NoStoreError(RatifyError):
    """There is no store here, and none may be made."""


def missing(place: Path | str) -> NoStoreError:
    """Return the error for a store that should be there and is missing or empty."""
    return NoStoreError(
        "there is no store here: nothing has been collected, or it is somewhere else",
        file=place,
        allowed="the study as it was served, with RATIFY_DATABASE_URL if it was set then",
    )


def damaged(place: Path | str, reason: str) -> RatifyError:
    """Return the error for a store that SQLite cannot read."""
    return RatifyError(
        f"is damaged: {reason}",
        file=place,
        allowed="the newest backup in its place; docs/deploy.md says how",
    )


def no_answer(error: Exception) -> str:
    """Return the message that the database does not answer, with the driver's reason."""
    return f"the database does not answer: {_reason(error)}"


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def fault(error: Exception, place: str) -> RatifyError:
    """Return the one line for an error of the database, with the driver's reason."""
    reason = _reason(error)
    if any(words in reason for words in ("malformed", "not a database", "disk image")):
        return damaged(place, reason)
    if isinstance(error, StoreGoneError):
        return RatifyError(reason, allowed="the file in its place")
    if isinstance(error, StoreBusyError) or "database is locked" in reason:
        return RatifyError(
            "another program holds the database's lock",
            file=place,
            allowed="try again when it ends",
        )
    return RatifyError(no_answer(error), file=place)
