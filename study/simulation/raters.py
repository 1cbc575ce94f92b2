"""Send simulated raters through a study until its places are filled, as people would fill them.

Some leave on the way, and some consent and never answer. Their places are freed as soon as all who
arrived with them are done, because nobody waits for a lease to run out here; the visits count as
timed out, as they would after the lease.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from prereg.errors import RatifyError
from prereg.plan.model import FURTHER_PLACES
from prereg.streams import Stream, stream
from study.bots import (
    Conduct,
    Known,
    Population,
    SimulatedRater,
    Visitor,
    fingerprint,
    send_bots,
    visit,
)
from study.folder import Study
from study.simulation.serving import MODE, served
from study.store.database import Store, open_store
from study.store.tables import Slot, Visit
from study.visits.claims import release
from study.visits.links import signature, signing_key

# Simulated raters who arrive one after the other and then answer together.
TOGETHER = 100
# So many simulated raters are sent for a place, until it counts as one that cannot be filled.
MOST_PER_PLACE = 20


@dataclass(frozen=True)
class Sent:
    """What became of the simulated raters.

    Attributes
    ----------
    places : int
        How many were to finish, with those who replace others.
    finished, left, no_shows, screened_out : int
        Those who answered everything; left after an answer; consented and answered nothing; did
        not answer the comprehension question.
    careless : tuple of str
        The ids of those who answer at random.
    """

    places: int
    finished: int
    left: int
    no_shows: int
    screened_out: int
    careless: tuple[str, ...]

    @property
    def sent(self) -> int:
        """How many came."""
        return self.finished + self.left + self.no_shows + self.screened_out

    @property
    def sentence(self) -> str:
        """What became of them, in one sentence."""
        said = f"{self.sent:,} simulated raters came, {self.finished:,} finished"
        rest = {
            "left on the way": self.left,
            "consented and answered nothing": self.no_shows,
            "did not answer the question about the instructions": self.screened_out,
        }
        said += "".join(f", {count:,} {what}" for what, count in rest.items() if count)
        if self.finished < self.places:
            said += f"; {self.places - self.finished:,} of {self.places:,} places stayed empty"
        return said


def simulate_raters(study: Study, *, arrived: Callable[[], None]) -> int:
    """Serve the demo in bot mode in a separate process, and send one bot for each sequence."""
    quality = {
        fingerprint(record["text"]): float(record["planted_quality"]) for record in study.table.rows
    }
    with served(study.folder) as address:
        return send_bots(
            address,
            quality,
            count=study.plan.design.raters,
            seed=study.plan.seed,
            population=Population(),
            arrived=arrived,
        )


def simulate_people(
    study: Study, known: Known, *, places: int, ended: Callable[[], None] = lambda: None
) -> Sent:
    """Fill the places of a study with simulated raters, over HTTP, as its plan assumes them.

    Parameters
    ----------
    study : Study
        In a folder of its own, whose store has no visits in bot mode.
    known : Known
        What the raters know of it.
    places : int
        How many are to finish; at most the plan's raters.
    ended : callable
        Called once for each place that is filled.

    Raises
    ------
    RatifyError
        When the server does not start, or a page is not what it should be.
    """
    careless: list[str] = []
    number = 0
    with (
        served(study.folder) as address,
        contextlib.closing(open_store(study.folder, None)) as store,
    ):
        while number < MOST_PER_PLACE * places:
            wanted = places + _replaced(store, study) - _statuses(store, study).get("finished", 0)
            if wanted < 1:
                break
            together = range(number + 1, number + min(wanted, TOGETHER) + 1)
            visitors = [visitor_of(study, known, one) for one in together]
            number = together[-1]
            careless += [one.rater_id for one in visitors if one.rater.conduct.careless]
            for rater_id in visit(
                address, visitors, ended=lambda whole: ended() if whole else None
            ):
                release(store, study, MODE, rater_id, "timed_out")
        found, replaced = _statuses(store, study), _replaced(store, study)
    return Sent(
        places=places + replaced,
        finished=found.get("finished", 0),
        left=found.get("left", 0),
        no_shows=found.get("no_show", 0),
        screened_out=found.get("screened_out", 0),
        careless=tuple(careless),
    )


def _replaced(store: Store, study: Study) -> int:
    """Count the places for those who replace raters."""
    further = select(func.count()).where(
        Slot.plan_hash == study.root_hash, Slot.mode == MODE, Slot.slot > FURTHER_PLACES
    )
    with store.reading() as connection:
        return connection.scalar(further) or 0


def _statuses(store: Store, study: Study) -> Mapping[str, int]:
    """Count the visits by what became of them."""
    visits = select(Visit.status, Visit.answered).where(
        Visit.plan_hash == study.root_hash, Visit.mode == MODE
    )
    counts: dict[str, int] = {}
    with store.reading() as connection:
        for status, answered in connection.execute(visits):
            gone = "left" if answered else "no_show"
            name = gone if status == "timed_out" else status
            counts[name] = counts.get(name, 0) + 1
    return counts


def visitor_of(study: Study, known: Known, number: int) -> Visitor:
    """Return one simulated rater; the same number is the same rater in every simulation."""
    plan, assumed = study.plan, study.plan.assumptions.raters
    rng = stream(plan.seed, Stream.SIMULATION, "conduct", number)
    conduct = Conduct.drawn(assumed, plan.design.trials + len(plan.attention_checks), rng)
    rater = SimulatedRater(
        known, assumed, conduct, rng=stream(plan.seed, Stream.BOT, number), aside=rng
    )
    rater_id, link = link_of(study, number)
    return Visitor(rater_id, link, rater)


def link_of(study: Study, number: int) -> tuple[str, Mapping[str, str]]:
    """Return the id of a simulated rater and the parameters of a link that the plan accepts."""
    recruitment = study.plan.recruitment
    if recruitment.platform == "prolific":
        rater_id = f"b07{number:021x}"  # 24 hexadecimal digits, as Prolific's ids have
        more = {"STUDY_ID": "simulated", "SESSION_ID": f"simulated-{number:04d}"}
        return rater_id, {"PROLIFIC_PID": rater_id, **more}
    rater_id = f"bot-{number:04d}"
    if recruitment.links == "signed":
        return rater_id, {"rater": rater_id, "sig": signature(signing_key(study.folder), rater_id)}
    return rater_id, {"rater": rater_id}


def refuse_places(study: Study, places: int) -> None:
    """Raise `RatifyError` if a study has fewer places than are to be filled."""
    most = study.plan.design.raters
    if not 1 <= places <= most:
        raise RatifyError(
            "is not a number of simulated raters for this plan",
            file="--raters",
            value=places,
            allowed=f"1 to {most}, the plan's raters",
        )
