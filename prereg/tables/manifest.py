"""The manifest beside exported tables: their rows and hashes, and what the store promised.

The store counts the answers of a session as they come, apart from the answers, and the answered
requests of a judge. A table from which a row is gone does not reach these counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from prereg import files
from prereg.errors import RatifyError

MANIFEST_FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an export wrote, and what the store had counted.

    Attributes
    ----------
    tool : str
        Name and version of the program that exported.
    plan_hash : str
        Of the newest version of the plan, locked or not.
    rows : mapping
        Number of rows of each file.
    sha256 : mapping
        Hash of each file.
    answered : mapping
        How many trials each session has answered, attention checks counted.
    requests : mapping
        How many requests each LLM judge has answered.
    withdrawals : mapping
        How many people have withdrawn, by mode; nothing of theirs is in the tables.
    """

    tool: str
    plan_hash: str
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    answered: Mapping[str, int]
    requests: Mapping[str, int]
    withdrawals: Mapping[str, int]

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a folder of tables."""
        files.write_json(folder / MANIFEST_FILE, {"format": FORMAT, **asdict(self)})


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a folder of tables; None if an earlier release exported them.

    Raises
    ------
    RatifyError
        When it cannot be read, or a newer Ratify wrote it.
    """
    path = folder / MANIFEST_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] > FORMAT:
            raise RatifyError(
                f"was written by a newer Ratify ({content['tool']})",
                file=path,
                column="format",
                value=content["format"],
                allowed=f"at most {FORMAT}; install that release",
            )
        return Manifest(
            tool=str(content["tool"]),
            plan_hash=str(content["plan_hash"]),
            rows={str(k): int(v) for k, v in content["rows"].items()},
            sha256={_name(k): str(v) for k, v in content["sha256"].items()},
            answered={str(k): int(v) for k, v in content["answered"].items()},
            requests={str(k): int(v) for k, v in content["requests"].items()},
            withdrawals={str(k): int(v) for k, v in content["withdrawals"].items()},
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RatifyError(
            "is not a manifest that `ratify export` wrote", file=path, allowed="the file as it was"
        ) from error


def same_bytes(content: bytes, digest: str) -> bool:
    """Say whether some text has a hash, with line ends as on Unix or as they are."""
    return digest in (files.sha256(content), files.sha256(content.replace(b"\r\n", b"\n")))


def edited_since_export(folder: Path) -> list[str]:
    """Return the names of the tables in a folder that are not as `ratify export` wrote them.

    Tables that are gone are left out; so are all, if an earlier release exported them.

    Raises
    ------
    RatifyError
        As `read_manifest`.
    """
    manifest = read_manifest(folder)
    return [
        name
        for name, digest in ({} if manifest is None else manifest.sha256).items()
        if (folder / name).is_file() and not same_bytes((folder / name).read_bytes(), digest)
    ]


def edited_notes(folder: Path) -> list[str]:
    """Return a sentence for each table that is not as `ratify export` wrote it."""
    return [
        f"{name} is not as `ratify export` wrote it: it was edited or replaced since"
        for name in edited_since_export(folder)
    ]


def _name(file: str) -> str:
    """Return the name of a table's file; raise ValueError if it leads out of the folder."""
    if re.fullmatch(r"\w[\w.-]*", file) is None:
        raise ValueError(file)
    return file
