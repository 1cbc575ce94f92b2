"""If this failed, raters would be let through, turned away or sent off otherwise than planned."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from prereg.errors import RatifyError
from study.bots import Page
from study.scaffold import new_study
from tests.conftest import Serve, make_study

QUESTION = {
    "question": "What do you choose?",
    "options": ["A person", "One of two conversations"],
    "answer": 2,
    "attempts": 2,
}
CHECK = {"after": 1, "texts": ["Choose the other one.", "Choose this one."]}


def change(folder: Path, **parts: Any) -> None:
    """Change a plan; a dict is laid over what is there."""
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text())
    for name, value in parts.items():
        old = plan.get(name)
        plan[name] = {**old, **value} if isinstance(old, dict) else value
    path.write_text(yaml.safe_dump(plan, sort_keys=False))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", raters=2, trials=2)


@pytest.fixture
def visit(folder: Path, serve: Serve) -> Iterator[Any]:
    """Start the server and open browsers on it."""
    url: list[str] = []
    opened: list[httpx.Client] = []

    def browse() -> httpx.Client:
        if not url:
            url.append(serve(folder, "--mode", "pilot").url)
        client = httpx.Client(base_url=url[0], follow_redirects=True, timeout=60)
        opened.append(client)
        return client

    yield browse
    for client in opened:
        client.close()


def read(response: httpx.Response) -> Page:
    page = Page()
    page.feed(response.text)
    return page


def send(client: httpx.Client, page: Page, **fields: str) -> httpx.Response:
    return client.post(page.action, data={**page.fields, **fields})


def consent(client: httpx.Client, rater: str, **more: str) -> httpx.Response:
    page = read(client.get("/", params={"rater": rater} | more))
    return send(client, page)


def rows(folder: Path, question: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "study.sqlite3") as store:
        found = store.execute(question).fetchall()
    store.close()
    return found


def test_the_comprehension_question_stands_before_the_first_trial(folder: Path, visit: Any) -> None:
    change(folder, comprehension=QUESTION)
    client = visit()
    consent(client, "r1")
    page = read(client.get("/trial"))
    assert page.title == "One question first"
    assert client.get("/done").url.path == "/comprehension"
    empty = send(client, page)
    assert empty.status_code == 422
    wrong = send(client, page, option="1")
    assert (wrong.status_code, "once more" in wrong.text) == (422, True)
    twice = send(client, page, option="1")
    assert twice.status_code == 422
    right = send(client, read(twice), option="2")
    assert read(right).title == "Pair 1 of 2"
    assert rows(folder, "SELECT comprehension_attempts, comprehended FROM visits") == [(2, 1)]
    assert read(client.get("/comprehension")).title == "Pair 1 of 2"


def test_too_many_wrong_answers_end_the_visit_and_free_the_place(folder: Path, visit: Any) -> None:
    change(
        folder,
        comprehension=QUESTION,
        recruitment={"codes": {"completed": "DONE", "screened_out": "OUT"}},
    )
    client = visit()
    consent(client, "r1")
    first = send(client, read(client.get("/trial")), option="1")
    over = send(client, read(first), option="1")
    assert over.url.path == "/over"
    assert "screened-out" in read(over).ids
    assert ("OUT" in over.text, "DONE" in over.text) == (True, False)
    assert client.get("/", params={"rater": "r1"}).url.path == "/over"
    assert rows(folder, "SELECT status FROM visits") == [("screened_out",)]
    assert rows(folder, "SELECT count(*) FROM slots WHERE session_id IS NOT NULL") == [(0,)]


@pytest.mark.parametrize(("choice", "code"), [("right", "DONE"), ("left", "NOTREAD")])
def test_attention_checks_decide_the_code_as_planned(
    folder: Path, visit: Any, choice: str, code: str
) -> None:
    change(
        folder,
        attention_checks=[{**CHECK, "expected": {"choice": "right"}}],
        exclusions=[{"rule": "failed_attention", "max_failed": 0}],
        recruitment={
            "platform": "prolific",
            "codes": {"completed": "DONE", "failed_attention": "NOTREAD"},
        },
    )
    client = visit()
    consent(client, "r1", STUDY_ID="study-9", SESSION_ID="sub-7")
    page = read(client.get("/trial"))
    shown = []
    for _ in range(3):
        shown.append(set(page.conversations.values()))
        page = read(answer := send(client, page, choice=choice))
    assert shown[1] == {"\n  \n        Choose the other one.\n  "} or any(
        "Choose this one." in text for text in shown[1]
    )
    assert f"https://app.prolific.com/submissions/complete?cc={code}" in answer.text
    checks = "SELECT position, is_attention_check, passed_check FROM judgments ORDER BY position"
    passed = int(choice == "right")
    assert rows(folder, checks) == [(1, 0, None), (2, 1, passed), (3, 0, None)]
    ids = rows(folder, "SELECT platform_study_id, platform_session_id FROM visits")
    assert ids == [("study-9", "sub-7")]


def test_a_page_must_be_read_for_as_long_as_the_plan_says(folder: Path, visit: Any) -> None:
    change(folder, design={"min_reading_seconds": 4})
    client = visit()
    consent(client, "r1")
    page = read(client.get("/trial"))
    early = send(client, page, choice="right")
    assert early.status_code == 422
    assert "Please read a little longer" in early.text
    assert early.text.count("checked") == 1, "what was chosen stays chosen"
    time.sleep(4.1)
    assert read(send(client, page, choice="right")).title == "Pair 2 of 2"
    # a script that never loads the page has read nothing
    blind = send(client, page, position="2", choice="left")
    assert blind.status_code == 422


def test_who_is_silent_for_long_finds_the_place_given_away(folder: Path, visit: Any) -> None:
    change(folder, design={"lease_minutes": 0.01})
    slow, other, third = visit(), visit(), visit()
    consent(slow, "slow")
    page = read(slow.get("/trial"))
    consent(other, "r2")
    time.sleep(1)
    consent(third, "r3")
    consent(other, "r4")
    gone = send(slow, page, choice="left")
    assert gone.url.path == "/over"
    assert "place-lost" in read(gone).ids
    assert "HEARD-10" not in gone.text
    assert rows(folder, "SELECT count(*) FROM judgments") == [(0,)]


def test_the_code_for_no_consent_is_offered(folder: Path, visit: Any) -> None:
    change(folder, recruitment={"codes": {"completed": "DONE", "no_consent": "NOPE"}})
    client = visit()
    client.get("/", params={"rater": "r1"})
    page = client.get("/declined")
    assert ("NOPE" in page.text, "DONE" in page.text) == (True, False)


def test_withdrawing_by_the_private_link_in_another_browser(folder: Path, visit: Any) -> None:
    client, elsewhere = visit(), visit()
    told = consent(client, "r1")
    link = next(a for a in told.text.split('"') if a.startswith("/withdraw/"))
    send(client, read(client.get("/trial")), choice="left")
    assert link in client.get("/trial").text, "every page offers it"
    confirm = elsewhere.get(link)
    assert rows(folder, "SELECT count(*) FROM judgments") == [(1,)], "a link alone deletes nothing"
    assert "withdrawn" in read(send(elsewhere, read(confirm))).ids
    assert rows(folder, "SELECT count(*) FROM judgments") == [(0,)]
    assert rows(folder, "SELECT count(*) FROM visits") == [(0,)]
    assert elsewhere.get(link).status_code == 404
    assert read(client.get("/trial")).title == "Taking part", "consent is asked for again"


@pytest.mark.parametrize("name", ["empathy_rating", "best_response"])
def test_a_whole_visit_of_the_other_kinds(tmp_path: Path, serve: Serve, name: str) -> None:
    folder = tmp_path / "other"
    new_study(folder, worked=name)
    change(
        folder,
        design={"trials": 2, "raters": 3}
        | ({"min_reading_seconds": None} if name == "empathy_rating" else {}),
    )
    if name == "empathy_rating":
        plan = yaml.safe_load((folder / "plan.yaml").read_text())
        checks = [{**plan["attention_checks"][0], "after": 1}]
        change(folder, attention_checks=checks)
    server = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        consent(client, "r1")
        page = read(client.get("/trial"))
        if page.title == "One question first":
            page = read(send(client, page, option="2"))
        half = send(client, page)
        assert half.status_code == 422
        steps = 0
        while "completion-code" not in page.ids:
            fields = (
                dict.fromkeys(page.choices, "2")
                if name == "empathy_rating"
                else {"most": "1", "least": "3", "why": "<b>so</b>"}
            )
            page = read(send(client, page, **fields))
            steps += 1
    if name == "empathy_rating":
        assert steps == 3
        counted = rows(
            folder, "SELECT position, count(*), min(passed_check) FROM ratings GROUP BY 1"
        )
        assert counted == [(1, 6, None), (2, 6, 1), (3, 6, None)]
    else:
        assert steps == 2
        assert rows(folder, "SELECT DISTINCT why FROM best_worst") == [("<b>so</b>",)]


def test_a_prolific_link_without_its_participant_is_refused(folder: Path, visit: Any) -> None:
    change(folder, recruitment={"platform": "prolific"})
    client = visit()
    answer = client.get("/")
    assert answer.status_code == 400
    assert "This link is not complete" in answer.text
    assert client.get("/", params={"PROLIFIC_PID": "p1"}).status_code == 200
    assert client.get("/").status_code == 400, "the next person at this device has no id"
    send(client, read(client.get("/", params={"PROLIFIC_PID": "p1"})))
    assert "welcome-back" in read(client.get("/")).ids, "who has begun is asked for"


def test_responses_of_one_scenario_answer_to_one_prompt(tmp_path: Path) -> None:
    table = tmp_path / "responses.csv"
    lines = [f"i{n},s{n // 4},text {n},prompt {n // 4}" for n in range(8)]
    table.write_text("\n".join(["item_id,scenario,text,prompt", *lines]) + "\n")
    new_study(tmp_path / "good", items=table, scenario_column="scenario", worked="best_response")
    with pytest.raises(RatifyError, match=r"'scenario'.*--scenario scenario"):
        new_study(tmp_path / "advice", items=table, worked="best_response")
    table.write_text(table.read_text().replace("text 5,prompt 1", "text 5,another"))
    with pytest.raises(RatifyError, match=r"row 7.*prompt.*'another'.*one prompt"):
        new_study(tmp_path / "bad", items=table, scenario_column="scenario", worked="best_response")
