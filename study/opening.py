"""Open and lock a study folder: read every file, and refuse files that do not fit together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from prereg.amendments.chain import changed_prefix
from prereg.derived import chained_part, hashed_items
from prereg.design.dealing import Items
from prereg.design.practice import practice_ids
from prereg.design.sequences import (
    CHECK_SCENARIO,
    Trial,
    check_ids,
    generate_sequences,
    more_sequences,
    sequence_rows,
)
from prereg.errors import RatifyError
from prereg.frame.hashed import frame_part
from prereg.images import study_images
from prereg.kinds.registry import kind_of
from prereg.lock import LOCK_FILE, Lock, plan_hash, read_lock, refuse_changed, write_lock
from prereg.parts import SEQUENCES_FILE, hash_parts, read_texts, sequence_columns
from prereg.plan.collection import AttentionCheck
from prereg.plan.file import PLAN_FILE, load_collected, load_plan
from prereg.plan.model import Plan
from prereg.plan.practice import PracticeTrial
from prereg.tables.items import read_items
from prereg.tables.prompts import refuse_mixed_prompts
from prereg.tables.reader import Table, read_table, write_csv
from prereg.tables.reading import OWN
from prereg.transport_log import log_changes, transport_of
from study.folder import Study
from study.items import Item
from study.judges.checks import check_before_lock
from study.judges.fits import check_baselines_beside, check_columns, check_habits, check_judges
from study.judges.version import judge_version
from study.language import check_language
from study.versions import earlier_versions

# The parts of a lock that are about judges alone.
OF_JUDGES = ("judges", "prompts")
PRACTICE_SCENARIO = "practice"


def open_study(
    folder: Path | str,
    *,
    must_be_locked: bool = False,
    same_judges: bool = True,
    amend: Literal["more", "anew"] | None = None,
) -> Study:
    """Open a study folder.

    Parameters
    ----------
    folder : path
        Holds plan.yaml and the files it names.
    must_be_locked : bool
        Whether to refuse a folder without a lock that matches it; live collection needs this.
    same_judges : bool
        Whether to refuse judges that no longer answer as they did when the study was locked.
        An export does not need this: no fault of a judge may stop it.
    amend : {'more', 'anew'}, optional
        Opens a locked study whose files have changed since: with the locked sequences and those
        that its plan has more, or with new sequences.

    Raises
    ------
    RatifyError
        When a file is missing or wrong, or a locked study has changed since it was locked.
    """
    folder = Path(folder)
    plan = load_plan(folder) if same_judges else load_collected(folder)
    if same_judges:
        check_judges(plan, folder)
        check_baselines_beside(plan, folder)
    check_language(plan.language, folder / PLAN_FILE)
    table = read_items(folder / plan.materials.items, plan.data.reading("items"))
    check_columns(plan, table)
    if same_judges:
        check_habits(plan, table)
    locked = must_be_locked or (folder / LOCK_FILE).exists()
    # what release 0.4.0 let be locked is still collected and exported
    if kind_of(plan).one_prompt or (kind_of(plan).compares and not locked):
        refuse_mixed_prompts(table.path, table.rows, table.places)
    texts = read_texts(folder, plan)
    lock = read_lock(folder) if locked else None
    if lock is None or amend == "anew":
        trials = generate_sequences(plan, table)
    else:
        # locked sequences are not made again: another version of numpy may shuffle differently
        trials = read_sequences(folder, plan, table)
    if amend == "more" and lock is not None:
        trials = trials[: _locked_rows(folder, plan, lock)]
        trials += more_sequences(plan, table, trials)
    made = lock is None or amend is not None
    # what is amended is hashed as a new study is
    like = None if amend is not None else lock
    # studies that 0.4.0 locked have no images, and may show raw HTML as it is written
    images = (
        study_images(folder, plan, texts, table) if like is None or "images" in like.parts else {}
    )
    versions = _versions(plan, folder) if same_judges or like is None else {}
    parts = hash_parts(
        plan,
        items=hashed_items(folder, table.written),
        sequences=[dict(row) for row in sequence_rows(plan, trials)]
        if made
        else read_table(folder / SEQUENCES_FILE, OWN).written,
        texts=texts,
        prompts=versions,
        images={name: image.sha256 for name, image in images.items()},
        frame=_frame(folder, plan, must_be_there=locked),
        chained=chained_part(folder),
        lock=like,
    )
    if like is not None:
        if not same_judges:
            parts |= {name: like.parts[name] for name in OF_JUDGES if name in like.parts}
        refuse_changed(folder, like, parts, plan)
    items = {
        record["item_id"]: Item(
            record["item_id"], record["scenario"], record["text"], record.get("prompt", "")
        )
        for record in table.rows
    }
    study = Study(
        folder,
        plan,
        table,
        items,
        {**items, **_extra_texts(plan, table)},
        _by_sequence(trials),
        texts,
        images,
        parts,
        plan_hash(parts) if like is None else like.plan_hash,
        lock,
        versions,
        earlier_versions(folder, like.versions[:-1], table) if like is not None else {},
    )
    if isinstance(plan.practice, int) and plan.practice:
        _check_practice(study)
    return study


def _frame(folder: Path, plan: Plan, *, must_be_there: bool) -> dict[str, str]:
    """Return the frame as the lock hashes it; a study that is not locked may not have one yet."""
    if plan.causal is None or (not must_be_there and not (folder / plan.causal.frame).exists()):
        return {}
    return frame_part(folder, plan)


def _versions(plan: Plan, folder: Path) -> dict[str, str]:
    """Return what the lock keeps about each judge."""
    return {judge.id: judge_version(judge, plan, folder) for judge in plan.judges}


def _extra_texts(plan: Plan, table: Table) -> dict[str, Item]:
    """Return the texts of attention checks and practice by id; raise if an item has such an id."""
    found = {}
    taken = {record["item_id"]: row for row, record in enumerate(table.rows, start=2)}
    own = plan.practice if not isinstance(plan.practice, int) else ()
    extra: list[tuple[str, str, Sequence[AttentionCheck | PracticeTrial], list[Items]]] = [
        ("an attention check", CHECK_SCENARIO, plan.attention_checks, check_ids(plan)),
        ("a practice trial", PRACTICE_SCENARIO, own, practice_ids(plan)),
    ]
    for what, scenario, trials, ids in extra:
        for trial, names in zip(trials, ids, strict=True):
            for name, text in zip(names, trial.texts, strict=True):
                if name in taken:
                    raise table.error(
                        taken[name], "item_id", f"is the id of {what}", allowed="another id"
                    )
                found[name] = Item(name, scenario, text, trial.prompt or "")
    return found


def _check_practice(study: Study) -> None:
    """Refuse practice trials that the items are too few for."""
    try:
        study.practice_draw.refuse_too_few()
    except RatifyError as error:
        raise RatifyError(
            error.problem,
            file=study.folder / PLAN_FILE,
            column=error.column,
            value=error.value,
            allowed=error.allowed,
        ) from error


def lock_study(folder: Path | str) -> tuple[Study, Lock]:
    """Freeze a study: write its sequences and its lock.

    Returns
    -------
    (Study, Lock)

    Raises
    ------
    RatifyError
        When a file is missing or wrong, or the study has changed since it was locked.
    """
    study = open_study(folder)
    trials = [trial for sequence in study.sequences.values() for trial in sequence]
    if study.lock is None:
        check_before_lock(study)
        frame_part(study.folder, study.plan)  # raises if the plan's frame is not there
        columns, rows = sequence_columns(study.plan), sequence_rows(study.plan, trials)
        write_csv(study.folder / SEQUENCES_FILE, columns, rows)
    lock = write_lock(
        study.folder,
        study.parts,
        study.plan,
        transport=transport_of(study.plan),
        held={**study.texts, "prompts": dict(study.judges)},
        rows=len(trials),
    )
    log_changes(study.folder, study.plan, lock)
    return study, lock


def _locked_rows(folder: Path, plan: Plan, lock: Lock) -> int:
    """Return how many rows of the sequences table are locked; an amendment may have been cut off.

    Raises
    ------
    RatifyError
        When the first rows are not those that were locked.
    """
    rows = read_table(folder / SEQUENCES_FILE, OWN).written
    columns = sequence_columns(plan)
    count = lock.versions[-1].rows
    count = len(rows) if count is None else count
    kept = [{name: row[name] for name in columns} for row in rows[:count]]
    if changed_prefix(kept, [(count, lock.parts["sequences"])]) is not None:
        raise RatifyError(
            "has other sequences than those that were locked",
            file=folder / SEQUENCES_FILE,
            allowed="the file as it was locked; `ratify amend` adds the sequences of more raters",
        )
    return count


def read_sequences(folder: Path, plan: Plan, items: Table) -> list[Trial]:
    """Read the sequences of a locked study.

    Raises
    ------
    RatifyError
        When the plan is not locked, the table is missing, or a row is not a trial of these items.
    """
    if not (folder / LOCK_FILE).exists():
        read_lock(folder)  # raises: the plan is not locked
    table = read_table(folder / SEQUENCES_FILE, OWN)
    table.require(*sequence_columns(plan))
    options = kind_of(plan).columns(plan)
    known = {record["item_id"] for record in items.rows}
    known.update(name for ids in check_ids(plan) for name in ids)
    trials = []
    for row, record in enumerate(table.rows, start=2):
        for side in options:
            if record[side] not in known:
                raise table.error(
                    row, side, "is not the id of an item", allowed=f"an id of {items.path.name}"
                )
        check = record["is_attention_check"]
        if not record["position"].isdecimal() or check not in {"true", "false"}:
            column = "is_attention_check" if record["position"].isdecimal() else "position"
            raise table.error(
                row, column, "is not what `ratify lock` wrote", allowed="the file as it was locked"
            )
        trials.append(
            Trial(
                record["sequence_id"],
                int(record["position"]),
                tuple(record[column] for column in options),
                check == "true",
                record["dimension"] if plan.design.apart else "",
            )
        )
    if plan.design.apart:
        _refuse_other_scales(table, trials, [scale.id for scale in plan.scales])
    return trials


def _refuse_other_scales(table: Table, trials: Sequence[Trial], scales: Sequence[str]) -> None:
    """Refuse a sequence of two scales, or of one that the plan does not have."""
    first: dict[str, str] = {}
    for row, trial in enumerate(trials, start=2):
        own = first.setdefault(trial.sequence_id, trial.dimension)
        if trial.dimension != own or own not in scales:
            raise table.error(
                row,
                "dimension",
                "is not what `ratify lock` wrote: a sequence asks for one scale of the plan",
                allowed=own if own in scales else ", ".join(scales),
            )


def _by_sequence(trials: list[Trial]) -> dict[str, tuple[Trial, ...]]:
    sequences: dict[str, list[Trial]] = {}
    for trial in trials:
        sequences.setdefault(trial.sequence_id, []).append(trial)
    return {name: tuple(sequence) for name, sequence in sequences.items()}
