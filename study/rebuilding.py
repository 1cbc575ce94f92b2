"""Rebuilds a study folder from its document, or begins one from somebody else's specification."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from prereg import files
from prereg.documents.attached import AS_WRITTEN
from prereg.documents.reading import Document, Specification
from prereg.errors import RatifyError
from prereg.frame.hashed import PART
from prereg.parts import SEQUENCES_FILE
from prereg.plan.file import PLAN_FILE, load_plan, parse_plan
from prereg.tables.notes import heard_by
from study.folder import Study
from study.opening import open_study
from study.scaffold import new_study


def rebuild_study(
    document: Document, folder: Path, *, file: Path, with_lock: bool = False
) -> Study:
    """Make a study folder from a document of ours.

    Parameters
    ----------
    document : Document
    folder : Path
        Must be new or empty.
    file : Path
        The document, named in errors.
    with_lock : bool
        Whether to restore the lock too.

    Returns
    -------
    Study
        The new folder, opened; its plan hash is the one in the document.

    Raises
    ------
    RatifyError
        When the folder holds something, a file in the document is wrong, or the hash of what was
        rebuilt is another one. Then nothing is written.
    """
    locked = document.manifest.get("locked") is True
    if with_lock and not locked:
        raise RatifyError(
            "is the document of a study that was not locked", file=file, allowed="no --with-lock"
        )
    with files.replaced_folder(folder, ours=()) as beside:
        for one in document.files:
            restored = with_lock or (one.role == "study" and one.name != SEQUENCES_FILE)
            if restored:
                files.write_bytes(beside / one.name, one.content)
        _refuse_without_frame(beside, document, file)
        with heard_by(None):
            study = open_study(beside)
        _refuse_another(study, document, file, with_lock=with_lock)
    with heard_by(None):  # the same files, under their own names
        return open_study(folder)


def _refuse_without_frame(folder: Path, document: Document, file: Path) -> None:
    """Refuse to rebuild a study whose frame was too large for its document."""
    if PART not in (document.manifest.get("parts") or {}):
        return
    causal = load_plan(folder).causal
    if causal is not None and not (folder / causal.frame).exists():
        raise RatifyError(
            "does not carry the frame, which is too large for a document, so the study cannot be "
            "rebuilt from it",
            file=file,
            value=causal.frame,
            allowed="a copy of the study folder",
        )


def _refuse_another(study: Study, document: Document, file: Path, *, with_lock: bool) -> None:
    """Refuse what was rebuilt if its hash is not the one in the document."""
    promised = document.manifest.get("plan_hash")
    if study.plan_hash == promised:
        return
    parts = document.manifest.get("parts") or {}
    names = sorted({*parts, *study.parts})
    differ = [name for name in names if parts.get(name) != study.parts.get(name)]
    if differ in (["sequences"], []) or set(differ) <= {"sequences", "plan", "judges"}:
        # amended sequences, another numpy, a lock of an earlier release
        raise RatifyError(
            f"cannot be locked anew to the same hash: {', '.join(differ) or 'the lock'} would "
            f"differ",
            file=file,
            allowed="--with-lock, which restores the lock too" if not with_lock else AS_WRITTEN,
        )
    raise RatifyError(
        f"what was rebuilt has another hash than the document says: {', '.join(differ)}",
        file=file,
        column="plan_hash",
        value=promised,
        allowed="the release of Ratify that wrote the document",
    )


@dataclass(frozen=True)
class Begun:
    """What of a specification went into a plan, and what did not, one line each."""

    taken: list[str]
    left: list[str]


def begin_study(given: Specification, folder: Path, *, worked: str) -> Begun:
    """Make a study folder from a worked plan, with what a specification says.

    Raises
    ------
    RatifyError
        When the folder holds something, or there is no such worked plan.
    """
    study = new_study(folder, worked=worked)
    path = folder / PLAN_FILE
    text = path.read_text(encoding="utf-8")
    taken, left = [], list(given.left)
    if given.title:
        text = _with_key(text, "title", given.title)
        taken.append("the title")
    if given.hypotheses:
        named = [{"id": f"H{n}", "text": one} for n, one in enumerate(given.hypotheses, start=1)]
        text = _with_key(text, "hypotheses", named)
        # which analysis serves which of these, only the researcher knows
        text = re.sub(r"(?m)^ +hypothesis: .*\n", "", text)
        taken.append(
            f"{len(named)} hypotheses; name them in the analyses that serve them (hypothesis: H1)"
        )
    if given.raters is not None:
        each = study.plan.design.raters_per_sequence
        if given.raters % each:
            left.append(f"the sample size {given.raters}: no multiple of raters_per_sequence")
        else:
            text = re.sub(r"(?m)^(  raters: )\d+", rf"\g<1>{given.raters}", text, count=1)
            taken.append(f"the sample size: {given.raters} raters")
    parse_plan(text, file=path)
    files.write_text(path, text)
    return Begun(taken, left)


def _with_key(text: str, key: str, value: object) -> str:
    """Return a plan's YAML with another value of one of its first keys, other lines as they are."""
    written = yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, width=95)
    found, count = re.subn(
        rf"(?m)^{key}:.*\n(?:[ -].*\n|\n(?=[ -]))*", lambda _: written, text, count=1
    )
    return found if count else f"{text.rstrip()}\n\n{written}"
