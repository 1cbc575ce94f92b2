"""Checks the stages of a chat: that what was derived of its conversations is derived again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analysis.evidence.stage_scores import StageScores, stage_scores
from analysis.evidence.tables import TABLES_FOLDER
from analysis.tables.tidy import table_path
from analysis.verify.check import Check, cannot, checked, listed_differences, no, yes
from prereg.chat.file import load_chat_plan
from prereg.chat.flow import TRIAL_FLOW, flow_rows
from prereg.chat.items import Row, item_rows, scored_rows
from prereg.chat.joined import joined_tables
from prereg.chat.model import ChatPlan
from prereg.chat.stages import (
    CONVERSATIONS,
    ELO,
    ITEMS,
    OVERALL,
    SUPPORTERS,
    compare_plan,
    first_judge,
    judging_plan,
    plan_text,
    same_but_for_transport,
    without_empty_rankings,
)
from prereg.derived import (
    COMPARE,
    DERIVED_FILE,
    ERASED_FILE,
    JUDGING,
    Chained,
    chained,
    erased,
    hashed_items,
    inputs_hash,
)
from prereg.derived import with_digests as digested
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, read_lock
from prereg.plan.file import PLAN_FILE
from prereg.tables.notes import heard_by
from prereg.tables.reader import NoRowsError, read_table
from prereg.tables.reading import OWN
from prereg.yaml_file import read_mapping

_TABLES = ("conversations", "messages", "participants")


def check_derived(folder: Path, stage: str) -> list[Check]:
    """Check whether a stage of a chat follows from the chat: its chain, plan, items and scores.

    Parameters
    ----------
    folder : Path
        Of the chat.
    stage : {'judging', 'compare'}

    Returns
    -------
    list of Check
        Beside these, the stage is a study that is checked as any other.
    """
    asked = {"chain": _chain, "plan derived": _plan, "items derived": _items}
    if stage == COMPARE and JUDGING in _locked(folder):
        asked["scores"] = _scores
    asked["joined tables"] = _joined
    return [checked(name, partial(check, folder, stage)) for name, check in asked.items()]


def _locked(folder: Path) -> list[str]:
    return [stage for stage in (JUDGING, COMPARE) if (folder / stage / LOCK_FILE).exists()]


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as its file has them; none if it is absent or empty."""
    try:
        with heard_by(None):
            return read_table(path, OWN).written if path.exists() else []
    except NoRowsError:
        return []


def _derived(place: Path) -> Chained:
    there = chained(place)
    if there is None:
        raise RatifyError(
            "is not there", file=place / DERIVED_FILE, allowed="the file that `ratify items` wrote"
        )
    return there


def _chain(folder: Path, stage: str) -> Check:
    """Compare what a stage says that it was derived from with the locks and the items."""
    name, there, place = "chain", _derived(folder / stage), folder / stage
    root = read_lock(folder).root_hash
    if there.stage != stage or there.plan_hash != root:
        return no(name, f"derived from plan {there.plan_hash[:12]}, and the lock is {root[:12]}")
    if inputs_hash(_locked_items(place)) != there.inputs:
        return no(name, f"{ITEMS} has other items than those that were derived")
    if stage == COMPARE and there.judging:
        own = read_lock(folder / JUDGING).root_hash
        if own != there.judging:
            return no(
                name, f"derived from judging {there.judging[:12]}, and its lock is {own[:12]}"
            )
    return yes(name, f"derived from plan {root[:12]} and its {there.mode} conversations")


def _locked_items(place: Path) -> list[dict[str, str]]:
    return hashed_items(place, read_table(place / ITEMS, OWN).written)


def _plan(folder: Path, stage: str) -> Check:
    name, place, plan = "plan derived", folder / stage, load_chat_plan(folder)
    content: dict[str, Any] = judging_plan(plan)
    if stage == COMPARE:
        sizes = Counter(row["scenario"] for row in _locked_items(place))
        content = compare_plan(plan, sizes)
        if JUDGING in _locked(folder):
            pairs = _pairs(folder, {row["item_id"] for row in _locked_items(place)})
            content = without_empty_rankings(content, pairs)[0]
    there = _derived(place)
    as_text = partial(plan_text, plan_hash=there.plan_hash, mode=there.mode)
    found = (place / PLAN_FILE).read_text(encoding="utf-8")
    if as_text(content) == found:
        return yes(name, "the same bytes again")
    its = read_mapping(found, file=place / PLAN_FILE, what="plan")
    if as_text(its) == found and same_but_for_transport(content, its):
        return yes(name, "the same again; only how judges are reached differs")
    return no(name, f"{PLAN_FILE} is not the one that follows from the chat's plan")


def _pairs(folder: Path, items: set[str]) -> Counter[str]:
    """Return how many pairs of the comparison's items each judge has answered."""
    said = stage_scores(folder / JUDGING).rankings
    return Counter({judge: sum({p[0], p[1]} <= items for p in said[judge]) for judge in said})


def _items(folder: Path, stage: str) -> Check:
    """Derive the items again from the chat's tables; only what was withdrawn may be gone."""
    name, place = "items derived", folder / stage
    there = _derived(place)
    tables = {one: _rows(table_path(folder / TABLES_FOLDER, one)) for one in _TABLES}
    if not tables["conversations"]:
        return cannot(name, "there are no tables of the conversations")
    again = item_rows(there.plan_hash, mode=there.mode, **tables)
    now = {row["item_id"]: row for row in digested(again, {})}
    gone = erased(place)
    differs: list[str] = []
    lost: list[dict[str, str]] = []
    locked = _locked_items(place)
    for row in locked:
        mine = now.get(row["item_id"])
        if mine is None:
            lost.append(row)
        elif row["item_id"] in gone:
            differs.append(f"{row['item_id']} is erased, and its participant has not withdrawn")
        else:
            differs += [
                f"{row['item_id']} has another {column}"
                for column, cell in mine.items()
                if row[column] != cell
            ]
    strange = sorted(gone.keys() - {row["item_id"] for row in locked})
    differs += [f"{ERASED_FILE} has {one}, which is no item" for one in strange]
    people = _withdrawals(folder, there.mode)
    if len({row["rater"] for row in lost}) > people:
        differs += [f"no conversation makes {row['item_id']}" for row in lost]
        differs.append(f"{people} people withdrew")
    if differs:
        return no(name, listed_differences(differs))
    same = f"{len(locked) - len(lost)} of {len(locked)} the same again"
    owed = [row for row in lost if row["item_id"] not in gone]
    if owed:
        return cannot(
            name, f"{same}; {len(owed)} are of people who withdrew: `ratify items` erases them"
        )
    but = f"; {len(lost)} were erased, as {people} people withdrew" if lost else ""
    return yes(name, f"{same}{but}")


def _withdrawals(folder: Path, mode: str) -> int:
    """Return how many participants withdrew from conversations of a mode."""
    rows = _rows(table_path(folder / TABLES_FOLDER, "withdrawals"))
    return sum(row["mode"] == mode for row in rows)


def _joined(folder: Path, stage: str) -> Check:
    """Join the tables of the first stage again, where an analysis has read them."""
    name, place = "joined tables", folder / stage / TABLES_FOLDER
    made = (CONVERSATIONS, SUPPORTERS, TRIAL_FLOW)
    there = [one for one in made if table_path(place, one).exists()]
    tables = {one: _rows(table_path(folder / TABLES_FOLDER, one)) for one in _TABLES}
    if not there or not tables["conversations"]:
        return cannot(name, "there are none, or not what they are made of")
    plan, chain = load_chat_plan(folder), _derived(folder / stage)
    ratings = _rows(table_path(folder / JUDGING / TABLES_FOLDER, "ratings"))
    again = joined_tables(plan, chain.plan_hash, tables, ratings, mode=chain.mode)
    talks, people = tables["conversations"], tables["participants"]
    again[TRIAL_FLOW] = flow_rows(plan, talks, people, mode=chain.mode)
    found = {one: _rows(table_path(place, one)) for one in there}
    wrong = [one for one in there if found[one] != again[one]]
    kept, gone = _of_those_who_stayed(found, people)
    if wrong and 0 < gone <= _withdrawals(folder, chain.mode):
        wrong = [one for one in kept if kept[one] != again[one]]
        if not wrong:
            return cannot(name, f"{gone} people withdrew since: `ratify items` takes them out")
    if wrong:
        return no(name, f"{' and '.join(wrong)} do not follow from what was collected and judged")
    return yes(name, f"{', '.join(there)} are made again")


def _of_those_who_stayed(
    found: Mapping[str, Sequence[Row]], people: Sequence[Row]
) -> tuple[dict[str, list[Row]], int]:
    """Return the joined rows of those who have not withdrawn, and how many others have rows."""
    here = {row["session_id"] for row in people}
    named = {name: rows for name, rows in found.items() if name != TRIAL_FLOW}
    sessions = {row["session_id"] for rows in named.values() for row in rows}
    kept = {
        name: [row for row in rows if row["session_id"] in here] for name, rows in named.items()
    }
    return kept, len(sessions - here)


def _scores(folder: Path, stage: str) -> Check:
    """Compare the scores of the items, and the tables of LLMs, with what the judges said."""
    name, plan = "scores", load_chat_plan(folder)
    said = stage_scores(folder / JUDGING)
    found = [*_of_items(folder / COMPARE, plan, said), *_of_tables(folder / COMPARE, plan, said)]
    if found:
        return no(name, listed_differences(found))
    return yes(name, "those that the judges gave")


def _of_items(place: Path, plan: ChatPlan, said: StageScores) -> Iterator[str]:
    first, gone = first_judge(plan), erased(place)
    if first is None or plan.measures is None:
        return
    rows = [row for row in read_table(place / ITEMS, OWN).written if row["item_id"] not in gone]
    names = (ELO, OVERALL, *plan.measures.dimensions)
    bare = [{key: cell for key, cell in row.items() if key not in names} for row in rows]
    for row, again in zip(rows, scored_rows(bare, said.scores[first], names), strict=True):
        if row != again:
            yield f"{row['item_id']} has other scores"


def _of_tables(place: Path, plan: ChatPlan, said: StageScores) -> Iterator[str]:
    gone = erased(place)
    for judge in compare_plan(plan)["judges"]:
        if judge["kind"] != "table":
            continue
        rows = read_table(place / judge["ratings"], OWN).written
        mine = [row for row in rows if row["item_id"] not in gone]
        names = [name for name in (mine[0] if mine else {}) if name != "item_id"]
        bare = [{"item_id": row["item_id"]} for row in mine]
        if mine != scored_rows(bare, said.scores[judge["id"]], names):
            yield f"{judge['ratings']} is not what judge {judge['id']} said"
