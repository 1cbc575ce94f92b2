"""Judges of kind table: their scores and choices are read, not asked for."""
