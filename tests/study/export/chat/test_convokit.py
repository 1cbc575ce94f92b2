"""If this failed, ConvoKit could not load the corpus that the export promises."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from study.chat.study import ChatStudy
from study.export.chat.convokit import CORPUS_FILES
from study.export.chat.files import export_chat
from study.store.database import Store
from tests.support.chat import small_chat
from tests.support.chat_rows import Rows


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(tmp_path)


@pytest.fixture
def corpus(tmp_path: Path, study: ChatStudy) -> Iterator[Path]:
    rows = Rows(study)
    one, two = rows.visit(1, "coach"), rows.visit(2)
    rows.conversation(one, 1, ["Oh no.", "Ümläut 🙂"], ["Yes.", "Really."])
    rows.conversation(one, 2, ["Hi"], ["Hello."])
    rows.conversation(two, 1, ["And then?"], ["Nothing."])
    rows.store(store := Store(f"sqlite:///{tmp_path / 'store.sqlite3'}"))
    done = export_chat(store, study, format="convokit")
    assert done.tables == CORPUS_FILES
    yield done.folder
    store.close()


def loaded(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_folder_has_the_structure_that_convokit_reads(corpus: Path, study: ChatStudy) -> None:
    assert {path.name for path in corpus.iterdir()} == set(CORPUS_FILES)
    lines = (corpus / "utterances.jsonl").read_text(encoding="utf-8").splitlines()
    utterances = [json.loads(line) for line in lines]
    assert len(utterances) == 5 + 3 + 3
    by_id = {one["id"]: one for one in utterances}
    assert len(by_id) == len(utterances)
    speakers, conversations = loaded(corpus, "speakers.json"), loaded(corpus, "conversations.json")
    for one in utterances:
        assert set(one) == {
            "id",
            "conversation_id",
            "text",
            "speaker",
            "meta",
            "reply-to",
            "timestamp",
            "vectors",
        }
        assert one["speaker"] in speakers
        assert one["conversation_id"] in conversations
        root = by_id[one["conversation_id"]]
        assert root["reply-to"] is None
        assert root["meta"]["source"] == "opening"
        if one is not root:
            assert by_id[one["reply-to"]]["conversation_id"] == one["conversation_id"]
    assert "Ümläut 🙂" in [one["text"] for one in utterances]
    assert set(conversations[utterances[0]["id"]]) == {"meta", "vectors"}
    assert conversations[utterances[0]["id"]]["meta"]["condition"] == "coach"
    assert {one["meta"]["role"] for one in speakers.values()} == {"supporter", "partner"}
    assert loaded(corpus, "corpus.json")["study"] == study.plan.id
    assert "PLATFORM" not in "".join(path.read_text("utf-8") for path in corpus.iterdir())


def test_the_index_names_every_metadata_and_its_type(corpus: Path) -> None:
    index = loaded(corpus, "index.json")
    assert set(index) >= {
        "utterances-index",
        "speakers-index",
        "conversations-index",
        "overall-index",
        "version",
    }
    for file, kind in (("speakers.json", "speakers"), ("conversations.json", "conversations")):
        for one in loaded(corpus, file).values():
            assert set(one["meta"]) <= set(index[f"{kind}-index"])
            for name, cell in one["meta"].items():
                assert cell is None or str(type(cell)) in index[f"{kind}-index"][name]
    assert index["conversations-index"]["round"] == ["<class 'int'>"]
    assert index["overall-index"]["plan_hash"] == ["<class 'str'>"]


@pytest.mark.skipif(importlib.util.find_spec("convokit") is None, reason="convokit is not here")
def test_convokit_loads_it(corpus: Path) -> None:
    loader = importlib.import_module("convokit")
    found = loader.Corpus(filename=str(corpus))
    assert len(list(found.iter_utterances())) == 11
    assert all(one.check_integrity(verbose=False) for one in found.iter_conversations())
