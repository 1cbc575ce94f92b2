"""A specification for the R package preregr, which also carries the whole study.

The format is that of `preregr::prereg_spec_to_yaml` and `prereg_spec_to_json`: `specs` has the
text of each item, `form` the form (metadata, sections, items, value templates), `config` settings.
preregr keeps `config` as it is, so what rebuilds a study is there, under the key `ratify`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from prereg import files
from prereg.documents.attached import AS_WRITTEN, Attached, as_json, from_json
from prereg.documents.material import Material
from prereg.documents.registries import Asked, osf
from prereg.errors import RatifyError

EXTENSION = "ratify"
UNSPECIFIED = "Unspecified"
_NOT_GIVEN = ".na.character"
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def specification(material: Material) -> dict[str, Any]:
    """Return the specification, sealed by a SHA-256 over all of it."""
    asked = osf(material)
    content: dict[str, Any] = {
        # first, so that a file that was cut does not look like somebody else's specification
        EXTENSION: {"written_by": material.tool, "rebuilt_from": f"config.{EXTENSION}"},
        "specs": {one.id: {"text": one.answer} for one in asked},
        "jstf": {
            name: []
            for name in ("sources", "assertions", "justifications", "decisions", "justifier")
        },
        "form": _form(asked),
        "config": {
            "initialText": UNSPECIFIED,
            EXTENSION: {**material.manifest(), "files": as_json(material.files)},
        },
    }
    content["config"][EXTENSION]["sha256"] = _digest(content)
    return content


def _form(asked: list[Asked]) -> dict[str, Any]:
    sections = dict.fromkeys(one.section for one in asked)
    ids = {name: name.lower().replace(" ", "_") for name in sections}
    metadata = {
        "title": "A study with Ratify",
        "author": "Ratify",
        "version": "1",
        "comments": "The sections of OSF's preregistration form, filled in from a plan.",
    }
    return {
        "instructions": {
            "Use": {
                "heading": "Use",
                "description": "Filled in from the plan of a study. The key ratify under config "
                "holds the plan, the items, the sequences and every text.",
            }
        },
        "metadata": {name: {"field": name, "content": text} for name, text in metadata.items()},
        "items": {
            one.id: {
                "section_id": ids[one.section],
                "item_id": one.id,
                "item_label": one.question,
                "item_description": f"{one.question}, as the plan has it.",
                "item_valueTemplate": "string",
                "item_validValues": _NOT_GIVEN,
                "item_validation": _NOT_GIVEN,
            }
            for one in asked
        },
        "sections": {
            ids[name]: {
                "section_id": ids[name],
                "section_label": name,
                "section_description": f"The section {name}.",
            }
            for name in sections
        },
        "valueTemplates": {
            "string": {
                "identifier": "string",
                "description": "A text",
                "validValues": _NOT_GIVEN,
                "default": '""',
                "examples": '"A text"',
                "validation": "is.na(VALUE) || (is.character(VALUE) && length(VALUE) == 1)",
                "error": "NAME is not one text.",
            }
        },
    }


def yaml_text(content: Mapping[str, Any]) -> str:
    """Return a specification as YAML."""
    return str(
        yaml.dump(dict(content), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=100)
    )


def json_text(content: Mapping[str, Any]) -> str:
    """Return a specification as JSON."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 over a specification, without the digest itself.

    The key at the top is left out, because R drops it.
    """
    bare = {name: part for name, part in unboxed(content).items() if name != EXTENSION}
    config = dict(bare["config"])
    config[EXTENSION] = {k: v for k, v in config[EXTENSION].items() if k != "sha256"}
    return files.sha256(files.canonical_json({**bare, "config": config}))


def unboxed(value: Any) -> Any:
    """Return a value in which a list of one text or number is that text or number, as R has it."""
    if isinstance(value, Mapping):
        return {str(key): unboxed(one) for key, one in value.items()}
    if isinstance(value, list):
        if len(value) == 1 and not isinstance(value[0], Mapping | list):
            return value[0]
        return [unboxed(one) for one in value]
    return value


def carried(content: Mapping[str, Any], *, file: Path) -> tuple[dict[str, Any], list[Attached]]:
    """Return what a specification of ours says about the study, and its files.

    Raises
    ------
    RatifyError
        When anything in it has changed since it was written.
    """
    content = unboxed(content)
    extension = content["config"][EXTENSION]
    try:
        right = extension["sha256"] == _digest(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        right = False
    if not right:
        raise RatifyError(
            "has been changed or cut: it does not have the SHA-256 that it says",
            file=file,
            column=f"config.{EXTENSION}.sha256",
            allowed=AS_WRITTEN,
        )
    found = from_json(extension["files"], file=file)
    # the digest has shown that these are the files that were written
    return {**extension, "files": {one.name: one.sha256 for one in found}}, found
