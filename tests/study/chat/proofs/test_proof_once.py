"""If these failed, a double click would be two messages, or a crash would lose a reply."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from study.folder import SERVING_FILE
from tests.conftest import Serve
from tests.support.chat_folder import chat_folder
from tests.support.chat_http import NO_SURVEYS, Guest, changed, counted, eventually, guests
from tests.support.chat_model import running_chat_model

OWED = 20
SAID = "SELECT speaker, turn, count(*) AS n FROM messages WHERE turn > 0 GROUP BY speaker, turn"
REPLIES = "SELECT conversation_id, text FROM messages WHERE speaker = 'partner' AND turn = 1"


def test_one_post_sent_fifty_times_at_once_is_one_message_and_one_reply(
    tmp_path: Path, database_url: str, serve: Serve
) -> None:
    folder = chat_folder(tmp_path / "study", **NO_SURVEYS)
    server = serve(folder, "--mode", "pilot", database=database_url)
    guest = Guest(server.url, "guest")
    guest.begin()
    form = guest.form("/talk")
    fields = {**form.fields, "text": "I hear you."}

    def once(_number: int) -> int:
        answer = guest.client.post(form.action, data=fields, follow_redirects=False)
        return answer.status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = set(pool.map(once, range(50)))
    assert statuses == {303}
    eventually(lambda: len(counted(database_url, REPLIES)) == 1, "the reply")
    said = {(row["speaker"], row["turn"]): row["n"] for row in counted(database_url, SAID)}
    assert said == {("supporter", 1): 1, ("partner", 1): 1}
    guest.close()


def test_a_server_that_is_killed_with_twenty_replies_owed_gives_each_once(
    tmp_path: Path, database_url: str, serve: Serve
) -> None:
    with running_chat_model(delay=3_600) as model:
        server_of = {"model": "double", "base_url": model.base_url, "key_variable": None}
        folder = chat_folder(
            tmp_path / "study",
            **NO_SURVEYS,
            design={"supporters": 24},
            servers={"main": server_of},
            partner={"kind": "llm", "server": "main"},
        )
        first = serve(folder, "--mode", "pilot", database=database_url)
        with guests(first.url, OWED) as people:
            for one in people:
                one.send("/talk", text=f"This is {one.name}.")
            eventually(lambda: model.report()["calls"] == OWED, "twenty calls under way")
            first.process.kill_all()
            (folder / SERVING_FILE).unlink(missing_ok=True)
        assert not counted(database_url, REPLIES)
        if not database_url.startswith("sqlite"):  # where other servers may live: claims run out
            changed(database_url, "UPDATE owed SET claimed_until = 0")
        model.set(delay=0)
        serve(folder, "--mode", "pilot", database=database_url)
        eventually(lambda: len(counted(database_url, REPLIES)) == OWED, "each reply")
        replies = counted(database_url, REPLIES)
        assert len({row["conversation_id"] for row in replies}) == OWED
        told = {row["text"].split("I hear: ")[1] for row in replies}
        assert told == {f"This is guest-{number:03d}." for number in range(OWED)}
        assert model.report()["calls"] <= 2 * OWED
