"""Measures and themes of the texts themselves."""
