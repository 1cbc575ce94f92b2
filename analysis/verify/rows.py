"""Checks the exported tables: their hashes, the versions that rows name, and missing rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from analysis.evidence.tables import TABLES_FOLDER
from analysis.tables.tidy import table_path
from analysis.verify.check import Check, cannot, listed_differences, no, yes
from analysis.verify.times import collected, is_before, live_rows, made_at, rows_of
from prereg.kinds.registry import kind_of
from prereg.lock import Lock
from prereg.parts import SEQUENCES_FILE
from prereg.plan.model import Plan
from prereg.tables.manifest import MANIFEST_FILE, Manifest, read_manifest, same_bytes

# The tables that hold the answers to requests.
_HOLDING = ("judgments", "ratings", "best_worst", "probes")
_TAKEN = f"there is no {MANIFEST_FILE}, which `ratify export` writes beside the tables"
_OLD = f"there is no {MANIFEST_FILE}, so an earlier release exported these tables"


def check_tables(folder: Path, lock: Lock | None) -> Check:
    """Return whether every table is as it was exported."""
    name, place = "tables", folder / TABLES_FOLDER
    if not place.is_dir():
        return cannot(name, f"there is no {TABLES_FOLDER}/")
    manifest = read_manifest(place)
    if manifest is None:
        # whoever takes a row out could take the manifest away
        return no(name, _TAKEN) if lock is not None and lock.code else cannot(name, _OLD)
    found = []
    for file, digest in manifest.sha256.items():
        path = place / file
        if not path.exists():
            found.append(f"{file} is missing")
        elif not same_bytes(path.read_bytes(), digest):
            found.append(_difference(path, manifest.rows.get(file, 0)))
    if found:
        return no(name, listed_differences(found))
    return yes(name, f"all {len(manifest.sha256)} as `ratify export` wrote them")


def _difference(path: Path, exported: int) -> str:
    rows = len(rows_of(path))
    if rows != exported:
        return f"{path.name} has {rows} rows, and {exported} were exported"
    return f"{path.name} has been edited"


def check_chain(folder: Path, lock: Lock, of_chat: Collection[str] = ()) -> Check:
    """Return whether every row names a version of this plan, and was made while it was in force.

    Live visits and answers of people are also compared with the time of the lock. Pilots, bots and
    judges may have come before it.

    Parameters
    ----------
    folder : Path
    lock : Lock
    of_chat : collection of str
        In a study of kind chat, the names of its tables.
    """
    name, place = "rows", folder / TABLES_FOLDER
    since = {version.plan_hash: version.at for version in lock.versions}
    amended = set(lock.hashes[1:])
    found, counted = [], 0
    for path in collected(place, of_chat):
        for at, row in enumerate(rows_of(path), start=2):
            if "plan_hash" not in row:
                break
            counted += 1
            made, mine = made_at(row), row["plan_hash"]
            if mine not in since:
                found.append(
                    f"{path.name}, row {at}: no version of this plan has its hash {mine[:12]}"
                )
            elif mine in amended and made and made < since[mine]:
                found.append(f"{path.name}, row {at}: older than the version that it names")
    found += [
        f"{made.table}, row {made.row}: of {made.at}, before the lock of {lock.locked_at}"
        for made in live_rows(place, of_chat)
        if is_before(made.at, lock.locked_at)
    ]
    if found:
        return no(name, listed_differences(found))
    if not counted:
        return cannot(name, "no table has rows that name a plan")
    versions = "the locked plan" if len(since) == 1 else "a version of the locked plan"
    return yes(name, f"all {counted:,} were made under {versions}")


def check_apart(folder: Path, plan: Plan) -> Check:
    """Return whether every person rated one scale only, that of their sequence.

    For a plan that asks scales apart. Attention checks count: they ask for the same scale.
    """
    name, place = "scales apart", folder / TABLES_FOLDER
    rows = [row for row in rows_of(table_path(place, "ratings")) if row["rater_kind"] == "human"]
    if not rows:
        return cannot(name, "there are no ratings by people")
    scale_of = {row["sequence_id"]: row["dimension"] for row in rows_of(folder / SEQUENCES_FILE)}
    visits = rows_of(table_path(place, "participants"))
    asked = {row["session_id"]: scale_of.get(row["sequence_id"], "") for row in visits}
    found: list[str] = []
    rated: dict[tuple[str, str], str] = {}
    for row in rows:
        who, scale = (row["mode"], row["rater_id"]), row["dimension"]
        first = rated.setdefault(who, scale)
        if first != scale:
            found.append(f"rater {row['rater_id']} rated {row['item_id']} on {scale}, not {first}")
        elif asked.get(row["session_id"]) != scale:
            found.append(f"rater {row['rater_id']} was not asked for {scale}")
    if found:
        return no(name, listed_differences(list(dict.fromkeys(found))))
    return yes(name, f"{len(rated):,} raters rated one scale each")


def check_missing(folder: Path, plan: Plan) -> Check:
    """Return whether the tables have every row that the store had counted."""
    name, place = "nothing missing", folder / TABLES_FOLDER
    manifest = read_manifest(place)
    if manifest is None:
        return cannot(name, _OLD if place.is_dir() else f"there is no {TABLES_FOLDER}/")
    found = [
        *_visits(place, manifest),
        *_answers(place, plan, manifest),
        *_requests(place, manifest),
        *_withdrawals(place, manifest),
    ]
    if found:
        return no(name, listed_differences(found))
    said = f"{sum(manifest.answered.values()):,} answers of {len(manifest.answered):,} visits"
    asked = sum(manifest.requests.values())
    said += f" and {asked:,} requests to judges" if asked else ""
    return yes(name, f"{said}, as the store counted them")


def _visits(place: Path, manifest: Manifest) -> Iterator[str]:
    there = {row["session_id"] for row in rows_of(table_path(place, "participants"))}
    for session in manifest.answered.keys() - there:
        yield f"participants has no visit {session}"
    for session in there - manifest.answered.keys():
        yield f"participants has a visit {session} that the store had not"


def _answers(place: Path, plan: Plan, manifest: Manifest) -> Iterator[str]:
    table = kind_of(plan).table
    rows = rows_of(table_path(place, table))
    trials = {(r["session_id"], r["position"]) for r in rows if r.get("rater_kind") == "human"}
    answered = Counter(session for session, _ in trials)
    for session, promised in sorted(manifest.answered.items()):
        if answered[session] != promised:
            yield f"{table} has {answered[session]} of {promised} answers of visit {session}"
    for session in sorted(answered.keys() - manifest.answered.keys()):
        yield f"{table} has answers of a visit {session} that the store had not"


def _requests(place: Path, manifest: Manifest) -> Iterator[str]:
    rows = rows_of(table_path(place, "requests"))
    answered = Counter(row["rater_id"] for row in rows if row.get("status") == "answered")
    for judge in sorted({*manifest.requests, *answered}):
        if answered[judge] != manifest.requests.get(judge, 0):
            promised = manifest.requests.get(judge, 0)
            yield f"requests has {answered[judge]} of {promised} answered requests of {judge}"
    held = {
        row.get("request_id", "") for name in _HOLDING for row in rows_of(table_path(place, name))
    }
    lost = [
        row for row in rows if row.get("status") == "answered" and row["request_id"] not in held
    ]
    for row in lost:
        yield f"no row holds the answer of {row['rater_id']} to request {row['request_id'][:12]}"


def _withdrawals(place: Path, manifest: Manifest) -> Iterator[str]:
    gone = Counter(row["mode"] for row in rows_of(table_path(place, "withdrawals")))
    for mode in sorted({*manifest.withdrawals, *gone}):
        if gone[mode] != manifest.withdrawals.get(mode, 0):
            promised = manifest.withdrawals.get(mode, 0)
            yield f"withdrawals has {gone[mode]} of {promised} rows of mode {mode}"
