"""If this failed, a study could change after registration without anybody noticing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, read_lock, verify_lock
from prereg.plan.file import load_plan
from study.opening import lock_study, open_study
from tests.support.plans import edited_plan


def test_a_lock_holds_and_can_be_repeated(study_folder: Path) -> None:
    study, lock = lock_study(study_folder)
    assert lock.plan_hash == study.plan_hash
    assert set(lock.parts) == {"plan", "items", "sequences", "consent", "instructions", "prompts"}
    again = lock_study(study_folder)[1]
    assert again == lock
    assert verify_lock(study_folder, load_plan(study_folder)) == lock
    assert open_study(study_folder, must_be_locked=True).lock == lock


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "part"),
    [
        ("plan.yaml", "seed: 20261121", "seed: 20261122", "plan"),
        ("items.csv", "I hear you", "I see you", "items"),
        ("consent.md", "Before", "before", "consent"),
        ("instructions.md", "How it works", "How this works", "instructions"),
    ],
)
def test_any_change_after_the_lock_is_named(
    study_folder: Path, name: str, old: str, new: str, part: str
) -> None:
    lock_study(study_folder)
    edit(study_folder, name, old, new)
    for check in (
        lambda: open_study(study_folder),
        lambda: lock_study(study_folder),
        lambda: verify_lock(study_folder, load_plan(study_folder)),
    ):
        with pytest.raises(RatifyError, match=rf"changed since the plan was locked.*: {part}\b"):
            check()


def test_the_keys_of_the_plan_that_changed_are_named(study_folder: Path) -> None:
    lock_study(study_folder)
    with edited_plan(study_folder) as plan:
        plan["seed"] = 7
        plan["analyses"] = plan["analyses"][:-1]
        plan["title"] = "Another title"
    with pytest.raises(RatifyError) as told:
        open_study(study_folder)
    for words in (
        "seed: 20261121 when locked, 7 now",
        "entries when locked",
        '"Another title" now',
    ):
        assert words in str(told.value)
    # what the lock says of the plan is believed only if it has the hash
    content = json.loads((study_folder / LOCK_FILE).read_text())
    content["locked"]["plan"]["seed"] = 7
    (study_folder / LOCK_FILE).write_text(json.dumps(content))
    with pytest.raises(RatifyError, match=r"locked at \S+: plan \(allowed"):
        open_study(study_folder)


def test_a_lock_without_the_plan_s_words_names_the_part(study_folder: Path) -> None:
    lock_study(study_folder)
    content = json.loads((study_folder / LOCK_FILE).read_text())
    del content["locked"]
    (study_folder / LOCK_FILE).write_text(json.dumps(content))
    assert open_study(study_folder).lock is not None
    edit(study_folder, "plan.yaml", "seed: 20261121", "seed: 20261122")
    with pytest.raises(RatifyError, match=r": plan \(allowed"):
        open_study(study_folder)


def test_a_changed_sequence_is_named(study_folder: Path) -> None:
    lock_study(study_folder)
    path = study_folder / "sequences.csv"
    header, first, *rest = path.read_text().splitlines()
    sequence, position, left, right, check = first.split(",")
    swapped = ",".join([sequence, position, right, left, check])
    path.write_text("\n".join([header, swapped, *rest]) + "\n")
    with pytest.raises(RatifyError, match="sequences"):
        open_study(study_folder)


def test_formatting_that_changes_nothing_does_not_break_the_lock(study_folder: Path) -> None:
    lock_study(study_folder)
    path = study_folder / "plan.yaml"
    path.write_text("# a remark\n" + path.read_text())
    assert open_study(study_folder, must_be_locked=True).lock is not None


def test_an_edited_lock_is_refused(study_folder: Path) -> None:
    lock_study(study_folder)
    path = study_folder / LOCK_FILE
    content = json.loads(path.read_text())
    content["parts"]["plan"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(RatifyError, match="has been edited"):
        read_lock(study_folder)
    path.write_text("{}")
    with pytest.raises(RatifyError, match="is not a lock"):
        read_lock(study_folder)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("score: overall", "column: mood", "no column 'mood'"),
        ("score: overall", "column: text", "column text: is not a number"),
        ("max: 5", "max: 7", r"measures\.scale.*1 to 5 only.*'1 to 7'"),
        ("- dismissing_emotions", "- rudeness", r"measures.*'rudeness'"),
    ],
)
def test_what_could_not_be_analysed_is_not_locked(
    study_folder: Path, old: str, new: str, says: str
) -> None:
    path = study_folder / "plan.yaml"
    text = path.read_text()
    if "column" in new:
        old = f"judge: lexical\n  {old}"
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RatifyError, match=says):
        lock_study(study_folder)
    assert not (study_folder / LOCK_FILE).exists()
    assert not (study_folder / "sequences.csv").exists()


def test_without_a_lock_there_is_no_live_study(study_folder: Path) -> None:
    with pytest.raises(RatifyError, match=r"not locked.*ratify lock"):
        open_study(study_folder, must_be_locked=True)
    assert open_study(study_folder).lock is None


@pytest.mark.parametrize("text", ["No title at all.", "# One\n\n# Two"])
def test_a_text_without_its_one_title_is_not_locked(study_folder: Path, text: str) -> None:
    (study_folder / "consent.md").write_text(text)
    with pytest.raises(RatifyError, match=r"consent\.md: has [02] titles.*'# '"):
        lock_study(study_folder)
