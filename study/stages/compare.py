"""Derives the study `compare/`, in which people compare the conversations of a chat."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from prereg import files
from prereg.chat.flow import TRIAL_FLOW
from prereg.chat.items import ITEM_COLUMNS, score_cell, scored_rows
from prereg.chat.model import ChatPlan
from prereg.chat.parts import read_chat_files
from prereg.chat.stages import (
    CONSENT,
    CONVERSATIONS,
    ELO,
    INSTRUCTIONS,
    ITEMS,
    OVERALL,
    SUPPORTERS,
    compare_plan,
    first_judge,
    without_empty_rankings,
)
from prereg.derived import COMPARE, DERIVED_FILE, ERASED_FILE, JUDGING, erased
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE
from prereg.parts import SEQUENCES_FILE
from prereg.plan.file import PLAN_FILE
from prereg.tables.reader import csv_text
from study.export.files import EXPORTED
from study.export.writing import TABLES_FOLDER
from study.opening import lock_study
from study.stages.chat import Chat
from study.stages.derived import (
    Made,
    chain,
    chat_items,
    comparable,
    kept,
    refuse_other,
    write_derived_plan,
    write_items,
)
from study.store.database import STORE_FILE
from study.store.sqlite_file import served_by_one

# What a derivation writes; anything else in the folder is the researcher's, and stays.
WRITTEN = (PLAN_FILE, ITEMS, SEQUENCES_FILE, LOCK_FILE, DERIVED_FILE, ERASED_FILE)
# What was made of an earlier derivation, and may quote what was withdrawn since.
_RESULTS = ("results", "results-blind")
_JOINED = tuple(f"{one}.csv" for one in (CONVERSATIONS, SUPPORTERS, TRIAL_FLOW))


class Judged(Protocol):
    """What judges said in `judging/`; see `analysis.evidence.stage_scores`."""

    @property
    def plan_hash(self) -> str:
        """The plan hash of the lock of `judging/`."""

    @property
    def scores(self) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
        """By judge and item: each dimension, `overall`, and `elo` if it ranks."""

    @property
    def rankings(self) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        """By judge that ranks: left, right and choice of every pair, in the order answered."""


def make_compare(chat: Chat, judged: Judged | None, *, began: bool) -> Made:
    """Derive the study in which people compare the conversations, and lock it.

    Parameters
    ----------
    chat : Chat
        With a plan that has a part `compare`.
    judged : Judged or None
        None if the plan has no judges.
    began : bool
        Whether people have come to it already.

    Raises
    ------
    RatifyError
        When the folder is derived from something else, or the sample cannot be drawn.
    """
    place = chat.folder / COMPARE
    if (place / LOCK_FILE).exists():
        refuse_other(chat, place)
        there, people = chat_items(place), chat.people()
        stay = all(row["rater"] in people for row in there)
        now = there if chat.plan.judges else comparable(chat.items())[0]
        # texts are erased first, whatever comes of deriving it anew
        made = kept(chat, place, now, there)
        if began or (stay and not made.later):
            return made
        try:
            # raters of a server that runs would answer what is not there any more
            with served_by_one(place / STORE_FILE):
                return _made_anew(chat, judged)
        except RatifyError as error:
            why = f"cannot be derived anew, so it stays as it is: {error.problem}"
            return replace(made, notes=(*made.notes, why))
    return _made_anew(chat, judged)


def _made_anew(chat: Chat, judged: Judged | None) -> Made:
    place = chat.folder / COMPARE
    rows, left_out, alone = _scored(chat, judged)
    sizes = Counter(row["scenario"] for row in rows)
    content = compare_plan(chat.plan, sizes)
    notes = alone + _sample_notes(chat.plan, content, left_out)
    items = {row["item_id"] for row in rows}
    if judged is not None:
        content, unranked = _with_rankings(chat, content, judged, items)
        notes += unranked
    with files.replaced_folder(place, ours=None) as beside:
        _copy_own(place, beside)
        write_derived_plan(chat, beside, content)
        _copy_texts(chat, beside)
        if judged is not None:
            _write_judges(chat.plan, judged, content, beside, items)
        columns = [*ITEM_COLUMNS, *(name for name in rows[0] if name not in ITEM_COLUMNS)]
        write_items(beside, columns, rows)
        chain(chat, beside, COMPARE, judging="" if judged is None else judged.plan_hash)
        lock_study(beside)
    return Made(place, len(rows), new=True, notes=notes)


def _scored(chat: Chat, judged: Judged | None) -> tuple[list[dict[str, str]], int, tuple[str, ...]]:
    """Return the rows of the items with the first judge's scores, and how many lack the sample's.

    Items whose text was erased in `judging/` are left out, too, and those that no other can be
    compared with, of which the last part says so.
    """
    rows, left_out = _with_scores(chat, judged)
    rows, alone = comparable(rows)
    if not rows:
        raise RatifyError(
            f"no scenario has two {chat.mode} conversations to compare",
            file=chat.folder / TABLES_FOLDER,
            allowed="conversations that are over, of participants whom no exclusion leaves out",
        )
    return rows, left_out, alone


def _with_scores(chat: Chat, judged: Judged | None) -> tuple[list[dict[str, str]], int]:
    if judged is None:
        return chat.items(), 0
    place = chat.folder / JUDGING
    gone = erased(place)
    rows = [row for row in chat_items(place) if row["item_id"] not in gone]
    first = first_judge(chat.plan)
    if first is None or chat.plan.measures is None:
        return rows, 0
    names = (ELO, OVERALL, *chat.plan.measures.dimensions)
    scored = scored_rows(rows, judged.scores[first], names)
    sample = None if chat.plan.compare is None else chat.plan.compare.sample
    kept = [row for row in scored if sample is None or row[sample.by] != ""]
    if not kept:
        raise RatifyError(
            "no conversation has the score that the sample is drawn by",
            file=chat.folder / PLAN_FILE,
            column="compare.sample.by",
            value=None if sample is None else sample.by,
            allowed="run `ratify judge` until every judge has answered",
        )
    return kept, len(scored) - len(kept)


def _sample_notes(plan: ChatPlan, content: Mapping[str, Any], left_out: int) -> tuple[str, ...]:
    notes = []
    sample = None if plan.compare is None else plan.compare.sample
    if left_out:
        notes.append(f"{left_out:,} conversations without the sample's score are not in it")
    drawn = content["design"].get("sample")
    if sample is not None and drawn["bins"] < sample.bins:
        notes.append(
            f"a scenario has too few conversations for {sample.bins} bins: {drawn['per_bin']} are "
            f"drawn from each of {drawn['bins']}"
        )
    elif sample is not None and drawn["per_bin"] < sample.per_bin:
        notes.append(
            f"a scenario has too few conversations for {sample.per_bin} in each of {sample.bins} "
            f"bins: {drawn['per_bin']} are drawn from each"
        )
    return tuple(notes)


def _copy_own(place: Path, beside: Path) -> None:
    """Keep what the researcher has in the folder, but no table or result of what it was before."""
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.name in (*WRITTEN, *_RESULTS):
            continue
        if path.name == TABLES_FOLDER:
            stale = shutil.ignore_patterns(*EXPORTED, *_JOINED)
            shutil.copytree(path, beside / path.name, ignore=stale)
        elif path.is_dir():
            shutil.copytree(path, beside / path.name)
        else:
            shutil.copyfile(path, beside / path.name)


def _copy_texts(chat: Chat, place: Path) -> None:
    assert chat.plan.compare is not None
    for name, source in (
        (CONSENT, chat.plan.compare.consent),
        (INSTRUCTIONS, chat.plan.compare.instructions),
    ):
        files.write_bytes(place / name, (chat.folder / source).read_bytes())
    for name in read_chat_files(chat.folder, chat.plan).images:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(chat.folder / name, place / name)


def _with_rankings(
    chat: Chat, content: dict[str, Any], judged: Judged, items: set[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the plan without rankings of no pairs, and what to say of them.

    Raises
    ------
    RatifyError
        When an analysis of the plan needs such a ranking.
    """
    pairs = {judge["id"]: len(_pairs(judged, judge["id"], items)) for judge in content["judges"]}
    content, empty = without_empty_rankings(content, pairs)
    for judge in empty:
        needs = _analyses_of_ranking(content, judge)
        if needs:
            raise RatifyError(
                f"judge {judge} answered no pair, and analyses rank by it",
                file=chat.folder / PLAN_FILE,
                column="analyses",
                value=", ".join(needs),
                allowed="ask it again with `ratify judge --again`, or a judge that answers",
            )
    return content, tuple(
        f"judge {judge} answered no pair, so it has no ranking here" for judge in empty
    )


def _analyses_of_ranking(content: Mapping[str, Any], judge: str) -> list[str]:
    return [
        one["id"]
        for one in content.get("analyses", ())
        if one.get("judge") == judge and one.get("score") == ELO
    ]


def _pairs(judged: Judged, judge: str, items: set[str]) -> list[tuple[str, str, str]]:
    said = judged.rankings.get(judge, ())
    return [pair for pair in said if {pair[0], pair[1]} <= items]


def _write_judges(
    plan: ChatPlan, judged: Judged, content: Mapping[str, Any], place: Path, items: set[str]
) -> None:
    """Write what LLMs said, so that they are not asked again."""
    assert plan.measures is not None
    names = list(plan.measures.dimensions)
    for judge in content["judges"]:
        if judge["kind"] != "table":
            continue
        scores = judged.scores[judge["id"]]
        rows = [
            {"item_id": item, **{name: score_cell(scores[item].get(name)) for name in names}}
            for item in sorted(items & scores.keys())
        ]
        files.write_text(place / judge["ratings"], csv_text(["item_id", *names], rows))
        if "ranking" in judge:
            columns = ["left_id", "right_id", "choice"]
            pairs = _pairs(judged, judge["id"], items)
            cells = [dict(zip(columns, pair, strict=True)) for pair in pairs]
            files.write_text(place / judge["ranking"], csv_text(columns, cells))
