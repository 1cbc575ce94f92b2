"""Looks at a whole study folder before the lock, and goes on after a fault."""
