"""What is missing, contradictory or unwise in a study, with its place and what to do."""
