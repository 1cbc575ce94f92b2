"""All access to the servers of LLM judges."""
