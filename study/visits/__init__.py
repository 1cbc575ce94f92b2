"""A rater's visit: claiming a sequence, answering, leaving and withdrawing."""
