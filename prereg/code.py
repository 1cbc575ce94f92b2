"""The hash of the code that analyses a study, so that a lock and results can name it."""

from __future__ import annotations

from functools import cache
from importlib import resources

from prereg import files

PACKAGES = ("analysis", "prereg")


@cache
def analysis_code() -> str:
    """Return the SHA-256 over path and content of every module of the analysis."""
    found = {}
    for package in PACKAGES:
        with resources.as_file(resources.files(package)) as root:
            for path in sorted(root.rglob("*")):
                if path.suffix in {".py", ".html"}:
                    content = path.read_bytes().replace(b"\r\n", b"\n")
                    found[f"{package}/{path.relative_to(root).as_posix()}"] = files.sha256(content)
    return files.sha256(files.canonical_json(found))
