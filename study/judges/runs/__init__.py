"""Run the judges of a plan."""
