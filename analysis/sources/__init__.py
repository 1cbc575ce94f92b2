"""Compares sources of responses by people's ratings and picks."""
