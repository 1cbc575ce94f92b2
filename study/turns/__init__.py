"""Reads WildChat into turn-pairs: a prompt, its reply and the next user turn."""
