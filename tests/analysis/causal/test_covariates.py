"""If this failed, an estimate would adjust for other confounders than the plan names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from analysis.causal.components import principal_components
from analysis.causal.covariates import Covariates, covariates
from analysis.causal.embeddings import read_embeddings
from prereg.errors import RatifyError


def frame_of(n: int = 400, seed: int = 3) -> pd.DataFrame:
    """Return a frame whose cells are text, as the reader of tables returns it."""
    rng = np.random.default_rng(seed)
    hours = rng.integers(0, 24, n).astype(str).astype(object)
    hours[rng.random(n) < 0.1] = ""
    return pd.DataFrame(
        {
            "item_id": [f"unit-{at}" for at in range(n)],
            "user_id": [f"user-{at}" for at in rng.integers(0, 300, n)],
            "model": rng.choice(["gpt-4", "gpt-3.5", "tiny", "odd"], n, p=[0.6, 0.36, 0.02, 0.02]),
            "turn": rng.integers(3, 9, n).astype(str),
            "local_hour": hours,
        }
    )


def embeddings_of(frame: pd.DataFrame, dims: int = 12, seed: int = 4) -> pd.DataFrame:
    """Return embeddings whose components vary less and less, in another order than the frame."""
    rng = np.random.default_rng(seed)
    spread = 0.7 ** np.arange(dims)
    mixed = np.linalg.qr(rng.normal(size=(dims, dims)))[0]
    values = (rng.normal(size=(len(frame), dims)) * spread) @ mixed + 5
    found = pd.DataFrame(values.astype(np.float32), columns=[f"e{at}" for at in range(dims)])
    found.insert(0, "item_id", frame["item_id"])
    return found.sample(frac=1, random_state=1)


def found_for(frame: pd.DataFrame, embeddings: pd.DataFrame | None, **other: Any) -> Covariates:
    settings = {"components": 0.9, "columns": ["model", "turn"], "user": "user_id"}
    return covariates(frame, embeddings, **{**settings, **other})


def test_components_are_those_of_an_independent_package() -> None:
    frame = frame_of()
    embeddings = embeddings_of(frame)
    values = embeddings.set_index("item_id").loc[frame["item_id"]].to_numpy(dtype=np.float64)
    for wanted in (0.5, 0.9, 0.999, 3):
        reference = PCA(wanted, svd_solver="full")
        theirs = reference.fit_transform(values)
        ours = principal_components(values.astype(np.float32), wanted)
        assert ours.scores.shape == theirs.shape
        np.testing.assert_allclose(np.abs(ours.scores), np.abs(theirs), atol=1e-4)
        assert ours.share == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-6)
        assert ours.dims == 12
    found = found_for(frame, embeddings)
    whole = PCA(0.9, svd_solver="full").fit_transform(values)
    text = found.values[:, list(found.groups["prompt"])]
    np.testing.assert_allclose(np.abs(text), np.abs(whole), atol=1e-4)
    assert any("of 12 keep 9" in note for note in found.notes)


def test_components_of_fewer_directions_than_asked_for() -> None:
    line = np.outer(np.arange(50.0), [1.0, -2.0, 0.5]).astype(np.float32)
    assert principal_components(line, 3).scores.shape == (50, 1)
    assert principal_components(line, 0.999999).share == pytest.approx(1)
    assert principal_components(np.ones((50, 3), np.float32), 0.9).scores.shape == (50, 0)
    for wrong in (0.0, -1.0, 1.5, np.nan):
        with pytest.raises(RatifyError, match="neither a share of variance nor a number"):
            principal_components(line, wrong)


def test_every_column_is_what_its_name_says() -> None:
    frame = frame_of()
    found = found_for(frame, None)
    assert np.isfinite(found.values).all()
    assert (np.ptp(found.values, axis=0) > 0).all()
    columns = dict(zip(found.names, found.values.T, strict=True))
    np.testing.assert_array_equal(columns["turn"], frame["turn"].astype(float))
    # the most frequent level is the one that the others are compared with
    assert [name for name in columns if name.startswith("model")] == [
        "model: gpt-3.5",
        "model: other (2 rare)",
    ]
    np.testing.assert_array_equal(columns["model: gpt-3.5"], frame["model"] == "gpt-3.5")
    hours = pd.to_numeric(frame["local_hour"])
    levels = pd.cut(hours, [-1, 5, 11, 17, 23], labels=["0 to 6 h", "6 to 12 h", "12 to 18 h", "x"])
    most = levels.value_counts().idxmax()
    shown = [name for name in columns if name.startswith("time of day")]
    assert len(shown) == 4, "four bins and the unknown ones, without the most frequent"
    for name in ("0 to 6 h", "6 to 12 h", "12 to 18 h"):
        if name != most:
            np.testing.assert_array_equal(columns[f"time of day: {name}"], levels == name)
    np.testing.assert_array_equal(columns["time of day: unknown"], frame["local_hour"] == "")
    buckets = [name for name in columns if name.startswith("user_id")]
    assert len(buckets) == 15
    for _, units in frame.groupby("user_id"):
        assert (
            len(
                np.unique(
                    found.values[units.index][:, [found.names.index(b) for b in buckets]], axis=0
                )
            )
            == 1
        )
    assert set(found.groups) == {"model", "turn", "user_id", "time of day"}
    places = [place for group in found.groups.values() for place in group]
    assert places == list(range(len(found.names)))
    assert "the column prompt is not embedded, so nothing adjusts for it" in found.notes
    assert "model: 2 values that fewer than 20 units have are one level" in found.notes


def test_the_answer_follows_the_rows_and_not_the_names_of_users() -> None:
    frame = frame_of()
    embeddings = embeddings_of(frame)
    found = found_for(frame, embeddings)
    order = np.random.default_rng(5).permutation(len(frame))
    turned = found_for(frame.iloc[order].reset_index(drop=True), embeddings)
    assert (turned.names, turned.groups, turned.notes) == (found.names, found.groups, found.notes)
    np.testing.assert_allclose(turned.values, found.values[order], atol=1e-9)
    renamed = found_for(frame.assign(user_id="x" + frame["user_id"]), embeddings)
    others = [at for name in ("prompt", "model", "turn") for at in found.groups[name]]
    np.testing.assert_array_equal(renamed.values[:, others], found.values[:, others])
    assert len(renamed.groups["user_id"]) == len(found.groups["user_id"])
    typed = frame.assign(
        turn=frame["turn"].astype(int), local_hour=pd.to_numeric(frame["local_hour"])
    )
    np.testing.assert_array_equal(found_for(typed, embeddings).values, found.values)


def test_users_have_the_same_bucket_on_every_machine() -> None:
    """The bucket is SHA-256 of the id; the hash of Python differs between processes."""
    frame = frame_of()
    found = found_for(frame, None)
    names = np.array(["left out", *found.names])
    mine = found.values[:, list(found.groups["user_id"])]
    shown = names[
        np.where(mine.any(axis=1), mine.argmax(axis=1) + found.groups["user_id"][0] + 1, 0)
    ]
    for user, name in zip(frame["user_id"], shown, strict=True):
        bucket = int(hashlib.sha256(user.encode()).hexdigest()[:16], 16) % 16 + 1
        assert name in {f"user_id: bucket {bucket}", "left out"}
    assert 0 < (shown == "left out").mean() < 0.2


def test_what_does_not_vary_is_dropped_and_said() -> None:
    frame = frame_of().assign(turn="3", same="word", empty="", local_hour="")
    found = found_for(frame, None, columns=["turn", "same", "empty", "model"], user_buckets=1)
    assert set(found.names) == {"model: gpt-3.5", "model: other (2 rare)"}
    assert found.groups == {
        "turn": (),
        "same": (),
        "empty": (),
        "model": (0, 1),
        "user_id": (),
        "time of day": (),
    }
    for name in ("turn", "same", "empty", "user_id", "time of day"):
        assert f"dropped, because it is the same for all units: {name}" in found.notes
    with pytest.raises(RatifyError, match="no confounder varies between units"):
        found_for(frame, None, columns=["turn"], user_buckets=0, time_bins=0)


def _change(column: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        cells = table[column].tolist()
        cells[row] = value
        return table.assign(**{column: cells})

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            _change("turn", 7, ""),
            "frame, unit unit-7, column turn: 1 of 400 units have no finite num",
        ),
        (_change("turn", 7, "inf"), "unit unit-7, column turn: .*got 'inf'"),
        (_change("local_hour", 2, "24"), "record 3, column local_hour: is not an hour .*got '24'"),
        (_change("local_hour", 2, "-1"), "is not an hour of the day, got '-1'"),
        (_change("local_hour", 2, "noon"), "is not an hour of the day, got 'noon'"),
        (lambda frame: frame.drop(columns="model"), "frame, model: there is no such column"),
        (lambda frame: frame.drop(columns="user_id"), "user_id: there is no such column"),
        (_change("item_id", 2, "unit-x"), "a unit has no embedding, got 'unit-x'"),
    ],
)
def test_a_wrong_frame_is_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    frame = frame_of()
    with pytest.raises(RatifyError, match=said):
        found_for(change(frame), embeddings_of(frame))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change("e3", 5, float("nan")), r"unit unit-\d+, column e3: an embedding has a value"),
        (_change("item_id", 5, "unit-1"), "more than one embedding, got 'unit-1'"),
        (lambda table: table.iloc[1:], "a unit has no embedding"),
    ],
)
def test_wrong_embeddings_are_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    frame = frame_of()
    with pytest.raises(RatifyError, match=said):
        found_for(frame, change(embeddings_of(frame).sort_index()))


def test_embeddings_are_read_in_either_form(tmp_path: Path) -> None:
    frame = frame_of(30)
    wide = embeddings_of(frame).reset_index(drop=True)
    wide.to_parquet(tmp_path / "wide.parquet")
    lists = pd.DataFrame(
        {"item_id": wide["item_id"], "embedding": list(wide.drop(columns="item_id").to_numpy())}
    )
    lists.to_parquet(tmp_path / "lists.parquet")
    for name in ("wide", "lists"):
        read = read_embeddings(tmp_path / f"{name}.parquet")
        assert read.table["item_id"].tolist() == wide["item_id"].tolist()
        np.testing.assert_array_equal(read.table.iloc[:, 1:], wide.iloc[:, 1:])
        assert (read.encoder, read.lexical) == ("", False)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"item_id": ["a", "b"], "embedding": [[1.0, 2.0], [1.0]]}, "mixed length, got 1"),
        ({"item_id": ["a", "b"], "embedding": [[1.0], None]}, "unit b.*mixed length, got 0"),
        ({"item_id": ["a", "b"], "e0": [1.0, None]}, "unit b, column e0: .*not a finite number"),
        ({"item_id": ["a", "b"], "e0": ["x", "y"]}, "e0: is not a component of an embedding"),
        ({"item_id": ["a", "a"], "e0": [1.0, 2.0]}, "record 2, column item_id: is already in"),
        ({"item_id": ["a", ""], "e0": [1.0, 2.0]}, "record 2, column item_id: is empty"),
        ({"item_id": [1, 2], "e0": [1.0, 2.0]}, "the ids are not text"),
        ({"item_id": ["a", "b"]}, "has no components"),
        ({"id": ["a"], "e0": [1.0]}, "item_id: there is no such column .allowed: id, e0"),
    ],
)
def test_a_wrong_table_of_embeddings_is_refused(
    tmp_path: Path, columns: dict[str, Any], said: str
) -> None:
    pd.DataFrame(columns).to_parquet(tmp_path / "e.parquet")
    with pytest.raises(RatifyError, match=said) as raised:
        read_embeddings(tmp_path / "e.parquet")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match=r"does not exist .allowed: `ratify embed` writes it"):
        read_embeddings(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("not a table")
    with pytest.raises(RatifyError, match="is not a Parquet file"):
        read_embeddings(tmp_path / "text.parquet")
