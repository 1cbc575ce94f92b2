"""Write the conversations as a corpus folder that ConvoKit loads: `Corpus(filename=DIR)`.

A corpus has five files: utterances.jsonl, speakers.json, conversations.json, corpus.json and
index.json, which names the metadata of each kind with their types. A conversation has the id of its
first utterance, as ConvoKit wants it; ours is in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prereg import files
from prereg.code import tool_version
from study.chat.study import ChatStudy

CORPUS_FILES = (
    "utterances.jsonl",
    "speakers.json",
    "conversations.json",
    "corpus.json",
    "index.json",
)
# The version of the corpus, as its index names it; ConvoKit does not read it.
VERSION = 1
# What a row has besides its metadata.
_UTTERANCE = ("message_id", "conversation_id", "rater_id", "speaker", "text", "sent_at")
_SPEAKER = ("rater_id",)
Row = Mapping[str, Any]
Meta = dict[str, Any]


def write_corpus(folder: Path, study: ChatStudy, tables: Mapping[str, Iterable[Row]]) -> None:
    """Write the files of a corpus into a folder.

    Parameters
    ----------
    folder : Path
    study : ChatStudy
    tables : mapping
        Rows of messages, conversations and participants, by table; each by the names of its
        columns, in the order of the tables and with pseudonyms.
    """
    utterances, roots = _utterances(tables["messages"])
    with (folder / "utterances.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{json.dumps(one, ensure_ascii=False)}\n" for one in utterances)
    speakers: dict[str, dict[str, Any]] = {
        # whoever takes part twice, in two modes, is one speaker
        row["rater_id"]: {"meta": {"role": "supporter", **_meta(row, _SPEAKER)}, "vectors": []}
        for row in tables["participants"]
    }
    for one in utterances:
        if one["meta"]["role"] == "partner":
            meta = {"role": "partner", "scenario": one["meta"]["scenario"]}
            speakers[one["speaker"]] = {"meta": meta, "vectors": []}
    conversations = {
        roots[row["conversation_id"]]: dict(row)
        for row in tables["conversations"]
        if row["conversation_id"] in roots
    }
    corpus = {"study": study.plan.id, "plan_hash": study.plan_hash, "tool": tool_version()}
    index = {
        "utterances-index": _index(one["meta"] for one in utterances),
        "speakers-index": _index(one["meta"] for one in speakers.values()),
        "conversations-index": _index(conversations.values()),
        "overall-index": _index([corpus]),
        "version": VERSION,
        "vectors": [],
    }
    for name, content in (
        ("speakers.json", speakers),
        (
            "conversations.json",
            {name: {"meta": meta, "vectors": []} for name, meta in conversations.items()},
        ),
        ("corpus.json", corpus),
        ("index.json", index),
    ):
        files.write_json(folder / name, content)


def _utterances(rows: Iterable[Row]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the utterances, and the first one of each conversation."""
    found: list[dict[str, Any]] = []
    roots: dict[str, str] = {}
    before: dict[str, str] = {}
    for row in rows:
        conversation = row["conversation_id"]
        root = roots.setdefault(conversation, row["message_id"])
        found.append(
            {
                "id": row["message_id"],
                "conversation_id": root,
                "text": row["text"],
                "speaker": _speaker(row),
                "meta": _meta(row, _UTTERANCE) | {"role": row["speaker"]},
                "reply-to": before.get(conversation),
                "timestamp": datetime.fromisoformat(row["sent_at"]).timestamp(),
                "vectors": [],
            }
        )
        before[conversation] = row["message_id"]
    return found, roots


def _speaker(row: Row) -> str:
    """Return who speaks: the participant's pseudonym, or the partner of a scenario."""
    of_partner = row["speaker"] == "partner"
    return f"partner:{row['scenario']}" if of_partner else str(row["rater_id"])


def _meta(row: Row, without: tuple[str, ...]) -> Meta:
    return {name: cell for name, cell in row.items() if name not in without}


def _index(metas: Iterable[Row]) -> dict[str, list[str]]:
    """Return the types of all metadata, as ConvoKit writes them; a cell may always be empty."""
    found: dict[str, set[str]] = {}
    for meta in metas:
        for name, cell in meta.items():
            kinds = found.setdefault(name, set())
            if cell is not None:
                kinds.add(str(type(cell)))
    return {name: sorted(kinds) or [str(str)] for name, kinds in found.items()}


def with_names(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[Row]:
    """Yield rows of a table by the names of its columns."""
    columns = list(names)
    for row in rows:
        yield dict(zip(columns, row, strict=True))
