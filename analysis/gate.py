"""The gate: whether the results of a study reach the plan's thresholds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from prereg.lock import verify_lock
from prereg.plan.file import load_plan
from prereg.plan.model import Plan, Threshold


@dataclass(frozen=True)
class Condition:
    """One threshold and the value found; `value` is None if the results do not have it."""

    threshold: Threshold
    value: float | None

    @property
    def holds(self) -> bool:
        """Whether the value reaches the threshold; a missing value never does."""
        return self.value is not None and self.value >= self.threshold.at_least

    def line(self) -> str:
        """Return the condition in one line."""
        t = self.threshold
        found = "missing" if self.value is None else f"{self.value:.3f}".replace("-", "−")
        word = "holds" if self.holds else "FAILS"
        return f"{word}: {t.analysis} / {t.quantity}, {t.field} = {found} (needs >= {t.at_least:g})"


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
    plan: Plan, quantities: Sequence[Mapping[str, Any]], *, mode: str, locked: bool
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
    """
    found = {(q["analysis"], q["name"]): q for q in quantities}
    conditions = tuple(
        Condition(t, found.get((t.analysis, t.quantity), {}).get(t.field)) for t in plan.gate
    )
    against = {
        "the plan sets no thresholds": not plan.gate,
        "the raters are simulated, and only answers by people can open a gate": mode == "bot",
        "these are pilot data, and only live data can open a gate": mode == "pilot",
        "the plan is not locked": not locked,
    }
    return Verdict(conditions, tuple(reason for reason, holds in against.items() if holds))


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
        quantities = results["quantities"]
        mode, plan_hash = meta["mode"], meta["plan_hash"]
    except FileNotFoundError as error:
        raise RatifyError("no results yet", file=path, allowed="run `ratify analyze`") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RatifyError("is not what `ratify analyze` wrote", file=path) from error
    _refuse_other_plan(folder, plan, plan_hash, path)
    return judge_evidence(plan, quantities, mode=mode, locked=plan_hash is not None)


def _refuse_other_plan(folder: Path, plan: Plan, plan_hash: str | None, path: Path) -> None:
    """Refuse results of another lock than the folder's, and a plan edited after its lock."""
    if plan_hash is None:
        return
    lock = verify_lock(folder, plan)
    if lock.plan_hash != plan_hash:
        raise RatifyError(
            "these results belong to another plan",
            file=path,
            column="meta.plan_hash",
            value=plan_hash,
            allowed=lock.plan_hash,
        )
