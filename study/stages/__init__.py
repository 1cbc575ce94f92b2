"""The studies that follow from a chat: `judging/`, in which judges score, and `compare/`."""
