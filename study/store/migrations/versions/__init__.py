"""The steps from one revision of the store to the next, in order of their numbers."""
