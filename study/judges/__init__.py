"""Judges that are not people; they answer the same trials as people, with the same rows."""
