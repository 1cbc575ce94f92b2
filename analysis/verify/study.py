"""Runs every check of a study folder, each by itself, so that one fault does not hide another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis.verify.again import check_effect, check_results
from analysis.verify.check import Check, cannot, checked
from analysis.verify.registered import check_code, check_lock, check_parts, check_stamps
from analysis.verify.rows import check_apart, check_chain, check_missing, check_tables
from prereg.errors import RatifyError
from prereg.plan.file import load_plan
from prereg.plan.model import Plan


def verify_study(folder: Path, began: Callable[[str], None] | None = None) -> list[Check]:
    """Check whether a study folder is as it was promised, from nothing but the folder.

    Parameters
    ----------
    folder : Path
        With plan.yaml and plan.lock.json; tables and results are checked where they are.
    began : callable, optional
        Is told in words what begins, where the analysis is run again.

    Returns
    -------
    list of Check
        In the order in which a study is made. Nothing in the folder is changed.

    Raises
    ------
    RatifyError
        When the folder holds something that is neither a file nor a folder.
    """
    _refuse_devices(folder)
    lock, found = check_lock(folder)
    plan = _plan(folder)
    if lock is None:
        found += [
            cannot(name, "the lock or its amendments cannot be read") for name in ("plan", "rows")
        ]
    else:
        found += check_parts(folder, lock)
        found.append(checked("rows", lambda: check_chain(folder, lock)))
    found.append(checked("tables", lambda: check_tables(folder, lock)))
    found.append(
        cannot("nothing missing", "the plan cannot be read")
        if plan is None
        else checked("nothing missing", lambda: check_missing(folder, plan))
    )
    if plan is not None and plan.design.apart:
        found.append(checked("scales apart", lambda: check_apart(folder, plan)))
    found += [*check_results(folder, lock, began), *check_effect(folder, lock, began)]
    if lock is not None:
        found += [check_code(lock), checked("stamps", lambda: check_stamps(folder, lock))]
    return found


def _refuse_devices(folder: Path) -> None:
    """Refuse what would be read without an end: a pipe, a device, or a link to one."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.exists() and not (path.is_file() or path.is_dir()):
            raise RatifyError("is neither a file nor a folder", file=path, allowed="a copy of it")


def _plan(folder: Path) -> Plan | None:
    try:
        return load_plan(folder)
    except RatifyError:
        return None
