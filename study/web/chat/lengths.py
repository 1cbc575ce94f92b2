"""How long a film lasts, by its own header: WebM (Matroska) or MP4 (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

# The header of a film is at its beginning; in an MP4 it may be at its end.
_SEGMENT, _INFO, _SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_EBML = b"\x1a\x45\xdf\xa3"
_SEARCHED = 1024 * 1024
_NANOSECONDS = 1e9


@lru_cache(maxsize=64)
def length_of(path: Path) -> float | None:
    """Return how many seconds a film lasts; None if its header does not say it."""
    try:
        content = path.read_bytes()
        return _webm(content) if content.startswith(_EBML) else _mp4(content)
    except (OSError, struct.error, IndexError):
        return None


def _webm(content: bytes) -> float | None:
    info = _child(content[:_SEARCHED], _SEGMENT, _INFO)
    if info is None:
        return None
    found = {name: info[start:end] for name, start, end in _elements(info)}
    given = found.get(_DURATION)
    if given is None:
        return None
    duration = float(struct.unpack(">f" if len(given) == 4 else ">d", given)[0])
    scale = int.from_bytes(found[_SCALE], "big") if _SCALE in found else 1_000_000
    return duration * scale / _NANOSECONDS


def _child(content: bytes, *names: int) -> bytes | None:
    """Return what an element holds, by the names of those around it and its own."""
    for wanted in names:
        inside = next((content[a:b] for name, a, b in _elements(content) if name == wanted), None)
        if inside is None:
            return None
        content = inside
    return content


def _elements(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every element of EBML with the place of what it holds."""
    at = 0
    while at < len(content):
        width = 9 - content[at].bit_length()
        name = int.from_bytes(content[at : at + width], "big")
        at += width
        width = 9 - content[at].bit_length()
        size = int.from_bytes(content[at : at + width], "big") & ((1 << 7 * width) - 1)
        at += width
        if size == (1 << 7 * width) - 1:  # not known when it was written: the rest
            size = len(content) - at
        yield name, at, min(at + size, len(content))
        at += size


def _mp4(content: bytes) -> float | None:
    movie = _box(content, b"moov")
    header = None if movie is None else _box(movie, b"mvhd")
    if header is None:
        return None
    form = ">12xII" if header[0] == 0 else ">20xIQ"
    scale, duration = struct.unpack_from(form, header)
    return duration / scale if scale else None


def _box(content: bytes, wanted: bytes) -> bytes | None:
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", content, at + 8)[0], 16
        size = size or len(content) - at
        if name == wanted:
            return content[at + head : at + size]
        at += max(size, head)
    return None
