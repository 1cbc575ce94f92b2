"""Make new study folders from a worked plan, with the user's items or the demo's."""

from __future__ import annotations

import math
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from prereg import files
from prereg.chat.worked import worked_chats
from prereg.errors import RatifyError
from prereg.frame.reading import ID, TEXT, scored
from prereg.frame.sampling import draw_sample, item_rows
from prereg.kinds.registry import kind_of
from prereg.plan.causal import FRAME_KINDS
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.schema import SCHEMA_FILE, SCHEMA_LINE, schema_text
from prereg.tables.items import ITEM_COLUMNS, Imported, import_items
from prereg.tables.notes import heard_by
from prereg.tables.places import BELOW_HEADER
from prereg.tables.prompts import refuse_mixed_prompts
from prereg.tables.reader import Table, read_table, write_csv
from prereg.tables.reading import Reading
from prereg.worked_plans import WORKED, Choices, chosen_plan, worked_plans, worked_texts
from study.folder import DEMO_MARK, Study
from study.opening import open_study

# Worked plans whose items are not the demo's conversations.
OWN_ITEMS = {"best_worst_sources": "responses.csv", "source_ratings": "responses.csv"}
# The demo's turn-pairs, of which the frame of a causal plan is made, have such ids.
_TURN_PAIR = re.compile(r"pair-\d+")
DEMO_TEXT = """This folder was made by `ratify demo`: simulated raters, composed conversations.
`ratify demo` replaces this folder, so do not keep your own files here.
"""
DEMO_ANALYSIS = """\
  - id: people_and_planted_quality   # only a simulation knows the truth
    kind: rank_correlation
    column: planted_quality
"""


def new_study(
    folder: Path,
    *,
    items: Path | None = None,
    id_column: str = "item_id",
    text_column: str = "text",
    scenario_column: str | None = None,
    worked: str = WORKED,
    demo: bool = False,
    frame: Path | None = None,
    reading: Reading | None = None,
    choices: Choices | None = None,
) -> Study:
    """Make a study folder from a worked plan.

    Parameters
    ----------
    folder : Path
        Must not hold a plan already.
    items : Path, optional
        The user's table of items; without it, the study has the demo's 150 conversations.
    id_column, text_column, scenario_column : str
        Names of these columns in that table; see `prereg.tables.items.import_items`.
    worked : str
        Name of a worked plan; see `prereg.worked_plans.worked_plans`.
    demo : bool
        Whether to add the comparison with the quality planted in the demo's conversations.
    frame : Path, optional
        The user's frame, for a worked plan with a causal section: CSV or Parquet. Its units are
        the items until `ratify sample` draws some of them.
    reading : Reading, optional
        How the user's table is read.
    choices : Choices, optional
        The language and other choices of the user; by default the worked plan's own, in English.

    Returns
    -------
    Study
        The new folder, opened, so that errors in it show now; the notes of its table say what was
        changed while the user's table was read.

    Raises
    ------
    RatifyError
        When the folder already has a plan, the items are wrong, or a choice is not possible.
    """
    if not demo:
        refuse_taken(folder)
    if worked not in worked_plans():
        raise RatifyError(
            "there is no such worked plan",
            file="--plan",
            value=worked,
            allowed=", ".join([*worked_plans(), *worked_chats()]),
        )
    choices = choices or Choices()
    plan = chosen_plan(worked, choices)
    notes: tuple[str, ...] = ()
    places = BELOW_HEADER
    own: list[dict[str, str]] = []
    if frame is not None:
        plan = _with_frame(plan, frame, items)
        rows = _units(frame)
    elif items is None:
        own = _demo_frame(plan)
        rows = _drawn(plan, own) if own else _demo_items(worked)
    else:
        imported = import_items(
            items,
            id_column=id_column,
            text_column=text_column,
            scenario_column=scenario_column,
            reading=reading,
        )
        rows, notes = imported.rows, imported.notes
        places = imported.places
        _refuse_lonely(items, imported, scenario_column or "scenario")
    columns = [*ITEM_COLUMNS, *(c for c in rows[0] if c not in ITEM_COLUMNS)]
    if choices.trials is not None:
        _refuse_more_trials(plan, rows)
    with files.replaced_folder(folder, ours=()) as beside:
        write_csv(beside / "items.csv", columns, rows)
        _write_frame(beside, plan, own, frame)
        for name, text in worked_texts(worked, choices.language).items():
            files.write_text(beside / name, text)
        files.write_text(beside / SCHEMA_FILE, schema_text())
        if items is not None and kind_of(parse_plan(plan, file=PLAN_FILE)).compares:
            # their own file and row, not those of the copy
            refuse_mixed_prompts(items, rows, places)
        files.write_text(beside / PLAN_FILE, SCHEMA_LINE + _fitted(plan, rows, demo=demo))
        if demo:
            files.write_text(beside / DEMO_MARK, DEMO_TEXT)
        with heard_by(None):
            try:
                open_study(beside)
            except RatifyError as error:
                raise _of_users_file(error, beside, folder, frame or items) from error
    with heard_by(None):  # a copy of what was read, which has other names
        study = open_study(folder)
    return replace(study, table=replace(study.table, notes=notes))


def _of_users_file(
    error: RatifyError, beside: Path, folder: Path, given: Path | None
) -> RatifyError:
    """Return a fault of a folder that is being made, as one of the user's table or folder.

    The row is left out of a fault of the items: it may be another one in the user's table.
    """
    if error.file is None or beside not in Path(error.file).parents:
        return error
    of_items = given is not None and Path(error.file).name == "items.csv"
    return RatifyError(
        error.problem,
        file=given if of_items else folder / Path(error.file).relative_to(beside),
        row=None if of_items else error.row,
        column=error.column,
        value=error.value,
        allowed=error.allowed,
        part=error.part,
        line=error.line,
    )


def refuse_taken(folder: Path) -> None:
    """Refuse a folder that holds anything, and say what it is and what to do."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return  # a new folder, or an empty one
    if (folder / PLAN_FILE).exists():
        lock = f"ratify lock {shlex.quote(str(folder))}"
        raise RatifyError(
            "holds a study already",
            file=folder / PLAN_FILE,
            allowed=f"go on with it (`{lock}`), or name another folder",
        )
    if (folder / "__init__.py").exists():
        raise RatifyError(
            "is a folder of Python code"
            + (", Ratify's own" if folder.resolve() == Path(__file__).parent.resolve() else ""),
            file=folder,
            allowed="the name of a folder that does not exist yet: `ratify new my-study`",
        )
    name = min(path.name for path in folder.iterdir())
    raise RatifyError(
        f"is not empty: it holds '{name}'",
        file=folder,
        allowed="a new or an empty folder: `ratify new my-study`",
    )


def has_demo_items(study: Study) -> bool:
    """Say whether a study shows items of the demo, which `ratify new` gives it."""
    return are_demo_items({name: item.text for name, item in study.items.items()})


def are_demo_items(texts: Mapping[str, str]) -> bool:
    """Say whether texts by item id are those of the demo."""
    if texts and all(map(_TURN_PAIR.fullmatch, texts)):
        return texts.items() <= {row["item_id"]: row["text"] for row in _turn_pairs()}.items()
    return any(
        texts == {row["item_id"]: row["text"] for row in _demo_items(worked)}
        for worked in (WORKED, *OWN_ITEMS)
    )


def _demo_items(worked: str = WORKED) -> list[dict[str, str]]:
    """Return the demo's items for a worked plan: conversations, unless it asks about others."""
    from prereg.tables.items import read_items

    name = OWN_ITEMS.get(worked, "items.csv")
    with resources.as_file(resources.files("data") / "demo" / name) as path:
        return read_items(path).rows


def _frame_name(plan: str) -> str:
    """Return the name of a plan's frame; empty if it has none."""
    causal = parse_plan(plan, file=PLAN_FILE).causal
    return "" if causal is None else causal.frame


def _with_frame(plan: str, frame: Path, items: Path | None) -> str:
    """Return a worked plan that names the user's frame, as frame.csv or frame.parquet."""
    before = _frame_name(plan)
    kind = frame.suffix.lower()
    if not before or kind not in FRAME_KINDS or items is not None:
        raise RatifyError(
            "is no frame that this plan could have",
            file="--frame",
            value=str(frame),
            allowed="a CSV or Parquet file, a --plan with a causal section, and no --items",
        )
    return plan.replace(f"  frame: {before} ", f"  frame: frame{kind} ")


def _write_frame(folder: Path, plan: str, own: list[dict[str, str]], frame: Path | None) -> None:
    """Write the frame of a causal plan: the demo's rows, or a copy of the user's file."""
    if own:
        write_csv(folder / _frame_name(plan), list(own[0]), own)
    if frame is not None:
        shutil.copyfile(frame, folder / _frame_name(plan))


def _units(frame: Path) -> list[dict[str, str]]:
    """Return the units of a frame as items."""
    table = read_table(frame)
    table.require(ID, TEXT)
    return [{ID: row[ID], "scenario": "all", TEXT: row[TEXT]} for row in table.rows]


def _demo_frame(plan: str) -> list[dict[str, str]]:
    """Return the demo's turn-pairs as the frame of a plan; none if it needs no frame."""
    return _turn_pairs() if _frame_name(plan) else []


def _turn_pairs() -> list[dict[str, str]]:
    from data.demo.turn_pairs import turn_pairs

    return turn_pairs()


def _drawn(text: str, frame: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the items that a plan draws from a frame."""
    plan = parse_plan(text, file=PLAN_FILE)
    units = scored(Table(Path(_frame_name(text)), tuple(frame[0]), frame), plan)
    return item_rows(plan, units, draw_sample(plan, units))


def _refuse_lonely(path: Path, items: Imported, column: str) -> None:
    counts = Counter(row["scenario"] for row in items.rows)
    for at, row in enumerate(items.rows):
        if counts[row["scenario"]] < 2:
            raise RatifyError(
                "has a single item",
                file=path,
                row=items.places.place(at),
                column=column,
                value=row["scenario"],
                allowed="at least two items to compare",
            )


def _fitted(plan: str, rows: list[dict[str, str]], *, demo: bool) -> str:
    """Return the worked plan, adapted to these items, with its comments."""
    if demo and "planted_quality" in rows[0]:
        plan = plan.replace("\ngate:\n", f"{DEMO_ANALYSIS}\ngate:\n")
    counts = Counter(row["scenario"] for row in rows)
    if len(counts) == 1:
        # with one scenario there are no differences between scenarios to adjust for
        plan = plan.replace(" + C(scenario)", "")
    return _with_trials(plan, min(counts.values()), len(counts))


def _refuse_more_trials(text: str, rows: list[dict[str, str]]) -> None:
    """Refuse more trials for each rater than the items have different ones."""
    plan = parse_plan(text, file=PLAN_FILE)
    counts = Counter(row["scenario"] for row in rows)
    fewest = min(counts.values())
    most = math.comb(fewest, min(kind_of(plan).shown(plan), fewest)) * len(counts)
    if plan.design.trials > most:
        raise RatifyError(
            "the items are too few for so many different trials",
            file="--trials",
            value=plan.design.trials,
            allowed=f"1 to {most}",
        )


def _with_trials(text: str, fewest: int, scenarios: int) -> str:
    """Return a plan that has no more trials or options than its items allow."""
    plan = parse_plan(text, file=PLAN_FILE)
    options = plan.design.options
    if options is not None and 3 <= fewest < options:
        text = text.replace(f"  options: {options} ", f"  options: {fewest} ")
    shown = min(kind_of(plan).shown(plan), fewest)
    most = math.comb(fewest, shown) * scenarios
    if 0 < most < plan.design.trials:
        text = text.replace(f"  trials: {plan.design.trials}\n", f"  trials: {most}\n")
        for check in plan.attention_checks:
            text = text.replace(f"after: {check.after} ", f"after: {min(check.after, most)} ")
    return text


def refuse_foreign(folder: Path) -> None:
    """Raise `RatifyError` if the folder holds files that `ratify demo` did not make."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DEMO_MARK).exists():
        raise RatifyError(
            "holds files that `ratify demo` did not make",
            file=folder,
            allowed="a new or an empty folder",
        )
