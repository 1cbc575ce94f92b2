"""Which answers the plan wants from a judge."""
