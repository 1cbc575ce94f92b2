"""Checks a study folder for a third person: is everything as it was promised."""
