"""The images of a study: files of its folder that its texts show, hashed into the lock."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from prereg import files
from prereg.errors import RatifyError
from prereg.markdown import Found, images, raw_html
from prereg.plan.model import Plan
from prereg.tables.reader import Table

# A rater on a phone loads it: a photograph of a screen's size has a tenth of this.
LARGEST = 4 * 1024 * 1024
KINDS = "PNG, JPEG, GIF or WebP"
_OTHER_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


@dataclass(frozen=True)
class Image:
    """An image of the study folder.

    Attributes
    ----------
    path : Path
    sha256 : str
    kind : {'png', 'jpeg', 'gif', 'webp'}
        By its first bytes, whatever its name says.
    width, height : int
        In pixels.
    """

    path: Path
    sha256: str
    kind: str
    width: int
    height: int

    @property
    def address(self) -> str:
        """Its name on the pages: it changes when the image does."""
        return f"{self.sha256[:24]}.{self.kind}"


def study_images(
    folder: Path, plan: Plan, texts: Mapping[str, str], items: Table
) -> dict[str, Image]:
    """Return the images that the texts of a study show, by their names in these texts.

    Parameters
    ----------
    folder : Path
        The study folder, which must hold them.
    plan : Plan
    texts : mapping
        Consent and instructions, which are always Markdown.
    items : Table

    Raises
    ------
    RatifyError
        When an image is not in the folder, is no image, or has no words for those who do not see
        it; when consent or instructions hold raw HTML. It names the line or the row.
    """
    files_of = {folder / getattr(plan.materials, name): text for name, text in texts.items()}
    found = images_of_texts(folder, files_of)
    if plan.display.format == "markdown":
        for text, fault in _shown(folder, plan, items):
            _enter(found, folder, text, fault)
    return found


def images_of_texts(folder: Path, texts: Mapping[Path, str]) -> dict[str, Image]:
    """Return the images that Markdown files of a study folder show, by their names there.

    Parameters
    ----------
    folder : Path
    texts : mapping
        The text of each file.

    Raises
    ------
    RatifyError
        As `study_images` does.
    """
    found: dict[str, Image] = {}
    for file, text in texts.items():
        for piece in raw_html(text):
            raise _in_text(file, piece, "holds raw HTML", "Markdown, which has tables and images")
        _enter(found, folder, text, partial(_in_text, file))
    return found


def _enter(
    found: dict[str, Image],
    folder: Path,
    text: str,
    fault: Callable[[Found, str, str], RatifyError],
) -> None:
    """Add the images of a text."""
    for image in images(text):
        if not image.alt:
            raise fault(image, "shows an image without words for it", "![what it shows](FILE)")
        if image.source not in found:
            found[image.source] = _read(folder, image, fault)


def _shown(
    folder: Path, plan: Plan, items: Table
) -> Iterator[tuple[str, Callable[[Found, str, str], RatifyError]]]:
    """Yield every text of a trial, and how a fault in it is told."""
    table = folder / plan.materials.items
    for row, record in enumerate(items.rows, start=2):
        for column in ("text", "prompt"):
            yield record.get(column) or "", partial(_in_items, table, items.place(row), column)
    for number, check in enumerate(plan.attention_checks):
        for place, text in enumerate((*check.texts, check.prompt or "")):
            where = f"texts.{place}" if place < len(check.texts) else "prompt"
            yield text, partial(_in_plan, folder, f"attention_checks.{number}.{where}")


def _in_text(file: Path, found: Found, problem: str, allowed: str) -> RatifyError:
    problem = f"line {found.line} {problem}"
    return RatifyError(problem, file=file, value=found.source or None, allowed=allowed)


def _in_items(
    table: Path, row: int | str, column: str, found: Found, problem: str, allowed: str
) -> RatifyError:
    problem, value = f"line {found.line} of the text {problem}", found.source or None
    return RatifyError(problem, file=table, row=row, column=column, value=value, allowed=allowed)


def _in_plan(folder: Path, column: str, found: Found, problem: str, allowed: str) -> RatifyError:
    return RatifyError(
        problem,
        file=folder / "plan.yaml",
        column=column,
        value=found.source or None,
        allowed=allowed,
    )


def _read(folder: Path, image: Found, fault: Callable[[Found, str, str], RatifyError]) -> Image:
    inside = "an image file in the study folder, as ![what it shows](images/NAME.png)"
    if _OTHER_HOST.match(image.source):
        raise fault(image, "shows an image of another place than the study folder", inside)
    name = PurePosixPath(image.source)
    hidden = any(part.startswith(".") for part in name.parts)
    if not image.source or "\\" in image.source or name.is_absolute() or hidden:
        raise fault(image, "shows an image that is not inside the study folder", inside)
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise fault(image, "shows an image that is not inside the study folder", inside)
        if path.stat().st_size > LARGEST:
            most = f"{LARGEST // 1024 // 1024} MB"
            raise fault(image, f"shows an image of more than {most}", f"at most {most}")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise fault(image, "shows an image that is not there", inside) from error
    seen = size_of(content)
    if seen is None:
        svg = b"<svg" in content[:1000]
        problem = (
            "shows an SVG, which can hold a script" if svg else "shows a file that is no image"
        )
        raise fault(image, problem, KINDS)
    return Image(path, files.sha256(content), *seen)


def size_of(content: bytes) -> tuple[str, int, int] | None:
    """Return the kind of an image, its width and its height; None if it is no image we show.

    Parameters
    ----------
    content : bytes
        PNG (ISO/IEC 15948), JPEG (ITU T.81), GIF 87a or 89a, or WebP (RFC 9649).
    """
    for kind, read in (("png", _png), ("gif", _gif), ("jpeg", _jpeg), ("webp", _webp)):
        try:
            size = read(content)
        except struct.error:  # cut off
            continue
        if size is not None and min(size) > 0:
            return kind, *size
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> tuple[int, int] | None:
    if content[:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Return the size in the first frame header, after the segments before it."""
    if content[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while True:
        begins, marker = struct.unpack_from(">BB", content, at)
        if begins != 0xFF:
            return None
        if marker == 0xFF:  # filling
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    if content[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if content[12:16] == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if content[12:16] == b"VP8X":
        sides = struct.unpack_from("<3B3B", content, 24)
        width, height = (int.from_bytes(sides[at : at + 3], "little") + 1 for at in (0, 3))
        return width, height
    return None
