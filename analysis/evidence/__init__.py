"""A study's exported tables, checked against its lock and with its exclusions applied."""
