"""Intervals, tests and resampling that several statistics share."""
