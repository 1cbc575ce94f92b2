"""What a chat may cost: the worst case is set aside, and the budget is never exceeded."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from study.chat import spending
from study.chat.spending import worst_case, worst_case_of
from study.chat.study import ChatStudy
from study.store.chat_tables import Call, ChatVisit
from study.store.database import Store
from study.store.tables import Visit
from tests.support.chat import small_chat
from tests.support.chat_owed import MODE, llm_chat, opened, person

PRICES = {"input": 1.0, "output": 4.0, "currency": "EUR"}


def priced(folder: Path, money: float | None = 10.0, calls: int = 20) -> ChatStudy:
    budget = {"money": money, "per_participant": {"calls": calls}}
    return llm_chat(folder, "http://127.0.0.1:9/v1", server={"prices": PRICES}, budget=budget)


def paid(store: Store, study: ChatStudy, session: str, cost: float, number: int = 0) -> None:
    row = {
        "request_id": f"{session}-{number}",
        "plan_hash": study.root_hash,
        "mode": MODE,
        "session_id": session,
        "owed_id": 1,
        "purpose": "partner",
        "status": "answered",
        "cost": cost,
        "asked_at": "2027-01-15T08:00:00.000Z",
    }
    store.write(lambda connection: connection.execute(insert(Call).values(row)))


def test_the_worst_case_is_calls_times_the_dearest_call(tmp_path: Path) -> None:
    plan = priced(tmp_path).plan
    each = 1_000 + 480 + 16
    dearest = (8_000 + 41 * each + 4 * 120) / 1e6
    assert worst_case(plan) == spending.Reservation(pytest.approx(20 * dearest), 20)
    assert worst_case(small_chat(tmp_path).plan) == spending.Reservation(0.0, 60)


def test_what_ended_counts_as_paid_and_who_is_there_as_set_aside(
    tmp_path: Path, database_url: str
) -> None:
    study = priced(tmp_path)
    aside = worst_case_of(study).money
    with opened(database_url) as store:
        gone, there = person(store, study, 1), person(store, study, 2)
        paid(store, study, gone.session_id, 0.25)
        paid(store, study, there.session_id, aside / 2)
        paid(store, study, "", 0.125)  # of somebody who has withdrawn
        ended = update(Visit).where(Visit.session_id == gone.session_id)
        store.write(lambda c: c.execute(ended.values(status="finished")))
        found = spending.cost(store, study, MODE)
    assert found.spent == pytest.approx(0.375 + aside / 2)
    assert found.reserved == pytest.approx(aside / 2)
    assert (found.limit, found.currency, found.calls) == (10.0, "EUR", 3)
    assert found.foreseen == pytest.approx(found.spent + 15 * 0.25)


def test_claims_at_once_never_exceed_the_budget(tmp_path: Path, database_url: str) -> None:
    each = worst_case_of(priced(tmp_path)).money
    study = priced(tmp_path, money=each * 5.5)
    kept: list[int] = []
    with opened(database_url) as store:
        for number in range(16):
            person(store, study, number)
        # nobody has anything set aside yet, as if they were only about to be let in
        store.write(lambda c: c.execute(update(ChatVisit).values(reserved_money=0.0)))
        gate = threading.Barrier(16)

        def claim(number: int) -> None:
            def take(connection: Any) -> None:
                aside = spending.reserve(connection, study, MODE)
                if aside is not None:
                    its = update(ChatVisit).where(ChatVisit.session_id == f"s{number:04d}")
                    connection.execute(its.values(reserved_money=aside.money))
                    kept.append(number)

            gate.wait()
            store.write(take)

        threads = [threading.Thread(target=claim, args=(n,)) for n in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(kept) == 5
        with store.reading() as connection:
            assert not spending.fits(connection, study, MODE)


def test_without_a_budget_everybody_fits(tmp_path: Path, database_url: str) -> None:
    study = priced(tmp_path, money=None)
    with opened(database_url) as store:
        aside = store.write(lambda connection: spending.reserve(connection, study, MODE))
        assert aside == worst_case_of(study)
        assert spending.cost(store, study, MODE).foreseen is None
