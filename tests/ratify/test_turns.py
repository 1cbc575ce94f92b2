"""If these failed, `ratify turns` would end in a traceback, or write half of its files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ratify import main, shown
from tests.support.wildchat import (
    NAIVE,
    SCHEMA_1M,
    SCHEMA_FIRST,
    small_talk,
    utterance_type,
    write_shard,
)

WRITTEN = {"turns.parquet", "flow.json", "flow.csv", "flow.svg", "flow.png"}


def turns(*words: object) -> Result:
    return CliRunner().invoke(main, ["turns", *map(str, words)])


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for at in range(2):
        talks = [
            small_talk(4, first=10 * (20 * at + one), minutes=200 * one, hash_=f"{at}{one:031x}")
            for one in range(1, 13)
        ]
        write_shard(tmp_path / "release" / "data" / f"train-{at}.parquet", talks, group=5)
    return tmp_path / "release"


def test_it_writes_the_pairs_the_flow_and_a_sample(release: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = turns(release, "--out", out, "--sample", 20, "--seed", 7)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("WildChat-1M: 2 files, 24 conversations; toxic conversations were")
    assert [line.split() for line in lines if line.startswith(("Read", "Toxic", "Kept"))] == [
        ["Read", "24", "72"],
        ["Toxic", "0", "0"],
        ["Kept", "24", "72"],
    ]
    assert "the filter 'not toxic' removed no conversation" in done.output
    assert "sample: 20 of 72 turn-pairs, " in done.output
    assert {path.name for path in out.iterdir()} == WRITTEN | {"frame.parquet"}
    assert lines[-1] == (
        f"wrote turns.parquet, flow.json, flow.csv, flow.svg, flow.png, frame.parquet in {out}/"
    )
    assert pq.read_metadata(out / "turns.parquet").num_rows == 72
    assert pq.read_metadata(out / "frame.parquet").num_rows == 20
    drawing = "".join(ElementTree.fromstring((out / "flow.svg").read_text()).itertext())
    for words in ("Toxic", "0 conversations", "Fewer than 3 turns", "Kept", "72 turn-pairs"):
        assert words in drawing
    assert (out / "flow.png").read_bytes().startswith(b"\x89PNG")
    again = turns(release, "--out", out, "--limit", 14)
    assert again.exit_code == 0, again.output
    assert {path.name for path in out.iterdir()} == WRITTEN, "a sample of other pairs is gone"
    flow = json.loads((out / "flow.json").read_text())
    assert (flow["limit"], flow["read"]["conversations"]) == (14, 14)


def test_a_wrong_input_is_one_line_and_writes_nothing(release: Path, tmp_path: Path) -> None:
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "text.parquet").write_text("no")
    naive = SCHEMA_1M.set(3, pa.field("conversation", pa.list_(utterance_type(NAIVE))))
    lacking = SCHEMA_1M.remove(SCHEMA_1M.get_field_index("redacted"))
    bad = small_talk()
    bad["conversation"][0]["turn_identifier"] = None
    closed = [small_talk(3, language="German"), small_talk(3, first=9, toxic=True)]
    first = write_shard(tmp_path / "x" / "first.parquet", [], schema=SCHEMA_FIRST)
    shard = release / "data" / "train-0.parquet"
    for given, said in (
        ([empty], "holds no file whose name ends in .parquet"),
        ([tmp_path / "text.parquet"], "is not a Parquet file"),
        ([tmp_path / "none"], "does not exist"),
        ([shard, shard], "is given more than once"),
        ([first], "is the first WildChat"),
        ([write_shard(tmp_path / "n.parquet", [], schema=naive)], "without a time zone"),
        ([write_shard(tmp_path / "l.parquet", [], schema=lacking)], "lacks the column redacted"),
        ([write_shard(tmp_path / "b.parquet", [bad])], "record 1, column conversation.turn_iden"),
        (
            [
                write_shard(
                    tmp_path / "h.parquet", [small_talk(), small_talk(conversation_hash=None)]
                )
            ],
            "h.parquet, record 2, column conversation_hash: is empty",
        ),
        (
            [write_shard(tmp_path / "closed.parquet", closed), "--sample", 5, "--seed", 1],
            "closed.parquet: no turn-pair passes the filters, of 2 conversations with 4 "
            "turn-pairs; conversations removed: Not in English 1, Toxic 1",
        ),
        ([shard, "--sample", 5], "--sample needs --seed"),
        ([shard, "--seed", 5], "--seed needs --sample"),
        ([shard, "--sample", 0, "--seed", 1], "0 is not in the range"),
    ):
        done = turns(*given, "--out", out)
        assert done.exit_code == 2, (given, done.output)
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not out.exists()
    (empty / "mine.txt").write_text("x")
    done = turns(shard, "--out", empty)
    assert "holds 'mine.txt', which would be lost" in done.stderr
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_fault_halfway_leaves_what_was_there(release: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert turns(release, "--out", out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    bad = small_talk(first=900)
    bad["conversation"][0]["turn_identifier"] = None
    write_shard(release / "data" / "train-9.parquet", [bad])
    assert turns(release, "--out", out).exit_code == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_it_says_what_is_lacking(tmp_path: Path) -> None:
    talks = [small_talk(3, hashed_ip=None), small_talk(3, first=10, country="Atlantis")]
    shard = write_shard(tmp_path / "a.parquet", talks)
    done = turns(shard, "--out", tmp_path / "out", "--sample", 9, "--seed", 1)
    assert "2 of 4 turn-pairs lack the address of their user" in done.output
    assert "2 of 4 turn-pairs lack a local hour that is certain" in done.output
    assert "sample: 9 were asked for, and there are only 4" in done.output


def test_what_it_says_of_toxic_conversations_is_what_it_found(tmp_path: Path) -> None:
    talks = [
        small_talk(3),
        small_talk(3, first=10, toxic=True),
        small_talk(3, first=20, toxic=None),
    ]
    shard = write_shard(tmp_path / "a.parquet", talks)
    done = turns(shard, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "1 conversation is toxic, so these are not the files of the open release" in done.output
    assert "missing, so that the conversation left: toxic in 1" in done.output
    assert "removes none" not in done.output
    assert "removed no conversation" not in done.output
    flow = json.loads((tmp_path / "out" / "flow.json").read_text())
    assert "1 conversation is toxic" in flow["note"]
    assert ["Toxic", "-1", "-2"] in [line.split() for line in done.output.splitlines()]


def test_one_thing_is_not_counted_in_the_plural(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", [small_talk(3)])
    done = turns(shard, "--out", tmp_path / "out")
    assert done.output.startswith("WildChat-1M: 1 file, 1 conversation; ")
    assert "1 conversations" not in done.output


def test_without_a_terminal_progress_is_plain_lines(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "SAID_EVERY", 0.0)
    done = turns(release, "--out", tmp_path / "out")
    said = [line for line in done.output.splitlines() if " min left" in line]
    assert said[0].startswith("5 of 24 conversations, about ")
    assert said[-1].startswith("24 of 24 conversations")


@pytest.mark.parametrize(("things", "one"), [("studies", "study"), ("texts", "text")])
def test_a_single_thing_is_shown_in_the_singular(
    things: str, one: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "SAID_EVERY", 0.0)
    with shown.Shown(1, things=things, label="") as bar:
        bar.tell()
    assert capsys.readouterr().out.startswith(f"1 of 1 {one}, ")


def test_nothing_heavy_is_imported_for_its_help() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from ratify import main; "
        "assert CliRunner().invoke(main, ['turns', '--help']).exit_code == 0; "
        "print([m for m in ('pyarrow', 'numpy', 'matplotlib', 'study') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
