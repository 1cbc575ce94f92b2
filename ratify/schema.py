"""`ratify schema`: prints the JSON Schema of a plan, for editors."""

from __future__ import annotations

import click

from ratify.command_line import main


@main.command()
@click.option("--chat", is_flag=True, help="Of a plan of kind chat, which has keys of its own.")
def schema(*, chat: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of plan.yaml, by which an editor completes and checks.

    `ratify new` writes it beside the plan, which names it in its first line.
    """
    from prereg.chat.model import ChatPlan
    from prereg.plan.model import Plan
    from prereg.plan.schema import schema_text

    click.echo(schema_text(ChatPlan if chat else Plan), nl=False)
