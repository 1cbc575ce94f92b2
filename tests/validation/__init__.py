"""Simulations that check what every interval and test promises; `make validate` runs them."""
