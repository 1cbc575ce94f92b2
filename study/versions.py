"""The earlier versions of an amended study, from what its lock and amendments hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.amendments.amendment import Version
from prereg.errors import RatifyError
from prereg.images import study_images
from prereg.lock import LOCK_FILE
from prereg.parts import hash_parts
from prereg.plan.model import Plan
from prereg.plan.transport import TRANSPORT
from prereg.tables.reader import Table
from study.folder import Earlier, Study

TEXTS = ("consent", "instructions")


def earlier_versions(folder: Path, versions: Sequence[Version], table: Table) -> dict[str, Earlier]:
    """Return versions of a study that are not the newest, by plan hash.

    Raises
    ------
    RatifyError
        When a version cannot be read any more, or an image that it shows has changed.
    """
    found = {}
    for version in versions:
        texts = {name: str(version.locked[name]) for name in TEXTS if name in version.locked}
        if len(texts) < len(TEXTS) or "plan" not in version.locked:
            continue  # nobody had answered under it; `ratify amend` asks for the texts otherwise
        plan = plan_of(version.locked, folder)
        images = study_images(folder, plan, texts, table) if "images" in version.parts else {}
        shown = {name: image.sha256 for name, image in images.items()}
        parts = hash_parts(
            plan, items=[], sequences=[], texts=texts, prompts={}, images=shown, lock=None
        )
        if images and parts["images"] != version.parts["images"]:
            raise RatifyError(
                f"an image that version {version.number} of the study shows has changed",
                file=folder / LOCK_FILE,
                allowed="the image as it was; give a new image another name",
            )
        found[version.plan_hash] = Earlier(version.plan_hash, plan, texts, images)
    return found


def as_it_was(study: Study, version: Version) -> Study | None:
    """Return a study with the plan and the texts of a version; None if it does not hold them.

    Parameters
    ----------
    study : Study
        As its files are now. Items, sequences, prompts and images stay those of now.
    version : Version
    """
    held = version.locked
    if "plan" not in held or any(name not in held for name in TEXTS):
        return None
    now = {judge["id"]: judge for judge in study.plan.to_json()["judges"]}
    # how a judge's server is reached is not held
    judges = [
        {**{k: v for k, v in now.get(one["id"], {}).items() if k in TRANSPORT}, **one}
        for one in held.get("judges", held["plan"].get("judges", []))
    ]
    try:
        plan = Plan.model_validate({**held["plan"], "judges": judges})
    except ValidationError:
        return None
    return replace(study, plan=plan, texts={name: str(held[name]) for name in TEXTS})


def plan_of(locked: Mapping[str, Any], folder: Path) -> Plan:
    """Return the plan that a version holds, without its judges.

    Raises
    ------
    RatifyError
        When this release cannot read it.
    """
    content = {**locked["plan"], "judges": []}  # raters do not meet them
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise RatifyError(
            "holds a plan that this release cannot read",
            file=folder / LOCK_FILE,
            allowed="the release of Ratify that wrote it",
        ) from error
