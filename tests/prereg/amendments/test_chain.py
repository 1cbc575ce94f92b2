"""If this failed, an amendment could be edited, cut out, dated back or put elsewhere unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE, Amendment, Change, Known
from prereg.amendments.chain import append_amendment, changed_prefix, read_amendments
from prereg.errors import RatifyError

ROOT = "0" * 64
OF_LOCK = {"locked_at": "2026-01-01T00:00:00.000Z", "tool": "ratify-eval 1", "code": "c"}
Line = dict[str, Any]


def _hash(part: Any) -> str:
    return files.sha256(files.canonical_json(part))


def amendment(number: int, previous: str, at: str, **more: Any) -> Amendment:
    """Return an amendment of the consent text with a hash that follows from it."""
    consent = f"# Consent\n\nVersion {number}."
    made = Amendment(
        number=number,
        at=at,
        reason="A typo.",
        known=Known("not_looked", 3, 12, 0),
        changes=(Change("consent", "", "# Consent", consent),),
        parts={"consent": _hash(consent)},
        locked={"consent": consent},
        rows=10,
        transport={},
        of_lock=OF_LOCK,
        previous=previous,
        tool="ratify-eval 1",
        code="c",
    )
    made = replace(made, **more)
    return replace(made, plan_hash=made.seal())


@pytest.fixture
def chain(tmp_path: Path) -> list[Amendment]:
    """Two amendments, in the file of a folder."""
    first = amendment(1, ROOT, "2026-01-02T00:00:00.000Z")
    second = amendment(2, first.plan_hash, "2026-01-03T00:00:00.000Z")
    for one in (first, second):
        append_amendment(tmp_path, one)
    return [first, second]


def read(folder: Path, of_lock: dict[str, str] | None = None) -> tuple[Amendment, ...]:
    return read_amendments(folder, plan_hash=ROOT, of_lock=of_lock or OF_LOCK)


def rewrite(folder: Path, edit: Callable[[list[Line]], list[Line]]) -> None:
    """Change the lines of the file as somebody with an editor would."""
    path = folder / AMENDMENTS_FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in edit(lines)))


def resealed(line: Line) -> Line:
    """Return a line whose hash follows from it again."""
    return {**line, "plan_hash": Amendment.from_json(line).seal()}


def test_a_chain_is_read_as_it_was_written(tmp_path: Path, chain: list[Amendment]) -> None:
    assert list(read(tmp_path)) == chain
    assert read(tmp_path / "elsewhere") == ()


def test_order_of_keys_and_line_ends_do_not_matter(tmp_path: Path, chain: list[Amendment]) -> None:
    rewrite(tmp_path, lambda lines: [dict(reversed(list(line.items()))) for line in lines])
    path = tmp_path / AMENDMENTS_FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read(tmp_path)) == chain


def _reason(lines: list[Line]) -> list[Line]:
    lines[0]["reason"] = "Another reason."
    return lines


def _known(lines: list[Line]) -> list[Line]:
    lines[0]["known"]["state"] = "no_data"
    return lines


def _forged_text(lines: list[Line]) -> list[Line]:
    lines[1]["locked"]["consent"] = "# Another consent"
    return [lines[0], resealed(lines[1])]


def _dated_back(lines: list[Line]) -> list[Line]:
    lines[1]["at"] = "2026-01-01T12:00:00.000Z"
    return [lines[0], resealed(lines[1])]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_reason, "amendment 1 has been edited"),
        (_known, "amendment 1 has been edited"),
        (_forged_text, "amendment 2 does not hold the consent that it hashes"),
        (_dated_back, "amendment 2 is dated before the version that it changes"),
        (lambda lines: lines[1:], "amendment 2 does not follow"),
        (lambda lines: lines[::-1], "amendment 2 does not follow"),
        (lambda lines: [lines[0], lines[0]], "amendment 1 does not follow"),
        (lambda lines: [{"number": 1}, *lines[1:]], "is not an amendment"),
    ],
)
def test_every_way_to_break_a_chain_is_told_apart(
    tmp_path: Path, chain: list[Amendment], edit: Callable[[list[Line]], list[Line]], said: str
) -> None:
    rewrite(tmp_path, edit)
    with pytest.raises(RatifyError, match=said) as error:
        read(tmp_path)
    assert error.value.row in {1, 2}
    assert "\n" not in str(error.value)


def test_a_lock_that_was_edited_after_an_amendment_shows(
    tmp_path: Path, chain: list[Amendment]
) -> None:
    with pytest.raises(RatifyError, match="amendment 1 saw another locked_at"):
        read(tmp_path, {**OF_LOCK, "locked_at": "2025-01-01T00:00:00.000Z"})


def test_two_amendments_at_once_do_not_share_a_number(
    tmp_path: Path, chain: list[Amendment]
) -> None:
    before = (tmp_path / AMENDMENTS_FILE).read_bytes()
    with pytest.raises(RatifyError, match="another amendment was appended meanwhile"):
        append_amendment(tmp_path, chain[1])
    assert (tmp_path / AMENDMENTS_FILE).read_bytes() == before


def test_old_sequences_must_be_the_first_rows() -> None:
    rows = [{"sequence_id": f"S{n}"} for n in range(5)]
    versions = [(3, _hash(rows[:3])), (5, _hash(rows))]
    assert changed_prefix(rows, versions) is None
    assert changed_prefix([rows[1], rows[0], *rows[2:]], versions) == 0
    assert changed_prefix([*rows[:4], {"sequence_id": "other"}], versions) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("plan", "design.raters", 50, 70), "plan: design.raters: 50 became 70"),
        (Change("plan", "analyses.new", None, {"id": "new"}), 'plan: analyses.new: added {"id"'),
        (
            Change("plan", "analyses.new", None, {"id": "new", "formula": "y ~ x" * 40}),
            'plan: analyses.new: added {"id": "new", "formula": "' + "y ~ x" * 40 + '"}',
        ),
        (Change("judges", "gpt.model", "a", "b"), 'judges: gpt.model: "a" became "b"'),
        (Change("consent", "", "a\nwrod b", "a\nword b"), 'consent: "wrod" became "word"'),
        (Change("consent", "", "a\nb", "a\n\nb"), "consent: only its spaces and lines differ"),
    ],
)
def test_a_change_is_said_in_one_line(change: Change, said: str) -> None:
    assert change.sentence.startswith(said)


def test_a_sign_that_some_programs_take_for_a_line_end_ends_no_line(tmp_path: Path) -> None:
    text = "# Consent\n\nPasted from a word processor:\u2028next \u2029 and \x85."
    parts = {"consent": _hash(text)}
    first = amendment(1, ROOT, "2026-01-02T00:00:00.000Z", locked={"consent": text}, parts=parts)
    second = amendment(2, first.plan_hash, "2026-01-03T00:00:00.000Z")
    for one in (first, second):
        append_amendment(tmp_path, one)
    assert list(read(tmp_path)) == [first, second]


@pytest.mark.parametrize(
    "forged",
    [
        {"at": 5},
        {"at": "yesterday"},
        {"of_lock": []},
        {"locked": ["consent"]},
        {"transport": {"judge": "url"}},
        {"known": {"state": "seen", "visits": "many", "first_look": None}},
        {"parts": {"plan": _hash("text")}, "locked": {"plan": "text"}},
    ],
)
def test_values_of_another_type_are_refused_although_the_hash_follows(
    tmp_path: Path, chain: list[Amendment], forged: Line
) -> None:
    def edit(lines: list[Line]) -> list[Line]:
        line = {**lines[1], **forged}
        del line["plan_hash"]
        return [lines[0], {**line, "plan_hash": _hash(line)}]

    rewrite(tmp_path, edit)
    with pytest.raises(RatifyError, match=r"row 2: is not an amendment"):
        read(tmp_path)


def test_numbers_that_json_does_not_have_and_endless_brackets_are_refused(
    tmp_path: Path, chain: list[Amendment]
) -> None:
    path = tmp_path / AMENDMENTS_FILE
    whole = path.read_text()
    for line in ("[" * 100_000, whole.split("\n")[0].replace('"rows": 10', '"rows": NaN')):
        path.write_text(line + "\n")
        with pytest.raises(RatifyError, match=r"row 1: is not an amendment"):
            read(tmp_path)
