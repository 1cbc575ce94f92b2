"""Which rater sees which items in which order: pure functions of plan, items and seed."""
