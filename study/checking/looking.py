"""Looks at everything in a study folder, as far as each part of it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from prereg.checking.analyses import of_analyses
from prereg.checking.causal import of_sample, sample_of
from prereg.checking.design import answers_per_item, of_design
from prereg.checking.numbers import faults_of_numbers
from prereg.checking.remark import Remark, note, warning
from prereg.checking.texts import left_from_worked_plan, other_languages, placeholders
from prereg.design.sequences import Trial, generate_sequences
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE
from prereg.parts import read_texts
from prereg.plan.causal import SAMPLE_COLUMNS
from prereg.plan.collection_rules import fits_no_kind
from prereg.plan.file import PLAN_FILE, plan_path, text_of
from prereg.plan.model import Plan
from prereg.plan.partial import PartialPlan, read_partial
from prereg.tables.notes import heard_by
from prereg.tables.reader import Table
from prereg.yaml_lines import YamlLines
from study.checking.items import faults_of_items
from study.folder import Study
from study.items import Item
from study.judges.checks import checked
from study.judges.fits import check_baselines_beside, check_columns, check_habits, check_judge_of
from study.judges.given.planned import gate_warnings
from study.language import check_language, languages
from study.opening import open_study
from study.scaffold import has_demo_items


@dataclass
class Looked:
    """What was seen of a study folder.

    Attributes
    ----------
    partial : PartialPlan
        What could be read of the plan.
    table : Table or None
        The items, as far as they can be read.
    study : Study or None
        The study as far as its trials can be made; `whole` says whether nothing stops the lock.
    errors : list of RatifyError
        What stops the lock. Keys of the plan are those of the user's file.
    remarks : list of Remark
        Warnings and notes.
    """

    folder: Path
    partial: PartialPlan
    table: Table | None = None
    study: Study | None = None
    errors: list[RatifyError] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Whether the study is locked and nothing has changed since."""
        return self.study is not None and self.study.lock is not None

    def add(self, errors: list[RatifyError]) -> None:
        """Keep faults of the readable part of the plan, named as in the user's file, each once."""
        known = {str(one) for one in self.errors}
        for error in errors:
            if not self.partial.believes(error):
                continue
            named = self._named(error)
            if str(named) not in known:
                known.add(str(named))
                self.errors.append(named)

    def remark(self, remarks: list[Remark]) -> None:
        """Keep warnings and notes, with their file and line."""
        for one in remarks:
            key = self.partial.in_file(one.key) if one.key else None
            named = replace(one, key=key)
            if key is None or self._believes(named):
                self.remarks.append(named.within(self.folder, self.partial.lines))

    def _believes(self, remark: Remark) -> bool:
        """Say whether a remark does not follow from a part that was left out."""
        return remark.value is None or str(remark.value) not in self.partial.mentioned

    def _named(self, error: RatifyError) -> RatifyError:
        in_plan = error.row is None and error.column is not None
        in_plan &= error.file is None or Path(error.file).name == PLAN_FILE
        return RatifyError(
            error.problem,
            file=self.folder / PLAN_FILE if in_plan else error.file,
            row=error.row,
            column=self.partial.in_file(error.column or "") if in_plan else error.column,
            value=error.value,
            allowed=error.allowed,
            part=error.part,
        )


def look(folder: Path | str) -> Looked:
    """Look at everything in a study folder, and go on after a fault where that is possible.

    Raises
    ------
    RatifyError
        When there is no plan, or it is not YAML.
    """
    folder = Path(folder)
    read = read_partial(folder)
    found = Looked(folder, read, errors=list(read.faults))
    plan = read.plan
    if plan is None or fits_no_kind(plan):
        return found
    with heard_by(None):  # the opened study says how its tables were read
        found.table, faults = faults_of_items(folder, plan)
        found.add(faults)
        texts = _texts(folder, plan, found)
        for check in _checks(plan, folder, found.table):
            found.add(_raised_by(check))
    found.study = _study(found, plan, texts)
    _look_further(found, plan, texts)
    return found


def look_at(study: Study) -> Looked:
    """Look at a study that is open, as if it were to be locked now: one that is amended.

    Parameters
    ----------
    study : Study
        With the plan and the texts to look at.
    """
    lines = YamlLines(text_of(plan_path(study.folder)))
    read = PartialPlan(study.plan, [], frozenset(), frozenset(), {}, lines)
    found = Looked(study.folder, read, study.table, replace(study, lock=None))
    _look_further(found, study.plan, dict(study.texts))
    return found


def _look_further(found: Looked, plan: Plan, texts: dict[str, str]) -> None:
    """Add what is wrong or unwise beyond the single parts."""
    if found.study is not None:
        _judges(found.study, found)
    if not found.locked:
        _sample(found, plan)
        if "scales" not in found.partial.unread:
            found.add(list(faults_of_numbers(plan)))
        _remarks(found, plan, texts)


def _texts(folder: Path, plan: Plan, found: Looked) -> dict[str, str]:
    """Return the texts that can be read."""
    texts = {}
    for name in ("consent", "instructions"):
        # each by itself: a fault of one does not hide one of the other
        same = plan.materials.model_copy(
            update=dict.fromkeys(("consent", "instructions"), getattr(plan.materials, name))
        )
        try:
            texts[name] = read_texts(folder, plan.model_copy(update={"materials": same}))[name]
        except RatifyError as error:
            found.add([error])
    return texts


def _checks(plan: Plan, folder: Path, table: Table | None) -> Iterator[Callable[[], object]]:
    """Yield what raises a fault of how the plan fits its judges, its pages and its items."""
    for number in range(len(plan.judges)):
        yield partial(check_judge_of, number, plan, folder)
    yield partial(check_baselines_beside, plan, folder)
    yield partial(check_language, plan.language, folder / PLAN_FILE)
    if table is None:
        return
    for analysis in plan.analyses:
        alone = plan.model_copy(update={"analyses": (analysis,)})
        yield partial(check_columns, alone, table)
    for judge in plan.judges:
        alone = plan.model_copy(update={"judges": (judge,)})
        yield partial(check_habits, alone, table)


def _raised_by(check: Callable[[], object]) -> list[RatifyError]:
    try:
        check()
    except RatifyError as error:
        return [error]
    return []


def _study(found: Looked, plan: Plan, texts: dict[str, str]) -> Study | None:
    """Return the study if it can be opened; else as far as its trials can be made."""
    if not found.errors or (found.folder / LOCK_FILE).exists():
        try:
            return open_study(found.folder)
        except RatifyError as error:
            found.add([error])
    unread = found.partial.unread
    if found.table is None or not unread.isdisjoint({"design", "attention_checks", "scales"}):
        return None
    try:
        trials = generate_sequences(plan, found.table)
    except RatifyError as error:
        found.add([error])
        return None
    items = {
        row["item_id"]: Item(row["item_id"], row["scenario"], row["text"], row.get("prompt", ""))
        for row in found.table.rows
    }
    sequences: dict[str, tuple[Trial, ...]] = {}
    for trial in trials:
        sequences[trial.sequence_id] = (*sequences.get(trial.sequence_id, ()), trial)
    return Study(found.folder, plan, found.table, items, items, sequences, texts, {}, {}, "", None)


def _sample(found: Looked, plan: Plan) -> None:
    """Add what is wrong or unwise in the probability sample of a causal study."""
    if found.table is None or plan.causal is None:
        return
    with heard_by(None):
        sample, faults = sample_of(found.folder, plan, found.table)
    found.add(faults)
    if sample is not None and found.study is not None:
        found.remark(of_sample(plan, sample, found.study.sequences))


def _judges(study: Study, found: Looked) -> None:
    """Add what would stop a judge later, and what is good to know about judges."""
    said = checked(study)
    found.add(said.faults)
    found.remark([note(f"{line}.") for line in said.notes])
    if study.lock is None and not found.partial.unread & {"gate", "analyses"}:
        found.remark([_of_gate(line) for line in gate_warnings(study)])


def _of_gate(line: str) -> Remark:
    """Return a sentence about a condition of the gate as a warning."""
    problem, _, do = line.partition(" Complete ")
    return warning(problem, f"Complete {do}", line.partition(" ")[0])


def _remarks(found: Looked, plan: Plan, texts: dict[str, str]) -> None:
    """Add what is allowed but probably not meant."""
    found.remark(of_analyses(plan))
    found.remark(placeholders(plan, texts))
    shown = [row["text"] for row in found.table.rows] if found.table is not None else []
    found.remark(other_languages(plan, texts, shown, pages=plan.language in languages()))
    if found.study is not None and not _is_undrawn(plan, found.table):
        found.remark(remarks_of_trials(found.study))
    if found.study is None or not has_demo_items(found.study):
        found.remark(left_from_worked_plan(plan, texts))


def _is_undrawn(plan: Plan, table: Table | None) -> bool:
    """Say whether the items are still all units of a frame: then nobody will see these trials."""
    drawn = table is not None and set(SAMPLE_COLUMNS) <= set(table.columns)
    return plan.causal is not None and not drawn


def remarks_of_trials(study: Study) -> list[Remark]:
    """Return remarks about the trials that raters will see."""
    scenarios = {item.item_id: item.scenario for item in study.items.values()}
    each = note(f"{answers_per_item(study.plan, study.sequences)}.", key="design.raters")
    return [*of_design(study.plan, scenarios, study.sequences), each]


def remarks_of(study: Study) -> list[Remark]:
    """Return what is allowed in a study that can be opened, but probably not meant."""
    left = [] if has_demo_items(study) else left_from_worked_plan(study.plan, study.texts)
    return [
        *of_analyses(study.plan),
        *remarks_of_trials(study),
        *map(_of_gate, gate_warnings(study)),
        *left,
    ]
