"""`python -m ratify`."""

from ratify import main

main(prog_name="ratify")
