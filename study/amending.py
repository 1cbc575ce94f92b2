"""Amend a locked study: what has changed in its folder since, and what is known of its answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prereg.amendments.amendment import Amendment, Change, Known
from prereg.amendments.chain import append_amendment
from prereg.amendments.changes import changes_between, needs_new_sequences, refused_changes
from prereg.code import analysis_code, tool_version
from prereg.design.sequences import sequence_rows
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, complete_lock, of_lock, read_lock, utc_now
from prereg.parts import SEQUENCES_FILE, plan_parts, sequence_columns
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.judging import BaselineJudge
from prereg.tables.reader import write_csv
from prereg.transport_log import transport_of
from study.folder import Study
from study.judges.checks import check_before_lock
from study.known import what_is_known
from study.opening import open_study
from study.serving.server import refuse_served
from study.store.database import Store
from study.versions import earlier_versions

# What an amendment shows before and after, and a rater under way still needs.
_HELD = ("plan", "judges", "consent", "instructions")


@dataclass(frozen=True)
class Draft:
    """An amendment that is not recorded yet.

    Attributes
    ----------
    study : Study
        As its files are now, with the sequences of more raters.
    lock : Lock
    known : Known
    changes : tuple of Change
    store : Store or None
    """

    study: Study
    lock: Lock
    known: Known
    changes: tuple[Change, ...]
    store: Store | None


def draft_amendment(folder: Path, store: Store | None) -> Draft:
    """Return what an amendment of a study folder would record; nothing is written but the lock.

    A lock of an earlier release is completed with the texts that it hashes.

    Parameters
    ----------
    folder : Path
    store : Store or None
        None if the study never had one.

    Raises
    ------
    RatifyError
        When there is no lock, nothing has changed, a file is missing or wrong, or a change cannot
        be made because people have answered.
    """
    lock = read_lock(folder)
    known = what_is_known(folder, store, lock)
    fresh = known.state == "no_data"
    if not fresh:
        _refuse_other_columns(folder, lock)
    study = open_study(folder, amend="anew" if fresh else "more")
    others = study.parts["sequences"] != lock.parts["sequences"]
    apart = study.plan.design.apart
    if fresh and others and not needs_new_sequences(_changes(study, lock), apart=apart):
        study = open_study(folder, amend="more")
    check_before_lock(study)
    same = study.parts["sequences"] == lock.parts["sequences"]
    lock = complete_lock(folder, lock, _held(study, lock), len(_trials(study)) if same else None)
    changes = _changes(study, lock)
    if not changes:
        again = _restored_sequences(folder, study) if same else ""
        raise RatifyError(
            f"nothing has changed since the plan was locked{again}",
            file=folder / PLAN_FILE,
            allowed="edit the plan or a text first, then run `ratify amend`",
        )
    _refuse_lost(folder, lock, changes)
    if not fresh:
        for fault in refused_changes(changes, folder / PLAN_FILE):
            raise fault
        if known.judged:
            _refuse_further_answers_of_baselines(study, lock, changes)
        earlier_versions(folder, lock.versions, study.table)
    elif not same:
        refuse_served(folder)  # a rater could begin a sequence that is about to change
    return Draft(study, lock, known, tuple(changes), store)


def _refuse_other_columns(folder: Path, lock: Lock) -> None:
    """Refuse, by its key, the change after which the locked sequences lack or have a column."""
    held = lock.versions[-1].locked.get("plan")
    if held is None:
        return
    before, after = bool(held["design"].get("apart")), load_plan(folder).design.apart
    if before != after:
        change = Change("plan", "design.apart", before, after)
        for fault in refused_changes([change], folder / PLAN_FILE):
            raise fault


def _refuse_further_answers_of_baselines(study: Study, lock: Lock, changes: list[Change]) -> None:
    """Refuse what would ask a baseline for more than new trials: it answers the rest at once."""
    held = lock.versions[-1].locked
    before = {one["id"]: one for one in held.get("judges", held.get("plan", {}).get("judges", []))}
    dimensions = any(change.key.startswith("measures.") for change in changes)
    for number, judge in enumerate(study.plan.judges):
        old = before.get(judge.id)
        if not isinstance(judge, BaselineJudge) or old is None:
            continue
        pairs = judge.model_dump(mode="json", by_alias=True, exclude_none=True).get("pairs")
        if dimensions or old.get("pairs") != pairs:
            raise RatifyError(
                f"baseline '{judge.id}' has answered already, and is asked for new trials only",
                file=study.folder / PLAN_FILE,
                column="measures" if dimensions else f"judges.{number}.pairs",
                allowed="the pairs and the dimensions that were locked",
            )


def _restored_sequences(folder: Path, study: Study) -> str:
    """Put the locked sequences back, if an amendment was cut off and then given up; say so."""
    path, before = folder / SEQUENCES_FILE, b""
    if path.exists():
        before = path.read_bytes()
    _write_sequences(folder, study)
    restored = path.read_bytes().replace(b"\r\n", b"\n") != before.replace(b"\r\n", b"\n")
    return f", and {SEQUENCES_FILE} is again as it was locked" if restored else ""


def _write_sequences(folder: Path, study: Study) -> None:
    columns, rows = sequence_columns(study.plan), sequence_rows(study.plan, _trials(study))
    write_csv(folder / SEQUENCES_FILE, columns, rows)


def _changes(study: Study, lock: Lock) -> list[Change]:
    rows = len(_trials(study))
    return changes_between(lock.versions[-1], study.parts, _held(study, None), rows)


def _trials(study: Study) -> list[Any]:
    return [trial for sequence in study.sequences.values() for trial in sequence]


def _held(study: Study, lock: Lock | None) -> dict[str, Any]:
    """Return what a lock holds of each part."""
    return {**plan_parts(study.plan, lock), **study.texts, "prompts": dict(study.judges)}


def _refuse_lost(folder: Path, lock: Lock, changes: list[Change]) -> None:
    """Refuse a change of what the lock of an earlier release only has the hash of."""
    held = lock.versions[-1].locked
    for name in dict.fromkeys(change.part for change in changes):
        if name in _HELD and name in lock.parts and name not in held:
            raise RatifyError(
                f"the lock was made by {lock.tool}, and does not hold the {name} that was locked",
                file=folder / LOCK_FILE,
                allowed="put the locked files back, run `ratify lock`, which adds them to the "
                "lock; then edit and run `ratify amend`",
            )


def amend(folder: Path, draft: Draft, reason: str) -> Amendment:
    """Record an amendment: its sequences, then one line of the chain.

    Raises
    ------
    RatifyError
        When the reason is empty, somebody has begun or looked since the draft, or a file cannot be
        written.
    """
    said = " ".join(reason.split())
    if not said:
        raise RatifyError("an amendment needs a reason", file="--reason", allowed="a sentence")
    study, lock = draft.study, draft.lock
    trials, at = _trials(study), utc_now()
    # people may have answered while the draft was checked
    known = what_is_known(folder, draft.store, lock)
    if known.state != draft.known.state:
        raise RatifyError(
            f"this was known while the amendment was checked: {draft.known.sentence}. Now it is "
            f"{known.sentence}",
            file=folder,
            allowed="run `ratify amend` again",
        )
    amendment = Amendment(
        number=len(lock.amendments) + 1,
        at=at,
        reason=said,
        known=known,
        changes=draft.changes,
        parts=dict(study.parts),
        locked=_held(study, None),
        rows=len(trials),
        transport={
            name: dict(how)
            for name, how in transport_of(study.plan).items()
            if name not in lock.transport
        },
        of_lock=of_lock(lock),
        previous=lock.plan_hash,
        tool=tool_version(),
        code=analysis_code(),
    )
    amendment = replace(amendment, plan_hash=amendment.seal())
    _write_sequences(folder, study)  # an amendment that was cut off may have left others
    append_amendment(folder, amendment)
    return amendment
