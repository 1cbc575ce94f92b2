"""How large a form may be."""

from __future__ import annotations

from flask import request

# A character outside the basic plane is so long in a form.
BYTES_OF_A_CHARACTER = 12


def allow_long_texts(characters: int) -> None:
    """Let the form of this request hold so many characters of text; before the form is read."""
    most = (request.max_content_length or 0) + characters * BYTES_OF_A_CHARACTER
    request.max_content_length = most
    request.max_form_memory_size = most
