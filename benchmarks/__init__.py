"""Benchmarks: speed and memory, measured in one run against named peers. They are not tests."""
