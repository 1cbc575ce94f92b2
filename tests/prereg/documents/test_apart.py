"""If this failed, a registration would not say that nobody rates two scales."""

from __future__ import annotations

from pathlib import Path

from prereg.documents.writing import documents
from study.documented import material_of
from study.scaffold import new_study
from tests.support.plans import edited_plan


def test_the_documents_say_how_scales_are_asked_apart(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    new_study(folder, worked="empathy_attachment")
    apart = documents(material_of(folder))
    body = apart["study.md"].partition("\n## Appendices")[0]
    assert "asks for a rating on one scale" in body
    assert "each sequence asks for one of `empathy` and `attachment`, in turn, 90 raters" in body
    assert "nobody gives two scores of one item" in body
    assert body.count("Its raters are also told:") == 2
    assert "only its right answer counts" in body
    assert "S001,1," in apart["study.md"]
    with edited_plan(folder) as plan:
        plan["design"]["apart"] = False
        for scale in plan["scales"]:
            del scale["instructions"]
    together = documents(material_of(folder))["study.md"]
    assert "asks for a rating on each scale" in together
    for words in ("asked apart", "also told", "only its right answer counts"):
        assert words not in together.partition("\n## Appendices")[0]
