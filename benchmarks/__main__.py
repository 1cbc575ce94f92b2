"""Runs every benchmark and prints what was measured on this machine: `make bench`."""

from __future__ import annotations

from benchmarks import adaptive, analysis, causal, judges, pages, ranking, trials_and_audit


def main() -> None:
    """Run all benchmarks."""
    ranking.main()
    trials_and_audit.main()
    analysis.main()
    pages.main()
    judges.main()
    adaptive.main()
    causal.main()


if __name__ == "__main__":
    main()
