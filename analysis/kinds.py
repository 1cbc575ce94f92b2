"""What a plan of each kind gives the analysis: only pairwise plans register analyses so far."""

from __future__ import annotations

from pathlib import Path

from analysis.tables import table_path
from prereg.errors import RatifyError
from prereg.plan import Measures, Plan
from prereg.plan_file import PLAN_FILE


def require_pairwise(plan: Plan, folder: Path) -> None:
    """Raise `RatifyError` where the plan is of a kind that has no registered analyses yet.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Its study folder, named in what may be done instead.
    """
    if plan.kind == "pairwise":
        return
    ratings = table_path(folder / "data", "ratings")
    instead = {
        "rating": f"`ratify audit --human {ratings} --judge FILE` reads the exported ratings",
        "best_worst": "`ratify export` writes the answers as a tidy table, best_worst",
    }
    raise RatifyError(
        "registered analyses of this kind of plan do not exist yet", file=folder / PLAN_FILE,
        column="kind", value=plan.kind, allowed=f"pairwise; meanwhile {instead[plan.kind]}",
    )  # fmt: skip


def measures_of(plan: Plan) -> Measures:
    """Return what a judge scores; a pairwise plan always says it.

    Raises
    ------
    RatifyError
        Where the plan has no measures.
    """
    if plan.measures is None:
        raise RatifyError(
            "is needed to score items", file=PLAN_FILE, column="measures",
            allowed="scale, adds and subtracts",
        )  # fmt: skip
    return plan.measures
