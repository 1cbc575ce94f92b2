"""What is collected: design, store, rater pages, judges and bots, down to the tidy tables."""
