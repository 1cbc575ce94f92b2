"""Ratify's command line: one module per command; its heavy imports wait until it runs."""

from ratify import (  # noqa: F401 - each adds its command to the group
    amend,
    analyze,
    audit,
    causal,
    check,
    demo,
    document,
    embed,
    export,
    gate,
    import_preregr,
    items,
    judge,
    links,
    lock,
    new,
    passport,
    password,
    power,
    rank,
    release,
    report,
    sample,
    schema,
    serve,
    simulate,
    turns,
    verify,
    withdraw,
)
from ratify.command_line import main

__all__ = ["main"]
