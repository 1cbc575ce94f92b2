"""Export the store as tidy tables, and count what the dashboard shows."""
