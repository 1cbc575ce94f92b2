"""Writes a passport and what goes with it into one folder, all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path

from prereg import files
from prereg.documents.page import Page, render
from prereg.passport.badge import badge
from prereg.passport.content import passport
from prereg.passport.sources import Sources
from prereg.passport.texts import citation_text, methods_text, page_text
from prereg.passport.verdict import PASSED, state_of

FOLDER = "passport"
PASSPORT = "passport.json"
NAMES = (PASSPORT, "passport.html", "passport.svg", "CITATION.cff", "methods.md")


def passport_files(sources: Sources) -> dict[str, str]:
    """Return the files of a passport by their names; the same results give the same bytes."""
    content, state = passport(sources), state_of(sources)
    drawn = badge(state)
    lock = sources.lock
    page = Page(
        title=sources.plan.title,
        kicker="Passport",
        status=f"Gate: {state.word}. {state.why}",
        plan_hash="" if lock is None else lock.plan_hash,
        body=page_text(content),
        badge=drawn,
        brief=True,
        warns=state.word != PASSED,
    )
    return {
        PASSPORT: json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "passport.html": render(page),
        "passport.svg": drawn,
        "CITATION.cff": citation_text(sources, state),
        "methods.md": methods_text(sources),
    }


def write_passport(sources: Sources, folder: Path | None = None) -> Path:
    """Write the passport of a study.

    Parameters
    ----------
    sources : Sources
    folder : Path, optional
        By default `passport/` in the study folder; a folder that holds anything else is refused.

    Raises
    ------
    RatifyError
        When the folder holds other files or cannot be written.
    """
    place = folder or sources.folder / FOLDER
    made = passport_files(sources)
    with files.replaced_folder(place, ours=NAMES) as beside:
        for name, text in made.items():
            files.write_text(beside / name, text)
    return place
