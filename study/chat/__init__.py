"""Chats: who gets which place, what is said, the clock, and what partner and coach owe."""
