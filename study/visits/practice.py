"""Count practice trials; what a rater answers in them is not kept."""

from __future__ import annotations

import time

from sqlalchemy import func, update

from prereg.plan.practice import practice_trials
from study.folder import Study
from study.store.database import Store
from study.store.tables import Visit
from study.visits.places import Place


def practise(store: Store, study: Study, place: Place, number: int) -> None:
    """Count a practice trial that was sent; one that was counted before changes nothing.

    Parameters
    ----------
    store : Store
    study : Study
    place : Place
        Of a visit under way.
    number : int
        The practice trial, from 1; only the next one counts.
    """
    if number != place.practised + 1 or number > practice_trials(study.plan.practice):
        return
    count = (
        update(Visit)
        .where(
            Visit.session_id == place.session_id,
            Visit.status == "active",
            func.coalesce(Visit.practised, 0) == number - 1,
        )
        .values(practised=number, lease_until=time.time() + study.plan.design.lease_seconds(0))
    )
    store.write(lambda connection: connection.execute(count))
