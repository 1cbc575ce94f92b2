"""Open and lock a study folder of kind chat."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from prereg import files
from prereg.chat.file import load_chat_plan
from prereg.chat.films import inside
from prereg.chat.model import ChatPlan
from prereg.chat.parts import chat_parts, held_parts, read_chat_files
from prereg.chat.stages import judging_plan
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, plan_hash, read_lock, refuse_changed, write_lock
from prereg.parts import read_text
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.transport_log import log_changes, transport_of
from study.chat.study import ChatStudy, Film
from study.judges.fits import check_baselines_beside, check_judges
from study.judges.version import judge_version
from study.language import check_language

PROMPTS = "prompts"


def open_chat(folder: Path | str, *, must_be_locked: bool = False) -> ChatStudy:
    """Open a study folder of kind chat.

    Parameters
    ----------
    folder : path
        Holds plan.yaml and the files it names.
    must_be_locked : bool
        Whether to refuse a folder without a lock that matches it; live collection needs this.

    Raises
    ------
    RatifyError
        When a file is missing or wrong, or a locked study has changed since it was locked.
    """
    folder = Path(folder)
    plan = load_chat_plan(folder)
    check_language(plan.language, folder / PLAN_FILE)
    found = read_chat_files(folder, plan)
    prompts = chat_prompts(folder, plan)
    locked = must_be_locked or (folder / LOCK_FILE).exists()
    lock = read_lock(folder) if locked else None
    parts = chat_parts(
        folder,
        plan,
        found,
        prompts={**prompts, **judge_versions(folder, plan)},
        lexicon=lexicon_hash(plan),
        lock=lock,
    )
    if lock is not None:
        refuse_changed(folder, lock, parts, plan, may_amend=False)
    return ChatStudy(
        folder=folder,
        plan=plan,
        texts=found.texts,
        backgrounds=found.backgrounds,
        prompts=prompts,
        films=tuple(Film(one.clip, one.captions, one.sha256[:24]) for one in found.films),
        images=found.images,
        parts=parts,
        plan_hash=plan_hash(parts) if lock is None else lock.plan_hash,
        lock=lock,
    )


def lock_chat(folder: Path | str) -> tuple[ChatStudy, Lock]:
    """Freeze a chat: write its lock.

    Returns
    -------
    (ChatStudy, Lock)
        The study as it was opened, and the lock: that which is already there, if nothing has
        changed since.

    Raises
    ------
    RatifyError
        When a file is missing or wrong, or the study has changed since it was locked.
    """
    study = open_chat(folder)
    prompts = {**study.prompts, **judge_versions(study.folder, study.plan)}
    lock = write_lock(
        study.folder,
        study.parts,
        study.plan,
        transport=transport_of(study.plan),
        held=held_parts(study.folder, read_chat_files(study.folder, study.plan), prompts),
    )
    log_changes(study.folder, study.plan, lock)
    return study, lock


def chat_prompts(folder: Path, plan: ChatPlan) -> Mapping[str, str]:
    """Return the prompts of partner and coach, as far as a model plays them.

    Raises
    ------
    RatifyError
        When a prompt is missing or empty, or outside of the study folder.
    """
    speakers = {"partner": plan.partner, "coach": plan.feedback.coach}
    keys = {"partner": "partner.prompt", "coach": "feedback.coach.prompt"}
    return {
        name: prompt_text(folder, speaker.prompt, key=keys[name])
        for name, speaker in speakers.items()
        if speaker is not None and speaker.kind == "llm"
    }


def judge_versions(folder: Path, plan: ChatPlan) -> dict[str, str]:
    """Return what the lock keeps about each judge of the second stage, by its id.

    Raises
    ------
    RatifyError
        When a prompt of a judge is missing, or does not fit the plan.
    """
    if not plan.judges:
        return {}
    judging = Plan.model_validate(judging_plan(plan))
    check_judges(judging, folder)
    check_baselines_beside(judging, folder)
    return {judge.id: judge_version(judge, judging, folder) for judge in judging.judges}


def packaged_prompts() -> list[str]:
    """Return the names of the prompts that come with Ratify."""
    place = resources.files("study.chat") / PROMPTS
    if not place.is_dir():
        return []
    return sorted(one.name.removesuffix(".md") for one in place.iterdir() if one.name[-3:] == ".md")


def prompt_text(folder: Path, name: str, *, key: str) -> str:
    """Return a prompt: one that comes with Ratify, or a file of the study folder.

    Parameters
    ----------
    folder : Path
    name : str
        `partner`, or `prompts/mine.md`.
    key : str
        The key of the plan that names it.

    Raises
    ------
    RatifyError
        When there is none, or it is empty, not UTF-8, or outside of the study folder.
    """
    if "/" in name or name.endswith(".md"):
        return read_text(inside(folder, name, key=key), titles=None, whose="a prompt")
    if name not in packaged_prompts():
        raise RatifyError(
            "no such prompt",
            file=folder / PLAN_FILE,
            column=key,
            value=name,
            allowed=", ".join([*packaged_prompts(), "or a file such as prompts/mine.md"]),
        )
    place = resources.files("study.chat") / PROMPTS / f"{name}.md"
    return place.read_text(encoding="utf-8")


def lexicon_hash(plan: ChatPlan) -> str:
    """Return the SHA-256 of the words that messages are screened for; empty if they are not."""
    if "lexicon" not in plan.safety.screen:
        return ""
    found = [
        one
        for one in resources.files("study.chat").iterdir()
        if one.name.startswith("lexicon") and not one.name.endswith((".py", ".pyc"))
    ]
    words = b"\0".join(one.read_bytes() for one in sorted(found, key=lambda one: one.name))
    return files.sha256(words) if words else ""
