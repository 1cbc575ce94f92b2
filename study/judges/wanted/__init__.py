"""The answers that the plan wants from a judge."""
