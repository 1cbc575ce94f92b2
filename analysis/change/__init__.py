"""Reliable change of each person between two occasions."""
