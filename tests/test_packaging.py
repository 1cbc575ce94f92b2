"""If this failed, an installed wheel would lack a file that a checkout has."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("prereg", "study", "analysis", "data")


def test_every_data_file_of_a_package_is_shipped() -> None:
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    patterns = dict(config["options.package_data"])
    common = [p.strip() for p in patterns["*"].split(",")]
    for name in listed.stdout.split():
        package, _, inside = name.partition("/")
        globs = [p.strip() for p in patterns[package].split(",")] + common
        shipped = name.endswith(".py") or any(Path(inside).match(glob) for glob in globs)
        assert shipped, f"{name} is in no wheel: add it to package_data in setup.cfg"


def test_every_folder_with_code_is_a_package() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path.parent


def test_the_version_has_its_chapter_in_the_changelog() -> None:
    from importlib.metadata import version

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{version('ratify-eval')}]" in changelog
