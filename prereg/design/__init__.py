"""Decides which rater sees which items in which order, from the plan, the items and the seed."""
