"""What was found: from tidy tables to rankings, agreement, regressions and the report."""
