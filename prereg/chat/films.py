"""The films of a chat and their captions: files of the study folder, hashed into the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from prereg import files
from prereg.chat.model import ChatPlan
from prereg.errors import RatifyError

# A participant on a phone loads it; a minute of a talking head has a twentieth of this.
LARGEST = 200 * 1024 * 1024
KINDS = "WebM or MP4"
_FIRST = b"WEBVTT"


@dataclass(frozen=True)
class ReadFilm:
    """A clip with its captions, as the plan names them and as the lock hashes them.

    Attributes
    ----------
    clip, captions : Path
    sha256, captions_sha256 : str
    kind : {'webm', 'mp4'}
        By its first bytes, whatever its name says.
    """

    clip: Path
    captions: Path
    sha256: str
    captions_sha256: str
    kind: str


def inside(folder: Path, name: str, *, key: str, like: str = "films/listening.webm") -> Path:
    """Return the path of a file that a plan names.

    Parameters
    ----------
    folder : Path
        The study folder.
    name : str
        As the plan writes it.
    key : str
        The key of the plan that names it.
    like : str
        A name that it may have, for the error.

    Raises
    ------
    RatifyError
        When it is outside of the study folder, or hidden.
    """
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)
    if path.is_absolute() or hidden or "\\" in name:
        raise RatifyError(
            "is not a path inside the study folder",
            file=folder / "plan.yaml",
            column=key,
            value=name,
            allowed=f"such as {like}",
        )
    return folder / path


def read_films(folder: Path, plan: ChatPlan) -> tuple[ReadFilm, ...]:
    """Return the films of a plan, in its order.

    Raises
    ------
    RatifyError
        When a file is missing, too large, no film, or no captions.
    """
    video = plan.feedback.video
    if video is None:
        return ()
    return tuple(
        _film(folder, number, clip, captions)
        for number, (clip, captions) in enumerate(zip(video.clips, video.captions, strict=True))
    )


def film_part(films: tuple[ReadFilm, ...], folder: Path) -> Mapping[str, str]:
    """Return the SHA-256 of every clip and of its captions, by their names in the folder."""
    found: dict[str, str] = {}
    for film in films:
        found[film.clip.relative_to(folder).as_posix()] = film.sha256
        found[film.captions.relative_to(folder).as_posix()] = film.captions_sha256
    return found


def _film(folder: Path, number: int, clip: str, captions: str) -> ReadFilm:
    where = "feedback.video"
    path = inside(folder, clip, key=f"{where}.clips.{number}")
    content = _bytes(path, "the clip that the plan names")
    kind = kind_of_film(content)
    if kind is None:
        raise RatifyError("is no film that browsers play", file=path, allowed=KINDS)
    beside = inside(folder, captions, key=f"{where}.captions.{number}")
    said = _bytes(beside, "the captions that the plan names (WebVTT)")
    if not said.removeprefix(b"\xef\xbb\xbf").startswith(_FIRST):
        raise RatifyError("is no WebVTT", file=beside, allowed="a file whose first word is WEBVTT")
    return ReadFilm(path, beside, files.sha256(content), files.sha256(said), kind)


def _bytes(path: Path, what: str) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            most = f"{LARGEST // 1024 // 1024} MB"
            raise RatifyError(f"has more than {most}", file=path, allowed=f"at most {most}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path, allowed=what) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def kind_of_film(content: bytes) -> str | None:
    """Return the kind of a film by its first bytes; None if it is none that browsers play.

    Parameters
    ----------
    content : bytes
        WebM (an EBML document) or MP4 (ISO/IEC 14496-12).
    """
    if content[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in content[:64]:
        return "webm"
    return "mp4" if content[4:8] == b"ftyp" else None
