"""Gathers what the documents of a study are made of."""

from __future__ import annotations

from pathlib import Path

from prereg.code import tool_version
from prereg.design.sequences import sequence_rows
from prereg.documents.material import Material, attached_files
from prereg.parts import SEQUENCES_FILE
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN
from study.judges.prompts.shown import prompt_files, shown_prompts
from study.judges.version import judge_version
from study.language import no_difference
from study.opening import open_study


def material_of(folder: Path, *, power: tuple[str, ...] = ()) -> Material:
    """Return a study as its documents describe it.

    Parameters
    ----------
    folder : Path
    power : tuple of str
        What is known of the plan's power, in sentences.

    Raises
    ------
    RatifyError
        When something in the folder is wrong, or has changed since it was locked.
    """
    study = open_study(folder)
    plan = study.plan
    if study.lock is None:
        trials = [trial for sequence in study.sequences.values() for trial in sequence]
        sequences = [dict(row) for row in sequence_rows(plan, trials)]
    else:
        sequences = [dict(row) for row in read_table(folder / SEQUENCES_FILE, OWN).written]
    return Material(
        folder,
        plan,
        study.table,
        sequences,
        study.texts,
        study.images,
        study.parts,
        study.plan_hash,
        tool_version(),
        lock=study.lock,
        prompts=shown_prompts(plan, folder),
        versions={judge.id: judge_version(judge, plan, folder) for judge in plan.judges},
        tie_answer=plan.design.tie_answer or no_difference(plan.language),
        files=attached_files(
            folder,
            plan,
            prompts=prompt_files(plan),
            images=study.images,
            sequences=sequences,
            locked=study.lock is not None,
        ),
        power=power,
    )
