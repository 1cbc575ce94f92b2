"""Draws the wings in docs/architecture.md from the imports: `python -m docs.architecture`.

A room is a folder, or a module, directly in a wing. An arrow says that a room imports another. An
arrow that follows from two others is left out, so that the layers can be seen.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from prereg.files import write_text

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("architecture.md")
WINGS = ("ratify", "study", "analysis", "prereg")
START, END = "<!-- picture: begin -->\n", "<!-- picture: end -->\n"

Room = tuple[str, str]


def room_of(module: str) -> Room | None:
    """Return the wing and the room of a module; None outside the wings and for a wing itself."""
    wing, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    if wing == "ratify":
        return (wing, "ratify")
    known = (ROOT / wing / room).is_dir() or (ROOT / wing / f"{room}.py").exists()
    return (wing, room) if wing in WINGS and room and known else None


def imports() -> dict[Room, set[Room]]:
    """Return which rooms each room imports, read from the sources."""
    found: dict[Room, set[Room]] = {}
    for wing in WINGS:
        for path in sorted((ROOT / wing).rglob("*.py")):
            here = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if here is None or here[1] in {"__init__", "translations"}:
                continue
            there = found.setdefault(here, set())
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    named = [f"{node.module}.{alias.name}" for alias in node.names]
                elif isinstance(node, ast.Import):
                    named = [alias.name for alias in node.names]
                else:
                    continue
                there.update(room for name in named if (room := room_of(name)))
            there.discard(here)
    return found


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows without those that follow from two or more others; circles stay."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(arrows.get(start, ()))
        while waiting:
            if (room := waiting.pop()) not in seen:
                seen.add(room)
                waiting += arrows.get(room, ())
        return seen

    under = {room: reached(room) for room in arrows}
    return {
        room: {
            to
            for to in there
            if not any(
                to in under.get(other, ()) and not {room, other} & {*under.get(to, ()), to}
                for other in there - {to}
            )
        }
        for room, there in arrows.items()
    }


def picture() -> str:
    """Return the picture as a Mermaid flowchart, which code hosts draw."""
    found = imports()
    lines = ["```mermaid", "flowchart TD"]
    for wing in WINGS:
        inside = {
            room: {to for where, to in there if where == wing}
            for (place, room), there in found.items()
            if place == wing
        }
        lines.append(f"  subgraph {wing}_wing [{wing}/]")
        lines += [f"    {wing}_{room}[{room}]" for room in sorted(inside)]
        for room, there in sorted(reduced(inside).items()):
            lines += [f"    {wing}_{room} --> {wing}_{to}" for to in sorted(there)]
        lines.append("  end")
    between = {(a, b) for (a, _), there in found.items() for b, _ in there if a != b}
    lines += [f"  {a}_wing ==> {b}_wing" for a, b in sorted(between)]
    return "\n".join([*lines, "```"]) + "\n"


def page() -> str:
    """Return the page with a picture of the present imports."""
    text = PAGE.read_text("utf-8")
    drawn = f"{START}{picture()}{END}"
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: drawn, text, flags=re.S)


if __name__ == "__main__":
    write_text(PAGE, page())
