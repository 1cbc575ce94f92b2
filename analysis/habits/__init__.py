"""Habits of judges: what they do that has nothing to do with the texts they judge."""
