"""Simulations of what every interval and every test promises; `make validate` runs them."""
