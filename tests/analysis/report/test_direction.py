"""If these failed, Arabic texts of a study would stand in the wrong order in its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.direction import isolated
from analysis.results.verdict import Disagreement, Verdict
from tests.analysis.report.test_report import page, study

QUESTION = "إلى أي مدى يفعل الداعم (Supporter) ما يلي؟"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Only <English>, 46% [36%, 56%].", "Only &lt;English&gt;, 46% [36%, 56%]."),
        ("مناسب: 46% [36%, 56%]", "<bdi>مناسب</bdi>: 46% [36%, 56%]"),
        ("غير مناسب, مناسب & 3", "<bdi>غير مناسب</bdi>, <bdi>مناسب</bdi> &amp; 3"),
        (
            f"One question, “{QUESTION}”, about 10.",
            f"One question, “<bdi>{QUESTION}</bdi>”, about 10.",
        ),
    ],
)
def test_what_is_written_from_right_to_left_stands_by_itself(text: str, shown: str) -> None:
    assert str(isolated(text)) == shown
    assert str(isolated(isolated("<b>"))) == "&lt;b&gt;"


def test_every_text_of_a_study_has_its_own_direction(tmp_path: Path) -> None:
    apart = Disagreement(
        judge="gpt",
        what="item 1",
        people="غير مناسب (1)",
        said="مناسب",
        texts=(("م", "نص"),),
        size=1,
    )
    source = page(
        tmp_path,
        study(
            title="دراسة",
            question=QUESTION,
            hypotheses=[{"id": "H1", "text": "يتفق الناس."}],
            methods=[f"Raters answered “{QUESTION}”, about 10 texts each."],
            headline=["gpt says مناسب 46% of the time."],
            verdict=Verdict(sentences=(), cells=(), disagreements=(apart,)),
            figures=[],
        ),
    )
    for part in (
        '<h1 dir="auto">دراسة</h1>',
        f'<p class="question" dir="auto">{QUESTION}</p>',
        '<span dir="auto">يتفق الناس.</span>',
        '<p class="said" dir="auto">نص</p>',
        '<b dir="auto">غير مناسب (1)</b>',
        '<b dir="auto">مناسب</b>',
        f"“<bdi>{QUESTION}</bdi>”, about 10 texts each.",
        "gpt says <bdi>مناسب</bdi> 46% of the time.",
        '<td dir="auto">1-3</td>',
    ):
        assert part in source, part
