"""Send simulated raters through a study until its places are filled, as people would fill them.

Some leave on the way, and some consent and never answer. Their places are freed as soon as all who
arrived with them are done, because nobody waits for a lease to run out here; the visits count as
timed out, as they would after the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

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
from study.simulation.places import MOST_PER_PLACE, RATERS, next_together, said_of_empty
from study.simulation.serving import MODE, served, served_with_store
from study.store.database import Store
from study.store.tables import Slot, Visit
from study.visits.claims import release


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
        return said + said_of_empty(self.places, self.finished)


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
    with served_with_store(study.folder) as (address, store):
        while number < MOST_PER_PLACE * places:
            wanted = places + _replaced(store, study) - _statuses(store, study).get("finished", 0)
            if wanted < 1:
                break
            together = next_together(number, wanted)
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
    rater_id, link = RATERS.link_of(study, number)
    return Visitor(rater_id, link, rater)
