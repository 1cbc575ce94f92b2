"""The kinds of task: what a trial shows, which answers are allowed, and how they are stored."""
