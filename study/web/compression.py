"""Compress pages for browsers that take gzip.

An attack that guesses a secret from the size of a compressed page (BREACH) needs a page that
repeats what the attacker sent beside that secret. No page of ours repeats anything of a link: a
rater's id is never shown, a private link only to who has it, and a reason that a rater gave only
after a form whose token was right. That token is signed anew each second, too.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from flask import Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

# Smaller pages fit into the first packets anyway.
SMALLEST = 1_400
# The fastest level: a page of two conversations gets nearly as small as with the others.
LEVEL = 1
_WITH_GZIP_HEADER = 31


@lru_cache(maxsize=256)
def takes_gzip(accepted: str) -> bool:
    """Say whether an Accept-Encoding header takes gzip."""
    return parse_accept_header(accepted, Accept).quality("gzip") > 0


def compress(response: Response) -> Response:
    """Compress a page; everything that is not a page stays as it is."""
    if response.mimetype != "text/html" or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    if not takes_gzip(request.headers.get("Accept-Encoding", "")):
        return response
    content = response.get_data()
    if len(content) < SMALLEST or "Content-Encoding" in response.headers:
        return response
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _WITH_GZIP_HEADER)
    response.set_data(packer.compress(content) + packer.flush())
    response.headers["Content-Encoding"] = "gzip"
    return response
