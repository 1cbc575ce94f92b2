"""Analyses that the lock does not hold: `exploratory.yaml`, which may change at any time.

They use the models of the plan and are checked against it. Everything that comes of them is
labelled exploratory, and the gate cannot use it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE, first_fault, part_named
from prereg.plan.model import Plan
from prereg.plan.rules import faults_of_rules
from prereg.strict import Strict
from prereg.yaml_file import read_mapping

EXPLORATORY_FILE = "exploratory.yaml"


class Exploratory(Strict):
    """What `exploratory.yaml` holds.

    Attributes
    ----------
    analyses : tuple of analyses
        As in the plan, each with an id that the plan does not use.
    """

    analyses: tuple[Analysis, ...] = ()


def load_exploratory(folder: Path, plan: Plan) -> tuple[Analysis, ...]:
    """Return the exploratory analyses of a study folder; none if there is no such file.

    Parameters
    ----------
    folder : Path
    plan : Plan
        Its hypotheses, judges and analyses may be named.

    Raises
    ------
    RatifyError
        When the file is not YAML, breaks a rule of the plan's analyses, names a shared family of
        the plan, or uses an id of the plan.
    """
    path = folder / EXPLORATORY_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError("cannot be read as text in UTF-8", file=path) from error
    content = read_mapping(text, file=path, what="list of exploratory analyses")
    try:
        found = Exploratory.model_validate(content).analyses
    except ValidationError as error:
        raise first_fault(error, content, path) from error
    _refuse_the_plans(found, plan, path)
    # ours come first, so that a fault names the place in our file
    both = plan.model_copy(update={"analyses": (*found, *plan.analyses)})
    for fault in faults_of_rules(both):
        raise RatifyError(
            fault.problem,
            file=path,
            column=fault.column,
            value=fault.value,
            allowed=fault.allowed,
            part=part_named(content, fault.column or ""),
        )
    return found


def with_exploratory(plan: Plan, analyses: tuple[Analysis, ...]) -> Plan:
    """Return the plan with exploratory analyses after its own, for running them."""
    return plan.model_copy(update={"analyses": (*plan.analyses, *analyses)})


def _refuse_the_plans(found: tuple[Analysis, ...], plan: Plan, path: Path) -> None:
    """Refuse ids and shared families of the plan."""
    ids = {analysis.id for analysis in plan.analyses}
    families = {name for analysis in plan.analyses if (name := shared_family(analysis))}
    for number, analysis in enumerate(found):
        if analysis.id in ids:
            raise RatifyError(
                f"the analysis of this id is in {PLAN_FILE}",
                file=path,
                column=f"analyses.{number}.id",
                value=analysis.id,
                allowed="an id that the plan does not use",
            )
        if shared_family(analysis) in families:
            raise RatifyError(
                "the tests of this family are registered, and another test would change their "
                "correction",
                file=path,
                column=f"analyses.{number}.family.name",
                value=shared_family(analysis),
                allowed="a name that the plan does not use",
                part=analysis.id,
            )


def shared_family(analysis: Analysis) -> str | None:
    """Return the name of the family that an analysis shares with others, if it does."""
    return getattr(getattr(analysis, "family", None), "name", None)
