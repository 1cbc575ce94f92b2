"""How several sources of responses are rated and picked."""
