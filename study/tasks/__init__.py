"""The kinds of task: what a trial shows, what may be answered, which rows the answer leaves."""
