"""If this failed, a stranger could not rebuild a registered study from its document alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import yaml
from click.testing import CliRunner, Result

from analysis.planning.kept import key_of
from prereg.documents.attached import (
    FULL_DOCUMENT,
    Attached,
    block,
    plain_text,
    read_blocks,
    sealed,
    unsealed,
)
from prereg.documents.preregr import _digest
from prereg.documents.writing import FULL, NAMES, write_documents
from prereg.errors import RatifyError
from prereg.exploratory import load_exploratory
from prereg.lock import LOCK_FILE
from prereg.parts import SEQUENCES_FILE
from prereg.plan.file import load_plan
from prereg.tables.items import read_items
from ratify import main
from study.amending import amend, draft_amendment
from study.documented import material_of
from study.opening import lock_study, open_study
from study.scaffold import new_study, worked_plans
from tests.conftest import make_study
from tests.support.plans import edited_plan
from tests.support.rich_study import ITEMS, rich_study

CARRIERS = (f"{FULL}.md", "preregr.yaml", "preregr.json")


def ratify(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def rebuilt(document: Path, folder: Path, *options: str) -> Path:
    done = ratify("import-preregr", *options, document, folder)
    assert done.exit_code == 0, done.output
    return folder


def labels_from_a_sheet(folder: Path) -> Path:
    """Make a rating plan with labels, whose items are in a sheet of a workbook."""
    new_study(folder, worked="empathy_rating")
    (folder / "items.csv").unlink()
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Items")
    sheet.append(["item_id", "scenario", "text", "prompt"])
    for row in ITEMS:
        sheet.append([cell.lstrip("=") for cell in row])
    book.save(folder / "items.xlsx")
    with edited_plan(folder) as plan:
        plan["materials"] = {"items": "items.xlsx#Items"}
        plan["design"] |= {"raters": 4, "trials": 3}
        plan["scales"] = [
            {"id": "verdict", "question": "Good?", "labels": {"pass": "all of it", "fail": None}}
        ]
        plan["attention_checks"] = [
            {"after": 0, "texts": ["choose fail"], "expected": {"verdict": "fail"}}
        ]
        plan["judges"] = [{"id": "model", "kind": "llm", "model": "m", "prompts": ["plan_labels"]}]
        plan["analyses"] = [
            {
                "id": "a",
                "kind": "agreement",
                "judges": ["model"],
                "weights": "none",
                "metric": "accuracy",
            }
        ]
    return folder


def worked(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        new_study(folder, worked=name)
        return folder

    return make


STUDIES: dict[str, Callable[[Path], Path]] = {
    **{name: worked(name) for name in worked_plans()},
    "of many parts": rich_study,
    "labels from a sheet": labels_from_a_sheet,
}


@pytest.mark.parametrize("name", STUDIES)
def test_document_in_plan_out_same_hash(name: str, tmp_path: Path) -> None:
    folder = STUDIES[name](tmp_path / "study")
    before = material_of(folder).plan_hash
    _, lock = lock_study(folder)
    assert lock.plan_hash == before
    place = write_documents(material_of(folder))
    shutil.move(place, tmp_path / "documents")
    shutil.rmtree(folder)
    for number, carrier in enumerate(CARRIERS):
        again = rebuilt(tmp_path / "documents" / carrier, tmp_path / f"again-{number}")
        assert not (again / LOCK_FILE).exists()
        assert lock_study(again)[1].plan_hash == lock.plan_hash, carrier
        assert lock_study(again)[1].parts == lock.parts


def test_the_document_of_a_study_that_is_not_locked_yet_does_too(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    place = write_documents(material_of(folder), tmp_path / "documents")
    assert sorted(path.name for path in place.iterdir()) == sorted(NAMES)
    again = rebuilt(place / "study.md", tmp_path / "again")
    assert lock_study(again)[1].plan_hash == lock_study(folder)[1].plan_hash
    assert (
        ratify("import-preregr", "--with-lock", place / "study.md", tmp_path / "no").exit_code == 2
    )


def test_a_lock_can_be_restored_with_its_date_and_its_sequences(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    _, lock = lock_study(folder)
    place = write_documents(material_of(folder))
    again = rebuilt(place / "preregr.yaml", tmp_path / "again", "--with-lock")
    assert open_study(again, must_be_locked=True).lock == lock
    for name in (SEQUENCES_FILE, LOCK_FILE, "items.csv", "plan.yaml", "consent.md"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the documents of a locked study."""
    folder = rich_study(tmp_path_factory.mktemp("rich") / "study")
    lock_study(folder)
    return write_documents(material_of(folder))


def test_other_line_ends_and_another_layout_are_no_change(place: Path, tmp_path: Path) -> None:
    text = (place / "study.md").read_text(encoding="utf-8")
    for number, changed in enumerate(("\ufeff" + text.replace("\n", "\r\n"), text.rstrip("\n"))):
        (tmp_path / "study.md").write_bytes(changed.encode("utf-8"))
        rebuilt(tmp_path / "study.md", tmp_path / f"md-{number}")
    content = json.loads((place / "preregr.json").read_text(encoding="utf-8"))
    (tmp_path / "flat.json").write_text(json.dumps(content), encoding="utf-8")
    rebuilt(tmp_path / "flat.json", tmp_path / "flat")
    # R writes every single text and number as a list of one
    boxed = json.loads(json.dumps(content), object_hook=in_boxes)
    del boxed["ratify"]  # and knows no such key
    (tmp_path / "boxed.json").write_text(json.dumps(boxed), encoding="utf-8")
    rebuilt(tmp_path / "boxed.json", tmp_path / "boxed")
    assert yaml.safe_load((place / "preregr.yaml").read_text(encoding="utf-8")) == content


def test_a_byte_order_mark_of_a_text_is_no_change(tmp_path: Path) -> None:
    folder = rich_study(tmp_path / "study")
    lock_study(folder)
    before = open_study(folder).plan_hash
    names = [path for path in folder.rglob("*") if path.suffix in {".md", ".yaml"}]
    names += [folder / "items.csv", folder / SEQUENCES_FILE]
    assert {"consent.md", "instructions.md", "plan.yaml"} < {path.name for path in names}
    assert any(path.parent.name == "prompts" for path in names)
    for path in names:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    study = open_study(folder, same_judges=True)
    assert study.plan_hash == before, "a study that has changed since its lock is refused"
    assert not any(text.startswith("\ufeff") for text in study.texts.values())
    (folder / "exploratory.yaml").write_text("\ufeffanalyses: []\n", encoding="utf-8")
    assert load_exploratory(folder, study.plan) == ()
    document = write_documents(material_of(folder)) / "study.md"
    again = rebuilt(document, tmp_path / "again")
    assert not (again / "consent.md").read_bytes().startswith(b"\xef\xbb\xbf")


def in_boxes(content: dict[str, object]) -> dict[str, object]:
    return {k: v if isinstance(v, dict | list) else [v] for k, v in content.items()}


def half(text: str) -> str:
    return text[: len(text) // 2]


def edited(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


def newer(text: str) -> str:
    content = json.loads(text)
    content["config"]["ratify"]["format"] = 2
    return again_sealed(content)


def outside(text: str) -> str:
    content = json.loads(text)
    content["config"]["ratify"]["files"][0]["name"] = "../plan.yaml"
    return again_sealed(content)


def another_hash(text: str) -> str:
    content = json.loads(text)
    content["config"]["ratify"]["plan_hash"] = "0" * 64
    content["config"]["ratify"]["parts"]["consent"] = "0" * 64
    return again_sealed(content)


def again_sealed(content: dict[str, dict[str, dict[str, object]]]) -> str:
    content["config"]["ratify"]["sha256"] = _digest(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("study.md", half, "is cut"),
        ("study.md", edited("4 raters", "5 raters"), "has been changed"),
        ("study.md", edited("# مرحبا", "# أهلا"), "has been changed"),
        ("study.md", edited("S001,1,", "S001,9,"), "has been changed"),
        ("study.md", lambda text: text[: text.rindex("\nEvery")], "is cut"),
        ("study.md", lambda _: "# Another text\n", "is not the full document"),
        ("osf.md", str, "is not the full document of a study, so no study can be rebuilt from it"),
        ("data_management.md", str, "(allowed: study.md, preregr.yaml or preregr.json of"),
        ("study.md", lambda _: sealed(f"# {FULL_DOCUMENT}\n"), "is not the full document"),
        (
            "study.md",
            lambda text: sealed(unsealed(text, file=Path("x")).replace("S001,1,", "S001,9,")),
            "does not have the SHA-256",
        ),
        ("preregr.json", half, "is cut, or is not JSON"),
        ("preregr.yaml", half, "is cut"),
        ("preregr.yaml", lambda text: text[: text.index("\n  ratify:")], "is cut"),
        ("preregr.yaml", lambda text: text[: text.index("\n  study_type:")], "is cut"),
        ("preregr.yaml", lambda text: text[: text.rindex("\n    sha256:")], "changed or cut"),
        ("preregr.json", edited("4 raters", "5 raters"), "changed or cut"),
        ("preregr.json", edited("# مرحبا", "# أهلا"), "changed or cut"),
        ("preregr.yaml", edited("locked: true", "locked: false"), "changed or cut"),
        ("preregr.json", newer, "newer version"),
        ("preregr.json", outside, "not inside a study folder"),
        ("preregr.json", another_hash, "another hash than the document says: consent"),
        ("preregr.json", lambda _: "{}", "no key specs"),
        ("preregr.json", lambda _: '{"specs": {"a": {"text": "b"}}}', "no title"),
    ],
)
def test_a_changed_or_cut_document_ends_in_one_line(
    name: str, change: Callable[[str], str], said: str, place: Path, tmp_path: Path
) -> None:
    document = tmp_path / name
    document.write_text(change((place / name).read_text(encoding="utf-8")), encoding="utf-8")
    done = ratify("import-preregr", document, tmp_path / "again")
    assert done.exit_code == 2
    assert said in done.output
    assert done.output.count("\n") == 1
    assert done.output.startswith(f"ratify: {document}")
    assert not (tmp_path / "again").exists()


def test_a_folder_that_holds_something_stays_as_it_is(place: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "mine.txt").write_text("mine")
    done = ratify("import-preregr", place / "study.md", tmp_path / "again")
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["mine.txt"]
    assert ratify("import-preregr", tmp_path / "none.md", tmp_path / "x").exit_code == 2


def test_a_specification_of_somebody_else_is_taken_as_far_as_it_can_be(tmp_path: Path) -> None:
    given = {
        "specs": {
            "title": {"text": ["Cabbages, cast: in moderation"]},
            "authors": {"text": "Littlebottom, C."},
            "item_4": {"text": "H1: More is heard.\n\n2) Less: is 'not'.\n"},
            "item_12": {"text": "We aim for 1,200 people"},
            "funding": {"text": "Unspecified"},
        },
        "jstf": {"sources": []},
        "form": {
            "items": [
                {"item_id": "item_4", "item_label": "Hypotheses"},
                {"item_id": "item_12", "item_label": "Sample size"},
            ]
        },
        "config": {"initialText": "Unspecified"},
    }
    (tmp_path / "theirs.yml").write_text(yaml.safe_dump(given))
    done = ratify("import-preregr", tmp_path / "theirs.yml", tmp_path / "study")
    assert done.exit_code == 0, done.output
    assert "not taken  authors" in done.output
    assert "funding" not in done.output
    plan = load_plan(tmp_path / "study")
    assert plan.title == "Cabbages, cast: in moderation"
    assert [(h.id, h.text) for h in plan.hypotheses] == [
        ("H1", "More is heard."),
        ("H2", "Less: is 'not'."),
    ]
    assert plan.design.raters == 1200
    assert not any(analysis.hypothesis for analysis in plan.analyses)
    open_study(tmp_path / "study")
    given["specs"]["item_12"] = {"text": "40 people in each of 2 groups"}
    (tmp_path / "theirs.yml").write_text(yaml.safe_dump(given))
    done = ratify("import-preregr", tmp_path / "theirs.yml", tmp_path / "other")
    assert "not taken  the sample size" in done.output
    assert load_plan(tmp_path / "other").design.raters == 150


@pytest.mark.parametrize(
    "content", [b"", b"a", b"a\n", b"~~~\n~~~~\n", b"\r\n", b"\xff\x00", b"\n\n"]
)
def test_a_block_holds_a_file_to_the_byte(content: bytes) -> None:
    file = Attached('a "b" \\ ü.csv', content)
    text = f"before\n\n{block(file)}\n\nafter\n"
    assert read_blocks(text, file=Path("x")) == [file]
    assert (plain_text(content) is None) == (content in {b"\r\n", b"\xff\x00"})
    with pytest.raises(RatifyError, match=r"does not end|SHA-256"):
        read_blocks(text.replace(file.sha256, "0" * 64), file=Path("x"))


def test_lock_says_which_document_to_register(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    done = ratify("lock", folder, "--yes")
    assert f"document  {folder / 'preregistration' / 'study.md'}" in done.output
    said = (folder / "preregistration" / "aspredicted.md").read_text(encoding="utf-8")
    assert open_study(folder).plan_hash in said
    (folder / "preregistration" / "receipt.pdf").write_text("theirs")
    done = ratify("lock", folder)
    assert done.exit_code == 0
    assert "the documents were not written" in done.output
    done = ratify("document", folder)
    assert done.exit_code == 2
    assert (folder / "preregistration" / "receipt.pdf").exists()


def test_an_amended_study_is_rebuilt_with_its_chain(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    lock_study(folder)
    with edited_plan(folder) as plan:
        plan["design"]["raters"] = 8
    draft = draft_amendment(folder, None)
    amend(folder, draft, "More raters came.")
    lock = open_study(folder).lock
    place = write_documents(material_of(folder))
    said = (place / "study.md").read_text(encoding="utf-8")
    assert "### Amendment 1" in said
    assert "More raters came." in said
    done = ratify("import-preregr", place / "study.md", tmp_path / "anew")
    assert done.exit_code == 2
    assert "--with-lock" in done.output
    for number, carrier in enumerate(CARRIERS):
        again = rebuilt(place / carrier, tmp_path / f"again-{number}", "--with-lock")
        assert open_study(again, must_be_locked=True).lock == lock


def test_the_power_of_this_plan_is_in_its_documents_and_no_other(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    plan = load_plan(folder)
    key = key_of(plan, read_items(folder / plan.materials.items))
    (folder / "power").mkdir()
    told = {"key": key, "sentences": ["The power is 0.81 for H1.", "Another *sentence*."]}
    (folder / "power" / "power.json").write_text(json.dumps(told))
    assert ratify("document", folder).exit_code == 0
    place = folder / "preregistration"
    for name in ("study.md", "osf.md", "aspredicted.md"):
        assert "The power is 0.81 for H1." in (place / name).read_text(encoding="utf-8")
    for changed in ({**told, "key": "0"}, {"key": key}):
        (folder / "power" / "power.json").write_text(json.dumps(changed))
        done = ratify("document", folder)
        assert done.exit_code == 0
        assert "note: " in done.output
        assert "was not simulated" in (place / "osf.md").read_text(encoding="utf-8")
