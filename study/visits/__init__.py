"""A rater's visit: the claim of a sequence, the answers, leaving and withdrawal."""
