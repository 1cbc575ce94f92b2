"""Runs every benchmark and prints what was measured on this machine: `make bench`."""

from __future__ import annotations

from benchmarks import (
    adaptive,
    analysis,
    causal,
    chatting,
    estimating,
    judges,
    matching,
    pages,
    ranking,
    trials_and_audit,
    turns,
)


def main() -> None:
    """Run all benchmarks."""
    ranking.main()
    trials_and_audit.main()
    analysis.main()
    matching.main()
    pages.main()
    judges.main()
    adaptive.main()
    turns.main()
    causal.main()
    chatting.main()
    estimating.main()


if __name__ == "__main__":
    main()
