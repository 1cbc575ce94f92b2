"""If this failed, an amendment would make a judge answer, and be paid, for the same thing twice."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.plan.judging import BaselineJudge
from study.amending import amend, draft_amendment
from study.judges.runs.offline import run_judge
from study.opening import lock_study, open_study
from study.store.database import open_store
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE, lab, make_llm_study
from tests.support.plans import edited_plan

RATERS, MORE, TRIALS = 8, 4, 5


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    """A server that wants the key, and has forgotten everything."""
    llm_server.reset(key=KEY)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def test_judges_are_asked_only_what_an_amendment_adds(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server, raters=RATERS, trials=TRIALS)
    with edited_plan(folder) as plan:
        pairs = {"scheme": "elo_neighbours", "per_scenario": 20, "start": 1000, "k": 32}
        plan["judges"][2]["pairs"] = pairs
    (folder / "plan.lock.json").unlink()
    lock_study(folder)
    with lab(folder) as study:
        baseline = study.study.plan.judge("lexical")
        assert isinstance(baseline, BaselineJudge)
        run_judge(study.store, study.study, baseline)
        first = study.run()
        before = study.rows("judgments") + study.rows("ratings")
        ranked = study.rows("judgments", where="purpose = 'ranking' AND rater_id = 'lexical'")
    assert ranked
    assert not first.left
    with edited_plan(folder) as plan:
        plan["design"]["raters"] = RATERS + MORE
        plan["judges"][0]["model"] = "lab/judge-2"
    with closing(open_store(folder, None)) as store:
        made = amend(folder, draft_amendment(folder, store), "Its maker renamed the model.")
        assert "judges: fake.model" in [change.place for change in made.changes]
        with edited_plan(folder) as plan:
            plan["judges"][2]["pairs"]["per_scenario"] = 30
        with pytest.raises(RatifyError, match="'lexical' has answered already"):
            draft_amendment(folder, store)
        with edited_plan(folder) as plan:
            plan["judges"][2]["pairs"]["per_scenario"] = 20
    with lab(folder) as study:
        baseline = study.study.plan.judge("lexical")
        assert isinstance(baseline, BaselineJudge)
        assert run_judge(study.store, study.study, baseline) == MORE * TRIALS
        assert run_judge(study.store, study.study, baseline) == 0
        second = study.run()
        assert second.settled == MORE * TRIALS
        assert study.run().settled == 0
        after = study.rows("judgments") + study.rows("ratings")
        kept = [row for row in after if row["version_hash"] is None]
        assert sorted(kept, key=repr) == sorted(before, key=repr)
        new = [row for row in after if row["version_hash"] is not None]
        assert {row["version_hash"] for row in new} == {made.plan_hash}
        assert len(new) == 2 * MORE * TRIALS
        assert {row["purpose"] for row in new} == {"trial"}
        asked = study.rows("requests", where="version_hash IS NOT NULL")
        assert {row["model"] for row in asked} == {"lab/judge-2"}
    assert open_study(folder, must_be_locked=True).plan_hash == made.plan_hash
