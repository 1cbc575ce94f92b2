"""If this failed, a page would show an image nobody locked, or one of another host."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Picture

from prereg.errors import RatifyError
from prereg.images import LARGEST, size_of
from prereg.lock import read_lock, verify_lock
from prereg.markdown import images, raw_html
from prereg.plan.file import load_plan
from study.opening import lock_study, open_study
from tests.support.plans import edited_plan


def picture(kind: str = "PNG", size: tuple[int, int] = (5, 3)) -> bytes:
    stream = BytesIO()
    Picture.new("RGB", size, (10, 90, 140)).save(stream, kind)
    return stream.getvalue()


def in_consent(folder: Path, line: str) -> Path:
    (folder / "consent.md").write_text(f"# Welcome\n\nSome words\nand more.\n{line}\n")
    return folder


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_an_image_is_known_by_its_bytes_and_has_a_size(kind: str) -> None:
    content = picture(kind.upper(), (70, 41))
    assert size_of(content) == (kind, 70, 41)
    for cut in (0, 3, 7, 9):
        assert size_of(content[:cut]) is None


def test_webp_without_loss_and_with_transparency_has_a_size() -> None:
    stream = BytesIO()
    Picture.new("RGBA", (33, 9), (1, 2, 3, 4)).save(stream, "WEBP", lossless=True)
    assert size_of(stream.getvalue()) == ("webp", 33, 9)
    frames = BytesIO()
    first, second = (Picture.new("RGB", (20, 30), (n, n, n)) for n in (1, 200))
    first.save(frames, "WEBP", save_all=True, append_images=[second])
    assert size_of(frames.getvalue()) == ("webp", 20, 30)


def test_images_and_html_are_found_on_their_lines() -> None:
    text = "# A\n\nsome ![one](a.png)\nmore ![two](b%20c.png)\n\n- ![three][ref]\n\n[ref]: d.png\n"
    assert [(i.line, i.source, i.alt) for i in images(text)] == [
        (3, "a.png", "one"),
        (4, "b c.png", "two"),
        (6, "d.png", "three"),
    ]
    assert images("`![no](image.png)`\n\n    ![nor](this.png)\n") == []
    html = "a\n\nb <b>c</b>\n\n<div>\nx\n</div>\n\n1 < 2, `<i>`, <https://x.org>\n"
    assert [(h.line, h.source.split("\n")[0]) for h in raw_html(html)] == [
        (3, "<b>"),
        (3, "</b>"),
        (5, "<div>"),
    ]


REFUSED = {
    "![a](https://x.org/a.png)": "another place",
    "![a](//x.org/a.png)": "another place",
    "![a](data:image/png;base64,AAAA)": "another place",
    "![a](../a.png)": "not inside",
    "![a](%2e%2e/a.png)": "not inside",
    "![a](/etc/a.png)": "not inside",
    "![a](link.png)": "not inside",
    "![a](.hidden.png)": "not inside",
    "![a](absent.png)": "is not there",
    "![a](images)": "is not there",
    "![a](plan.yaml)": "no image",
    "![a](drawing.svg)": "an SVG, which can hold a script",
    "![a](liar.png)": "an SVG, which can hold a script",
    "![a](large.png)": "more than 4 MB",
    "![](logo.png)": "without words",
    "words <b>bold</b>": "raw HTML",
    "<img src=logo.png alt=x>": "raw HTML",
}


def test_what_raters_may_not_be_shown_is_refused_with_its_line(study_folder: Path) -> None:
    (study_folder / "images").mkdir()
    (study_folder / "logo.png").write_bytes(picture())
    (study_folder / ".hidden.png").write_bytes(picture())
    (study_folder.parent / "outside.png").write_bytes(picture())
    (study_folder / "link.png").symlink_to(study_folder.parent / "outside.png")
    for name in ("drawing.svg", "liar.png"):
        (study_folder / name).write_text("<svg xmlns='x'><script>1</script></svg>")
    (study_folder / "large.png").write_bytes(picture() + bytes(LARGEST))
    for line, problem in REFUSED.items():
        in_consent(study_folder, line)
        with pytest.raises(RatifyError, match=rf"consent\.md: line 5 .*{problem}"):
            open_study(study_folder)
    with pytest.raises(RatifyError, match=r"consent\.md: line 5"):
        lock_study(study_folder)


def test_an_item_names_its_row_and_only_markdown_has_images(study_folder: Path) -> None:
    path = study_folder / "items.csv"
    path.write_text(path.read_text().replace("Not well.", "![a](http://x.org/a.png)", 1))
    open_study(study_folder)
    with edited_plan(study_folder) as plan:
        plan["display"] = {"format": "markdown"}
    with pytest.raises(RatifyError, match=r"items\.csv, row 2, column text: line 3 of the text"):
        open_study(study_folder)


def test_an_image_is_locked(study_folder: Path) -> None:
    (study_folder / "logo.png").write_bytes(picture())
    in_consent(study_folder, "![Our logo](logo.png)")
    study, lock = lock_study(study_folder)
    assert "images" in lock.parts
    assert verify_lock(study_folder, load_plan(study_folder)) == read_lock(study_folder)
    assert (study.images["logo.png"].width, study.images["logo.png"].height) == (5, 3)
    (study_folder / "logo.png").write_bytes(picture(size=(6, 3)))
    checks: list[Callable[[], object]] = [
        lambda: open_study(study_folder),
        lambda: verify_lock(study_folder, load_plan(study_folder)),
    ]
    for check in checks:
        with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: images\b"):
            check()


def test_the_plan_names_as_many_texts_as_a_trial_shows(study_folder: Path) -> None:
    before = open_study(study_folder).parts["plan"]
    for display, fault in (
        ({"labels": ["A", "B", "C"]}, r"display\.labels: .*shows 2 texts.*2 labels"),
        ({"labels": ["x", "X"]}, "name two items alike"),
        ({"format": "html"}, r"display\.format"),
        ({"nown": "Text"}, r"display\.nown: unknown key .*noun"),
    ):
        with edited_plan(study_folder) as plan:
            plan["display"] = display
        with pytest.raises(RatifyError, match=fault):
            open_study(study_folder)
    hashes = [before]
    for display in ({}, {"noun": "Reply"}, {"noun": "Reply", "labels": [1, 2]}):
        with edited_plan(study_folder) as plan:
            plan["display"] = display
        hashes.append(open_study(study_folder).parts["plan"])
    assert hashes[0] == hashes[1], "a plan without this key is the same plan"
    assert len(set(hashes)) == 3
