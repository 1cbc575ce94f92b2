"""Runs of a plan's judges."""
