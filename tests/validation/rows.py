"""All rows of the page: their names, their seeds, and the code that their results depend on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import import_module, metadata
from pathlib import Path

from tests.support.paths import ROOT
from tests.validation.check import Check

AREAS = (
    "ranking",
    "ties",
    "ranking_options",
    "agreement",
    "labels",
    "facets",
    "alike",
    "change",
    "regression",
    "few_clusters",
    "trials",
    "beside_people",
    "sources",
    "matching",
    "robust",
    "causal",
    "wrong_turns",
    "many_confounders",
    "power",
    "causal_gate",
)
# Packages that compute.
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "patsy")
OURS = ("analysis", "prereg", "tests", "data", "study")
# What it holds is words of faults: it is left out of the hash, as no result depends on them.
WORDS = "prereg.errors"


def checks() -> list[Check]:
    """Return all checks of all areas."""
    return [one for area in AREAS for one in import_module(_module(area)).checks()]


def modules() -> dict[str, str]:
    """Return the module that makes each row, by the row's name."""
    names = map(_module, AREAS)
    return {name_of(one): name for name in names for one in import_module(name).checks()}


def _module(area: str) -> str:
    return f"tests.validation.{area}"


def name_of(check: Check) -> str:
    """Return the name of a check, which no other check has."""
    return f"{check.area}: {check.function}: {check.what}: {check.design}"


def seed_of(check: Check) -> int:
    """Return the seed of a check, which stays the same if its function moves to another module."""
    function = check.function.rpartition(".")[2]
    name = f"{check.area}: {function}: {check.what}: {check.design}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@cache
def code_of(module: str) -> str:
    """Return a hash of what a module's results depend on.

    It covers the module, every module of ours that it imports, directly or through others, and the
    versions of the packages that compute. Comments, docstrings, layout, notes and the words of
    faults do not count.
    """
    versions = [f"{package} {metadata.version(package)}" for package in PACKAGES]
    parts = [
        *versions,
        *(hashed for name in sorted(needed(module) - {WORDS}) for hashed in _hashed(name)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def needed(module: str) -> set[str]:
    """Return a module of ours and all modules of ours that it needs, directly or through others."""
    found: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        path = _file(name)
        if name in found or path is None:
            continue
        found.add(name)
        left += _imports(name, path)
        left += [name.rpartition(".")[0]]  # importing a module runs the folders above it
    return found


def _imports(name: str, path: Path) -> Iterable[str]:
    """Return the modules that a module may import, wherever in its text."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{name} imports by a relative name"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _file(name: str) -> Path | None:
    """Return the file of a module of ours, None for anything else."""
    if name.partition(".")[0] not in OURS:
        return None
    path = ROOT.joinpath(*name.split("."))
    places = (path.with_suffix(".py"), path / "__init__.py")
    return next((place for place in places if place.is_file()), None)


def _hashed(name: str) -> list[str]:
    path = _file(name)
    assert path is not None
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        elif isinstance(node, ast.Call):
            node.keywords = [one for one in node.keywords if one.arg != "note"]
    return [name, hashlib.sha256(ast.dump(tree).encode()).hexdigest()]


_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
