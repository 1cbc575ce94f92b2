"""Which program this is: its version, and a hash of its code, by which results are the same."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from prereg import files

# What results follow from: the statistics, and how a plan and its tables are read.
_PACKAGES = ("analysis", "prereg")
_TEMPLATES = "templates"


def tool_version() -> str:
    """Return name and version of the installed distribution."""
    return f"ratify-eval {metadata.version('ratify-eval')}"


@functools.cache
def analysis_code() -> str:
    """Return one SHA-256 over the code and the templates of the packages analysis and prereg.

    It covers the relative path and the content of every file, with line ends as on Unix. The
    versions of other packages are not covered: the results name them.
    """
    return _hashed(_PACKAGES)


@functools.cache
def code_of(*packages: str) -> str:
    """Return one SHA-256 over the code and the templates of packages, as `analysis_code` does."""
    return _hashed(packages)


def _hashed(packages: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for name in packages:
        for path, content in sorted(_files_of(_folder_of(name))):
            whole.update(f"{name}/{path} {files.sha256(content)}\n".encode())
    return whole.hexdigest()


def _folder_of(package: str) -> Path:
    # the folder is looked up without an import: prereg does not know the analysis
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise LookupError(f"the package {package} is not installed as files")
    return Path(found.origin).parent


def _files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file that counts."""
    for path in folder.rglob("*"):
        if path.suffix == ".py" or (path.parent.name == _TEMPLATES and path.is_file()):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            yield path.relative_to(folder).as_posix(), content
