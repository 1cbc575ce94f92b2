"""Export a chat: its tidy tables, a ConvoKit corpus, and counts for the dashboard."""
