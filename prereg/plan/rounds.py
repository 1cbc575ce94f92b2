"""Reads a faulty plan in rounds: each leaves out what is wrong, until the rest is a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from prereg.errors import RatifyError
from prereg.plan.part_faults import faults_of_parts

M = TypeVar("M", bound=BaseModel)
# What depends on a part that is left out may be wrong in the next round.
_ROUNDS = 8


def read_in_rounds(
    model: type[M],
    rest: dict[str, Any],
    leave_out: Callable[[ValidationError], bool],
    *,
    content: dict[str, Any],
    file: Path,
) -> tuple[M | None, list[RatifyError]]:
    """Return a plan without its wrong parts, if there is one, and the faults of each part.

    Parameters
    ----------
    model : type of BaseModel
        Of the plan.
    rest : dict
        What is read, from which `leave_out` takes.
    leave_out : callable
        Takes out the wrong parts of one round; says whether there is a plan without them.
    content : dict
        What the YAML holds.
    file : Path
        Named in the faults.
    """
    faults: list[RatifyError] = []
    for round_ in range(_ROUNDS):
        try:
            return model.model_validate(rest), faults
        except ValidationError as error:
            if not round_:
                faults = faults_of_parts(error, content, file, root=model)
            if not leave_out(error):
                break
    return None, faults
