"""Run every benchmark and print what this machine measured: `make bench`."""

from __future__ import annotations

from benchmarks import pages, ranking


def main() -> None:
    """Run all benchmarks."""
    ranking.main()
    pages.main()


if __name__ == "__main__":
    main()
