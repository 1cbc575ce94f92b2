"""One runner for each kind of registered analysis."""
