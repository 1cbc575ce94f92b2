"""If this failed, `ratify export` would not write the tables of a chat, or end in a traceback."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ratify import main
from study.chat.opening import open_chat
from study.store.database import open_store
from tests.support.chat_folder import chat_folder
from tests.support.chat_rows import Rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = chat_folder(tmp_path / "chat")
    study = open_chat(made)
    rows = Rows(study)
    rows.conversation(rows.visit(1), 1, ["I hear you."], ["Thank you."])
    with closing(open_store(made, None)) as store:
        rows.store(store)
    return made


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_the_tables_and_the_corpus_of_a_chat_are_written(folder: Path) -> None:
    done = export(folder)
    assert done.exit_code == 0, done.output
    assert "messages.csv, conversations.csv, participants.csv" in done.output
    assert "the tables hold pseudonyms" in done.output
    assert "I hear you." in (folder / "data" / "messages.csv").read_text(encoding="utf-8")
    done = export(folder, "--format", "convokit")
    assert done.exit_code == 0, done.output
    assert "utterances.jsonl" in done.output
    assert "CODEBOOK" not in done.output
    assert (folder / "convokit" / "index.json").exists()


def test_what_cannot_be_written_is_said_in_one_line(folder: Path, study_folder: Path) -> None:
    refused = export(folder, "--platform-ids")
    assert (refused.exit_code, len(refused.output.splitlines())) == (2, 1)
    assert "never their ids" in refused.output
    with closing(open_store(study_folder, None)):
        pass
    refused = export(study_folder, "--format", "convokit")
    assert (refused.exit_code, len(refused.output.splitlines())) == (2, 1)
    assert "only a study of kind chat" in refused.output
