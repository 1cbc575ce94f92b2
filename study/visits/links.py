"""Signed links: each holds a signature of its rater's id, so that nobody can guess another link.

The key is in a file of the study folder that only its owner may read. It is made once, with the
first links, and every later link of the study is signed with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.reader import read_table
from study.visits.recruitment import ID_COLUMNS, column_of

KEY_FILE = ".ratify-links"
# 128 bits: nobody finds a signature by trying.
SIGNATURE_BYTES = 16
RATER_ID = re.compile(r"[\w.@:+-]{1,128}")
# A spreadsheet would run a cell that begins with one of these as a formula.
FORMULA_STARTS = ("=", "+", "-", "@")
# Prolific's ids, 24 hexadecimal digits: nobody guesses one in practice.
_LONG_ID = re.compile(r"[0-9a-f]{24}")


def signing_key(folder: Path) -> bytes:
    """Return the key that signs the links of a study; the first call makes it."""
    return files.made_once(folder / KEY_FILE, secrets.token_urlsafe(32)).encode()


def signature(key: bytes, rater_id: str) -> str:
    """Return the signature of a rater's id."""
    digest = hmac.new(key, b"rater:" + rater_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).rstrip(b"=").decode()


def is_signed(key: bytes, rater_id: str, given: str) -> bool:
    """Say whether this is the signature of a rater's id, in a time that reveals nothing."""
    expected = signature(key, rater_id)
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))


def is_hard_to_guess(rater_id: str) -> bool:
    """Say whether an id has the form of Prolific's, which is as good as a secret."""
    return _LONG_ID.fullmatch(rater_id) is not None


def signed_links(key: bytes, address: str, rater_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each rater's id and their link.

    Raises
    ------
    RatifyError
        When the address is not the beginning of a link.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise RatifyError(
            "is not the address of the study",
            file="--host",
            value=address,
            allowed="https://NAME, as raters open it",
        )
    start = address.rstrip("/")
    for rater_id in rater_ids:
        yield rater_id, f"{start}/?rater={quote(rater_id, safe='')}&sig={signature(key, rater_id)}"


def read_rater_ids(path: Path) -> list[str]:
    """Return the raters' ids of a table with a column rater_id (or participant_id).

    Raises
    ------
    RatifyError
        When there is no such column, or an id is empty, damaged, repeated or not one that the
        pages accept.
    """
    table = read_table(path)
    column = column_of(table, *ID_COLUMNS, allowed="a table with the raters' ids in rater_id")
    table.require_filled(column)
    table.refuse_damaged_ids(column)
    first: dict[str, int] = {}
    for row, record in enumerate(table.rows, start=2):
        rater_id = record[column].strip()
        fault = refusal(rater_id)
        if fault is None and rater_id in first:
            fault = f"is also the id in {table.place_words(first[rater_id])}"
        if fault is not None:
            raise table.error(row, column, fault, allowed="each rater's own id")
        first[rater_id] = row
    return list(first)


def refusal(rater_id: str) -> str | None:
    """Return why a text cannot be the id of a new rater, or None."""
    if rater_id.startswith(FORMULA_STARTS):
        return f"begins with {rater_id[0]}, which a spreadsheet would take for a formula"
    if RATER_ID.fullmatch(rater_id) is None:
        return "is not an id: 1 to 128 letters, digits or . _ : @ + -"
    return None
