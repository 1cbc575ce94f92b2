"""Serve the films of a chat from its folder: by content, in pieces, and nothing else.

A browser asks for a part of a film (a range) when somebody jumps, or on a phone. A film that has
changed since the study was opened is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, send_file

from prereg import files
from study.chat.study import Film
from study.web.assets import FOR_A_YEAR

_TYPES = {".webm": "video/webm", ".mp4": "video/mp4", ".vtt": "text/vtt"}


def address_of(film: Film) -> str:
    """Return the name under which a clip is served: it changes when the clip does."""
    return f"{film.address}{film.clip.suffix.lower()}"


def captions_of(film: Film) -> str:
    """Return the name under which a clip's captions are served."""
    return f"{films_hash(film.captions)}.vtt"


def type_of(film: Film) -> str:
    """Return the media type of a clip."""
    return _TYPES.get(film.clip.suffix.lower(), "video/webm")


def films_hash(path: Path) -> str:
    """Return the start of a file's SHA-256."""
    return files.sha256(path.read_bytes())[:24]


@dataclass
class _Served:
    """A file, and when it was last found to be what its name says."""

    path: Path
    hashed: str
    media: str
    stamp: tuple[int, int] | None = None

    def is_as_named(self) -> bool:
        """Say whether the file is still what its name says; reads it only if it was touched."""
        try:
            found = self.path.stat()
            stamp = found.st_mtime_ns, found.st_size
            if stamp != self.stamp:
                self.stamp = stamp if films_hash(self.path) == self.hashed else None
        except OSError:
            return False
        return self.stamp is not None


def serve_films(app: Flask, films: Iterable[Film]) -> None:
    """Serve clips and captions under their addresses at `/film/NAME`."""
    served: dict[str, _Served] = {}
    for one in films:
        served[address_of(one)] = _Served(one.clip, one.address, type_of(one))
        captions = captions_of(one)
        served[captions] = _Served(one.captions, captions.removesuffix(".vtt"), "text/vtt")

    def film(name: str) -> Response:
        """Send a clip, a part of it, or its captions."""
        found = served.get(name)
        if found is None or not found.is_as_named():
            abort(404)
        response = send_file(
            found.path.resolve(), mimetype=found.media, etag=found.hashed, conditional=True
        )
        # the study's own material, so only the participant's browser may keep it
        response.headers["Cache-Control"] = f"private, {FOR_A_YEAR}"
        response.headers["Accept-Ranges"] = "bytes"
        return response

    app.add_url_rule("/film/<name>", "film", film)
