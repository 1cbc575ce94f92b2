"""The folder of a simulation: a copy of a study within the study's own folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prereg.errors import RatifyError
from prereg.exploratory import EXPLORATORY_FILE
from prereg.frame.hashed import frame_part
from prereg.images import study_images
from prereg.looks import LOOKS_FILE
from prereg.parts import SEQUENCES_FILE
from prereg.plan.judging import AnyJudge, LLMJudge
from prereg.plan.table_judge import TableJudge
from prereg.simulated import is_simulated, mark_simulated
from prereg.tables.chosen_sheet import file_and_sheet
from study.encoders.tables import EMBEDDINGS_FILE
from study.folder import Study
from study.opening import lock_study, open_study

SIMULATION = "simulation"
PROMPTS = "prompts"
# What was seen of the live answers is no part of a simulation.
NOT_COPIED = (LOOKS_FILE,)


def refuse_folder(folder: Path) -> None:
    """Raise `RatifyError` if a folder is a simulation, or its place for one holds other files."""
    if is_simulated(folder):
        raise RatifyError(
            "is a simulation already", file=folder, allowed="the folder of the study itself"
        )
    place = folder / SIMULATION
    if place.is_dir() and any(place.iterdir()) and not is_simulated(place):
        raise RatifyError(
            "holds files that `ratify simulate` did not make",
            file=place,
            allowed="no folder of this name in the study, or an earlier simulation",
        )


def copy_files(folder: Path, names: Iterable[str], place: Path) -> None:
    """Copy files of a study into an empty folder, and mark it as a simulation."""
    for name in dict.fromkeys(names):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, target)
    mark_simulated(place)


def names_of_plan(folder: Path) -> Iterator[str]:
    """Yield the names of a plan, of its lock and of what else is kept with it."""
    for path in folder.glob("plan.*"):
        if path.is_file() and path.name not in NOT_COPIED:
            yield path.name


def names_of_prompts(folder: Path, judges: Sequence[AnyJudge]) -> Iterator[str]:
    """Yield the names of the study's own prompts, if an LLM judges."""
    if any(isinstance(judge, LLMJudge) for judge in judges):
        for path in sorted((folder / PROMPTS).glob("*.yaml")):
            yield f"{PROMPTS}/{path.name}"


def copied(study: Study, place: Path) -> Study:
    """Copy a study into an empty folder and open it there; a study without a lock gets one there.

    Raises
    ------
    RatifyError
        When the study cannot be locked as it is.
    """
    copy_files(study.folder, _names(study), place)
    if study.lock is None:
        lock_study(place)
    return open_study(place, must_be_locked=True)


def _names(study: Study) -> Iterator[str]:
    """Yield the names of the files that a study is made of."""
    plan, folder = study.plan, study.folder
    yield from names_of_plan(folder)
    if (folder / EXPLORATORY_FILE).exists():
        yield EXPLORATORY_FILE
    if study.lock is not None:
        yield SEQUENCES_FILE
    tables = [plan.materials.items]
    yield from frame_part(folder, plan)
    tables += [name for j in plan.judges if isinstance(j, TableJudge) for name in j.files]
    for name in (plan.materials.consent, plan.materials.instructions, *tables):
        yield str(file_and_sheet(folder / name)[0].relative_to(folder))
    if plan.causal is not None and (folder / EMBEDDINGS_FILE).exists():
        yield EMBEDDINGS_FILE
    yield from study_images(folder, plan, study.texts, study.table)
    yield from names_of_prompts(folder, plan.judges)
