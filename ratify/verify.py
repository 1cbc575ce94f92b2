"""`ratify verify`: says for a third person whether a study is as it was promised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.command_line import main

if TYPE_CHECKING:
    from analysis.verify.check import Check


@main.command()
@click.argument("place", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="The study folder of a passport. Default: the folder that holds it, if it is one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_context
def verify(ctx: click.Context, place: Path, folder: Path | None, as_json: bool) -> None:
    """Check whether everything is as it was promised, in a study folder or in a passport.

    DIR: plan, items, texts, amendments, rows, results and report. It needs only the folder, and
    changes nothing in it. Results are checked by running the analysis again.

    A study of kind chat: its own parts, then every stage that was derived from it.

    FILE: each claim of a passport, against the study folder, or what cannot be checked without it.

    Each check ends in one line: yes, no, or cannot check; for results also "same digits", if their
    numbers are the same to six digits or more but not to the last one. The exit code is 2 if any is
    no.
    """
    from prereg.chat.file import is_chat
    from prereg.errors import RatifyError

    if not place.exists():
        allowed = "a study folder, or the passport.json of one"
        raise RatifyError("there is nothing to check", file=place, allowed=allowed)
    if place.is_dir() and folder is not None:
        allowed = "with a passport only"
        raise RatifyError("is for a passport", file="--folder", value=str(folder), allowed=allowed)
    if folder is not None and not folder.is_dir():
        allowed = "the study folder of the passport"
        raise RatifyError("no such folder", file="--folder", value=str(folder), allowed=allowed)
    if not place.is_dir():
        checks = _of_passport(place, folder)
    else:
        checks = _of_chat(place) if is_chat(place) else _of_study(place)
    failed = sum(check.answer == "no" for check in checks)
    if as_json:
        content = {"holds": not failed, "checks": [check.to_json() for check in checks]}
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        for check in checks:
            click.echo(check.line())
    ctx.exit(2 if failed else 0)


def _of_passport(path: Path, folder: Path | None) -> list[Check]:
    """Return a check for each claim of a passport."""
    from analysis.verify.check import Check
    from prereg.passport.reading import passport_differences, read_passport
    from prereg.plan.file import PLAN_FILE

    content = read_passport(path)
    around = (path.resolve().parent, path.resolve().parent.parent)
    beside = next((one for one in around if (one / PLAN_FILE).exists()), around[0])
    claims = passport_differences(content, beside if folder is None else folder)
    return [Check(one.claim, one.answer, one.differs) for one in claims]


def _of_study(folder: Path) -> list[Check]:
    """Return the checks of a folder, with that of the judges' prompts after the texts."""
    from analysis.verify.study import verify_study
    from ratify.analyses_shown import analyses_shown

    with analyses_shown() as began:
        checks = verify_study(folder, began)
    names = [check.name for check in checks]
    if "texts" in names:
        checks.insert(names.index("texts") + 1, _prompts(folder))
    return checks


def _of_chat(folder: Path) -> list[Check]:
    """Return the checks of a study of kind chat, and those of every stage derived from it."""
    from dataclasses import replace

    from analysis.verify.stages import check_derived
    from prereg.derived import DERIVED_FILE
    from prereg.lock import LOCK_FILE
    from ratify.chat_verified import chat_checks
    from ratify.stages import STAGES

    checks = chat_checks(folder)
    for stage in reversed(STAGES):
        if any((folder / stage / name).exists() for name in (DERIVED_FILE, LOCK_FILE)):
            found = [*check_derived(folder, stage), *_of_study(folder / stage)]
            checks += [replace(one, name=f"{stage}/ {one.name}") for one in found]
    return checks


def _prompts(folder: Path) -> Check:
    """Return whether each judge is asked as it was when the plan was locked."""
    from analysis.verify.check import cannot, no, yes
    from prereg import files
    from prereg.errors import RatifyError
    from prereg.lock import read_lock
    from prereg.plan.file import load_plan
    from study.judges.version import check_judge, judge_version

    name = "prompts"
    try:
        lock, plan = read_lock(folder), load_plan(folder)
        for judge in plan.judges:
            check_judge(judge, plan)
        now = {judge.id: judge_version(judge, plan, folder) for judge in plan.judges}
    except RatifyError as error:
        return no(name, str(error))
    if files.sha256(files.canonical_json(now)) == lock.parts.get("prompts"):
        return yes(name, f"what each of {len(now)} judges is asked is unchanged")
    held = lock.locked.get("prompts")
    if not isinstance(held, dict):
        return cannot(name, "other than locked, but the lock does not say what it held")
    changed = [judge for judge in now if held.get(judge) != now[judge]]
    return no(name, f"changed: {', '.join(changed) or 'judges are gone'}")
