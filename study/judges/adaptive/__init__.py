"""Which pair a judge is asked next: the one that tells most about the scores."""
