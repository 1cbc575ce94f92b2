"""Speed and memory, measured in one run against named peers. Never a test."""
