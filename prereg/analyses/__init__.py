"""One model for each kind of registered analysis, and their registry."""
