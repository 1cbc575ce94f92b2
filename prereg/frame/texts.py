"""The hash of each text of a frame, by which vectors know the texts that they were made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prereg import files

# The column of a table of embeddings that holds the hashes.
TEXT_HASH: Final = "text_sha256"


def text_hashes(texts: Iterable[str]) -> list[str]:
    """Return the SHA-256 of each text in UTF-8, in hexadecimal.

    Parameters
    ----------
    texts : iterable of str
        As they stand in the frame.
    """
    # a lone surrogate can be in a table, and is a text like any other
    return [files.sha256(text.encode("utf-8", "surrogatepass")) for text in texts]
