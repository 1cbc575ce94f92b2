"""Records where numbers come from: the files that were read and the versions of the software."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prereg.files import sha256

PACKAGES = ("ratify-eval", "numpy", "pandas", "scipy", "matplotlib")


def provenance(files: Iterable[Path]) -> dict[str, Any]:
    """Return `inputs`, `python` and `packages`; file names without folders, for privacy.

    Parameters
    ----------
    files : iterable of Path
        All files that were read.
    """
    return {
        "inputs": [{"name": path.name, "sha256": sha256(path.read_bytes())} for path in files],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"
