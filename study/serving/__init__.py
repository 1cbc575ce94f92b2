"""Serving a study: one process of waitress, or several of gunicorn."""
