"""Checks results by running the analysis again, and the report by making it again."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.estimating.reading import EMBEDDINGS_FILE
from analysis.estimating.run import estimate_effect
from analysis.evidence.tables import TABLES_FOLDER
from analysis.gate import CAUSAL_FOLDER
from analysis.report.data import read_results
from analysis.report.page import render
from analysis.results.files import BLIND_FOLDER, RESULTS_FOLDER
from analysis.run import analyze_study
from analysis.verify.check import Check, cannot, checked, listed_differences, nearly, no, yes
from analysis.verify.digits import same_digits
from analysis.verify.times import is_before
from prereg import files
from prereg.code import analysis_code
from prereg.derived import chained, erased_at
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, read_lock
from prereg.looks import LOOKS_FILE, read_looks
from prereg.plan.file import load_plan
from prereg.tables.manifest import read_manifest, same_bytes
from prereg.tables.notes import heard_by

REPORT = "report.html"
# What the study folder holds beside what an analysis reads.
_NOT_READ = shutil.ignore_patterns(
    RESULTS_FOLDER, BLIND_FOLDER, CAUSAL_FOLDER, "*.sqlite3*", ".*", "pseudonyms.csv"
)
_LONGEST = 40


def check_results(
    folder: Path, lock: Lock | None, began: Callable[[str], None] | None = None
) -> list[Check]:
    """Return whether the results follow from the tables, and the report from the results."""
    place = folder / RESULTS_FOLDER
    if not (place / "results.json").exists():
        why = f"there is no {RESULTS_FOLDER}/results.json"
        return [cannot(name, why) for name in ("looks", "results", "report")]
    try:
        meta = read_results(place / "results.json").meta
    except RatifyError as error:
        return [no("results", str(error)), no("report", str(error))]
    return [
        checked("looks", lambda: _looks(folder, meta, lock)),
        checked("results", lambda: _results(folder, meta, lock, began)),
        checked("report", lambda: _report(place, meta)),
    ]


def check_effect(
    folder: Path, lock: Lock | None, began: Callable[[str], None] | None = None
) -> list[Check]:
    """Return whether the causal results follow from the tables; nothing if there are none."""
    place = folder / CAUSAL_FOLDER
    if not (place / "results.json").exists():
        return []
    try:
        meta = read_results(place / "results.json").meta
    except RatifyError as error:
        return [no("effect", str(error)), no("report of the effect", str(error))]

    def estimated(study: Path) -> None:
        estimate_effect(
            study,
            mode=str(meta["mode"]),
            despite=str(meta.get("despite_gate", "")),
            at=str(meta["created_at"]),
            began=began,
        )

    return [
        checked("effect", lambda: _again("effect", place, meta, lock, estimated)),
        checked("report of the effect", lambda: _report(place, meta, "report of the effect")),
    ]


def _looks(folder: Path, meta: Mapping[str, Any], lock: Lock | None) -> Check:
    """Compare the looks that the results name with the log."""
    log = read_looks(folder)
    if meta.get("mode") != "live" or "looks" not in meta:
        logged = f"{len(log)} in the log" if log else "none in the log"
        return cannot("looks", f"these results do not count as a look; {logged}")
    named = [(one["at"], one["answers"]) for one in meta["looks"]]
    found = [(look.at, look.answers) for look in log]
    if found[: len(named)] != named:
        return no(
            "looks",
            f"the results name {len(named)}, and {LOOKS_FILE} has "
            + ("others" if len(found) >= len(named) else f"only {len(found)}"),
        )
    digest = log[len(named) - 1].results
    if not same_bytes((folder / RESULTS_FOLDER / "results.json").read_bytes(), digest):
        return no("looks", f"{LOOKS_FILE} has another hash of these results")
    # a stage of a chat may be derived anew after a withdrawal; its plan was locked with the chat
    if lock is not None and found and is_before(found[0][0], _promised_at(folder, lock)):
        return no(
            "looks", f"results were made at {found[0][0]}, before the lock of {lock.locked_at}"
        )
    later = len(found) - len(named)
    more = f"; {later} later, of which the results are not here" if later else ""
    return yes("looks", f"first at {named[0][0]}, {len(named)} in all{more}")


def _promised_at(folder: Path, lock: Lock) -> str:
    """Return when the plan was locked: that of a stage follows from the lock of its chat."""
    if chained(folder) is None or not (folder.parent / LOCK_FILE).exists():
        return lock.locked_at
    return min(lock.locked_at, read_lock(folder.parent).locked_at)


def _results(
    folder: Path, meta: Mapping[str, Any], lock: Lock | None, began: Callable[[str], None] | None
) -> Check:
    """Run the analysis again beside a copy of the tables, and compare every file."""

    def analysed(study: Path) -> None:
        analyze_study(study, mode=str(meta["mode"]), at=str(meta["created_at"]), began=began)

    return _again("results", folder / RESULTS_FOLDER, meta, lock, analysed)


def _again(
    what: str,
    place: Path,
    meta: Mapping[str, Any],
    lock: Lock | None,
    made: Callable[[Path], object],
) -> Check:
    """Make results again from a copy of the tables, and compare every file.

    Parameters
    ----------
    what : str
        The name of the check.
    place : Path
        The folder of the results, in the study folder.
    meta : mapping
        What they say of themselves.
    lock : Lock or None
    made : callable
        Makes them in the study folder that it is given.
    """
    folder = place.parent
    newer = list(
        _changed_inputs(folder, meta, _beside(folder) if place.name == CAUSAL_FOLDER else ())
    )
    if newer:
        since = sum(at > str(meta["created_at"]) for at in erased_at(folder))
        if since:
            why = f"the texts of {since} items were erased since these results, after a withdrawal"
            return cannot(what, f"{why}: `ratify analyze` makes them again")
        return no(what, f"not made from these tables: {listed_differences(newer)} differ")
    if lock is not None and meta.get("plan_hash") not in (None, lock.plan_hash):
        command = "causal" if place.name == CAUSAL_FOLDER else "analyze"
        return no(what, f"made under an earlier version of the plan; run `ratify {command}`")
    with tempfile.TemporaryDirectory() as name, heard_by(None):
        study = Path(name) / "study"
        _copy(folder, study)
        try:
            made(study)
        except RatifyError as error:
            return no(what, f"the analysis cannot be run again: {_in(folder, study, error)}")
        found = list(_differences(place, study / place.name))
        digits = same_digits(_files(place), _files(study / place.name)) if found else None
    other = _other_software(meta)
    said = f" ({'; '.join(other)})" if other else ""
    if digits is not None:
        return nearly(
            what,
            f"the analysis gives the same numbers to {digits} digits when it is run again, and not "
            "the same bytes, as with another library of linear algebra or another number of "
            f"processors{said}",
        )
    if found:
        return no(what, f"{listed_differences(found)}{said}")
    return yes(what, f"the analysis gives the same files when it is run again{said}")


def _beside(folder: Path) -> tuple[str, ...]:
    """Return what a causal estimate reads that is no exported table."""
    causal = load_plan(folder).causal
    return () if causal is None else (causal.frame, EMBEDDINGS_FILE)


def _changed_inputs(
    folder: Path, meta: Mapping[str, Any], beside: Sequence[str] = ()
) -> Iterator[str]:
    for name, digest in dict(meta.get("inputs", {})).items():
        path = folder / name if name in beside else folder / TABLES_FOLDER / Path(name).name
        if not path.exists():
            yield f"{name} (missing)"
        elif not same_bytes(path.read_bytes(), digest):
            yield name


def _copy(folder: Path, target: Path) -> None:
    """Copy what an analysis reads, the tables with the line ends that they were exported with."""

    def left_out(place: str, names: list[str]) -> set[str]:
        # a link to a folder may lead anywhere, also back to itself; one to nothing is no file
        here = {name: Path(place, name) for name in names}
        linked = {name for name, path in here.items() if path.is_symlink()}
        followed = {TABLES_FOLDER} if Path(place) == folder else set()
        strange = {
            name
            for name, path in here.items()
            if not (path.is_file() or (path.is_dir() and name not in linked - followed))
        }
        return strange | _NOT_READ(place, names)

    shutil.copytree(folder, target, ignore=left_out)
    manifest = read_manifest(target / TABLES_FOLDER)
    for name, digest in manifest.sha256.items() if manifest is not None else ():
        path = target / TABLES_FOLDER / name
        if path.exists() and files.sha256(path.read_bytes()) != digest:
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))


def _in(folder: Path, copy: Path, error: RatifyError) -> str:
    """Return an error of the copy as one of the folder."""
    return str(error).replace(str(copy), str(folder))


def _other_software(meta: Mapping[str, Any]) -> list[str]:
    """Return what made the results and is not what is installed here."""
    from analysis.evidence.provenance import versions

    said = []
    if meta.get("code") != analysis_code():
        said.append(
            "made by other analysis code than is installed here"
            if meta.get("code")
            else "made by a release that does not name its analysis code"
        )
    before = dict(meta.get("versions", {}))
    said += [
        f"{name} {before.get(name, 'unknown')} then, {now} here"
        for name, now in versions().items()
        if before.get(name) != now
    ]
    return said


def _differences(made: Path, again: Path) -> Iterator[str]:
    """Yield which files of two folders of results differ, the numbers of results.json first."""
    here, there = _files(made), _files(again)
    for name in sorted({*here, *there}, key=lambda one: (one != "results.json", one)):
        if name not in here:
            yield f"{name} is missing"
        elif name not in there:
            yield f"{name} is not a file of these results"
        elif name == "results.json":
            yield from _json_differences(here[name], there[name])
        elif _unix(here[name].read_bytes()) != _unix(there[name].read_bytes()):
            yield f"{name} has been edited"


def _files(folder: Path) -> dict[str, Path]:
    found = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    found.pop(REPORT, None)  # it is checked by itself
    return found


def _json_differences(made: Path, again: Path) -> Iterator[str]:
    texts = [_unix(path.read_bytes()) for path in (made, again)]
    one, other = map(json.loads, texts)
    whole = one == other
    for content in (one, other):  # said beside the differences
        for name in ("code", "versions"):
            content["meta"].pop(name, None)
    for difference in _unlike(one, other, ""):
        yield f"results.json, {difference}"
    if whole and texts[0] != texts[1]:
        yield "results.json has been laid out in another way"


def _unlike(one: Any, other: Any, place: str) -> Iterator[str]:
    """Yield the deepest places at which two JSON values differ, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys([*one, *other]):
            inner = f"{place}.{name}" if place else str(name)
            yield from _unlike(one.get(name), other.get(name), inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _unlike(*pair, f"{place}.{number}")
    elif one != other:
        yield f"{place}: {_short(one)} here, {_short(other)} when it is run again"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} entries"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _report(place: Path, meta: Mapping[str, Any], what: str = "report") -> Check:
    page = place / REPORT
    if not page.exists():
        return cannot(what, f"there is no {REPORT}")
    again = render(read_results(place / "results.json"), place / "figures")
    if _unix(page.read_bytes()) == again.encode("utf-8"):
        return yes(what, "made from these results")
    other = _other_software(meta)
    said = f" ({'; '.join(other)})" if other else ""
    return no(what, f"{REPORT} is not the report of these results{said}")


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
