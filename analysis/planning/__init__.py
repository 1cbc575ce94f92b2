"""Tries a plan on simulated data before anybody answers."""
