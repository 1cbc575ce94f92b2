"""Reads a passport, and says for each of its claims whether a study folder bears it out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from prereg import files
from prereg.code import analysis_code
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, read_lock, verify_lock
from prereg.passport.content import CONTEXT, FORMAT, SEAL, passport, sealed
from prereg.passport.sources import REPORT, RESULTS, Sources, read_sources
from prereg.plan.file import PLAN_FILE, load_plan

Answer = Literal["yes", "no", "cannot check"]
YES: Answer = "yes"
NO: Answer = "no"
CANNOT: Answer = "cannot check"
# What a passport says that follows from the results and the plan, with words for it.
_SECTIONS = {
    "construct": "what was asked, and on which scales",
    "population": "who answered, and who was excluded",
    "peoplesAgreement": "how far people agree",
    "judges": "every reading and habit of the judges",
    "gate": "the gate's verdict and its conditions",
    "state": "the word on the badge",
    "hypothesis": "the verdicts on the hypotheses",
    "amendments": "the amendments",
    "looks": "the looks at the results",
    "limits": "the limits",
}
_DATA_FOLDER = "data"
_KEYS = ("hashes", "isBasedOn", *_SECTIONS)


class Claim(NamedTuple):
    """A claim of a passport, whether the folder bears it out, and what differs."""

    claim: str
    answer: Answer
    differs: str


def read_passport(path: Path) -> dict[str, Any]:
    """Read a passport.

    Whether it has been changed is a claim of `passport_differences`.

    Raises
    ------
    RatifyError
        When the file is missing, is no passport, or was written by a newer version.
    """
    allowed = "the passport.json that `ratify passport` wrote"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path, allowed=allowed) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RatifyError("is cut, or is no JSON", file=path, allowed=allowed) from error
    if not is_passport(content):
        raise RatifyError("is not a passport", file=path, allowed=allowed)
    if content.get("format") != FORMAT:
        raise RatifyError(
            "was written by another version of Ratify",
            file=path,
            column="format",
            value=content.get("format"),
            allowed=str(FORMAT),
        )
    missing = [key for key in _KEYS if key not in content]
    if missing:
        raise RatifyError("is cut", file=path, column=missing[0], allowed=allowed)
    return dict(content)


def is_passport(content: object) -> bool:
    """Say whether a JSON value is a passport, of any version."""
    context = content.get("@context") if isinstance(content, Mapping) else None
    return isinstance(context, Mapping) and context.get("gate") == CONTEXT["gate"]


def passport_differences(content: Mapping[str, Any], folder: Path) -> list[Claim]:
    """Return each claim of a passport, whether a study folder bears it out, and what differs.

    Nothing is raised for what is missing or wrong in the folder: it is told as a claim.

    Parameters
    ----------
    content : mapping
        From `read_passport`.
    folder : Path
        A study folder.
    """
    lock, fault = _lock_of(folder)
    return [
        _seal(content),
        *_of_lock(content, folder, lock, fault),
        _registry(content, lock),
        _code(content),
        *_of_files(content, folder),
        *_of_sections(content, folder),
    ]


def _seal(content: Mapping[str, Any]) -> Claim:
    claim = "the passport is as it was written"
    if sealed(dict(content))[SEAL] == content.get(SEAL):
        return Claim(claim, YES, "")
    return Claim(claim, NO, "its content does not have the SHA-256 that it says")


def _lock_of(folder: Path) -> tuple[Lock | None, str]:
    if not (folder / LOCK_FILE).exists():
        return None, f"the folder has no {LOCK_FILE}"
    try:
        return read_lock(folder), ""
    except RatifyError as error:
        return None, str(error)


def _of_lock(
    content: Mapping[str, Any], folder: Path, lock: Lock | None, fault: str
) -> Iterator[Claim]:
    hashes = content["hashes"]
    claim = "the plan hash is that of the folder's lock"
    if hashes.get("newest") is None:
        yield Claim(claim, CANNOT, "the passport is of a plan that was not locked")
        return
    if lock is None:
        yield Claim(claim, CANNOT, fault)
        return
    same = (lock.root_hash, lock.plan_hash) == (hashes.get("root"), hashes.get("newest"))
    if same:
        yield Claim(claim, YES, "")
    elif hashes.get("newest") in lock.hashes:
        later = len(lock.hashes) - 1 - lock.hashes.index(str(hashes["newest"]))
        yield Claim(claim, NO, f"the plan was amended {later} times since")
    else:
        yield Claim(claim, NO, f"the folder's plan hash is {lock.plan_hash}")
    claim = "plan, items, sequences and texts are unchanged since the lock"
    try:
        verify_lock(folder, load_plan(folder))
    except RatifyError as error:
        yield Claim(claim, NO, str(error))
    else:
        yield Claim(claim, YES, "")


def _registry(content: Mapping[str, Any], lock: Lock | None) -> Claim:
    claim = "the registration holds this plan hash"
    urls = content["hashes"].get("registry") or []
    if not urls:
        return Claim(claim, CANNOT, "the passport names no registration")
    stamped = {str(stamp.get("url")) for stamp in (lock.stamps if lock else ())}
    gone = [url for url in urls if lock is not None and url not in stamped]
    if gone:
        return Claim(claim, NO, f"the folder's lock does not name {gone[0]}")
    return Claim(claim, CANNOT, f"look for the plan hash at {', '.join(map(str, urls))}")


def _code(content: Mapping[str, Any]) -> Claim:
    claim = "the analysis code is the one installed here"
    given = content["hashes"].get("code")
    if not given:
        return Claim(claim, CANNOT, "the passport does not say it")
    if given == analysis_code():
        return Claim(claim, YES, "")
    # other code is no fault of the passport, but it may not make the same results again
    return Claim(claim, CANNOT, f"other code is installed here, SHA-256 {analysis_code()}")


def _of_files(content: Mapping[str, Any], folder: Path) -> Iterator[Claim]:
    for one in content["isBasedOn"].get("distribution") or ():
        name = str(one.get("name"))
        claim = f"{name} is unchanged"
        place = _DATA_FOLDER if name not in {RESULTS.name, REPORT.name} else RESULTS.parent.name
        path = folder / place / Path(name).name
        if not path.is_file():
            yield Claim(claim, CANNOT, f"the folder has no {place}/{path.name}")
        elif files.sha256(path.read_bytes()) == one.get("sha256"):
            yield Claim(claim, YES, "")
        else:
            yield Claim(claim, NO, f"{place}/{path.name} has another SHA-256")


def _of_sections(content: Mapping[str, Any], folder: Path) -> Iterator[Claim]:
    """Yield whether what the passport says follows from the folder's results and plan."""
    again, fault = _again(folder)
    for key, words in _SECTIONS.items():
        claim = f"{words}: as in the results"
        if again is None:
            yield Claim(claim, CANNOT, fault)
            continue
        where = _first_difference(content[key], again[key], "")
        yield Claim(claim, NO if where else YES, where)


def _again(folder: Path) -> tuple[dict[str, Any] | None, str]:
    if not (folder / PLAN_FILE).exists():
        return None, f"the folder has no {PLAN_FILE}"
    try:
        sources: Sources = read_sources(folder)
    except RatifyError as error:
        return None, str(error)
    # as a file holds it: lists, not tuples
    return json.loads(json.dumps(passport(sources))), ""


def _first_difference(said: Any, found: Any, path: str) -> str:
    """Return the first place at which two JSON values differ, and both values; empty if nowhere."""
    if isinstance(said, Mapping) and isinstance(found, Mapping):
        for key in sorted({*said, *found}):
            if where := _first_difference(said.get(key), found.get(key), _joined(path, key)):
                return where
        return ""
    if isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        for place, (one, other) in enumerate(zip(said, found, strict=True)):
            name = one.get("propertyID") if isinstance(one, Mapping) else None
            if where := _first_difference(one, other, _joined(path, str(name or place))):
                return where
        return ""
    if said == found:
        return ""
    return f"{path or 'it'} is {_short(said)} in the passport and {_short(found)} in the folder"


def _joined(path: str, key: str) -> str:
    return f"{path}, {key}" if path else key


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
