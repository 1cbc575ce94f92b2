"""The Flask app: pages for raters, and the dashboard."""
