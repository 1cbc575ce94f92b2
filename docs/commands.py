"""Writes docs/commands.md from the command line itself: `python -m docs.commands`."""

from __future__ import annotations

from pathlib import Path

import click

from prereg.files import write_text
from ratify import main

PAGE = Path(__file__).with_name("commands.md")
HEAD = """# Commands

Made from the command line by `python -m docs.commands`; a test compares the two.

If an input is wrong, the command prints one line on standard error that names the file, row and
column and what is allowed, and exits with code 2.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, command in sorted(main.commands.items()):
        context = click.Context(command, info_name=f"ratify {name}", max_content_width=100)
        context.terminal_width = 100
        parts.append(f"## ratify {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    write_text(PAGE, page())
