"""The page of a conversation: its messages, its clock, and the form for the next message.

Everything works without a script: a message is a form that is stored before the browser is led back
to the page, which loads itself again while a reply is owed. A script sends the same form and gets
JSON; it looks for replies by `/talk/state`, which is also the heartbeat of the page.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, request, url_for
from werkzeug.wrappers import Response

from prereg.chat.steps import Step
from study.chat import talking
from study.chat.places import ChatPlace
from study.chat.talking import Beat, Sent, Shown
from study.chat.talks import read_talk
from study.tasks.base import whole
from study.web.chat.context import ChatRoom
from study.web.chat.pages import at_step, go, go_on, page, pages, wants_json
from study.web.chat.words import clock_words, ending_words, page_words
from study.web.doors import Page

_COUNT = range(10**9)
# What may come of a message that was not kept, and the status of the page that says so.
_REFUSED = {"empty": 422, "too_long": 422, "taken": 409, "waiting": 409, "late": 410, "over": 410}


@pages.get("/talk")
def talk() -> Page:
    """Show the conversation of this round; the first look opens it."""
    here, place, _step = at_step("talk")
    shown = talking.open_conversation(here.store, here.study, place, here.clock())
    return _elsewhere(here, place, shown) or _talk_page(here, place, shown)


@pages.get("/talk/state")
def state() -> Page:
    """Say what the page of a conversation has to show now; this is also its heartbeat."""
    here, place, _step = at_step("talk")
    beat = None
    if "visible" in request.args:
        seen_ms = whole(request.args.get("seen_ms"), _COUNT)
        beat = Beat(visible=request.args["visible"] != "0", seen_ms=seen_ms)
    shown = talking.look(here.store, here.study, place, here.clock(), beat)
    elsewhere = _elsewhere(here, place, shown)
    return elsewhere if elsewhere is not None else jsonify(_state(shown))


@pages.post("/talk")
def say() -> Page:
    """Store a message, and what is owed for it, before anybody is told."""
    here, place, step = at_step("talk")
    form = request.form
    if not _is_of_this_round(here, place, step):
        return go(url_for("chat.talk"))
    sent = Sent(
        turn=whole(form.get("turn"), _COUNT) or 0,
        text=form.get("text", ""),
        compose_ms=whole(form.get("compose_ms"), _COUNT),
        keys=whole(form.get("keys"), _COUNT),
        pasted_characters=whole(form.get("pasted_characters"), _COUNT),
        hidden_ms=whole(form.get("hidden_ms"), _COUNT),
    )
    outcome = talking.send(here.store, here.study, place, sent, here.clock(), here.screens.lexicon)
    here.wake()
    elsewhere = _elsewhere(here, place, outcome.shown)
    if wants_json():
        told = elsewhere.get_json() if elsewhere else _state(outcome.shown)
        return jsonify(kind=outcome.kind, state=told)
    if elsewhere is not None:
        return elsewhere
    if outcome.kind in _REFUSED:
        text = form.get("text", "")
        shown_again = _talk_page(here, place, outcome.shown, fault=outcome.kind, text=text)
        return shown_again, _REFUSED[outcome.kind]
    return go(url_for("chat.talk"))


@pages.post("/talk/leave")
def leave_talk() -> Page:
    """End a conversation, or go on after its end."""
    here, place, step = at_step("talk")
    if _is_of_this_round(here, place, step):
        talking.leave_conversation(here.store, here.study, place, here.clock())
    return go_on(here, place)


def _is_of_this_round(here: ChatRoom, place: ChatPlace, step: Step) -> bool:
    """Say whether a form belongs to the conversation of this round, not to one before."""
    with here.store.reading() as connection:
        talk = read_talk(connection, place.session_id, step.round)
    return talk is not None and request.form.get("conversation") == talk.row.conversation_id


def _elsewhere(here: ChatRoom, place: ChatPlace, shown: Shown) -> Response | None:
    """Return where a participant is led from a conversation that does not go on; else None."""
    if shown.flagged is not None:
        return go(url_for("chat.safety"))
    if shown.failed:
        return go_on(here, place)
    return None


def _talk_page(
    here: ChatRoom, place: ChatPlace, shown: Shown, *, fault: str = "", text: str = ""
) -> str:
    told, words = _state(shown), page_words()
    if not fault and told["in_grace"]:
        fault = "grace"
    elif not fault and shown.clock == "idle":
        fault = "idle"
    return page(
        "chat/talk.html",
        here,
        place,
        shown=shown,
        state={**told, "messages": []},  # they are on the page
        left=_clock_face(shown.remaining_ms),
        stands=clock_words()[shown.clock],
        why_over=told["why_over"],
        fault=fault,
        notice=words.get(fault, ""),
        text=text,
        said=words,
    )


def _state(shown: Shown) -> dict[str, Any]:
    """Return what the script of the page needs, with the messages that it does not have yet."""
    have = whole(request.values.get("have"), _COUNT) or 0
    return {
        "conversation_id": shown.conversation_id,
        "turn": shown.turn,
        "from": min(have, len(shown.messages)),
        "messages": [
            {"id": one.message_id, "turn": one.turn, "speaker": one.speaker, "text": one.text}
            for one in shown.messages[have:]
        ],
        "owes": shown.owes_reply,
        "waiting_seconds": round(shown.waiting_seconds),
        "remaining_ms": shown.remaining_ms,
        "clock": shown.clock,
        "in_grace": shown.in_grace and not shown.over,
        "over": shown.over,
        "why_over": ending_words().get(shown.ended_because, "") if shown.over else "",
        "may_leave": shown.may_leave,
    }


def _clock_face(remaining_ms: int) -> str:
    minutes, seconds = divmod(-(-max(remaining_ms, 0) // 1000), 60)
    return f"{minutes}:{seconds:02d}"
