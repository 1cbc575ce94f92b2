"""If this failed, the store or an export would hold what the tables' contract does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prereg.tables.contract import PROBE_KINDS, PURPOSES, REASONS, STATUSES, TABLES
from prereg.tables.reader import read_table
from study.export.files import export
from study.export.tidy import STORED
from study.llm.reply import LASTING, PASSING
from study.store.tables import HOLDING
from study.visits.recruitment import ENDED
from tests.support.contract import breaches
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study

# Columns of the store that no table shows.
OF_THE_STORE = {
    "participants": "lease_until answered shown_position shown_at comprehended withdrawal_key "
    "practised survey surveyed_at version_hash",
    "judgments": "row_id version_hash",
    "ratings": "row_id version_hash",
    "best_worst": "row_id options most_id least_id version_hash",
    "withdrawals": "row_id",
    "requests": "row_id run_id answers version_hash",
    "probes": "row_id version_hash",
}
# Columns of a table that are made from other columns of the store.
MADE = {
    "judgments": {"clock_changed"},
    "ratings": {"clock_changed"},
    "best_worst": {"option", "item_id", "picked", "clock_changed"},
}


@pytest.mark.parametrize("name", STORED)
def test_the_store_has_the_columns_types_and_words_of_the_contract(name: str) -> None:
    stored = STORED[name].__table__.c
    shown = set(TABLES[name].names) - MADE.get(name, set())
    assert set(stored.keys()) == shown | set(OF_THE_STORE[name].split())
    for column in TABLES[name].columns:
        if column.name not in shown:
            continue
        kept = stored[column.name]
        assert kept.type.python_type is TABLES[name].types[column.name], column.name
        assert column.empty is not None or not kept.nullable, column.name
        for word in column.words:
            assert len(word) <= (getattr(kept.type, "length", None) or 999), (column.name, word)
        if column.words and kept.default is not None:
            assert kept.default.arg in column.words, column.name


def test_the_words_of_the_store_are_those_of_the_contract() -> None:
    assert {*LASTING, *PASSING} == set(REASONS)
    assert set(re.findall(r"'(\w+)'", HOLDING)) == {"active", "finished"} < set(STATUSES)
    assert set(ENDED.values()) < set(STATUSES)


def test_what_is_asked_of_an_llm_is_exported_by_the_contract(
    tmp_path: Path, llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm_server.reset(key=KEY)
    llm_server.set(matching=[{"pattern": "job, number 1", "fault": "refusal"}])
    monkeypatch.setenv(VARIABLE, KEY)
    habits = {
        "pairs": 2,
        "repeats": 1,
        "wordings": ["pairwise_terse"],
        "items": 2,
        "perturbations": ["leetspeak"],
    }
    folder = make_llm_study(
        tmp_path / "study",
        llm_server,
        raters=4,
        trials=2,
        per_scenario=4,
        both_orders=True,
        habits=habits,
    )
    with lab(folder) as study:
        study.run()
        data = export(study.store, study.study).folder
    assert breaches(data) == []
    requests = read_table(data / "requests.csv").rows
    assert {row["purpose"] for row in requests} == set(PURPOSES) - {"ranking"}
    assert {row["reason"] for row in requests} == {"", "refused"}
    assert {row["probe"] for row in read_table(data / "probes.csv").rows} == set(PROBE_KINDS)
    cells = (data / "requests.csv").read_text(encoding="utf-8")
    (data / "requests.csv").write_text(cells.replace(",refused,", ",angry,", 1), encoding="utf-8")
    assert len(breaches(data)) == 1, "one word is wrong now"
