"""Lets `python -m ratify` run the command line."""

from ratify import main

main(prog_name="ratify")
