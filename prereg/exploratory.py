"""Analyses that the lock does not hold: `exploratory.yaml`, which may change at any time.

They use the models of the plan and are checked against it. Everything that comes of them is
labelled exploratory, and the gate cannot use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE, faults_between_parts
from prereg.plan.model import Plan
from prereg.plan.part_faults import faults_of_parts
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
    found, faults = read_exploratory(folder, plan)
    if faults:
        raise faults[0]
    return found


def read_exploratory(
    folder: Path, plan: Plan, *, whole: bool = True
) -> tuple[tuple[Analysis, ...], list[RatifyError]]:
    """Return the exploratory analyses of a study folder, and every fault of their file.

    Parameters
    ----------
    folder : Path
    plan : Plan
    whole : bool
        Whether nothing of the plan was left out; otherwise what it lacks is no fault of this file.

    Returns
    -------
    tuple of analyses
        None where one of them cannot be read.
    list of RatifyError
    """
    path = folder / EXPLORATORY_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = read_mapping(text, file=path, what="list of exploratory analyses")
        found = Exploratory.model_validate(content).analyses
    except FileNotFoundError:
        return (), []
    except (OSError, UnicodeDecodeError):
        return (), [RatifyError("cannot be read as text in UTF-8", file=path)]
    except RatifyError as error:
        return (), [error]
    except ValidationError as error:
        return (), faults_of_parts(error, content, path)
    faults = list(_the_plans(found, plan, path))
    if not whole:
        return found, faults
    # ours come first, so that a fault names the place in our file
    both = plan.model_copy(update={"analyses": (*found, *plan.analyses)})
    between = faults_between_parts(both, content, path)
    if faults:  # the rules say the same of the plan's analyses
        between = [one for one in between if is_of_first(one, len(found))]
    return found, faults + between


def is_of_first(fault: RatifyError, number: int) -> bool:
    """Say whether a fault is in one of so many analyses, counted from the first."""
    return any(f"{fault.column}.".startswith(f"analyses.{at}.") for at in range(number))


def with_exploratory(plan: Plan, analyses: tuple[Analysis, ...]) -> Plan:
    """Return the plan with exploratory analyses after its own, for running them."""
    return plan.model_copy(update={"analyses": (*plan.analyses, *analyses)})


def _the_plans(found: tuple[Analysis, ...], plan: Plan, path: Path) -> Iterator[RatifyError]:
    """Yield a fault for each id and each shared family of the plan."""
    ids = {analysis.id for analysis in plan.analyses}
    families = {name for analysis in plan.analyses if (name := shared_family(analysis))}
    for number, analysis in enumerate(found):
        if analysis.id in ids:
            yield RatifyError(
                f"the analysis of this id is in {PLAN_FILE}",
                file=path,
                column=f"analyses.{number}.id",
                value=analysis.id,
                allowed="an id that the plan does not use",
            )
        if shared_family(analysis) in families:
            yield RatifyError(
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
