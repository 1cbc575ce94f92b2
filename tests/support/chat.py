"""Small studies of kind chat: made from a dict, without a file but the film's, and not locked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prereg import files
from prereg.chat.model import ChatPlan
from study.chat.study import ChatStudy, Film

CLIP = Path(__file__).with_name("clip.webm")  # 1.2 seconds of moving colours
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:01.000\nListen first.\n"
AGREEMENT = {"min": 1, "max": 5, "labels": {1: "not at all", 5: "very much"}}

PLAN: dict[str, Any] = {
    "schema": 1,
    "id": "small_chat",
    "title": "A small chat",
    "kind": "chat",
    "seed": 20,
    "design": {
        "supporters": 16,
        "conversations": 2,
        "conditions": {
            "control": [],
            "video": ["video"],
            "coach": ["coach"],
            "combined": ["video", "coach"],
        },
        "allocation": {"block": 8},
        "scenarios": {"draw": 2, "order": "balanced"},
    },
    "conversation": {
        "seconds": 240,
        "idle_seconds": 60,
        "grace_seconds": 20,
        "messages": {"min": 1, "max": 40, "characters": 1000},
        "typing": {"characters_per_second": 1000, "at_least": 0, "at_most": 0},
    },
    "scenarios": [
        {
            "id": "job_loss",
            "group": "workplace",
            "title": "Somebody who lost their job",
            "opening": "Hi. They let me go this morning, and I have not told anybody yet.",
            "background": "scenarios/job_loss.md",
        },
        {
            "id": "moving",
            "group": "personal",
            "title": "Somebody who has moved",
            "opening": "Hello. I moved here in May, and I still know nobody.",
            "background": "scenarios/moving.md",
        },
        {
            "id": "quarrel",
            "group": "personal",
            "opening": "My sister does not answer my calls any more.",
            "background": "scenarios/quarrel.md",
        },
    ],
    "partner": {"kind": "scripted", "temperature": None},
    "feedback": {
        "after_rounds": [1],
        "coach": {
            "kind": "scripted",
            "temperature": None,
            "scores": [
                {"id": "validates", "label": "You took the feelings seriously"},
                {"id": "asks", "label": "You asked open questions"},
            ],
            "questions": {"min": 1, "max": 2},
        },
        "video": {"clips": ["films/clip.webm"], "captions": ["films/clip.vtt"], "watch": "ended"},
    },
    "surveys": {
        "before": [
            {
                "title": "About you",
                "questions": [
                    {
                        "id": "age",
                        "question": "How old are you?",
                        "kind": "choice",
                        "options": ["18-39", "40 or more"],
                    },
                    {
                        "id": "care_1",
                        "question": "I notice how others feel.",
                        "kind": "scale",
                        "of": "care",
                        **AGREEMENT,
                    },
                ],
            },
            {
                "title": "How you are with others",
                "text": "There are no right or wrong answers.",
                "questions": [
                    {
                        "id": "care_2",
                        "question": "I talk more than I listen.",
                        "kind": "scale",
                        "of": "care",
                        "reverse": True,
                        "required": False,
                        **AGREEMENT,
                    }
                ],
            },
        ],
        "after_each": [
            {
                "title": "About this conversation",
                "questions": [
                    {
                        "id": "heard",
                        "question": "I let the other person finish.",
                        "kind": "scale",
                        "of": "self_rating",
                        **AGREEMENT,
                    }
                ],
            }
        ],
        "end": [
            {
                "questions": [
                    {
                        "id": "used_ai",
                        "question": "Did a program help you to write?",
                        "kind": "choice",
                        "options": ["yes it did", "no help"],
                    },
                    {"id": "remarks", "question": "What else?", "kind": "text", "required": False},
                ]
            }
        ],
    },
    "recruitment": {
        "codes": {
            "completed": "C-DONE",
            "partner_failure": "C-SORRY",
            "stopped": "C-STOP",
            "no_consent": "C-NO",
        },
        "without_id": True,
    },
    "exclusions": [
        {"rule": "incomplete_session"},
        {"rule": "partner_failure"},
        {"rule": "pasted_most", "share": 0.5},
        {"rule": "admitted_ai", "question": "used_ai", "values": ["yes it did"]},
    ],
}
TEXTS = {
    "consent": "# Taking part\n\nYou talk with a program that plays somebody in trouble.\n",
    "instructions": "# How it works\n\nListen, and answer in your own words.\n",
    "safety": "Talk to somebody you trust, or call **0800 000 000** at any time.\n",
}


def merged(plan: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan with changes, which reach into its parts; None takes a part away."""
    found = dict(copy.deepcopy(dict(plan)))
    for name, change in changes.items():
        if change is None:
            found.pop(name, None)
        elif isinstance(change, Mapping) and isinstance(found.get(name), Mapping):
            found[name] = merged(found[name], change)
        else:
            found[name] = copy.deepcopy(change)
    return found


def small_chat(folder: Path, **changes: Any) -> ChatStudy:
    """Return a chat of 16 supporters in four conditions, with two conversations each.

    Parameters
    ----------
    folder : Path
        Gets the film.
    **changes
        Parts of the plan; a dict changes only the keys that it names, None takes a part away.
    """
    plan = ChatPlan.model_validate(merged(PLAN, changes))
    films = ()
    if plan.feedback.video is not None:
        clip, captions = folder / "films" / "clip.webm", folder / "films" / "clip.vtt"
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(CLIP.read_bytes())
        captions.write_text(CAPTIONS, encoding="utf-8")
        films = (Film(clip, captions, files.sha256(clip.read_bytes())[:24]),)
    parts = {"plan": files.sha256(files.canonical_json(plan.to_json()))}
    return ChatStudy(
        folder=folder,
        plan=plan,
        texts=TEXTS,
        backgrounds={
            one.id: f"You are Robin. This happened: {one.opening}" for one in plan.scenarios
        },
        prompts={
            "partner": "Play a person in trouble.\n\n{{background}}",
            "coach": "Give feedback on the conversation.",
        },
        films=films,
        images={},
        parts=parts,
        plan_hash=parts["plan"],
        lock=None,
    )
