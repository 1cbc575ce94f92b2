"""Ratify's command line: click groups only, every heavy import inside its command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
