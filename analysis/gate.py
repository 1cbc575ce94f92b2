"""The gate: whether the results of a study reach the plan's thresholds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError
from prereg.lock import Lock, verify_lock
from prereg.plan.file import load_plan
from prereg.plan.model import Plan, Threshold

# Where `ratify causal` writes its results.
CAUSAL_FOLDER = "results-causal"
# How the note of a registered number without an estimate begins; the reason follows.
NO_ESTIMATE = "These data do not allow an estimate: "


@dataclass(frozen=True)
class Condition:
    """One threshold, the value found, and how much the judge it is about has answered.

    Attributes
    ----------
    threshold : Threshold
    value : float or None
        None if the results do not have it.
    coverage : float or None
        The share of what the judge was asked that it answered; None if the results do not have it,
        or if the quantity is about no judge.
    asked : int or None
        How many answers that is a share of.
    coverage_at_least : float or None
        What the plan requires of it; None if the quantity is about no judge, or if the plan was
        locked before gates asked for this.
    why : str
        Why the results do not have the value, empty if they do not say.
    barred : str
        Why this condition cannot be used at all: its analysis is exploratory, or the threshold was
        set after results were seen. Empty if it can.
    """

    threshold: Threshold
    value: float | None
    coverage: float | None = None
    asked: int | None = None
    coverage_at_least: float | None = None
    why: str = ""
    barred: str = ""

    @property
    def answered(self) -> int | None:
        """How many of what it was asked the judge has answered."""
        if self.coverage is None or self.asked is None:
            return None
        return round(self.coverage * self.asked)

    @property
    def holds(self) -> bool:
        """Whether value and coverage reach their thresholds; a missing one never does."""
        return self._reaches and self._covers and not self.barred

    @property
    def _reaches(self) -> bool:
        return self.value is not None and self.value >= self.threshold.at_least

    @property
    def _covers(self) -> bool:
        least = self.coverage_at_least
        return least is None or (self.coverage is not None and self.coverage >= least)

    def line(self) -> str:
        """Return the condition in one line."""
        t = self.threshold
        found = "missing" if self.value is None else f"{self.value:.3f}".replace("-", "−")
        word = "holds" if self.holds else "FAILS"
        found += f": {self.why}" if self.value is None and self.why else ""
        line = f"{word}: {t.analysis} / {t.quantity}, {t.field} = {found} (needs >= {t.at_least:g})"
        if self.coverage is not None:
            line += f"; answered {self.answered:,} of {self.asked:,}"
        elif self.coverage_at_least is not None:
            line += "; how much was answered is missing"
        if self.coverage_at_least is not None:
            line += f" (needs >= {self.coverage_at_least:.0%})"
        elif self.coverage is not None and self.coverage < t.coverage:
            line += " (the plan was locked before gates asked for this)"
        if self.barred:
            line += f"; cannot be used: {self.barred}"
        return line


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict.

    Attributes
    ----------
    conditions : tuple of Condition
    reasons : tuple of str
        Why no verdict may be given at all (no thresholds, not live data, not locked).
    """

    conditions: tuple[Condition, ...]
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every threshold holds and nothing prevents a verdict."""
        return not self.reasons and all(c.holds for c in self.conditions)

    def lines(self) -> list[str]:
        """Return the verdict and its reasons, one per line."""
        head = "gate: PASSED" if self.passed else "gate: NOT PASSED"
        return [
            head,
            *(f"  {c.line()}" for c in self.conditions),
            *(f"  {r}" for r in self.reasons),
        ]


def judge_evidence(
    plan: Plan,
    quantities: Sequence[Mapping[str, Any]],
    *,
    mode: str,
    locked: bool,
    asks_coverage: bool = True,
    blind: bool = False,
    early: bool = False,
    exploratory: Mapping[str, str] | None = None,
    late: Mapping[int, str] | None = None,
    dropped: Sequence[str] = (),
) -> Verdict:
    """Compare quantities with the plan's thresholds.

    Parameters
    ----------
    plan : Plan
    quantities : sequence of mapping
        As in `results.json`.
    mode : str
        Data that are not live never open the gate.
    locked : bool
        A plan that is not locked never opens the gate.
    asks_coverage : bool
        Whether a judge must have answered as much as each threshold's `coverage` says; see
        `asks_coverage`.
    blind : bool
        Shuffled answers never open the gate.
    early : bool
        Answers that are older than the lock never open the gate: every analysis is exploratory.
    exploratory : mapping, optional
        Why an analysis is exploratory, by its id; no threshold on it holds.
    late : mapping, optional
        Why a threshold cannot be used, by its place in the plan.
    dropped : sequence of str
        Which thresholds were taken out after results were seen; then the gate is not passed.
    """
    found = {(q["analysis"], q["name"]): q for q in quantities}
    by_id = {analysis.id: analysis for analysis in plan.analyses}
    barred = [
        f"{threshold.analysis} is exploratory: {why}"
        if (why := (exploratory or {}).get(threshold.analysis))
        else (late or {}).get(place, "")
        for place, threshold in enumerate(plan.gate)
    ]
    conditions = tuple(
        replace(_condition(t, by_id[t.analysis], plan, found, asks_coverage), barred=why)
        for t, why in zip(plan.gate, barred, strict=True)
    )
    reasons = [
        *["the plan sets no thresholds"] * (not plan.gate),
        *_no_evidence(mode=mode, locked=locked, early=early),
        *["the answers are shuffled"] * blind,
    ]
    return Verdict(conditions, (*reasons, *dropped))


def asks_coverage(lock: Lock | None) -> bool:
    """Say whether the gate asks how much a judge answered: always, but not of a 0.4.0 lock."""
    return lock is None or lock.has_judges


def _condition(
    threshold: Threshold,
    analysis: Analysis,
    plan: Plan,
    found: Mapping[tuple[str, str], Mapping[str, Any]],
    asked: bool,
) -> Condition:
    number = found.get((threshold.analysis, threshold.quantity), {})
    value = number.get(threshold.field)
    _, said, why = str(number.get("note") or "").partition(NO_ESTIMATE)
    why = why.rstrip(".") if said else ""
    name = analysis.coverage_of(threshold.quantity, plan)
    if name is None:
        return Condition(threshold, value, why=why)
    beside = found.get((threshold.analysis, name), {})
    # a baseline answers everything, and a lock without other judges says nothing about coverage
    required = threshold.coverage if asked and plan.has_models else None
    return Condition(threshold, value, beside.get("estimate"), beside.get("n"), required, why)


def judge_results(folder: Path) -> Verdict:
    """Compare the results of a study folder with its plan.

    Raises
    ------
    RatifyError
        If there are no results, or they belong to another plan.
    """
    plan = load_plan(folder)
    path = folder / "results" / "results.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        meta = results["meta"]
        quantities = list(results["quantities"])
        _ = [(q["analysis"], q["name"]) for q in quantities]  # nothing else is a quantity
        mode, plan_hash = meta["mode"], meta["plan_hash"]
        late = {int(place): str(why) for place, why in meta.get("late_thresholds", {}).items()}
        exploratory = dict(meta.get("exploratory", {}))
        dropped = [str(why) for why in meta.get("dropped_thresholds", [])]
    except FileNotFoundError as error:
        raise RatifyError("no results yet", file=path, allowed="run `ratify analyze`") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RatifyError("is not what `ratify analyze` wrote", file=path) from error
    lock = _refuse_other_plan(folder, plan, plan_hash, path)
    return judge_evidence(
        plan,
        quantities,
        mode=mode,
        locked=lock is not None,
        asks_coverage=asks_coverage(lock),
        blind=bool(meta.get("blind")),
        early=bool(meta.get("early")),
        exploratory=exploratory,
        late=late,
        dropped=dropped,
    )


def judge_rooms(folder: Path) -> Verdict:
    """Return the verdict of a causal plan's three rooms, from the results of `ratify causal`.

    Raises
    ------
    RatifyError
        If there are no such results, or they belong to another plan.
    """
    path = folder / CAUSAL_FOLDER / "results.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))["meta"]
        said, mode, plan_hash = meta["gate"], meta["mode"], meta["plan_hash"]
        lines, passed = [str(line) for line in said["lines"]], said["verdict"] == "PASS"
    except FileNotFoundError as error:
        raise RatifyError(
            "no causal results yet", file=path, allowed="run `ratify causal`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RatifyError("is not what `ratify causal` wrote", file=path) from error
    lock = _refuse_other_plan(folder, load_plan(folder), plan_hash, path)
    against = _no_evidence(mode=mode, locked=lock is not None, early=bool(meta.get("early")))
    return Verdict((), () if passed and not against else (*against, *lines[1:]))


def _no_evidence(*, mode: str, locked: bool, early: bool) -> list[str]:
    """Return why results of such data open no gate, whatever they say."""
    against = {
        "the raters are simulated, and only answers by people can open a gate": mode == "bot",
        "these are pilot data, and only live data can open a gate": mode == "pilot",
        "the plan is not locked": not locked,
        "some answers are older than the lock, so every analysis is exploratory": early,
    }
    return [reason for reason, holds in against.items() if holds]


def _refuse_other_plan(folder: Path, plan: Plan, plan_hash: str | None, path: Path) -> Lock | None:
    """Return the lock; refuse results of another lock, and a plan edited after its lock."""
    if plan_hash is None:
        return None
    lock = verify_lock(folder, plan)
    if lock.plan_hash != plan_hash:
        raise RatifyError(
            "these results belong to another plan",
            file=path,
            column="meta.plan_hash",
            value=plan_hash,
            allowed=lock.plan_hash,
        )
    return lock
