"""Serve a study from one process with waitress, or from several with gunicorn."""
