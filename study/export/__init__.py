"""From the store to the tidy tables, and the counts that the dashboard shows."""
