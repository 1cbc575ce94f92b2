"""Writes the folder of a small study of kind chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.chat import CAPTIONS, CLIP, PLAN, TEXTS, merged


def chat_folder(folder: Path, **changes: Any) -> Path:
    """Write a study folder of kind chat, which can be locked.

    Parameters
    ----------
    folder : Path
    **changes
        Parts of the plan; a dict changes only the keys that it names, None takes a part away.
    """
    plan = merged(PLAN, changes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    for name, text in TEXTS.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    for scenario in plan["scenarios"]:
        path = folder / scenario["background"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"You are Robin. This happened: {scenario['opening']}\n", encoding="utf-8")
    (folder / "films").mkdir(exist_ok=True)
    (folder / "films" / "clip.webm").write_bytes(CLIP.read_bytes())
    (folder / "films" / "clip.vtt").write_text(CAPTIONS, encoding="utf-8")
    return folder
