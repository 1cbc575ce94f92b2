"""If this failed, an amendment would change what answers depend on, or say what was not known."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, read_lock
from prereg.looks import looks_log
from study.amending import amend, draft_amendment
from study.export.tidy import left_behind, tidy_tables
from study.known import refuse_collected
from study.opening import lock_study, open_study
from study.store.database import Store, open_store
from study.visits.claims import Arrival, claim
from tests.conftest import make_study
from tests.support.collecting import open_places, study_of_kind, take_part
from tests.support.plans import edited_plan


def with_answers(folder: Path, mode: str = "live") -> Store:
    """Return the store of a study in which one person has answered."""
    study = open_study(folder)
    store = open_store(folder, None)
    open_places(store, study, mode)
    take_part(store, study, mode, "p1")
    return store


def edit(folder: Path, **design: Any) -> None:
    with edited_plan(folder) as plan:
        plan["design"] |= design


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A locked pairwise study."""
    folder = make_study(tmp_path / "study", raters=10)
    lock_study(folder)
    return folder


def test_what_was_known_is_counted_not_typed(folder: Path) -> None:
    edit(folder, lease_minutes=75)
    assert draft_amendment(folder, None).known.state == "no_data"
    store = with_answers_of(folder)
    known = draft_amendment(folder, store).known
    assert (known.state, known.visits, known.answers) == ("not_looked", 1, 4)
    with looks_log(folder) as log:
        log.append(at="2026-01-01", mode="live", plan_hash="x", answers=4, results="y")
    known = draft_amendment(folder, store).known
    assert (known.state, known.first_look) == ("seen", "2026-01-01")
    store.close()


def test_live_results_of_an_earlier_release_count_as_seen(folder: Path) -> None:
    edit(folder, lease_minutes=75)
    results = folder / "results"
    results.mkdir()
    meta = {"mode": "bot", "created_at": "2026-01-02"}
    for mode, state in [("bot", "no_data"), ("live", "seen")]:
        text = json.dumps({"meta": {**meta, "mode": mode}})
        (results / "results.json").write_text(text)
        known = draft_amendment(folder, None).known
        assert known.state == state
    assert known.first_look == "2026-01-02"


def with_answers_of(folder: Path) -> Store:
    """As `with_answers`, of a folder whose plan was edited: the answers are older."""
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("lease_minutes: 75", "lease_minutes: 60"))
    store = with_answers(folder)
    (folder / "plan.yaml").write_text(text)
    return store


def test_tables_without_their_store_do_not_count_as_no_data(folder: Path) -> None:
    (folder / "data").mkdir()
    edit(folder, lease_minutes=75)
    (folder / "data" / "ours.csv").write_text("a table of the lab's own")
    assert draft_amendment(folder, None).known.state == "no_data"
    (folder / "data" / "participants.csv").write_text("session_id\n")
    with pytest.raises(RatifyError, match="the store that they come from is not here"):
        draft_amendment(folder, None)


def test_an_answer_while_an_amendment_is_checked_is_known(folder: Path) -> None:
    with_answers(folder, "pilot").close()
    edit(folder, lease_minutes=75)
    with closing(open_store(folder, None)) as store:
        draft = draft_amendment(folder, store)
        assert draft.known.state == "no_data"
        with_answers_of(folder).close()
        with pytest.raises(RatifyError, match=r"no data: nobody had answered. Now it is data, but"):
            amend(folder, draft, "A longer lease.")
        made = amend(folder, draft_amendment(folder, store), "A longer lease.")
    assert (made.known.state, made.known.visits) == ("not_looked", 1)


def test_a_study_with_live_visits_is_not_locked_anew(folder: Path) -> None:
    with_answers(folder, "pilot").close()
    with closing(open_store(folder, None)) as store:
        refuse_collected(folder, store)
        with_answers(folder).close()
        with pytest.raises(RatifyError, match="would come too late: it has 1 live visit "):
            refuse_collected(folder, store)


@pytest.mark.parametrize(
    ("design", "key"),
    [
        ({"trials": 5}, "design.trials"),
        ({"raters": 8}, "design.raters"),
        ({"ties": "offered"}, "design.ties"),
    ],
)
def test_what_answers_depend_on_cannot_be_amended(
    folder: Path, design: dict[str, Any], key: str
) -> None:
    with_answers(folder).close()
    edit(folder, **design)
    with closing(open_store(folder, None)) as store, pytest.raises(RatifyError) as error:
        draft_amendment(folder, store)
    assert error.value.column == key
    assert not (folder / "plan.amendments.jsonl").exists()


def test_items_cannot_be_amended_once_there_are_answers(folder: Path) -> None:
    with_answers(folder).close()
    path = folder / "items.csv"
    path.write_text(path.read_text().replace("I hear you", "I see you", 1))
    with (
        closing(open_store(folder, None)) as store,
        pytest.raises(RatifyError, match="items have changed"),
    ):
        draft_amendment(folder, store)


def test_before_anybody_answers_everything_may_be_amended(folder: Path) -> None:
    edit(folder, trials=5, raters=6)
    draft = draft_amendment(folder, None)
    amend(folder, draft, "Fewer people, longer.")
    study = open_study(folder, must_be_locked=True)
    assert len(study.sequences) == 6
    assert {len(trials) for trials in study.sequences.values()} == {5}
    with closing(open_store(folder, None)) as store:
        open_places(store, study, "live")
        open_places(store, study, "live")


def test_trials_of_the_pages_before_new_sequences_stay_out_of_the_tables(folder: Path) -> None:
    store = with_answers(folder, mode="pilot")
    edit(folder, trials=5)
    amend(folder, draft_amendment(folder, store), "Longer.")
    study = open_study(folder, must_be_locked=True)
    open_places(store, study, "pilot")
    place = take_part(store, study, "pilot", "p2")
    assert place.position == 6
    with closing(store), store.reading() as connection:
        tables = tidy_tables(study)
        raters = {row[1] for row in tables["participants"].rows(connection)}
        answers = len(list(tables["judgments"].rows(connection)))
        assert left_behind(connection, study) == {"participants": 1, "judgments": 4}
    assert raters == {"p2"}
    assert answers == 5


def test_new_sequences_are_balanced_and_old_ones_stay(folder: Path) -> None:
    before = open_study(folder).sequences
    with_answers(folder).close()
    edit(folder, raters=22)
    with closing(open_store(folder, None)) as store:
        amend(folder, draft_amendment(folder, store), "Twelve more people.")
    after = open_study(folder, must_be_locked=True).sequences
    assert list(after)[:10] == list(before)
    assert all(after[name] == trials for name, trials in before.items())
    assert len(after) == 22
    new = [t.item_ids for name in list(after)[10:] for t in after[name]]
    shown = Counter(item for pair in new for item in pair)
    assert max(shown.values()) - min(shown.values()) <= 1
    left = Counter(pair[0] for pair in new)
    assert all(abs(2 * left[item] - count) <= 1 for item, count in shown.items())


def test_a_second_rater_for_each_sequence_adds_places_only(folder: Path) -> None:
    with_answers(folder).close()
    sequences = (folder / "sequences.csv").read_bytes()
    edit(folder, raters=20, raters_per_sequence=2)
    with closing(open_store(folder, None)) as store:
        amend(folder, draft_amendment(folder, store), "Everything twice.")
        study = open_study(folder, must_be_locked=True)
        open_places(store, study, "live")
        for number in range(2, 21):
            take_part(store, study, "live", f"p{number}")
        assert claim(store, study, "live", Arrival("p21")) is None
    assert (folder / "sequences.csv").read_bytes() == sequences


def test_each_version_keeps_its_text_and_the_chain_goes_on(folder: Path) -> None:
    with_answers(folder).close()
    consent = folder / "consent.md"
    texts = [consent.read_text()]
    for number in (1, 2):
        texts.append(texts[0].replace("Before", f"Before {number}", 1))
        consent.write_text(texts[-1])
        with closing(open_store(folder, None)) as store:
            amend(folder, draft_amendment(folder, store), f"Change {number}.")
    study = open_study(folder, must_be_locked=True)
    assert study.lock is not None
    hashes = study.lock.hashes
    assert len(set(hashes)) == 3
    assert [study.at(one).texts["consent"] for one in hashes] == texts
    assert study.at("unknown") is study
    assert study.root_hash == hashes[0]


def test_an_amendment_needs_a_change_and_a_reason(folder: Path) -> None:
    with pytest.raises(RatifyError, match="nothing has changed"):
        draft_amendment(folder, None)
    edit(folder, lease_minutes=75)
    with pytest.raises(RatifyError, match="needs a reason"):
        amend(folder, draft_amendment(folder, None), "  ")


def test_an_amendment_that_was_cut_off_can_be_made_again(folder: Path) -> None:
    with_answers(folder).close()
    edit(folder, raters=12)
    before = (folder / "sequences.csv").read_bytes()
    with closing(open_store(folder, None)) as store:
        first = amend(folder, draft_amendment(folder, store), "Two more.")
        grown = (folder / "sequences.csv").read_bytes()
        (folder / "plan.amendments.jsonl").unlink()  # power failed between the two files
        again = amend(folder, draft_amendment(folder, store), "Two more.")
    assert grown.startswith(before)
    assert (folder / "sequences.csv").read_bytes() == grown
    assert again.parts == first.parts


@pytest.mark.parametrize("design", [{"raters": 12}, {"trials": 5}])
def test_an_amendment_that_was_cut_off_and_given_up_leaves_the_locked_sequences(
    folder: Path, monkeypatch: pytest.MonkeyPatch, design: dict[str, int]
) -> None:
    before = {name: (folder / name).read_bytes() for name in ("plan.yaml", "sequences.csv")}

    def full(*_: Any) -> None:
        raise RatifyError("cannot write this file: No space left on device")

    edit(folder, **design)
    with monkeypatch.context() as broken:
        broken.setattr("study.amending.append_amendment", full)
        with pytest.raises(RatifyError, match="No space left"):
            amend(folder, draft_amendment(folder, None), "More.")
    assert (folder / "sequences.csv").read_bytes() != before["sequences.csv"]
    (folder / "plan.yaml").write_bytes(before["plan.yaml"])
    with pytest.raises(RatifyError, match=r"nothing has changed.*again as it was locked"):
        draft_amendment(folder, None)
    assert (folder / "sequences.csv").read_bytes() == before["sequences.csv"]
    open_study(folder, must_be_locked=True)
    with pytest.raises(RatifyError, match="nothing has changed since the plan was locked \\("):
        draft_amendment(folder, None)


def test_a_lock_without_texts_asks_for_them(folder: Path) -> None:
    path = folder / LOCK_FILE
    content = json.loads(path.read_text())
    for name in ("consent", "instructions", "prompts"):
        del content["locked"][name]
    del content["rows"]
    path.write_text(json.dumps(content))
    consent = folder / "consent.md"
    text = consent.read_text()
    consent.write_text(text.replace("Before", "Even before", 1))
    with pytest.raises(RatifyError, match="does not hold the consent that was locked"):
        draft_amendment(folder, None)
    consent.write_text(text)
    lock_study(folder)
    consent.write_text(text.replace("Before", "Even before", 1))
    amend(folder, draft_amendment(folder, None), "A word.")
    assert read_lock(folder).versions[0].locked["consent"] == text


def test_ratings_keep_their_scale_and_may_mend_its_question(tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "rating")
    folder = study.folder
    lock_study(folder)
    with_answers(folder).close()
    with edited_plan(folder) as plan:
        plan["scales"][0]["question"] += "?"
    with closing(open_store(folder, None)) as store:
        amend(folder, draft_amendment(folder, store), "A question mark.")
        with edited_plan(folder) as plan:
            plan["scales"][0]["max"] += 1
            plan["scales"][0]["labels"][plan["scales"][0]["max"]] = "more"
        with pytest.raises(RatifyError, match="what the answers on a scale mean"):
            draft_amendment(folder, store)
