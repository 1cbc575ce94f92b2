"""Causal estimates that know how wrong the judge is."""
