"""The kinds of task: one module for each, and the registry that finds them."""
