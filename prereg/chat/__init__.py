"""The plan of a trial in which people talk with a partner: its models, its lock, its allocation."""
