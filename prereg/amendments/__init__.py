"""Changes to a locked plan: an append-only chain, each with its reason and what was known."""
