"""The earlier versions of an amended study, from what its lock and amendments hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.amendments.amendment import Version
from prereg.errors import RatifyError
from prereg.images import study_images
from prereg.lock import LOCK_FILE
from prereg.parts import hash_parts
from prereg.plan.model import Plan
from prereg.tables.reader import Table
from study.folder import Earlier

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
