"""If these failed, a release would be read as another one, or times in an unknown zone as UTC."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prereg.errors import RatifyError
from study.turns.releases import WILDCHAT_1M, WILDCHAT_4_8M, leaves, release_of
from study.turns.shards import find_shards
from tests.support.wildchat import (
    NAIVE,
    SCHEMA_1M,
    SCHEMA_4_8M,
    SCHEMA_FIRST,
    small_talk,
    utterance_type,
    write_shard,
)

HERE = Path("train.parquet")


def refused(schema: pa.Schema) -> str:
    with pytest.raises(RatifyError) as error:
        release_of(schema, HERE)
    said = str(error.value)
    assert said.startswith("train.parquet")
    assert "\n" not in said
    return said


def changed(name: str, kind: pa.DataType) -> pa.Schema:
    return SCHEMA_1M.set(SCHEMA_1M.get_field_index(name), pa.field(name, kind))


def test_the_two_releases_with_users_are_told_apart() -> None:
    assert release_of(SCHEMA_1M, HERE) is WILDCHAT_1M
    assert release_of(SCHEMA_4_8M, HERE) is WILDCHAT_4_8M
    assert "UTC" in WILDCHAT_4_8M.note


def test_releases_without_users_are_refused_by_name() -> None:
    assert "is the first WildChat" in refused(SCHEMA_FIRST)
    without_times = SCHEMA_FIRST.remove(SCHEMA_FIRST.get_field_index("timestamp"))
    assert "looks like LMSYS-Chat-1M" in refused(without_times)


def test_times_without_a_zone_are_refused_unless_the_release_says_utc() -> None:
    said = refused(changed("conversation", pa.list_(utterance_type(NAIVE))))
    assert "conversation.timestamp: holds times without a time zone" in said
    said = refused(changed("timestamp", NAIVE))
    assert said.startswith("train.parquet, timestamp: holds times without a time zone, got 'time")
    both = changed("timestamp", NAIVE).set(
        3, pa.field("conversation", pa.list_(utterance_type(NAIVE)))
    )
    assert "without a time zone" in refused(both)


@pytest.mark.parametrize("name", ["conversation_hash", "toxic", "header", "conversation"])
def test_a_column_that_is_missing_is_named(name: str) -> None:
    schema = SCHEMA_1M.remove(SCHEMA_1M.get_field_index(name))
    assert f"lacks the column {name}" in refused(schema)


def test_a_field_of_utterances_that_is_missing_is_named() -> None:
    kept = [one for one in utterance_type() if one.name not in {"turn_identifier", "state"}]
    said = refused(changed("conversation", pa.list_(pa.struct(kept))))
    assert "lacks the columns conversation.turn_identifier, conversation.state" in said
    said = refused(changed("header", pa.struct([("accept-language", pa.string())])))
    assert "lacks the column header.user-agent" in said


def test_a_column_of_another_type_is_named() -> None:
    listed = pa.list_(utterance_type(pa.string()))
    said = refused(changed("conversation", listed))
    assert "conversation.timestamp: has another type, got 'string' (allowed: a time)" in said
    assert "allowed: true or false" in refused(changed("toxic", pa.string()))


def test_moderation_is_never_read(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "one.parquet", [small_talk()])
    file = pq.ParquetFile(path)
    paths = [file.schema.column(at).path for at in range(len(file.schema))]
    read = leaves(paths)
    assert sum("moderation" in one for one in paths) > 10
    assert len(read) == 13
    assert not [one for one in read if "moderation" in one or ("language" in one and "." in one)]
    batch = next(find_shards([path]).batches())
    assert "openai_moderation" not in batch.rows.schema.names
    assert batch.rows.schema.field("conversation").type.value_type.num_fields == 6


def test_files_are_read_in_order_and_each_once(tmp_path: Path) -> None:
    for at in (2, 10, 1):
        write_shard(tmp_path / "data" / f"train-{at:02d}.parquet", [small_talk()] * at)
    (tmp_path / "data" / "README.md").write_text("not a shard")
    shards = find_shards([tmp_path])
    assert [path.name[6:8] for path in shards.paths] == ["01", "02", "10"]
    assert shards.conversations == 13
    assert [len(batch.rows) for batch in shards.batches(limit=4)] == [1, 2, 1]
    with pytest.raises(RatifyError, match=r"train-01\.parquet: is given more than once"):
        find_shards([tmp_path, tmp_path / "data" / "train-01.parquet"])


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("item_id,text\n")
    write_shard(tmp_path / "a.parquet", [small_talk()])
    write_shard(tmp_path / "b.parquet", [small_talk()], schema=SCHEMA_4_8M)
    for given, said in (
        ([tmp_path / "nowhere"], "does not exist"),
        ([tmp_path / "empty"], r"holds no file whose name ends in \.parquet"),
        ([tmp_path / "text.parquet"], "is not a Parquet file"),
        ([write_shard(tmp_path / "none.parquet", [])], "holds no conversations"),
        ([tmp_path / "a.parquet", tmp_path / "b.parquet"], "is WildChat-4.8M, and a.parquet is"),
    ):
        with pytest.raises(RatifyError, match=said):
            find_shards(given)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", [small_talk()] * 50, group=10)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 3] = bytes(len(content) // 3 - 4)
    path.write_bytes(content)
    with pytest.raises(RatifyError, match=r"a\.parquet: is damaged: row group 1 of 5"):
        list(find_shards([path]).batches())
