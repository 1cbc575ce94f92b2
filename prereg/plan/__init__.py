"""The plan: its models, its rules and its file."""
