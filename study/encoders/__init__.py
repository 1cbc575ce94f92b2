"""Texts as vectors: the one door to every encoder, from words counted here to models served."""
