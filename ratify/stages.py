"""What the commands do with a study of kind chat, whose second stage is in folders of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prereg.derived import COMPARE, JUDGING
from prereg.errors import RatifyError
from ratify.command_line import opened, store_if_any

if TYPE_CHECKING:
    from analysis.evidence.stage_scores import StageScores
    from prereg.chat.model import ChatPlan
    from study.folder import Study
    from study.stages.chat import Chat
    from study.store.database import Store

STAGES = (COMPARE, JUDGING)


def chat_in(folder: Path) -> ChatPlan | None:
    """Return the plan of a study of kind chat; None if the folder is of another kind."""
    from prereg.chat.file import is_chat, load_chat_plan

    return load_chat_plan(folder) if is_chat(folder) else None


def stage_folder(folder: Path, stage: str | None, *, mode: str | None = None) -> Path:
    """Return the folder of a stage: of a chat's comparison `compare/`, else the folder itself.

    Parameters
    ----------
    folder : Path
    stage : str or None
        `compare` or `judging`; None for the study itself.
    mode : str, optional
        The mode in which it is to be served: live raters compare live conversations.

    Raises
    ------
    RatifyError
        When there is no such stage yet, or its conversations are of another mode.
    """
    from prereg.derived import chained

    if stage is None:
        return folder
    place = folder / stage
    if not _is_locked(place):
        # `ratify items` makes judging/, and with it `ratify judge` makes compare/
        items = "run `ratify items` first"
        then = items if stage == JUDGING else "run `ratify items`, then `ratify judge`, first"
        raise RatifyError(
            f"has no stage {stage} yet" if chat_in(folder) else "is no study with stages",
            file=folder,
            allowed=then if chat_in(folder) else "a study of kind chat, or no --stage",
        )
    there = chained(place)
    if mode == "live" and there is not None and there.mode != mode:
        raise RatifyError(
            f"these conversations are {there.mode} data, which live raters are not shown",
            file=place,
            allowed=f"--mode {there.mode}",
        )
    return place


def analysed_folder(folder: Path) -> Path:
    """Return where the results of a study are: of a chat, in its second stage."""
    from prereg.chat.file import is_chat

    if not is_chat(folder):
        return folder
    for stage in STAGES:
        if _is_locked(folder / stage):
            return folder / stage
    raise RatifyError(
        "the conversations are not judged yet",
        file=folder,
        allowed="run `ratify items`, then `ratify judge`, first",
    )


def export_chat_tables(folder: Path) -> None:
    """Export the tables of a chat again, if its store is here; a copy of tables is taken as is."""
    from study.chat.opening import open_chat
    from study.export.chat.files import export_chat
    from study.export.writing import FORMATS, TABLES_FOLDER

    study = open_chat(folder)
    there = [one for one in FORMATS if (folder / TABLES_FOLDER / f"participants.{one}").exists()]
    with store_if_any(folder) as store:
        if store is not None:
            export_chat(store, study, format=next(iter(there), FORMATS[0]))


def derive(folder: Path, plan: ChatPlan, *, mode: str) -> list[str]:
    """Derive what follows from a chat's conversations, as far as judges have answered.

    Parameters
    ----------
    folder : Path
    plan : ChatPlan
    mode : {'live', 'pilot', 'bot'}
        Which conversations are taken.

    Returns
    -------
    list of str
        What was done, one sentence each.

    Raises
    ------
    RatifyError
        When the chat is not locked, or there is nothing to derive from.
    """
    from study.stages.chat import read_chat

    chat = read_chat(folder, plan, mode=mode)
    try:
        return _derive(chat)
    finally:
        _join_again(chat)


def _derive(chat: Chat) -> list[str]:
    from study.stages.judging import make_judging

    folder, lines = chat.folder, list[str]()
    judged: StageScores | None = None
    if chat.plan.judges:
        asked = _begun(folder / JUDGING)
        made = make_judging(chat, asked=asked)
        if made.new:
            _same_database(folder, made.folder)
        lines += [*made.lines(), *_forget(made.folder)]
        if not asked:
            return [*lines, f"next: ratify judge {folder}"]
        judged = judged_in(folder / JUDGING)
        if judged is None:
            if _is_locked(folder / COMPARE):  # who withdrew leaves it, whatever judges still owe
                lines += _derive_compare(chat, None, began=True)
            return [*lines, f"judges have not answered everything yet: ratify judge {folder}"]
    return [*lines, *_derive_compare(chat, judged)]


def derive_again(folder: Path, plan: ChatPlan) -> list[str]:
    """Derive what follows once judges have answered, of the conversations that they were asked."""
    from prereg.derived import chained

    there = chained(folder / JUDGING)
    return [] if there is None else derive(folder, plan, mode=there.mode)


def _derive_compare(chat: Chat, judged: StageScores | None, *, began: bool = False) -> list[str]:
    from study.stages.compare import make_compare

    if chat.plan.compare is None:
        return []
    place = chat.folder / COMPARE
    made = make_compare(chat, judged, began=began or _begun(place, people=True))
    if made.new:
        _same_database(chat.folder, place)
    lines = [*made.lines(), *_forget(place)]
    if made.new:
        ask_offline(place)
    return [*lines, f"next: ratify serve {chat.folder} --stage {COMPARE}"]


def _same_database(folder: Path, place: Path) -> None:
    """Note in a derived study that its answers belong into the database of the chat's."""
    from prereg import files
    from study.store.database import ELSEWHERE_FILE

    if (folder / ELSEWHERE_FILE).exists():
        text = (folder / ELSEWHERE_FILE).read_text(encoding="utf-8")
        files.write_text(place / ELSEWHERE_FILE, text)


def _is_locked(place: Path) -> bool:
    from prereg.lock import LOCK_FILE

    return (place / LOCK_FILE).exists()


def _begun(place: Path, *, people: bool = False) -> bool:
    """Say whether a derived study holds answers; with `people`, whether anybody has come to it."""
    from sqlalchemy import select

    from study.export.tidy import holds_rows
    from study.opening import open_study
    from study.store.tables import Visit

    if not _is_locked(place):
        return False
    study = open_study(place, same_judges=False)
    with store_if_any(place) as store:
        if store is None:
            return (place / "data").is_dir()
        with store.reading() as connection:
            if not people:
                return holds_rows(connection, study)
            one = select(Visit.session_id).where(Visit.plan_hash == study.root_hash).limit(1)
            return connection.scalar(one) is not None


def _forget(place: Path) -> list[str]:
    """Delete what a derived study's store, tables and results hold of texts that were erased.

    Also what an earlier run left because it was stopped, or what a judge said since. Returns what
    the researcher should know.
    """
    from analysis.evidence.quoted import results_that_quote
    from prereg.derived import erased
    from study.export.files import export
    from study.export.writing import TABLES_FOLDER
    from study.stages.withdrawn import forget_replies, tables_hold

    gone = erased(place)
    if not gone:
        return []
    with store_if_any(place) as store:
        if store is not None:
            with _opened(place, store) as study:
                forgotten = forget_replies(store, study)
                if forgotten or tables_hold(place / TABLES_FOLDER, gone):
                    export(store, study)
    lines = []
    for results in results_that_quote(place, gone):
        shutil.rmtree(results)
        lines.append(f"{results}: quoted what was erased, so it is deleted: run `ratify analyze`")
    return lines


def _join_again(chat: Chat) -> None:
    """Take whoever withdrew out of the tables of the first stage that analyses have read."""
    from prereg.derived import chained

    for stage in STAGES:
        place = chat.folder / stage
        if any(path.exists() for path in _joined_paths(place)):
            there = chained(place)
            if there is not None and there.mode == chat.mode:
                _write_joined(chat, place)


@contextmanager
def _opened(place: Path, store: Store) -> Iterator[Study]:
    from study.opening import open_study

    yield open_study(place, same_judges=False)


def ask_offline(place: Path) -> None:
    """Ask the judges of the comparison: baselines anew, and LLMs by the tables of their scores."""
    from ratify.asking import ask_judges
    from study.export.files import export

    with opened(place, same_judges=True, new=True) as (study, store):
        ask_judges(study, store, yes=True)
        export(store, study)


def judged_in(place: Path) -> StageScores | None:
    """Return what the judges of `judging/` said; None while one of them has not said everything.

    Raises
    ------
    RatifyError
        When its tables are damaged.
    """
    from analysis.evidence.stage_scores import stage_scores
    from study.export.files import export

    with store_if_any(place) as store:
        if store is not None:
            with _opened(place, store) as study:
                if _left(study, store):
                    return None
                export(store, study)
    return stage_scores(place)


def _left(study: Study, store: Store) -> bool:
    """Say whether a judge is still to be asked something."""
    from prereg.plan.judging import BaselineJudge
    from ratify.asking import estimate_of
    from study.judges.runs.offline import is_complete

    return any(
        not is_complete(store, study, judge)
        for judge in study.plan.judges
        if isinstance(judge, BaselineJudge)
    ) or any(estimate_of(study, store, judge).calls for judge in study.plan.llms)


def joined(folder: Path, plan: ChatPlan, *, mode: str) -> None:
    """Write the tables of the first stage that analyses read into the folder that is analysed.

    Parameters
    ----------
    folder : Path
    plan : ChatPlan
    mode : {'live', 'pilot', 'bot'}
        Of the analysis. Pilots and bots may compare live conversations.

    Raises
    ------
    RatifyError
        When the conversations that were judged are none of live people, and the analysis is.
    """
    from prereg.derived import chained
    from study.stages.chat import read_chat

    place = analysed_folder(folder)
    there = chained(place)
    of = mode if there is None else there.mode
    if mode == "live" and of != mode:
        raise RatifyError(
            f"these are {of} conversations, and nothing of them is a live result",
            file=place,
            allowed=f"--mode {of}",
        )
    _write_joined(read_chat(folder, plan, mode=of), place)


def _joined_paths(place: Path) -> list[Path]:
    from prereg.chat.flow import TRIAL_FLOW
    from prereg.chat.stages import CONVERSATIONS, SUPPORTERS
    from study.export.writing import TABLES_FOLDER

    names = (CONVERSATIONS, SUPPORTERS, TRIAL_FLOW)
    return [place / TABLES_FOLDER / f"{name}.csv" for name in names]


def _write_joined(chat: Chat, place: Path) -> None:
    """Write the tables of the first stage; a table of which nobody is left keeps no row."""
    from prereg import files
    from prereg.chat.flow import FLOW_COLUMNS, flow_rows
    from prereg.chat.joined import joined_tables
    from prereg.plan.file import load_plan
    from prereg.tables.reader import csv_text
    from study.stages.chat import chat_rows

    *paths, flow_path = _joined_paths(place)
    wanted = load_plan(place).tables
    judging = chat.folder / JUDGING
    ratings = chat_rows(judging, "ratings") if judging.is_dir() else []
    made = joined_tables(chat.plan, chat.plan_hash, chat.tables, ratings, mode=chat.mode)
    for path in paths:
        if rows := made[path.stem] if path.stem in wanted else []:
            files.write_text(path, csv_text(list(rows[0]), rows))
        else:
            path.unlink(missing_ok=True)
    talks, people = chat.tables["conversations"], chat.tables["participants"]
    flow = flow_rows(chat.plan, talks, people, mode=chat.mode)
    files.write_text(flow_path, csv_text(list(FLOW_COLUMNS), flow))


def bring_stages_up_to_date(folder: Path, plan: ChatPlan, *, mode: str) -> Path:
    """Export what is newer in the stores, and join the tables; return the folder to analyse."""
    from study.export.files import export
    from study.export.writing import TABLES_FOLDER

    place = analysed_folder(folder)
    export_chat_tables(folder)
    for stage in {folder / JUDGING, place}:
        if not _is_locked(stage):
            continue
        if _begun(stage):
            with store_if_any(stage) as store:
                if store is not None:
                    with _opened(stage, store) as study:
                        export(store, study)
        if not (stage / TABLES_FOLDER).is_dir():
            raise RatifyError("has no answers yet", file=stage, allowed="run `ratify judge` first")
    joined(folder, plan, mode=mode)
    return place
