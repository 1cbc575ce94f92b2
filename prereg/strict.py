"""The base model and the text types of every part of the plan."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Strict(BaseModel):
    """A part of the plan: unknown keys are refused, and nothing changes after loading."""

    # JSON, and so the lock, has no infinity
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def added(default: Any, **limits: Any) -> Any:
    """Return a field that a later version added; its default does not change a plan's hash.

    Parameters
    ----------
    default : object
    **limits
        As in `pydantic.Field`.
    """
    return Field(default=default, exclude_if=lambda value: value == default, **limits)


def as_column(name: str) -> str:
    """Return an id as it may stand in a column's name, which a formula can then use as it is."""
    return re.sub(r"\W", "_", name)
