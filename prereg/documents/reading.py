"""Reads a document back: ours with all that rebuilds the study, others as far as they are known."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from prereg.documents.attached import (
    AS_WRITTEN,
    FULL_DOCUMENT,
    Attached,
    read_blocks,
    refuse_outside,
    unsealed,
)
from prereg.documents.material import FORMAT
from prereg.documents.preregr import EXTENSION, UNSPECIFIED, carried, unboxed
from prereg.errors import RatifyError
from prereg.yaml_file import refuse_endless

ALLOWED = "study.md, preregr.yaml or preregr.json of `ratify document`, or a preregr specification"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MANIFEST = re.compile(r"^(~{3,})json ratify=document\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
# How other forms call the three things that a plan can take, by id or label.
_KNOWN = {
    "title": re.compile(r"^(study |working |project )?title$", re.IGNORECASE),
    "hypotheses": re.compile(r"hypothes[ei]s", re.IGNORECASE),
    "sample": re.compile(
        r"\b(sample size|number of (participants|raters|people))\b"
        r"(?!.*(rational|justif|determin|reason|explan))",
        re.IGNORECASE,
    ),
}
_NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,])\d+(?![\w]|[.,]\d)")
_MARK = re.compile(r"^\s*(?:[-*•]\s+|(?:H(?:ypothesis)?\s*)?\d+[a-z]?\s*[.):]\s*)", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """A document of ours.

    Attributes
    ----------
    manifest : mapping
        See `prereg.documents.material.Material.manifest`.
    files : list of Attached
    """

    manifest: Mapping[str, Any]
    files: list[Attached]


@dataclass(frozen=True)
class Specification:
    """A preregr specification that Ratify did not write.

    Attributes
    ----------
    title : str
        Empty if it has none.
    hypotheses : tuple of str
    raters : int or None
        The sample size, if its text has one number only.
    left : tuple of str
        What it says and a plan cannot take: the label of each item, with the reason.
    """

    title: str
    hypotheses: tuple[str, ...]
    raters: int | None
    left: tuple[str, ...]


def read_document(path: Path) -> Document | Specification:
    """Read a document of ours, or a preregr specification.

    Raises
    ------
    RatifyError
        When the file is missing, is neither, or has changed since it was written.
    """
    text = _text_of(path)
    if path.suffix.lower() in {".md", ".markdown", ".txt"}:
        return _of_markdown(text, path)
    content = _content(text, path)
    config = content.get("config")
    if isinstance(config, Mapping) and EXTENSION in config:
        return _checked(Document(*carried(content, file=path)), path)
    if EXTENSION in content:
        raise RatifyError(
            f"is cut: it has no key config.{EXTENSION}", file=path, allowed=AS_WRITTEN
        )
    return _specification(content, path)


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path, allowed=ALLOWED) from error
    except UnicodeDecodeError as error:
        raise RatifyError("is not text in UTF-8", file=path, allowed=ALLOWED) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def _of_markdown(text: str, path: Path) -> Document:
    if FULL_DOCUMENT not in text:  # those for a registry or a board are in Markdown, too
        raise RatifyError(
            "is not the full document of a study, so no study can be rebuilt from it",
            file=path,
            allowed=ALLOWED,
        )
    body = unsealed(text, file=path)
    files = read_blocks(body, file=path)
    found = _MANIFEST.findall(body)
    try:
        manifest = json.loads(found[-1][1])
    except (IndexError, ValueError) as error:
        raise RatifyError(
            "is not the full document of a study", file=path, allowed=ALLOWED
        ) from error
    return _checked(Document(manifest, files), path)


def _checked(document: Document, path: Path) -> Document:
    """Refuse a document of a newer release, and one that lacks a file or has another one."""
    if document.manifest.get("format") != FORMAT:
        raise RatifyError(
            "was written by a newer version of Ratify",
            file=path,
            value=document.manifest.get("written_by"),
            allowed="that version",
        )
    refuse_outside(document.files, file=path)
    there = {file.name: file.sha256 for file in document.files}
    if document.manifest.get("files") != there:
        named = set(document.manifest.get("files") or {})
        gone = sorted(named ^ set(there)) or sorted(there)
        raise RatifyError(
            "does not hold the files that it names", file=path, value=gone[0], allowed=AS_WRITTEN
        )
    return document


def _content(text: str, path: Path) -> dict[str, Any]:
    """Return what a YAML or JSON file holds, if that can be a preregr specification."""
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.load(text, _LOADER)  # noqa: S506
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "YAML"
        raise RatifyError(f"is cut, or is not {kind}", file=path, allowed=ALLOWED) from error
    refuse_endless(content, file=path)
    if not isinstance(content, dict) or not isinstance(content.get("specs"), dict):
        raise RatifyError(
            "is not a preregr specification: it has no key specs", file=path, allowed=ALLOWED
        )
    return content


def _specification(content: dict[str, Any], path: Path) -> Specification:
    """Return what a plan can take of a specification, and what it cannot."""
    content = unboxed(content)
    empty = {UNSPECIFIED, ""}
    config, form = content.get("config"), content.get("form")
    if isinstance(config, Mapping):
        empty.add(str(config.get("initialText", "")).strip())
    items = form.get("items") if isinstance(form, Mapping) else None
    taken: dict[str, str] = {}
    left = []
    for name, spec in content["specs"].items():
        text = str(spec.get("text") if isinstance(spec, Mapping) else spec or "").strip()
        if text in empty or text == "None":
            continue
        label = _label(name, items)
        what = next((w for w, known in _KNOWN.items() if _is(known, name, label)), None)
        if what is None or what in taken:
            left.append(f"{label} ({name})" if label != name else label)
        else:
            taken[what] = text
    if not taken:
        raise RatifyError(
            "holds no title, no hypotheses and no sample size that a plan could take",
            file=path,
            allowed=ALLOWED,
        )
    numbers = _NUMBER.findall(taken.get("sample", ""))
    raters = int(numbers[0].replace(",", "")) if len(set(numbers)) == 1 else None
    if raters is not None and not 1 <= raters <= 100_000:
        raters = None
    if "sample" in taken and raters is None:
        left.append("the sample size: its text does not say one number of raters")
    title = " ".join(taken.get("title", "").split())
    return Specification(title, _hypotheses(taken.get("hypotheses", "")), raters, tuple(left))


def _label(name: str, items: Any) -> str:
    item = items.get(name) if isinstance(items, Mapping) else None
    if isinstance(items, list):
        item = next(
            (one for one in items if isinstance(one, Mapping) and one.get("item_id") == name), None
        )
    label = item.get("item_label") if isinstance(item, Mapping) else None
    return " ".join(str(label).split()) if label else str(name)


def _is(known: re.Pattern[str], name: str, label: str) -> bool:
    return any(known.search(one.replace("_", " ").strip()) for one in (name, label))


def _hypotheses(text: str) -> tuple[str, ...]:
    """Return one hypothesis for each line or each numbered point."""
    lines = [_MARK.sub("", line).strip() for line in text.split("\n")]
    return tuple(" ".join(line.split()) for line in lines if line)
