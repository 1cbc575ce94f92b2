"""What a plan may say about its data: who keeps them, where, until when, and for whom."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from prereg.strict import Strict, Text, added


def _as_text(value: Any) -> Any:
    """Return a date as text: YAML reads `2036-12-31` as one."""
    return value.isoformat() if isinstance(value, date) else value


Told = Annotated[Text, BeforeValidator(_as_text)]


class DataManagement(Strict):
    """Who keeps the data, where, until when and for whom; each is a sentence or a name.

    Attributes
    ----------
    responsible : str, optional
        The person or institution that answers for the data.
    contact : str, optional
        Where raters and the ethics board can ask.
    kept_until : str, optional
        A day, or how long after what.
    where : str, optional
        The machine or institution that holds the store, its backups and the exports.
    shared_with : str, optional
        Who gets which data, also afterwards.
    """

    responsible: Text | None = added(None)
    contact: Text | None = added(None)
    kept_until: Told | None = added(None)
    where: Text | None = added(None)
    shared_with: Text | None = added(None)
