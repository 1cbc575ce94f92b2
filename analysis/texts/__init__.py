"""Style features of texts, and themes in texts."""
