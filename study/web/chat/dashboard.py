"""The researcher's pages of a chat: who is where, replies, costs, flags, transcripts, tables."""

from __future__ import annotations

from pathlib import Path

from flask import abort

from prereg.lock import utc_now
from prereg.tables.chat_contract import CHAT_TABLES
from study.chat import claims
from study.chat.spending import fits
from study.export.chat.codebook import chat_codebook
from study.export.chat.files import CORPUS, chat_archive, one_chat_table
from study.export.chat.freshness import retention_notes
from study.export.chat.progress import chat_progress, stages
from study.export.chat.visits import flags, people, told
from study.export.writing import FORMATS
from study.language import language_name
from study.visits import recruitment
from study.visits.recruitment import Released
from study.web.chat.context import chat_room
from study.web.safety import CHAT_POLICY
from study.web.views.managing import Managing, mode_asked_for, report_file
from study.web.views.signing_in import Page, dashboard_pages, page

pages = dashboard_pages(chat_room)

# How many flags are named on the first page; the transcripts have all.
NAMED = 20
STAGES = {"before": "Before", "end": "End survey", "done": "Done"}


@pages.get("/", strict_slashes=False)
def overview() -> Page:
    """Show the state of the conversations, for each kind of data."""
    return _overview()


def _overview(status: int = 200, **said: Released | str) -> Page:
    here = chat_room()
    modes, others = chat_progress(here.store, here.study)
    served = next(one for one in modes if one.mode == here.mode)
    with here.store.reading() as connection:
        affordable = fits(connection, here.study, here.mode)
    found = flags(here.store, here.study, here.mode)
    return page(
        "chat/dashboard.html",
        status,
        study=here.study,
        plan=here.study.plan,
        served=served,
        others=[one for one in modes if one is not served],
        modes=modes,
        other_plans=others,
        affordable=affordable,
        paused=recruitment.is_paused(here.store, here.study, here.mode),
        now=utc_now(),
        stages=_stages(),
        flags=found[:NAMED],
        more_flags=max(0, len(found) - NAMED),
        retained=retention_notes(here.store, here.study),
        tables=list(CHAT_TABLES),
        formats=FORMATS,
        corpus=CORPUS,
        spoken=language_name(here.study.plan.language),
        has_report=report_file(here.study).exists(),
        **said,
    )


def _stages() -> dict[str, str]:
    """Return the stages of a visit with their names, in order."""
    return {name: STAGES.get(name, f"Round {name}") for name in stages(chat_room().study.plan)}


@pages.get("/participants")
def participants() -> Page:
    """Show every participant of one kind of data under a pseudonym: condition, round, messages."""
    here = chat_room()
    mode = mode_asked_for(here.mode)
    rows = people(here.store, here.study, mode)
    return page(
        "chat/dashboard_people.html",
        plan=here.study.plan,
        rows=rows,
        shown=mode,
        now=utc_now(),
        stages=_stages(),
    )


@pages.get("/transcripts/<pseudonym>")
def transcript(pseudonym: str) -> Page:
    """Show what was said in all conversations of one participant, under their pseudonym."""
    here = chat_room()
    mode = mode_asked_for(here.mode)
    found = told(here.store, here.study, mode, pseudonym)
    if found is None:
        abort(404, "Nobody has this pseudonym. Whoever withdrew has none any more.")
    person, talks = found
    coach = here.study.plan.feedback.coach
    return page(
        "chat/dashboard_transcript.html",
        plan=here.study.plan,
        person=person,
        talks=talks,
        labels={} if coach is None else {one.id: one.label for one in coach.scores},
        shown=mode,
        now=utc_now(),
        stages=_stages(),
    )


def _release(path: Path) -> Released:
    here = chat_room()

    def free(rater_id: str, status: str) -> str:
        return claims.release(here.store, here.study, here.mode, rater_id, status)

    return recruitment.release_all(path, free)


Managing(
    room=chat_room,
    overview=_overview,
    release=_release,
    archive=lambda ending: chat_archive(chat_room().store, chat_room().study, ending),
    one_table=lambda name, ending: one_chat_table(
        chat_room().store, chat_room().study, name, ending
    ),
    codebook=lambda: chat_codebook(chat_room().study),
    policy=CHAT_POLICY,
).add_to(pages)
