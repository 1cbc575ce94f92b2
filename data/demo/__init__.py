"""The demo's conversations, composed for this project."""
