"""The table reader, the items, and the contract of every tidy table."""
