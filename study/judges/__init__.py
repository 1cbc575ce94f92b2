"""Judges that are not people. They answer the same trials and leave the same rows."""
