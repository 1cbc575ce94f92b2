"""What an LLM judge is asked, and how its replies are read."""
