"""If this failed, what participants or a model read could change without the lock noticing."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from prereg.errors import RatifyError
from prereg.lock import read_lock
from prereg.transport_log import changes_since_lock
from study.chat.opening import lock_chat, open_chat
from tests.support.chat_folder import chat_folder

SERVER = {"model": "a-model", "prices": {"input": 1, "output": 2}, "concurrency": 8}


def edit(folder: Path, *path: str | int, value: object) -> None:
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    part = plan
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")


def test_a_folder_is_opened_with_everything_it_names(tmp_path: Path) -> None:
    study = open_chat(chat_folder(tmp_path / "s"))
    assert set(study.texts) == {"consent", "instructions", "safety"}
    assert set(study.backgrounds) == {"job_loss", "moving", "quarrel"}
    (film,) = study.films
    assert sha256(film.clip.read_bytes()).hexdigest().startswith(film.address)
    assert study.lock is None
    assert set(study.parts) >= {"plan", "consent", "instructions", "safety", "scenarios", "films"}


def test_a_lock_is_written_once_and_found_again(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s")
    before = open_chat(folder)
    _, lock = lock_chat(folder)
    assert lock.plan_hash == before.plan_hash
    study = open_chat(folder, must_be_locked=True)
    assert (study.plan_hash, study.root_hash) == (lock.plan_hash, lock.plan_hash)
    assert lock_chat(folder)[1] == lock == read_lock(folder)
    assert study.version_hash is None


def test_live_collection_needs_the_lock(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match="is not locked"):
        open_chat(chat_folder(tmp_path / "s"), must_be_locked=True)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("consent.md", "consent"),
        ("instructions.md", "instructions"),
        ("safety.md", "safety"),
        ("scenarios/moving.md", "scenarios"),
        ("films/clip.webm", "films"),
        ("films/clip.vtt", "films"),
    ],
)
def test_a_change_of_any_file_is_refused(tmp_path: Path, name: str, part: str) -> None:
    folder = chat_folder(tmp_path / "s")
    lock_chat(folder)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\nmore")
    with pytest.raises(RatifyError, match=f"changed since the plan was locked at .*: {part}"):
        open_chat(folder)


def test_a_change_of_a_question_names_its_key(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s")
    lock_chat(folder)
    edit(folder, "conversation", "seconds", value=300)
    with pytest.raises(RatifyError, match=r"conversation.seconds: 240.0 when locked, 300.0 now"):
        open_chat(folder)


def test_how_a_server_is_reached_may_change_and_is_logged(tmp_path: Path) -> None:
    changes = {"servers": {"main": SERVER}, "budget": {"money": 20}}
    folder = chat_folder(tmp_path / "s", **changes)
    lock_chat(folder)
    edit(folder, "servers", "main", "concurrency", value=16)
    edit(folder, "servers", "main", "base_url", value="http://127.0.0.1:1/v1")
    edit(folder, "budget", "money", value=40)
    study = open_chat(folder)
    said = [one.sentence for one in changes_since_lock(folder, study.plan, study.lock)]
    assert said == [
        'server main: base_url is "http://127.0.0.1:1/v1" instead of "https://api.openai.com/v1", '
        "not yet used",
        "server main: concurrency is 16 instead of 8, not yet used",
        "the budget: money is 40.0 instead of 20.0, not yet used",
    ]
    lock_chat(folder)
    assert "since" in changes_since_lock(folder, study.plan, study.lock)[0].sentence


def test_what_a_server_answers_with_may_not_change(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", servers={"main": SERVER})
    lock_chat(folder)
    edit(folder, "servers", "main", "model", value="another")
    with pytest.raises(RatifyError, match=r"servers.main.model: \"a-model\" when locked"):
        open_chat(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("consent.md", b"no title\n", "has 0 titles"),
        ("safety.md", b"# A title\n", "its page has a title"),
        ("safety.md", b"  \n", "is empty"),
        ("scenarios/moving.md", b"\xff\xfe", "cannot be read as text"),
        ("films/clip.webm", b"GIF89a", "is no film that browsers play"),
        ("films/clip.vtt", b"1\n00:00", "is no WebVTT"),
        ("instructions.md", b"# A\n\n<b>bold</b>\n", "holds raw HTML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    folder = chat_folder(tmp_path / "s")
    (folder / name).write_bytes(content)
    with pytest.raises(RatifyError, match=said) as caught:
        open_chat(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", ["../secret.md", "/etc/passwd", ".hidden/one.md"])
def test_no_file_outside_of_the_folder_is_read(tmp_path: Path, name: str) -> None:
    folder = chat_folder(tmp_path / "s")
    edit(folder, "scenarios", 0, "background", value=name)
    with pytest.raises(RatifyError, match="not a path inside the study folder") as caught:
        open_chat(folder)
    assert caught.value.allowed == "such as scenarios/NAME.md"


def test_a_name_of_the_same_sort_is_said(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", safety={"text": "../help.md"})
    with pytest.raises(RatifyError, match=r"such as safety.md"):
        open_chat(folder)


def test_a_prompt_of_the_folder_is_locked(tmp_path: Path) -> None:
    partner = {"kind": "llm", "server": "main", "prompt": "prompts/mine.md"}
    folder = chat_folder(tmp_path / "s", servers={"main": SERVER}, partner=partner)
    with pytest.raises(
        RatifyError, match=r"mine.md: no such file \(allowed: the text the plan names\)"
    ):
        open_chat(folder)
    (folder / "prompts").mkdir()
    (folder / "prompts" / "mine.md").write_text("Play {{background}}\n", encoding="utf-8")
    assert open_chat(folder).prompts == {"partner": "Play {{background}}\n"}
    lock_chat(folder)
    (folder / "prompts" / "mine.md").write_text("Play more\n", encoding="utf-8")
    with pytest.raises(RatifyError, match="prompts"):
        open_chat(folder)


def test_a_prompt_that_nobody_wrote_is_said(tmp_path: Path) -> None:
    partner = {"kind": "llm", "server": "main", "prompt": "partnr"}
    folder = chat_folder(tmp_path / "s", servers={"main": SERVER}, partner=partner)
    with pytest.raises(RatifyError, match=r"partner.prompt: no such prompt, got 'partnr'"):
        open_chat(folder)
