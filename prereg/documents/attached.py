"""Files of a study inside a document: written as fenced blocks, and read back to the byte."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from prereg import files
from prereg.errors import RatifyError

Role = Literal["study", "lock"]
AS_WRITTEN = "the document as `ratify document` wrote it"
# The one document in Markdown that holds the whole study begins with these words.
FULL_DOCUMENT = "The full document of the study"
# Signs that no text file of a study needs, and that editors and YAML do not keep.
_UNKEPT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_HEAD = re.compile(
    r'(?P<fence>~{3,})(?P<kind>[a-z0-9]+) file=(?P<name>"(?:[^"\\]|\\.)*") '
    r"sha256=(?P<sha256>[0-9a-f]{64})(?P<lock> role=lock)?(?P<base64> encoding=base64)?"
    r"(?P<open> end=open)?"
)
_SEAL = re.compile(r"Everything above this line has the SHA-256 `([0-9a-f]{64})`\.")
_WIDTH = 76


@dataclass(frozen=True)
class Attached:
    """A file that a document carries.

    Attributes
    ----------
    name : str
        Its path in the study folder, with slashes.
    content : bytes
    role : {'study', 'lock'}
        A file of the study, or what its lock wrote.
    """

    name: str
    content: bytes
    role: Role = "study"

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes."""
        return files.sha256(self.content)

    @property
    def kind(self) -> str:
        """The ending of its name, without the point."""
        found = PurePosixPath(self.name).suffix.removeprefix(".").lower()
        return found if re.fullmatch("[a-z0-9]{1,8}", found) else "text"

    @property
    def text(self) -> str | None:
        """Its text, if it is one that a document can hold as it is."""
        return plain_text(self.content)


def plain_text(content: bytes) -> str | None:
    """Return bytes as text: UTF-8 with Unix line ends and no invisible signs; None if not."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _UNKEPT.search(text) else text


def block(file: Attached) -> str:
    """Return a file as a fenced block, which names it and its SHA-256."""
    text = file.text
    marks = " role=lock" if file.role == "lock" else ""
    if text is None:
        coded = base64.b64encode(file.content).decode("ascii")
        body = "\n".join(coded[at : at + _WIDTH] for at in range(0, len(coded), _WIDTH)) + "\n"
        marks += " encoding=base64"
    elif text.endswith("\n"):
        body = text
    else:
        body = text + "\n"
        marks += " end=open"
    fence = _fence(body)
    name = json.dumps(file.name, ensure_ascii=False)
    return f"{fence}{file.kind} file={name} sha256={file.sha256}{marks}\n{body}{fence}"


def _fence(body: str) -> str:
    longest = max((len(run) for run in re.findall("~+", body)), default=0)
    return "~" * max(3, longest + 1)


def fenced(text: str, kind: str = "text") -> str:
    """Return a text as a fenced block that is only there to be read."""
    body = text if text.endswith("\n") else text + "\n"
    fence = _fence(body)
    return f"{fence}{kind}\n{body}{fence}"


def sealed(text: str) -> str:
    """Return a document with a last line that says the SHA-256 of everything above it."""
    body = text.rstrip("\n") + "\n\n"
    digest = files.sha256(body.encode("utf-8"))
    return f"{body}Everything above this line has the SHA-256 `{digest}`.\n"


def without_seal(text: str) -> str:
    """Return a document of ours without its last line, if that is a seal."""
    body, _, last = text.rstrip().rpartition("\n")
    return body if _SEAL.fullmatch(last) else text


def unsealed(text: str, *, file: Path) -> str:
    """Return a document without its last line, if that line is true.

    Raises
    ------
    RatifyError
        When the line is missing, or something above it has changed.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip()
    body, _, last = text.rpartition("\n")
    found = _SEAL.fullmatch(last)
    if found is None:
        raise RatifyError(
            "is cut: the last line, with the SHA-256 of everything above, is missing",
            file=file,
            allowed=AS_WRITTEN,
        )
    body += "\n"
    if files.sha256(body.encode("utf-8")) != found[1]:
        raise RatifyError(
            "has been changed: its text does not have the SHA-256 of its last line",
            file=file,
            allowed=AS_WRITTEN,
        )
    return body


def read_blocks(text: str, *, file: Path) -> list[Attached]:
    """Return the files that a document carries.

    Parameters
    ----------
    text : str
    file : Path
        Named in errors.

    Raises
    ------
    RatifyError
        When a block does not end, or does not hold what its first line says.
    """
    lines = text.split("\n")
    found = []
    at = 0
    while at < len(lines):
        fence = re.match("~{3,}", lines[at])
        if fence is None:
            at += 1
            continue
        head = _HEAD.fullmatch(lines[at])
        try:
            end = lines.index(fence[0], at + 1)
        except ValueError as error:
            raise RatifyError(
                "is cut: a block does not end", file=file, row=f"line {at + 1}", allowed=AS_WRITTEN
            ) from error
        if head is not None:
            found.append(_read(head, lines[at + 1 : end], file, at + 1))
        at = end + 1
    return found


def _read(head: re.Match[str], lines: list[str], file: Path, line: int) -> Attached:
    body = "\n".join(lines) + ("\n" if lines else "")
    if head["open"]:
        body = body.removesuffix("\n")
    try:
        name = str(json.loads(head["name"]))
        content = (
            base64.b64decode("".join(lines), validate=True)
            if head["base64"]
            else body.encode("utf-8")
        )
    except (ValueError, binascii.Error) as error:
        raise _changed(file, f"line {line}", head["name"]) from error
    if files.sha256(content) != head["sha256"]:
        raise _changed(file, f"line {line}", name)
    return Attached(name, content, "lock" if head["lock"] else "study")


def _changed(file: Path, row: str | None, name: str) -> RatifyError:
    return RatifyError(
        "a file in it does not have the SHA-256 that is said of it",
        file=file,
        row=row,
        value=name,
        allowed=AS_WRITTEN,
    )


def as_json(attached: Iterable[Attached]) -> list[dict[str, Any]]:
    """Return files as JSON holds them: texts as texts, others in base64."""
    found = []
    for one in attached:
        text = one.text
        content = {"text": text} if text is not None else {"base64": _coded(one.content)}
        found.append({"name": one.name, "role": one.role, "sha256": one.sha256, **content})
    return found


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def from_json(given: Any, *, file: Path) -> list[Attached]:
    """Return the files that `as_json` wrote.

    Raises
    ------
    RatifyError
        When one of them has changed, or they are no such files.
    """
    found = []
    for one in given if isinstance(given, list) else [given]:
        name = one.get("name") if isinstance(one, Mapping) else None
        try:
            text = one.get("text")
            content = (
                text.encode("utf-8")
                if isinstance(text, str)
                else base64.b64decode(one["base64"], validate=True)
            )
            attached = Attached(
                str(one["name"]), content, "lock" if one["role"] == "lock" else "study"
            )
            right = attached.sha256 == one["sha256"]
        except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
            raise _changed(file, None, str(name)) from error
        if not right:
            raise _changed(file, None, attached.name)
        found.append(attached)
    return found


def refuse_outside(attached: Iterable[Attached], *, file: Path) -> None:
    """Raise `RatifyError` if a document names a file that is not inside a study folder."""
    for one in attached:
        path = PurePosixPath(one.name)
        hidden = any(part.startswith(".") for part in path.parts)
        if not path.parts or path.is_absolute() or hidden or re.search(r"[\\:\x00-\x1f]", one.name):
            raise RatifyError(
                "names a file that is not inside a study folder",
                file=file,
                value=one.name,
                allowed="a path such as prompts/mine.yaml",
            )
