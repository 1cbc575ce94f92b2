"""If these failed, condition or round would reach a rater, or the stages would not fit."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.ranking import elo
from analysis.tables.tidy import read_judgments
from analysis.verify.stages import check_derived
from prereg.chat.items import item_id
from prereg.derived import ERASED_TEXT, chained
from prereg.lock import read_lock
from ratify import main
from study.chat.opening import open_chat
from study.opening import open_study
from study.store.database import open_store
from study.web.app import create_app
from tests.support.chat_stages import fill, forget, had_chat, stages_folder
from tests.support.walking import Walker

PEOPLE = 24
TRIAL_FLOW = "compare/data/trial_flow.csv"
CONDITIONS = ("control", "video", "coach", "combined")
SIDES = ("left_id", "right_id")


def ran(*words: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def ratify(*words: str | Path, code: int = 0) -> str:
    return ran(*words, code=code).output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat of bots whose conversations are judged, and whose comparison is derived."""
    folder = tmp_path_factory.mktemp("stages") / "chat"
    had_chat(folder, people=PEOPLE)
    assert "next: ratify judge" in ratify("items", folder, "--mode", "bot")
    assert "--stage compare" in ratify("judge", folder)
    return folder


@pytest.fixture(scope="module")
def analysed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with results of the first stage, and a report."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("analysed") / "chat"))
    said = ratify("analyze", folder, "--mode", "bot")
    assert "The analysis rank could not be computed: nobody has answered yet" in said
    assert "report.html" in ratify("report", folder)
    return folder


@pytest.fixture
def chat(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "chat"))


def test_the_report_says_who_is_analysed_by_condition(analysed: Path) -> None:
    flow = {(r["step"], r["condition"]): r["n"] for r in rows(analysed / TRIAL_FLOW)}
    for condition in CONDITIONS:
        assert flow["began", condition] == flow["analysed", condition] == "6"
        assert flow["conversations_analysed", condition] == "12"
    page = (analysed / "compare" / "results" / "report.html").read_text(encoding="utf-8")
    assert "Participants of the conversations, by condition" in page
    assert page.index('id="exclusions"') < page.index("Left out: did not have all conversations")


def test_a_second_analysis_gives_the_same_bytes(analysed: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(analysed, tmp_path / "chat"))
    ratify("analyze", again, "--mode", "bot")
    for one in sorted((analysed / "compare" / "results" / "tables").iterdir()):
        two = again / "compare" / "results" / "tables" / one.name
        assert one.read_bytes() == two.read_bytes(), one.name


def test_both_stages_are_locked_and_chained(finished: Path) -> None:
    root = read_lock(finished).root_hash
    for stage in ("judging", "compare"):
        there = chained(finished / stage)
        assert there is not None
        assert (there.stage, there.plan_hash, there.mode) == (stage, root, "bot")
        assert "chained" in read_lock(finished / stage).parts
    compare = chained(finished / "compare")
    assert compare is not None
    assert compare.judging == read_lock(finished / "judging").root_hash


def test_the_same_store_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(finished, again, ignore=shutil.ignore_patterns("judging", "data", "results"))
    ratify("items", again, "--mode", "bot")
    for name in ("items.csv", "plan.yaml", "derived.json", "sequences.csv"):
        one, two = (folder / "judging" / name for folder in (finished, again))
        assert one.read_bytes() == two.read_bytes(), name


def test_every_finished_conversation_is_judged(finished: Path) -> None:
    root = read_lock(finished).root_hash
    talks = rows(finished / "data" / "conversations.csv")
    items = {row["item_id"]: row for row in rows(finished / "judging" / "items.csv")}
    assert items.keys() == {item_id(root, row["conversation_id"]) for row in talks}
    ratings = rows(finished / "judging" / "data" / "ratings.csv")
    rated = {(row["rater_id"], row["item_id"]) for row in ratings}
    assert rated == {(judge, item) for judge in ("lexical", "length") for item in items}
    for row in talks:
        mine = items[item_id(root, row["conversation_id"])]
        assert (mine["condition"], mine["round"]) == (row["condition"], row["round"])


def test_a_judge_ranks_all_items_and_the_sample_is_drawn_by_its_elo(finished: Path) -> None:
    compare = finished / "compare"
    items = {row["item_id"]: row for row in rows(compare / "items.csv")}
    judged = read_judgments(finished / "judging" / "data" / "judgments.csv")
    mine = judged[(judged["rater_id"] == "lexical") & (judged["purpose"] == "ranking")]
    scores = elo(mine).frame.set_index("item_id")["score"]
    assert {name: pytest.approx(float(row["elo"])) for name, row in items.items()} == dict(scores)
    shown = {
        row[side] for row in rows(compare / "sequences.csv") for side in ("left_id", "right_id")
    }
    for scenario in {row["scenario"] for row in items.values()}:
        order = sorted((float(r["elo"]), n) for n, r in items.items() if r["scenario"] == scenario)
        third = len(order) // 3
        low, high = ({name for _, name in part} for part in (order[:third], order[-third:]))
        assert len(shown & low) == len(shown & high) == 2


def test_neither_condition_nor_round_reaches_a_page(finished: Path, tmp_path: Path) -> None:
    study = open_study(finished / "compare", must_be_locked=True)
    hidden = {row["rater"] for row in study.table.rows} | {row["elo"] for row in study.table.rows}
    seen = 0
    with contextlib.closing(open_store(tmp_path, None)) as store:
        app = create_app(study, store, mode="bot")
        for number in range(study.plan.design.raters):
            walker = Walker(app.test_client(), f"rater-{number}").arrive()
            while walker.path == "/trial":
                seen += 1
                page = walker.text
                assert not [name for name in hidden if len(name) > 4 and name in page]
                assert not re.search(r"\b(condition|round|video|combined|coach|control)\b", page)
                walker.go_on()
    assert seen == study.plan.design.raters * study.plan.design.trials


def test_live_raters_are_not_shown_what_bots_said(chat: Path) -> None:
    said = ratify("serve", chat, "--stage", "compare", code=2)
    assert "these conversations are bot data" in said
    assert "--mode bot" in said


def test_stages_come_in_order(tmp_path: Path) -> None:
    folder = stages_folder(tmp_path / "chat")
    assert "not locked" in ratify("items", folder, code=2)
    assert "no stage compare yet" in ratify("serve", folder, "--stage", "compare", code=2)
    assert "no stage judging yet" in ratify("judge", folder, code=2)
    had_chat(tmp_path / "other", people=4)
    assert "no live conversation is finished" in ratify("items", tmp_path / "other", code=2)
    assert "not judged yet" in ratify("analyze", tmp_path / "other", code=2)


def test_the_first_stage_is_analysed_before_anybody_has_compared(analysed: Path) -> None:
    results = json.loads((analysed / "compare" / "results" / "results.json").read_text())
    found = {(q["analysis"], q["name"]): q for q in results["quantities"]}
    talks = rows(analysed / "compare" / "data" / "conversations.csv")
    coached = [float(r["overall"]) for r in talks if (r["condition"], r["post"]) == ("coach", "1")]
    mean = found["trajectories", "overall: coach, 2"]
    assert mean["estimate"] == pytest.approx(sum(coached) / len(coached))
    assert found["silent_empathy", "self-rating"]["n"] == PEOPLE
    assert found["effects", "validating_emotions: combined"]["low"] > 0
    assert found["demographics", "care"]["clusters"] is None
    assert found["reliable_change", "threshold"]["estimate"] > 0
    assert found["rank", "spearman"]["estimate"] is None
    assert found["length", "words: coach"]["estimate"] is not None


def test_verify_follows_the_chain(analysed: Path) -> None:
    found = {
        one["check"]: one["answer"]
        for one in json.loads(ran("verify", analysed, "--json").stdout)["checks"]
    }
    derived = ("chain", "plan derived", "items derived", "scores", "joined tables", "results")
    assert {found[f"compare/ {name}"] for name in derived} == {"yes"}
    assert found["judging/ chain"] == found["plan"] == "yes"


@pytest.mark.parametrize(
    ("name", "before", "after", "fails"),
    [
        ("compare/derived.json", '"mode": "bot"', '"mode": "live"', "compare/ plan derived"),
        ("compare/plan.yaml", "raters: 6", "raters: 4", "compare/ plan derived"),
        ("data/messages.csv", "I do not know", "I did not know", "judging/ items derived"),
        ("compare/items.csv", ",2,p", ",1,p", "compare/ items derived"),
        ("judging/data/ratings.csv", ",5.0,", ",4.0,", "compare/ scores"),
        ("compare/data/conversations.csv", ",combined,", ",control,", "compare/ joined tables"),
        (TRIAL_FLOW, "analysed,control,6", "analysed,control,7", "compare/ joined tables"),
    ],
)
def test_verify_finds_what_was_changed(
    analysed: Path, tmp_path: Path, name: str, before: str, after: str, fails: str
) -> None:
    chat = Path(shutil.copytree(analysed, tmp_path / "chat"))
    text = (chat / name).read_text(encoding="utf-8")
    assert before in text
    (chat / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    stage, _, check = fails.partition("/ ")
    found = check_derived(chat, stage)
    assert check in {one.name for one in found if one.answer == "no"}


def test_who_withdraws_before_anybody_compared_is_not_in_the_comparison(chat: Path) -> None:
    forget(chat, "session0001")
    said = ratify("items", chat, "--mode", "bot")
    assert "the text of 2 was erased" in said
    root = read_lock(chat).root_hash
    gone = {item_id(root, f"session0001-{turn}") for turn in (1, 2)}
    assert not gone & {row["item_id"] for row in rows(chat / "compare" / "items.csv")}
    texts = {row["item_id"]: row["text"] for row in rows(chat / "judging" / "items.csv")}
    assert {texts[name] for name in gone} == {ERASED_TEXT}
    exported = rows(chat / "judging" / "data" / "items.csv")
    assert {row["text"] for row in exported if row["item_id"] in gone} == {ERASED_TEXT}
    found = {check.name: check for check in check_derived(chat, "judging")}
    assert not [check.line() for check in found.values() if check.answer == "no"]
    assert "2 were erased, as 1 people withdrew" in found["items derived"].says


@pytest.fixture
def compared(chat: Path) -> Iterator[Path]:
    """The comparison with answers of bots."""
    study = open_study(chat / "compare", must_be_locked=True)
    with contextlib.closing(open_store(chat / "compare", None)) as store:
        app = create_app(study, store, mode="bot")
        for number in range(study.plan.design.raters):
            Walker(app.test_client(), f"rater-{number}").arrive().to("/done")
    yield chat


def test_who_withdraws_later_is_erased_and_left_out_of_the_analysis(compared: Path) -> None:
    shown = rows(compared / "compare" / "sequences.csv")
    root = read_lock(compared).root_hash
    of = {
        item_id(root, f"session{number:04d}-{turn}"): f"session{number:04d}"
        for number in range(1, PEOPLE + 1)
        for turn in (1, 2)
    }
    session = of[shown[0]["left_id"]]
    gone = {name for name, owner in of.items() if owner == session}
    about = [row for row in shown if {row["left_id"], row["right_id"]} & gone]
    before = rows(compared / "compare" / "items.csv")
    forget(compared, session)
    said = ratify("items", compared, "--mode", "bot")
    assert f"{compared / 'compare'}: the text of 2 was erased" in said
    texts = {row["item_id"]: row["text"] for row in rows(compared / "compare" / "items.csv")}
    assert {name for name, text in texts.items() if text == ERASED_TEXT} == gone
    words = [row["text"].partition("\n")[2] for row in before if row["item_id"] in gone]
    for path in compared.rglob("*.csv"):
        assert not [one for one in words if one in path.read_text(encoding="utf-8")], path
    said = ratify("analyze", compared, "--mode", "bot")
    assert f"Based on {len(shown) - len(about)} choices" in said
    open_study(compared / "compare", must_be_locked=True)  # the lock holds all the same
    found = [one for stage in ("judging", "compare") for one in check_derived(compared, stage)]
    assert not [check.line() for check in found if check.answer == "no"]


def test_a_running_server_shows_nothing_that_was_erased(chat: Path) -> None:
    place = chat / "compare"
    study = open_study(place, must_be_locked=True)
    root = read_lock(chat).root_hash
    with contextlib.closing(open_store(place, None)) as store:
        app = create_app(
            study, store, mode="bot", reopen=lambda: open_study(place, must_be_locked=True)
        )
        reader = Walker(app.test_client(), "rater-1").arrive().to("/trial")
        before = reader.words
        pair = next(
            row
            for row in rows(place / "sequences.csv")
            if all(_said(study.items[row[side]].text) in before for side in SIDES)
        )
        gone = next(
            f"session{number:04d}"
            for number in range(1, PEOPLE + 1)
            if pair["left_id"] in {item_id(root, f"session{number:04d}-{turn}") for turn in (1, 2)}
        )
        forget(chat, gone)
        assert f"{place}: the text of 2 was erased" in ratify("items", chat, "--mode", "bot")
        after = reader.get("/trial").words
    assert ERASED_TEXT in after
    assert _said(study.items[pair["left_id"]].text) not in after
    assert _said(study.items[pair["right_id"]].text) in after


def _said(text: str) -> str:
    """Return a conversation as the words of a page have it."""
    return " ".join(line.replace(": ", " ", 1) for line in text.splitlines())


def test_nobody_may_delete_an_item_without_a_withdrawal(compared: Path) -> None:
    forget(compared, "session0002")
    ratify("items", compared, "--mode", "bot")
    table = compared / "data" / "withdrawals.csv"
    table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    found = {check.name: check.answer for check in check_derived(compared, "compare")}
    assert found["items derived"] == "no"


def test_a_conversation_that_ended_later_is_told_and_left_out(chat: Path) -> None:
    study = open_chat(chat)
    with contextlib.closing(open_store(chat, None)) as store:
        fill(store, study, people=4, mode="bot", first=PEOPLE + 1)
    before = (chat / "judging" / "items.csv").read_bytes()
    assert "8 conversations were over later" in ratify("items", chat, "--mode", "bot")
    assert (chat / "judging" / "items.csv").read_bytes() == before


def test_until_judges_are_asked_items_are_written_anew(tmp_path: Path) -> None:
    study = had_chat(tmp_path / "chat", people=8)
    ratify("items", tmp_path / "chat", "--mode", "bot")
    with contextlib.closing(open_store(tmp_path / "chat", None)) as store:
        fill(store, study, people=4, mode="bot", first=9)
    assert "24 conversations, locked now" in ratify("items", tmp_path / "chat", "--mode", "bot")


def test_a_chat_of_another_mode_does_not_replace_what_was_judged(chat: Path) -> None:
    study = open_chat(chat)
    with contextlib.closing(open_store(chat, None)) as store:
        fill(store, study, people=4, mode="live", first=PEOPLE + 1)
    assert "was derived from bot conversations" in ratify("items", chat, code=2)
