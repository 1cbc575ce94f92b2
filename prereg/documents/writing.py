"""Writes the documents of a study into one folder, all of them or none."""

from __future__ import annotations

from pathlib import Path

from prereg import files
from prereg.documents.attached import without_seal
from prereg.documents.data_management import data_management
from prereg.documents.full import full_document, status
from prereg.documents.material import Material
from prereg.documents.page import Page, render
from prereg.documents.preregr import json_text, specification, yaml_text
from prereg.documents.prose import inline
from prereg.documents.registries import aspredicted, form_document, osf

FOLDER = "preregistration"
FULL = "study"
# The documents that are Markdown and HTML, with what they are.
NAMED = {
    "aspredicted": "AsPredicted",
    "osf": "OSF preregistration",
    "data_management": "Data management",
    FULL: "Full document",
}
NAMES = (
    *(f"{name}.{ending}" for name in NAMED for ending in ("md", "html")),
    "preregr.yaml",
    "preregr.json",
)
# Languages that are written from right to left.
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


def documents(material: Material) -> dict[str, str]:
    """Return every document of a study by the name of its file."""
    texts = {
        "aspredicted": form_document(
            "AsPredicted",
            "The registry's questions in short, and what the plan answers.",
            aspredicted(material),
            material,
        ),
        "osf": form_document(
            "OSF preregistration",
            "The sections of the registry's form, and what the plan answers.",
            osf(material),
            material,
        ),
        "data_management": f"# Data management: {inline(material.plan.title)}\n\n"
        f"{status(material)}\n\n{data_management(material)}\n",
        FULL: full_document(material),
    }
    found = {}
    for name, text in texts.items():
        found[f"{name}.md"] = text
        found[f"{name}.html"] = render(_page(material, NAMED[name], text))
    content = specification(material)
    return {**found, "preregr.yaml": yaml_text(content), "preregr.json": json_text(content)}


def _page(material: Material, kicker: str, text: str) -> Page:
    lock = material.lock
    if lock is None:
        said = "Not locked: the plan can still change."
    else:
        said = f"Locked at {lock.locked_at} by {lock.tool}"
        if lock.amendments:
            said += f", amended at {lock.amendments[-1].at} (amendment {len(lock.amendments)})"
    right = material.plan.language.partition("-")[0] in RIGHT_TO_LEFT
    return Page(
        title=material.plan.title,
        kicker=kicker,
        status=said,
        plan_hash="" if lock is None else lock.plan_hash,
        body=_body(material, text),
        language=material.plan.language,
        direction="rtl" if right else "ltr",
        images=material.images,
    )


def _body(material: Material, text: str) -> str:
    """Return what a page shows of a document: its head has the status, and no seal is for it."""
    return without_seal(text).replace(status(material), "")


def write_documents(material: Material, folder: Path | None = None) -> Path:
    """Write the documents of a study.

    Parameters
    ----------
    material : Material
    folder : Path, optional
        By default `preregistration/` in the study folder. What these documents are called is
        replaced in it; a folder that holds anything else is refused.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RatifyError
        When the folder holds other files or cannot be written.
    """
    place = folder or material.folder / FOLDER
    texts = documents(material)
    with files.replaced_folder(place, ours=NAMES) as beside:
        for name, text in texts.items():
            files.write_text(beside / name, text)
    return place
