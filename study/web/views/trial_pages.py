"""The page of a trial: rendered once for each position, then filled in for each rater.

Rendering costs more than anything else in a page, and nearly all of it is the same for every rater.
So the page is rendered once with a mark where something belongs to a rater or a trial: the form's
token, the visit, the private link, the texts and the prompt. A page that shows answers or faults
again is rendered as it is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from study.tasks.base import Answers
from study.visits.places import Place
from study.web import visitor
from study.web.context import Room
from study.web.views.rater_pages import page

# Letters and digits only, so that neither HTML nor an address changes them; no text can hold it.
_RANDOM = secrets.token_hex(12)
_MARK = re.compile(f"mark{_RANDOM}x([a-z]+[0-9]*)x")


@dataclass(frozen=True)
class Shown:
    """Which trial a page shows.

    Attributes
    ----------
    item_ids : tuple of str
        The texts in their order on the page.
    position, trials : int
        Its place in the sequence, from 1, and how many there are.
    practice, begins : bool
        Whether it is a practice trial, and whether it is the first one after practice.
    """

    item_ids: tuple[str, ...]
    position: int
    trials: int
    practice: bool = False
    begins: bool = False


def trial_page(
    here: Room,
    place: Place,
    shown: Shown,
    answers: Answers | None = None,
    *,
    missing: tuple[str, ...] = (),
    wait: float = 0.0,
) -> str:
    """Return the page of a trial.

    Parameters
    ----------
    here : Room
    place : Place
    shown : Shown
    answers : mapping, optional
        What is already chosen on it.
    missing : tuple of str
        Fields that still need an answer.
    wait : float
        Seconds that the trial must still be read.
    """
    here = here.of(place)
    items = [here.study.shown[item_id] for item_id in shown.item_ids]
    # only texts: an item's id, source or score must never reach a page
    texts = [here.texts.item(item.text) for item in items]
    prompt = here.texts.item(items[0].prompt) if items[0].prompt else Markup()
    again: dict[str, Any] = {"answers": answers or {}, "missing": missing, "wait": wait}
    if answers or missing or wait or visitor.is_too_late():
        filled = {"visit": place.session_id, "texts": texts, "prompt": prompt, **again}
        return page(here.task.template, here, place, **_common(here, shown), **filled)
    which = (shown.position, shown.trials, shown.practice, shown.begins)
    key = (*which, bool(prompt), len(texts), visitor.owns(place))
    if key not in here.rendered:
        here.rendered[key] = _rendered(here, place, shown, again, len(texts), bool(prompt))
    mine: dict[str, str] = {
        "token": generate_csrf(),
        "visit": escape(place.session_id),
        "key": escape(place.withdrawal_key),
        "prompt": prompt,
        **{f"text{number}": text for number, text in enumerate(texts)},
    }
    return _filled(here.rendered[key], mine)


def _common(here: Room, shown: Shown) -> dict[str, Any]:
    return {
        "position": shown.position,
        "trials": shown.trials,
        "practice": shown.practice,
        "begins": shown.begins,
        "task": here.task,
    }


def _rendered(
    here: Room, place: Place, shown: Shown, again: dict[str, Any], texts: int, prompt: bool
) -> tuple[str, ...]:
    """Return a page in pieces: what is the same for everybody, the name of a mark, and so on."""
    whole = page(
        here.task.template,
        here,
        place,
        **_common(here, shown),
        **again,
        csrf_token=lambda: _mark("token"),
        visit=_mark("visit"),
        withdrawal_key=_mark("key"),
        texts=[_mark(f"text{number}") for number in range(texts)],
        prompt=_mark("prompt") if prompt else Markup(),
    )
    return tuple(_MARK.split(whole))


def _mark(name: str) -> Markup:
    return Markup(f"mark{_RANDOM}x{name}x")  # noqa: S704 - letters and digits only


def _filled(pieces: tuple[str, ...], mine: Mapping[str, str]) -> str:
    return "".join(mine[piece] if at % 2 else piece for at, piece in enumerate(pieces))
