"""If these failed, raters or a colleague would be given a link that does not lead to the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratify.invitations import links, public_host
from study.folder import Study
from study.serving.command import Serving
from tests.support.collecting import study_of_kind
from tests.support.plans import edited_plan

PROLIFIC = "/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.delenv("RATIFY_HOSTS", raising=False)
    return study_of_kind(tmp_path / "study", "pairwise")


def said(study: Study, mode: str, host: str) -> str:
    return "\n".join(links(study, Serving(mode=mode, host=host, port=8000), f"http://{host}:8000"))


def test_live_raters_get_the_public_address(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "https://YOUR-HOST/?rater=THEIR-ID" in said(study, "live", "127.0.0.1")
    assert "https://lab.example.org/?rater=THEIR-ID" in said(study, "live", "lab.example.org")
    monkeypatch.setenv("RATIFY_HOSTS", "study.example.org, other.example.org")
    assert "https://study.example.org/?rater=" in said(study, "live", "127.0.0.1")
    assert public_host("::1") == "study.example.org"


def test_prolific_gets_its_placeholders(tmp_path: Path, study: Study) -> None:
    from study.opening import open_study

    with edited_plan(tmp_path / "study") as plan:
        plan["recruitment"]["platform"] = "prolific"
    found = said(open_study(tmp_path / "study"), "live", "study.example.org")
    assert f"https://study.example.org{PROLIFIC}" in found


def test_a_pilot_link_says_who_can_open_it(study: Study) -> None:
    assert "http://127.0.0.1:8000/?rater=COLLEAGUE-1" in said(study, "pilot", "127.0.0.1")
    assert "--host 0.0.0.0" in said(study, "pilot", "localhost")
    anywhere = said(study, "pilot", "0.0.0.0")
    assert "0.0.0.0" not in anywhere
    assert ":8000/?rater=COLLEAGUE-1" in anywhere
    assert said(study, "bot", "127.0.0.1") == ""
